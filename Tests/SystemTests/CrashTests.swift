import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// Killed at any moment, and nothing that was acknowledged is lost.
    @Suite struct CrashTests {
        private enum Victim: CaseIterable {
            case ingest, workers, both
        }

        @Test func `what was acknowledged survives kill -9 of any program at any moment`() throws {
            var generator = SeededGenerator.announced("crash test")
            let roundCount = EnvironmentNumber.read("CRASH_ROUNDS", otherwise: 20)
            let installation = try Installation()
            try installation.startAll()
            let driver = LoadDriver(port: installation.ingestPort)
            driver.start(senderCount: 4)

            for round in 1...roundCount {
                let victim = Victim.allCases.randomElement(using: &generator) ?? .both
                let count = driver.acknowledged.webhookCount
                let target = count + Int.random(in: 10...120, using: &generator)
                // More than the target, so that the senders are at it when the blow falls.
                driver.allow(upTo: target + 100)
                let isReached = waitUntil(within: .seconds(60)) {
                    driver.acknowledged.webhookCount >= target || driver.failure != nil
                }
                try #require(isReached, "round \(round) stands still")
                try #require(driver.failure == nil)
                try kill(victim, of: installation)
            }
            driver.stop()
            try #require(driver.failure == nil)
            try expectEverything(acknowledged: driver.acknowledged, in: installation)
        }

        private func kill(_ victim: Victim, of installation: Installation) throws {
            switch victim {
            case .ingest:
                installation.killIngest()
                try installation.startIngest()
            case .workers:
                installation.killWorkers()
                try installation.startWorkers()
            case .both:
                installation.killIngest()
                installation.killWorkers()
                try installation.startWorkers()
                try installation.startIngest()
            }
        }

        private func expectEverything(
            acknowledged: LoadDriver.Acknowledged,
            in installation: Installation
        ) throws {
            let messageIDs = Set(acknowledged.messages.values.joined())
            #expect(acknowledged.statuses.count > 50 && messageIDs.count > 50)
            try waitUntil(within: .seconds(120)) {
                let arrived = Set(
                    try installation.receiver.taken().flatMap { try messages(in: $0) })
                return try arrived.count >= messageIDs.count
                    && installation.lake.lines().count >= acknowledged.statuses.count
            }
            installation.stopPrograms()

            let lines = try installation.lake.lines().map { try JSON.object($0)["id"] as? String }
            #expect(lines.compactMap { $0 }.sorted() == acknowledged.statuses.sorted())

            let arrivals = try installation.receiver.taken()
            #expect(arrivals.allSatisfy { $0.isSigned })
            var firstArrivals: [String: [String]] = [:]
            var known: Set<String> = []
            for (conversation, id) in try arrivals.flatMap({ try sendersAndIDs(in: $0) })
            where known.insert(id).inserted {
                firstArrivals[conversation, default: []].append(id)
            }
            // Equal lists: nothing is missing, nothing is there besides, and all is in order.
            #expect(firstArrivals == acknowledged.messages)
            print("crash test: \(acknowledged.webhookCount) acknowledged, 0 lost")
        }

        private func messages(in arrival: PHPReceiver.Arrival) throws -> [String] {
            try sendersAndIDs(in: arrival).map(\.id)
        }

        private func sendersAndIDs(
            in arrival: PHPReceiver.Arrival
        ) throws -> [(conversation: String, id: String)] {
            try JSON.changes(of: JSON.object(arrival.text)).flatMap { change in
                (change.value["messages"] as? [[String: Any]] ?? []).map {
                    ($0["from"] as? String ?? "", $0["id"] as? String ?? "")
                }
            }
        }
    }
}
