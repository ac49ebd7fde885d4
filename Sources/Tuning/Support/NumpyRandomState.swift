// numpy's legacy generator, word for word: what Optuna's samplers draw from.

import RandomGenerators

/// numpy's `RandomState` on top of `RandomGenerators/MersenneTwister`: the same seed gives the
/// same numbers in the same order. Only the calls that Optuna's samplers make are here.
public struct NumpyRandomState: Sendable {
    private var twister: MersenneTwister
    /// The second number of the last Gaussian pair.
    private var spareGaussian: Double?

    public init(seed: UInt32) { twister = MersenneTwister(seed: seed) }

    /// Seeded from the operating system, as numpy's `RandomState(None)`; not reproducible.
    public static func fromEntropy() -> NumpyRandomState {
        var system = SystemRandomNumberGenerator()
        var state = NumpyRandomState(seed: UInt32.random(in: .min ... .max, using: &system))
        var words = (0..<624).map { _ in UInt32.random(in: .min ... .max, using: &system) }
        words[0] = 0x8000_0000
        if let twister = MersenneTwister(words: words, position: 624) { state.twister = twister }
        return state
    }

    /// A generator of that seed, or one seeded by the operating system.
    static func make(seed: UInt32?) -> NumpyRandomState {
        seed.map(NumpyRandomState.init(seed:)) ?? .fromEntropy()
    }

    public mutating func word() -> UInt32 { twister.next() }

    /// `random_sample()`: 53 bits in [0, 1), two words.
    public mutating func double() -> Double {
        let high = twister.next() >> 5
        let low = twister.next() >> 6
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }

    /// `rand(count)`.
    public mutating func doubles(_ count: Int) -> [Double] { (0..<count).map { _ in double() } }

    /// `uniform(low, high)`.
    public mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * double()
    }

    /// An integer of 0...limit by masked rejection; no word is drawn for limit 0.
    public mutating func bounded(_ limit: UInt64) -> UInt64 {
        if limit == 0 { return 0 }
        let mask = UInt64.max >> UInt64(limit.leadingZeroBitCount)
        while true {
            let draw = (limit > 0xffff_ffff ? twister.next64() : UInt64(twister.next())) & mask
            if draw <= limit { return draw }
        }
    }

    /// `randint(low, high)`, high excluded; low < high.
    public mutating func integer(_ low: Int, _ high: Int) -> Int {
        let width = UInt64(bitPattern: Int64(high)) &- UInt64(bitPattern: Int64(low))
        return Int(truncatingIfNeeded: UInt64(bitPattern: Int64(low)) &+ bounded(width &- 1))
    }

    /// `choice(count)`, count > 0.
    public mutating func choice(_ count: Int) -> Int { integer(0, count) }

    /// `choice(weights.count, p: weights, size: count)`; the weights add up to 1.
    public mutating func choices(weights: [Double], count: Int) -> [Int] {
        var cumulative = weights
        var sum = 0.0
        for index in cumulative.indices {
            sum += cumulative[index]
            cumulative[index] = sum
        }
        for index in cumulative.indices { cumulative[index] /= sum }
        return (0..<count).map { _ in
            let draw = double()
            // The first place whose running sum exceeds the draw.
            var low = 0
            var high = cumulative.count
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] <= draw { low = middle + 1 } else { high = middle }
            }
            return min(low, cumulative.count - 1)
        }
    }

    /// `choice(weights.count, p: weights, size: count, replace: False)`; the weights add up to 1, and
    /// at least `count` of them are positive.
    mutating func distinctChoices(weights: [Double], count: Int) -> [Int] {
        var rest = weights
        var chosen: [Int] = []
        while chosen.count < count {
            for index in chosen { rest[index] = 0 }
            let draws = choices(weights: rest, count: count - chosen.count)
            for draw in draws where !chosen.contains(draw) { chosen.append(draw) }
        }
        return chosen
    }

    /// `shuffle(values)`, in place.
    public mutating func shuffle<Element>(_ values: inout [Element]) {
        for index in values.indices.dropFirst().reversed() {
            values.swapAt(index, Int(bounded(UInt64(index))))
        }
    }

    /// `permutation(count)`.
    public mutating func permutation(_ count: Int) -> [Int] {
        var values = Array(0..<count)
        shuffle(&values)
        return values
    }

    /// `standard_normal()` by the polar method; every other call uses no word.
    public mutating func standardNormal() -> Double {
        if let spare = spareGaussian {
            spareGaussian = nil
            return spare
        }
        while true {
            let first = 2 * double() - 1
            let second = 2 * double() - 1
            let square = first * first + second * second
            if square >= 1 || square == 0 { continue }
            let factor = (-2 * logarithm(square) / square).squareRoot()
            spareGaussian = factor * first
            return factor * second
        }
    }
}

/// Refuses a seed that numpy refuses.
func checkedSeed(_ seed: Int?, owner: String) throws -> UInt32? {
    guard let seed else { return nil }
    guard let word = UInt32(exactly: seed) else {
        throw TuningError.argument(
            owner: owner, name: "seed", problem: "must be between 0 and 2**32 - 1, but got \(seed)")
    }
    return word
}
