import AWS
import Base
import Queue

/// Everything that `workers` is told, read once at start.
struct WorkersConfiguration: Sendable {
    var location: QueueLocation
    var adminListen: ListenAddress
    var logLevel: Log.Level
    var logFormat: Log.Format
    var upkeep: UpkeepSettings
    /// Nil where the pool is not run here.
    var lake: LakeSettings?
    /// Nil where the pool is not run here.
    var forward: ForwardSettings?
    /// All of it, for the log; secrets are hidden.
    var effective: [(key: String, value: String)]

    /// Reads the keys that these pools use, and no others.
    ///
    /// - Parameters:
    ///   - source: file and environment.
    ///   - pools: which are run.
    /// - Throws: ``ConfigurationError`` with every problem there is.
    init(
        _ source: ConfigurationSource,
        pools: ProgramArguments.Pools
    ) throws(ConfigurationError) {
        var reader = ConfigurationReader(source)
        location = QueueLocation(path: reader.string(.queuePath))
        adminListen = reader.listenAddress(.workersAdminListen)
        logLevel = reader.choice(.logLevel, as: Log.Level.self)
        logFormat = reader.choice(.logFormat, as: Log.Format.self)
        upkeep = UpkeepSettings.read(&reader)
        lake = pools.hasLake ? LakeSettings.read(&reader) : nil
        forward = pools.hasForward ? ForwardSettings.read(&reader) : nil
        effective = reader.effective
        try reader.finish()
    }
}

extension UpkeepSettings {
    /// Reads what the upkeep thread is told.
    static func read(_ reader: inout ConfigurationReader) -> UpkeepSettings {
        var settings = UpkeepSettings()
        settings.retainDelivered = reader.duration(.retainDelivered, in: .zero ... .days(3_650))
        settings.dedupWindow = reader.duration(.dedupWindow, in: .seconds(60) ... .days(365))
        settings.diskFreeBytesMin = reader.byteCount(.diskFreeBytesMin, in: 0 ... .max)
        settings.queueBytesMax = reader.byteCount(.queueBytesMax, in: 0 ... .max)
        settings.walBytesMax = reader.byteCount(.walBytesMax, in: 1 << 20...1 << 34)
        return settings
    }
}

extension LakeSettings {
    /// Reads what the lake pool is told.
    static func read(_ reader: inout ConfigurationReader) -> LakeSettings {
        var settings = readLake(&reader)
        settings.rules.ageMax = reader.duration(
            .lakeBatchAgeMax, in: .milliseconds(100) ... .hours(1))
        settings.rules.lineByteCountMax = reader.byteCount(.lakeBatchBytesMax, in: 1_024...1 << 30)
        settings.compression = reader.choice(.lakeCompression, as: ObjectCompression.self)
        settings.backoff.delayMax = reader.duration(.lakeBackoffMax, in: .seconds(1) ... .hours(24))
        settings.dedupWindow = reader.duration(.dedupWindow, in: .seconds(60) ... .days(365))
        settings.diskFreeBytesMin = reader.byteCount(.diskFreeBytesMin, in: 0 ... .max)
        return settings
    }

    private static func readLake(_ reader: inout ConfigurationReader) -> LakeSettings {
        let text = reader.string(.lakeURL)
        guard let address = LakeAddress(text) else {
            reader.problem(.lakeURL, value: text, expected: LakeAddress.expected)
            return LakeSettings(lake: .directory(path: "var/lake"))
        }
        var settings = LakeSettings(lake: address)
        switch address {
        case .directory: break
        case .s3(let bucket, let prefix):
            settings.aws = AWSSettings.read(&reader)
            settings.s3 = S3Settings.read(bucket: bucket, prefix: prefix, &reader)
        case .firehose:
            settings.aws = AWSSettings.read(&reader)
        }
        return settings
    }
}

extension Duration {
    /// Whole hours.
    static func hours(_ count: Int) -> Duration { .seconds(count * 3_600) }

    /// Days of 24 hours.
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
