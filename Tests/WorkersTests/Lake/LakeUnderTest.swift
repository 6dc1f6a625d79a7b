import AWS
import Base
import TestSupport

@testable import Workers

/// One lake of each kind: a directory, or moto in a process of its own, faults on the way if
/// wanted.
struct LakeUnderTest {
    enum Kind: String, CaseIterable, Sendable {
        case directory
        case bucket
        /// A store that does not look at If-None-Match.
        case ignoringBucket
        /// A store that refuses If-None-Match.
        case refusingBucket
        case stream

        /// Whether objects have names, so that what is put again is there once.
        var isNamed: Bool { self != .stream }
        /// Whether there is a network on the way, and so a proxy.
        var isRemote: Bool { self != .directory }
    }

    let kind: Kind
    /// What the program needs, LAKE_URL among it.
    let environment: [String: String]
    /// Nil for a directory.
    let proxy: AWSProxy?
    private let fixture: LakeFixture
    private let bucket: String

    /// Makes a lake of its own for a test.
    init(_ kind: Kind, _ fixture: LakeFixture, as user: AWSPeer.User = .writer) throws {
        self.kind = kind
        self.fixture = fixture
        guard kind.isRemote else {
            bucket = ""
            proxy = nil
            environment = ["LAKE_URL": "file:\(fixture.lakePath)"]
            return
        }
        let peer = try AWSPeer.shared()
        bucket = try peer.makeBucket()
        let proxy = try peer.openProxy()
        self.proxy = proxy
        var environment = peer.environment(user, port: proxy.port)
        if kind == .stream {
            environment["LAKE_URL"] = "firehose://\(try peer.makeStream(into: bucket))"
        } else {
            environment["LAKE_URL"] = "s3://\(bucket)/a/prefix"
        }
        self.environment = environment
        try heal()
    }

    private init(_ other: LakeUnderTest, environment: [String: String]) {
        kind = other.kind
        fixture = other.fixture
        bucket = other.bucket
        proxy = other.proxy
        self.environment = environment
    }

    /// The same lake under more settings.
    func adding(_ settings: [String: String]) -> LakeUnderTest {
        LakeUnderTest(self, environment: environment.merging(settings) { $1 })
    }

    /// Ends all faults but what this kind of store is made of.
    func heal() throws {
        switch kind {
        case .directory: break
        case .bucket, .stream: try proxy?.fail(nil)
        case .ignoringBucket: try proxy?.fail(.ignoreCondition)
        case .refusingBucket: try proxy?.fail(.refuseCondition)
        }
    }

    /// The lake as the program makes it, from the same settings.
    func make(_ progress: FirehoseLake.Progress? = nil) throws -> any ObjectLake {
        var reader = ConfigurationReader(
            try ConfigurationSource.load(file: nil, environment: environment))
        let settings = LakeSettings.read(&reader)
        try reader.finish()
        switch (settings.lake, settings.aws, settings.s3) {
        case (.s3, let aws?, let s3?): return S3Lake(client: S3Client(s3, aws: aws))
        case (.firehose(let stream), let aws?, _):
            return FirehoseLake(
                client: FirehoseClient(stream: stream, aws: aws),
                progress: progress ?? Self.forgetfulProgress)
        default: return FileLake(root: fixture.lakePath)
        }
    }

    /// Books that know nothing.
    static var forgetfulProgress: FirehoseLake.Progress {
        FirehoseLake.Progress(load: { _ in 0 }, store: { _, _ in })
    }

    /// Names below the lake's root, sorted.
    func objectNames() throws -> [String] {
        guard kind.isRemote else { return try fixture.objectNames() }
        return try AWSPeer.shared().objects(in: bucket).map {
            kind == .stream ? $0.key : String($0.key.dropFirst("a/prefix/".count))
        }
    }

    /// Every line of every object.
    func lines() throws -> [String] {
        kind.isRemote ? try AWSPeer.shared().lines(in: bucket) : try fixture.lakeLines()
    }
}
