import AWS
import Base
import CLinux
import Glibc

/// Opens the lake that LAKE_URL names, to read from it.
enum LakePlace {
    static func store(_ context: Context) throws(Failure) -> any LakeStore {
        let url = try context.settings { $0.string(.lakeURL) }
        switch LakeAddress(url) {
        case .directory(let path):
            return DirectoryStore(root: path)
        case .s3(let bucket, let prefix):
            let (settings, aws) = try context.settings { reader in
                (
                    S3Settings.read(bucket: bucket, prefix: prefix, &reader),
                    AWSSettings.read(&reader)
                )
            }
            exempt(aws.directHosts)
            return BucketStore(S3Client(settings, aws: aws), url: url)
        case .firehose:
            throw .failed("\(url) keeps nothing: set LAKE_URL to where in S3 its objects end up")
        case nil:
            throw .failed("LAKE_URL is \"\(url)\": expected \(LakeAddress.expected)")
        }
    }

    /// Keeps proxies away from hosts that are near; before there is another thread.
    private static func exempt(_ hosts: [String]) {
        let inherited = (getenv("no_proxy") ?? getenv("NO_PROXY")).map { String(cString: $0) }
        let list = ([inherited].compactMap { $0 } + hosts).filter { !$0.isEmpty }
        clinux_environment_set("no_proxy", list.joined(separator: ","))
    }
}
