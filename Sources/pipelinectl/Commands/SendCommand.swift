import Base
import WhatsApp

/// The command `send`.
enum SendCommand: Command {
    private static let sample = Flag(
        "sample", .choice(SampleWebhook.Kind.allCases.map(\.rawValue)),
        help: "a made-up webhook instead of a file")
    private static let url = Flag(
        "url", .text("URL"), help: "where to, instead of INGEST_LISTEN and INGEST_PATH")
    private static let count = Flag(
        "count", .number(1...100_000), help: "how many, one after the other (1 unless told)")

    static let specification = CommandSpecification(
        words: ["send"],
        summary: "a signed webhook to ingest, to try an installation",
        operands: .init(usage: "[FILE]", count: 0...1),
        flags: [sample, url, count],
        details: [
            "The body is signed with the first WHATSAPP_APP_SECRET, as WhatsApp signs. A sample is "
                + "made anew each time; a file is sent as it is, `-` is standard input. Done is "
                + "what ingest answered 200: then it is on disk."
        ],
        examples: [
            .init(line: "send --sample text", meaning: "a customer's message"),
            .init(line: "send --sample status --count 1000", meaning: "three thousand statuses"),
            .init(line: "send body.json", meaning: "a body of your own"),
        ]
    )

    /// Longest file; ingest refuses more than INGEST_BODY_BYTES_MAX in any case.
    private static let fileByteCountMax = 64 * 1_048_576
    /// Longest wait for one answer.
    private static let timeout = Duration.seconds(30)

    static func run(in context: Context) throws(Failure) -> Int32 {
        let source = try source(context)
        let (listen, path, secrets) = try context.settings { reader in
            (
                reader.listenAddress(.ingestListen), reader.string(.ingestPath),
                reader.secretList(.whatsAppAppSecret)
            )
        }
        guard let secret = secrets.first.map(AppSecret.init) else {
            preconditionFailure("a list of secrets without a problem holds one")
        }
        let address = try address(context.arguments, listen: listen, path: path)
        var sender = Sender(address: address, secret: secret, timeout: timeout)
        let count = context.arguments.number(count) ?? 1
        var maker = SampleWebhook(now: context.now)
        for number in 0..<count {
            switch source {
            case .file(let body): try send(body, with: &sender)
            case .sample(let kind): try send(maker.body(kind, number: number), with: &sender)
            }
        }
        context.write(sender.json) { sender.facts }
        return sender.acceptedCount == count ? ExitCode.ok : ExitCode.failed
    }

    private enum Source {
        case file([UInt8])
        case sample(SampleWebhook.Kind)
    }

    private static func source(_ context: Context) throws(Failure) -> Source {
        let arguments = context.arguments
        let kind = arguments.text(sample).flatMap(SampleWebhook.Kind.init(rawValue:))
        guard (kind == nil) == (arguments.operands.count == 1) else {
            throw .usage(arguments.mistake("what? Give a FILE, or --sample KIND"))
        }
        if let kind { return .sample(kind) }
        let name = arguments.operands[0]
        do throws(SystemError) {
            let path = name == "-" ? "/dev/stdin" : name
            let body = try SmallFile.read(path, byteCountMax: fileByteCountMax)
            guard !body.isEmpty else { throw SystemError(call: "read", code: 0, path: nil) }
            return .file(body)
        } catch {
            guard error.code != 0 else { throw .failed("\(name) is empty: nothing was sent") }
            throw .failed("\(error)")
        }
    }

    private static func address(
        _ arguments: ParsedArguments,
        listen: ListenAddress,
        path: String
    ) throws(Failure) -> WebAddress {
        guard let text = arguments.text(url) else {
            guard listen.port > 0 else {
                throw .failed("INGEST_LISTEN has port 0, which only ingest knows: use --url")
            }
            return WebAddress(reaching: listen, target: path)
        }
        guard let address = WebAddress(text) else {
            throw .usage(arguments.mistake("--url \"\(text)\": expected http://HOST:PORT/PATH"))
        }
        guard !address.isEncrypted else {
            throw .usage(
                arguments.mistake("--url speaks plain http: give the address of ingest itself"))
        }
        return address
    }

    private static func send(_ body: [UInt8], with sender: inout Sender) throws(Failure) {
        do throws(NetworkFailure) {
            try sender.send(body)
        } catch {
            let sent = sender.acceptedCount
            let before = sent > 0 ? " (\(Humane.count(sent)) were accepted before)" : ""
            throw .failed(
                "no answer from \(sender.address.text): \(error)\(before); is ingest running?")
        }
    }
}

/// Sends webhooks as WhatsApp does and keeps count of the answers.
struct Sender {
    let address: WebAddress
    private let secret: AppSecret
    private let connection: HTTPConnection
    private let startedAt = MonotonicClock.now()
    private var countByStatus: [Int: Int] = [:]
    private var byteCount = 0
    private var last: HTTPAnswer?
    private var lastAt = MonotonicClock.now()

    /// Longest part of an answer that is shown.
    private static let answerShownMax = 500

    init(address: WebAddress, secret: AppSecret, timeout: Duration) {
        self.address = address
        self.secret = secret
        connection = HTTPConnection(address, timeout: timeout)
    }

    /// Those that are on disk now: only a 200 says so.
    var acceptedCount: Int { countByStatus[200] ?? 0 }

    mutating func send(_ body: [UInt8]) throws(NetworkFailure) {
        let (signature256, signature1) = SignatureVerifier.sign(body: body, secret: secret)
        let answer = try connection.send(
            "POST",
            fields: [
                ("User-Agent", "facebookexternalua"),
                ("Content-Type", "application/json"),
                ("X-Hub-Signature", signature1),
                ("X-Hub-Signature-256", signature256),
            ],
            body: body)
        countByStatus[answer.status, default: 0] += 1
        byteCount += body.count
        last = answer
        lastAt = MonotonicClock.now()
    }

    private var duration: Duration { lastAt - startedAt }
    private var sentCount: Int { countByStatus.values.reduce(0, +) }
    private var lastText: String {
        String(decoding: (last?.body ?? []).prefix(Self.answerShownMax), as: UTF8.self)
    }

    var json: JSONValue {
        let statuses = countByStatus.sorted { $0.key < $1.key }
        return [
            "url": .string(address.text),
            "sent": .int(sentCount),
            "accepted": .int(acceptedCount),
            "bytes": .int(byteCount),
            "duration_ms": .int(Int(duration.milliseconds)),
            "status": .optional(last?.status),
            "answer": .string(lastText),
            "by_status": .object(
                statuses.map { .init(key: "\($0.key)", value: .int($0.value)) }),
        ]
    }

    var facts: Facts {
        var facts = Facts()
        let size = Humane.size(byteCount)
        facts.add("sent", "\(Humane.count(sentCount, "webhook")), \(size), to \(address.text)")
        for (status, count) in countByStatus.sorted(by: { $0.key < $1.key }) {
            facts.add(
                "answered \(status)",
                "\(Humane.count(count)) - \(Self.meaning(of: status))",
                status == 200 ? .good : .bad)
        }
        if acceptedCount < sentCount, !lastText.isEmpty { facts.add("the last answer", lastText) }
        let rate = Double(sentCount) / max(0.001, duration.secondsFraction)
        let speed = sentCount > 1 ? ", \(Humane.count(Int(rate))) a second" : ""
        facts.add("took", Humane.duration(duration) + speed)
        return facts
    }

    private static func meaning(of status: Int) -> String {
        switch status {
        case 200: "on disk"
        case 401: "the signature is wrong: does ingest have the same WHATSAPP_APP_SECRET?"
        case 404: "no such path: INGEST_PATH says where webhooks go"
        case 405: "that address takes no POST: is it ingest?"
        case 413: "too large: INGEST_BODY_BYTES_MAX"
        case 503: "not taken for now: the disk, the queue or its gate; see ingest's log"
        default: "not taken"
        }
    }
}
