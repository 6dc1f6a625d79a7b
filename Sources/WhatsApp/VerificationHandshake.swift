import Base
import CCrypto

/// The question by which WhatsApp makes sure that a callback address is wanted.
///
/// `GET <callback>?hub.mode=subscribe&hub.challenge=<text>&hub.verify_token=<yours>`
public enum VerificationHandshake {
    /// What to answer.
    public enum Answer: Equatable, Sendable {
        /// 200 with these bytes, the decoded challenge, as `text/plain`.
        case challenge([UInt8])
        /// 403 without a reason.
        case forbidden
    }

    /// Longest challenge that is sent back, decoded, in bytes.
    public static let challengeByteCountMax = 1_024

    /// Decides the answer to a query, the part of the target behind `?`.
    ///
    /// `%XX` and `+` are decoded in keys and values. The mode must be `subscribe`, the token ours
    /// (compared in constant time), the challenge there and not empty. Any of the three given
    /// twice, or spoiled by a broken `%`, is forbidden: another reader might take the other one.
    /// Further keys mean nothing.
    public static func answer(query: some Sequence<UInt8>, verifyToken: Secret) -> Answer {
        var values: [Key: [UInt8]] = [:]
        for pair in Array(query).split(separator: ASCII.ampersand) {
            let keyEnd = pair.firstIndex(of: ASCII.equals) ?? pair.endIndex
            guard let name = decode(pair[..<keyEnd]),
                let key = Key(rawValue: String(decoding: name, as: UTF8.self))
            else { continue }
            guard values[key] == nil, let value = decode(pair[keyEnd...].dropFirst()) else {
                return .forbidden
            }
            values[key] = value
        }
        guard let mode = values[.mode], let token = values[.verifyToken],
            let challenge = values[.challenge], mode.elementsEqual("subscribe".utf8),
            1...challengeByteCountMax ~= challenge.count, isSame(token, verifyToken.bytes)
        else { return .forbidden }
        return .challenge(challenge)
    }

    /// Decides the answer to a query given as text.
    public static func answer(query: String, verifyToken: Secret) -> Answer {
        answer(query: Array(query.utf8), verifyToken: verifyToken)
    }

    private enum Key: String {
        case mode = "hub.mode"
        case verifyToken = "hub.verify_token"
        case challenge = "hub.challenge"
    }

    /// - Returns: nil where a `%` is not followed by two hexadecimal digits.
    private static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var position = text.startIndex
        while position < text.endIndex {
            switch text[position] {
            case ASCII.plus:
                decoded.append(ASCII.space)
            case ASCII.percent:
                guard position + 2 < text.endIndex else { return nil }
                let high = Hexadecimal.value(ofAnyCase: text[position + 1])
                let low = Hexadecimal.value(ofAnyCase: text[position + 2])
                guard high < 16, low < 16 else { return nil }
                decoded.append(high << 4 | low)
                position += 2
            case let byte:
                decoded.append(byte)
            }
            position += 1
        }
        return decoded
    }

    /// Compares hashes, so that the time taken tells neither the content nor the length.
    private static func isSame(_ given: [UInt8], _ expected: [UInt8]) -> Bool {
        guard !expected.isEmpty else { return false }
        let hasher = SHA256Hasher()
        given.withUnsafeBytes { hasher.update($0) }
        let left = hasher.finish().bytes
        expected.withUnsafeBytes { hasher.update($0) }
        let right = hasher.finish().bytes
        return CRYPTO_memcmp(left, right, left.count) == 0
    }
}
