// Smooth minimisation in a box: what fits the kernel of a Gaussian process and climbs the
// acquisition function.

/// L-BFGS-B: quasi-Newton steps in a box.
///
/// Each step follows the projected gradient of a quadratic model to its first minimum along that
/// path, minimises the model over the coordinates that are free there, and searches along the line
/// to that point. The model's matrix is built from the last few steps; with the handful of
/// coordinates of a search space it is kept as a whole.
///
/// Source: Byrd, Lu, Nocedal and Zhu 1995, doi:10.1137/0916069. Checked by `BoundedMinimizerTests`.
package struct BoundedMinimizer {
    /// Steps that the model remembers.
    var memory = 10
    /// Ends when no component of the projected gradient is larger.
    package var gradientTolerance = 1e-5
    /// Ends when a step gains less, relative to the value (or to 1).
    var valueTolerance = 1e7 * Double.ulpOfOne
    package var maximumIterations = 15_000

    package init(gradientTolerance: Double = 1e-5, maximumIterations: Int = 15_000) {
        self.gradientTolerance = gradientTolerance
        self.maximumIterations = maximumIterations
    }

    package struct Result {
        package var point: [Double]
        package var value: Double
        package var iterations: Int
        /// Whether it ended by a tolerance.
        package var isConverged: Bool
    }

    package typealias Function = ([Double]) -> (value: Double, gradient: [Double])?

    /// - bounds: of each coordinate; infinite for none.
    /// - function: value and gradient, `nil` where it has none. At `start` it must have one.
    package func minimize(
        from start: [Double], bounds: [ClosedRange<Double>], _ function: Function
    ) -> Result {
        var point = zip(start, bounds).map { min(max($0, $1.lowerBound), $1.upperBound) }
        guard var (value, gradient) = function(point), value.isFinite else {
            return Result(point: point, value: .infinity, iterations: 0, isConverged: false)
        }
        var model = QuadraticModel(dimension: point.count, memory: memory)
        var iterations = 0
        func result(_ isConverged: Bool) -> Result {
            Result(point: point, value: value, iterations: iterations, isConverged: isConverged)
        }
        let hasBounds = bounds.contains { $0.lowerBound.isFinite || $0.upperBound.isFinite }
        while true {
            if projectedGradientSize(point, gradient, bounds) <= gradientTolerance {
                return result(true)
            }
            if iterations >= maximumIterations { return result(false) }
            let target = model.minimum(from: point, gradient, bounds)
            let direction = zip(target, point).map { $0 - $1 }
            let slope = dot(gradient, direction)
            guard slope < 0 else {
                // Rounding has spoilt the model.
                if model.isEmpty { return result(false) }
                model.forget()
                continue
            }
            let longest = hasBounds ? longestStep(point, direction, bounds) : 1e10
            let isFirst = model.isEmpty && !(hasBounds && bounds.allSatisfy(\.isBounded))
            let firstStep = isFirst ? min(1 / length(direction), longest) : min(1, longest)
            var best = (point: point, gradient: gradient)
            var search = LineSearch(value: value, slope: slope, step: firstStep, longest: longest)
            while let step = search.nextStep {
                let trial = zip(zip(point, direction), bounds).map { pair, bound in
                    min(max(pair.0 + step * pair.1, bound.lowerBound), bound.upperBound)
                }
                let (trialValue, trialGradient) = function(trial) ?? (.infinity, gradient)
                best = (trial, trialGradient)
                search.take(trialValue, slope: dot(trialGradient, direction))
            }
            guard search.hasSucceeded, search.value.isFinite else {
                if model.isEmpty { return result(false) }
                model.forget()
                continue
            }
            iterations += 1
            let gain = value - search.value
            let size = max(abs(value), abs(search.value), 1)
            let step = zip(best.point, point).map { $0 - $1 }
            let change = zip(best.gradient, gradient).map { $0 - $1 }
            (point, value, gradient) = (best.point, search.value, best.gradient)
            if projectedGradientSize(point, gradient, bounds) <= gradientTolerance {
                return result(true)
            }
            if gain <= valueTolerance * size { return result(true) }
            model.add(step: step, gradientChange: change)
        }
    }

    private func projectedGradientSize(
        _ point: [Double], _ gradient: [Double], _ bounds: [ClosedRange<Double>]
    ) -> Double {
        point.indices.reduce(0) { largest, index in
            let moved = min(
                max(point[index] - gradient[index], bounds[index].lowerBound),
                bounds[index].upperBound)
            return max(largest, abs(moved - point[index]))
        }
    }

    private func longestStep(
        _ point: [Double], _ direction: [Double], _ bounds: [ClosedRange<Double>]
    ) -> Double {
        point.indices.reduce(1e10) { longest, index in
            let speed = direction[index]
            if speed == 0 { return longest }
            let end = speed > 0 ? bounds[index].upperBound : bounds[index].lowerBound
            return min(longest, max((end - point[index]) / speed, 0))
        }
    }
}

extension ClosedRange<Double> {
    fileprivate var isBounded: Bool { lowerBound.isFinite && upperBound.isFinite }
}

// MARK: - The model

/// f(x) + gᵀd + ½ dᵀBd, with B from the last steps.
private struct QuadraticModel {
    private let dimension: Int
    private let memory: Int
    private var pairs: [(step: [Double], change: [Double])] = []
    /// B, symmetric.
    private var matrix: [[Double]]

    init(dimension: Int, memory: Int) {
        self.dimension = dimension
        self.memory = memory
        matrix = identityMatrix(dimension)
    }

    var isEmpty: Bool { pairs.isEmpty }

    mutating func forget() {
        pairs = []
        matrix = identityMatrix(dimension)
    }

    mutating func add(step: [Double], gradientChange change: [Double]) {
        // Keeps B positive definite.
        guard dot(step, change) > Double.ulpOfOne * dot(change, change) else { return }
        pairs.append((step, change))
        if pairs.count > memory { pairs.removeFirst() }
        let scale = dot(change, change) / dot(step, change)
        matrix = identityMatrix(dimension).map { row in row.map { $0 * scale } }
        for (step, change) in pairs {
            let image = product(matrix, step)
            let curvature = dot(step, image)
            let observed = dot(step, change)
            for row in 0..<dimension {
                for column in 0..<dimension {
                    matrix[row][column] +=
                        change[row] * change[column] / observed - image[row] * image[column]
                        / curvature
                }
            }
        }
    }

    /// The point of the box where the step leads.
    func minimum(
        from point: [Double], _ gradient: [Double], _ bounds: [ClosedRange<Double>]
    ) -> [Double] {
        let (cauchy, isFree) = cauchyPoint(point, gradient, bounds)
        let free = isFree.indices.filter { isFree[$0] }
        if free.isEmpty { return cauchy }
        // The free coordinates minimise the model, the others stay at their bounds.
        let moved = zip(cauchy, point).map { $0 - $1 }
        let slope = zip(gradient, product(matrix, moved)).map { $0 + $1 }
        let part = free.flatMap { row in free.map { matrix[row][$0] } }
        guard let factor = CholeskyFactor(part, count: free.count) else { return cauchy }
        let step = factor.solve(free.map { -slope[$0] })
        // As far as the box allows.
        var share = 1.0
        for (index, coordinate) in free.enumerated() where step[index] != 0 {
            let bound = bounds[coordinate]
            let end = step[index] > 0 ? bound.upperBound : bound.lowerBound
            share = min(share, max((end - cauchy[coordinate]) / step[index], 0))
        }
        var target = cauchy
        for (index, coordinate) in free.enumerated() {
            target[coordinate] += share * step[index]
        }
        return target
    }

    /// The first minimum of the model along the projected gradient, and which coordinates have not
    /// met a bound on the way.
    private func cauchyPoint(
        _ start: [Double], _ gradient: [Double], _ bounds: [ClosedRange<Double>]
    ) -> (point: [Double], isFree: [Bool]) {
        var point = start
        let times = start.indices.map { index -> Double in
            if gradient[index] == 0 { return .infinity }
            let end = gradient[index] > 0 ? bounds[index].lowerBound : bounds[index].upperBound
            return max((start[index] - end) / gradient[index], 0)
        }
        var direction = zip(gradient, times).map { $1 > 0 ? -$0 : 0 }
        var isFree = times.map { $0 > 0 }
        var moved = [Double](repeating: 0, count: dimension)
        var time = 0.0
        for index in times.indices.sorted(by: { times[$0] < times[$1] }) {
            if times[index] == 0 { continue }
            let image = product(matrix, direction)
            let slope = dot(gradient, direction) + dot(moved, image)
            let curvature = dot(direction, image)
            if !(slope < 0) || !(curvature > 0) { break }
            let step = min(-slope / curvature, times[index] - time)
            for coordinate in moved.indices { moved[coordinate] += step * direction[coordinate] }
            time += step
            if time < times[index] { break }
            // This coordinate has met its bound.
            let bound = bounds[index]
            moved[index] =
                (direction[index] > 0 ? bound.upperBound : bound.lowerBound) - start[index]
            direction[index] = 0
            isFree[index] = false
        }
        for coordinate in point.indices {
            point[coordinate] = min(
                max(start[coordinate] + moved[coordinate], bounds[coordinate].lowerBound),
                bounds[coordinate].upperBound)
        }
        return (point, isFree)
    }
}
