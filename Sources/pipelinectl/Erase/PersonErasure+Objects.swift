import Base
import Queue
import WhatsApp

/// Batches on their way, and objects in a lake that is a directory: both are files of lines.
extension PersonErasure {
    /// What is left of a file, and how many lines went.
    private struct Rest {
        var kept: [UInt8] = []
        var lineCount = 0
        var erasedCount = 0
    }

    /// Takes the person out of what is sealed and not shipped.
    mutating func eraseSpool() throws(Failure) {
        var last: BatchID?
        while true {
            let batches = try Failure.queue { () throws(QueueError) in
                try session.lake.unshippedBatches(after: last)
            }
            guard let end = batches.last else { return }
            for batch in batches {
                let path = session.location.spoolPath(of: batch)
                guard let rest = try rest(of: path) else { continue }
                report.batchCount += 1
                report.statusCount += rest.erasedCount
                try replace(batch.objectName, at: path, by: rest) { name in
                    session.location.spoolPath(ofObject: name)
                }
            }
            last = end.id
        }
    }

    /// Takes the person out of this queue's objects, and names those of other queues.
    ///
    /// - Parameter root: of the lake's directory.
    /// - Throws: ``Failure``; what was replaced until then stays so.
    mutating func eraseObjects(in root: String) throws(Failure) {
        for path in LakeFiles.objects(in: root, since: Timestamp(rawValue: 0)) {
            guard let rest = try rest(of: path) else { continue }
            let name = String(path.dropFirst(root.count + 1))
            guard try isOurs(name) else {
                report.notReached.append((path, rest.erasedCount))
                continue
            }
            report.objectCount += 1
            report.statusCount += rest.erasedCount
            try replace(name, at: path, by: rest) { name in "\(root)/\(name)" }
        }
    }

    /// A lake may be shared: the books of another host know their own objects.
    private func isOurs(_ name: String) throws(Failure) -> Bool {
        let file = name.split(separator: "/").last ?? ""
        if file.hasPrefix(session.queueID + "-") { return true }
        return try Failure.queue { () throws(QueueError) in
            try session.lake.isSealed(objectName: name)
        }
    }

    /// - Returns: nil where the person is not in the file.
    private func rest(of path: String) throws(Failure) -> Rest? {
        // Every line of the lake begins so.
        let brace = Array("{".utf8)
        var rest = Rest()
        let isWhole = ObjectSearch(needles: (brace, brace)).lines(in: path) { line in
            rest.lineCount += 1
            if eraser.isAbout(line: line) {
                rest.erasedCount += 1
            } else {
                rest.kept += line + [UInt8(ascii: "\n")]
            }
        }
        guard isWhole else {
            throw .failed("\(path) cannot be read whole: see `pipelinectl verify`")
        }
        return rest.erasedCount > 0 ? rest : nil
    }

    /// The new file first, then the books, then the old file goes: whenever this ends, running it
    /// again ends it well.
    private func replace(
        _ name: String,
        at path: String,
        by rest: Rest,
        pathOf: (String) -> String
    ) throws(Failure) {
        guard !isDryRun else { return }
        let batch = rest.kept.isEmpty ? nil : smaller(name, rest)
        if let batch {
            try Failure.system { () throws(SystemError) in
                try DurableFile.write(rest.kept, to: pathOf(batch.objectName))
            }
        }
        try Failure.queue { () throws(QueueError) in
            try session.erase.replaceObject(name, by: batch, erasing: rest.erasedCount)
        }
        try Failure.system { () throws(SystemError) in
            try DurableFile.remove(path)
            try DurableFile.syncDirectory(DurableFile.parent(of: path))
        }
    }

    /// The rest under the name of its content, not compressed; only these members are stored.
    private func smaller(_ name: String, _ rest: Rest) -> SealedBatch {
        let digest = ContentDigest()
        rest.kept.withUnsafeBytes { digest.update($0) }
        let sha256 = digest.finish()
        let stem = name.split(separator: "-", omittingEmptySubsequences: false).dropLast()
        return SealedBatch(
            objectName: stem.joined(separator: "-") + "-\(sha256.prefix(12)).ndjson",
            sha256: sha256, byteCount: rest.kept.count,
            lineCount: rest.lineCount - rest.erasedCount, firstID: .none, lastID: .none,
            sealedAt: now)
    }
}
