/// How the last seconds went at one destination: successes, failures, and how many conversations
/// failed.
///
/// Pure: time is passed in. Slices of a second, so that it costs the same however many results.
struct FailureWindow: Sendable {
    /// How far it looks back, the slice that is being filled included.
    static let sliceCount = 10
    /// More failing conversations than this are not told apart.
    static let conversationsMax = 3

    private struct Slice: Sendable {
        var second: Int64
        var successCount = 0
        var failureCount = 0
        var conversations: Set<String> = []
    }

    private var slices: [Slice] = []

    var successCount: Int { slices.reduce(0) { $0 + $1.successCount } }
    var failureCount: Int { slices.reduce(0) { $0 + $1.failureCount } }
    /// Different conversations that failed, as far as they are told apart.
    var conversationCount: Int {
        slices.reduce(into: Set<String>()) { $0.formUnion($1.conversations) }.count
    }

    mutating func noteSuccess(now: Duration) {
        advance(now)
        slices[slices.count - 1].successCount += 1
    }

    mutating func noteFailure(conversation: String, now: Duration) {
        advance(now)
        let last = slices.count - 1
        slices[last].failureCount += 1
        if slices[last].conversations.count < Self.conversationsMax {
            slices[last].conversations.insert(conversation)
        }
    }

    mutating func clear() { slices.removeAll(keepingCapacity: true) }

    /// Lets go of what is too old; afterwards the last slice is that of `now`.
    private mutating func advance(_ now: Duration) {
        let second = now.components.seconds
        slices.removeAll { $0.second <= second - Int64(Self.sliceCount) }
        if slices.last.map({ $0.second < second }) ?? true { slices.append(Slice(second: second)) }
    }
}
