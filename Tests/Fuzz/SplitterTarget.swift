import Base

/// The splitter under libFuzzer: each event once, in every mode, and parts that read as cut.
@_cdecl("LLVMFuzzerTestOneInput")
public func trySplitter(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let body = Array(UnsafeBufferPointer(start: start, count: count))
    var counts: Set<[Int]> = []
    var keys: Set<[EventKey]> = []
    for mode in SplitMode.allCases {
        guard let webhook = webhook(body, mode) else {
            require(counts.isEmpty, "a body is readable in every mode or in none")
            continue
        }
        require(counts.isEmpty == (mode == SplitMode.allCases.first), "readable in every mode")
        counts.insert([
            webhook.eventCount, webhook.statuses.count, webhook.parts.flatMap(\.events).count,
        ])
        keys.insert(webhook.parts.flatMap(\.events).compactMap(\.key).sorted())
        check(webhook, of: body, mode)
    }
    require(counts.count <= 1 && keys.count <= 1, "every mode sees the same events")
    return 0
}

private func webhook(_ body: [UInt8], _ mode: SplitMode) -> SplitWebhook? {
    let splitter = WebhookSplitter(split: mode, forwardedStatuses: [])
    switch splitter.split(body) {
    case .events(let webhook): return webhook
    case .unparseable: return nil
    }
}

private func check(_ webhook: SplitWebhook, of body: [UInt8], _ mode: SplitMode) {
    let events = webhook.parts.flatMap(\.events)
    require(webhook.droppedCount == 0, "nothing is left out unasked")
    require(events.count == webhook.eventCount, "each event for PHP stands in a part")
    for part in webhook.parts {
        require(!part.events.isEmpty && !part.conversations.isEmpty, "no part is empty")
        switch part.bytes {
        case .whole:
            require(webhook.parts.count == 1 && webhook.statuses.isEmpty, "whole means all of it")
        case .cut(let bytes):
            check(part, bytes, mode)
        }
    }
    for status in webhook.statuses { check(status, in: body) }
    let all = Set(events.compactMap(\.key))
    let splitter = WebhookSplitter(split: mode, forwardedStatuses: [])
    guard case .events(let rest) = splitter.split(body, dropping: all) else {
        return require(false, "a body stays readable when events are dropped")
    }
    require(
        rest.parts.flatMap(\.events).allSatisfy { $0.key == nil }
            && rest.parts.flatMap(\.events).count + rest.droppedCount == events.count,
        "dropping leaves exactly the others")
}

/// A cut part is a webhook of its own: one part, the same events, no status.
private func check(_ part: Part, _ bytes: [UInt8], _ mode: SplitMode) {
    guard let again = webhook(bytes, mode) else {
        return require(false, "a part can be read")
    }
    require(again.statuses.isEmpty, "a part holds no status")
    require(again.parts.count == 1, "a part is one part")
    require(again.parts.first?.events == part.events, "a part holds its events")
    // What is no message may be named after a status that went to the lake.
    let isNamed = part.events.allSatisfy { $0.kind != .other }
    require(
        !isNamed || again.parts.first?.conversations == part.conversations, "and conversations")
    require(again.parts.first?.bytes == .whole, "a part is not cut again")
}

/// A line of the lake is one line of JSON.
private func check(_ status: Status, in body: [UInt8]) {
    require(status.object.upperBound <= body.count, "a status stands inside its body")
    var line: [UInt8] = []
    _ = StatusLine.append(status, of: body, receivedAt: Timestamp(rawValue: 0), to: &line)
    require(line.last == ASCII.lineFeed, "a line ends")
    require(line.count { $0 < ASCII.space } == 1, "a line is one line")
    var tape = JSONTape()
    let isText = line.withUnsafeBufferPointer { line -> Bool in
        do throws(UnparseableReason) {
            try JSONScanner.scan(line, into: &tape)
            return true
        } catch {
            return false
        }
    }
    require(isText && tape.loneSurrogates.isEmpty, "a line is JSON that every engine reads")
}

extension EventKey: Comparable {
    /// Any order will do.
    public static func < (left: EventKey, right: EventKey) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
