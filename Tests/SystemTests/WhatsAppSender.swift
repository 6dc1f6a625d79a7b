import Base
import TestSupport
import WhatsApp

/// Posts webhooks as WhatsApp does: signed, over a connection that is kept.
final class WhatsAppSender {
    private let port: UInt16
    private let secret: AppSecret
    private var connection: BlockingHTTPClient?

    init(port: UInt16, secret: String = Installation.secret) {
        self.port = port
        self.secret = AppSecret(Secret(bytes: Array(secret.utf8)))
    }

    /// - Returns: the answer's status.
    /// - Throws: `BlockingHTTPClient.Failure` where no answer came; the next call connects anew.
    func post(_ body: [UInt8]) throws -> Int {
        do {
            let client = try connection ?? BlockingHTTPClient(port: port)
            connection = client
            return try client.sendWebhook(body, secret: secret).status
        } catch {
            connection = nil
            throw error
        }
    }

    /// Sends until it is acknowledged, as WhatsApp would, only sooner.
    ///
    /// - Returns: false where `isOver` said so first.
    func postUntilAcknowledged(_ body: [UInt8], isOver: () -> Bool = { false }) -> Bool {
        var isAcknowledged = false
        waitUntil(within: .seconds(120)) {
            isAcknowledged = (try? post(body)) == 200
            return isAcknowledged || isOver()
        }
        return isAcknowledged
    }
}

extension BlockingHTTPClient {
    /// Posts a webhook with the fields WhatsApp sends.
    func sendWebhook(
        _ body: [UInt8],
        secret: AppSecret = AppSecret(Secret(bytes: Array(Installation.secret.utf8)))
    ) throws -> Answer {
        let signatures = SignatureVerifier.sign(body: body, secret: secret)
        let fields = [
            ("User-Agent", "facebookexternalua"),
            ("Accept", "*/*"),
            ("Content-Type", "application/json"),
            ("X-Hub-Signature", signatures.signature1),
            ("X-Hub-Signature-256", signatures.signature256),
        ]
        return try send("POST", "/webhook", fields: fields, body: body)
    }
}
