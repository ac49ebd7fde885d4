/// numpy's `SeedSequence`: spreads the bits of a seed over as many words as a generator needs.
///
/// Source: O'Neill 2015, "Developing a seed_seq Alternative" (pcg-random.org); the constants and
/// the pool of four words are numpy's. Checked by `PCG64Tests` against numpy.
public struct SeedSequence: Sendable {
    private var pool: [UInt32]

    public init(entropy: UInt64) {
        // numpy takes a seed as little-endian words without leading zeros.
        let high = UInt32(truncatingIfNeeded: entropy >> 32)
        let low = UInt32(truncatingIfNeeded: entropy)
        let words = high == 0 ? [low] : [low, high]
        var hashConstant: UInt32 = 0x43b0_d7e5
        func hash(_ word: UInt32) -> UInt32 {
            var value = word ^ hashConstant
            hashConstant = hashConstant &* 0x931e_8875
            value = value &* hashConstant
            return value ^ value >> 16
        }
        func mix(_ left: UInt32, _ right: UInt32) -> UInt32 {
            let value = 0xca01_f9dd &* left &- 0x4973_f715 &* right
            return value ^ value >> 16
        }
        pool = (0..<4).map { hash($0 < words.count ? words[$0] : 0) }
        for source in 0..<4 {
            for target in 0..<4 where source != target {
                pool[target] = mix(pool[target], hash(pool[source]))
            }
        }
    }

    /// `generate_state(count, numpy.uint32)`.
    public func words32(_ count: Int) -> [UInt32] {
        var hashConstant: UInt32 = 0x8b51_f9dd
        return (0..<count).map { index in
            var value = pool[index % 4] ^ hashConstant
            hashConstant = hashConstant &* 0x58f3_8ded
            value = value &* hashConstant
            return value ^ value >> 16
        }
    }

    /// `generate_state(count, numpy.uint64)`.
    public func words64(_ count: Int) -> [UInt64] {
        let halves = words32(2 * count)
        return (0..<count).map { UInt64(halves[2 * $0 + 1]) << 32 | UInt64(halves[2 * $0]) }
    }
}
