import Base

/// The headers that a signature adds to a request.
enum SignedHeaders {
    /// Signs everything in `parts`, host and time, and says which headers to send beside those.
    ///
    /// `Host` is signed and not returned: the transport sends it by itself.
    static func make(
        _ parts: SignedParts,
        host: String,
        signer: RequestSigner,
        key: AccessKey,
        at moment: Timestamp
    ) -> [(name: String, value: String)] {
        var added = [(name: "x-amz-date", value: SigningTime(moment).text)]
        if let token = key.sessionToken {
            added.append(("x-amz-security-token", String(decoding: token.bytes, as: UTF8.self)))
        }
        var parts = parts
        parts.headers += [("host", host)] + added
        let authorization = signer.authorization(parts, key: key, at: moment)
        return added + [("Authorization", authorization)]
    }
}
