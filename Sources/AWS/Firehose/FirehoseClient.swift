import Base
import Foundation

/// One delivery stream of Amazon Data Firehose: records in, and which of them were not taken.
///
/// Every call blocks, and is tried once: whoever puts has a rhythm of their own. Any thread may
/// call.
public final class FirehoseClient: Sendable {
    /// Records in one request.
    ///
    /// Source: Amazon Data Firehose API Reference, PutRecordBatch.
    public static let recordCountMax = 500
    /// Bytes of one record before base64: 1,000 KiB.
    public static let recordByteCountMax = 1_024_000
    /// Bytes of one request: 4 MiB, counted here after base64, which is how they travel.
    public static let requestByteCountMax = 4_194_304

    private let stream: String
    private let caller: ServiceCaller
    private let transport: any WebTransport

    /// Connects nothing yet; asks instance metadata for the region where nothing else names one.
    ///
    /// - Parameters:
    ///   - stream: its name.
    ///   - aws: keys, region, endpoints.
    ///   - onNote: told what was learnt on the way, on the calling thread.
    public convenience init(
        stream: String,
        aws: AWSSettings,
        onNote: @escaping @Sendable (ServiceNote) -> Void = { _ in }
    ) {
        self.init(stream: stream, aws: aws, transport: URLSessionTransport(), onNote: onNote)
    }

    /// With what tests own.
    init(
        stream: String,
        aws: AWSSettings,
        transport: any WebTransport,
        clock: @escaping @Sendable () -> Timestamp = { .now() },
        onNote: @escaping @Sendable (ServiceNote) -> Void = { _ in }
    ) {
        self.stream = stream
        self.transport = transport
        let custom = aws.firehoseEndpoint
        let source = RegionSource(settings: aws, transport: transport)
        caller = ServiceCaller(
            service: "firehose", region: source.region() ?? "us-east-1",
            endpoint: { custom ?? .amazon("firehose", region: $0) },
            credentials: CredentialChain(aws, transport: transport), transport: transport,
            clock: clock, onNote: onNote)
    }

    /// Ends what is under way, on whatever thread, with an error; later calls fail at once.
    public func stop() { (transport as? URLSessionTransport)?.stop() }

    /// Puts records, in one request.
    ///
    /// - Parameter records: 1 to ``recordCountMax``, together within ``requestByteCountMax``.
    /// - Returns: the indices of those that Firehose did not take, in order; send these again.
    /// - Throws: ``AWSError``; then none may be assumed to be taken, and all may have been. Needs
    ///   `firehose:PutRecordBatch`. Blocks.
    public func put(_ records: [[UInt8]]) throws(AWSError) -> [Int] {
        precondition((1...Self.recordCountMax).contains(records.count), "1 to 500 records")
        var body = Array("{\"DeliveryStreamName\":\"\(stream)\",\"Records\":[".utf8)
        for (index, record) in records.enumerated() {
            precondition(record.count <= Self.recordByteCountMax, "a record of at most 1,000 KiB")
            body += Array((index == 0 ? "{\"Data\":\"" : ",{\"Data\":\"").utf8)
            body += Array(Base64.text(record).utf8)
            body += Array("\"}".utf8)
        }
        body += Array("]}".utf8)
        let answer = try caller.call(call("PutRecordBatch", body))
        let results = Self.results(in: answer)
        guard let results, results.RequestResponses.count == records.count else {
            throw AWSError(
                .unavailable, "PutRecordBatch was answered with something that tells no records")
        }
        let failed = results.RequestResponses.indices.filter {
            results.RequestResponses[$0].ErrorCode != nil
        }
        guard failed.count == results.FailedPutCount else {
            throw AWSError(.unavailable, "PutRecordBatch was answered with two counts of failures")
        }
        return failed
    }

    /// Whether the stream takes records now.
    ///
    /// - Returns: its status as Firehose names it, `ACTIVE` where all is well.
    /// - Throws: ``AWSError``. Needs `firehose:DescribeDeliveryStream`. Blocks.
    public func streamStatus() throws(AWSError) -> String {
        let body = Array("{\"DeliveryStreamName\":\"\(stream)\"}".utf8)
        let answer = try caller.call(call("DescribeDeliveryStream", body))
        let found = try? JSONDecoder().decode(Description.self, from: Data(answer.body))
        return found?.DeliveryStreamDescription.DeliveryStreamStatus ?? "unknown"
    }

    private func call(_ operation: String, _ body: [UInt8]) -> ServiceCall {
        var call = ServiceCall(
            operation: operation,
            permission: "firehose:\(operation) on arn:aws:firehose:*:*:deliverystream/\(stream)",
            method: "POST", body: .bytes(body),
            payloadHash: Digest.hex(Digest.sha256(body)))
        call.headers = [
            ("Content-Type", "application/x-amz-json-1.1"),
            ("X-Amz-Target", "Firehose_20150804.\(operation)"),
        ]
        return call
    }

    private struct Results: Decodable {
        struct Result: Decodable { let ErrorCode: String? }
        let FailedPutCount: Int
        let RequestResponses: [Result]
    }

    private struct Description: Decodable {
        struct Stream: Decodable { let DeliveryStreamStatus: String }
        let DeliveryStreamDescription: Stream
    }

    private static func results(in answer: WebAnswer) -> Results? {
        try? JSONDecoder().decode(Results.self, from: Data(answer.body))
    }
}
