import Foundation
import Synchronization

/// Amazon's services as moto plays them, signatures checked, in a process of its own.
///
/// One process serves all tests of a run; each test makes buckets, streams and proxies of its own.
public final class AWSPeer: Sendable {
    /// Why the peer is of no use.
    public struct Failure: Error, CustomStringConvertible {
        /// What was expected, and what came.
        public let description: String
    }

    /// What lies in a bucket.
    public struct Object: Decodable, Sendable, Equatable {
        /// With the prefix.
        public let key: String
        /// Bytes as stored.
        public let size: Int
        /// 64 hex digits.
        public let sha256: String
        /// `STANDARD` where nothing else was asked for.
        public let storage_class: String
        /// `x-amz-server-side-encryption`.
        public let encryption: String?
        /// The key for it.
        public let kms_key: String?
    }

    /// Who asks: what each may do stands in Tests/Tools/aws_peer.py.
    public enum User: String, Sendable {
        /// Puts, gets, lists; Firehose and STS too.
        case writer
        /// Puts only.
        case putter
        /// Gets and lists only.
        case reader
        /// May do nothing.
        case nobody
    }

    private struct Greeting: Decodable, Sendable {
        struct Key: Decodable, Sendable {
            let id: String
            let secret: String
        }
        let port: UInt16
        let keys: [String: Key]
    }

    private let directory: TemporaryDirectory
    private let process: ChildProcess
    private let greeting: Greeting
    private static let made = Mutex<AWSPeer?>(nil)
    private static let count = Atomic<Int>(0)

    /// The peer of this run, started by whoever asks first.
    public static func shared() throws -> AWSPeer {
        try made.withLock { made in
            if let made { return made }
            let peer = try AWSPeer()
            made = peer
            return peer
        }
    }

    private init() throws {
        directory = try TemporaryDirectory()
        process = try PythonTool.start("aws_peer.py", outputPath: directory.file("output"))
        let process = process
        guard waitUntil(within: .seconds(60), { process.output.contains("\n") }),
            let greeting = try? JSONDecoder().decode(
                Greeting.self, from: Data(process.output.utf8))
        else { throw Failure(description: "aws_peer.py: \(process.output)") }
        self.greeting = greeting
    }

    /// Where it answers.
    public var port: UInt16 { greeting.port }

    /// A user's key.
    public func key(_ user: User) -> (id: String, secret: String) {
        greeting.keys[user.rawValue].map { ($0.id, $0.secret) } ?? ("", "")
    }

    /// What a program needs to speak to it as `user`.
    ///
    /// - Parameters:
    ///   - user: whose key is used.
    ///   - port: the peer's own where nil, or a proxy's.
    /// - Returns: variables; region and endpoints among them.
    public func environment(_ user: User = .writer, port: UInt16? = nil) -> [String: String] {
        let key = key(user)
        return [
            "AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_REGION": "eu-central-1", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port ?? self.port)",
            "AWS_CONFIG_FILE": directory.file("none"),
            "AWS_SHARED_CREDENTIALS_FILE": directory.file("none"),
        ]
    }

    /// Makes a bucket that no other test has.
    public func makeBucket() throws -> String {
        let name = "lake-\(Self.count.add(1, ordering: .relaxed).newValue)-bucket"
        try post("/-/bucket/\(name)")
        return name
    }

    /// Makes a Firehose stream that delivers into a bucket at once.
    public func makeStream(into bucket: String) throws -> String {
        let name = "stream-\(Self.count.add(1, ordering: .relaxed).newValue)"
        try post("/-/stream/\(name)?bucket=\(bucket)")
        return name
    }

    /// Every object of a bucket, by key.
    public func objects(in bucket: String) throws -> [Object] {
        let body = try get("/-/objects/\(bucket)")
        return try JSONDecoder().decode([Object].self, from: Data(body))
    }

    /// Every line of every object of a bucket, unpacked.
    public func lines(in bucket: String) throws -> [String] {
        let body = try get("/-/lines/\(bucket)")
        return String(decoding: body, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Opens a port that forwards to the peer, until it is told to fail.
    public func openProxy() throws -> AWSProxy {
        struct Opened: Decodable { let port: UInt16 }
        let answer = try post("/-/proxy")
        return AWSProxy(port: try JSONDecoder().decode(Opened.self, from: Data(answer)).port)
    }

    @discardableResult
    private func post(_ path: String) throws -> [UInt8] {
        try Self.ask("POST", path, port: port)
    }

    private func get(_ path: String) throws -> [UInt8] { try Self.ask("GET", path, port: port) }

    static func ask(
        _ method: String,
        _ path: String,
        port: UInt16,
        body: [UInt8] = []
    ) throws -> [UInt8] {
        let client = try BlockingHTTPClient(port: port)
        let answer = try client.send(method, path, body: body)
        guard answer.status == 200 else {
            throw Failure(description: "\(method) \(path) was answered \(answer.status)")
        }
        return answer.body
    }
}

/// A port in front of the peer that fails as it is told.
public struct AWSProxy: Sendable {
    /// One kind of failure; what has no count goes on for ever.
    public enum Fault: Sendable {
        /// The peer never sees the request.
        case status(Int, code: String, retryAfter: Int? = nil)
        /// As `status`, for a message that matters.
        case message(Int, code: String, String)
        /// Ends the connection in the middle of the request's body.
        case cutRequest
        /// The peer answers; half of it gets through.
        case cutAnswer
        /// The peer answers; nothing of it gets through.
        case lostAnswer
        /// Ends the connection before the peer sees anything.
        case drop
        /// Says nothing until the client leaves.
        case stall
        /// Answers after a while.
        case slow(seconds: Double)
        /// One bit of the body is another when it arrives.
        case mangle
        /// Firehose takes every other record.
        case partial
        /// Every request that is not signed for this region is sent there.
        case region(String)
        /// The service's clock is ahead by so much.
        case skew(seconds: Int)
        /// As a store that does not look at If-None-Match.
        case ignoreCondition
        /// As a store that refuses If-None-Match.
        case refuseCondition

        var json: [String: Any] {
            switch self {
            case .status(let status, let code, let retryAfter):
                var json: [String: Any] = ["kind": "status", "status": status, "code": code]
                if let retryAfter { json["retry_after"] = retryAfter }
                return json
            case .message(let status, let code, let message):
                return ["kind": "status", "status": status, "code": code, "message": message]
            case .cutRequest: return ["kind": "cut_request"]
            case .cutAnswer: return ["kind": "cut_answer"]
            case .lostAnswer: return ["kind": "lost_answer"]
            case .drop: return ["kind": "drop"]
            case .stall: return ["kind": "stall"]
            case .slow(let seconds): return ["kind": "slow", "seconds": seconds]
            case .mangle: return ["kind": "mangle"]
            case .partial: return ["kind": "partial"]
            case .region(let region): return ["kind": "region", "region": region]
            case .skew(let seconds): return ["kind": "skew", "seconds": seconds]
            case .ignoreCondition: return ["kind": "ignore_condition"]
            case .refuseCondition: return ["kind": "refuse_condition"]
            }
        }
    }

    /// A request that came by.
    public struct Passage: Decodable, Sendable {
        /// `PUT` and so on.
        public let method: String
        /// As it was sent.
        public let path: String
        /// What was done to it; `none` for nothing.
        public let fault: String
        /// What the peer answered; nil where it was not asked.
        public let status: Int?
        /// Names in lower case.
        public let headers: [String: String]
    }

    /// Where it listens.
    public let port: UInt16

    /// Fails `count` requests so, or all of them, and then none.
    ///
    /// - Parameters:
    ///   - fault: nil ends all failing.
    ///   - count: nil for as long as nothing else is said.
    ///   - method: only requests of this method.
    ///   - after: so many requests pass before the first that fails.
    /// - Throws: where the proxy does not answer.
    public func fail(_ fault: Fault?, count: Int? = nil, method: String? = nil, after: Int = 0)
        throws
    {
        var json = fault?.json
        if let count { json?["count"] = count }
        if let method { json?["method"] = method }
        if after > 0 { json?["after"] = after }
        let faults = json.map { [$0] } ?? []
        let body = try JSONSerialization.data(withJSONObject: faults)
        _ = try AWSPeer.ask("POST", "/-/faults", port: port, body: [UInt8](body))
    }

    /// Everything that came by, in order.
    public func passages() throws -> [Passage] {
        let body = try AWSPeer.ask("GET", "/-/log", port: port)
        return try JSONDecoder().decode([Passage].self, from: Data(body))
    }
}
