/// What the fuzz targets share: a fixed randomness for each input, and a way to fail.
///
/// The targets are no part of the package: `scripts/fuzz` compiles them together with the sources
/// they try, instrumented for libFuzzer and the address sanitizer.
struct InputGenerator {
    private var state: UInt64

    /// The same numbers whenever the same input is tried, so that what was found is found again.
    init(_ input: UnsafeBufferPointer<UInt8>) { state = fingerprint(input) | 1 }

    /// A number below `bound`.
    mutating func number(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(truncatingIfNeeded: state >> 33) % bound
    }
}

/// FNV-1a, continued from `start`.
func fingerprint(
    _ bytes: some Sequence<UInt8>,
    from start: UInt64 = 0xCBF2_9CE4_8422_2325
) -> UInt64 {
    var state = start
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return state
}

/// Ends the process, which libFuzzer takes for a fault in what it tries.
func require(_ condition: Bool, _ promise: StaticString) {
    precondition(condition, "broken: \(promise)")
}
