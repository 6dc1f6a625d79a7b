import Base
import Testing

@testable import AWS

@Suite struct AWSErrorTests {
    @Test func `every status has a meaning, and only server's trouble passes by itself`() {
        let none = ServiceFault()
        for status in 300...599 {
            let kind = AWSError.kind(status: status, fault: none)
            let passes = status >= 500 && status != 501
            let others = [301, 302, 307, 308, 408, 409, 425, 429]
            if passes || others.contains(status) {
                #expect(kind == .unavailable, "\(status)")
            } else if status == 404 {
                #expect(kind == .missing)
            } else if status == 412 {
                #expect(kind == .exists)
            } else {
                #expect(kind == .refused, "\(status)")
            }
        }
    }

    @Test(arguments: [
        ("SlowDown", 503, AWSError.Kind.unavailable), ("RequestTimeout", 400, .unavailable),
        ("BadDigest", 400, .unavailable), ("ConditionalRequestConflict", 409, .unavailable),
        ("ThrottlingException", 400, .unavailable),
        ("ServiceUnavailableException", 400, .unavailable),
        ("AccessDenied", 403, .refused), ("NoSuchBucket", 404, .refused),
        ("SignatureDoesNotMatch", 403, .refused), ("ResourceNotFoundException", 400, .refused),
        ("NoSuchKey", 404, .missing), ("PreconditionFailed", 412, .exists),
        ("ExpiredToken", 400, .staleKey), ("InvalidAccessKeyId", 403, .staleKey),
        ("RequestTimeTooSkewed", 403, .clockSkewed),
    ])
    func `a code has one meaning`(code: String, status: Int, kind: AWSError.Kind) {
        #expect(AWSError.kind(status: status, fault: ServiceFault(code: code)) == kind)
    }

    @Test func `a redirect is followed only where it says which region`() {
        let there = ServiceFault(code: "PermanentRedirect", region: "us-west-2")
        #expect(AWSError.kind(status: 301, fault: there) == .elsewhere)
        let nowhere = ServiceFault(code: "PermanentRedirect")
        #expect(AWSError.kind(status: 301, fault: nowhere) == .unavailable)
        #expect(AWSError.kind(status: 400, fault: ServiceFault(region: "us-west-2")) == .elsewhere)
    }

    @Test func `a fault's text ends no line and tells no secret`() {
        let body = "<Error><Code>X</Code><Message>a\nb</Message><Region>No Region!</Region></Error>"
        let fault = ServiceFault(WebAnswer(status: 400, body: Array(body.utf8)))
        #expect(fault == ServiceFault(code: "X", message: "a b", region: nil))
        let long = String(repeating: "x", count: 5_000)
        let json = "{\"__type\":\"com.amazon#SlowDown\",\"Message\":\"\(long)\"}"
        let other = ServiceFault(WebAnswer(status: 400, body: Array(json.utf8)))
        #expect(other.code == "SlowDown")
        #expect((other.message?.count ?? 0) < 400)
    }

    @Test(arguments: [
        "", "<", "<a", "<a>", "<a></b>", "<a>&unknown;</a>", "<a>&#x110000;</a>", "<a b='></a>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "text", "{}",
        String(repeating: "<a>", count: 100),
    ])
    func `what is no plain XML is refused`(text: String) {
        #expect(XMLScanner.root(of: Array(text.utf8)) == nil)
    }

    @Test func `XML is read with its references, comments and namespaces`() throws {
        let text = """
            \u{FEFF}<?xml version="1.0"?>
            <!-- x --><s:a xmlns:s="u>v"><b k='1'/><c>1 &lt; 2 &#38; &#x41;<![CDATA[<z>]]></c></s:a>
            """
        let root = try #require(XMLScanner.root(of: Array(text.utf8)))
        #expect(root.name == "a")
        #expect(root.text("c") == "1 < 2 & A<z>")
        #expect(root.text("b") == "")
    }
}

@Suite struct ServiceEndpointTests {
    @Test(arguments: [
        ("http://127.0.0.1:9000", "127.0.0.1:9000", ""),
        ("https://S3.example.com/", "s3.example.com", ""),
        ("https://s3.example.com:443/base/", "s3.example.com", "/base"),
        ("http://[::1]:9000", "[::1]:9000", ""), ("http://minio:80", "minio", ""),
    ])
    func `an address is understood`(text: String, host: String, path: String) throws {
        let endpoint = try #require(ServiceEndpoint(text))
        #expect(endpoint.host == host)
        #expect(endpoint.path == path)
    }

    @Test(arguments: [
        "", "minio:9000", "ftp://x", "http://", "http://u@x", "http://x?y", "http:/x",
    ])
    func `anything else is refused`(text: String) { #expect(ServiceEndpoint(text) == nil) }

    @Test func `a bucket is addressed as its store and its name want it`() {
        var settings = S3Settings(bucket: "lake", prefix: "a")
        let custom = ServiceEndpoint("http://127.0.0.1:9000")
        #expect(
            settings.endpoint(custom: nil, region: "eu-central-1").0.host
                == "lake.s3.eu-central-1.amazonaws.com")
        #expect(
            settings.endpoint(custom: nil, region: "cn-north-1").0.host
                == "lake.s3.cn-north-1.amazonaws.com.cn")
        #expect(settings.endpoint(custom: custom, region: "x").path == "/lake")
        settings.addressing = .virtual
        #expect(settings.endpoint(custom: custom, region: "x").0.host == "lake.127.0.0.1:9000")
        settings.addressing = .path
        #expect(settings.endpoint(custom: nil, region: "x").path == "/lake")
        let dotted = S3Settings(bucket: "my.lake", prefix: "")
        #expect(dotted.endpoint(custom: nil, region: "x").path == "/my.lake")
    }
}
