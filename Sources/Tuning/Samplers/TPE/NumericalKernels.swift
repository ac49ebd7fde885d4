// The kernels of one numerical parameter: cut-off normal distributions.

/// Where the kernels of one parameter stand.
struct KernelPlaces: Sendable {
    /// Of the observations, oldest first: numbers, logarithms or places of choices.
    var centres: [Double]
    /// Slot of each observation in a ``TPEHistory``, or -1; `nil` if none has one.
    var slots: [Int]?
    /// Indices of the centres in ascending order, where that is known and unique.
    var order: [Int]?

    init(centres: [Double], slots: [Int]? = nil, order: [Int]? = nil) {
        self.centres = centres
        self.slots = slots
        self.order = order
    }
}

/// Where the values of a numerical parameter lie, on the axis that the kernels use.
package struct NumericalRange: Sendable {
    /// Ends of the support: the range, half a step wider on both sides where there are steps.
    let lower: Double
    let upper: Double
    let step: Double?
    let isLog: Bool
    private let low: Double
    private let high: Double

    init(low: Double, high: Double, step: Double?, isLog: Bool) {
        self.low = low
        self.high = high
        self.step = step
        self.isLog = isLog
        let margin = step.map { $0 / 2 } ?? 0
        lower = isLog ? logarithm(low - margin) : low - margin
        upper = isLog ? logarithm(high + margin) : high + margin
    }

    /// The parameter's value at a place of the (logarithmic) axis: back from the logarithm, then
    /// onto the grid.
    func value(ofPosition position: Double) -> Double {
        let value = isLog ? exponential(position) : position
        guard let step else { return value }
        let rounded = low + ((value - low) / step).rounded(.toNearestOrEven) * step
        return min(max(rounded, low), high)
    }
}

/// A cut-off normal distribution per kernel, in the logarithm where the range is logarithmic. The
/// last one is the prior.
package struct NumericalKernels: Sendable {
    package private(set) var mu: [Double]
    package private(set) var sigma: [Double]
    let range: NumericalRange
    /// Log mass of each kernel within the range.
    private(set) var norms: [Double]
    /// Without steps: what is subtracted from -z²/2.
    fileprivate var constants: [Double] = []
    /// With steps: rows of the kernels in `masses`, and those in use, once each.
    private var rows: [Int32] = []
    private var distinctRows: [Int32] = []
    private let masses: StepMasses

    init(
        _ places: KernelPlaces, _ range: NumericalRange, _ parameters: ParzenEstimatorParameters,
        _ masses: StepMasses, _ cache: inout KernelCache
    ) {
        self.range = range
        self.masses = masses
        let count = places.centres.count
        mu = places.centres
        mu.append(0.5 * (range.lower + range.upper))
        sigma = Self.bandwidths(places, range, parameters)
        sigma.append(range.upper - range.lower)
        norms = [Double](repeating: 0, count: count + 1)
        if range.step == nil {
            constants = norms
            addConstants(places.slots, &cache)
        } else {
            rows = [Int32](repeating: -1, count: count + 1)
            addRows(places.slots, &cache)
        }
    }

    /// The larger gap to a neighbour in sorted order, kept between a fraction of the range (the
    /// "magic clip") and the whole.
    private static func bandwidths(
        _ places: KernelPlaces, _ range: NumericalRange, _ parameters: ParzenEstimatorParameters
    ) -> [Double] {
        let centres = places.centres
        let count = centres.count
        let order = places.order ?? argSort(centres, parameters.tieOrder)
        let widest = range.upper - range.lower
        var narrowest = 1e-12
        if parameters.considerMagicClip { narrowest = widest / min(100, Double(count + 2)) }
        var result: [Double] = []
        result.reserveCapacity(count + 1)
        result.append(contentsOf: repeatElement(0, count: count))
        for rank in 0..<count {
            let index = order[rank]
            let left = centres[index] - (rank == 0 ? range.lower : centres[order[rank - 1]])
            let right =
                (rank == count - 1 ? range.upper : centres[order[rank + 1]]) - centres[index]
            var width = left > right ? left : right
            if !parameters.considerEndpoints && count >= 2 {
                if rank == 0 { width = right } else if rank == count - 1 { width = left }
            }
            result[index] = min(max(width, narrowest), widest)
        }
        return result
    }

    /// Log mass within the range of a kernel.
    private func norm(_ kernel: Int) -> Double {
        logNormalMass(
            (range.lower - mu[kernel]) / sigma[kernel], (range.upper - mu[kernel]) / sigma[kernel])
    }

    private mutating func addConstants(_ slots: [Int]?, _ cache: inout KernelCache) {
        for (kernel, slot) in (slots ?? []).enumerated()
        where slot >= 0 && cache.sigmas[slot] == sigma[kernel] {
            norms[kernel] = cache.norms[slot]
            constants[kernel] = cache.constants[slot]
        }
        // The others, and the prior, which has no slot; no constant is 0.
        for kernel in mu.indices where constants[kernel] == 0 {
            norms[kernel] = norm(kernel)
            constants[kernel] = logSqrtTwoPi + norms[kernel] + logarithm(sigma[kernel])
            guard let slots, kernel < slots.count, slots[kernel] >= 0 else { continue }
            cache.sigmas[slots[kernel]] = sigma[kernel]
            cache.norms[slots[kernel]] = norms[kernel]
            cache.constants[slots[kernel]] = constants[kernel]
        }
    }

    private mutating func addRows(_ slots: [Int]?, _ cache: inout KernelCache) {
        for (kernel, slot) in (slots ?? []).enumerated()
        where slot >= 0 && cache.sigmas[slot] == sigma[kernel] {
            rows[kernel] = cache.rows[slot]
        }
        for kernel in mu.indices where rows[kernel] < 0 {
            rows[kernel] = masses.row(mu[kernel], sigma[kernel]) { norm(kernel) }
            guard let slots, kernel < slots.count, slots[kernel] >= 0 else { continue }
            cache.sigmas[slots[kernel]] = sigma[kernel]
            cache.rows[slots[kernel]] = rows[kernel]
        }
        let known = masses.norms
        var isUsed = [Bool](repeating: false, count: known.count)
        for kernel in rows.indices {
            let row = Int(rows[kernel])
            norms[kernel] = known[row]
            if !isUsed[row] {
                isUsed[row] = true
                distinctRows.append(rows[kernel])
            }
        }
    }

    // MARK: Steps

    /// Makes ``addLogMasses(_:to:)`` possible for these points.
    func prepareMasses(_ points: [Double]) {
        guard let step = range.step else { return }
        let half = step / 2
        masses.trim()
        var done: Set<Double> = []
        for value in points where done.insert(value).inserted {
            masses.prepare(
                value, left: range.isLog ? logarithm(value - half) : value - half,
                right: range.isLog ? logarithm(value + half) : value + half, rows: distinctRows)
        }
    }

    /// scores[kernel] gets the log mass of the step around the point, within the support.
    func addLogMasses(_ value: Double, to scores: UnsafeMutableBufferPointer<Double>) {
        masses.withMasses(of: value) { column in
            rows.withUnsafeBufferPointer { rows in
                norms.withUnsafeBufferPointer { norms in
                    for kernel in rows.indices {
                        scores[kernel] += column[Int(rows[kernel])]
                        scores[kernel] -= norms[kernel]
                    }
                }
            }
        }
    }
}

/// The parameters without steps, whose log densities are added up first and then to the score.
struct ContinuousDimensions {
    /// Place of the dimension among all, kernels.
    private let dimensions: [(index: Int, kernels: NumericalKernels)]
    /// 1 / σ by dimension and kernel.
    private let inverses: [[Double]]
    /// Sum over the dimensions of what is subtracted from -z²/2.
    private let constants: [Double]

    init(_ dimensions: [ParzenEstimator.Dimension], _ kernelCount: Int) {
        self.dimensions = dimensions.enumerated().compactMap { index, dimension in
            guard case .numerical(let kernels) = dimension, kernels.range.step == nil else {
                return nil
            }
            return (index, kernels)
        }
        inverses = self.dimensions.map { $0.kernels.sigma.map { 1 / $0 } }
        var constants = [Double](repeating: 0, count: kernelCount)
        for (_, kernels) in self.dimensions {
            for kernel in 0..<kernelCount { constants[kernel] += kernels.constants[kernel] }
        }
        self.constants = constants
    }

    /// scores[kernel] gets the log density of a point, -inf off the support.
    func addLogDensities(
        _ samples: [[Double]], _ point: Int, to scores: UnsafeMutableBufferPointer<Double>
    ) {
        if dimensions.isEmpty { return }
        var positions: [Double] = []
        for (index, kernels) in dimensions {
            let value = samples[index][point]
            let position = kernels.range.isLog ? logarithm(value) : value
            if position < kernels.range.lower || position > kernels.range.upper {
                scores.update(repeating: -.infinity)
                return
            }
            positions.append(position)
        }
        constants.withUnsafeBufferPointer { constants in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: scores.count) { squares in
                squares.initialize(repeating: 0)
                for place in dimensions.indices {
                    let position = positions[place]
                    dimensions[place].kernels.mu.withUnsafeBufferPointer { mu in
                        inverses[place].withUnsafeBufferPointer { inverse in
                            for kernel in squares.indices {
                                let z = (position - mu[kernel]) * inverse[kernel]
                                squares[kernel] += z * z
                            }
                        }
                    }
                }
                for kernel in squares.indices {
                    scores[kernel] += -0.5 * squares[kernel] - constants[kernel]
                }
            }
        }
    }
}

/// Log masses of the steps of one parameter under its kernels, computed once for each step and
/// distinct kernel. Used by one draw at a time.
final class StepMasses: @unchecked Sendable {
    private struct Kernel: Hashable {
        let mu: UInt64
        let sigma: UInt64
    }

    private var rowOfKernel: [Kernel: Int32] = [:]
    private var mus: [Double] = []
    private var sigmas: [Double] = []
    /// By row.
    private(set) var norms: [Double] = []
    /// By value of the parameter and row; NaN is not computed yet.
    private var masses: [Double: [Double]] = [:]

    var rowCount: Int { mus.count }

    /// Beyond this it is better to begin anew.
    var isLarge: Bool { mus.count > 20_000 }

    func row(_ mu: Double, _ sigma: Double, norm: () -> Double) -> Int32 {
        let kernel = Kernel(mu: mu.bitPattern, sigma: sigma.bitPattern)
        if let row = rowOfKernel[kernel] { return row }
        let row = Int32(mus.count)
        rowOfKernel[kernel] = row
        mus.append(mu)
        sigmas.append(sigma)
        norms.append(norm())
        return row
    }

    /// Bounds the memory of what is remembered: about 8 MB a parameter.
    func trim() {
        if masses.count * mus.count > 1_000_000 { masses.removeAll(keepingCapacity: true) }
    }

    /// - left, right: ends of the step around `value` on the kernels' axis.
    func prepare(_ value: Double, left: Double, right: Double, rows: [Int32]) {
        var column = masses.removeValue(forKey: value) ?? []
        if column.count < mus.count {
            column.append(contentsOf: repeatElement(.nan, count: mus.count - column.count))
        }
        column.withUnsafeMutableBufferPointer { column in
            for row in rows where column[Int(row)].isNaN {
                let mu = mus[Int(row)]
                let sigma = sigmas[Int(row)]
                column[Int(row)] = logNormalMass((left - mu) / sigma, (right - mu) / sigma)
            }
        }
        masses[value] = column
    }

    /// The masses of a prepared value, by row.
    func withMasses(of value: Double, _ body: (UnsafeBufferPointer<Double>) -> Void) {
        masses[value]?.withUnsafeBufferPointer(body)
    }
}
