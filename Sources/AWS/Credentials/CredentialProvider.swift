import Base

/// One place where a key may come from.
protocol CredentialProvider: Sendable {
    /// For messages: what was tried.
    var name: String { get }

    /// Looks for a key; may block on a file or on the network.
    ///
    /// - Throws: ``CredentialFault``, where this place was meant and does not give one.
    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding
}

/// What a provider found.
enum CredentialFinding: Equatable, Sendable {
    case key(AccessKey)
    /// Nothing points here; the next provider is asked.
    case notConfigured(String)
}

/// Why a provider that was meant gives no key.
struct CredentialFault: Error, Equatable, Sendable {
    let reason: String
    /// Whether asking again may help, without a person.
    var isPassing = false

    /// A place on the network that does not give what was asked for.
    static func answered(_ answer: WebAnswer, by name: String) -> CredentialFault {
        let fault = ServiceFault(answer)
        let code = fault.code.map { " \($0)" } ?? ""
        let message = fault.message.map { ": \($0)" } ?? ""
        return CredentialFault(
            reason: "\(name) answered \(answer.status)\(code)\(message)",
            isPassing: answer.status >= 500 || answer.status == 429)
    }
}

/// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, in the environment or in the program's file.
struct EnvironmentCredentials: CredentialProvider {
    let settings: AWSSettings
    let name = "environment"

    func load(now: Timestamp) throws(CredentialFault) -> CredentialFinding {
        switch (settings.accessKeyID, settings.secretAccessKey) {
        case (let id?, let secret?):
            .key(AccessKey(id: id, secret: secret, sessionToken: settings.sessionToken))
        case (nil, nil): .notConfigured("AWS_ACCESS_KEY_ID is not set")
        case (.some, nil):
            throw CredentialFault(reason: "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY")
        case (nil, .some):
            throw CredentialFault(reason: "AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID")
        }
    }
}
