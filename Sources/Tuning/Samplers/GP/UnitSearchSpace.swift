// A search space as a unit cube, with grids on the coordinates of integers, steps and choices.

/// Points of [0, 1) by coordinate; a choice's coordinate is its place, 0, 1, ….
package struct UnitSearchSpace: Sendable {
    package let axes: [Axis]
    let names: [String]

    package init(_ space: NamedValues<Distribution>) {
        names = space.names
        axes = space.values.map(Axis.init)
    }

    var isCategorical: [Bool] { axes.map(\.isCategorical) }

    /// `nil` if a parameter is missing.
    package func point(of params: NamedValues<ParameterValue>) throws -> [Double]? {
        var point: [Double] = []
        for (name, axis) in zip(names, axes) {
            guard let value = params[name] else { return nil }
            point.append(axis.normalized(try axis.distribution.internalValue(of: value)))
        }
        return point
    }

    package func values(at point: [Double]) -> NamedValues<ParameterValue> {
        NamedValues(zip(names, zip(axes, point)).map { ($0, $1.0.value(at: $1.1)) })
    }

    /// Points of Sobol's sequence, scrambled; on the grids. - seed: of the scrambling.
    package func sample(_ count: Int, seed: Int) -> [[Double]] {
        let isSobol = axes.count <= SobolSequence.largestDimension
        let points: any QuasiRandomSequence =
            isSobol
            ? SobolSequence(dimension: axes.count, seed: UInt64(seed))
            : HaltonSequence(dimension: axes.count, seed: UInt64(seed))
        return (0..<count).map { index in
            zip(axes, points.point(index)).map { axis, share in
                axis.isCategorical
                    ? (share * axis.high).rounded(.down) : axis.rounded(share)
            }
        }
    }
}

extension UnitSearchSpace {
    /// One parameter.
    package struct Axis: Sendable {
        let distribution: Distribution
        /// Of the range; 0 and the number of choices.
        let low: Double
        let high: Double
        /// 0 for a continuous parameter.
        let step: Double
        let isLogarithmic: Bool
        let isCategorical: Bool
        /// The range that becomes [0, 1]: half a step wider on both sides, in the logarithm.
        private let start: Double
        private let end: Double

        init(_ distribution: Distribution) {
            self.distribution = distribution
            switch distribution {
            case .categorical(let it):
                (low, high, step) = (0, Double(it.choices.count), 1)
                (isLogarithmic, isCategorical) = (false, true)
            case .float(let it):
                (low, high, step) = (it.low, it.high, it.step ?? 0)
                (isLogarithmic, isCategorical) = (it.log, false)
            case .int(let it):
                (low, high, step) = (Double(it.low), Double(it.high), Double(it.step))
                (isLogarithmic, isCategorical) = (it.log, false)
            }
            let (first, last) = (low - 0.5 * step, high + 0.5 * step)
            (start, end) = isLogarithmic ? (logarithm(first), logarithm(last)) : (first, last)
        }

        package var isDiscrete: Bool { step > 0 }

        func normalized(_ value: Double) -> Double {
            if isCategorical { return value }
            if start == end { return 0.5 }
            return ((isLogarithmic ? logarithm(value) : value) - start) / (end - start)
        }

        private func unnormalized(_ share: Double) -> Double {
            let value = share * (end - start) + start
            return isLogarithmic ? exponential(value) : value
        }

        /// The grid's point in whose cell a share lies.
        func rounded(_ share: Double) -> Double {
            if !isDiscrete { return share }
            let cell = ((unnormalized(share) - low + 0.5 * step) / step).rounded(.down)
            return normalized(min(max(cell * step + low, low), high))
        }

        func value(at share: Double) -> ParameterValue {
            if isCategorical { return distribution.value(ofInternal: share) }
            let value = min(max(unnormalized(share), low), high)
            guard case .int(let it) = distribution else { return .double(value) }
            return .int(min(max(clampedInt(value.rounded(.toNearestOrEven)), it.low), it.high))
        }

        // MARK: Grid

        /// Number of values of a discrete parameter.
        package var gridCount: Int {
            isCategorical
                ? clampedInt(high) : clampedInt(min(((high - low) / step).rounded(), 0x1p60)) + 1
        }

        package func grid(_ index: Int) -> Double {
            isCategorical ? Double(index) : normalized(min(low + Double(index) * step, high))
        }

        /// The first index whose share is at least this, kept to 1 ..< gridCount.
        func gridIndex(notBelow share: Double) -> Int {
            var (first, last) = (0, gridCount)
            while first < last {
                let middle = first + (last - first) / 2
                if grid(middle) < share { first = middle + 1 } else { last = middle }
            }
            return min(max(first, 1), gridCount - 1)
        }

        func gridIndex(nearest share: Double) -> Int {
            let upper = gridIndex(notBelow: share)
            return abs(share - grid(upper - 1)) < abs(share - grid(upper)) ? upper - 1 : upper
        }

        /// Smallest distance of neighbours.
        var gridSpacing: Double {
            let last = gridCount - 1
            return last < 1
                ? .infinity : min(grid(1) - grid(0), grid(last) - grid(last - 1))
        }
    }
}
