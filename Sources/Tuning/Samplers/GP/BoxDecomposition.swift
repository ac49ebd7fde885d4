// The part of the objective space that no trial dominates, cut into boxes: what the expected
// hypervolume improvement is a sum over.

/// Boxes that partition what is not dominated and better than a reference point.
///
/// Objectives are to be maximised here, boxes may reach to infinity.
/// Source: Lacour, Klamroth and Fonseca 2017, doi:10.1016/j.cor.2016.06.021; Daulton, Balandat and
/// Bakshy 2020, arXiv:2006.05078. Checked by `GaussianProcessTests` against Optuna.
package struct BoxDecomposition: Sendable {
    /// Keeps logarithms and gradients finite.
    static let smallest = 1e-12
    /// [boxes][objectives]
    package private(set) var lower: [[Double]] = []
    /// Sizes, at least ``smallest``.
    package private(set) var sizes: [[Double]] = []

    /// A little worse than the worst values, in losses.
    package static func referencePoint(_ values: [[Double]]) -> [Double] {
        let objectives = values.first?.count ?? 0
        return (0..<objectives).map { objective in
            let worst = values.map { -$0[objective] }.max() ?? 0
            return max(1.1 * worst, 0.9 * worst).nextUp
        }
    }

    /// - values: finite; [points][objectives], at least two objectives.
    package init(_ values: [[Double]], reference: [Double]) {
        let losses = values.map { $0.map { -$0 } }
            .filter { zip($0, reference).allSatisfy { $0 < $1 } }
        let front = nonDominated(losses)
        let bounds = upperBounds(front, reference)
        // The bounds mirrored are a front of their own, whose bounds end the boxes from below.
        let mirrored = nonDominated(bounds.map { $0.bound.map { -$0 } })
        let infinity = reference.map { _ in Double.infinity }
        for local in upperBounds(mirrored, infinity) {
            let (low, high) = box(local, infinity)
            // No extent.
            if zip(low, high).contains(where: { $1 <= $0 }) { continue }
            // The mirror of a mirror is as it was: these are values again.
            lower.append(low)
            sizes.append(zip(low, high).map { max($1 - $0, Self.smallest) })
        }
    }

    /// Σ over boxes of the volume that a point adds, and its gradient.
    func improvement(_ value: [Double], gradient: inout [Double]?) -> Double {
        var total = 0.0
        if gradient != nil { gradient = value.map { _ in 0 } }
        for (low, size) in zip(lower, sizes) {
            var volume = 1.0
            for objective in value.indices {
                let inside = value[objective] - low[objective]
                volume *= min(max(inside, Self.smallest), size[objective])
            }
            total += volume
            guard gradient != nil else { continue }
            for objective in value.indices {
                let inside = value[objective] - low[objective]
                if inside > Self.smallest && inside < size[objective] {
                    gradient?[objective] += volume / inside
                }
            }
        }
        return total
    }
}

/// A local upper bound with the points that define it, one for each objective.
private struct LocalBound {
    var bound: [Double]
    /// [objective][coordinate]
    var definition: [[Double]]
}

/// Distinct points that no other is as good as everywhere, in lexicographic order.
private func nonDominated(_ losses: [[Double]]) -> [[Double]] {
    var front: [[Double]] = []
    for point in losses.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        let isCovered = front.contains { other in zip(other, point).allSatisfy { $0 <= $1 } }
        if !isCovered { front.append(point) }
    }
    return front
}

/// Algorithm 2 of Lacour et al. - sorted: ascending in the first objective.
private func upperBounds(_ sorted: [[Double]], _ reference: [Double]) -> [LocalBound] {
    let objectives = reference.indices
    let start = LocalBound(
        bound: reference,
        definition: objectives.map { row in
            objectives.map { $0 == row ? reference[row] : -.infinity }
        })
    var bounds = [start]
    for point in sorted {
        var kept: [LocalBound] = []
        var fresh: [LocalBound] = []
        for local in bounds {
            guard zip(point, local.bound).allSatisfy({ $0 < $1 }) else {
                kept.append(local)
                continue
            }
            for objective in objectives {
                // The largest coordinate among the other defining points; the sweep is along the
                // first objective, where nothing has to be compared.
                var largest = -Double.infinity
                if objective > 0 {
                    for other in objectives where other != objective {
                        largest = max(largest, local.definition[other][objective])
                    }
                }
                guard point[objective] >= largest else { continue }
                var next = local
                next.bound[objective] = point[objective]
                next.definition[objective] = point
                fresh.append(next)
            }
        }
        bounds = kept + fresh
    }
    return bounds
}

/// Equation 2 of Lacour et al.
private func box(_ local: LocalBound, _ reference: [Double]) -> (low: [Double], high: [Double]) {
    var low = [local.definition[0][0]]
    var high = [reference[0]]
    for objective in local.bound.indices.dropFirst() {
        var largest = -Double.infinity
        for other in 0..<objective { largest = max(largest, local.definition[other][objective]) }
        low.append(largest)
        high.append(local.bound[objective])
    }
    return (low, high)
}
