import AWS
import Base
import WhatsApp

/// Every setting of the three programs, read leniently: what cannot be used has its default or a
/// placeholder, so that the rest of the installation is looked at all the same.
struct CheckSettings {
    var queuePath = ""
    var diskFreeBytesMin = 0
    var ingestListen = ListenAddress(host: "127.0.0.1", port: 0)
    var ingestAdminListen = ListenAddress(host: "127.0.0.1", port: 0)
    var workersAdminListen = ListenAddress(host: "127.0.0.1", port: 0)
    var ingestConnectionsMax = 0
    var forwardURL = ""
    var lakeURL = ""
    /// Nil where LAKE_URL is none.
    var lakeAddress: LakeAddress?
    var aws: AWSSettings
    /// Nil but for a bucket.
    var s3: S3Settings?
    /// Nil where there are none, or where they cannot be read.
    var routes: RouteTable?
    /// Everything that is wrong, together.
    private(set) var problems: [ConfigurationProblem] = []

    private enum Compression: String, CaseIterable { case gzip, none }
    private enum LogFormat: String, CaseIterable { case auto, text, json }

    // The programs have bounds of their own; here a value only has to be of its kind.
    private static let anyCount = 0...Int.max
    private static let anyDuration = Duration.zero ... .seconds(3_650 * 86_400)

    init(_ source: ConfigurationSource) {
        var reader = ConfigurationReader(source)
        queuePath = reader.string(.queuePath)
        diskFreeBytesMin = reader.byteCount(.diskFreeBytesMin, in: Self.anyCount)
        ingestListen = reader.listenAddress(.ingestListen)
        ingestAdminListen = reader.listenAddress(.ingestAdminListen)
        workersAdminListen = reader.listenAddress(.workersAdminListen)
        ingestConnectionsMax = reader.integer(.ingestConnectionsMax, in: Self.anyCount)
        forwardURL = reader.string(.forwardURL)
        lakeURL = reader.string(.lakeURL)
        lakeAddress = LakeAddress(lakeURL)
        aws = AWSSettings.read(&reader)
        if case .s3(let bucket, let prefix) = lakeAddress {
            s3 = S3Settings.read(bucket: bucket, prefix: prefix, &reader)
        }
        _ = reader.secretList(.whatsAppAppSecret)
        _ = reader.secret(.whatsAppVerifyToken)
        routes = RouteTable.read(&reader)
        readTheRest(&reader)
        problems = reader.problems
    }

    private func readTheRest(_ reader: inout ConfigurationReader) {
        let path = reader.string(.ingestPath)
        if !path.hasPrefix("/") {
            reader.problem(.ingestPath, value: path, expected: "a path that begins with /")
        }
        _ = reader.choice(.forwardSplit, as: SplitMode.self)
        _ = reader.choice(.lakeCompression, as: Compression.self)
        _ = reader.choice(.logFormat, as: LogFormat.self)
        _ = reader.list(.forwardStatuses)
        _ = reader.list(.ingestTrustedProxies)
        for key in Self.sizes { _ = reader.byteCount(key, in: Self.anyCount) }
        for key in Self.numbers { _ = reader.integer(key, in: Self.anyCount) }
        for key in Self.durations { _ = reader.duration(key, in: Self.anyDuration) }
    }

    private static let sizes: [ConfigurationKey] = [
        .ingestBodyBytesMax, .ingestBufferBytesMax, .queueBytesMax, .forwardBatchBytesMax,
        .lakeBatchBytesMax, .walBytesMax,
    ]
    private static let numbers: [ConfigurationKey] = [
        .forwardConcurrency, .forwardRateMax, .forwardAttemptsMax, .forwardRefusalsMax,
        .forwardBatchMax,
    ]
    private static let durations: [ConfigurationKey] = [
        .gateWaitMax, .forwardTimeout, .forwardConnectTimeout, .forwardAgeMax, .forwardBackoffMin,
        .forwardBackoffMax, .retainDelivered, .lakeBatchAgeMax, .lakeBackoffMax, .dedupWindow,
        .ingestHeadTimeMax, .ingestBodyTimeMax, .ingestIdleTimeMax,
    ]
}
