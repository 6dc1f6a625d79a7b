import Base
import Foundation
import TestSupport
import Testing

@testable import pipelinectl

/// `check` with a lake in Amazon's cloud, as moto plays it with its signature checks on.
@Suite struct CheckLakeTests {
    private func findings(
        _ user: AWSPeer.User,
        url: String,
        with settings: [String: String] = [:],
        port: UInt16? = nil
    ) throws -> [String: [String: Any]] {
        let rig = try CommandRig()
        rig.environment.merge(try AWSPeer.shared().environment(user, port: port)) { $1 }
        rig.environment.merge(settings) { $1 }
        rig.environment["LAKE_URL"] = url
        let items = try rig.run("check", "--json").items()
        return Dictionary(
            items.compactMap { item in (item["id"] as? String).map { ($0, item) } },
            uniquingKeysWith: { first, _ in first })
    }

    private func verdict(_ finding: [String: Any]?) -> String? { finding?["verdict"] as? String }
    private func advice(_ finding: [String: Any]?) -> String { finding?["advice"] as? String ?? "" }

    @Test func `a bucket that takes objects and can be listed is well`() throws {
        let bucket = try AWSPeer.shared().makeBucket()
        for _ in 1...2 {
            let found = try findings(.writer, url: "s3://\(bucket)/a")
            #expect(verdict(found["lake"]) == "ok", "\(found)")
            #expect(verdict(found["lake.listing"]) == "ok", "\(found)")
        }
        let keys = try AWSPeer.shared().objects(in: bucket).map(\.key)
        #expect(keys == ["a/.pipelinectl-check"])
    }

    @Test func `what is missing is said by its name`() throws {
        let bucket = try AWSPeer.shared().makeBucket()
        let denied = try findings(.nobody, url: "s3://\(bucket)/a")
        #expect(verdict(denied["lake"]) == "fail")
        #expect(advice(denied["lake"]).contains("allow s3:PutObject on arn:aws:s3:::\(bucket)/a/*"))
        let unlisted = try findings(.putter, url: "s3://\(bucket)/a")
        #expect(verdict(unlisted["lake"]) == "ok")
        #expect(verdict(unlisted["lake.listing"]) == "warn")
        #expect(advice(unlisted["lake.listing"]).contains("s3:ListBucket"))
        let missing = try findings(.writer, url: "s3://there-is-no-such-bucket/a")
        #expect(verdict(missing["lake"]) == "fail")
        #expect(advice(missing["lake"]).contains("make the bucket"))
    }

    @Test func `a store without If-None-Match is a warning`() throws {
        let peer = try AWSPeer.shared()
        for fault in [AWSProxy.Fault.ignoreCondition, .refuseCondition] {
            let bucket = try peer.makeBucket()
            let proxy = try peer.openProxy()
            try proxy.fail(fault)
            let found = try findings(.writer, url: "s3://\(bucket)/a", port: proxy.port)
            #expect(verdict(found["lake"]) == "warn", "\(fault)")
        }
    }

    @Test func `a stream is looked at, and one that is not there is said`() throws {
        let peer = try AWSPeer.shared()
        let stream = try peer.makeStream(into: try peer.makeBucket())
        let found = try findings(.writer, url: "firehose://\(stream)")
        #expect(verdict(found["lake"]) == "ok", "\(found)")
        let missing = try findings(.writer, url: "firehose://no-stream")
        #expect(verdict(missing["lake"]) == "fail", "\(missing)")
    }
}
