// Which parameters past trials have in common: what TPE can draw together.

/// The parameters that every COMPLETE or PRUNED trial of a study has with one and the same
/// distribution, ascending by name.
struct IntersectionSearchSpace: Sendable {
    /// Empty before the first trial.
    private(set) var names = NamedValues<Distribution>()
    private var isBegun = false

    /// - trials: COMPLETE and PRUNED ones, in any order, each once.
    mutating func update(with trials: [FrozenTrial]) {
        for trial in trials {
            if !isBegun {
                names = trial.distributions.sortedByName()
                isBegun = true
                continue
            }
            let isKept = names.indices.map { index in
                trial.distributions[names.names[index]] == names.values[index]
            }
            if isKept.contains(false) {
                names = names.filter { name, distribution in
                    trial.distributions[name] == distribution
                }
            }
        }
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

/// The intersection of what the trials of a study have, kept up to date for a sampler.
struct StudySearchSpace: Sendable {
    private let states: TrialStates
    private var seen = SeenTrials()
    private var space = IntersectionSearchSpace()

    /// - states: of the trials that count.
    init(states: TrialStates) { self.states = states }

    /// The parameters with more than one value, ascending by name.
    mutating func current(_ study: StudyContext) throws -> NamedValues<Distribution> {
        let updates = try study.storage.updates(study.studyID, since: seen)
        space.update(
            with: updates.finished.filter { seen.insert($0.number) && states.contains($0.state) })
        return space.names.filter { !$1.isSingle }
    }
}
