import Base
import Queue
import WhatsApp

/// Compares every stored body with the signature it came with: a byte that a disk changed inside
/// one is found by nothing else.
///
/// A page at a time, so that no read lasts long.
struct SignatureCheck {
    let session: QueueSession
    let secrets: [AppSecret]

    private static let pageCount = 200
    private static let pageByteCount = 8 << 20

    func finding(progress: Progress) throws(QueueError) -> Finding {
        let id = "queue.bodies"
        var verifier = SignatureVerifier(secrets: secrets)
        let known = Set(secrets.map(\.fingerprint))
        var (checked, unknown, bad) = (0, 0, [WebhookID]())
        var cursor = WebhookID.none
        while true {
            let page = try session.log.read(
                after: cursor, limit: Self.pageCount, byteCountMax: Self.pageByteCount)
            guard let last = page.last else { break }
            for webhook in page {
                guard known.contains(webhook.secretFingerprint) else {
                    unknown += 1
                    continue
                }
                checked += 1
                if !Self.isGenuine(webhook, &verifier) { bad.append(webhook.id) }
            }
            cursor = last.id
            progress.show(checked)
        }
        guard bad.isEmpty else {
            let ids = bad.prefix(20).map(\.description).joined(separator: ", ")
            return .fail(
                id, "\(Humane.count(bad.count, "webhook")) changed since they were signed: \(ids)",
                advice: "the disk changed them; compare with a backup before PHP gets them")
        }
        let rest = unknown == 0 ? "" : ", \(unknown) under secrets that are gone"
        return .ok(id, "\(Humane.count(checked, "webhook")) as WhatsApp signed them\(rest)")
    }

    private static func isGenuine(
        _ webhook: StoredWebhook,
        _ verifier: inout SignatureVerifier
    ) -> Bool {
        Array(webhook.signature256.utf8).withUnsafeBytes { header in
            webhook.body.withUnsafeBytes { body in
                verifier.verify(body: body, header: header) != nil
            }
        }
    }
}
