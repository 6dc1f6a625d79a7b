import Glibc

/// Hands out the memory that connections keep partial requests in, within one bound for all.
///
/// Each connection has a share that it always gets. Beyond its share it draws on a common pool,
/// and where that is used up it waits. One waiting connection at a time is privileged: it may have
/// a whole request's bytes, so that however many clients hold half a body, somebody gets on.
///
///     bufferBytesMax = share x connectionsMax + pool + one privileged request
struct BufferBudget {
    /// Bytes that every connection gets.
    let shareBytes: Int
    private let poolBytes: Int
    /// Capacities of all buffers.
    private(set) var usedBytes = 0
    /// Those beyond their share, but for the privileged one's.
    private var pooledBytes = 0
    private(set) var hasPrivileged = false

    /// - Precondition: half of `bufferBytesMax` holds one request and a page's rest.
    init(bufferBytesMax: Int, connectionsMax: Int, requestBytesMax: Int) {
        shareBytes = bufferBytesMax / 2 / connectionsMax
        poolBytes = bufferBytesMax / 2 - requestBytesMax
        precondition(shareBytes >= Self.shareBytesMin, "the share holds a small request")
        precondition(poolBytes >= 0, "one request fits into half of the bound")
    }

    /// Below this a share would not hold the head of a webhook's request.
    static let shareBytesMin = 512

    /// Larger than most webhooks.
    private static let smallBytesMax = 16_384

    /// Bytes a read may bring, so that what is left over of it can be kept.
    var readBytesMax: Int {
        let room = poolBytes / 4 * 3 - pooledBytes
        if room > Self.smallBytesMax { return room }
        return max(shareBytes, min(Self.smallBytesMax, poolBytes - pooledBytes))
    }

    /// Makes the buffer at least `capacity` bytes large, its content kept at the same offsets.
    ///
    /// - Returns: false where the budget does not allow it now; nothing is changed then.
    mutating func grow(_ connection: UnsafeMutablePointer<Connection>, to capacity: Int) -> Bool {
        let isPrivileged = connection.pointee.flags.contains(.isPrivileged)
        let old = isPrivileged ? 0 : pooled(Int(connection.pointee.capacity))
        let new = isPrivileged ? 0 : pooled(capacity)
        // The last quarter is for small requests: large ones alone never keep them out.
        let bound = capacity > Self.smallBytesMax ? poolBytes / 4 * 3 : poolBytes
        guard new == 0 || pooledBytes - old + new <= bound else { return false }
        let start = connection.pointee.buffer.map(UnsafeMutableRawPointer.init)
        guard let grown = realloc(start, capacity) else { return false }
        connection.pointee.buffer = grown.assumingMemoryBound(to: UInt8.self)
        usedBytes += capacity - Int(connection.pointee.capacity)
        pooledBytes += new - old
        connection.pointee.capacity = Int32(capacity)
        return true
    }

    /// Lets one connection draw beyond the pool until its buffer is released.
    mutating func privilege(_ connection: UnsafeMutablePointer<Connection>) {
        precondition(!hasPrivileged, "one connection at a time is privileged")
        hasPrivileged = true
        pooledBytes -= pooled(Int(connection.pointee.capacity))
        connection.pointee.flags.insert(.isPrivileged)
    }

    /// Frees the buffer.
    mutating func release(_ connection: UnsafeMutablePointer<Connection>) {
        let capacity = Int(connection.pointee.capacity)
        if connection.pointee.flags.contains(.isPrivileged) {
            connection.pointee.flags.remove(.isPrivileged)
            hasPrivileged = false
        } else {
            pooledBytes -= pooled(capacity)
        }
        usedBytes -= capacity
        free(connection.pointee.buffer)
        connection.pointee.buffer = nil
        connection.pointee.capacity = 0
        connection.pointee.start = 0
        connection.pointee.end = 0
    }

    private func pooled(_ capacity: Int) -> Int { capacity > shareBytes ? capacity : 0 }
}
