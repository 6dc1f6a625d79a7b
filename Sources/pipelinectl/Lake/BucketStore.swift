import AWS

/// A lake in S3: `LAKE_URL=s3://BUCKET/PREFIX`.
///
/// Needs `s3:ListBucket` and `s3:GetObject`, which workers do without.
final class BucketStore: LakeStore {
    let description: String
    private let client: S3Client

    /// Objects are small and far away: what takes long is waiting for the answer.
    let readersMax = 8

    init(_ client: S3Client, url: String) {
        self.client = client
        description = url
    }

    deinit { client.stop() }

    func days() throws(LakeReadError) -> [String] {
        var days: [String] = []
        var continuation: String?
        repeat {
            let page = try ask { () throws(AWSError) in
                try client.list(
                    startingWith: "statuses/", delimiter: "/", continuation: continuation)
            }
            days += page.folders.compactMap { folder in
                let name = folder.dropFirst("statuses/".count)
                return name.hasPrefix("dt=") ? String(name.dropFirst(3).dropLast()) : nil
            }
            continuation = page.continuation
        } while continuation != nil
        return days
    }

    func objects(of day: String) throws(LakeReadError) -> [StoredObject] {
        var objects: [StoredObject] = []
        try ask { () throws(AWSError) in
            try client.forEach(startingWith: "statuses/dt=\(day)/") { (entry) throws(AWSError) in
                let file = entry.name.split(separator: "/").last ?? ""
                // A folder that a console made has an object of its own, without bytes.
                guard !file.hasPrefix("."), !entry.name.hasSuffix("/") else { return }
                objects.append(
                    StoredObject(
                        name: entry.name, byteCount: entry.byteCount, version: entry.entityTag))
            }
        }
        return objects
    }

    func byteCount(of name: String) throws(LakeReadError) -> Int? {
        try ask { () throws(AWSError) in try client.facts(of: name)?.byteCount }
    }

    func read(
        _ object: StoredObject,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(LakeReadError) {
        var offset = 0
        while offset < object.byteCount {
            let end = min(offset + S3Client.pieceByteCountMax, object.byteCount)
            let piece = try ask { () throws(AWSError) in
                try client.get(
                    object.name, range: offset..<end, ifMatch: object.version,
                    byteCountMax: S3Client.pieceByteCountMax)
            }
            guard piece.count == end - offset else {
                throw LakeReadError("\(object.name): fewer bytes came than were asked for")
            }
            piece.withUnsafeBytes(body)
            offset = end
        }
    }

    private func ask<Result>(
        _ body: () throws(AWSError) -> Result
    ) throws(LakeReadError) -> Result {
        do throws(AWSError) {
            return try body()
        } catch {
            throw LakeReadError(error.description, isMissing: error.kind == .missing)
        }
    }
}
