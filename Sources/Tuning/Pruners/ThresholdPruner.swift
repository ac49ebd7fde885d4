// Prunes by fixed bounds.

import OrderedJSON

/// Prunes a trial whose latest report is NaN, below `lower` or above `upper`.
///
/// - lower, upper: at least one of them. - nWarmupSteps: steps before anything is pruned.
/// - intervalSteps: checks once per so many steps.
public final class ThresholdPruner: Pruner {
    private let lower: Double
    private let upper: Double
    private let nWarmupSteps: Int
    private let intervalSteps: Int

    public init(
        lower: Double? = nil, upper: Double? = nil, nWarmupSteps: Int = 0, intervalSteps: Int = 1
    ) throws {
        func refuse(_ problem: String) -> TuningError { .pruner(problem: problem) }
        if lower == nil && upper == nil {
            throw refuse("Either lower or upper must be specified.")
        }
        self.lower = lower ?? -.infinity
        self.upper = upper ?? .infinity
        guard self.lower <= self.upper else {
            throw refuse("lower should be smaller than upper.")
        }
        guard nWarmupSteps >= 0 else {
            throw refuse("Number of warmup steps cannot be negative but got \(nWarmupSteps).")
        }
        guard intervalSteps >= 1 else {
            throw refuse("Pruning interval steps must be at least 1 but got \(intervalSteps).")
        }
        self.nWarmupSteps = nWarmupSteps
        self.intervalSteps = intervalSteps
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) -> Bool {
        guard let step = trial.lastStep, step >= nWarmupSteps,
            isFirstInInterval(
                step: step, reported: trial.intermediateValues.steps, warmup: nWarmupSteps,
                interval: intervalSteps),
            let latest = trial.intermediateValues[step]
        else { return false }
        return latest.isNaN || latest < lower || latest > upper
    }
}
