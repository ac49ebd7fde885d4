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
        var caches = observations.map { _ in KernelCache() }
        try self.init(
            zip(observations, distributions).map { values, distribution in
                KernelPlaces(centres: values.map(distribution.centre(ofInternal:)))
            }, count: count, distributions: distributions, parameters: parameters,
            weights: try predeterminedWeights ?? Self.checkedWeights(parameters.weights, count),
            masses: distributions.map { _ in StepMasses() }, caches: &caches)
    }

    /// - places: one for each distribution, all with `count` observations.
    /// - weights: of the observations, checked. - masses, caches: one for each distribution.
    init(
        _ places: [KernelPlaces], count: Int, distributions: [Distribution],
        parameters: ParzenEstimatorParameters, weights: [Double], masses: [StepMasses],
        caches: inout [KernelCache]
    ) throws {
        var weights = weights
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
        for index in weights.indices { weights[index] /= sum }
        self.weights = weights
        dimensions = distributions.indices.map { index in
            func numerical(
                low: Double, high: Double, step: Double?, isLog: Bool
            ) -> Dimension {
                .numerical(
                    NumericalKernels(
                        places[index],
                        NumericalRange(low: low, high: high, step: step, isLog: isLog),
                        parameters, masses[index], &caches[index]))
            }
            switch distributions[index] {
            case .categorical(let it):
                return .categorical(
                    CategoricalKernels(
                        places[index].centres, choiceCount: it.choices.count,
                        priorWeight: parameters.priorWeight))
            case .float(let it):
                return numerical(low: it.low, high: it.high, step: it.step, isLog: it.log)
            case .int(let it):
                return numerical(
                    low: Double(it.low), high: Double(it.high), step: Double(it.step),
                    isLog: it.log)
            }
        }
    }

    static func checkedWeights(
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
        var logMasses: [Double] = []
        for case .numerical(let it) in dimensions {
            quantiles += generator.doubles(count)
            for kernel in kernels {
                lower.append((it.range.lower - it.mu[kernel]) / it.sigma[kernel])
                upper.append((it.range.upper - it.mu[kernel]) / it.sigma[kernel])
                logMasses.append(it.norms[kernel])
            }
        }
        let standard = truncatedNormalQuantiles(
            quantiles, lower: lower, upper: upper, logMasses: logMasses)
        for (row, index) in numerical.enumerated() {
            guard case .numerical(let it) = dimensions[index] else { continue }
            samples[index] = kernels.indices.map { place in
                let kernel = kernels[place]
                return it.range.value(
                    ofPosition: standard[row * count + place] * it.sigma[kernel] + it.mu[kernel])
            }
        }
        return samples
    }

    // MARK: Density

    /// Logarithm of the density at each of the points that ``sample(_:count:)`` returns.
    package func logDensities(_ samples: [[Double]]) -> [Double] {
        let kernelCount = weights.count
        let continuous = ContinuousDimensions(dimensions, kernelCount)
        for (dimension, points) in zip(dimensions, samples) {
            if case .numerical(let kernels) = dimension { kernels.prepareMasses(points) }
        }
        let logWeights = weights.map { logarithm($0) }
        var scores = [Double](repeating: 0, count: kernelCount)
        return scores.withUnsafeMutableBufferPointer { scores in
            (0..<(samples.first?.count ?? 0)).map { point in
                scores.update(repeating: 0)
                for (dimension, points) in zip(dimensions, samples) {
                    switch dimension {
                    case .categorical(let table):
                        table.addLogProbabilities(points[point], to: scores)
                    case .numerical(let kernels) where kernels.range.step != nil:
                        kernels.addLogMasses(points[point], to: scores)
                    case .numerical: break
                    }
                }
                continuous.addLogDensities(samples, point, to: scores)
                for kernel in 0..<kernelCount { scores[kernel] += logWeights[kernel] }
                return logSumOfExponentials(scores)
            }
        }
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

    /// scores[kernel] gets the log probability of a choice.
    func addLogProbabilities(_ value: Double, to scores: UnsafeMutableBufferPointer<Double>) {
        let choice = Int(value)
        let column = logRows.map { $0[choice] }
        column.withUnsafeBufferPointer { column in
            rowOfKernel.withUnsafeBufferPointer { rowOfKernel in
                for kernel in rowOfKernel.indices { scores[kernel] += column[rowOfKernel[kernel]] }
            }
        }
    }
}
