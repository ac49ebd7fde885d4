// Low-discrepancy sequences: points of the unit cube that fill it more evenly than random ones.

import RandomGenerators

/// Points by index, as `scipy.stats.qmc` gives them.
package protocol QuasiRandomSequence: Sendable {
    /// The point of that index, each coordinate in [0, 1).
    func point(_ index: Int) -> [Double]
}

// MARK: - Sobol

/// Sobol's sequence with 30 bits, in Gray code order; scrambled by a random lower triangular matrix
/// and a shift.
///
/// Source: Joe and Kuo 2008; Matoušek 1998, doi:10.1006/jcom.1998.0489 (scrambling). Checked by
/// `QuasiRandomSequenceTests` against scipy, number for number.
package struct SobolSequence: QuasiRandomSequence {
    private static let bits = 30
    /// As many dimensions as the table has.
    package static let largestDimension = table.count + 1

    /// [dimension][bit], the first for the lowest bit of an index.
    private var directions: [[UInt32]]
    private var shift: [UInt32]

    private static let table: [(polynomial: UInt32, numbers: [UInt32])] =
        sobolDirectionNumbers.split(separator: ";").compactMap { entry in
            let words = entry.split(separator: " ").compactMap { UInt32($0) }
            guard let polynomial = words.first else { return nil }
            return (polynomial, Array(words.dropFirst()))
        }

    /// - dimension: 1 ... ``largestDimension``. - seed: scrambles; `nil` does not.
    package init(dimension: Int, seed: UInt64? = nil) {
        directions = (0..<dimension).map { Self.directions(ofDimension: $0) }
        shift = Array(repeating: 0, count: dimension)
        if let seed { scramble(PCG64(seed: seed)) }
    }

    private static func directions(ofDimension dimension: Int) -> [UInt32] {
        var values = [UInt32](repeating: 1, count: bits)
        if dimension > 0 {
            let (polynomial, numbers) = table[dimension - 1]
            let degree = numbers.count
            for index in 0..<bits {
                if index < degree {
                    values[index] = numbers[index]
                    continue
                }
                var value = values[index - degree]
                for back in 0..<degree where polynomial >> UInt32(degree - 1 - back) & 1 == 1 {
                    value ^= values[index - back - 1] << UInt32(back + 1)
                }
                values[index] = value
            }
        }
        return values.enumerated().map { $1 << UInt32(bits - 1 - $0) }
    }

    private mutating func scramble(_ generator: PCG64) {
        var generator = generator
        // Random bits, as numpy draws integers below 2: the highest bit of each word.
        func bit() -> UInt32 { generator.next32() >> 31 }
        for dimension in shift.indices {
            for place in 0..<Self.bits { shift[dimension] |= bit() << UInt32(place) }
        }
        for dimension in shift.indices {
            // Rows of a lower triangular matrix with ones on the diagonal; what is drawn above the
            // diagonal is not used. Column 0 is the highest bit.
            let rows = (0..<Self.bits).map { row in
                (0..<Self.bits).reduce(UInt32(0)) { bits, column in
                    let drawn = bit()
                    let kept = column == row ? 1 : column < row ? drawn : 0
                    return bits | kept << UInt32(Self.bits - 1 - column)
                }
            }
            for place in 0..<Self.bits {
                let value = directions[dimension][place]
                directions[dimension][place] = rows.enumerated().reduce(UInt32(0)) { result, row in
                    let parity = UInt32((row.element & value).nonzeroBitCount & 1)
                    return result | parity << UInt32(Self.bits - 1 - row.offset)
                }
            }
        }
    }

    package func point(_ index: Int) -> [Double] {
        let gray = index ^ (index >> 1)
        return directions.indices.map { dimension in
            var value = shift[dimension]
            for place in 0..<Self.bits where gray >> place & 1 == 1 {
                value ^= directions[dimension][place]
            }
            return Double(value) / Double(1 << Self.bits)
        }
    }
}

// MARK: - Halton

/// Halton's sequence: the digits of the index mirrored at the point, in another prime base for each
/// dimension; scrambled by a permutation of the digits at each place.
///
/// Source: Halton 1960; Owen 2017, arXiv:1706.02808 (scrambling). Checked by
/// `QuasiRandomSequenceTests` against scipy.
package struct HaltonSequence: QuasiRandomSequence {
    private let bases: [Int]
    /// [dimension][place][digit]; empty without scrambling.
    private var permutations: [[[Int]]] = []

    /// - seed: scrambles; `nil` does not.
    package init(dimension: Int, seed: UInt64? = nil) {
        bases = Self.primes(dimension)
        guard let seed else { return }
        var generator = PCG64(seed: seed)
        permutations = bases.map { base in
            let places = Int((54 / Self.log2(Double(base))).rounded(.up)) - 1
            return (0..<places).map { _ in generator.permutation(base) }
        }
    }

    private static func primes(_ count: Int) -> [Int] {
        var primes: [Int] = []
        var candidate = 2
        while primes.count < count {
            if !primes.contains(where: { $0 * $0 <= candidate && candidate % $0 == 0 }) {
                primes.append(candidate)
            }
            candidate += 1
        }
        return primes
    }

    package func point(_ index: Int) -> [Double] {
        bases.indices.map { dimension in
            let base = bases[dimension]
            var rest = index
            var weight = 1 / Double(base)
            var sum = 0.0
            if permutations.isEmpty {
                while rest > 0 {
                    sum += Double(rest % base) * weight
                    weight /= Double(base)
                    rest /= base
                }
            } else {
                for permutation in permutations[dimension] {
                    sum += Double(permutation[rest % base]) * weight
                    weight /= Double(base)
                    rest /= base
                }
            }
            return sum
        }
    }

    private static func log2(_ x: Double) -> Double { logarithm(x) / logarithm(2) }
}
