import Base
import Foundation
import Glibc

/// The person's own editor, on a file that nobody else can read.
struct Editor {
    /// A command line of the shell: VISUAL, else EDITOR, else `vi`.
    let command: String
    private let environment: [String: String]

    init(environment: [String: String]) {
        self.environment = environment
        let named = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }
        command = named.first { !$0.isEmpty } ?? "vi"
    }

    /// A text under edit; its directory, mode 0700, stays until ``Draft/remove()``.
    struct Draft {
        /// The file that is edited, mode 0600.
        let path: String
        fileprivate let directory: String

        /// What stands in it now.
        func bytes(byteCountMax: Int) throws(Failure) -> [UInt8] {
            try Failure.system { () throws(SystemError) in
                try SmallFile.read(path, byteCountMax: byteCountMax)
            }
        }

        /// Takes it away, with all that the editor left beside it.
        func remove() { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// Writes a draft under the system's temporary directory.
    func draft(_ bytes: [UInt8], named name: String) throws(Failure) -> Draft {
        let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array((parent + "/pipelinectl-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .failed("\(SystemError(call: "mkdtemp", code: errno, path: parent))")
        }
        let letters = template.dropLast().map { UInt8(bitPattern: $0) }
        let directory = String(decoding: letters, as: UTF8.self)
        let draft = Draft(path: directory + "/" + name, directory: directory)
        try Failure.system { () throws(SystemError) in
            let file = try NewFile(draft.path)
            try file.write(bytes)
            try file.finish()
        }
        return draft
    }

    /// Opens the editor and waits until it has ended.
    ///
    /// - Throws: ``Failure`` where it could not run, or says that it failed.
    func edit(_ draft: Draft) throws(Failure) {
        let status = try run(draft.path)
        guard status == 0 else {
            throw .failed(
                "the editor (\(command)) ended with status \(status): nothing was changed. Set "
                    + "VISUAL or EDITOR, or give the new body with --with FILE")
        }
    }

    private func run(_ path: String) throws(Failure) -> Int32 {
        // Ctrl-C belongs to the editor while it runs.
        let ours = [SIGINT, SIGQUIT].map { signal($0, SIG_IGN) }
        defer { for (number, handler) in zip([SIGINT, SIGQUIT], ours) { signal(number, handler) } }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }

        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGINT)
        sigaddset(&defaults, SIGQUIT)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        // The name is a parameter of the shell, not part of its text: no character in it acts.
        let words = ["/bin/sh", "-c", command + " \"$1\"", "pipelinectl", path]
        let arguments = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }

        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", nil, &attributes, arguments, variables)
        guard code == 0 else {
            throw .failed("\(SystemError(call: "posix_spawn", code: code, path: "/bin/sh"))")
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) == -1, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }
}
