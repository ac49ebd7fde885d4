// A mixture of product kernels over a search space: one kernel per observation and one prior.
// TPE builds two, of the good and of the other trials, draws from the first and compares.

/// The knobs of the kernels that ``TPESampler`` passes on.
package struct ParzenEstimatorParameters: Sendable {
    var priorWeight = 1.0
    var considerMagicClip = true
    var considerEndpoints = false
    /// Weights of n observations, oldest first.
    package var weights: @Sendable (Int) throws -> [Double] = TPESampler.defaultWeights
    var tieOrder = TieOrder.native

    package init(tieOrder: TieOrder = .native) { self.tieOrder = tieOrder }
}

/// A density over a search space, estimated from observed points.
///
/// Kernel k is the product over the parameters of a normal distribution around observation k, cut
/// off to the range (numbers; in the logarithm where the range is logarithmic), or of a table of
/// probabilities that favours the observed choice. The last kernel is the prior: as wide as the
/// range, or uniform.
///
/// Source: Bergstra et al. 2011 (NeurIPS); Watanabe 2023, arXiv:2304.11127, section 4. Checked by
/// `ParzenEstimatorTests` and, end to end, `OptunaCompatibilityTests`.
package struct ParzenEstimator: Sendable {
    /// Mixture weights, adding up to 1.
    package let weights: [Double]
    package let dimensions: [Dimension]

    package enum Dimension: Sendable {
        case categorical(CategoricalKernels)
        case numerical(NumericalKernels)
    }

    /// - observations: for each distribution the observed internal values, all of one length n.
    /// - predeterminedWeights: instead of the weights function.
    package init(
        observations: [[Double]], distributions: [Distribution],
        parameters: ParzenEstimatorParameters, predeterminedWeights: [Double]? = nil
    ) throws {
        let count = observations.first?.count ?? 0
        var weights = try predeterminedWeights ?? Self.checkedWeights(parameters.weights, count)
        if count == 0 { weights = [1] } else { weights.append(parameters.priorWeight) }
        guard weights.count == count + 1 else {
            throw TuningError.sampler(
                problem: "The `weights` function returned \(weights.count - 1) weights for "
                    + "\(count) observations; return one for each.")
        }
        let sum = pairwiseSum(weights)
        guard sum > 0 else {
            throw TuningError.sampler(
                problem: "The weights of observations and prior add up to 0.")
        }
        self.weights = weights.map { $0 / sum }
        dimensions = zip(distributions, observations).map { distribution, observations in
            switch distribution {
            case .categorical(let distribution):
                .categorical(
                    CategoricalKernels(
                        observations, choiceCount: distribution.choices.count,
                        priorWeight: parameters.priorWeight))
            case .float(let distribution):
                .numerical(
                    NumericalKernels(
                        observations, low: distribution.low, high: distribution.high,
                        step: distribution.step, isLog: distribution.log, parameters))
            case .int(let distribution):
                .numerical(
                    NumericalKernels(
                        observations, low: Double(distribution.low),
                        high: Double(distribution.high), step: Double(distribution.step),
                        isLog: distribution.log, parameters))
            }
        }
    }

    private static func checkedWeights(
        _ function: (Int) throws -> [Double], _ count: Int
    ) throws -> [Double] {
        let weights = Array(try function(count).prefix(count))
        func refuse(_ what: String) -> TuningError {
            .sampler(
                problem: "The `weights` function is not allowed to return \(what) values "
                    + "\(pythonRepr(weights)). The argument of the `weights` function is "
                    + "\(count).")
        }
        if weights.contains(where: { $0 < 0 }) { throw refuse("negative") }
        if !weights.allSatisfy(\.isFinite) { throw refuse("infinite or NaN") }
        if !weights.isEmpty && !weights.contains(where: { $0 > 0 }) { throw refuse("all-zero") }
        return weights
    }

    // MARK: Drawing

    /// `count` points, one array of internal values per parameter.
    ///
    /// Random numbers are used up in this order: the kernel of each point; for each categorical
    /// parameter a number per point; then the same for each numerical one.
    package func sample(_ generator: inout NumpyRandomState, count: Int) -> [[Double]] {
        let kernels = generator.choices(weights: weights, count: count)
        var samples = [[Double]](repeating: [], count: dimensions.count)
        var numerical: [Int] = []
        for (index, dimension) in dimensions.enumerated() {
            switch dimension {
            case .categorical(let table):
                let quantiles = generator.doubles(count)
                samples[index] = zip(kernels, quantiles).map { kernel, quantile in
                    Double(table.choice(kernel: kernel, quantile: quantile))
                }
            case .numerical: numerical.append(index)
            }
        }
        // All numerical parameters are one batch of quantiles.
        var quantiles: [Double] = []
        var lower: [Double] = []
        var upper: [Double] = []
        for case .numerical(let it) in dimensions {
            quantiles += generator.doubles(count)
            lower += kernels.map { (it.lowerLimit - it.mu[$0]) / it.sigma[$0] }
            upper += kernels.map { (it.upperLimit - it.mu[$0]) / it.sigma[$0] }
        }
        let standard = truncatedNormalQuantiles(quantiles, lower: lower, upper: upper)
        for (row, index) in numerical.enumerated() {
            guard case .numerical(let it) = dimensions[index] else { continue }
            samples[index] = kernels.indices.map { place in
                let kernel = kernels[place]
                return it.value(
                    ofPosition: standard[row * count + place] * it.sigma[kernel] + it.mu[kernel])
            }
        }
        return samples
    }

    // MARK: Density

    /// Logarithm of the density at each of the points that ``sample(_:count:)`` returns.
    package func logDensities(_ samples: [[Double]]) -> [Double] {
        let kernelCount = weights.count
        let pointCount = samples.first?.count ?? 0
        var scores = [Double](repeating: 0, count: pointCount * kernelCount)
        scores.withUnsafeMutableBufferPointer { scores in
            for (dimension, points) in zip(dimensions, samples) {
                switch dimension {
                case .categorical(let table): table.addLogProbabilities(points, to: scores)
                case .numerical(let kernels) where kernels.step != nil:
                    kernels.addLogMasses(points, to: scores)
                case .numerical: break
                }
            }
            addContinuousLogDensities(samples, to: scores)
            let logWeights = weights.map { logarithm($0) }
            for point in 0..<pointCount {
                for kernel in 0..<kernelCount {
                    scores[point * kernelCount + kernel] += logWeights[kernel]
                }
            }
        }
        return (0..<pointCount).map { point in
            logSumOfExponentials(
                scores[(point * kernelCount)..<((point + 1) * kernelCount)])
        }
    }

    /// The parameters without steps, whose sum is formed first and then added as one number.
    private func addContinuousLogDensities(
        _ samples: [[Double]], to scores: UnsafeMutableBufferPointer<Double>
    ) {
        let continuous = dimensions.indices.filter { index in
            if case .numerical(let kernels) = dimensions[index] { return kernels.step == nil }
            return false
        }
        guard !continuous.isEmpty else { return }
        // terms[place][dimension], so that eight or more are added in numpy's order.
        let width = continuous.count
        var terms = [Double](repeating: 0, count: scores.count * width)
        for (column, index) in continuous.enumerated() {
            guard case .numerical(let kernels) = dimensions[index] else { continue }
            terms.withUnsafeMutableBufferPointer { terms in
                kernels.writeLogDensities(
                    samples[index], to: terms, column: column, width: width)
            }
        }
        terms.withUnsafeBufferPointer { terms in
            for place in scores.indices {
                scores[place] += pairwiseSum(
                    UnsafeBufferPointer(rebasing: terms[(place * width)..<((place + 1) * width)]))
            }
        }
    }

    private func logSumOfExponentials(_ scores: ArraySlice<Double>) -> Double {
        var largest = -Double.infinity
        for score in scores {
            if score.isNaN { return .nan }
            if score > largest { largest = score }
        }
        if largest == -.infinity { largest = 0 }
        return logarithm(pairwiseSum(scores.map { exponential($0 - largest) })) + largest
    }
}

// MARK: - Choices

/// One row of probabilities per kernel. Kernels that saw the same choice share a row.
package struct CategoricalKernels: Sendable {
    private let choiceCount: Int
    /// Row of each kernel: the observed choice, or `choiceCount` for the prior.
    private let rowOfKernel: [Int]
    /// [choiceCount + 1, choiceCount]
    private let rows: [[Double]]
    private let logRows: [[Double]]

    init(_ observations: [Double], choiceCount: Int, priorWeight: Double) {
        self.choiceCount = choiceCount
        let observed = observations.map { min(max(clampedInt($0), 0), choiceCount - 1) }
        rowOfKernel = observed + [choiceCount]
        let uniform = [Double](repeating: 1 / Double(choiceCount), count: choiceCount)
        if observations.isEmpty {
            rows = Array(repeating: uniform, count: choiceCount + 1)
        } else {
            let base = priorWeight / Double(observations.count + 1)
            rows = (0...choiceCount).map { choice in
                var row = [Double](repeating: base, count: choiceCount)
                if choice < choiceCount { row[choice] += 1 }
                let sum = pairwiseSum(row)
                return sum == 0 ? row : row.map { $0 / sum }
            }
        }
        logRows = rows.map { $0.map { logarithm($0) } }
    }

    /// Probabilities of the choices under a kernel.
    package func row(_ kernel: Int) -> [Double] { rows[rowOfKernel[kernel]] }

    /// Number of running sums below the quantile, the last sum counting as 1.
    func choice(kernel: Int, quantile: Double) -> Int {
        let row = rows[rowOfKernel[kernel]]
        var sum = 0.0
        var count = 0
        for choice in 0..<(choiceCount - 1) {
            sum += row[choice]
            if sum < quantile { count += 1 }
        }
        return count
    }

    func addLogProbabilities(_ points: [Double], to scores: UnsafeMutableBufferPointer<Double>) {
        let kernelCount = rowOfKernel.count
        for (point, value) in points.enumerated() {
            let choice = Int(value)
            let column = logRows.map { $0[choice] }
            for kernel in 0..<kernelCount {
                scores[point * kernelCount + kernel] += column[rowOfKernel[kernel]]
            }
        }
    }
}

// MARK: - Numbers

/// A cut-off normal distribution per kernel, in the logarithm where the range is logarithmic.
package struct NumericalKernels: Sendable {
    package let mu: [Double]
    package let sigma: [Double]
    /// Ends of the support: the range, half a step wider on both sides where there are steps.
    let lowerLimit: Double
    let upperLimit: Double
    let step: Double?
    private let low: Double
    private let high: Double
    private let isLog: Bool

    init(
        _ observations: [Double], low: Double, high: Double, step: Double?, isLog: Bool,
        _ parameters: ParzenEstimatorParameters
    ) {
        self.low = low
        self.high = high
        self.step = step
        self.isLog = isLog
        let margin = step.map { $0 / 2 } ?? 0
        let lower = isLog ? logarithm(low - margin) : low - margin
        let upper = isLog ? logarithm(high + margin) : high + margin
        lowerLimit = lower
        upperLimit = upper
        let centres = isLog ? observations.map { logarithm($0) } : observations
        sigma =
            Self.bandwidths(centres, lower, upper, parameters) + [upper - lower]
        mu = centres + [0.5 * (lower + upper)]
    }

    /// The larger gap to a neighbour in sorted order, kept between a fraction of the range (the
    /// "magic clip") and the whole.
    private static func bandwidths(
        _ centres: [Double], _ lower: Double, _ upper: Double,
        _ parameters: ParzenEstimatorParameters
    ) -> [Double] {
        let count = centres.count
        let order = argSort(centres, parameters.tieOrder)
        let widest = upper - lower
        var narrowest = 1e-12
        if parameters.considerMagicClip { narrowest = widest / min(100, Double(count + 2)) }
        var result = [Double](repeating: 0, count: count)
        for (rank, index) in order.enumerated() {
            let left = centres[index] - (rank == 0 ? lower : centres[order[rank - 1]])
            let right = (rank == count - 1 ? upper : centres[order[rank + 1]]) - centres[index]
            var width = left > right ? left : right
            if !parameters.considerEndpoints && count >= 2 {
                if rank == 0 { width = right } else if rank == count - 1 { width = left }
            }
            result[index] = min(max(width, narrowest), widest)
        }
        return result
    }

    /// The parameter's value at a place of the (logarithmic) axis: back from the logarithm, then
    /// onto the grid.
    func value(ofPosition position: Double) -> Double {
        let value = isLog ? exponential(position) : position
        guard let step else { return value }
        let rounded = low + ((value - low) / step).rounded(.toNearestOrEven) * step
        return min(max(rounded, low), high)
    }

    /// scores[point, kernel] gets the log mass of the step around the point, within the support.
    ///
    /// Candidates and kernels with steps repeat often, so every distinct pair is computed once.
    func addLogMasses(_ points: [Double], to scores: UnsafeMutableBufferPointer<Double>) {
        guard let step else { return }
        let half = step / 2
        let kernelCount = mu.count
        let (distinctKernels, kernelSlots) = distinctPairs(mu, sigma)
        let norms = distinctKernels.map { kernel in
            logNormalMass(
                (lowerLimit - mu[kernel]) / sigma[kernel],
                (upperLimit - mu[kernel]) / sigma[kernel])
        }
        var masses: [Double: [Double]] = [:]
        for (point, value) in points.enumerated() {
            let slots: [Double]
            if let known = masses[value] {
                slots = known
            } else {
                let left = isLog ? logarithm(value - half) : value - half
                let right = isLog ? logarithm(value + half) : value + half
                slots = distinctKernels.map { kernel in
                    logNormalMass(
                        (left - mu[kernel]) / sigma[kernel], (right - mu[kernel]) / sigma[kernel])
                }
                masses[value] = slots
            }
            for kernel in 0..<kernelCount {
                let slot = kernelSlots[kernel]
                scores[point * kernelCount + kernel] += slots[slot]
                scores[point * kernelCount + kernel] -= norms[slot]
            }
        }
    }

    /// terms[point · kernels + kernel, column] = log density of the point, -inf off the support.
    func writeLogDensities(
        _ points: [Double], to terms: UnsafeMutableBufferPointer<Double>, column: Int, width: Int
    ) {
        let kernelCount = mu.count
        let lower = mu.indices.map { (lowerLimit - mu[$0]) / sigma[$0] }
        let upper = mu.indices.map { (upperLimit - mu[$0]) / sigma[$0] }
        let norms = mu.indices.map { logNormalMass(lower[$0], upper[$0]) }
        let logSigmas = sigma.map { logarithm($0) }
        for (point, value) in points.enumerated() {
            let position = isLog ? logarithm(value) : value
            for kernel in 0..<kernelCount {
                let z = (position - mu[kernel]) / sigma[kernel]
                var term = -(z * z) / 2 - logSqrtTwoPi - norms[kernel] - logSigmas[kernel]
                if z < lower[kernel] || z > upper[kernel] { term = -.infinity }
                if lower[kernel] == upper[kernel] { term = .nan }
                terms[(point * kernelCount + kernel) * width + column] = term
            }
        }
    }
}

/// One index of each distinct pair, and for every index the place of its pair among those.
private func distinctPairs(_ first: [Double], _ second: [Double]) -> ([Int], [Int]) {
    struct Pair: Hashable {
        let first: UInt64
        let second: UInt64
    }
    var places: [Pair: Int] = [:]
    var distinct: [Int] = []
    let slots = first.indices.map { index in
        let pair = Pair(first: first[index].bitPattern, second: second[index].bitPattern)
        if let place = places[pair] { return place }
        places[pair] = distinct.count
        distinct.append(index)
        return distinct.count - 1
    }
    return (distinct, slots)
}
