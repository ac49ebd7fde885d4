package import RandomGenerators

/// torch's CPU generator: what `torch.manual_seed` seeds and what `randperm`, dropout and data
/// loaders draw from. A class because torch's generators are shared by reference.
package final class TorchGenerator {
    package private(set) var state: MersenneTwister
    /// The last seed given, as `torch.initial_seed()` returns it.
    package private(set) var initialSeed: UInt64

    /// torch seeds MT19937 with the low 32 bits.
    package init(seed: UInt64) {
        initialSeed = seed
        state = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    package func manualSeed(_ seed: UInt64) {
        initialSeed = seed
        state = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    /// Puts back a state saved in a checkpoint.
    package func restore(_ saved: MersenneTwister, initialSeed: UInt64) {
        state = saved
        self.initialSeed = initialSeed
    }

    package func next32() -> UInt32 { state.next() }

    /// Two words, the first in the high half: torch's `random64`.
    package func next64() -> UInt64 { state.next64() }

    /// torch.randperm(n) on the CPU: a Fisher-Yates walk from the front, n - 1 words.
    package func permutation(_ count: Int) -> [Int] {
        var result = Array(0..<max(count, 0))
        guard count > 1 else { return result }
        for index in 0..<(count - 1) {
            let offset = Int(next32() % UInt32(truncatingIfNeeded: count - index))
            result.swapAt(index, index + offset)
        }
        return result
    }
}
