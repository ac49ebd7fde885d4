// What samplers and pruners see of a study: its history and directions, and a way to stop it.

public import Logging

/// The view of a study that samplers and pruners work with.
public struct StudyContext: Sendable {
    let study: Study
    /// Narrows ``trials(_:)``; Hyperband shows each trial its own bracket only.
    private let isIncluded: (@Sendable (FrozenTrial) -> Bool)?

    init(_ study: Study, isIncluded: (@Sendable (FrozenTrial) -> Bool)? = nil) {
        self.study = study
        self.isIncluded = isIncluded
    }

    public var studyID: Int { study.studyID }
    public var studyName: String { study.name }
    public var directions: [StudyDirection] { study.directions }
    public var storage: any Storage { study.storage }
    public var logger: Logger { study.logger }
    public var isMultiObjective: Bool { study.directions.count > 1 }

    /// Trials as they stand now, ascending by number.
    public func trials(_ states: TrialStates = .all) throws -> [FrozenTrial] {
        let trials = try study.storage.trials(study.studyID, states: states)
        return isIncluded.map { trials.filter($0) } ?? trials
    }

    /// Trials as this thread's current trial first saw them: one read for all suggestions of a
    /// trial. Not narrowed.
    public func knownTrials(_ states: TrialStates) throws -> [FrozenTrial] {
        try study.cachedTrials(states)
    }

    /// How many finished trials a sampler had seen when this thread's current trial first asked for
    /// a value, as ``noteLook(_:)`` left it; `nil` before. For samplers that keep a history of
    /// their own with ``Storage/updates(_:since:)``.
    var look: Int? { study.look }
    func noteLook(_ count: Int) { study.look = count }

    /// The same study with fewer trials.
    func narrowed(to isIncluded: @escaping @Sendable (FrozenTrial) -> Bool) -> StudyContext {
        StudyContext(study, isIncluded: isIncluded)
    }

    /// Ends the running `optimize` after the current trial.
    public func stop() throws { try study.stop() }

    /// Prints a warning, each text once per study.
    public func warn(_ text: String) { study.warn(text) }
}
