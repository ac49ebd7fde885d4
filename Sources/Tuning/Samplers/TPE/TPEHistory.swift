// What TPE keeps of a study's finished trials, so that each is looked at once and a draw neither
// reads nor sorts the whole history.

/// The COMPLETE and PRUNED trials of a study in the order in which they were read. Its place in
/// that order is a trial's *slot*; slots never change.
struct TPEHistory: Sendable {
    private(set) var seen = SeenTrials()
    private(set) var trials: [FrozenTrial] = []
    /// Slots, ascending by the number of the trial.
    private(set) var byNumber: [Int] = []
    /// How many trials had been seen when each slot came in; see ``count(within:)``.
    private var arrivals: [Int] = []
    private var kinds: [Kind] = []
    /// Each class of trials, best first.
    private var complete: [Ranked] = []
    private var pruned: [Ranked] = []
    private var infeasible: [Ranked] = []
    private var tables: [ObservationTable] = []
    private static let tableLimit = 128

    private enum Kind: Sendable { case complete, pruned, infeasible }

    /// A trial by what its class is sorted by; equal ones by number.
    private struct Ranked: Sendable {
        let key: (Double, Double)
        let number: Int
        let slot: Int

        func precedes(_ other: Ranked) -> Bool {
            if key.0 != other.key.0 { return key.0 < other.key.0 }
            if key.1 != other.key.1 { return key.1 < other.key.1 }
            return number < other.number
        }
    }

    /// Takes in trials that finished; returns those that are new, COMPLETE or PRUNED.
    mutating func add(_ finished: [FrozenTrial], directions: [StudyDirection]) -> [FrozenTrial] {
        var fresh: [FrozenTrial] = []
        let sign: Double = directions.first == .maximize ? -1 : 1
        for trial in finished where seen.insert(trial.number) && trial.state != .fail {
            fresh.append(trial)
            let slot = trials.count
            let number = trial.number
            trials.append(trial)
            arrivals.append(seen.count)
            let place = byNumber.partitioningIndex { trials[$0].number > number }
            byNumber.insert(slot, at: place)
            let violation = trial.violation
            if violation > 0 {
                kinds.append(.infeasible)
                Self.insert(
                    Ranked(key: (violation, 0), number: number, slot: slot), into: &infeasible)
            } else if trial.state == .complete {
                kinds.append(.complete)
                let loss = sign * (trial.values?.first ?? .infinity)
                Self.insert(Ranked(key: (loss, 0), number: number, slot: slot), into: &complete)
            } else {
                kinds.append(.pruned)
                Self.insert(
                    Ranked(key: prunedKey(trial, sign), number: number, slot: slot), into: &pruned)
            }
        }
        return fresh
    }

    private static func insert(_ ranked: Ranked, into list: inout [Ranked]) {
        list.insert(ranked, at: list.partitioningIndex { ranked.precedes($0) })
    }

    /// Slots that came in while at most `look` trials had been seen.
    func count(within look: Int) -> Int { arrivals.partitioningIndex { $0 > look } }

    // MARK: Good and bad

    /// Whether each slot is among the good trials.
    ///
    /// The good ones are the first `belowCount` of: complete trials by value (by dominance with
    /// several objectives); pruned ones, further trained first, then by their last report; those
    /// that violate constraints, least violation first.
    ///
    /// - limit: slots from here on don't count.
    func isBelow(
        _ belowCount: Int, directions: [StudyDirection], limit: Int, tieOrder: TieOrder
    ) -> [Bool] {
        var isBelow = [Bool](repeating: false, count: trials.count)
        var quota = belowCount
        func take(_ list: [Ranked]) {
            for ranked in list where ranked.slot < limit {
                if quota <= 0 { return }
                isBelow[ranked.slot] = true
                quota -= 1
            }
        }
        if directions.count > 1 {
            let points = byNumber.filter { $0 < limit && kinds[$0] == .complete }
                .map { ($0, trials[$0].values ?? []) }
            let best = bestByDominance(
                points, directions: directions, count: quota, tieOrder: tieOrder)
            for slot in best { isBelow[slot] = true }
            quota -= best.count
        } else {
            take(complete)
        }
        take(pruned)
        take(infeasible)
        return isBelow
    }

    // MARK: Observations

    /// Place of the table for a search space, brought up to date.
    mutating func table(for space: NamedValues<Distribution>) throws -> Int {
        let known = tables.firstIndex { table in
            table.space.names == space.names && table.space.values == space.values
        }
        let place: Int
        if let known {
            place = known
        } else {
            // Spaces that change with every trial would otherwise pile up.
            if tables.count == Self.tableLimit { tables.removeFirst() }
            tables.append(ObservationTable(space))
            place = tables.count - 1
        }
        try tables[place].update(with: trials)
        return place
    }

    /// Whether a table is still where it was and has all slots.
    func hasTable(_ place: Int, for space: NamedValues<Distribution>) -> Bool {
        place < tables.count && tables[place].space.names == space.names
            && tables[place].space.values == space.values
    }

    subscript(table place: Int) -> ObservationTable {
        get { tables[place] }
        _modify { yield &tables[place] }
    }
}

/// Sorts pruned trials: by last step, descending, then by the report there; without reports last.
private func prunedKey(_ trial: FrozenTrial, _ sign: Double) -> (Double, Double) {
    guard let step = trial.lastStep, let value = trial.intermediateValues[step] else {
        return (1, 0)
    }
    return (-Double(step), value.isNaN ? .infinity : sign * value)
}

extension Array {
    /// The first index whose element belongs to the second part, in an array whose elements of the
    /// first part all stand before those of the second.
    func partitioningIndex(_ isSecond: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isSecond(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
