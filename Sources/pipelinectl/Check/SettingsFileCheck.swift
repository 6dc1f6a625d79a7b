import Base
import Glibc

/// Looks who can read the file of settings: secrets may stand in it.
struct SettingsFileCheck {
    /// What `--config` names.
    let path: String

    func finding() -> Finding {
        let id = "configuration.file"
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            return .fail(id, "\(path) is not there", advice: "name another with --config")
        }
        if facts.st_mode & 0o022 != 0 {
            return .fail(
                id, "other users can write to \(path)",
                advice: "chmod 640 \(path): who writes there can send every message elsewhere")
        }
        if facts.st_mode & 0o004 != 0 {
            return .warn(
                id, "every user of this machine can read \(path)",
                advice: "chmod 640 \(path), or keep secrets in files of their own: KEY_FILE=PATH")
        }
        return .ok(id, "\(path) is closed to other users")
    }
}
