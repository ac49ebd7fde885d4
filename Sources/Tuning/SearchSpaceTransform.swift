// Between parameter values and a box of real numbers: what RandomSampler draws from.

/// One parameter as columns of a real box.
///
/// A number takes one column, in the logarithm where the range is logarithmic and half a step wider
/// on both sides where there are steps; a categorical parameter takes a column of [0, 1] for each
/// choice, and the largest one wins.
struct SearchSpaceTransform: Sendable {
    let distribution: Distribution
    /// Lower and upper end of each column.
    let bounds: [(low: Double, high: Double)]

    init(_ distribution: Distribution) {
        self.distribution = distribution
        switch distribution {
        case .categorical(let it):
            bounds = Array(repeating: (0, 1), count: it.choices.count)
        case .float(let it) where it.log:
            bounds = [(logarithm(it.low), logarithm(it.high))]
        case .float(let it):
            let margin = it.step.map { 0.5 * $0 } ?? 0
            bounds = [(it.low - margin, it.high + margin)]
        case .int(let it):
            let margin = 0.5 * Double(it.step)
            let low = Double(it.low) - margin
            let high = Double(it.high) + margin
            bounds = [it.log ? (logarithm(low), logarithm(high)) : (low, high)]
        }
    }

    /// The point of a value in internal form.
    func point(of internalValue: Double) -> [Double] {
        switch distribution {
        case .categorical(let it):
            var point = [Double](repeating: 0, count: it.choices.count)
            let choice = clampedInt(internalValue)
            if point.indices.contains(choice) { point[choice] = 1 }
            return point
        case .float(let it): return [it.log ? logarithm(internalValue) : internalValue]
        case .int(let it): return [it.log ? logarithm(internalValue) : internalValue]
        }
    }

    /// The value at a point of the box.
    func value(at point: [Double]) -> ParameterValue {
        switch distribution {
        case .categorical(let it):
            var best = 0
            for index in point.indices where point[index] > point[best] { best = index }
            return it.choices[best]
        case .float(let it): return .double(value(at: point[0], it))
        case .int(let it): return .int(value(at: point[0], it))
        }
    }

    private func value(at x: Double, _ it: FloatDistribution) -> Double {
        // The upper end itself is never drawn.
        let belowHigh = nextToward(it.high, it.high - 1)
        if it.log {
            let value = exponential(x)
            return it.isSingle ? value : min(max(value, it.low), belowHigh)
        }
        if let step = it.step {
            let value = ((x - it.low) / step).rounded(.toNearestOrEven) * step + it.low
            return min(max(value, it.low), it.high)
        }
        return it.isSingle ? x : min(x, belowHigh)
    }

    private func value(at x: Double, _ it: IntDistribution) -> Int {
        if it.log {
            return min(
                max(clampedInt(exponential(x).rounded(.toNearestOrEven)), it.low), it.high)
        }
        // In whole numbers, as the distance from `low` may not fit a double.
        let count = ((x - Double(it.low)) / Double(it.step) + 0.5).rounded(.down)
        guard let count = Int128(exactly: count) else { return it.low }
        let value = count * Int128(it.step) + Int128(it.low)
        return Int(min(max(value, Int128(it.low)), Int128(it.high)))
    }

    /// C's `nextafter`.
    private func nextToward(_ value: Double, _ target: Double) -> Double {
        if target < value { return value.nextDown }
        return target > value ? value.nextUp : value
    }
}
