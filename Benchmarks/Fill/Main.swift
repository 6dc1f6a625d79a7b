import Base
import Foundation
import Queue

/// Fills a queue with webhooks of one status each, or one message, for benchmarks that need
/// millions waiting.
///
///     benchmark-fill QUEUE_PATH COUNT [messages]
///
/// Everything goes through the Queue module, in groups as large as ingest ever commits.
@main
enum Main {
    private static let groupCount = 1_024
    private static let checkpointPages = 16_384

    static func main() {
        let arguments = CommandLine.arguments
        let isMessages = arguments.count == 4 && arguments[3] == "messages"
        guard arguments.count == 3 || isMessages, let count = Int(arguments[2]), count > 0 else {
            report("usage: benchmark-fill QUEUE_PATH COUNT [messages]")
            exit(ExitCode.usage)
        }
        do throws(QueueError) {
            try fill(QueueLocation(path: arguments[1]), count: count, isMessages: isMessages)
        } catch {
            report("benchmark-fill: \(error)")
            exit(ExitCode.failed)
        }
    }

    private static func report(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    private static func fill(
        _ location: QueueLocation, count: Int, isMessages: Bool
    ) throws(QueueError) {
        let gate = try QueueSession.openGate(location, as: .ingest)
        let session = try QueueSession.open(location, gate: gate, as: .ingest)
        let statuses = StatusBodies(count: groupCount)
        let messages = MessageBodies(count: count)
        var filledCount = 0
        while filledCount < count {
            let wanted = min(groupCount, count - filledCount)
            let webhooks =
                isMessages ? messages.next(count: wanted) : statuses.next(count: wanted)
            gate.lock()
            defer { gate.unlock() }
            try session.log.appendHoldingGate(webhooks)
            filledCount += webhooks.count
            if session.walPages > checkpointPages { try session.checkpointHoldingGate(.restart) }
        }
        try session.checkpoint(.truncate)
    }
}

/// Bodies that differ in the status's id alone, in memory that is used again for each group.
private final class StatusBodies {
    private static let digitCount = 10
    private let template: [UInt8]
    private let digitOffset: Int
    // Owned: `count` bodies, one behind the other.
    private let bodies: UnsafeMutableRawBufferPointer
    private let fields: [UnsafeRawBufferPointer]
    private var number = 0

    init(count: Int) {
        let seconds = Timestamp.now().seconds
        let head =
            #"{"object":"whatsapp_business_account","entry":[{"id":"800100200300401","changes":"#
            + #"[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"#
            + #""4930555001","phone_number_id":"700100200300401"},"statuses":[{"id":"#
            + #""wamid.HBgNNDkxNTU1MDAwMDAwMRUCABEFILL"#
        let tail =
            #"==","status":"delivered","timestamp":"\#(seconds)","recipient_id":"#
            + #""4915550000001","conversation":{"id":"c0ffee0000000000","origin":{"type":"#
            + #""marketing"}},"pricing":{"billable":true,"pricing_model":"PMP","category":"#
            + #""marketing","type":"regular"}}]},"field":"messages"}]}]}"#
        let digits = String(repeating: "0", count: Self.digitCount)
        template = Array((head + digits + tail).utf8)
        digitOffset = head.utf8.count
        bodies = .allocate(byteCount: count * template.count, alignment: 16)
        for index in 0..<count {
            let start = index * template.count
            UnsafeMutableRawBufferPointer(rebasing: bodies[start..<(start + template.count)])
                .copyBytes(from: template)
        }
        fields = [
            "sha256=" + String(repeating: "0", count: 64), "facebookexternalua",
            "application/json", "127.0.0.1", "00000000",
        ].map { text in
            let copy = UnsafeMutableRawBufferPointer.allocate(
                byteCount: text.utf8.count, alignment: 1)
            copy.copyBytes(from: text.utf8)
            return UnsafeRawBufferPointer(copy)
        }
    }

    deinit {
        bodies.deallocate()
        for field in fields { field.deallocate() }
    }

    /// The next webhooks; valid until the next call.
    func next(count: Int) -> [PendingWebhook] {
        let now = Timestamp.now()
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        return (0..<count).map { index in
            let start = index * template.count
            let body = UnsafeMutableRawBufferPointer(
                rebasing: bodies[start..<(start + template.count)])
            var rest = number
            for offset in (0..<Self.digitCount).reversed() {
                body[digitOffset + offset] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            number += 1
            return PendingWebhook(
                receivedAt: now, body: UnsafeRawBufferPointer(body), signature256: fields[0],
                signature1: none, userAgent: fields[1], contentType: fields[2],
                remoteAddress: fields[3], secretFingerprint: fields[4])
        }
    }
}
