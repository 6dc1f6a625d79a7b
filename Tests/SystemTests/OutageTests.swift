import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// PHP in trouble, and what becomes of the messages.
    @Suite struct OutageTests {
        private static let senders = (1...6).map { "491585000\($0)" }

        @Test func `what waits for PHP arrives in order, and spends no attempts on waiting`() throws
        {
            let attemptsMax = 4
            let installation = try Installation([
                "FORWARD_ATTEMPTS_MAX": "\(attemptsMax)", "FORWARD_BACKOFF_MAX": "100ms",
            ])
            try installation.receiver.answer([(text: "", status: 500)])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            try post(numbers: 1...3, with: sender)
            // Each conversation's first message could be tried so often, and all others not at all.
            let budget = Self.senders.count * attemptsMax
            try waitUntil(within: .seconds(60)) {
                try installation.receiver.all().count > 2 * budget
            }
            #expect(try installation.receiver.all().count > 2 * budget, "PHP is not probed")

            installation.receiver.stop()
            try post(numbers: 4...4, with: sender)
            try waitUntil { try breaker(installation) == "open" }
            #expect(try breaker(installation) == "open")

            try installation.receiver.answer([])
            try installation.receiver.start()
            let count = Self.senders.count * 4
            try waitUntil(within: .seconds(60)) {
                try installation.receiver.taken().count >= count
            }
            let taken = try installation.receiver.taken()
            #expect(taken.count == count)
            for sender in Self.senders {
                let numbers = (1...4).filter { number in
                    taken.contains { $0.text.contains("wamid.\(sender)-\(number)==") }
                }
                #expect(numbers == [1, 2, 3, 4])
                let order = taken.filter { $0.text.contains("wamid.\(sender)-") }.map(\.text)
                #expect(order == order.sorted(), "\(sender) is out of order")
            }
            let status = try installation.pipelinectlObject("status")
            #expect((status["dead_letters"] as? [String: Any])?["count"] as? Int == 0)
            installation.stopPrograms()
        }

        @Test func `a refused message becomes a dead letter, and arrives when it is replayed`()
            throws
        {
            let installation = try Installation(["FORWARD_REFUSALS_MAX": "3"])
            try installation.receiver.answer([(text: "wamid.4915850001-2==", status: 400)])
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            try post(numbers: 1...3, with: sender)
            let refused = Self.body(Self.senders[0], 2)
            let others = Self.senders.count * 3 - 1
            try waitUntil(within: .seconds(60)) {
                try installation.receiver.taken().count >= others
                    && deadLetters(installation).count == 1
            }
            #expect(try installation.receiver.taken().count == others, "its conversation goes on")
            let attempts = try installation.receiver.all().filter { $0.status == 400 }
            #expect(attempts.count == 3)
            #expect(attempts.allSatisfy { [UInt8]($0.body) == refused })

            let letter = try #require(try deadLetters(installation).first)
            let id = "\(try #require(letter["id"] as? Int))"
            let shown = try installation.pipelinectlObject("dead", "show", id)
            #expect(shown["body"] as? String == String(decoding: refused, as: UTF8.self))
            #expect(shown["reason"] as? String == letter["reason"] as? String)
            let kept = try #require(shown["attempts"] as? [[String: Any]])
            #expect(kept.map { $0["status"] as? Int } == [400, 400, 400])
            #expect(kept.allSatisfy { $0["answer"] as? String == "told to refuse" })

            try installation.receiver.answer([])
            #expect(try installation.pipelinectl("dead", "replay", id).status == 0)
            try waitUntil { try installation.receiver.taken().count > others }
            let replayed = try #require(try installation.receiver.taken().last)
            #expect([UInt8](replayed.body) == refused)
            #expect(replayed.isSigned)
            #expect(replayed.headers["x-delivery-replay"] == "1")
            #expect(attempts.allSatisfy { $0.headers["x-delivery-replay"] == nil })
            let deliveryIDs = Set((attempts + [replayed]).map { $0.headers["x-delivery-id"] })
            #expect(deliveryIDs.count == 1)
            #expect(try deadLetters(installation).isEmpty)
            installation.stopPrograms()
        }

        @Test func `signed bytes that are no JSON are one dead letter, with every byte`() throws {
            let installation = try Installation()
            try installation.startAll()
            let sender = WhatsAppSender(port: installation.ingestPort)
            let bodies: [[UInt8]] = [Array(#"{"object":"#.utf8), [0xFF, 0x00, 0x7B]]
            for body in bodies { #expect(try sender.post(body) == 200) }
            try waitUntil { try deadLetters(installation).count == bodies.count }
            let letters = try deadLetters(installation)
            #expect(letters.count == bodies.count)
            let shown = try letters.map { letter in
                try installation.pipelinectlObject("dead", "show", "\(letter["id"] ?? "")")
            }
            #expect(shown.contains { $0["body"] as? String == #"{"object":"# })
            let raw = shown.compactMap { $0["body_base64"] as? String }
            #expect(raw == [Data(bodies[1]).base64EncodedString()])
            installation.stopPrograms()
            #expect(try installation.receiver.all().isEmpty)
            #expect(try installation.lake.lines().isEmpty)
        }

        private static func body(_ sender: String, _ number: Int) -> [UInt8] {
            Webhook.text("number \(number)", from: sender, id: "wamid.\(sender)-\(number)==")
        }

        private func post(numbers: ClosedRange<Int>, with sender: WhatsAppSender) throws {
            for number in numbers {
                for conversation in Self.senders {
                    #expect(try sender.post(Self.body(conversation, number)) == 200)
                }
            }
        }

        private func deadLetters(_ installation: Installation) throws -> [[String: Any]] {
            let list = try installation.pipelinectlObject("dead", "list")
            return try #require(list["items"] as? [[String: Any]])
        }

        private func breaker(_ installation: Installation) throws -> String? {
            let status = try installation.pipelinectlObject("status")
            return (status["breaker"] as? [String: Any])?["state"] as? String
        }
    }
}
