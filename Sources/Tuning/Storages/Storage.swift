// The contract between studies and the places where they are kept.

public import OrderedJSON

/// Keeps studies and their trials.
///
/// **Threads.** Every method may be called from any thread at any time and acts as a whole: another
/// caller sees a change completely or not at all. A storage never calls back into a study, a
/// sampler or a pruner.
///
/// **Ownership.** A RUNNING trial belongs to the worker that created it or took it from the queue;
/// only that worker changes it, with one exception: a dead worker's trial may be set to FAIL. A
/// finished trial (COMPLETE, PRUNED, FAIL) never changes again and is refused with
/// ``TuningError/finishedTrial(number:)``, so records of finished trials may be cached for ever.
///
/// **Numbers.** Trials of a study are numbered 0, 1, 2, … in the order of creation, without gaps
/// and without duplicates, whatever the number of workers. Trial identifiers are unique over all
/// studies of the storage and grow with creation.
///
/// **Reading.** What one worker has written, every later read of any worker returns. Records come
/// as values: a record in hand does not change under its reader.
///
/// **Errors.** Unknown identifiers are ``TuningError/unknownStudyID(_:)`` and
/// ``TuningError/unknownTrialID(_:)``; everything that the medium does wrong is
/// ``TuningError/storage(url:problem:)``, with passwords left out of the URL.
///
/// Checked over every implementation by `StorageContractTests`.
public protocol Storage: AnyObject, Sendable {
    // MARK: Studies

    /// Makes an empty study and returns its identifier.
    ///
    /// - name: `nil` picks "no-name-" and a UUID. A name that is taken is refused with
    ///   ``TuningError/duplicatedStudy(name:)``.
    func createStudy(directions: [StudyDirection], name: String?) throws -> Int
    /// Removes a study with everything in it.
    func deleteStudy(_ studyID: Int) throws
    func studyID(named name: String) throws -> Int
    /// All studies in the order of creation.
    func allStudies() throws -> [FrozenStudy]
    func study(_ studyID: Int) throws -> FrozenStudy
    /// Sets or replaces.
    func setStudyUserAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws
    func setStudySystemAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws

    // MARK: Trials

    /// Adds a trial and returns it: RUNNING from now, or a copy of the template with everything
    /// but number and identifier.
    func createTrial(_ studyID: Int, template: FrozenTrial?) throws -> FrozenTrial
    func trial(_ trialID: Int) throws -> FrozenTrial
    /// All trials in those states, ascending by number.
    func trials(_ studyID: Int, states: TrialStates) throws -> [FrozenTrial]
    /// What has finished since a reader's last look, and what runs now: with this a sampler
    /// reads every finished trial once. See ``TrialUpdates``.
    func updates(_ studyID: Int, since seen: SeenTrials) throws -> TrialUpdates
    func trialID(_ studyID: Int, number: Int) throws -> Int
    /// The COMPLETE trial with the best value; throws ``TuningError/noCompletedTrials`` when there
    /// is none. Among equals the first by number, so that all workers name the same one; in memory,
    /// as in Optuna, the one that reached it first. One objective only.
    func bestTrial(_ studyID: Int) throws -> FrozenTrial

    /// Adds a parameter; the distribution must be compatible with what the name has stood for in
    /// the study so far.
    func setTrialParameter(
        _ trialID: Int, _ name: String, internalValue: Double, distribution: Distribution) throws
    /// Moves a trial on and stamps its time. Asked for RUNNING, answers `false` and changes
    /// nothing when the trial is not WAITING any more: another worker was faster.
    @discardableResult
    func setTrialState(_ trialID: Int, _ state: TrialState, values: [Double]?) throws -> Bool
    func setTrialIntermediateValue(_ trialID: Int, step: Int, _ value: Double) throws
    func setTrialUserAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws
    func setTrialSystemAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws

    // MARK: Workers

    /// How this storage is called in the log line of a new study: "memory", "RDB", "Journal".
    var mediumName: String { get }
    /// Seconds between signs of life of a running trial; `nil` without heartbeat.
    var heartbeatInterval: Double? { get }
    /// A sign of life of a running trial.
    func recordHeartbeat(_ trialID: Int) throws
    /// Running trials whose worker has been silent for too long.
    func staleTrials(_ studyID: Int) throws -> [Int]
    /// Called for every stale trial that this process failed.
    var staleTrialCallback: StaleTrialCallback? { get }
}

extension Storage {
    public var heartbeatInterval: Double? { nil }
    public func recordHeartbeat(_ trialID: Int) throws {}
    public func staleTrials(_ studyID: Int) throws -> [Int] { [] }
    public var staleTrialCallback: StaleTrialCallback? { nil }

    /// Reads all trials; a storage that knows better overrides it.
    public func updates(_ studyID: Int, since seen: SeenTrials) throws -> TrialUpdates {
        let trials = try trials(studyID, states: .all)
        return TrialUpdates(
            finished: trials.filter { $0.state.isFinished && !seen.contains($0.number) },
            running: trials.filter { $0.state == .running })
    }

    /// A plain search; a storage that knows better overrides it.
    public func bestTrial(_ studyID: Int) throws -> FrozenTrial {
        guard let direction = try study(studyID).directions.first else {
            throw TuningError.noDirections
        }
        let complete = try trials(studyID, states: .complete)
        guard let best = bestOf(complete, direction) else { throw TuningError.noCompletedTrials }
        return best
    }
}

/// The first of the trials with the best value; `nil` for no trials.
func bestOf(_ trials: [FrozenTrial], _ direction: StudyDirection) -> FrozenTrial? {
    var best: FrozenTrial?
    var bestValue = 0.0
    for trial in trials {
        guard let value = trial.values?.first else { continue }
        if best == nil || (direction == .minimize ? value < bestValue : value > bestValue) {
            best = trial
            bestValue = value
        }
    }
    return best
}

/// The record of a study.
public struct FrozenStudy: Sendable, Equatable {
    public let studyID: Int
    public let name: String
    /// One per objective.
    public let directions: [StudyDirection]
    public internal(set) var userAttrs: JSONObject
    public internal(set) var systemAttrs: JSONObject

    public init(
        studyID: Int, name: String, directions: [StudyDirection], userAttrs: JSONObject = [:],
        systemAttrs: JSONObject = [:]
    ) {
        self.studyID = studyID
        self.name = name
        self.directions = directions
        self.userAttrs = userAttrs
        self.systemAttrs = systemAttrs
    }
}
