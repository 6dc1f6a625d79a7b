import Base
import Queue

/// Which dead letters a command is about: some by id, those that a filter means, or all.
///
/// Nothing that changes dead letters takes all of them by an accident of leaving something out.
enum DeadSelection: Equatable {
    case ids([DeliveryID])
    case filter(DeadLetterFilter)

    // MARK: The flags

    private static let reason = Flag(
        "reason", .choice(DeadReason.names), help: "why they were given up")
    private static let status = Flag(
        "status", .number(100...999), help: "the status code that PHP answered at last")
    private static let since = Flag("since", .moment, help: "given up then or later")
    private static let until = Flag("until", .moment, help: "given up before then")
    private static let conversation = Flag(
        "conversation", .text("NAME"), help: "of this conversation, as `dead list` names it")
    private static let phoneNumber = Flag(
        "phone-number-id", .text("ID"), help: "that came to this business number")
    private static let field = Flag(
        "field", .text("FIELD"), help: "of this field of the webhook, messages say")
    private static let all = Flag("all", help: "every dead letter")

    /// What narrows a list down.
    static let filterFlags = [reason, status, since, until, conversation, phoneNumber, field]
    /// What a command that changes dead letters is told them by, beside ids.
    static let flags = filterFlags + [all]

    /// How moments may be written, for the help.
    static let momentsParagraph =
        "WHEN is a time like 2026-11-23T18:00:00Z, a day like 2026-11-23 (its start, in UTC), or "
        + "an age like 90s, 15m, 2h or 7d, counted back from now."

    // MARK: Reading them

    /// The filter flags of a command line.
    static func filter(_ arguments: ParsedArguments) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.reason = arguments.text(reason)
        filter.status = arguments.number(status)
        filter.since = arguments.moment(since)
        filter.until = arguments.moment(until)
        filter.conversation = arguments.text(conversation)
        filter.phoneNumberID = arguments.text(phoneNumber)
        filter.field = arguments.text(field)
        return filter
    }

    /// The selection of a command that changes dead letters: ids, filters or `--all`.
    static func selection(_ arguments: ParsedArguments) throws(UsageError) -> DeadSelection {
        let filter = filter(arguments)
        let hasFilter = filter != DeadLetterFilter()
        let wantsAll = arguments.has(all)
        if !arguments.operands.isEmpty {
            guard !hasFilter, !wantsAll else {
                throw arguments.mistake("ids, a filter or --all: not two of them")
            }
            return .ids(try ids(arguments))
        }
        guard hasFilter != wantsAll else {
            throw arguments.mistake(
                hasFilter
                    ? "--all means every dead letter: leave it out, or the filters"
                    : "which dead letters? Give ids, a filter, or --all")
        }
        return .filter(filter)
    }

    /// The operands as ids, each once.
    static func ids(_ arguments: ParsedArguments) throws(UsageError) -> [DeliveryID] {
        var ids: [DeliveryID] = []
        for operand in arguments.operands {
            guard operand.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int64(operand), number > 0
            else {
                throw arguments.mistake("\"\(operand)\" is no id: `dead list` shows them")
            }
            let id = DeliveryID(rawValue: number)
            if !ids.contains(id) { ids.append(id) }
        }
        return ids
    }
}

/// Goes through the dead letters of a selection, a page at a time, in the order of their ids.
///
/// It meets as many as there are when it starts: each id once, and an end also while PHP refuses
/// the ones behind it again.
struct DeadWalk {
    /// How many there were when it started.
    let count: Int
    private let deadLetters: DeadLetters
    private let filter: DeadLetterFilter
    private var after: DeliveryID?
    private var leftCount: Int

    static let pageCount = 200

    init(_ filter: DeadLetterFilter, in deadLetters: DeadLetters) throws(QueueError) {
        count = try deadLetters.count(filter)
        leftCount = count
        self.deadLetters = deadLetters
        self.filter = filter
    }

    /// The next page; `nil` at the end.
    mutating func next() throws(QueueError) -> [DeadLetter]? {
        guard leftCount > 0 else { return nil }
        let page = try deadLetters.list(
            filter, limit: min(leftCount, Self.pageCount), after: after)
        leftCount -= page.count
        after = page.last?.id ?? after
        return page.isEmpty ? nil : page
    }
}
