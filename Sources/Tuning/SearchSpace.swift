// Which parameters past trials have in common: what TPE can draw together.

/// The parameters that every COMPLETE or PRUNED trial of a study has with one and the same
/// distribution, ascending by name.
///
/// Remembers what it has seen, so that each finished trial is looked at once.
struct IntersectionSearchSpace: Sendable {
    private var space: NamedValues<Distribution>?
    /// Trials before this number are accounted for.
    private var firstUnseen = -1

    /// - trials: all trials of the study, ascending by number.
    mutating func update(with trials: [FrozenTrial]) -> NamedValues<Distribution> {
        var nextUnseen = -1
        for trial in trials.reversed() where trial.state != .fail {
            if nextUnseen == -1 { nextUnseen = trial.number + 1 }
            if firstUnseen > trial.number { break }
            guard trial.state.isFinished else {
                nextUnseen = trial.number
                continue
            }
            space =
                space.map { space in
                    space.filter { name, distribution in
                        trial.distributions[name] == distribution
                    }
                } ?? trial.distributions
        }
        firstUnseen = nextUnseen
        return (space ?? [:]).sortedByName()
    }
}

/// A partition of the parameters by which trials have them, for TPE's `group`.
///
/// Names that always occur together form a part; a trial with some names of a part splits it.
struct GroupDecomposedSearchSpace: Sendable {
    private(set) var parts: [NamedValues<Distribution>] = []

    /// - trials: COMPLETE and PRUNED ones, ascending by number.
    mutating func update(with trials: [FrozenTrial]) {
        for trial in trials { add(trial.distributions) }
    }

    private mutating func add(_ distributions: NamedValues<Distribution>) {
        var rest = distributions
        var next: [NamedValues<Distribution>] = []
        for part in parts {
            next.append(part.filter { name, _ in rest.contains(name) })
            next.append(part.filter { name, _ in !rest.contains(name) })
            rest = rest.filter { name, _ in !part.contains(name) }
        }
        next.append(rest)
        parts = next.filter { !$0.isEmpty }
    }
}
