import Glibc

/// A system call that failed, with the file it concerned where there was one.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The name of the call, `"openat"` say.
    public let call: String
    /// `errno` as the call left it.
    public let code: Int32
    /// The path the call was given.
    public let path: String?

    /// Names a failure; ``systemCall(_:path:_:)`` makes most of them.
    public init(call: String, code: Int32, path: String? = nil) {
        self.call = call
        self.code = code
        self.path = path
    }

    /// One line: the call, the path, and the C library's words.
    public var description: String {
        let subject = path.map { " \($0)" } ?? ""
        return "\(call)\(subject): \(String(cString: strerror(code)))"
    }
}

/// Makes one system call: retried on EINTR, `errno` captured before anything can change it.
///
/// - Returns: what the call returned, never -1.
/// - Throws: ``SystemError`` when the call returned -1.
@discardableResult
public func systemCall<Result: FixedWidthInteger & SignedInteger>(
    _ name: StaticString,
    path: String? = nil,
    _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        guard result == -1 else { return result }
        let code = errno
        // A descriptor that is not open is a bug of ours: going on could write into another file.
        precondition(code != EBADF, "\(name): bad descriptor")
        guard code == EINTR else {
            throw SystemError(call: "\(name)", code: code, path: path)
        }
    }
}

/// A file descriptor with one owner; closed when the owner lets go of it.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid for as long as the owner holds on.
    public let rawValue: Int32

    /// Takes over an open descriptor.
    public init(adopting rawValue: Int32) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    // On Linux the descriptor is gone whatever close returns, so there is nothing to retry.
    deinit { close(rawValue) }
}
