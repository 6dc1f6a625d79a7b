import Base

/// A place that keeps objects.
///
/// What every lake promises: when `put` returns, the object is durable under its name, whole.
/// Putting it again is success and changes nothing. An object with other bytes is never replaced.
/// Before `put` returns, no reader finds part of an object under its name.
///
/// Not `Sendable`: the shipper's thread makes it and alone uses it. `put` blocks.
protocol ObjectLake: AnyObject {
    /// Puts one object, and returns when it is durable.
    func put(_ object: SealedObject) throws(LakeError)

    /// Ends a `put` that is under way with an error, and every later one; any thread may call it.
    var interrupt: @Sendable () -> Void { get }
}

extension ObjectLake {
    // A lake that waits for nobody ends soon by itself.
    var interrupt: @Sendable () -> Void { {} }
}

/// An object on its way: what the queue's books say of it, and where its bytes lie.
struct SealedObject: Sendable, Equatable {
    /// The name below the lake's root.
    let name: String
    /// The spool file with its bytes.
    let path: String
    let byteCount: Int
    /// Of the bytes as stored; 64 hex digits.
    let sha256: String
}
