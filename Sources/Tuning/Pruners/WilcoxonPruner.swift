// Prunes by a paired test against the best trial.

/// Prunes a trial whose reports are worse than the best trial's at the same steps, as a one-sided
/// Wilcoxon signed-rank test says. Made for objectives that report one value per problem instance
/// or fold, in any order, and return the mean.
///
/// - pThreshold: 0...1; the larger, the more is pruned.
/// - nStartupSteps: common steps before anything is pruned; at least 2 are needed anyway.
/// Source: Wilcoxon 1945, doi:10.2307/3001968; zeros are split as scipy's "zsplit" does. Checked by
/// `PrunerTests` and `TraceReplayTests`.
public final class WilcoxonPruner: Pruner {
    private let pThreshold: Double
    private let nStartupSteps: Int

    public init(pThreshold: Double = 0.1, nStartupSteps: Int = 2) throws {
        guard nStartupSteps >= 0 else {
            throw TuningError.pruner(
                problem: "n_startup_steps must be nonnegative but got \(nStartupSteps).")
        }
        guard pThreshold >= 0 && pThreshold <= 1 else {
            throw TuningError.pruner(
                problem: "p_threshold must be between 0 and 1 but got \(pThreshold).")
        }
        self.pThreshold = pThreshold
        self.nStartupSteps = nStartupSteps
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        let own = trial.intermediateValues
        if own.isEmpty { return false }
        guard own.values.allSatisfy(\.isFinite) else {
            study.warn(
                "The intermediate values of the current trial (trial \(trial.number)) contain "
                    + "infinity/NaNs. WilcoxonPruner will not prune this trial.")
            return false
        }
        guard let best = try bestTrial(study) else { return false }
        let others = best.intermediateValues
        if others.isEmpty {
            study.warn(
                "The best trial has no intermediate values so WilcoxonPruner cannot prune trials. "
                    + "If you have added the best trial with Study.add_trial, please consider "
                    + "setting intermediate_values argument.")
            return false
        }
        guard others.values.allSatisfy(\.isFinite) else {
            study.warn(
                "The intermediate values of the best trial (trial \(best.number)) contain "
                    + "infinity/NaNs. WilcoxonPruner will not prune the current trial.")
            return false
        }
        let differences = own.steps.compactMap { step -> Double? in
            guard let value = own[step], let other = others[step] else { return nil }
            return value - other
        }
        if differences.count < own.count {
            study.warn(
                "WilcoxonPruner finds steps existing in the current trial but does not exist in "
                    + "the best trial. Those values are ignored.")
        }
        guard differences.count >= max(2, nStartupSteps) else { return false }
        let isMaximized = study.direction == .maximize
        let probability = signedRankProbability(differences, isLess: isMaximized)
        guard probability < pThreshold else { return false }
        // Where the test disagrees with the means, the trial may still become the best.
        let ownMean = own.values.reduce(0, +) / Double(own.count)
        let otherMean = others.values.reduce(0, +) / Double(others.count)
        return isMaximized ? !(otherMean <= ownMean) : !(otherMean >= ownMean)
    }

    /// The best feasible trial, if there is one.
    private func bestTrial(_ study: StudyContext) throws -> FrozenTrial? {
        do {
            return try study.study.bestTrial()
        } catch TuningError.noCompletedTrials {
            return nil
        } catch TuningError.noFeasibleTrials {
            return nil
        }
    }
}

/// The p-value of the one-sided signed-rank test that the differences tend to be above (or, with
/// `isLess`, below) 0.
///
/// Exact up to 50 differences without ties and zeros, and up to 13 with them, by all assignments of
/// signs; the normal approximation otherwise. Half of the zeros' ranks counts as positive.
package func signedRankProbability(_ differences: [Double], isLess: Bool) -> Double {
    let count = differences.count
    let (ranks, ties) = averageRanks(differences.map(abs))
    let zeroRanks = zip(differences, ranks).reduce(0) { $0 + ($1.0 == 0 ? $1.1 : 0) }
    let positive =
        zip(differences, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) } + zeroRanks / 2
    let isPlain = ties.isEmpty && !differences.contains(0)
    if count <= 13 || (count <= 50 && isPlain) {
        // How many assignments of signs give each sum of positive ranks, in quarters of a rank,
        // which a half of averaged ranks can be.
        let zeroQuarters = Int(2 * zeroRanks)
        let observed = Int((4 * positive).rounded())
        let quarters = zip(differences, ranks).filter { $0.0 != 0 }.map { Int(4 * $0.1) }
        var ways = [Double](repeating: 0, count: quarters.reduce(0, +) + 1)
        ways[0] = 1
        var reach = 0
        for rank in quarters {
            reach += rank
            for sum in stride(from: reach, through: rank, by: -1) { ways[sum] += ways[sum - rank] }
        }
        var total = 0.0
        var extreme = 0.0
        for (sum, number) in ways.enumerated() {
            total += number
            let value = sum + zeroQuarters
            if isLess ? value <= observed : value >= observed { extreme += number }
        }
        return extreme / total
    }
    let n = Double(count)
    let mean = n * (n + 1) * 0.25
    let tieCorrection = ties.reduce(0) { $0 + (Double($1) * Double($1) * Double($1) - Double($1)) }
    let variance = (n * (n + 1) * (2 * n + 1) - tieCorrection / 2) / 24
    let z = (positive - mean) / variance.squareRoot()
    return exponential(logNormalCDF(isLess ? z : -z))
}

/// Ranks from 1, equal values sharing the mean of theirs, and the sizes of the groups of equals.
private func averageRanks(_ values: [Double]) -> (ranks: [Double], ties: [Int]) {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var ties: [Int] = []
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count && values[order[end]] == values[order[start]] { end += 1 }
        for index in order[start..<end] { ranks[index] = Double(start + end + 1) / 2 }
        if end - start > 1 { ties.append(end - start) }
        start = end
    }
    return (ranks, ties)
}
