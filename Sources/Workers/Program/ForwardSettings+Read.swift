import Base
import Foundation
import WhatsApp

extension ForwardSettings {
    /// Reads what the forward pool is told.
    static func read(_ reader: inout ConfigurationReader) -> ForwardSettings {
        let backoff = readBackoff(&reader)
        return ForwardSettings(
            url: readURL(&reader),
            concurrencyMax: reader.integer(.forwardConcurrency, in: 1...1_000),
            answerDurationMax: reader.duration(
                .forwardTimeout, in: .milliseconds(100) ... .hours(1)),
            connectDurationMax: reader.duration(
                .forwardConnectTimeout, in: .milliseconds(100) ... .seconds(600)),
            ratePerSecondMax: reader.integer(.forwardRateMax, in: 0...100_000),
            policy: ForwardPolicy(
                attemptsMax: reader.integer(.forwardAttemptsMax, in: 1...10_000),
                refusalsMax: reader.integer(.forwardRefusalsMax, in: 1...10_000),
                ageMax: reader.duration(.forwardAgeMax, in: .seconds(1) ... .days(365)),
                backoff: backoff),
            batchCountMax: reader.integer(.forwardBatchMax, in: 1...1_000),
            batchBytesMax: reader.byteCount(.forwardBatchBytesMax, in: 1_024...1 << 26),
            splitter: WebhookSplitter(
                split: reader.choice(.forwardSplit, as: SplitMode.self),
                forwardedStatuses: Set(reader.list(.forwardStatuses))),
            headers: readHeaders(&reader),
            secrets: reader.secretList(.whatsAppAppSecret).map(AppSecret.init),
            dedupWindow: reader.duration(.dedupWindow, in: .seconds(60) ... .days(365)),
            routes: RouteTable.read(&reader))
    }

    private static func readURL(_ reader: inout ConfigurationReader) -> String {
        let text = reader.string(.forwardURL)
        guard !text.isEmpty else { return text }
        if let expected = RouteTable.problem(ofURL: text) {
            reader.problem(.forwardURL, value: text, expected: expected)
        }
        return text
    }

    private static func readBackoff(_ reader: inout ConfigurationReader) -> Backoff {
        let least = reader.duration(.forwardBackoffMin, in: .milliseconds(10) ... .hours(1))
        let most = reader.duration(.forwardBackoffMax, in: .milliseconds(10) ... .hours(24))
        if most < least {
            reader.problem(
                .forwardBackoffMax, value: "\(most)", expected: "no less than FORWARD_BACKOFF_MIN")
        }
        return Backoff(delayMin: least, delayMax: max(least, most))
    }

    /// `Name: value`, several with `|` between them.
    private static func readHeaders(_ reader: inout ConfigurationReader) -> [HTTPRequest.Header] {
        guard let text = reader.optionalString(.forwardHeaders) else { return [] }
        var headers: [HTTPRequest.Header] = []
        for part in text.split(separator: "|") {
            let pieces = part.split(separator: ":", maxSplits: 1)
            let name = pieces.first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
            let value = pieces.count == 2 ? pieces[1].trimmingCharacters(in: .whitespaces) : ""
            let isName = !name.isEmpty && name.utf8.allSatisfy(isNameByte)
            guard isName, !value.isEmpty, value.utf8.allSatisfy({ $0 >= 32 && $0 != 127 }) else {
                reader.problem(
                    .forwardHeaders, value: text,
                    expected: "Name: value, several with | between them")
                return []
            }
            headers.append(HTTPRequest.Header(name: name, value: value))
        }
        return headers
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
