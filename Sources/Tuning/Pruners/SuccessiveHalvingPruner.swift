// Asynchronous successive halving.

import OrderedJSON
import Synchronization

/// Lets a fraction of the trials pass each rung; rungs lie at growing numbers of steps.
///
/// A trial that reaches step minResource · reductionFactor^(minEarlyStoppingRate + rung) leaves its
/// value there as a system attribute and goes on only if it is among the best 1/reductionFactor of
/// all values left at that rung.
///
/// - minResource: step of the first rung; `nil` takes a hundredth of the longest finished trial.
/// - reductionFactor: at least 2. - bootstrapCount: trials that must have reached a rung before
///   any passes it; not with a `minResource` of `nil`.
/// Source: Li et al. 2020, arXiv:1810.05934. Checked by `TraceReplayTests`.
public final class SuccessiveHalvingPruner: Pruner {
    /// Found out at the first decision when it was not given.
    private let minResource: Mutex<Int?>
    private let reductionFactor: Int
    private let minEarlyStoppingRate: Int
    private let bootstrapCount: Int

    public init(
        minResource: Int? = nil, reductionFactor: Int = 4, minEarlyStoppingRate: Int = 0,
        bootstrapCount: Int = 0
    ) throws {
        func refuse(_ name: String, _ value: Int, _ rule: String) -> TuningError {
            .pruner(problem: "The value of `\(name)` is \(value), but must be \(rule)")
        }
        if let minResource, minResource < 1 {
            throw refuse("min_resource", minResource, "either `min_resource >= 1` or 'auto'")
        }
        if reductionFactor < 2 {
            throw refuse("reduction_factor", reductionFactor, "`reduction_factor >= 2`")
        }
        if minEarlyStoppingRate < 0 {
            throw refuse(
                "min_early_stopping_rate", minEarlyStoppingRate, "`min_early_stopping_rate >= 0`")
        }
        if bootstrapCount < 0 {
            throw refuse("bootstrap_count", bootstrapCount, "`bootstrap_count >= 0`")
        }
        if bootstrapCount > 0 && minResource == nil {
            throw TuningError.pruner(
                problem: "bootstrap_count > 0 and min_resource == 'auto' are mutually "
                    + "incompatible, bootstrap_count is \(bootstrapCount)")
        }
        self.minResource = Mutex(minResource)
        self.reductionFactor = reductionFactor
        self.minEarlyStoppingRate = minEarlyStoppingRate
        self.bootstrapCount = bootstrapCount
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        guard let step = trial.lastStep, let value = trial.intermediateValues[step] else {
            return false
        }
        var rung = 0
        while trial.systemAttrs[Self.key(rung)] != nil { rung += 1 }
        let trials = try study.trials()
        guard let first = firstRung(trials) else { return false }
        while step >= rungStep(rung, first) {
            if value.isNaN { return true }
            let key = Self.key(rung)
            try study.storage.setTrialSystemAttribute(trial.trialID, key, .double(value))
            var competing = trials.compactMap { $0.systemAttrs[key]?.doubleValue }
            competing.append(value)
            if competing.count <= bootstrapCount { return true }
            if !isPromoted(value, competing, study.direction) { return true }
            rung += 1
        }
        return false
    }

    private static func key(_ rung: Int) -> String { "completed_rung_\(rung)" }

    private func firstRung(_ trials: [FrozenTrial]) -> Int? {
        if let known = minResource.withLock({ $0 }) { return known }
        let lastSteps = trials.filter { $0.state == .complete }.compactMap(\.lastStep)
        guard let longest = lastSteps.max() else { return nil }
        let found = max(longest / 100, 1)
        minResource.withLock { $0 = found }
        return found
    }

    /// Saturates instead of overflowing: such a rung is never reached.
    private func rungStep(_ rung: Int, _ first: Int) -> Int {
        var step = first
        for _ in 0..<min(minEarlyStoppingRate + rung, 64) {
            let (product, overflow) = step.multipliedReportingOverflow(by: reductionFactor)
            if overflow { return .max }
            step = product
        }
        return step
    }

    private func isPromoted(
        _ value: Double, _ competing: [Double], _ direction: StudyDirection
    ) -> Bool {
        // The first trials at a rung pass if they are the best so far.
        let place = max(competing.count / reductionFactor - 1, 0)
        let sorted = competing.sorted()
        return direction == .maximize
            ? value >= sorted[sorted.count - 1 - place] : value <= sorted[place]
    }
}
