// A bound on the trials of a whole study, whoever makes them.

/// A callback of `optimize` that stops when the study has so many trials, those of other workers
/// included; `n_trials` counts only those of one call.
public struct MaxTrialsCallback: Sendable {
    public let nTrials: Int
    /// What is counted.
    public let states: TrialStates

    public init(_ nTrials: Int, states: TrialStates = .complete) {
        self.nTrials = nTrials
        self.states = states
    }

    public func callAsFunction(_ study: Study, _ trial: FrozenTrial) throws {
        if try study.trials(states).count >= nTrials { try study.stop() }
    }
}
