import Base
import Queue
import WhatsApp

/// The command `dead edit`.
enum DeadEditCommand: Command {
    private static let with = Flag(
        "with", .text("FILE"), help: "the new body from a file instead of an editor; - is input")

    static let specification = CommandSpecification(
        words: ["dead", "edit"],
        summary: "another body for a dead letter; the one before is kept",
        operands: .init(usage: "ID", count: 1...1),
        flags: [with, .dryRun],
        details: [
            "Opens VISUAL, else EDITOR, else vi, on the body, broken into lines where it is JSON. "
                + "What you save must be JSON; it is signed with the app secret that signed the "
                + "body before (the first WHATSAPP_APP_SECRET where that one is gone). The letter "
                + "stays a dead letter until you replay it, under the same delivery id.",
            "What WhatsApp sent is kept as long as the delivery is: `dead show ID --original`. "
                + "The books go on counting what WhatsApp sent.",
        ],
        examples: [
            .init(line: "dead edit 12", meaning: "in your editor"),
            .init(
                line: "dead edit 12 --with body.json --dry-run",
                meaning: "would this body be taken?"),
        ]
    )

    /// Longest body that is taken; ingest takes no longer one unless it is told to.
    private static let bodyByteCountMax = 4 * 1_048_576

    static func run(in context: Context) throws(Failure) -> Int32 {
        let id = try Failure.usage { () throws(UsageError) in
            try DeadSelection.ids(context.arguments)[0]
        }
        // Before the editor opens: nobody types for nothing.
        let secrets = try context.settings { $0.secretList(.whatsAppAppSecret) }.map(AppSecret.init)
        let session = try context.openQueue()
        let found = try Failure.queue { () throws(QueueError) in try session.deadLetters.show(id) }
        guard let (letter, body, _) = found else {
            throw .notFound("there is no dead letter \(id)")
        }
        let edit = DeadEdit(letter: letter, body: body, secrets: secrets)
        guard let path = context.arguments.text(with) else {
            return try editByHand(edit, in: session, context)
        }
        let given = try Failure.system { () throws(SystemError) in
            try SmallFile.read(path == "-" ? "/dev/stdin" : path, byteCountMax: bodyByteCountMax)
        }
        return try store(given, of: edit, in: session, context)
    }

    private static func editByHand(
        _ edit: DeadEdit,
        in session: QueueSession,
        _ context: Context
    ) throws(Failure) -> Int32 {
        let editor = Editor(environment: context.environment)
        let draft = try editor.draft(edit.shown, named: "dead-letter-\(edit.letter.id).json")
        do throws(Failure) {
            try editor.edit(draft)
            let saved = try draft.bytes(byteCountMax: bodyByteCountMax)
            let code = try store(saved, of: edit, in: session, context)
            draft.remove()
            return code
        } catch {
            guard (try? draft.bytes(byteCountMax: bodyByteCountMax)) != edit.shown else {
                draft.remove()
                throw error
            }
            context.console.remark(
                "what you wrote is in \(draft.path): mend it, give it by --with, and remove it")
            throw error
        }
    }

    private static func store(
        _ saved: [UInt8],
        of edit: DeadEdit,
        in session: QueueSession,
        _ context: Context
    ) throws(Failure) -> Int32 {
        let id = edit.letter.id
        guard let change = try edit.change(saved) else {
            report(id, keptAs: nil, byteCount: edit.body.count, context)
            return ExitCode.ok
        }
        guard !context.arguments.has(.dryRun) else {
            report(id, keptAs: nil, byteCount: change.body.count, context)
            return ExitCode.ok
        }
        let outcome = try Failure.queue { () throws(QueueError) in
            try session.deadLetters.replaceBody(
                of: id, seen: edit.body, with: change, by: context.actor, now: context.now)
        }
        switch outcome {
        case .edited(let number):
            report(id, keptAs: number, byteCount: change.body.count, context)
            return ExitCode.ok
        case .changedMeanwhile:
            throw .failed("somebody else edited dead letter \(id) meanwhile: nothing was changed")
        case .gone:
            throw .failed("\(id) was replayed or discarded meanwhile: nothing was changed")
        }
    }

    private static func report(
        _ id: DeliveryID,
        keptAs number: Int?,
        byteCount: Int,
        _ context: Context
    ) {
        let json: JSONValue = [
            "dry_run": .bool(context.arguments.has(.dryRun)),
            "id": .int(Int(id.rawValue)),
            "edited": .bool(number != nil),
            "kept_as": .optional(number),
            "bytes": .int(byteCount),
        ]
        context.write(json) {
            var facts = Facts()
            guard let number else {
                let isDryRun = context.arguments.has(.dryRun)
                facts.add("dead letter \(id)", isDryRun ? "would be taken" : "nothing was changed")
                return facts
            }
            facts.add("dead letter \(id)", "edited; the body before is kept as number \(number)")
            facts.add("next", "pipelinectl dead replay \(id)")
            return facts
        }
    }
}

/// What a person makes of a body; no I/O.
struct DeadEdit {
    let letter: DeadLetter
    let body: [UInt8]
    /// Never empty.
    let secrets: [AppSecret]

    /// One POST, whatever stands in it: where it belongs, not how it would be cut.
    private let splitter = WebhookSplitter(split: .webhook, forwardedStatuses: [])

    init(letter: DeadLetter, body: [UInt8], secrets: [AppSecret]) {
        precondition(!secrets.isEmpty, "a list of secrets without a problem holds one")
        self.letter = letter
        self.body = body
        self.secrets = secrets
    }

    /// What the editor opens: broken into lines where it is JSON, else the bytes as they are.
    var shown: [UInt8] {
        guard case .events = splitter.split(body),
            let text = String(validating: body, as: UTF8.self)
        else { return body }
        return Array((PrettyJSON.indented(text) + "\n").utf8)
    }

    /// The edit that stores what was saved.
    ///
    /// - Returns: `nil` where nothing was changed.
    /// - Throws: ``Failure`` where what was saved is no body.
    func change(_ saved: [UInt8]) throws(Failure) -> DeadLetterEdit? {
        guard saved != shown else { return nil }
        // Editors end a file with a line feed; a body has none.
        let body = saved.last == UInt8(ascii: "\n") ? Array(saved.dropLast()) : saved
        guard body != self.body else { return nil }
        switch splitter.split(body) {
        case .unparseable(let reason):
            throw .failed("this body cannot be read: \(reason.description); nothing was changed")
        case .events(let content):
            let fingerprint = letter.envelope.secretFingerprint
            let secret = secrets.first { $0.fingerprint == fingerprint } ?? secrets[0]
            let signatures = SignatureVerifier.sign(body: body, secret: secret)
            return DeadLetterEdit(
                body: body, signature256: signatures.signature256,
                signature1: signatures.signature1, secretFingerprint: secret.fingerprint,
                place: content.parts.first.map {
                    .init(
                        conversations: $0.conversations, field: $0.field,
                        phoneNumberID: $0.phoneNumberID)
                })
        }
    }
}
