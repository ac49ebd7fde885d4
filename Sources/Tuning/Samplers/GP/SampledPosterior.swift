// Values that a Gaussian process could take at a point, drawn jointly with those of the trials that
// are running: for acquisition functions that are averages.

/// S draws of the value at a point.
///
/// The standard normal numbers behind the draws are fixed, so that the draws are smooth functions of
/// the point. Running trials have fantasy values, one a draw, and the draw at the point is from the
/// distribution under that fantasy.
package struct SampledPosterior: Sendable {
    private static let stabilizingNoise = 1e-12
    let process: GaussianProcess
    /// Of the queried point; [S].
    private let normals: [Double]
    /// Values of the running trials; [R][S].
    package let fantasies: [[Double]]
    private let running: PointColumns
    /// (K + noise)⁻¹ k of each running trial; [R][N].
    private let solved: [[Double]]
    /// Posterior covariance of the running trials.
    private let factor: CholeskyFactor?
    /// That covariance's inverse times (fantasy - mean); [S][R].
    private let shifts: [[Double]]

    /// - normals: [S][R + 1], the last for the queried point. - running: [R][D].
    /// Returns `nil` if the running trials' covariance is not positive definite.
    package init?(_ process: GaussianProcess, normals: [[Double]], running: [[Double]] = []) {
        self.process = process
        self.normals = normals.map { $0.last ?? 0 }
        self.running = PointColumns(running, process.observations.isCategorical)
        let posteriors = running.map { process.posterior($0) }
        solved = posteriors.map(\.solved)
        let count = running.count
        guard count > 0 else {
            fantasies = []
            factor = nil
            shifts = []
            return
        }
        var covariance = [Double](repeating: 0, count: count * count)
        for row in 0..<count {
            let prior = self.running.row(running[row], process.parameters).values
            for column in 0...row {
                let explained = dot(posteriors[row].row.values, posteriors[column].solved)
                covariance[row * count + column] = prior[column] - explained
            }
            let diagonal = row * count + row
            covariance[diagonal] = max(covariance[diagonal], 0) + Self.stabilizingNoise
        }
        // Trials at the same place, or at an observation: more noise until it can be factored.
        var noise = 0.0
        var found = CholeskyFactor(covariance, count: count)
        while found == nil && noise < 1e-2 {
            let more = noise == 0 ? 1e-10 : noise * 10
            for row in 0..<count { covariance[row * count + row] += more - noise }
            noise = more
            found = CholeskyFactor(covariance, count: count)
        }
        guard let found else { return nil }
        factor = found
        // delta = L z, so that C⁻¹ delta = L⁻ᵀ z.
        shifts = normals.map { found.solveUpper(Array($0.prefix(count))) }
        let deltas = shifts.map { shift in
            (0..<count).map { row in
                (0..<count).reduce(0) { sum, column in
                    sum + covariance[max(row, column) * count + min(row, column)] * shift[column]
                }
            }
        }
        fantasies = (0..<count).map { index in deltas.map { posteriors[index].mean + $0[index] } }
    }

    /// Draws at a point, with what their gradients need.
    struct Draws {
        fileprivate(set) var values: [Double]
        fileprivate var point: [Double]
        fileprivate var posterior: GaussianProcess.Posterior
        fileprivate var deviation: Double
        /// Covariance with the running trials, and the inverse of theirs times it.
        fileprivate var runningRow: KernelRow
        fileprivate var explained: [Double]
    }

    func draws(_ point: [Double]) -> Draws {
        let posterior = process.posterior(point)
        var runningRow = KernelRow(values: [], derivatives: [])
        var covariances: [Double] = []
        if running.count > 0 {
            runningRow = running.row(point, process.parameters)
            covariances = zip(runningRow.values, solved).map { $0 - dot(posterior.row.values, $1) }
        }
        let (values, deviation, explained) = values(
            posterior.mean, posterior.variance, covariances)
        return Draws(
            values: values, point: point, posterior: posterior, deviation: deviation,
            runningRow: runningRow, explained: explained)
    }

    /// Draws at up to eight points; [points][S].
    func draws(_ points: [[Double]]) -> [[Double]] {
        let (means, variances, rows) = process.posteriors(points)
        var covariances: [SIMD8<Double>] = []
        if running.count > 0 {
            covariances = running.rows(points, process.parameters)
            for index in covariances.indices {
                for (row, weight) in zip(rows, solved[index]) { covariances[index] -= row * weight }
            }
        }
        return points.indices.map { lane in
            values(means[lane], variances[lane], covariances.map { $0[lane] }).values
        }
    }

    private func values(
        _ mean: Double, _ variance: Double, _ covariances: [Double]
    ) -> (values: [Double], deviation: Double, explained: [Double]) {
        guard let factor else {
            let deviation = (variance + Self.stabilizingNoise).squareRoot()
            return (normals.map { mean + deviation * $0 }, deviation, [])
        }
        let explained = factor.solve(covariances)
        let rest = variance + Self.stabilizingNoise - dot(explained, covariances)
        let deviation = max(rest, 0).squareRoot()
        let values = normals.indices.map {
            mean + dot(covariances, shifts[$0]) + deviation * normals[$0]
        }
        return (values, deviation, explained)
    }

    /// Accumulates Σ dValues[s] · ∂draw[s]/∂x.
    func addGradient(of draws: Draws, dValues: [Double], to gradient: inout [Double]) {
        let dMean = dValues.reduce(0, +)
        let dDeviation = dot(dValues, normals)
        let dVariance = draws.deviation > 0 ? dDeviation / (2 * draws.deviation) : 0
        guard running.count > 0 else {
            process.addGradient(
                of: draws.posterior, at: draws.point, dMean: dMean, dVariance: dVariance,
                to: &gradient)
            return
        }
        var dRunning = draws.explained.map { -2 * dVariance * $0 }
        for (shift, dValue) in zip(shifts, dValues) where dValue != 0 {
            for index in dRunning.indices { dRunning[index] += dValue * shift[index] }
        }
        var dCovariances = [Double](repeating: 0, count: process.observations.count)
        for (index, weight) in dRunning.enumerated() {
            for place in dCovariances.indices {
                dCovariances[place] -= weight * solved[index][place]
            }
        }
        process.addGradient(
            of: draws.posterior, at: draws.point, dMean: dMean, dVariance: dVariance,
            dCovariances: dCovariances, to: &gradient)
        running.addGradient(
            dRunning, draws.runningRow.derivatives, at: draws.point, process.parameters,
            to: &gradient)
    }
}
