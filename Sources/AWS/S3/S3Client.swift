import Base
import Dispatch

/// One bucket, or one prefix of it, over Amazon S3's REST API: put, get, list.
///
/// Names are relative to the prefix of ``S3Settings``. Every call blocks; any thread may call.
/// Reads are tried again by themselves for a little while; a put is tried once, since whoever puts
/// has a rhythm of their own.
public final class S3Client: Sendable {
    let settings: S3Settings
    private let caller: ServiceCaller
    private let transport: any WebTransport
    private let bucketPath: String
    private let pause: @Sendable (Duration) -> Void
    let onNote: @Sendable (ServiceNote) -> Void
    let condition = ConditionState()

    /// Attempts of one read, the first included.
    static let attemptsMax = 4
    /// The wait after the first that failed; it doubles.
    static let pauseMin = Duration.milliseconds(250)

    /// Connects nothing yet; asks instance metadata for the region where nothing else names one.
    ///
    /// - Parameters:
    ///   - settings: the bucket.
    ///   - aws: keys, region, endpoints.
    ///   - onNote: told what was learnt on the way, on the calling thread.
    public convenience init(
        _ settings: S3Settings,
        aws: AWSSettings,
        onNote: @escaping @Sendable (ServiceNote) -> Void = { _ in }
    ) {
        self.init(settings, aws: aws, transport: URLSessionTransport(), onNote: onNote)
    }

    /// With what tests own: transport, clock and pauses.
    init(
        _ settings: S3Settings,
        aws: AWSSettings,
        transport: any WebTransport,
        clock: @escaping @Sendable () -> Timestamp = { .now() },
        pause: @escaping @Sendable (Duration) -> Void = { Pause.wait($0) },
        onNote: @escaping @Sendable (ServiceNote) -> Void = { _ in }
    ) {
        self.settings = settings
        self.transport = transport
        self.pause = pause
        self.onNote = onNote
        let custom = aws.s3Endpoint
        // A store of somebody else's has no regions, or does not mind.
        let source = RegionSource(settings: aws, transport: transport)
        let region =
            custom == nil ? source.region() ?? "us-east-1" : aws.region ?? "us-east-1"
        bucketPath = settings.endpoint(custom: custom, region: region).path
        caller = ServiceCaller(
            service: "s3", region: region,
            endpoint: { settings.endpoint(custom: custom, region: $0).0 },
            credentials: CredentialChain(aws, transport: transport), transport: transport,
            clock: clock, onNote: onNote)
    }

    /// Ends what is under way, on whatever thread, with an error; later calls fail at once.
    public func stop() { (transport as? URLSessionTransport)?.stop() }

    /// A call for the bucket itself, or for an object of it.
    func call(
        _ operation: String,
        method: String,
        object name: String? = nil,
        permission: String? = nil
    ) -> ServiceCall {
        let key = name.map { "/" + settings.key(of: $0) } ?? ""
        let resource = "arn:aws:s3:::\(settings.bucket)" + (name == nil ? "" : "/" + wildcard)
        var call = ServiceCall(
            operation: operation,
            permission: "\(permission ?? "s3:\(operation)") on \(resource)",
            method: method, path: bucketPath + key)
        if let owner = settings.bucketOwner {
            call.headers.append(("x-amz-expected-bucket-owner", owner))
        }
        return call
    }

    private var wildcard: String { settings.key(of: "*") }

    /// Once, whatever the answer.
    func send(_ call: ServiceCall) throws(AWSError) -> WebAnswer { try caller.call(call) }

    /// As often as it may help, within a second or two.
    func sendPatiently(_ call: ServiceCall) throws(AWSError) -> WebAnswer {
        var pauseNow = Self.pauseMin
        for _ in 1..<Self.attemptsMax {
            do throws(AWSError) {
                return try send(call)
            } catch {
                guard error.kind == .unavailable else { throw error }
                pause(max(pauseNow, min(error.retryAfter ?? .zero, .seconds(5))))
                pauseNow *= 2
            }
        }
        return try send(call)
    }
}

/// A wait that nothing ends early.
enum Pause {
    static func wait(_ duration: Duration) {
        let milliseconds = Int(clamping: duration.milliseconds)
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(milliseconds))
    }
}
