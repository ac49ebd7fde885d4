// The normal distribution cut off at both ends, in logarithms: masses, quantiles, densities.
//
// Written for agreement with Optuna in the last digits: the same formulas in the same branches and
// the same order of operations. Nothing here may be fused or reordered.

/// ln √(2π)
let logSqrtTwoPi = logarithm((2 * Double.pi).squareRoot())

/// Φ(a), accurate in both tails.
private func normalCDF(_ a: Double) -> Double {
    let x = a / Double(2).squareRoot()
    let bound = 1 / Double(2).squareRoot()
    if x < -bound { return 0.5 * complementaryErrorFunction(-x) }
    if x < bound { return 0.5 + 0.5 * errorFunction(x) }
    return 1 - 0.5 * complementaryErrorFunction(x)
}

/// Φ(a) for intervals that hold 0, where the tails don't matter.
private func centralNormalCDF(_ a: Double) -> Double {
    0.5 + 0.5 * errorFunction(a / Double(2).squareRoot())
}

/// ln Φ(a) for any a; below -20 by the asymptotic series of the tail.
///
/// Source: Abramowitz and Stegun 26.2.12. Checked by `TruncatedNormalTests`.
package func logNormalCDF(_ a: Double) -> Double {
    if a > 6 { return -normalCDF(-a) }
    if a > -20 { return logarithm(normalCDF(a)) }
    let leading = -0.5 * (a * a) - logarithm(-a) - 0.5 * logarithm(2 * Double.pi)
    var last = 0.0
    var sum = 1.0
    var numerator = 1.0
    var factor = 1.0
    let inverseSquare = 1 / (a * a)
    var sign = 1.0
    var term = 0.0
    while abs(last - sum) > Double.ulpOfOne {
        term += 1
        last = sum
        sign = -sign
        factor *= inverseSquare
        numerator *= 2 * term - 1
        sum += sign * numerator * factor
    }
    return leading + logarithm(sum)
}

/// ln (Φ(b) − Φ(a)) for a <= b.
package func logNormalMass(_ a: Double, _ b: Double) -> Double {
    /// Both ends at or below 0.
    func leftMass(_ a: Double, _ b: Double) -> Double {
        let upper = logNormalCDF(b)
        return upper + logarithmOnePlus(-exponential(logNormalCDF(a) - upper))
    }
    if a > 0 { return leftMass(-b, -a) }
    if b <= 0 { return leftMass(a, b) }
    return logarithmOnePlus(-centralNormalCDF(a) - centralNormalCDF(-b))
}

/// ln (eˣ + eʸ).
private func logSumOfExponentials(_ x: Double, _ y: Double) -> Double {
    if x == y { return x + logarithm(2) }
    let difference = x - y
    if difference > 0 { return x + logarithmOnePlus(exponential(-difference)) }
    if difference <= 0 { return y + logarithmOnePlus(exponential(difference)) }
    return difference
}

/// Solves ln Φ(x) = y for a whole batch by Newton's method.
///
/// The iteration ends for all elements together, when each has moved by less than 1e-8 of its size:
/// one more round changes last digits, so the composition of a batch matters.
func inverseLogNormalCDF(_ logProbabilities: [Double]) -> [Double] {
    // Near probability 1 the mirrored problem is the better conditioned one.
    let isFlipped = logProbabilities.map { $0 > -1e-2 }
    let targets = zip(logProbabilities, isFlipped).map { y, isFlipped in
        isFlipped ? logarithm(-exponentialMinusOne(y)) : y
    }
    let logisticScale = Double(3).squareRoot() / Double.pi
    var roots = targets.map { z in
        z < -5
            ? -(-2 * (z + logSqrtTwoPi)).squareRoot()
            : -logisticScale * logarithm(exponentialMinusOne(-z))
    }
    for _ in 0..<100 {
        var isConverged = true
        for index in roots.indices {
            let x = roots[index]
            let logCDF = logNormalCDF(x)
            let logDensity = -0.5 * (x * x) - logSqrtTwoPi
            let step = (logCDF - targets[index]) * exponential(logCDF - logDensity)
            roots[index] = x - step
            if !(abs(step) < 1e-8 * abs(roots[index])) { isConverged = false }
        }
        if isConverged { break }
    }
    for index in roots.indices where isFlipped[index] { roots[index] *= -1 }
    return roots
}

/// Quantiles of standard normal distributions, each cut off to [lower, upper].
///
/// One call is one batch of ``inverseLogNormalCDF(_:)`` for intervals that begin below 0 and one
/// for the others. An empty interval gives NaN.
///
/// - logMasses: ``logNormalMass(_:_:)`` of each interval, where that is known already.
package func truncatedNormalQuantiles(
    _ quantiles: [Double], lower: [Double], upper: [Double], logMasses: [Double]? = nil
) -> [Double] {
    let logMasses = logMasses ?? zip(lower, upper).map { logNormalMass($0, $1) }
    var result = [Double](repeating: 0, count: quantiles.count)
    let left = quantiles.indices.filter { lower[$0] < 0 }
    let right = quantiles.indices.filter { !(lower[$0] < 0) }
    let leftRoots = inverseLogNormalCDF(
        left.map { index in
            logSumOfExponentials(
                logNormalCDF(lower[index]),
                logarithm(quantiles[index]) + logMasses[index])
        })
    for (index, root) in zip(left, leftRoots) { result[index] = root }
    let rightRoots = inverseLogNormalCDF(
        right.map { index in
            logSumOfExponentials(
                logNormalCDF(-upper[index]),
                logarithmOnePlus(-quantiles[index]) + logMasses[index])
        })
    for (index, root) in zip(right, rightRoots) { result[index] = -root }
    for index in quantiles.indices {
        if quantiles[index] == 0 { result[index] = lower[index] }
        if quantiles[index] == 1 { result[index] = upper[index] }
        if lower[index] == upper[index] { result[index] = .nan }
    }
    return result
}
