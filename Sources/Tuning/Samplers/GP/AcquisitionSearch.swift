// The point with the largest acquisition function: many quasi-random points, then local searches
// from the best of them.

/// Climbs in turns along the continuous coordinates together and along each discrete one.
package struct AcquisitionSearch {
    private static let largestExhaustiveGrid = 16
    private static let maximumRounds = 100

    private let function: AcquisitionFunction
    private let space: UnitSearchSpace
    private let continuous: [Int]
    private let discrete: [Int]
    private let minimizer: BoundedMinimizer

    package init(_ function: AcquisitionFunction, _ space: UnitSearchSpace) {
        self.function = function
        self.space = space
        continuous = space.axes.indices.filter { !space.axes[$0].isDiscrete }
        discrete = space.axes.indices.filter { space.axes[$0].isDiscrete }
        minimizer = BoundedMinimizer(gradientTolerance: 1e-2, maximumIterations: 200)
    }

    package struct Found {
        package var point: [Double]
        package var value: Double
        /// Whether no direction gains any more.
        package var isConverged = true
    }

    package func climb(from start: [Double]) -> Found {
        var found = Found(point: start, value: function.value(start))
        /// The discrete coordinate that moved last; `nil` for the continuous ones.
        var lastMoved: Int?
        for _ in 0..<Self.maximumRounds {
            if climbContinuous(&found) { lastMoved = nil }
            for coordinate in discrete {
                if lastMoved == coordinate { return found }
                if climbDiscrete(&found, coordinate) { lastMoved = coordinate }
            }
            if lastMoved == nil { return found }
        }
        found.isConverged = false
        return found
    }

    /// In units of the length scales, in which the function bends alike in all directions.
    private func climbContinuous(_ found: inout Found) -> Bool {
        if continuous.isEmpty { return false }
        let scales = continuous.map { function.lengthScales[$0] }
        var point = found.point
        let start = zip(continuous, scales).map { point[$0] / $1 }
        let result = minimizer.minimize(from: start, bounds: scales.map { 0...(1 / $0) }) {
            scaled in
            for (index, coordinate) in continuous.enumerated() {
                point[coordinate] = scaled[index] * scales[index]
            }
            let (value, gradient) = function.valueAndGradient(point)
            guard value.isFinite, gradient.allSatisfy(\.isFinite) else { return nil }
            return (-value, zip(continuous, scales).map { -gradient[$0] * $1 })
        }
        guard result.iterations > 0, -result.value > found.value else { return false }
        for (index, coordinate) in continuous.enumerated() {
            found.point[coordinate] = min(max(result.point[index] * scales[index], 0), 1)
        }
        found.value = -result.value
        return true
    }

    private func climbDiscrete(_ found: inout Found, _ coordinate: Int) -> Bool {
        let axis = space.axes[coordinate]
        return axis.isCategorical || axis.gridCount <= Self.largestExhaustiveGrid
            ? tryAll(&found, coordinate) : searchLine(&found, coordinate)
    }

    private func tryAll(_ found: inout Found, _ coordinate: Int) -> Bool {
        let axis = space.axes[coordinate]
        let others = (0..<axis.gridCount).map(axis.grid)
            .filter { $0 != found.point[coordinate] }
            .map { value in
                var point = found.point
                point[coordinate] = value
                return point
            }
        if others.isEmpty { return false }
        let values = function.values(others)
        let best = indexOfMaximum(values)
        guard values[best] > found.value else { return false }
        found.point = others[best]
        found.value = values[best]
        return true
    }

    /// Brent's method on the function between the points of the grid, joined by straight lines.
    private func searchLine(_ found: inout Found, _ coordinate: Int) -> Bool {
        let axis = space.axes[coordinate]
        let current = axis.gridIndex(nearest: found.point[coordinate])
        var known = [current: -found.value]
        var point = found.point
        func loss(_ index: Int) -> Double {
            if let value = known[index] { return value }
            point[coordinate] = axis.grid(index)
            let value = -function.value(point)
            known[index] = value.isNaN ? .infinity : value
            return value
        }
        let (first, last) = (axis.grid(0), axis.grid(axis.gridCount - 1))
        let best = brentMinimum(
            from: first - 1e-12, start: (axis.grid(current), -found.value), to: last + 1e-12,
            tolerance: axis.gridSpacing / 4
        ) { share in
            guard share >= first, share <= last else { return .infinity }
            let right = axis.gridIndex(notBelow: share)
            let (left, leftShare, rightShare) = (right - 1, axis.grid(right - 1), axis.grid(right))
            let weight = (rightShare - share) / (rightShare - leftShare)
            return weight * loss(left) + (1 - weight) * loss(right)
        }
        let index = axis.gridIndex(nearest: best)
        guard index != current, -loss(index) > found.value else { return false }
        found.point[coordinate] = axis.grid(index)
        found.value = -loss(index)
        return true
    }
}

/// A local minimum between two ends, by parabolas and golden sections.
///
/// - start: a point between with a value not above those of the ends. - tolerance: relative.
/// Source: Brent 1973, chapter 5, as scipy's `minimize_scalar`.
package func brentMinimum(
    from: Double, start: (place: Double, value: Double), to: Double, tolerance: Double,
    _ function: (Double) -> Double
) -> Double {
    let golden = 0.3819660
    var (low, high) = (from, to)
    // The best place, the second best, and the one before.
    var (x, w, v) = (start.place, start.place, start.place)
    var (fx, fw, fv) = (start.value, start.value, start.value)
    var (move, moveBefore) = (0.0, 0.0)
    for _ in 0..<500 {
        let slack = tolerance * abs(x) + 1e-11
        let middle = 0.5 * (low + high)
        if abs(x - middle) < 2 * slack - 0.5 * (high - low) { break }
        var isGolden = true
        if abs(moveBefore) > slack {
            // A parabola through the three.
            let (r, q) = ((x - w) * (fx - fv), (x - v) * (fx - fw))
            var p = (x - v) * q - (x - w) * r
            let doubled = 2 * (q - r)
            if doubled > 0 { p = -p }
            let denominator = abs(doubled)
            if p > denominator * (low - x), p < denominator * (high - x),
                abs(p) < abs(0.5 * denominator * moveBefore)
            {
                moveBefore = move
                move = p / denominator
                let next = x + move
                if next - low < 2 * slack || high - next < 2 * slack {
                    move = middle - x >= 0 ? slack : -slack
                }
                isGolden = false
            }
        }
        if isGolden {
            moveBefore = x >= middle ? low - x : high - x
            move = golden * moveBefore
        }
        let next = abs(move) < slack ? x + (move >= 0 ? slack : -slack) : x + move
        let value = function(next)
        if value > fx {
            if next < x { low = next } else { high = next }
            if value <= fw || w == x {
                (v, fv, w, fw) = (w, fw, next, value)
            } else if value <= fv || v == x || v == w {
                (v, fv) = (next, value)
            }
        } else {
            if next >= x { low = x } else { high = x }
            (v, fv, w, fw, x, fx) = (w, fw, x, fx, next, value)
        }
    }
    return x
}
