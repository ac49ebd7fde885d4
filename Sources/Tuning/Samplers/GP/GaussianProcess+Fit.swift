// The kernel's parameters from the observations: the largest posterior density.

extension GaussianProcess {
    /// Below this the covariance of close observations becomes singular.
    package static let minimumNoise = 1e-6

    /// A process with the parameters that are most likely, given the observations and a prior.
    ///
    /// - start: parameters of an earlier fit, to begin from; if that fails, or without, a fresh
    ///   start is made.
    /// - isDeterministic: hold the noise at its minimum.
    /// Returns `nil` if no covariance is positive definite, which takes values that aren't finite.
    package static func fit(
        _ points: [[Double]], _ values: [Double], isCategorical: [Bool],
        start: Parameters? = nil, isDeterministic: Bool = false
    ) -> GaussianProcess? {
        let observations = PointColumns(points, isCategorical)
        let fresh = Parameters.initial(dimension: observations.dimension)
        for start in [start, fresh].compactMap({ $0 }) {
            let fitted = fit(observations, values, start, isDeterministic)
            if let fitted, let process = GaussianProcess(observations, values, fitted) {
                return process
            }
        }
        return GaussianProcess(observations, values, fresh)
    }

    private static func fit(
        _ observations: PointColumns, _ values: [Double], _ start: Parameters,
        _ isDeterministic: Bool
    ) -> Parameters? {
        let logarithms =
            start.inverseSquaredLengthScales.map { logarithm($0) } + [
                logarithm(start.kernelScale),
                // A little more than the minimum, so that the logarithm is finite.
                logarithm(start.noiseVariance - 0.99 * minimumNoise),
            ]
        let minimizer = BoundedMinimizer(gradientTolerance: 1e-2)
        let all = -Double.infinity...Double.infinity
        let result = minimizer.minimize(
            from: logarithms, bounds: Array(repeating: all, count: logarithms.count)
        ) { logarithms in
            loss(observations, values, logarithms, isDeterministic: isDeterministic)
        }
        return result.isConverged ? parameters(result.point, isDeterministic) : nil
    }

    private static func parameters(_ logarithms: [Double], _ isDeterministic: Bool) -> Parameters {
        let dimension = logarithms.count - 2
        return Parameters(
            inverseSquaredLengthScales: logarithms.prefix(dimension).map { exponential($0) },
            kernelScale: exponential(logarithms[dimension]),
            noiseVariance: minimumNoise
                + (isDeterministic ? 0 : exponential(logarithms[dimension + 1])))
    }

    /// Negative log likelihood and log prior, up to a constant, and the gradient.
    ///
    ///     ½ ln det C + ½ yᵀ C⁻¹ y - ln prior          C = K + noise
    ///     by a parameter θ: ½ tr((C⁻¹ - α αᵀ) ∂C/∂θ)     α = C⁻¹ y
    ///
    /// - logarithms: of the inverse squared length scales, the kernel's scale, and the noise above
    ///   its minimum; [D + 2].
    package static func loss(
        _ points: [[Double]], _ values: [Double], isCategorical: [Bool], logarithms: [Double],
        isDeterministic: Bool = false
    ) -> (value: Double, gradient: [Double])? {
        loss(
            PointColumns(points, isCategorical), values, logarithms,
            isDeterministic: isDeterministic)
    }

    private static func loss(
        _ observations: PointColumns, _ values: [Double], _ logarithms: [Double],
        isDeterministic: Bool
    ) -> (value: Double, gradient: [Double])? {
        let dimension = observations.dimension
        let count = observations.count
        let parameters = parameters(logarithms, isDeterministic)
        let (scale, noise) = (parameters.kernelScale, parameters.noiseVariance)
        let (covariance, slopes) = observations.covarianceAndDerivatives(parameters)
        guard let factor = CholeskyFactor(covariance, count: count) else { return nil }
        let half = factor.solveLower(values)
        let weights = factor.solveUpper(half)
        var value = factor.halfLogDeterminant + dot(half, half) / 2

        // ∂/∂C, then its products with ∂C/∂θ.
        let inverse = factor.inverse()
        var products = [Double](repeating: 0, count: count * count)
        var trace = 0.0
        var scaleGradient = 0.0
        for row in 0..<count {
            for column in 0..<row {
                let place = row * count + column
                // Twice a half, for both triangles.
                let sensitivity = inverse[place] - weights[row] * weights[column]
                products[place] = sensitivity * slopes[place]
                scaleGradient += sensitivity * covariance[place]
            }
            let place = row * count + row
            trace += (inverse[place] - weights[row] * weights[row]) / 2
        }
        scaleGradient += trace * scale
        let lengthGradients = observations.weightedDifferences(products)

        var gradient = [Double](repeating: 0, count: dimension + 2)
        for coordinate in 0..<dimension {
            let inverseSquare = parameters.inverseSquaredLengthScales[coordinate]
            value += 0.1 / inverseSquare + 0.1 * inverseSquare
            gradient[coordinate] =
                lengthGradients[coordinate] * inverseSquare - 0.1 / inverseSquare
                + 0.1 * inverseSquare
        }
        // Gamma(2, 1) for the scale and Gamma(1.1, 30) for the noise.
        value += scale - logarithm(scale)
        gradient[dimension] = scaleGradient + scale - 1
        value += 30 * noise - 0.1 * logarithm(noise)
        if !isDeterministic {
            gradient[dimension + 1] = (trace + 30 - 0.1 / noise) * (noise - minimumNoise)
        }
        guard value.isFinite, gradient.allSatisfy(\.isFinite) else { return nil }
        return (value, gradient)
    }
}
