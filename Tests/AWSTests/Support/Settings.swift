import Base

@testable import AWS

/// Settings as a program reads them from its environment.
func awsSettings(_ environment: [String: String]) throws -> AWSSettings {
    var reader = ConfigurationReader(
        try ConfigurationSource.load(file: nil, environment: environment))
    let settings = AWSSettings.read(&reader)
    try reader.finish()
    return settings
}
