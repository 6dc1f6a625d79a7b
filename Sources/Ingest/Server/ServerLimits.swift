/// Bounds of the server as a whole; those of one request are ``HTTPLimits``.
struct ServerLimits: Sendable {
    /// Open connections; beyond it the oldest idle one goes, or new ones wait in the kernel.
    var connectionsMax = 12_000
    /// Buffers of all connections together.
    ///
    /// They exist only while part of a request is there.
    var bufferBytesMax = 32 * 1_024 * 1_024
    /// From a request's first byte to the end of its head.
    var headDuration = Duration.seconds(10)
    /// From the end of the head to the last byte of the body.
    var bodyDuration = Duration.seconds(30)
    /// Between two requests.
    var idleDuration = Duration.seconds(60)
    /// An answer that the client does not take.
    var writeDuration = Duration.seconds(10)
    /// After the last answer: what the client still sends is read and dropped, so that the answer
    /// reaches it instead of a reset.
    var lingerDuration = Duration.seconds(2)
    /// Dropped bytes after which the reset is accepted.
    var lingerBytesMax = 16 * 1_024 * 1_024
    /// Webhooks of one commit.
    var commitCountMax = 1_024
    /// Body bytes of one commit.
    var commitBytesMax = 8 * 1_024 * 1_024
    /// How long a group waits for the gate before it is answered 503.
    var gateWaitMax = Duration.seconds(2)
    /// Answers to one connection, and reads from it, before others have their turn.
    var answersPerTurnMax = 64
    var readsPerTurnMax = 4
    /// While memory is short, a request that has taken this long and brought less than this a
    /// second is given up for one that needs the memory.
    var slowDurationMin = Duration.seconds(2)
    var slowBytesPerSecond = 16_384
    /// Bytes of one read, and how much all reads of one group may take.
    var readBytesMax = 64 * 1_024
    var arenaBytes = 1_024 * 1_024
    /// At the end: how long an open connection may send one more request.
    var stopDuration = Duration.seconds(1)
    /// Idle this long, or this long without a whole head, a connection may be closed in favour of
    /// a new one.
    var idleDurationMin = Duration.seconds(1)
}
