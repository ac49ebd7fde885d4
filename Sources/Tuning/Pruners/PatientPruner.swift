// Gives a trial some reports of grace before another pruner may end it.

import OrderedJSON

/// Prunes only a trial whose last `patience` + 1 reports bring nothing better than those before.
///
/// - wrapped: asked once patience is over; `nil` prunes right then.
/// - minDelta: improvements smaller than this count as none.
public final class PatientPruner: Pruner {
    private let wrapped: (any Pruner)?
    private let patience: Int
    private let minDelta: Double

    public init(_ wrapped: (any Pruner)?, patience: Int, minDelta: Double = 0) throws {
        guard patience >= 0 else {
            throw TuningError.pruner(problem: "patience cannot be negative but got \(patience).")
        }
        guard minDelta >= 0 else {
            throw TuningError.pruner(
                problem: "min_delta cannot be negative but got \(pythonRepr(minDelta)).")
        }
        self.wrapped = wrapped
        self.patience = patience
        self.minDelta = minDelta
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        let reports = zip(trial.intermediateValues.steps, trial.intermediateValues.values)
            .sorted { $0.0 < $1.0 }.map(\.1)
        // Written so that a huge patience can't overflow.
        guard reports.count - 1 > patience else { return false }
        let direction = study.direction
        let before = bestIgnoringNaN(reports.dropLast(patience + 1), direction)
        let after = bestIgnoringNaN(reports.suffix(patience + 1), direction)
        let isStalled =
            direction == .minimize ? before + minDelta < after : before - minDelta > after
        guard isStalled else { return false }
        return try wrapped?.prune(study, trial: trial) ?? true
    }
}
