import Base
import Glibc
import Queue

/// Who runs a command, and as whom it touches the queue.
enum SystemUser {
    private static let nameByteCountMax = 64

    /// Who is at the keyboard: the user who called sudo, else the user of this process.
    static func name(environment: [String: String]) -> String {
        let caller = environment["SUDO_USER"].flatMap { $0.isEmpty ? nil : $0 }
        let name = caller ?? userName(of: getuid()) ?? "uid \(getuid())"
        return String(HostileText.line(name).prefix(nameByteCountMax))
    }

    /// Gives up root for the owner of the queue, before anything of the queue is opened.
    ///
    /// What root makes beside the database (its WAL, a lock file) its owner could not write: every
    /// program that shares the queue would stop. Does nothing for other users, and where there is
    /// no queue.
    ///
    /// - Throws: ``SystemError``; the process is then half-way between two users and must end.
    static func becomeOwner(of location: QueueLocation) throws(SystemError) {
        guard geteuid() == 0, let owner = owner(of: location.path), owner.user != 0 else { return }
        if let name = userName(of: owner.user) {
            try systemCall("initgroups") { initgroups(name, owner.group) }
        } else {
            var group = owner.group
            try systemCall("setgroups") { setgroups(1, &group) }
        }
        // The group first: whoever has given up root may not change it any more.
        try systemCall("setgid") { setgid(owner.group) }
        try systemCall("setuid") { setuid(owner.user) }
        precondition(getuid() == owner.user && geteuid() == owner.user, "root was not given up")
    }

    /// The owner of a file; `nil` where there is none.
    static func owner(of path: String) -> (user: uid_t, group: gid_t)? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return (facts.st_uid, facts.st_gid)
    }

    /// The name of a user, where the system knows one.
    static func userName(of user: uid_t) -> String? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(user, &record, &buffer, buffer.count, &found) == 0, found != nil,
            let name = record.pw_name
        else { return nil }
        return String(cString: name)
    }
}
