import Base
import Dispatch
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Workers

/// What every lake promises, each against its real peer.
@Suite struct LakeBehaviourTests {
    let fixture: LakeFixture

    init() throws { fixture = try LakeFixture() }

    static let named = LakeUnderTest.Kind.allCases.filter(\.isNamed)
    static let remote = LakeUnderTest.Kind.allCases.filter(\.isRemote)

    let name = "statuses/dt=2026-01-02/hour=03/a1b2c3d4e5f6-1-2-0123456789ab.ndjson"

    func object(_ text: String, file: String = "spooled") throws -> SealedObject {
        let bytes = Array(text.utf8)
        try Files.write(bytes, to: fixture.directory.file(file))
        let digest = ObjectDigest()
        bytes.withUnsafeBytes { digest.update($0) }
        return SealedObject(
            name: name, path: fixture.directory.file(file), byteCount: bytes.count,
            sha256: digest.finishHex())
    }

    func failure(_ lake: any ObjectLake, _ object: SealedObject) -> LakeError? {
        do throws(LakeError) {
            try lake.put(object)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: LakeUnderTest.Kind.allCases)
    func `an object arrives whole`(kind: LakeUnderTest.Kind) throws {
        let lake = try LakeUnderTest(kind, fixture)
        let lines = (0..<3_000).map { "{\"number\":\($0),\"text\":\"größer\"}" }
        try lake.make().put(try object(lines.joined(separator: "\n") + "\n"))
        #expect(try lake.lines() == lines)
        if kind.isNamed { #expect(try lake.objectNames() == [name]) }
    }

    @Test(arguments: named)
    func `an object that is put again is there once`(kind: LakeUnderTest.Kind) throws {
        let lake = try LakeUnderTest(kind, fixture)
        let object = try object("{}\n")
        let made = try lake.make()
        try made.put(object)
        try made.put(object)
        try lake.make().put(object)
        #expect(try lake.objectNames() == [name])
        #expect(try lake.lines() == ["{}"])
    }

    @Test(arguments: [LakeUnderTest.Kind.directory, .bucket, .refusingBucket])
    func `other bytes under the name are never replaced`(kind: LakeUnderTest.Kind) throws {
        let lake = try LakeUnderTest(kind, fixture)
        try lake.make().put(try object("{\"a\":1}\n"))
        for other in ["{\"a\":2}\n", "{}\n"] {
            #expect(failure(try lake.make(), try object(other))?.kind == .conflict)
        }
        #expect(try lake.lines() == ["{\"a\":1}"])
    }

    @Test(arguments: LakeUnderTest.Kind.allCases)
    func `a spool file that is missing or altered leaves nothing in the lake`(
        kind: LakeUnderTest.Kind
    ) throws {
        let lake = try LakeUnderTest(kind, fixture)
        let made = try lake.make()
        let object = try object("{\"a\":1}\n")
        for altered in ["{\"a\":2}\n", "{\"a\":1}\n{}\n", ""] {
            try Files.write(Array(altered.utf8), to: object.path)
            #expect(failure(made, object)?.kind == .spoolFault)
        }
        unlink(object.path)
        #expect(failure(made, object)?.kind == .spoolFault)
        #expect(try lake.objectNames().isEmpty)
    }

    @Test(arguments: [LakeUnderTest.Kind.directory, .bucket])
    func `an object that is there is success even where its spool file is gone`(
        kind: LakeUnderTest.Kind
    ) throws {
        let lake = try LakeUnderTest(kind, fixture)
        let object = try object("{}\n")
        try lake.make().put(object)
        unlink(object.path)
        try lake.make().put(object)
    }

    /// What passes, and how often each line may stand in a lake without names afterwards.
    static let passing: [(fault: AWSProxy.Fault, doublesMax: Int)] = [
        (.status(500, code: "InternalError"), 1), (.status(503, code: "SlowDown"), 1),
        (.status(503, code: "ServiceUnavailable", retryAfter: 7), 1),
        (.status(429, code: "ThrottlingException"), 1), (.cutRequest, 1), (.drop, 1),
        (.mangle, 1), (.cutAnswer, 2), (.lostAnswer, 2),
    ]

    @Test(arguments: remote)
    func `what passes is said to pass, and the next put succeeds`(
        kind: LakeUnderTest.Kind
    ) throws {
        for (number, (fault, doublesMax)) in Self.passing.enumerated() {
            let lake = try LakeUnderTest(kind, fixture)
            let made = try lake.make()
            let lines = (0..<40).map { "{\"fault\":\(number),\"number\":\($0)}" }
            let object = try object(lines.joined(separator: "\n") + "\n")
            let method = kind == .stream ? "POST" : "PUT"
            try lake.proxy?.fail(fault, count: 1, method: method)
            let error = failure(made, object)
            #expect(error?.kind == .unavailable, "\(fault): \(error?.description ?? "none")")
            if case .status(_, _, let seconds?) = fault {
                #expect(error?.retryAfter == .seconds(seconds))
            }
            try lake.heal()
            #expect(failure(made, object) == nil, "\(fault)")
            let found = try lake.lines()
            #expect(Set(found) == Set(lines), "\(fault)")
            #expect(found.count <= lines.count * (kind.isNamed ? 1 : doublesMax), "\(fault)")
        }
    }

    @Test(arguments: remote)
    func `a lake that is slow is waited for`(kind: LakeUnderTest.Kind) throws {
        let lake = try LakeUnderTest(kind, fixture)
        try lake.proxy?.fail(.slow(seconds: 0.5), count: 1)
        #expect(failure(try lake.make(), try object("{}\n")) == nil)
    }

    @Test(arguments: [LakeUnderTest.Kind.bucket, .stream])
    func `a put that is under way can be ended`(kind: LakeUnderTest.Kind) throws {
        let lake = try LakeUnderTest(kind, fixture)
        try lake.proxy?.fail(.stall)
        let made = try lake.make()
        let interrupt = made.interrupt
        let proxy = try #require(lake.proxy)
        let thread = Thread {
            waitUntil { (try? proxy.passages().isEmpty) == false }
            interrupt()
        }
        thread.start()
        let start = MonotonicClock.now()
        #expect(failure(made, try object("{}\n"))?.kind == .unavailable)
        #expect(MonotonicClock.now() - start < .seconds(45))
    }

    @Test(arguments: [LakeUnderTest.Kind.bucket, .stream])
    func `what is not permitted says what to allow, and is no loss`(
        kind: LakeUnderTest.Kind
    ) throws {
        let lake = try LakeUnderTest(kind, fixture, as: .nobody)
        let error = try #require(failure(try lake.make(), try object("{}\n")))
        #expect(error.kind == .refused)
        let action = kind == .stream ? "firehose:PutRecordBatch" : "s3:PutObject"
        #expect(error.hint?.contains(action) == true, "\(error)")
    }

    @Test func `who may put and not read puts, and puts again`() throws {
        let lake = try LakeUnderTest(.bucket, fixture, as: .putter)
        let object = try object("{}\n")
        let made = try lake.make()
        try made.put(object)
        try made.put(object)
        #expect(try lake.lines() == ["{}"])
    }

    @Test func `a bucket in another region and a clock that is wrong cost nothing`() throws {
        for fault in [AWSProxy.Fault.region("us-west-2"), .skew(seconds: 7_200)] {
            let lake = try LakeUnderTest(.bucket, fixture)
            try lake.proxy?.fail(fault)
            let made = try lake.make()
            let error = failure(made, try object("{}\n"))
            #expect(error == nil, "\(fault): \(error?.description ?? "none")")
            let passed = try #require(try lake.proxy?.passages())
            // Once to learn it; the second put to learn about If-None-Match, and no third.
            #expect(passed.filter { $0.fault != "none" }.count == 1, "\(fault)")
        }
    }

    @Test func `the request carries what the settings say`() throws {
        var lake = try LakeUnderTest(.bucket, fixture)
        lake = lake.adding([
            "LAKE_S3_SSE": "aws:kms", "LAKE_S3_SSE_KMS_KEY_ID": "alias/lake",
            "LAKE_S3_STORAGE_CLASS": "STANDARD_IA", "LAKE_S3_BUCKET_OWNER": "123456789012",
        ])
        let object = try object("{}\n")
        try lake.make().put(object)
        let put = try #require(try lake.proxy?.passages().first { $0.method == "PUT" })
        #expect(put.headers["x-amz-server-side-encryption"] == "aws:kms")
        #expect(put.headers["x-amz-server-side-encryption-aws-kms-key-id"] == "alias/lake")
        #expect(put.headers["x-amz-storage-class"] == "STANDARD_IA")
        #expect(put.headers["x-amz-expected-bucket-owner"] == "123456789012")
        #expect(put.headers["if-none-match"] == "*")
        #expect(put.headers["content-length"] == "3")
        #expect(put.headers["x-amz-content-sha256"] == object.sha256)
        #expect(put.headers["content-encoding"] == nil)
    }
}
