// CMA-ES itself: a normal distribution that moves and stretches towards better points.

import Glibc

/// The state of a covariance matrix adaptation in the unit cube.
///
/// Each generation is a number of points drawn by ``draw(_:)`` and given back, with their losses, to
/// ``tell(_:)``. Numbers in brackets are equations of the tutorial.
///
/// Source: Hansen 2016, arXiv:1604.00772; separable: Ros and Hansen 2008,
/// doi:10.1007/978-3-540-87700-4_30; learning rates: Nomura, Akimoto and Ono 2023, arXiv:2304.03473.
/// Checked by `CMAEvolutionTests`.
package struct CMAEvolution: Sendable {
    package struct Options: Sendable {
        /// Points of a generation; `nil` is 4 + ⌊3 ln n⌋.
        package var populationSize: Int?
        /// A diagonal covariance: for many parameters that don't interact.
        package var isSeparable = false
        /// Learning rates that follow the signal-to-noise ratio.
        package var adaptsLearningRates = false
        /// The covariance to begin with; `nil` is the identity.
        package var covariance: [[Double]]?

        package init() {}
    }

    package let dimension: Int
    package let populationSize: Int
    package private(set) var generation = 0
    package internal(set) var mean: [Double]
    package private(set) var sigma: Double
    package private(set) var covariance: [[Double]]

    private let isSeparable: Bool
    private let constants: Constants
    private var sigmaPath: [Double]
    private var covariancePath: [Double]
    private var rates: LearningRates?

    private static let epsilon = 1e-8
    private static let largestSigma = 1e32

    /// - mean: inside the unit cube. - sigma: above 0.
    package init(mean: [Double], sigma: Double, _ options: Options = Options()) {
        dimension = mean.count
        isSeparable = options.isSeparable && mean.count > 1
        let defaultSize = 4 + Int((3 * log(Double(mean.count))).rounded(.down))
        populationSize = max(options.populationSize ?? defaultSize, 2)
        constants =
            isSeparable
            ? Constants(separable: mean.count, populationSize)
            : Constants(mean.count, populationSize)
        self.mean = mean
        self.sigma = max(sigma, 1e-10)
        covariance = options.covariance ?? identityMatrix(mean.count)
        sigmaPath = Array(repeating: 0, count: mean.count)
        covariancePath = sigmaPath
        if options.adaptsLearningRates { rates = LearningRates(dimension: mean.count) }
    }

    // MARK: Draw

    /// A point of the cube. Points outside are drawn again, at most 10 n times, and then moved to
    /// the border.
    ///
    /// - isInside: which points are accepted.
    package mutating func draw(
        _ generator: inout NumpyRandomState,
        isInside: ([Double]) -> Bool = { $0.allSatisfy { $0 >= 0 && $0 <= 1 } }
    ) -> [Double] {
        let (vectors, scales) = decomposed()
        func point() -> [Double] {
            let normal = mean.indices.map { _ in generator.standardNormal() }
            let step = product(vectors, zip(scales, normal).map { $0 * $1 })
            return zip(mean, step).map { $0 + sigma * $1 }
        }
        for _ in 0..<(10 * dimension) {
            let candidate = point()
            if isInside(candidate) { return candidate }
        }
        return point().map { min(max($0, 0), 1) }
    }

    /// Eigenvectors and square roots of the eigenvalues; makes the covariance symmetric and
    /// positive again.
    private mutating func decomposed() -> (vectors: [[Double]], scales: [Double]) {
        if isSeparable {
            let scales = mean.indices.map { index -> Double in
                covariance[index][index] < 0
                    ? Self.epsilon.squareRoot() : covariance[index][index].squareRoot()
            }
            return (identityMatrix(dimension), scales)
        }
        let (values, vectors) = symmetricEigen(covariance)
        let scales = values.map { ($0 < 0 ? Self.epsilon : $0).squareRoot() }
        covariance = mean.indices.map { row in
            mean.indices.map { column in
                mean.indices.reduce(0) {
                    $0 + vectors[row][$1] * scales[$1] * scales[$1] * vectors[column][$1]
                }
            }
        }
        return (vectors, scales)
    }

    // MARK: Tell

    /// Takes in a generation.
    ///
    /// - solutions: ``populationSize`` points with their losses, none NaN.
    package mutating func tell(_ solutions: [(point: [Double], loss: Double)]) {
        let n = Double(dimension)
        generation += 1
        let sorted = solutions.stablySorted { $0.loss < $1.loss }
        let (vectors, scales) = decomposed()
        let inverseRoot = mean.indices.map { row in
            mean.indices.map { column in
                mean.indices.reduce(0) {
                    $0 + vectors[row][$1] / scales[$1] * vectors[column][$1]
                }
            }
        }
        let old = (mean: mean, sigma: sigma, covariance: covariance)
        let steps = sorted.map { zip($0.point, mean).map { ($0 - $1) / sigma } }
        // [41]
        let step = mean.indices.map { axis in
            (0..<constants.parents).reduce(0) { $0 + steps[$1][axis] * constants.weights[$1] }
        }
        for axis in mean.indices { mean[axis] += sigma * step[axis] }
        // Step size.
        let cSigma = constants.cSigma
        let whitened = product(inverseRoot, step)
        let gain = (cSigma * (2 - cSigma) * constants.muEffective).squareRoot()
        sigmaPath = zip(sigmaPath, whitened).map { (1 - cSigma) * $0 + gain * $1 }
        let pathLength = length(sigmaPath)
        sigma *= exp((cSigma / constants.dSigma) * (pathLength / constants.chiN - 1))
        sigma = min(sigma, Self.largestSigma)
        // Covariance.
        let bound = (1.4 + 2 / (n + 1)) * constants.chiN
        let decay = 1 - pow(1 - cSigma, 2 * Double(generation + 1))
        let isMoving = pathLength / decay.squareRoot() < bound
        let cc = constants.cc
        let rise = isMoving ? (cc * (2 - cc) * constants.muEffective).squareRoot() : 0
        covariancePath = zip(covariancePath, step).map { (1 - cc) * $0 + rise * $1 }
        let weights = zip(constants.weights, steps).map { weight, step -> Double in
            if weight >= 0 { return weight }
            let size = length(product(inverseRoot, step))
            return weight * n / (size * size + Self.epsilon)
        }
        let lost = isMoving ? 0 : cc * (2 - cc)
        let kept =
            1 + constants.c1 * lost - constants.c1 - constants.cMu * constants.weights.reduce(0, +)
        for row in mean.indices {
            for column in mean.indices where !isSeparable || row == column {
                var rankMu = 0.0
                for (weight, step) in zip(weights, steps) {
                    rankMu += weight * step[row] * step[column]
                }
                covariance[row][column] =
                    kept * covariance[row][column]
                    + constants.c1 * covariancePath[row] * covariancePath[column]
                    + constants.cMu * rankMu
            }
        }
        if rates != nil { adaptLearningRates(old, inverseRoot) }
    }

    /// Goes only a part of the step that was just made, as large as the noise allows.
    private mutating func adaptLearningRates(
        _ old: (mean: [Double], sigma: Double, covariance: [[Double]]), _ inverseRoot: [[Double]]
    ) {
        guard var rates else { return }
        let n = dimension
        let moved = zip(mean, old.mean).map { $0 - $1 }
        let oldMatrix = old.covariance.map { $0.map { $0 * old.sigma * old.sigma } }
        let change = mean.indices.map { row in
            mean.indices.map { sigma * sigma * covariance[row][$0] - oldMatrix[row][$0] }
        }
        let root = inverseRoot.map { $0.map { $0 / old.sigma } }
        let localMove = product(root, moved)
        // root · change · root; root is symmetric.
        let half = change.map { product(root, $0) }
        let localChange = (0..<n).flatMap { row in
            (0..<n).map { column in
                (0..<n).reduce(0) { $0 + root[row][$1] * half[$1][column] } / 2.0.squareRoot()
            }
        }
        let etaBefore = rates.mean.eta
        rates.mean.update(localMove)
        rates.matrix.update(localChange)
        self.rates = rates
        mean = zip(old.mean, moved).map { $0 + rates.mean.eta * $1 }
        let matrix = mean.indices.map { row in
            mean.indices.map { oldMatrix[row][$0] + rates.matrix.eta * change[row][$0] }
        }
        let eigenvalues = symmetricEigen(matrix).values
        let logSum = eigenvalues.reduce(0) { $0 + log(max($1, .leastNormalMagnitude)) }
        sigma = min(exp(logSum / 2 / Double(n)), Self.largestSigma)
        covariance = matrix.map { $0.map { $0 / (sigma * sigma) } }
        sigma *= etaBefore / rates.mean.eta
    }
}

// MARK: - Constants

/// Numbers that follow from dimension and population size.
private struct Constants: Sendable {
    let parents: Int
    let weights: [Double]
    let muEffective: Double
    let c1: Double
    let cMu: Double
    let cSigma: Double
    let dSigma: Double
    let cc: Double
    let chiN: Double

    init(_ dimension: Int, _ size: Int) {
        let n = Double(dimension)
        parents = size / 2
        let raw = (0..<size).map { log(Double(size + 1) / 2) - log(Double($0 + 1)) }
        func effective(_ part: ArraySlice<Double>) -> Double {
            let sum = part.reduce(0, +)
            return sum * sum / part.reduce(0) { $0 + $1 * $1 }
        }
        let mu = effective(raw[..<parents])
        muEffective = mu
        let c1 = 2 / ((n + 1.3) * (n + 1.3) + mu)
        let cMu = min(
            1 - c1 - 1e-8, 2 * (mu - 2 + 1 / mu) / ((n + 2) * (n + 2) + mu))
        self.c1 = c1
        self.cMu = cMu
        // [50], [51], [52]: how much the worse half may push away.
        let negative = min(
            1 + c1 / cMu, 1 + 2 * effective(raw[parents...]) / (mu + 2), (1 - c1 - cMu) / (n * cMu))
        let positiveSum = raw.filter { $0 > 0 }.reduce(0, +)
        let negativeSum = -raw.filter { $0 < 0 }.reduce(0, +)
        weights = raw.map { $0 >= 0 ? $0 / positiveSum : negative / negativeSum * $0 }
        cSigma = (mu + 2) / (n + mu + 5)
        dSigma = 1 + 2 * max(0, ((mu - 1) / (n + 1)).squareRoot() - 1) + cSigma
        cc = (4 + mu / n) / (n + 4 + 2 * mu / n)
        chiN = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    }

    init(separable dimension: Int, _ size: Int) {
        let n = Double(dimension)
        parents = size / 2
        let raw = (0..<parents).map { log(Double(size / 2 + 1)) - log(Double($0 + 1)) }
        let sum = raw.reduce(0, +)
        let positive = raw.map { $0 / sum }
        // The worse half has no weight.
        weights = positive + Array(repeating: 0, count: size - parents)
        let mu = 1 / positive.reduce(0) { $0 + $1 * $1 }
        muEffective = mu
        c1 = 2 / ((n + 1.3) * (n + 1.3) + mu)
        let wide = n + 2.0.squareRoot()
        let full =
            2 / mu / (wide * wide) + (1 - 1 / mu)
            * min(1, (2 * mu - 1) / ((n + 2) * (n + 2) + mu))
        cMu = (n + 2) / 3 * full
        cSigma = (mu + 2) / (n + mu + 3)
        dSigma = 1 + 2 * max(0, ((mu - 1) / (n + 1)).squareRoot() - 1) + cSigma
        cc = 4 / (n + 4)
        chiN = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    }
}

/// Learning rates of the mean and of the matrix.
private struct LearningRates: Sendable {
    var mean: LearningRate
    var matrix: LearningRate

    init(dimension: Int) {
        mean = LearningRate(beta: 0.1, count: dimension)
        matrix = LearningRate(beta: 0.03, count: dimension * dimension)
    }
}

/// One learning rate and the running averages by which it is set.
private struct LearningRate: Sendable {
    var eta = 1.0
    private let beta: Double
    private var average: [Double]
    private var power = 0.0

    init(beta: Double, count: Int) {
        self.beta = beta
        average = Array(repeating: 0, count: count)
    }

    mutating func update(_ step: [Double]) {
        average = zip(average, step).map { (1 - beta) * $0 + beta * $1 }
        let size = length(step)
        power = (1 - beta) * power + beta * size * size
        let signal = average.reduce(0) { $0 + $1 * $1 }
        let ratio = (signal - beta / (2 - beta) * power) / (power - signal)
        let relative = min(max(ratio / 1.4 / eta - 1, -1), 1)
        // Without any movement there is no ratio.
        if relative.isNaN { return }
        eta = min(eta * exp(min(0.1 * eta, beta) * relative), 1)
    }
}

// MARK: - Warm start

/// Mean, step size and covariance around the best tenth of solutions of a related problem.
///
/// Source: Nomura et al. 2021, arXiv:2012.06932.
func warmStart(
    _ solutions: [(point: [Double], loss: Double)]
) throws -> (mean: [Double], sigma: Double, covariance: [[Double]]) {
    let count = solutions.count / 10
    guard count >= 1, let dimension = solutions.first?.point.count else {
        throw TuningError.sampler(
            problem: "CmaEsSampler: source_trials must hold at least 10 trials with these "
                + "parameters, but there are \(solutions.count)")
    }
    let best = solutions.stablySorted { $0.loss < $1.loss }.prefix(count).map(\.point)
    let mean = (0..<dimension).map { axis in
        best.reduce(0) { $0 + $1[axis] } / Double(count)
    }
    let matrix = (0..<dimension).map { row in
        (0..<dimension).map { column in
            let moment = best.reduce(0) { $0 + $1[row] * $1[column] } / Double(count)
            return (row == column ? 0.01 : 0) + moment - mean[row] * mean[column]
        }
    }
    let logDeterminant = symmetricEigen(matrix).values.reduce(0) {
        $0 + log(max($1, .leastNormalMagnitude))
    }
    let scale = exp(logDeterminant / Double(dimension))
    return (mean, scale.squareRoot(), matrix.map { $0.map { $0 / scale } })
}
