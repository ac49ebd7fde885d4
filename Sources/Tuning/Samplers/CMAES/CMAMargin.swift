// CMA-ES with margin: keeps integers and other stepped parameters from getting stuck.

import Glibc

/// What is added to ``CMAEvolution`` for parameters with steps: for each of them, a probability of
/// at least `margin` to leave the cell that the mean is in.
///
/// Source: Hamano et al. 2022, arXiv:2205.13482. Checked by `CMAEvolutionTests`.
package struct CMAMargin: Sendable {
    /// Axes with steps, and for each the distance of its values in the unit cube.
    private let axes: [(axis: Int, step: Double, count: Int)]
    private let margin: Double
    /// Stretches the distribution of each stepped axis.
    private var stretch: [Double]

    /// Numbers near 1 lie 1e-16 apart: the limits between the values of a finer grid are lost.
    private static let finestStep = 1e-15

    /// - steps: by axis; 0 for a continuous one. One that is too fine for numbers of the unit cube
    ///   (all 64-bit integers, say) or not finite (a range whose ends are one number) counts as such.
    package init(steps: [Double], populationSize: Int) {
        axes = steps.enumerated().filter {
            $0.element >= Self.finestStep && $0.element.isFinite
        }.map { axis, step in
            (axis, step, max(clampedInt(((1 + step / 2) / step).rounded(.up)), 2))
        }
        margin = 1 / (Double(steps.count) * Double(populationSize))
        stretch = Array(repeating: 1, count: axes.count)
    }

    /// Whether a point lies in the cube, as far as continuous axes go.
    package func isInside(_ point: [Double]) -> Bool {
        point.indices.allSatisfy { axis in
            axes.contains { $0.axis == axis } || (point[axis] >= 0 && point[axis] <= 1)
        }
    }

    /// The point to evaluate for a drawn one: stretched, and on the grid.
    package func encoded(_ point: [Double], mean: [Double]) -> [Double] {
        var result = point
        for (place, entry) in axes.enumerated() {
            let centre = mean[entry.axis]
            let stretched = (point[entry.axis] - centre) * stretch[place] + centre
            result[entry.axis] = min(
                Double(cell(stretched, entry.step, entry.count)) * entry.step, 1)
        }
        return result
    }

    /// The cell of the grid that a number lies in; limits lie halfway between values.
    private func cell(_ value: Double, _ step: Double, _ count: Int) -> Int {
        let place = (value / step - 0.5).rounded(.up)
        return min(max(clampedInt(place), 0), count - 1)
    }

    /// Corrects mean and stretch after a generation.
    package mutating func correct(_ evolution: inout CMAEvolution) {
        for (place, entry) in axes.enumerated() {
            let axis = entry.axis
            let mean = evolution.mean[axis]
            let cell = cell(mean, entry.step, entry.count)
            func limit(_ index: Int) -> Double {
                (Double(min(max(index, 0), entry.count - 2)) + 0.5) * entry.step
            }
            let low = limit(cell - 1)
            let high = limit(cell)
            let deviation = evolution.covariance[axis][axis].squareRoot()
            let scale = evolution.sigma * stretch[place] * deviation
            func below(_ x: Double) -> Double { 0.5 * erfc(-(x - mean) / scale / 2.0.squareRoot()) }
            var lowMass = below(low)
            var highMass = 1 - below(high)
            let middleMass = 1 - (lowMass + highMass)
            if max(lowMass, highMass) > 0.5 {
                // In an outer cell: move the mean no further out than the margin allows.
                if min(lowMass, highMass) < margin {
                    let sign: Double = mean > high ? 1 : mean < high ? -1 : 0
                    evolution.mean[axis] = high + sign * scale * halfWidth(1 - 2 * margin)
                }
                continue
            }
            lowMass = max(lowMass, margin / 2)
            highMass = max(highMass, margin / 2)
            let excess = 1 - lowMass - highMass - middleMass
            let total = lowMass + middleMass + highMass - 1.5 * margin
            func corrected(_ mass: Double) -> Double {
                min(max(mass + excess * (mass - margin / 2) / total, 1e-10), 0.5 - 1e-10)
            }
            let lowWidth = halfWidth(1 - 2 * corrected(lowMass))
            let highWidth = halfWidth(1 - 2 * corrected(highMass))
            stretch[place] = (high - low) / ((lowWidth + highWidth) * evolution.sigma * deviation)
            evolution.mean[axis] = (low * highWidth + high * lowWidth) / (lowWidth + highWidth)
        }
    }

    /// Half the width, in standard deviations, of the central interval with that probability.
    private func halfWidth(_ probability: Double) -> Double {
        inverseLogNormalCDF([logarithm((1 + probability) / 2)])[0]
    }
}
