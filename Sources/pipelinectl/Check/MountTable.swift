/// What is mounted where, as /proc/self/mountinfo says (proc_pid_mountinfo(5)).
struct MountTable {
    private let mounts: [(point: String, type: String)]

    /// - Parameter text: the file's content; lines of another form are left out.
    init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count > 5, let dash = words.firstIndex(of: "-"), dash + 1 < words.count
            else { return nil }
            return (Self.decoded(words[4]), String(words[dash + 1]))
        }
    }

    /// The type of the file system that holds an absolute path without links in it, `ext4` say.
    func type(of path: String) -> String? {
        var best: (point: String, type: String)?
        for mount in mounts {
            let isAbove =
                mount.point == "/" || path == mount.point || path.hasPrefix(mount.point + "/")
            // Of two mounts on one point the later one covers the earlier.
            if isAbove, mount.point.utf8.count >= best?.point.utf8.count ?? 0 { best = mount }
        }
        return best?.type
    }

    /// Blanks in a mount point are written as three octal digits.
    private static func decoded(_ word: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3,
                let code = UInt8(digits, radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
