// The step along a direction that gains enough: the inner loop of BoundedMinimizer.

/// Finds a step that lowers the value enough and flattens the slope enough (strong Wolfe
/// conditions), by cubic and quadratic interpolation in an interval that shrinks.
///
/// Ask ``nextStep``, evaluate there, ``take(_:slope:)``; until `nextStep` is `nil`.
/// Source: Moré and Thuente 1994, doi:10.1145/192115.192132.
struct LineSearch {
    private static let sufficientDecrease = 1e-3
    private static let flatness = 0.9
    private static let intervalTolerance = 0.1
    private static let maximumEvaluations = 20

    private struct Place {
        var step: Double
        var value: Double
        var slope: Double
    }

    private let startValue: Double
    private let startSlope: Double
    private let longest: Double
    private var best: Place
    private var other: Place
    private var isBracketed = false
    private var isFirstStage = true
    private var width: Double
    private var previousWidth: Double
    private var range: ClosedRange<Double>
    private var evaluations = 0
    /// Where to evaluate next.
    private(set) var nextStep: Double?
    /// Whether the last step meets both conditions, or is as good as rounding allows.
    private(set) var hasSucceeded = false
    /// Value at the last step.
    private(set) var value: Double

    init(value: Double, slope: Double, step: Double, longest: Double) {
        startValue = value
        startSlope = slope
        self.longest = longest
        self.value = value
        best = Place(step: 0, value: value, slope: slope)
        other = best
        width = longest
        previousWidth = 2 * longest
        range = 0...max(5 * step, 0)
        nextStep = step > 0 ? step : nil
    }

    mutating func take(_ newValue: Double, slope newSlope: Double) {
        guard let step = nextStep else { return }
        evaluations += 1
        value = newValue
        guard newValue.isFinite && newSlope.isFinite else {
            // Beyond where the function can be evaluated: halfway back.
            isBracketed = true
            other = Place(step: step, value: .infinity, slope: 0)
            nextStep =
                evaluations < Self.maximumEvaluations ? (best.step + step) / 2 : nil
            return
        }
        let decrease = Self.sufficientDecrease * startSlope
        let bound = startValue + step * decrease
        if isFirstStage && newValue <= bound && newSlope >= 0 { isFirstStage = false }
        let isEnough =
            newValue <= bound && abs(newSlope) <= Self.flatness * abs(startSlope)
        let isAtEnd = step == longest && newValue <= bound && newSlope <= decrease
        let isExhausted =
            isBracketed
            && (step <= range.lowerBound || step >= range.upperBound
                || range.upperBound - range.lowerBound
                    <= Self.intervalTolerance * range.upperBound)
        if isEnough || isAtEnd || isExhausted || evaluations >= Self.maximumEvaluations {
            hasSucceeded = isEnough || isAtEnd || (isExhausted && newValue <= bound)
            nextStep = nil
            return
        }
        var trial = Place(step: step, value: newValue, slope: newSlope)
        if isFirstStage && newValue <= best.value && newValue > bound {
            // A function whose minimum is where the decrease is enough.
            func tilted(_ place: Place, _ sign: Double) -> Place {
                Place(
                    step: place.step, value: place.value - sign * place.step * decrease,
                    slope: place.slope - sign * decrease)
            }
            (best, other, trial) = (tilted(best, 1), tilted(other, 1), tilted(trial, 1))
            advance(trial)
            (best, other) = (tilted(best, -1), tilted(other, -1))
        } else {
            advance(trial)
        }
        guard var next = nextStep else { return }
        if isBracketed {
            if abs(other.step - best.step) >= 0.66 * previousWidth {
                next = best.step + (other.step - best.step) / 2
            }
            previousWidth = width
            width = abs(other.step - best.step)
            range = min(best.step, other.step)...max(best.step, other.step)
        } else {
            let (near, far) = (next + 1.1 * (next - best.step), next + 4 * (next - best.step))
            range = min(near, far)...max(near, far)
        }
        next = min(max(next, 0), longest)
        if isBracketed
            && (next <= range.lowerBound || next >= range.upperBound
                || range.upperBound - range.lowerBound
                    <= Self.intervalTolerance * range.upperBound)
        {
            next = best.step
        }
        nextStep = next
    }

    /// Puts the trial into the interval and proposes the next one.
    private mutating func advance(_ trial: Place) {
        let isOpposite = trial.slope * best.slope < 0
        /// The minimum of the cubic through two places, in their values and slopes.
        func cubic(_ from: Place, _ to: Place, isSafe: Bool = false) -> (Double, Double) {
            let theta =
                3 * (from.value - to.value) / (to.step - from.step) + from.slope + to.slope
            let scale = max(abs(theta), abs(from.slope), abs(to.slope))
            var radicand =
                (theta / scale) * (theta / scale) - (from.slope / scale) * (to.slope / scale)
            if isSafe { radicand = max(radicand, 0) }
            return (theta, scale * radicand.squareRoot())
        }
        let next: Double
        if trial.value > best.value {
            // The minimum lies between.
            let (theta, size) = cubic(best, trial)
            let gamma = trial.step < best.step ? -size : size
            let ratio =
                ((gamma - best.slope) + theta) / (((gamma - best.slope) + gamma) + trial.slope)
            let byCubic = best.step + ratio * (trial.step - best.step)
            let bySecant =
                (best.value - trial.value) / (trial.step - best.step) + best.slope
            let byQuadratic =
                best.step + best.slope / bySecant / 2 * (trial.step - best.step)
            next =
                abs(byCubic - best.step) < abs(byQuadratic - best.step)
                ? byCubic : byCubic + (byQuadratic - byCubic) / 2
            isBracketed = true
        } else if isOpposite {
            let (theta, size) = cubic(best, trial)
            let gamma = trial.step > best.step ? -size : size
            let ratio =
                ((gamma - trial.slope) + theta) / (((gamma - trial.slope) + gamma) + best.slope)
            let byCubic = trial.step + ratio * (best.step - trial.step)
            let byQuadratic =
                trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step)
            next =
                abs(byCubic - trial.step) > abs(byQuadratic - trial.step) ? byCubic : byQuadratic
            isBracketed = true
        } else if abs(trial.slope) < abs(best.slope) {
            // The cubic may have no minimum, or one on the wrong side.
            let (theta, size) = cubic(best, trial, isSafe: true)
            let gamma = trial.step > best.step ? -size : size
            let ratio =
                ((gamma - trial.slope) + theta) / ((gamma + (best.slope - trial.slope)) + gamma)
            let byCubic: Double
            if ratio < 0 && gamma != 0 {
                byCubic = trial.step + ratio * (best.step - trial.step)
            } else {
                byCubic = trial.step > best.step ? range.upperBound : range.lowerBound
            }
            let byQuadratic =
                trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step)
            if isBracketed {
                let closer =
                    abs(byCubic - trial.step) < abs(byQuadratic - trial.step)
                    ? byCubic : byQuadratic
                let limit = trial.step + 0.66 * (other.step - trial.step)
                next = trial.step > best.step ? min(limit, closer) : max(limit, closer)
            } else {
                let farther =
                    abs(byCubic - trial.step) > abs(byQuadratic - trial.step)
                    ? byCubic : byQuadratic
                next = min(max(farther, range.lowerBound), range.upperBound)
            }
        } else if isBracketed {
            let (theta, size) = cubic(trial, other)
            let gamma = trial.step > other.step ? -size : size
            let ratio =
                ((gamma - trial.slope) + theta)
                / (((gamma - trial.slope) + gamma) + other.slope)
            next = trial.step + ratio * (other.step - trial.step)
        } else {
            next = trial.step > best.step ? range.upperBound : range.lowerBound
        }
        if trial.value > best.value {
            other = trial
        } else {
            if isOpposite { other = best }
            best = trial
        }
        nextStep = next.isFinite ? next : (best.step + other.step) / 2
    }
}
