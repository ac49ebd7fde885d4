// Prunes what is worse than most finished trials were at the same step.

import OrderedJSON

/// Prunes a trial whose best report is worse than the given percentile of the finished trials'
/// reports at this step.
///
/// - percentile: 0...100; 25 keeps the best quarter.
/// - nStartupTrials: finished trials before anything is pruned (default 5).
/// - nWarmupSteps: steps of a trial before it can be pruned (default 0).
/// - intervalSteps: checks once per so many steps (default 1).
/// - nMinTrials: reports of finished trials at the step that are needed for a decision (default 1).
public final class PercentilePruner: Pruner {
    private let percentile: Double
    private let nStartupTrials: Int
    private let nWarmupSteps: Int
    private let intervalSteps: Int
    private let nMinTrials: Int

    public init(
        _ percentile: Double, nStartupTrials: Int = 5, nWarmupSteps: Int = 0,
        intervalSteps: Int = 1, nMinTrials: Int = 1
    ) throws {
        func refuse(_ problem: String) -> TuningError { .pruner(problem: problem) }
        guard percentile >= 0 && percentile <= 100 else {
            throw refuse(
                "Percentile must be between 0 and 100 inclusive, but got "
                    + "percentile=\(pythonRepr(percentile)).")
        }
        guard nStartupTrials >= 0 else {
            throw refuse(
                "Number of startup trials cannot be negative, but got "
                    + "n_startup_trials=\(nStartupTrials).")
        }
        guard nWarmupSteps >= 0 else {
            throw refuse(
                "Number of warmup steps cannot be negative, but got "
                    + "n_warmup_steps=\(nWarmupSteps).")
        }
        guard intervalSteps >= 1 else {
            throw refuse(
                "Pruning interval steps must be at least 1, but got "
                    + "interval_steps=\(intervalSteps).")
        }
        guard nMinTrials >= 1 else {
            throw refuse(
                "Number of trials for pruning must be at least 1, but got "
                    + "n_min_trials=\(nMinTrials).")
        }
        self.percentile = percentile
        self.nStartupTrials = nStartupTrials
        self.nWarmupSteps = nWarmupSteps
        self.intervalSteps = intervalSteps
        self.nMinTrials = nMinTrials
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        let complete = try study.trials(.complete)
        guard !complete.isEmpty, complete.count >= nStartupTrials,
            let step = trial.lastStep, step >= nWarmupSteps,
            isFirstInInterval(
                step: step, reported: trial.intermediateValues.steps, warmup: nWarmupSteps,
                interval: intervalSteps)
        else { return false }
        let best = bestIgnoringNaN(trial.intermediateValues.values, study.direction)
        if best.isNaN { return true }
        let reports = complete.compactMap { $0.intermediateValues[step] }
        guard reports.count >= nMinTrials else { return false }
        let isMaximized = study.direction == .maximize
        let threshold = percentileIgnoringNaN(
            reports, isMaximized ? 100 - percentile : percentile)
        if threshold.isNaN { return false }
        return isMaximized ? best < threshold : best > threshold
    }
}

/// Prunes a trial whose best report is worse than the median of the finished trials' reports at
/// this step. The pruner of a study that names none.
public final class MedianPruner: Pruner {
    private let pruner: PercentilePruner

    /// The parameters are those of ``PercentilePruner``.
    public init(
        nStartupTrials: Int = 5, nWarmupSteps: Int = 0, intervalSteps: Int = 1, nMinTrials: Int = 1
    ) throws {
        pruner = try PercentilePruner(
            50, nStartupTrials: nStartupTrials, nWarmupSteps: nWarmupSteps,
            intervalSteps: intervalSteps, nMinTrials: nMinTrials)
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        try pruner.prune(study, trial: trial)
    }
}

/// numpy's `nanpercentile`: linear between the two nearest ranks; NaN for nothing but NaN.
package func percentileIgnoringNaN(_ values: [Double], _ percentile: Double) -> Double {
    let sorted = values.filter { !$0.isNaN }.sorted()
    guard let last = sorted.last else { return .nan }
    let rank = Double(sorted.count - 1) * (percentile / 100)
    let index = min(max(Int(rank), 0), sorted.count - 1)
    guard index + 1 < sorted.count else { return last }
    let fraction = rank - Double(index)
    let difference = sorted[index + 1] - sorted[index]
    // numpy interpolates from the nearer end, so that it is exact at both.
    if fraction == 0 && difference.isInfinite { return sorted[index] }
    return fraction >= 0.5
        ? sorted[index + 1] - difference * (1 - fraction) : sorted[index] + difference * fraction
}
