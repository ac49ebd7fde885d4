// The contract of the algorithms that give up on unpromising trials.

/// Decides, after reports, whether a trial should go on.
///
/// A pruner reads the storage only: other workers' trials count as much as this one's, and a study
/// that is continued decides as one that never stopped. It may note things in system attributes of
/// the trial.
///
/// **Threads.** Called from any thread; state of its own is guarded by the pruner.
public protocol Pruner: AnyObject, Sendable {
    /// Whether to give the trial up. One objective only.
    ///
    /// - trial: with all reports so far.
    func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool
    /// The part of the study that a trial competes with, for samplers too; the whole by default.
    func context(_ study: StudyContext, trial: FrozenTrial) throws -> StudyContext
}

extension Pruner {
    public func context(_ study: StudyContext, trial: FrozenTrial) throws -> StudyContext { study }
}

/// Lets every trial run to its end.
public final class NopPruner: Pruner {
    public init() {}

    public func prune(_ study: StudyContext, trial: FrozenTrial) -> Bool { false }
}

extension StudyContext {
    /// The only direction; pruners don't work with several.
    var direction: StudyDirection { directions.first ?? .minimize }
}

/// Whether `step` is the first report in its interval of `interval` steps, counted from `warmup`.
func isFirstInInterval(step: Int, reported: [Int], warmup: Int, interval: Int) -> Bool {
    let intervalStart = (step - warmup) / interval * interval + warmup
    let previous = reported.reduce(-1) { $1 > $0 && $1 != step ? $1 : $0 }
    return previous < intervalStart
}

/// The best of the values, NaN left out; NaN if nothing else is there.
func bestIgnoringNaN(_ values: some Sequence<Double>, _ direction: StudyDirection) -> Double {
    var best = Double.nan
    for value in values where !value.isNaN {
        if best.isNaN || (direction == .minimize ? value < best : value > best) { best = value }
    }
    return best
}
