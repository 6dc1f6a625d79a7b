import Foundation

/// A directory of one test's own, removed with everything in it when the test lets go of it.
public final class TemporaryDirectory: Sendable {
    /// Where it is; absolute, without a slash at the end.
    public let path: String

    /// Makes an empty directory, mode 0700, under the system's temporary directory.
    public init() throws {
        var template = Array((NSTemporaryDirectory() + "/pipeline-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else {
            throw CocoaError(.fileWriteUnknown)
        }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` inside the directory; nothing is made.
    public func file(_ name: String) -> String { path + "/" + name }
}
