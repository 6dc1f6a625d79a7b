import CSQLite

/// The moment of a checkpoint at which a commit of another connection is fatal on libraries with
/// the WAL-reset bug: the checkpoint has read the WAL's header, and not yet looked at how much of
/// the WAL is copied already.
///
/// Between the two SQLite drops the pages it has mapped, by the file's method `xUnfetch`, where the
/// header has changed since it last looked. So a file whose `xUnfetch` is ours stands still in the
/// window, without luck, threads or waiting.
/// https://www.sqlite.org/wal.html#the_wal_reset_bug
final class CheckpointWindow {
    /// What happens inside the window, once; the tests that use it run one after the other.
    private nonisolated(unsafe) static var inside: (() throws -> Void)?
    private nonisolated(unsafe) static var failure: (any Error)?
    private nonisolated(unsafe) static var entryCount = 0

    private let file: UnsafeMutablePointer<sqlite3_file>
    private let original: UnsafePointer<sqlite3_io_methods>
    private let methods: UnsafeMutablePointer<sqlite3_io_methods>

    /// Opens the window of every checkpoint that `handle` makes until this object goes.
    init?(_ handle: OpaquePointer) {
        var found: UnsafeMutablePointer<sqlite3_file>?
        let code = withUnsafeMutablePointer(to: &found) {
            sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, $0)
        }
        guard code == SQLITE_OK, let found, let original = found.pointee.pMethods else {
            return nil
        }
        file = found
        self.original = original
        methods = .allocate(capacity: 1)
        methods.initialize(to: original.pointee)
        methods.pointee.xUnfetch = { _, _, _ in
            CheckpointWindow.enter()
            // Nothing is mapped: mmap_size is 0.
            return SQLITE_OK
        }
        file.pointee.pMethods = UnsafePointer(methods)
    }

    deinit {
        file.pointee.pMethods = original
        methods.deallocate()
    }

    /// Runs `checkpoint`, and `body` inside of its window.
    ///
    /// - Returns: whether the window was met.
    func during(
        _ checkpoint: () throws -> Void,
        inside body: @escaping () throws -> Void
    ) throws -> Bool {
        Self.inside = body
        Self.failure = nil
        let before = Self.entryCount
        try checkpoint()
        Self.inside = nil
        if let failure = Self.failure { throw failure }
        return Self.entryCount > before
    }

    private static func enter() {
        guard let body = inside else { return }
        inside = nil
        entryCount += 1
        do { try body() } catch { failure = error }
    }
}
