import Base
import Testing

@testable import pipelinectl

@Suite struct WebAddressTests {
    @Test(arguments: [
        ("http://127.0.0.1:8080/webhook", "127.0.0.1", 8_080, "/webhook"),
        ("http://localhost", "localhost", 80, "/"),
        ("HTTPS://Example.org/a?b=c#d", "Example.org", 443, "/a?b=c"),
        ("http://[::1]:99?x", "::1", 99, "/?x"),
        ("http://[::1]/", "::1", 80, "/"),
    ])
    func `a URL is cut into its parts`(
        text: String, host: String, port: UInt16, target: String
    ) throws {
        let address = try #require(WebAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.target == target)
    }

    @Test(arguments: [
        "", "127.0.0.1:80", "ftp://x/", "http://", "http:///x", "http://x:0/", "http://x:65536/",
        "http://x:8a/", "http://user@x/", "http://x/ y", "http://x/\r\nHost: y", "http://[::1/",
        "http://x:/",
    ])
    func `what no request can be made from is refused`(text: String) {
        #expect(WebAddress(text) == nil)
    }

    @Test func `what listens everywhere is reached on the loopback`() {
        let four = WebAddress(reaching: ListenAddress(host: "0.0.0.0", port: 1), target: "/")
        let six = WebAddress(reaching: ListenAddress(host: "::", port: 1), target: "/")
        #expect(four.text == "http://127.0.0.1:1/")
        #expect(six.text == "http://[::1]:1/")
    }
}

@Suite struct HTTPAnswerTests {
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true),
        ("HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n", 503, "", false),
        ("HTTP/1.1 204 None\r\n\r\n", 204, "", true),
        ("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\nA\r\n0123456789"
                + "\r\n0\r\nTrailer: x\r\n\r\n", 200, "hi0123456789", true
        ),
    ])
    func `an answer is whole at its last byte and not before`(
        text: String, status: Int, body: String, keeps: Bool
    ) {
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(HTTPAnswer.read(Array(bytes[..<count]), isAtEnd: false) == .needsMore)
            #expect(HTTPAnswer.read(Array(bytes[..<count]), isAtEnd: true) == .malformed)
        }
        let answer = HTTPAnswer(status: status, body: Array(body.utf8), keepsConnection: keeps)
        #expect(
            HTTPAnswer.read(bytes + [1, 2], isAtEnd: false)
                == .complete(answer, byteCount: bytes.count))
    }

    @Test func `without a length the end of the connection is the end of the body`() {
        let bytes = Array("HTTP/1.0 200 OK\r\n\r\nhello".utf8)
        #expect(HTTPAnswer.read(bytes, isAtEnd: false) == .needsMore)
        let answer = HTTPAnswer(status: 200, body: Array("hello".utf8), keepsConnection: false)
        #expect(
            HTTPAnswer.read(bytes, isAtEnd: true) == .complete(answer, byteCount: bytes.count))
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n",
    ])
    func `what is no answer, or too long a one, is refused`(text: String) {
        #expect(HTTPAnswer.read(Array(text.utf8), isAtEnd: false) == .malformed)
    }

    @Test func `a head without an end is not collected for ever`() {
        let head = Array("HTTP/1.1 200 OK\r\n".utf8)
        let endless = head + [UInt8](repeating: 0x61, count: HTTPAnswer.headBytesMax)
        #expect(HTTPAnswer.read(endless, isAtEnd: false) == .malformed)
    }
}

@Suite struct HTTPConnectionTests {
    private func address(_ server: StubServer) -> WebAddress {
        WebAddress(reaching: ListenAddress(host: "127.0.0.1", port: server.port), target: "/x")
    }

    @Test func `a connection is used again, and opened again where it was closed`() throws {
        let server = try StubServer { request in
            let fields = request.hasPrefix("POST") ? "Connection: close\r\n" : ""
            return StubServer.answer(200, "ok", fields: fields)
        }
        defer { server.stop() }

        let connection = HTTPConnection(address(server), timeout: .seconds(10))
        for method in ["GET", "GET", "POST", "GET"] {
            let answer = try connection.send(method, fields: [("X-A", "b")], body: [])
            #expect(answer.body == Array("ok".utf8))
        }
        #expect(server.requests.count == 4)
        #expect(server.requests[0].hasPrefix("GET /x HTTP/1.1\r\nHost: 127.0.0.1:"))
    }

    @Test func `a server that says nothing costs the time that was given, and no more`() throws {
        let listener = try ListenAddress(host: "127.0.0.1", port: 0).listen(backlog: 1)
        let port = ListenAddress.localPort(of: listener.rawValue)
        let start = MonotonicClock.now()
        #expect(throws: NetworkFailure.timeout) {
            try HTTPConnection.get(
                WebAddress(reaching: ListenAddress(host: "127.0.0.1", port: port), target: "/"),
                timeout: .milliseconds(100))
        }
        #expect(MonotonicClock.now() - start >= .milliseconds(99))
    }

    @Test func `nothing that listens and nothing that is known are told apart`() {
        #expect(throws: NetworkFailure.refused) {
            try HTTPConnection.get(
                WebAddress(reaching: ListenAddress(host: "127.0.0.1", port: 1), target: "/"),
                timeout: .seconds(5))
        }
    }

    @Test func `a server of another protocol is told by its words`() throws {
        let server = try StubServer { _ in "220 mail.example ESMTP\r\n\r\n" }
        defer { server.stop() }

        #expect(throws: NetworkFailure.malformed) {
            try HTTPConnection.get(address(server), timeout: .seconds(10))
        }
    }
}
