import Base
import Foundation
import TestSupport
import Testing
import WhatsApp

/// Posts to a receiver as the workers do, or WhatsApp itself.
struct SitePoster {
    /// Stays up as long as somebody may post to it.
    let site: PHPSite

    /// Posts a signed body.
    ///
    /// - Returns: the answer's status.
    func post(
        _ body: [UInt8],
        _ headers: [(String, String)],
        secret: String = Installation.secret
    ) throws -> Int {
        let signatures = SignatureVerifier.sign(
            body: body, secret: AppSecret(Secret(bytes: Array(secret.utf8))))
        return try post(body, headers, signature: signatures.signature256)
    }

    /// Posts a body with this signature, or with none.
    func post(
        _ body: [UInt8],
        _ headers: [(String, String)],
        signature: String?
    ) throws -> Int {
        var fields = [("Content-Type", "application/json"), ("Connection", "close")] + headers
        if let signature { fields.append(("X-Hub-Signature-256", signature)) }
        // `php -S` closes each connection.
        let client = try BlockingHTTPClient(port: site.port)
        return try client.send("POST", "/webhook", fields: fields, body: body).status
    }

    /// Asks as WhatsApp's handshake does, by PHP's own client, which reads any body.
    ///
    /// - Returns: status and body, with a space between.
    func get(_ query: String) throws -> String {
        let directory = try TemporaryDirectory()
        let code = """
            $context = stream_context_create(['http' => ['ignore_errors' => true]]);
            $body = file_get_contents($argv[1], false, $context);
            echo explode(' ', $http_response_header[0])[1], ' ', $body;
            """
        let process = try ChildProcess(
            "/usr/bin/env", ["php", "-r", code, "http://127.0.0.1:\(site.port)/webhook?\(query)"],
            environment: ["PATH": "/usr/local/bin:/usr/bin:/bin"],
            outputPath: directory.file("answer"))
        let end = process.waitForEnd()
        try #require(end == .exited(status: 0), "\(process.output)")
        return process.output
    }
}
