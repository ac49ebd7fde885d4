/// The 32-bit Mersenne Twister (MT19937), the generator behind both numpy's `RandomState` and
/// torch's CPU generator.
///
/// Only the word stream lives here; what callers make of the words (doubles, bounded integers,
/// permutations) differs between numpy and torch and lives with those who need it.
/// Source: Matsumoto and Nishimura 1998, doi:10.1145/272991.272995. Checked by
/// `MersenneTwisterTests` against numpy's state and outputs.
public struct MersenneTwister: Sendable {
    /// The 624 state words; with `position` they are the whole state.
    public private(set) var words: [UInt32]
    /// Index of the next word to temper, 0...624; 624 means "regenerate first".
    public private(set) var position: Int

    /// Seeds with the reference `init_genrand`.
    public init(seed: UInt32) {
        var words = [UInt32](repeating: 0, count: 624)
        words[0] = seed
        for index in 1..<624 {
            let previous = words[index - 1]
            words[index] = 1_812_433_253 &* (previous ^ (previous >> 30)) &+ UInt32(index)
        }
        self.words = words
        self.position = 624
    }

    /// Restores a saved state; `nil` unless there are 624 words and a position in 0...624.
    public init?(words: [UInt32], position: Int) {
        guard words.count == 624, (0...624).contains(position) else { return nil }
        self.words = words
        self.position = position
    }

    /// The next tempered 32-bit word.
    public mutating func next() -> UInt32 {
        if position == 624 { regenerate() }
        var word = words[position]
        position += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9d2c_5680
        word ^= (word << 15) & 0xefc6_0000
        word ^= word >> 18
        return word
    }

    /// The next two words as one 64-bit value, the first word in the high half.
    public mutating func next64() -> UInt64 {
        let high = UInt64(next())
        return high << 32 | UInt64(next())
    }

    private mutating func regenerate() {
        words.withUnsafeMutableBufferPointer { words in
            for index in 0..<624 {
                let joined =
                    (words[index] & 0x8000_0000) | (words[(index + 1) % 624] & 0x7fff_ffff)
                let twist: UInt32 = joined & 1 == 0 ? 0 : 0x9908_b0df
                words[index] = words[(index + 397) % 624] ^ (joined >> 1) ^ twist
            }
        }
        position = 0
    }
}
