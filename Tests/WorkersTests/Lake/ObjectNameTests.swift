import Base
import Testing

@testable import Workers

@Suite struct ObjectNameTests {
    static let hash = "0123456789abcdef" + String(repeating: "0", count: 48)

    func name(at moment: Timestamp, _ compression: ObjectCompression = .gzip) -> String {
        ObjectName(
            queueID: "a1b2c3d4e5f6", hour: moment, firstID: 7, lastID: 19, sha256: Self.hash,
            compression: compression
        ).text
    }

    @Test func `a name holds day, hour, queue, webhooks and hash`() throws {
        let moment = try #require(Timestamp(rfc3339: "2026-01-02T03:59:59.999Z"))
        let name = name(at: moment)
        #expect(name == "statuses/dt=2026-01-02/hour=03/a1b2c3d4e5f6-7-19-0123456789ab.ndjson.gz")
    }

    @Test func `an object that is not compressed says so`() {
        #expect(name(at: LakeFixture.noon, .none).hasSuffix("-0123456789ab.ndjson"))
    }

    @Test func `a spool file and its object name each other`() {
        let spool = SpoolDirectory(path: "/q.db.spool")
        let name = name(at: LakeFixture.noon)
        let path = spool.path(ofObject: name)
        #expect(path.split(separator: "/").count == 2)
        let file = String(path.dropFirst("/q.db.spool/".count))
        #expect(SpoolDirectory.objectName(ofFile: file) == name)
    }

    @Test(arguments: [
        ".lake-open.tmp", "statuses~x.tmp", "notes.ndjson.gz", "statuses.ndjson.gz", "", "..",
    ])
    func `a file that is not ours has no object`(file: String) {
        #expect(SpoolDirectory.objectName(ofFile: file) == nil)
    }
}

@Suite struct LakeAddressTests {
    @Test(arguments: [
        ("file:var/lake", LakeAddress.directory(path: "var/lake")),
        ("file:/srv/lake/", .directory(path: "/srv/lake")),
        ("file:///srv/lake", .directory(path: "/srv/lake")),
        ("file:/", .directory(path: "/")),
        ("s3://my-bucket", .s3(bucket: "my-bucket", prefix: "")),
        ("s3://my-bucket/", .s3(bucket: "my-bucket", prefix: "")),
        ("s3://my-bucket/a/b/", .s3(bucket: "my-bucket", prefix: "a/b")),
        ("firehose://My_stream-1", .firehose(stream: "My_stream-1")),
    ])
    func `an address is understood`(text: String, address: LakeAddress) {
        #expect(LakeAddress(text) == address)
    }

    @Test(arguments: [
        "", "var/lake", "file:", "file://host/x", "s3:bucket", "s3://", "s3://a", "s3://A-Bucket",
        "s3://bucket//x", "s3://bucket/a/../b", "s3://bucket/.", "firehose://", "firehose://a/b",
        "gs://x", "https://x",
    ])
    func `anything else is refused`(text: String) {
        #expect(LakeAddress(text) == nil)
    }
}
