import TestSupport
import Testing

/// Random moves on a real queue and on lists in memory, compared after every one.
///
/// `QUEUE_MODEL_STEPS` sets how many in all (docs/RELIABILITY.md has the long runs); a queue lives
/// for an episode of them. Where the two sides differ, the episode is made as short as it can be
/// and still differ, and printed.
@Suite struct QueueModelTests {
    @Test func `the queue does what lists in memory would do`() throws {
        let stepCount = EnvironmentNumber.read("QUEUE_MODEL_STEPS", otherwise: 1_500)
        var generator = SeededGenerator.announced("queue model, \(stepCount) steps")
        var done = 0
        var exercised = 0
        while done < stepCount {
            let moves = (0..<min(Self.episodeCount, stepCount - done)).map { _ in
                Move(next: &generator)
            }
            done += moves.count
            switch QueueModelRun.play(moves) {
            case .agreed(let settledCount): exercised += settledCount
            case .differed(let index, let difference):
                Issue.record("seed \(generator.seed), move \(index): \(difference)")
                print("the shortest way there:")
                for move in Shrinking.shortest(Array(moves[...index])) { print("    \(move)") }
                return
            }
            if done % 100_000 < Self.episodeCount { print("queue model: \(done) steps so far") }
        }
        #expect(exercised > stepCount / 100, "nothing was exercised")
        print("queue model: \(done) steps, no difference")
    }

    private static let episodeCount = 750

    @Test func `a failing episode is made short`() {
        let moves = (0..<200).map { Move(operation: .append, seed: UInt64($0)) }
        let short = Shrinking.shortest(moves) { tried in
            tried.contains { $0.seed == 17 } && tried.contains { $0.seed == 140 }
        }
        #expect(short.map(\.seed) == [17, 140])
    }
}

/// One step of an episode: what is done, and the seed of all that is chosen in it.
///
/// Its choices depend on nothing that came before, so that moves can be left out.
struct Move: CustomStringConvertible {
    let operation: Operation
    let seed: UInt64

    init(operation: Operation, seed: UInt64) {
        self.operation = operation
        self.seed = seed
    }

    init(next generator: inout SeededGenerator) {
        operation = Operation.allCases[generator.below(Operation.allCases.count)]
        seed = generator.next() >> 40
    }

    var description: String { "\(operation) \(seed)" }
}

enum Operation: CaseIterable {
    case append, appendAgain, appendBroken, readLake, crashBeforeSeal, ship, readForward
    case readTwice, deliver, fail, bury, settleLate, replay, replayDelivered, reread, takeIn
    case discard, purge, reopen, checkpoint, passTime
}

/// Makes a failing list of moves shorter while it fails.
enum Shrinking {
    /// Leaves out halves, quarters and so on down to single moves, as long as `fails`.
    static func shortest(
        _ moves: [Move],
        fails: ([Move]) -> Bool = { moves in
            if case .differed = QueueModelRun.play(moves) { return true }
            return false
        }
    ) -> [Move] {
        var best = moves
        var size = max(1, best.count / 2)
        while true {
            var start = 0
            while start < best.count {
                var tried = best
                tried.removeSubrange(start..<min(start + size, tried.count))
                if !tried.isEmpty, fails(tried) { best = tried } else { start += size }
            }
            guard size > 1 else { return best }
            size = max(1, size / 2)
        }
    }
}

extension SeededGenerator {
    /// A number from 0 up to, not including, `bound`; 0 where `bound` is not positive.
    mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int(next() % UInt64(bound)) : 0
    }
}
