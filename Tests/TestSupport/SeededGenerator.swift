import Glibc

/// Random numbers that come again with their seed (SplitMix64).
///
/// A random test prints the seed it ran with; `TEST_SEED=N` in the environment runs it again.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What the numbers follow from.
    public let seed: UInt64
    private var state: UInt64

    /// - Parameter seed: any number; the same one gives the same sequence.
    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Starts from `TEST_SEED`, or from a seed of its own, and prints which under `name`.
    public static func announced(_ name: String) -> SeededGenerator {
        let given = getenv("TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let generator = SeededGenerator(seed: given ?? UInt64.random(in: 0...UInt64(UInt32.max)))
        print("\(name): seed \(generator.seed), again with TEST_SEED=\(generator.seed)")
        return generator
    }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
