import Glibc

/// Where settings come from: the environment, and a file that it overrules.
public struct ConfigurationSource: Sendable {
    /// Longest configuration file.
    static let fileBytesMax = 1_048_576
    /// Longest file that holds a secret.
    static let secretBytesMax = 65_536

    /// What was found of one key.
    enum Finding: Equatable {
        case absent
        case text(String)
        case unusable(ConfigurationProblem)
    }

    /// The environment first, then the file: the first that has a key in any form decides it.
    private let layers: [[String: String]]
    /// What is wrong with the file; a ``ConfigurationReader`` reports it with the rest.
    let problems: [ConfigurationProblem]

    /// Reads the file, if there is one; what is wrong inside it is reported by the reader.
    ///
    /// - Parameters:
    ///   - file: path of a file in the format of systemd's EnvironmentFile, up to 1 MiB.
    ///   - environment: the process's own; only our names are kept.
    /// - Returns: the settings, not yet looked at.
    /// - Throws: ``ConfigurationError`` where the file cannot be read.
    public static func load(
        file: String?,
        environment: [String: String]
    ) throws(ConfigurationError) -> ConfigurationSource {
        let ours = environment.filter { KnownNames.all.contains($0.key) }
        guard let file else { return ConfigurationSource(layers: [ours], problems: []) }
        do throws(SystemError) {
            let bytes = try SmallFile.read(file, byteCountMax: fileBytesMax)
            return ConfigurationSource(EnvironmentFile(bytes), path: file, environment: ours)
        } catch {
            throw ConfigurationError(problems: [
                ConfigurationProblem("the file named by --config cannot be read: \(error)")
            ])
        }
    }

    private init(layers: [[String: String]], problems: [ConfigurationProblem]) {
        self.layers = layers
        self.problems = problems
    }

    private init(_ file: EnvironmentFile, path: String, environment: [String: String]) {
        let unknown = file.assignments.filter {
            !KnownNames.all.contains($0.name) && KnownNames.isOurs($0.name)
        }.map { EnvironmentFile.Problem(line: $0.line, reason: Self.unknown($0.name)) }
        let problems = (file.problems + unknown).sorted { $0.line < $1.line }
        self.init(
            layers: [
                environment,
                Dictionary(file.assignments.map { ($0.name, $0.value) }) { first, _ in first },
            ],
            problems: problems.map { ConfigurationProblem("\(path):\($0.line): \($0.reason)") }
        )
    }

    private static func unknown(_ name: String) -> String {
        guard let nearest = KnownNames.nearest(to: name, distanceMax: 4) else {
            return "\(name) is no key that this program knows"
        }
        return "\(name) is no key that this program knows, did you mean \(nearest)?"
    }

    /// What was given for a key; for a secret also what is in the file that was given.
    ///
    /// A secret that is given as nothing counts as not given: containers pass empty variables on.
    func finding(of key: ConfigurationKey) -> Finding {
        for layer in layers {
            let text = layer[key.name]
            guard key.isSecret else {
                if let text { return .text(text) }
                continue
            }
            switch (text.flatMap(Self.filled), layer[key.fileName].flatMap(Self.filled)) {
            case (nil, nil): continue
            case (let text?, nil): return .text(text)
            case (nil, let path?): return Self.secret(key, in: path)
            case (.some, .some):
                return .unusable(
                    ConfigurationProblem("\(key.name) and \(key.fileName) are given, expected one")
                )
            }
        }
        return .absent
    }

    private static func filled(_ text: String) -> String? { text.isEmpty ? nil : text }

    private static func secret(_ key: ConfigurationKey, in path: String) -> Finding {
        var bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SmallFile.read(path, byteCountMax: secretBytesMax)
        } catch {
            return .unusable(ConfigurationProblem("\(key.fileName) cannot be read: \(error)"))
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty else {
            return .unusable(
                ConfigurationProblem("\(key.fileName): \(path) is empty or not UTF-8 text"))
        }
        return .text(text)
    }
}
