// How much a point promises, by what Gaussian processes believe: what GPSampler maximises.

/// A sum of terms, each in logarithms; larger is better.
package struct AcquisitionFunction: Sendable {
    let terms: [any AcquisitionTerm]
    /// How far the objectives vary along each coordinate; a search takes steps in proportion.
    let lengthScales: [Double]

    /// - terms: none makes every point equal.
    package init(_ terms: [any AcquisitionTerm], lengthScales: [Double]) {
        self.terms = terms
        self.lengthScales = lengthScales
    }

    package func values(_ points: [[Double]]) -> [Double] {
        var result: [Double] = []
        result.reserveCapacity(points.count)
        for start in stride(from: 0, to: points.count, by: 8) {
            let block = Array(points[start..<min(start + 8, points.count)])
            var sums = [Double](repeating: 0, count: block.count)
            for term in terms {
                for (index, value) in term.values(block).enumerated() { sums[index] += value }
            }
            result += sums
        }
        return result
    }

    func value(_ point: [Double]) -> Double { values([point])[0] }

    package func valueAndGradient(_ point: [Double]) -> (value: Double, gradient: [Double]) {
        var gradient = [Double](repeating: 0, count: point.count)
        let value = terms.reduce(0) { $0 + $1.value(point, gradient: &gradient) }
        return (value, gradient)
    }
}

/// A part of an acquisition function.
package protocol AcquisitionTerm: Sendable {
    /// At up to eight points.
    func values(_ points: [[Double]]) -> [Double]
    /// The same at one point; accumulates the gradient.
    func value(_ point: [Double], gradient: inout [Double]) -> Double
}

/// Keeps deviations positive where an observation leaves no doubt.
private let stabilizingNoise = 1e-12

// MARK: - One objective

/// ln E[max(0, y - threshold)]
///
/// Source: Ament et al. 2023, arXiv:2310.20708, equation 9.
package struct LogExpectedImprovement: AcquisitionTerm {
    let process: GaussianProcess
    let threshold: Double

    package init(_ process: GaussianProcess, threshold: Double) {
        self.process = process
        self.threshold = threshold
    }

    package func values(_ points: [[Double]]) -> [Double] {
        let (means, variances, _) = process.posteriors(points)
        return points.indices.map { lane in
            let deviation = (variances[lane] + stabilizingNoise).squareRoot()
            return logStandardImprovement((means[lane] - threshold) / deviation)
                + logarithm(deviation)
        }
    }

    package func value(_ point: [Double], gradient: inout [Double]) -> Double {
        let posterior = process.posterior(point)
        let deviation = (posterior.variance + stabilizingNoise).squareRoot()
        let z = (posterior.mean - threshold) / deviation
        let logImprovement = logStandardImprovement(z)
        // E = zΦ + φ, whose derivatives by mean and deviation are Φ and φ.
        let dMean = exponential(logNormalCDF(z) - logImprovement) / deviation
        let dDeviation = exponential(-z * z / 2 - logSqrtTwoPi - logImprovement) / deviation
        process.addGradient(
            of: posterior, at: point, dMean: dMean, dVariance: dDeviation / (2 * deviation),
            to: &gradient)
        return logImprovement + logarithm(deviation)
    }
}

/// ln E[max(0, x + z)] for standard normal x.
package func logStandardImprovement(_ z: Double) -> Double {
    if z >= -25 {
        let halfRoot = Double(0.5).squareRoot()
        return logarithm(
            z / 2 * complementaryErrorFunction(-halfRoot * z)
                + exponential(-z * z / 2 - logSqrtTwoPi))
    }
    // ln φ(z) + ln (1 - r), r = |z| Φ(z) / φ(z). By the continued fraction of Mills' ratio,
    // Φ/φ = 1/(t + 1/(t + 2/(t + …))) with t = |z|; 1 - r = c / (t + c), c = 1/(t + 2/(t + …)).
    let t = -z
    var fraction = t
    for index in (2...20).reversed() { fraction = t + Double(index) / fraction }
    let c = 1 / fraction
    return -z * z / 2 - logSqrtTwoPi + logarithm(c / (t + c))
}

/// ln P(y >= threshold), for a constraint.
package struct LogProbabilityOfFeasibility: AcquisitionTerm {
    let process: GaussianProcess
    let threshold: Double

    package init(_ process: GaussianProcess, threshold: Double) {
        self.process = process
        self.threshold = threshold
    }

    package func values(_ points: [[Double]]) -> [Double] {
        let (means, variances, _) = process.posteriors(points)
        return points.indices.map { lane in
            let deviation = (variances[lane] + stabilizingNoise).squareRoot()
            return logNormalCDF((means[lane] - threshold) / deviation)
        }
    }

    package func value(_ point: [Double], gradient: inout [Double]) -> Double {
        let posterior = process.posterior(point)
        let deviation = (posterior.variance + stabilizingNoise).squareRoot()
        let z = (posterior.mean - threshold) / deviation
        let value = logNormalCDF(z)
        let dZ = exponential(-z * z / 2 - logSqrtTwoPi - value)
        process.addGradient(
            of: posterior, at: point, dMean: dZ / deviation,
            dVariance: -dZ * z / (2 * deviation * deviation), to: &gradient)
        return value
    }
}

// MARK: - Averages

/// The logarithm of an average over joint draws of everything that is uncertain: the improvement of
/// several objectives, and the improvement that remains beside the running trials.
///
///     ln (1/S) Σₛ max(floorₛ, gainₛ(x) · Π feasibilityₛ(x))
///
/// Source: Daulton, Balandat and Bakshy 2020, arXiv:2006.05078; Ament et al. 2023,
/// arXiv:2310.20708, equation 10.
package struct LogAverageImprovement: AcquisitionTerm {
    /// What a draw gains.
    package enum Gain: Sendable {
        /// One objective over the best value so far; the running trials' fantasies are floors.
        /// Without a threshold (nothing is feasible yet) every draw gains the same.
        case improvement(threshold: Double?)
        /// Volume that is added to what is dominated; boxes for each draw or the same for all.
        case hypervolume([BoxDecomposition])
    }

    /// How soft the step from infeasible to feasible is.
    private static let temperature = 1e-2

    let objectives: [SampledPosterior]
    let constraints: [(posterior: SampledPosterior, threshold: Double)]
    let gain: Gain
    /// In logarithms, by draw; empty for none.
    private let floors: [Double]

    package init(
        objectives: [SampledPosterior], gain: Gain,
        constraints: [(posterior: SampledPosterior, threshold: Double)] = []
    ) {
        self.objectives = objectives
        self.constraints = constraints
        self.gain = gain
        guard case .improvement(let threshold) = gain, let objective = objectives.first else {
            floors = []
            return
        }
        var floors: [Double] = []
        for (index, fantasies) in objective.fantasies.enumerated() {
            let logGains = fantasies.indices.map { draw in
                var sum = Self.logGain(fantasies[draw], threshold)
                for (posterior, threshold) in constraints {
                    sum += Self.logFeasibility(posterior.fantasies[index][draw], threshold)
                }
                return sum
            }
            floors = floors.isEmpty ? logGains : zip(floors, logGains).map { max($0, $1) }
        }
        self.floors = floors
    }

    private static func logGain(_ value: Double, _ threshold: Double?) -> Double {
        threshold.map { logarithm(max(value - $0, BoxDecomposition.smallest)) } ?? 0
    }

    /// ln of the logistic function.
    private static func logFeasibility(_ value: Double, _ threshold: Double) -> Double {
        let x = (value - threshold) / temperature
        return x >= 0
            ? -logarithmOnePlus(exponential(-x)) : x - logarithmOnePlus(exponential(x))
    }

    package func values(_ points: [[Double]]) -> [Double] {
        let values = objectives.map { $0.draws(points) }
        let feasibilities = constraints.map { $0.posterior.draws(points) }
        return points.indices.map { point in
            var gains = logGains(values.map { $0[point] })
            for (constraint, values) in zip(constraints, feasibilities) {
                for draw in gains.indices {
                    gains[draw] += Self.logFeasibility(
                        values[point][draw], constraint.threshold)
                }
            }
            return logAverage(gains)
        }
    }

    /// - values: [objectives][S]
    private func logGains(_ values: [[Double]]) -> [Double] {
        guard let count = values.first?.count else { return [] }
        switch gain {
        case .improvement(let threshold):
            return values[0].map { Self.logGain($0, threshold) }
        case .hypervolume(let boxes):
            var none: [Double]?
            return (0..<count).map { draw in
                let own = boxes[boxes.count == 1 ? 0 : draw]
                return logarithm(own.improvement(values.map { $0[draw] }, gradient: &none))
            }
        }
    }

    private func logAverage(_ gains: [Double]) -> Double {
        var gains = zip(gains.indices, gains).map { floors.isEmpty ? $1 : max($1, floors[$0]) }
        let count = Double(gains.count)
        return gains.withUnsafeMutableBufferPointer { logSumOfExponentials($0) } - logarithm(count)
    }

    package func value(_ point: [Double], gradient: inout [Double]) -> Double {
        let draws = objectives.map { $0.draws(point) }
        let feasibilities = constraints.map { $0.posterior.draws(point) }
        let count = draws.first?.values.count ?? 0
        var gains = [Double](repeating: 0, count: count)
        // By objective and draw, of the logarithm of the gain.
        var slopes = draws.map { _ in [Double](repeating: 0, count: count) }
        for draw in 0..<count {
            switch gain {
            case .improvement(let threshold):
                let value = draws[0].values[draw]
                gains[draw] = Self.logGain(value, threshold)
                if let threshold, value - threshold > BoxDecomposition.smallest {
                    slopes[0][draw] = 1 / (value - threshold)
                }
            case .hypervolume(let boxes):
                let own = boxes[boxes.count == 1 ? 0 : draw]
                var slope: [Double]? = []
                let volume = own.improvement(draws.map { $0.values[draw] }, gradient: &slope)
                gains[draw] = logarithm(volume)
                for (objective, value) in (slope ?? []).enumerated() {
                    slopes[objective][draw] = value / volume
                }
            }
            for (constraint, values) in zip(constraints, feasibilities) {
                gains[draw] += Self.logFeasibility(values.values[draw], constraint.threshold)
            }
        }
        let value = logAverage(gains)
        // Each draw's share of the sum; none where a running trial is better.
        let shares = gains.indices.map { draw in
            !floors.isEmpty && floors[draw] >= gains[draw]
                ? 0 : exponential(gains[draw] - value) / Double(count)
        }
        for (objective, posterior) in objectives.enumerated() {
            posterior.addGradient(
                of: draws[objective], dValues: zip(slopes[objective], shares).map { $0 * $1 },
                to: &gradient)
        }
        for (constraint, values) in zip(constraints, feasibilities) {
            let dValues = shares.indices.map { draw in
                let x = (values.values[draw] - constraint.threshold) / Self.temperature
                return shares[draw] / (1 + exponential(x)) / Self.temperature
            }
            constraint.posterior.addGradient(of: values, dValues: dValues, to: &gradient)
        }
        return value
    }
}
