import Base
import Glibc

/// `~/.aws/config` and `~/.aws/credentials`: sections of `key = value` lines.
///
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
struct SharedFiles: Equatable {
    /// Of one profile, the credentials file over the config file; names in lower case.
    private(set) var profiles: [String: [String: String]] = [:]

    private static let fileByteCountMax = 1_048_576

    /// Reads both files; one that is not there is empty.
    ///
    /// - Throws: ``CredentialFault`` where a file is there and cannot be read.
    init(config: String, credentials: String) throws(CredentialFault) {
        merge(Self.sections(try Self.text(of: config)), isConfig: true)
        merge(Self.sections(try Self.text(of: credentials)), isConfig: false)
    }

    private static func text(of path: String) throws(CredentialFault) -> String {
        do throws(SystemError) {
            let bytes = try SmallFile.read(path, byteCountMax: fileByteCountMax)
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            guard error.code == ENOENT || error.code == ENOTDIR else {
                throw CredentialFault(reason: "\(error)")
            }
            return ""
        }
    }

    private mutating func merge(_ sections: [String: [String: String]], isConfig: Bool) {
        for (section, values) in sections {
            guard let name = Self.profile(ofSection: section, isConfig: isConfig) else { continue }
            profiles[name, default: [:]].merge(values) { _, new in new }
        }
    }

    /// `[profile x]` in the config file, `[x]` in the credentials file, `[default]` in both.
    private static func profile(ofSection section: String, isConfig: Bool) -> String? {
        guard isConfig else { return section }
        let words = section.split(separator: " ", maxSplits: 1).map(String.init)
        if words == ["default"] { return "default" }
        return words.count == 2 && words[0] == "profile" ? trimmed(words[1]) : nil
    }

    static func sections(_ text: String) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var current: String?
        for line in text.split(whereSeparator: \.isNewline) {
            // An indented line belongs to the value above it, of which we need none.
            guard let first = line.first, first != " ", first != "\t", first != "#", first != ";"
            else { continue }
            if first == "[" {
                current = line.firstIndex(of: "]").map { trimmed(line[..<$0].dropFirst()) }
                if let current { sections[current] = sections[current] ?? [:] }
            } else if let current, let equals = line.firstIndex(of: "=") {
                let name = trimmed(line[..<equals]).lowercased()
                sections[current]?[name] = trimmed(uncommented(line[line.index(after: equals)...]))
            }
        }
        return sections
    }

    /// Up to a comment, which begins with white space in front of it.
    private static func uncommented(_ value: Substring) -> Substring {
        let marks = [" #", " ;", "\t#", "\t;"]
        let ends = marks.compactMap { value.firstRange(of: $0)?.lowerBound }
        return ends.min().map { value[..<$0] } ?? value
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var bytes = Array(text.utf8)[...]
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
        bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The profile that `AWS_PROFILE` names, or `default`.
struct SharedFileCredentials: CredentialProvider {
    let settings: AWSSettings
    let security: SecurityTokenService
    let name = "shared files"

    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding {
        let files = try SharedFiles(
            config: settings.configFile, credentials: settings.credentialsFile)
        let profile = settings.profile ?? "default"
        guard files.profiles[profile] != nil else {
            guard settings.profile == nil else {
                throw CredentialFault(
                    reason: "there is no profile \(profile) in \(settings.configFile) or "
                        + settings.credentialsFile)
            }
            return .notConfigured("no profile \(profile) in \(settings.credentialsFile)")
        }
        return try key(of: profile, in: files, passed: [], now: now)
    }

    private func key(
        of profile: String,
        in files: SharedFiles,
        passed: [String],
        now: Timestamp
    ) throws(CredentialFault) -> CredentialFinding {
        guard !passed.contains(profile) else {
            throw CredentialFault(reason: "profile \(profile) takes its credentials from itself")
        }
        let values = files.profiles[profile] ?? [:]
        if let role = values["role_arn"] {
            return try .key(
                key(ofRole: role, profile, values, in: files, passed: passed, now: now))
        }
        return try fixedKey(profile, values)
    }

    private func fixedKey(
        _ profile: String,
        _ values: [String: String]
    ) throws(CredentialFault) -> CredentialFinding {
        switch (values["aws_access_key_id"], values["aws_secret_access_key"]) {
        case (let id?, let secret?):
            return .key(
                AccessKey(
                    id: id, secret: Secret(bytes: Array(secret.utf8)),
                    sessionToken: values["aws_session_token"].map { Secret(bytes: Array($0.utf8)) })
            )
        case (nil, nil): break
        case (.some, nil), (nil, .some):
            throw CredentialFault(
                reason: "profile \(profile) has only one of aws_access_key_id and "
                    + "aws_secret_access_key")
        }
        for other in ["credential_process", "sso_session", "sso_start_url"]
        where values[other] != nil {
            throw CredentialFault(
                reason: "profile \(profile) uses \(other), which this program does not support")
        }
        return .notConfigured("profile \(profile) holds no key")
    }

    private func key(
        ofRole role: String,
        _ profile: String,
        _ values: [String: String],
        in files: SharedFiles,
        passed: [String],
        now: Timestamp
    ) throws(CredentialFault) -> AccessKey {
        let session = values["role_session_name"] ?? "whatsapp-webhook-pipeline"
        if let file = values["web_identity_token_file"] {
            return try security.assumeRole(role, session: session, tokenFile: file)
        }
        guard let source = values["source_profile"] else {
            throw CredentialFault(
                reason: "profile \(profile) has role_arn without source_profile or "
                    + "web_identity_token_file")
        }
        let found: CredentialFinding
        if source == profile {
            // A profile may hold the key that takes its own role.
            found = try fixedKey(profile, values)
        } else {
            found = try key(of: source, in: files, passed: passed + [profile], now: now)
        }
        guard case .key(let key) = found else {
            throw CredentialFault(reason: "source_profile \(source) holds no key")
        }
        return try security.assumeRole(
            role, session: session, externalID: values["external_id"], key: key, now: now)
    }
}
