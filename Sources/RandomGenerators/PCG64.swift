/// numpy's `default_rng`: PCG64 seeded through a `SeedSequence`.
///
/// Sources: O'Neill 2014, "PCG: A Family of Simple Fast Space-Efficient Statistically Good
/// Algorithms for Random Number Generation" (the 128-bit XSL-RR member). Checked by `PCG64Tests`
/// against numpy.
public struct PCG64: Sendable {
    private var state: UInt128
    private let increment: UInt128
    /// The unused high half of a 64-bit word when 32 bits were asked for.
    private var spare: UInt32?

    /// `numpy.random.default_rng(seed)`.
    public init(seed: UInt64) {
        let words = SeedSequence(entropy: seed).words64(4)
        let initial = UInt128(words[0]) << 64 | UInt128(words[1])
        let stream = UInt128(words[2]) << 64 | UInt128(words[3])
        increment = stream << 1 | 1
        state = 0
        step()
        state &+= initial
        step()
    }

    public mutating func next64() -> UInt64 {
        step()
        let folded = UInt64(truncatingIfNeeded: state >> 64) ^ UInt64(truncatingIfNeeded: state)
        let rotation = UInt64(truncatingIfNeeded: state >> 122)
        return folded >> rotation | folded << (64 &- rotation & 63)
    }

    /// Half a 64-bit word, the low half first.
    public mutating func next32() -> UInt32 {
        if let word = spare {
            spare = nil
            return word
        }
        let word = next64()
        spare = UInt32(truncatingIfNeeded: word >> 32)
        return UInt32(truncatingIfNeeded: word)
    }

    /// A uniform double in [0, 1) with 53 random bits.
    public mutating func nextDouble() -> Double { Double(next64() >> 11) * 0x1p-53 }

    /// `Generator.permutation(count)`.
    public mutating func permutation(_ count: Int) -> [Int] {
        var result = Array(0..<max(count, 0))
        for last in stride(from: count - 1, to: 0, by: -1) {
            result.swapAt(last, Int(interval(UInt64(last))))
        }
        return result
    }

    /// A uniform integer in 0 ... `limit` by masking and rejection: numpy's `random_interval`,
    /// which its shuffles use where its `integers` would take Lemire's method.
    private mutating func interval(_ limit: UInt64) -> UInt64 {
        if limit == 0 { return 0 }
        let mask = UInt64.max >> UInt64(limit.leadingZeroBitCount)
        while true {
            let word = limit <= UInt64(UInt32.max) ? UInt64(next32()) : next64()
            if word & mask <= limit { return word & mask }
        }
    }

    private mutating func step() {
        let multiplier = UInt128(2_549_297_995_355_413_924) << 64 | 4_865_540_595_714_422_341
        state = state &* multiplier &+ increment
    }
}
