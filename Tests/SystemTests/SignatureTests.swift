import Base
import Queue
import TestSupport
import Testing
import WhatsApp

extension SystemTests {
    /// Who may put something into the log, and who may not.
    @Suite struct SignatureTests {
        private static let body = Webhook.text("hello", from: "4915550000001", id: "wamid.SIG==")

        /// The signature header's value, and what it is.
        private static func refused() -> [(String, String?)] {
            let secret = AppSecret(Secret(bytes: Array(Installation.secret.utf8)))
            let other = AppSecret(Secret(bytes: Array("another secret".utf8)))
            let right = SignatureVerifier.sign(body: body, secret: secret).signature256
            let hex = String(right.dropFirst("sha256=".count))
            return [
                ("none", nil),
                ("empty", ""),
                (
                    "of another secret",
                    SignatureVerifier.sign(body: body, secret: other).signature256
                ),
                (
                    "of another body",
                    SignatureVerifier.sign(body: [65], secret: secret).signature256
                ),
                (
                    "of another algorithm",
                    SignatureVerifier.sign(body: body, secret: secret).signature1
                ),
                ("without its prefix", hex),
                ("with another prefix", "sha512=" + hex),
                ("one digit short", String(right.dropLast())),
                ("one digit long", right + "0"),
                ("with a letter that is no digit", String(right.dropLast()) + "g"),
                ("twice in one", right + "," + right),
                ("only the prefix", "sha256="),
            ]
        }

        @Test func `what is not signed is refused, and leaves nothing in the log`() throws {
            let installation = try Installation()
            try installation.startIngest()
            for (name, value) in Self.refused() {
                let client = try BlockingHTTPClient(port: installation.ingestPort)
                let fields = value.map { [("X-Hub-Signature-256", $0)] } ?? []
                let answer = try client.send("POST", "/webhook", fields: fields, body: Self.body)
                #expect(answer.status == 401, "a signature \(name)")
            }
            #expect(try lastID(installation) == WebhookID.none)

            let sender = WhatsAppSender(port: installation.ingestPort)
            #expect(try sender.post(Self.body) == 200)
            #expect(try lastID(installation) == WebhookID(rawValue: 1))
            installation.stopPrograms()
        }

        @Test func `each of several secrets is good, and no other`() throws {
            let installation = try Installation([
                "WHATSAPP_APP_SECRET": "new secret,\(Installation.secret)"
            ])
            try installation.startIngest()
            let port = installation.ingestPort
            #expect(try WhatsAppSender(port: port, secret: "new secret").post(Self.body) == 200)
            #expect(try WhatsAppSender(port: port).post(Self.body) == 200)
            #expect(try WhatsAppSender(port: port, secret: "older").post(Self.body) == 401)
            #expect(try lastID(installation) == WebhookID(rawValue: 2))
            installation.stopPrograms()
        }

        @Test func `the handshake gives back the challenge, and only for the right token`() throws {
            let installation = try Installation()
            try installation.startIngest()
            let token = "token%20with+spaces%20%26%20signs"
            let mode = "/webhook?hub.mode=subscribe"
            let rows: [(target: String, status: Int, body: String?)] = [
                ("\(mode)&hub.challenge=12345&hub.verify_token=\(token)", 200, "12345"),
                ("\(mode)&hub.verify_token=\(token)&hub.challenge=a%20b%2Bc%3D", 200, "a b+c="),
                ("\(mode)&hub.challenge=12345&hub.verify_token=wrong", 403, nil),
                ("\(mode)&hub.challenge=12345&hub.verify_token=", 403, nil),
                ("\(mode)&hub.challenge=12345", 403, nil),
                ("/webhook", 403, nil),
            ]
            for row in rows {
                let client = try BlockingHTTPClient(port: installation.ingestPort)
                let answer = try client.send("GET", row.target)
                #expect(answer.status == row.status, "\(row.target)")
                guard let body = row.body else { continue }
                #expect(String(decoding: answer.body, as: UTF8.self) == body)
                #expect(answer.fields["content-type"]?.hasPrefix("text/plain") == true)
            }
            #expect(try lastID(installation) == WebhookID.none)
            installation.stopPrograms()
        }

        private func lastID(_ installation: Installation) throws -> WebhookID {
            let location = QueueLocation(path: installation.queuePath)
            let gate = try QueueSession.openGate(location, as: .tool)
            return try QueueSession.open(location, gate: gate, as: .tool).log.lastID()
        }
    }
}
