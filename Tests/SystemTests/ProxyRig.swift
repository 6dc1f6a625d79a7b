import Base
import Foundation
import TestSupport
import Testing
import WhatsApp

/// A real nginx or Caddy with the example of deploy/, before a running ingest.
final class ProxyRig {
    enum Caller: String {
        /// Shows the certificate that Meta's servers show.
        case whatsApp
        /// Shows one of the same authority in another name.
        case stranger
        /// Shows none.
        case nobody
    }

    private static let host = "webhooks.example.com"
    private let proxy: ProxyTests.Proxy
    private let directory: String
    private let port = freePort()
    private var process: ChildProcess?

    /// Writes certificates and configuration; starts nothing.
    init(
        _ proxy: ProxyTests.Proxy, before installation: Installation, checksClients: Bool
    ) throws {
        self.proxy = proxy
        directory = installation.directory.file(proxy.rawValue)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try run("/bin/sh", ["-euc", Self.certificates])
        var text = try String(contentsOf: example, encoding: .utf8)
        if checksClients { text = Self.switchingOnClientChecks(in: text) }
        text = text.replacing("127.0.0.1:8080", with: "127.0.0.1:\(installation.ingestPort)")
        text = proxy == .nginx ? nginx(text) : caddy(text, checksClients: checksClients)
        try text.write(toFile: file("configuration"), atomically: true, encoding: .utf8)
    }

    private var example: URL {
        let path = proxy == .nginx ? "deploy/nginx/whatsapp-webhook.conf" : "deploy/caddy/Caddyfile"
        return Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent(path)
    }

    private func file(_ name: String) -> String { directory + "/" + name }

    /// Takes the comment marks off the lines below "mTLS", up to the next empty line.
    private static func switchingOnClientChecks(in text: String) -> String {
        var isBelow = false
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if line.contains("# mTLS") { isBelow = true } else if line.isEmpty { isBelow = false }
            guard isBelow, let mark = line.firstMatch(of: /^(\s*)#(?=\S|\t)/) else { return line }
            return mark.output.1 + line[mark.range.upperBound...]
        }
        return lines.joined(separator: "\n")
    }

    private func nginx(_ text: String) -> String {
        let ours =
            text
            .replacing("listen 443 ssl;", with: "listen 127.0.0.1:\(port) ssl;")
            .replacing("listen [::]:443 ssl;", with: "")
            .replacing(/\/etc\/letsencrypt\/[^;]*\/fullchain\.pem/, with: file("server.pem"))
            .replacing(/\/etc\/letsencrypt\/[^;]*\/privkey\.pem/, with: file("server.key"))
            .replacing("/etc/nginx/meta-ca.pem", with: file("meta-ca.pem"))
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(directory)/\($0);" }.joined(separator: "\n")
        // A worker of another user could not write below a test's own directory.
        let user = geteuid() == 0 ? "user root;" : ""
        return """
            \(user) daemon off; pid \(file("pid")); error_log stderr;
            events { worker_connections 64; }
            http { \(folders) access_log off;
            \(ours)
            }
            """
    }

    private func caddy(_ text: String, checksClients: Bool) -> String {
        let certificate = "tls \(file("server.pem")) \(file("server.key"))"
        let ours =
            text
            .replacing("\(Self.host) {", with: "\(Self.host):\(port) {")
            .replacing("/etc/caddy/meta-ca.pem", with: file("meta-ca.pem"))
            .replacing("\ttls {", with: "\t\(certificate) {")
        let named =
            checksClients
            ? ours : ours.replacing("\(port) {\n", with: "\(port) {\n\t\(certificate)\n")
        return "{\n\tadmin off\n\tauto_https disable_redirects\n}\n\(named)"
    }

    func start() throws {
        let arguments =
            proxy == .nginx
            ? ["nginx", "-c", file("configuration"), "-e", "stderr"]
            : ["caddy", "run", "--adapter", "caddyfile", "--config", file("configuration")]
        let started = try ChildProcess(
            "/usr/bin/env", arguments,
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory],
            outputPath: file("log"))
        process = started
        waitUntil { started.poll() != nil || isListening(on: port) }
        try #require(started.poll() == nil, "\(proxy) ended:\n\(started.output)")
    }

    deinit { process?.stop() }

    /// - Returns: the status of the answer; 0 where there was none.
    func post(_ body: Data, as caller: Caller) throws -> Int {
        try body.write(to: URL(fileURLWithPath: file("body")))
        let secret = AppSecret(Secret(bytes: Array(Installation.secret.utf8)))
        let signature = SignatureVerifier.sign(body: Array(body), secret: secret).signature256
        return try call(
            "/webhook", as: caller,
            [
                "--data-binary", "@" + file("body"), "-H", "X-Hub-Signature-256: \(signature)",
                "-H", "Content-Type: application/json",
            ])
    }

    func get(_ path: String, as caller: Caller) throws -> Int { try call(path, as: caller, []) }

    private func call(_ path: String, as caller: Caller, _ more: [String]) throws -> Int {
        var arguments = [
            "curl", "-s", "-o", file("answer"), "-w", "%{http_code}", "--path-as-is",
            "--max-time", "60", "--cacert", file("server.pem"),
            "--resolve", "\(Self.host):\(port):127.0.0.1",
        ]
        if caller != .nobody {
            arguments += ["--cert", file("\(caller).pem"), "--key", file("\(caller).key")]
        }
        let output = try run(
            "/usr/bin/env", arguments + more + ["https://\(Self.host):\(port)\(path)"])
        return try #require(Int(output.suffix(3)), "curl: \(output)")
    }

    @discardableResult
    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let output = file("run-\(UUID().uuidString)")
        let process = try ChildProcess(
            program, arguments,
            environment: ["PATH": "/usr/bin:/bin", "DIRECTORY": directory], outputPath: output)
        try #require(process.waitForEnd() != nil)
        return process.output
    }

    private static let certificates = """
        cd "$DIRECTORY"
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\
            -keyout server.key -out server.pem -subj '/CN=\(host)' \\
            -addext 'subjectAltName=DNS:\(host)'
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\
            -keyout meta-ca.key -out meta-ca.pem -subj '/CN=An authority of the tests'
        for caller in whatsApp=client.webhooks.fbclientcerts.com stranger=client.example.com; do
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \\
                -keyout "${caller%%=*}.key" -out request.pem \\
                -subj "/O=Somebody/CN=${caller#*=}"
            openssl x509 -req -in request.pem -CA meta-ca.pem -CAkey meta-ca.key -days 2 \\
                -CAcreateserial -out "${caller%%=*}.pem"
        done
        """
}
