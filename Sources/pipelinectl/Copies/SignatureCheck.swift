import Base
import Queue
import WhatsApp

/// Compares every stored body with its signature: a byte that a disk changed inside one is found by
/// nothing else.
///
/// A page at a time, so that no read lasts long. A body that no secret here signed counts as
/// changed only where the secret that its row names is here.
struct SignatureCheck {
    let session: QueueSession
    private let known: Set<String>
    private var verifier: SignatureVerifier
    private var checkedCount = 0
    private var unknownCount = 0
    private var bad: [String] = []

    private static let pageCount = 200
    private static let pageByteCount = 8 << 20

    init(session: QueueSession, secrets: [AppSecret]) {
        self.session = session
        known = Set(secrets.map(\.fingerprint))
        verifier = SignatureVerifier(secrets: secrets)
    }

    mutating func finding(progress: Progress) throws(QueueError) -> Finding {
        try checkLog(progress)
        try checkDeliveries(progress)
        let id = "queue.bodies"
        guard bad.isEmpty else {
            return .fail(
                id,
                "\(Humane.count(bad.count, "body", "bodies")) changed since they were signed: "
                    + bad.prefix(20).joined(separator: ", "),
                advice: "the disk changed them, or the signature: compare with a backup")
        }
        let rest = unknownCount == 0 ? "" : ", \(unknownCount) under secrets that are gone"
        return .ok(id, "\(Humane.count(checkedCount, "body", "bodies")) as they were signed\(rest)")
    }

    private mutating func checkLog(_ progress: Progress) throws(QueueError) {
        var cursor = WebhookID.none
        while true {
            let page = try session.log.read(
                after: cursor, limit: Self.pageCount, byteCountMax: Self.pageByteCount)
            guard let last = page.last else { return }
            for webhook in page {
                check(
                    webhook.body, webhook.signature256, webhook.secretFingerprint,
                    "webhook \(webhook.id)")
            }
            cursor = last.id
            progress.show(checkedCount)
        }
    }

    private mutating func checkDeliveries(_ progress: Progress) throws(QueueError) {
        var cursor = DeliveryID.none
        while true {
            let page = try session.signedBodies(
                after: cursor, limit: Self.pageCount, byteCountMax: Self.pageByteCount)
            guard let last = page.last else { return }
            for body in page {
                check(
                    body.body, body.signature256, body.secretFingerprint,
                    "delivery \(body.delivery)")
            }
            cursor = last.delivery
            progress.show(checkedCount)
        }
    }

    private mutating func check(
        _ body: [UInt8],
        _ signature: String,
        _ fingerprint: String,
        _ name: String
    ) {
        let isGenuine = Array(signature.utf8).withUnsafeBytes { header in
            body.withUnsafeBytes { verifier.verify(body: $0, header: header) != nil }
        }
        if isGenuine {
            checkedCount += 1
        } else if known.contains(fingerprint) {
            bad.append(name)
        } else {
            unknownCount += 1
        }
    }
}
