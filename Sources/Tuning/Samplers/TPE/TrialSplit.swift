// Which trials TPE calls good.

/// Splits the history for TPE; both parts ascend by number.
///
/// The good ones are the first `belowCount` of: complete trials by value; pruned ones, further
/// trained first, then by their last report; those that violate constraints, least violation first.
/// Equal ones in the order of their numbers. Running trials are never good.
///
/// - trials: COMPLETE, PRUNED and RUNNING, ascending by number.
package func splitTrials(
    _ trials: [FrozenTrial], directions: [StudyDirection], belowCount: Int,
    tieOrder: TieOrder = .native
) -> (below: [FrozenTrial], above: [FrozenTrial]) {
    let sign: Double = directions.first == .maximize ? -1 : 1
    var complete: [Int] = []
    var pruned: [(Int, (Double, Double))] = []
    var infeasible: [(Int, (Double, Double))] = []
    for (index, trial) in trials.enumerated() where trial.state != .running {
        let violation = trial.violation
        if violation > 0 {
            infeasible.append((index, (violation, 0)))
        } else if trial.state == .complete {
            complete.append(index)
        } else {
            pruned.append((index, prunedKey(trial, sign)))
        }
    }
    var isBelow = [Bool](repeating: false, count: trials.count)
    var quota = belowCount
    func take(_ indices: [Int]) {
        for index in indices { isBelow[index] = true }
        quota -= indices.count
    }
    if directions.count > 1 {
        take(
            bestByDominance(
                complete.map { ($0, trials[$0].values ?? []) }, directions: directions,
                count: quota, tieOrder: tieOrder))
    } else {
        take(
            smallest(
                complete.map { ($0, (sign * (trials[$0].values?.first ?? .infinity), 0)) },
                count: quota))
    }
    take(smallest(pruned, count: quota))
    take(smallest(infeasible, count: quota))
    var below: [FrozenTrial] = []
    var above: [FrozenTrial] = []
    above.reserveCapacity(trials.count)
    for (index, trial) in trials.enumerated() {
        if isBelow[index] { below.append(trial) } else { above.append(trial) }
    }
    return (below, above)
}

/// Sorts pruned trials: by last step, descending, then by the report there; without reports last.
private func prunedKey(_ trial: FrozenTrial, _ sign: Double) -> (Double, Double) {
    guard let step = trial.lastStep, let value = trial.intermediateValues[step] else {
        return (1, 0)
    }
    return (-Double(step), value.isNaN ? .infinity : sign * value)
}

/// The indices of the `count` smallest keys; among equal keys the earlier ones.
private func smallest(_ keyed: [(Int, (Double, Double))], count: Int) -> [Int] {
    guard count > 0 else { return [] }
    guard count < keyed.count else { return keyed.map(\.0) }
    // A short sorted list with insertion: the quota is small against the history.
    if count <= 64 {
        var kept: [(Int, (Double, Double))] = []
        for entry in keyed {
            if kept.count == count, let last = kept.last, !(entry.1 < last.1) { continue }
            var place = kept.count
            while place > 0 && entry.1 < kept[place - 1].1 { place -= 1 }
            kept.insert(entry, at: place)
            if kept.count > count { kept.removeLast() }
        }
        return kept.map(\.0)
    }
    return keyed.sorted { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 < $1.1 }.prefix(count).map(\.0)
}
