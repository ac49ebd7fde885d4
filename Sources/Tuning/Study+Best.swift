// The best of the finished trials.

extension Study {
    /// The best COMPLETE trial that violates no constraint; one objective only.
    ///
    /// Throws ``TuningError/noCompletedTrials`` or ``TuningError/noFeasibleTrials`` when there is
    /// none.
    public func bestTrial() throws -> FrozenTrial {
        if directions.count > 1 { throw TuningError.bestTrialOfMultiObjectiveStudy }
        let best = try storage.bestTrial(studyID)
        guard best.violation > 0 else { return best }
        guard let feasible = bestOf(try trials(.complete).filter(\.isFeasible), directions[0])
        else { throw TuningError.noFeasibleTrials }
        return feasible
    }

    public func bestValue() throws -> Double {
        guard let value = try bestTrial().values?.first else {
            throw TuningError.internalError("a complete trial has no value")
        }
        return value
    }

    public func bestParams() throws -> NamedValues<ParameterValue> { try bestTrial().params }

    /// The COMPLETE trials that no other one dominates, ascending by number; feasible ones if any
    /// trial has constraints. With one objective: all that share the best value.
    public func bestTrials() throws -> [FrozenTrial] {
        let all = try trials()
        var candidates = all.filter { $0.state == .complete }
        if all.contains(where: { !$0.constraints.isEmpty }) {
            candidates = candidates.filter(\.isFeasible)
        }
        let losses = candidates.map { trial in
            zip(trial.values ?? [], directions).map { $1 == .maximize ? -$0 : $0 }
        }
        return candidates.indices.filter { index in
            !losses.contains { dominates($0, losses[index]) }
        }.map { candidates[$0] }
    }
}

extension FrozenTrial {
    var isFeasible: Bool { constraints.values.allSatisfy { $0 <= 0 } }
}

/// Whether the first point is nowhere worse and somewhere better (smaller).
func dominates(_ first: [Double], _ second: [Double]) -> Bool {
    var isBetter = false
    for (left, right) in zip(first, second) {
        if left > right { return false }
        if left < right { isBetter = true }
    }
    return isBetter
}
