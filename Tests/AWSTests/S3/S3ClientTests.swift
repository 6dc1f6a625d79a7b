import Base
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import AWS

/// Against moto with its signature checks on, in a process of its own.
@Suite struct S3ClientTests {
    @Test func `what was put is listed and got, byte for byte`() throws {
        let rig = try S3Rig()
        let bytes = rig.bytes(count: 100_000)
        #expect(try rig.put("statuses/dt=2026-11-24/a b+é~1.ndjson.gz", bytes) == .stored)
        let page = try rig.client.list(startingWith: "statuses/")
        #expect(page.entries.map(\.name) == ["statuses/dt=2026-11-24/a b+é~1.ndjson.gz"])
        let entry = try #require(page.entries.first)
        #expect(entry.byteCount == bytes.count)
        #expect(try rig.client.get(entry.name) == bytes)
        #expect(try rig.client.get(entry.name, range: 10..<20) == Array(bytes[10..<20]))
        #expect(try rig.client.get(entry.name, range: 99_990..<200_000) == Array(bytes.suffix(10)))
        var read: [UInt8] = []
        try rig.client.read(entry) { (piece) throws(AWSError) in read += piece }
        #expect(read == bytes)
        let facts = try #require(try rig.client.facts(of: entry.name))
        #expect(facts.byteCount == bytes.count)
        #expect(facts.sha256 == Digest.hex(Digest.sha256(bytes)))
    }

    @Test func `a list goes on from page to page, and folders are told apart`() throws {
        let rig = try S3Rig()
        let names = (0..<25).map { "dt=2026-11-\($0 / 10 + 10)/object-\($0 + 100)" }
        for name in names { _ = try rig.put(name, Array(name.utf8)) }
        var pages = 0
        var found: [String] = []
        var continuation: String?
        repeat {
            let page = try rig.client.list(continuation: continuation, limit: 10)
            found += page.entries.map(\.name)
            continuation = page.continuation
            pages += 1
        } while continuation != nil
        #expect(pages == 3)
        #expect(found == names.sorted())
        let folders = try rig.client.list(delimiter: "/").folders
        #expect(folders == ["dt=2026-11-10/", "dt=2026-11-11/", "dt=2026-11-12/"])
        var behind: [String] = []
        try rig.client.forEach(startingWith: "dt=2026-11-12/", after: names[21]) {
            behind.append($0.name)
        }
        #expect(behind == Array(names[22...]))
    }

    @Test func `an object put twice is found the second time, and one of other bytes is refused`()
        throws
    {
        let rig = try S3Rig()
        #expect(try rig.put("x", [1, 2, 3]) == .stored)
        #expect(try rig.put("x", [1, 2, 3]) == .found)
        #expect(throws: AWSError.self) { try rig.put("x", [1, 2, 4]) }
        #expect(throws: AWSError.self) { try rig.put("x", [1, 2, 3, 4]) }
        #expect(try rig.client.get("x") == [1, 2, 3])
    }

    @Test func `an object that is not there is said to be missing`() throws {
        let rig = try S3Rig()
        #expect(try rig.client.facts(of: "nothing") == nil)
        let error = #expect(throws: AWSError.self) { try rig.client.get("nothing") }
        #expect(error?.kind == .missing)
        #expect(try rig.client.list(startingWith: "nothing/") == S3Page())
    }

    @Test(arguments: [1, 8_388_608, 20_000_000])
    func `an object of any size goes up and comes down`(byteCount: Int) throws {
        let rig = try S3Rig()
        let bytes = rig.bytes(count: byteCount)
        _ = try rig.put("big", bytes)
        let entry = try #require(try rig.client.list().entries.first)
        var digest: [UInt8] = []
        try rig.client.read(entry) { (piece) throws(AWSError) in digest += piece }
        #expect(digest == bytes)
    }

    @Test func `what is not permitted says what to allow`() throws {
        let rig = try S3Rig(.nobody)
        let error = #expect(throws: AWSError.self) { try rig.put("x", [1]) }
        #expect(error?.kind == .refused)
        #expect(error?.hint == "allow s3:PutObject on arn:aws:s3:::\(rig.bucket)/a/prefix/*")
        let listing = #expect(throws: AWSError.self) { try rig.client.list() }
        #expect(listing?.hint == "allow s3:ListBucket on arn:aws:s3:::\(rig.bucket)")
    }

    @Test func `a wrong secret and a bucket that is not there say so`() throws {
        let rig = try S3Rig()
        let peer = try AWSPeer.shared()
        let wrong = rig.client(
            try awsSettings(peer.environment().merging(["AWS_SECRET_ACCESS_KEY": "x"]) { $1 }))
        let error = #expect(throws: AWSError.self) { try wrong.list() }
        #expect(error?.hint == "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID")
        let elsewhere = S3Client(
            S3Settings(bucket: "there-is-none", prefix: ""),
            aws: try awsSettings(peer.environment()))
        let missing = #expect(throws: AWSError.self) { try elsewhere.list() }
        #expect(missing?.kind == .refused)
        #expect(missing?.hint == "make the bucket, or mend its name in LAKE_URL")
    }
}

/// A client of one bucket, with a prefix.
struct S3Rig {
    let bucket: String
    let client: S3Client
    let directory: TemporaryDirectory
    let notes = Notes()

    final class Notes: Sendable {
        private let notes = Mutex<[ServiceNote]>([])
        func add(_ note: ServiceNote) { notes.withLock { $0.append(note) } }
        var all: [ServiceNote] { notes.withLock { $0 } }
    }

    init(_ user: AWSPeer.User = .writer, port: UInt16? = nil) throws {
        let peer = try AWSPeer.shared()
        bucket = try peer.makeBucket()
        directory = try TemporaryDirectory()
        let notes = notes
        client = S3Client(
            S3Settings(bucket: bucket, prefix: "a/prefix"),
            aws: try awsSettings(peer.environment(user, port: port)),
            transport: URLSessionTransport(), pause: { _ in }, onNote: { notes.add($0) })
    }

    func client(_ aws: AWSSettings) -> S3Client {
        S3Client(S3Settings(bucket: bucket, prefix: "a/prefix"), aws: aws)
    }

    func bytes(count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(count))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }

    func put(_ name: String, _ bytes: [UInt8]) throws -> S3PutOutcome {
        let path = directory.file("object")
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try client.put(
            name, file: path, byteCount: bytes.count, sha256: Digest.hex(Digest.sha256(bytes)))
    }
}
