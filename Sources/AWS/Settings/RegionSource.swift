import Base

/// The region, from the first place that names one: `AWS_REGION`, `AWS_DEFAULT_REGION`, the
/// profile, the instance's metadata.
struct RegionSource: Sendable {
    let settings: AWSSettings
    let transport: any WebTransport

    /// - Returns: nil where no place names one; may block on instance metadata for two seconds.
    func region() -> String? {
        settings.region ?? profileRegion()
            ?? InstanceMetadata(settings: settings, transport: transport).region()
    }

    private func profileRegion() -> String? {
        guard
            let files = try? SharedFiles(
                config: settings.configFile, credentials: settings.credentialsFile),
            let region = files.profiles[settings.profile ?? "default"]?["region"]
        else { return nil }
        return AWSSettings.isRegion(region) ? region : nil
    }
}
