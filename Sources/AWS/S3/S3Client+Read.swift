import Base

/// What a bucket says of one object in a list.
public struct S3Entry: Sendable, Equatable {
    /// Relative to the prefix of the settings.
    public let name: String
    /// Bytes as stored.
    public let byteCount: Int
    /// Changes with the bytes; in quotes, as S3 gives it.
    public let entityTag: String
    /// When it was put, in whole seconds.
    public let modifiedAt: Timestamp?
}

/// One answer to a list.
public struct S3Page: Sendable, Equatable {
    /// In the order of their names, by UTF-8 bytes.
    public var entries: [S3Entry] = []
    /// What names have in common up to the delimiter, with it, relative to the settings' prefix.
    public var folders: [String] = []
    /// Gives the next page; nil on the last.
    public var continuation: String?
}

/// What is known of one object without its bytes.
public struct S3Facts: Sendable, Equatable {
    /// Bytes as stored.
    public let byteCount: Int
    /// Changes with the bytes.
    public let entityTag: String
    /// SHA-256 as 64 hex digits, where it was given when the object was put and may be read.
    public let sha256: String?
}

extension S3Client {
    /// Objects in one answer, at most.
    public static let pageCountMax = 1_000
    /// Bytes of an object that are read at once.
    public static let pieceByteCountMax = 8_388_608

    /// Lists names that begin with `start`, one page.
    ///
    /// - Parameters:
    ///   - start: below the settings' prefix; empty for all.
    ///   - delimiter: `/` to get folders, nil to get every object below.
    ///   - after: only names behind this one.
    ///   - continuation: of the page before.
    ///   - limit: 1 to ``pageCountMax``.
    /// - Returns: a page; an empty one where nothing begins so.
    /// - Throws: ``AWSError``. Needs `s3:ListBucket`. Blocks.
    public func list(
        startingWith start: String = "",
        delimiter: String? = nil,
        after: String? = nil,
        continuation: String? = nil,
        limit: Int = pageCountMax
    ) throws(AWSError) -> S3Page {
        precondition((1...Self.pageCountMax).contains(limit), "a page has 1 to 1,000 objects")
        var call = call("ListObjectsV2", method: "GET", permission: "s3:ListBucket")
        call.query = [
            ("list-type", "2"), ("encoding-type", "url"), ("max-keys", String(limit)),
            ("prefix", settings.key(of: start)),
        ]
        if let delimiter { call.query.append(("delimiter", delimiter)) }
        if let after { call.query.append(("start-after", settings.key(of: after))) }
        if let continuation { call.query.append(("continuation-token", continuation)) }
        // A thousand keys of a kilobyte each, three times as long when encoded.
        call.limits.answerByteCountMax = 8_388_608
        let answer = try sendPatiently(call)
        guard let page = page(answer) else {
            throw AWSError(
                .unavailable, "ListObjectsV2 was answered with something that is no list",
                hint: "check that the endpoint is an S3 store")
        }
        return page
    }

    /// Hands on every object whose name begins with `start`, page by page, in order.
    ///
    /// - Parameters:
    ///   - start: below the settings' prefix; empty for all.
    ///   - after: only names behind this one.
    ///   - visit: gets each; what it throws ends the list.
    /// - Throws: ``AWSError``. Blocks.
    public func forEach(
        startingWith start: String = "",
        after: String? = nil,
        _ visit: (S3Entry) throws(AWSError) -> Void
    ) throws(AWSError) {
        var continuation: String?
        repeat {
            let page = try list(startingWith: start, after: after, continuation: continuation)
            for entry in page.entries { try visit(entry) }
            continuation = page.continuation
        } while continuation != nil
    }

    /// Gets an object, or a range of it, into memory.
    ///
    /// - Parameters:
    ///   - name: below the settings' prefix.
    ///   - range: of bytes, not empty; nil for all. What lies behind the object's end is left out.
    ///   - entityTag: fails where the object is another by now.
    ///   - byteCountMax: a longer answer is an error.
    /// - Returns: the bytes as stored, never unpacked.
    /// - Throws: ``AWSError``, of the kind `missing` where there is no such object. Needs
    ///   `s3:GetObject`. Blocks.
    public func get(
        _ name: String,
        range: Range<Int>? = nil,
        ifMatch entityTag: String? = nil,
        byteCountMax: Int = 268_435_456
    ) throws(AWSError) -> [UInt8] {
        precondition(range.map { !$0.isEmpty } ?? true, "a range of at least one byte")
        var call = call("GetObject", method: "GET", object: name)
        if let range {
            call.headers.append(("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)"))
        }
        if let entityTag { call.headers.append(("If-Match", entityTag)) }
        call.limits.answerByteCountMax = byteCountMax
        let answer: WebAnswer
        do throws(AWSError) {
            answer = try sendPatiently(call)
        } catch {
            guard error.kind == .exists else { throw error }
            throw AWSError(.unavailable, "\(name) was replaced while it was read", status: 412)
        }
        guard range == nil || answer.status == 206 || range?.lowerBound == 0 else {
            throw AWSError(
                .refused, "GetObject gave the whole object where a range was asked for",
                hint: "the store does not know Range")
        }
        return answer.body
    }

    /// Hands on an object's bytes in order, ``pieceByteCountMax`` at a time; memory does not grow
    /// with the object.
    ///
    /// A connection that is cut costs the piece at hand only. An object that is replaced meanwhile
    /// is an error, never a mixture.
    ///
    /// - Parameters:
    ///   - entry: from a list.
    ///   - sink: takes a piece; what it throws ends the reading.
    /// - Throws: ``AWSError``. Blocks.
    public func read(
        _ entry: S3Entry,
        into sink: ([UInt8]) throws(AWSError) -> Void
    ) throws(AWSError) {
        var offset = 0
        while offset < entry.byteCount {
            let end = min(offset + Self.pieceByteCountMax, entry.byteCount)
            let piece = try get(
                entry.name, range: offset..<end, ifMatch: entry.entityTag,
                byteCountMax: Self.pieceByteCountMax)
            guard piece.count == end - offset else {
                throw AWSError(.unavailable, "GetObject gave fewer bytes than were asked for")
            }
            try sink(piece)
            offset = end
        }
    }

    /// What is known of an object; nil where there is none.
    ///
    /// - Throws: ``AWSError``. Needs `s3:GetObject`, and `s3:ListBucket` to tell a missing object
    ///   from a forbidden one. Blocks.
    public func facts(of name: String) throws(AWSError) -> S3Facts? {
        var call = call("HeadObject", method: "HEAD", object: name, permission: "s3:GetObject")
        call.headers.append(("x-amz-checksum-mode", "ENABLED"))
        do throws(AWSError) {
            let answer = try sendPatiently(call)
            return S3Facts(
                byteCount: answer.headers["content-length"].flatMap { Int($0) } ?? 0,
                entityTag: answer.headers["etag"] ?? "",
                sha256: answer.headers["x-amz-checksum-sha256"].flatMap(Base64.bytes)
                    .map(Digest.hex))
        } catch {
            guard error.kind == .missing else { throw error }
            return nil
        }
    }

    private func page(_ answer: WebAnswer) -> S3Page? {
        guard let root = XMLScanner.root(of: answer.body), root.name == "ListBucketResult" else {
            return nil
        }
        let isEncoded = root.text("EncodingType") == "url"
        var page = S3Page()
        for content in root.all("Contents") {
            guard let key = content.text("Key").flatMap({ plain($0, isEncoded) }),
                let name = name(ofKey: key),
                let byteCount = content.text("Size").flatMap({ Int($0) })
            else { return nil }
            page.entries.append(
                S3Entry(
                    name: name, byteCount: byteCount, entityTag: content.text("ETag") ?? "",
                    modifiedAt: content.text("LastModified").flatMap(Timestamp.init(rfc3339:))))
        }
        for folder in root.all("CommonPrefixes") {
            guard let key = folder.text("Prefix").flatMap({ plain($0, isEncoded) }),
                let name = name(ofKey: key)
            else { return nil }
            page.folders.append(name)
        }
        guard root.text("IsTruncated") == "true" else { return page }
        guard let continuation = root.text("NextContinuationToken"), !continuation.isEmpty else {
            return nil
        }
        page.continuation = continuation
        return page
    }

    private func plain(_ text: String, _ isEncoded: Bool) -> String? {
        guard isEncoded else { return text }
        // The encoding of forms: a plus sign is a space.
        return PercentEncoding.decode(String(text.map { $0 == "+" ? " " : $0 }))
    }

    private func name(ofKey key: String) -> String? {
        guard !settings.prefix.isEmpty else { return key }
        let start = settings.prefix + "/"
        return key.hasPrefix(start) ? String(key.dropFirst(start.count)) : nil
    }
}
