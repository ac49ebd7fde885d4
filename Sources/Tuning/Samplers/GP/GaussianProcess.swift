// A Gaussian process over the unit cube: what GPSampler believes about an objective.

/// A normal distribution over functions, conditioned on observations.
///
/// Matérn 5/2 covariance with a length scale for each coordinate:
///
///     k(x, y) = scale · (1 + s + s²/3) · e⁻ˢ        s² = 5 Σ ((xₖ - yₖ) / lengthₖ)²
///
/// Coordinates of choices count 1 where they differ. Observations carry independent noise. Values are
/// to be maximised and standardised (mean 0, deviation 1).
///
/// N observations, D coordinates, columns padded with zeros to whole vectors of eight.
/// Source: Rasmussen and Williams 2006, chapters 2 and 4. Checked by `GaussianProcessTests` against
/// Optuna and by finite differences.
package struct GaussianProcess: Sendable {
    /// Positive numbers; fitting works on their logarithms.
    package struct Parameters: Sendable, Equatable {
        package var inverseSquaredLengthScales: [Double]
        package var kernelScale: Double
        package var noiseVariance: Double

        package init(
            inverseSquaredLengthScales: [Double], kernelScale: Double, noiseVariance: Double
        ) {
            self.inverseSquaredLengthScales = inverseSquaredLengthScales
            self.kernelScale = kernelScale
            self.noiseVariance = noiseVariance
        }

        static func initial(dimension: Int) -> Parameters {
            Parameters(
                inverseSquaredLengthScales: Array(repeating: 1, count: dimension), kernelScale: 1,
                noiseVariance: 1)
        }
    }

    let observations: PointColumns
    package let parameters: Parameters
    let factor: CholeskyFactor
    /// (K + noise)⁻¹ y
    private let weights: [Double]

    package var lengthScales: [Double] {
        parameters.inverseSquaredLengthScales.map { 1 / $0.squareRoot() }
    }

    /// - points: [N][D]. - values: [N].
    /// Returns `nil` where the covariance is not positive definite.
    package init?(
        _ points: [[Double]], _ values: [Double], isCategorical: [Bool], _ parameters: Parameters
    ) {
        self.init(PointColumns(points, isCategorical), values, parameters)
    }

    init?(_ observations: PointColumns, _ values: [Double], _ parameters: Parameters) {
        let covariance = observations.covariance(parameters)
        guard let factor = CholeskyFactor(covariance, count: observations.count) else { return nil }
        self.observations = observations
        self.parameters = parameters
        self.factor = factor
        weights = factor.solve(values)
    }

    // MARK: Posterior

    /// Mean and variance at one point, with what their gradients need.
    struct Posterior {
        let mean: Double
        /// At least 0; without the noise of an observation.
        let variance: Double
        /// Covariances with the observations, and their derivatives by squared distance.
        let row: KernelRow
        /// (K + noise)⁻¹ k
        let solved: [Double]
    }

    func posterior(_ point: [Double]) -> Posterior {
        let row = observations.row(point, parameters)
        let half = factor.solveLower(row.values)
        return Posterior(
            mean: dot(row.values, weights),
            variance: max(parameters.kernelScale - dot(half, half), 0), row: row,
            solved: factor.solveUpper(half))
    }

    /// Accumulates dMean · ∂mean/∂x + dVariance · ∂variance/∂x.
    ///
    /// - covariances: further weights by observation, of the covariances with them.
    func addGradient(
        of posterior: Posterior, at point: [Double], dMean: Double, dVariance: Double,
        dCovariances: [Double]? = nil, to gradient: inout [Double]
    ) {
        let dVariance = posterior.variance > 0 ? dVariance : 0
        var coefficients = [Double](repeating: 0, count: observations.count)
        for index in coefficients.indices {
            coefficients[index] =
                dMean * weights[index] - 2 * dVariance * posterior.solved[index]
                + (dCovariances?[index] ?? 0)
        }
        observations.addGradient(
            coefficients, posterior.row.derivatives, at: point, parameters, to: &gradient)
    }

    /// Means and variances at up to eight points, one a lane.
    func posteriors(_ points: [[Double]]) -> (
        means: SIMD8<Double>, variances: SIMD8<Double>, rows: [SIMD8<Double>]
    ) {
        let rows = observations.rows(points, parameters)
        var half = rows
        factor.solveLower(&half)
        var means = SIMD8<Double>.zero
        var reduction = SIMD8<Double>.zero
        for index in rows.indices {
            means += rows[index] * weights[index]
            reduction += half[index] * half[index]
        }
        let variances = SIMD8(repeating: parameters.kernelScale) - reduction
        return (means, variances.replacing(with: 0, where: variances .< SIMD8(repeating: 0)), rows)
    }
}

/// Covariances of a point with all observations.
struct KernelRow {
    /// [N]
    var values: [Double]
    /// By the scaled squared distance; [N].
    var derivatives: [Double]
}

// MARK: - Observations

/// Points by coordinate.
struct PointColumns: Sendable {
    let count: Int
    let dimension: Int
    private let paddedCount: Int
    /// [dimension][paddedCount]
    private let columns: [Double]
    let isCategorical: [Bool]

    init(_ points: [[Double]], _ isCategorical: [Bool]) {
        count = points.count
        dimension = isCategorical.count
        paddedCount = (points.count + 7) / 8 * 8
        var columns = [Double](repeating: 0, count: dimension * paddedCount)
        for (index, point) in points.enumerated() {
            for coordinate in 0..<dimension {
                columns[coordinate * paddedCount + index] = point[coordinate]
            }
        }
        self.columns = columns
        self.isCategorical = isCategorical
    }

    func point(_ index: Int) -> [Double] {
        (0..<dimension).map { columns[$0 * paddedCount + index] }
    }

    /// Squared difference, or 0 and 1 of choices.
    @inline(__always)
    private func difference(
        _ x: SIMD8<Double>, _ y: SIMD8<Double>, _ isCategorical: Bool
    ) -> SIMD8<Double> {
        if isCategorical {
            return SIMD8<Double>(repeating: 1).replacing(with: 0, where: x .== y)
        }
        return (x - y) * (x - y)
    }

    /// Scaled squared distances of a point from the observations block ..< block + 8.
    @inline(__always)
    private func distances(
        _ point: [Double], _ block: Int, _ scales: [Double],
        _ columns: UnsafeRawPointer
    ) -> SIMD8<Double> {
        var sum = SIMD8<Double>.zero
        for coordinate in 0..<dimension {
            let column = columns.loadUnaligned(
                fromByteOffset: 8 * (coordinate * paddedCount + block), as: SIMD8<Double>.self)
            sum +=
                difference(
                    column, SIMD8(repeating: point[coordinate]), isCategorical[coordinate])
                * scales[coordinate]
        }
        return sum
    }

    func row(_ point: [Double], _ parameters: GaussianProcess.Parameters) -> KernelRow {
        var values = [Double](repeating: 0, count: paddedCount)
        var derivatives = values
        let scales = parameters.inverseSquaredLengthScales
        withBlocks(of: &values, &derivatives, upTo: count) { columns, block in
            matern52(distances(point, block, scales, columns), scale: parameters.kernelScale)
        }
        values.removeLast(paddedCount - count)
        derivatives.removeLast(paddedCount - count)
        return KernelRow(values: values, derivatives: derivatives)
    }

    private func withBlocks(
        of values: inout [Double], _ derivatives: inout [Double], upTo end: Int,
        _ body: (UnsafeRawPointer, Int) -> (value: SIMD8<Double>, derivative: SIMD8<Double>)
    ) {
        columns.withUnsafeBytes { columns in
            values.withUnsafeMutableBytes { values in
                derivatives.withUnsafeMutableBytes { derivatives in
                    guard let base = columns.baseAddress else { return }
                    for block in stride(from: 0, to: end, by: 8) {
                        let (value, derivative) = body(base, block)
                        values.storeBytes(of: value, toByteOffset: 8 * block, as: SIMD8.self)
                        derivatives.storeBytes(
                            of: derivative, toByteOffset: 8 * block, as: SIMD8.self)
                    }
                }
            }
        }
    }

    /// Covariances of up to eight points with each observation; [N], one point a lane.
    func rows(
        _ points: [[Double]], _ parameters: GaussianProcess.Parameters
    ) -> [SIMD8<Double>] {
        let lanes = (0..<dimension).map { coordinate in
            var lane = SIMD8<Double>.zero
            for (index, point) in points.prefix(8).enumerated() { lane[index] = point[coordinate] }
            return lane
        }
        return (0..<count).map { index in
            var sum = SIMD8<Double>.zero
            for coordinate in 0..<dimension {
                let own = SIMD8(repeating: columns[coordinate * paddedCount + index])
                sum +=
                    difference(own, lanes[coordinate], isCategorical[coordinate])
                    * parameters.inverseSquaredLengthScales[coordinate]
            }
            return matern52(sum, scale: parameters.kernelScale).value
        }
    }

    /// Accumulates Σ coefficients[j] · ∂k(x, xⱼ)/∂x; choices have no gradient.
    func addGradient(
        _ coefficients: [Double], _ derivatives: [Double], at point: [Double],
        _ parameters: GaussianProcess.Parameters, to gradient: inout [Double]
    ) {
        for coordinate in 0..<dimension where !isCategorical[coordinate] {
            var sum = 0.0
            for index in 0..<count {
                sum +=
                    coefficients[index] * derivatives[index]
                    * (point[coordinate] - columns[coordinate * paddedCount + index])
            }
            gradient[coordinate] += 2 * parameters.inverseSquaredLengthScales[coordinate] * sum
        }
    }

    // MARK: All pairs

    /// Lower triangle of K + noise, [N, N].
    func covariance(_ parameters: GaussianProcess.Parameters) -> [Double] {
        covarianceAndDerivatives(parameters).values
    }

    /// The same, and the derivatives of K by the scaled squared distances.
    func covarianceAndDerivatives(
        _ parameters: GaussianProcess.Parameters
    ) -> (values: [Double], derivatives: [Double]) {
        var matrix = [Double](repeating: 0, count: count * count)
        var slopes = matrix
        var values = [Double](repeating: 0, count: paddedCount)
        var derivatives = values
        let scales = parameters.inverseSquaredLengthScales
        for row in 0..<count {
            let own = point(row)
            withBlocks(of: &values, &derivatives, upTo: row) { columns, block in
                matern52(distances(own, block, scales, columns), scale: parameters.kernelScale)
            }
            for column in 0..<row {
                matrix[row * count + column] = values[column]
                slopes[row * count + column] = derivatives[column]
            }
            matrix[row * count + row] = parameters.kernelScale + parameters.noiseVariance
        }
        return (matrix, slopes)
    }

    /// Σ over pairs i > j of products[i, j] · (difference of the pair), by coordinate.
    func weightedDifferences(_ products: [Double]) -> [Double] {
        (0..<dimension).map { coordinate in
            let column = columns[(coordinate * paddedCount)..<((coordinate + 1) * paddedCount)]
            var total = 0.0
            column.withUnsafeBytes { column in
                products.withUnsafeBytes { products in
                    for row in 0..<count {
                        let value = column.load(fromByteOffset: 8 * row, as: Double.self)
                        let own = SIMD8(repeating: value)
                        var sums = SIMD8<Double>.zero
                        let blocks = row / 8 * 8
                        for block in stride(from: 0, to: blocks, by: 8) {
                            let other = column.loadUnaligned(
                                fromByteOffset: 8 * block, as: SIMD8<Double>.self)
                            sums +=
                                difference(own, other, isCategorical[coordinate])
                                * products.loadUnaligned(
                                    fromByteOffset: 8 * (row * count + block),
                                    as: SIMD8<Double>.self)
                        }
                        total += sums.sum()
                        for index in blocks..<row {
                            let other = column.load(fromByteOffset: 8 * index, as: Double.self)
                            let gap =
                                isCategorical[coordinate]
                                ? (value == other ? 0 : 1) : (value - other) * (value - other)
                            total +=
                                gap
                                * products.load(
                                    fromByteOffset: 8 * (row * count + index), as: Double.self)
                        }
                    }
                }
            }
            return total
        }
    }
}

/// The kernel and its derivative by the squared distance.
@inline(__always)
private func matern52(
    _ squaredDistance: SIMD8<Double>, scale: Double
) -> (value: SIMD8<Double>, derivative: SIMD8<Double>) {
    let s = (squaredDistance * 5).squareRoot()
    let decay = exponential(SIMD8(repeating: 0) - s) * scale
    return (
        decay * (squaredDistance * (5.0 / 3) + s + 1), decay * (s + 1) * (-5.0 / 6)
    )
}
