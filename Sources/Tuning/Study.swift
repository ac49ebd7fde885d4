// A study: objectives, history, sampler and pruner. Made here, run by Study+Optimize.

public import Logging
public import OrderedJSON
import Synchronization

/// A search: one or more objectives and the trials made so far.
///
/// `Study.create` makes one, `optimize(_:objective:)` runs it; ``ask(_:)`` and
/// `tell(_:_:state:skipIfFinished:)` are for programs with a loop of their own. All methods may be
/// called from any thread.
public final class Study: Sendable {
    public let name: String
    public let storage: any Storage
    /// The storage's number of the study.
    public let studyID: Int
    /// One per objective.
    public let directions: [StudyDirection]
    /// What suggests values; another one takes over with the next trial.
    public var sampler: any Sampler {
        get { parts.withLock { $0.sampler } }
        set { parts.withLock { $0.sampler = newValue } }
    }
    /// What gives trials up; another one takes over with the next decision.
    public var pruner: any Pruner {
        get { parts.withLock { $0.pruner } }
        set { parts.withLock { $0.pruner = newValue } }
    }
    /// Where the study's log lines go.
    public let logger: Logger

    private let parts: Mutex<(sampler: any Sampler, pruner: any Pruner)>
    let state = Mutex(State())

    struct State {
        var isStopRequested = false
        /// Threads inside `optimize`.
        var loops: Set<UInt> = []
        /// Trials as a thread's current trial first saw them; from ask to tell.
        var snapshots: [UInt: [FrozenTrial]] = [:]
        /// How many finished trials a thread's current trial first saw; from ask to tell.
        var looks: [UInt: Int] = [:]
        /// Warnings already given.
        var warnings: Set<String> = []
    }

    /// Opens a study that exists in the storage.
    ///
    /// - sampler: ``TPESampler`` if `nil`. - pruner: ``MedianPruner`` if `nil`.
    public init(
        opening studyID: Int, in storage: any Storage, sampler: (any Sampler)? = nil,
        pruner: (any Pruner)? = nil, logger: Logger = OptunaLog.shared.logger
    ) throws {
        let record = try storage.study(studyID)
        guard !record.directions.isEmpty else { throw TuningError.noDirections }
        name = record.name
        directions = record.directions
        self.studyID = studyID
        self.storage = storage
        parts = Mutex((try sampler ?? TPESampler(), try pruner ?? MedianPruner()))
        self.logger = logger
    }

    /// The direction of the only objective.
    public func direction() throws -> StudyDirection {
        if directions.count > 1 { throw TuningError.singleDirectionOfMultiObjectiveStudy }
        return directions[0]
    }

    // MARK: Trials

    /// All trials in those states, ascending by number.
    public func trials(_ states: TrialStates = .all) throws -> [FrozenTrial] {
        try storage.trials(studyID, states: states)
    }

    /// Adds a finished, running or waiting record, such as ``FrozenTrial/create(state:values:params:distributions:userAttrs:systemAttrs:intermediateValues:constraints:)``
    /// makes.
    public func addTrial(_ trial: FrozenTrial) throws {
        try trial.validate()
        if let values = trial.values, values.count != directions.count {
            throw TuningError.wrongValueCount(found: values.count, expected: directions.count)
        }
        _ = try storage.createTrial(studyID, template: trial)
    }

    /// Queues a point; the next trial takes it. Parameters that are left out are sampled.
    ///
    /// - skipIfExists: do nothing if a trial with these parameters is there already.
    public func enqueueTrial(
        _ params: NamedValues<ParameterValue>, userAttrs: JSONObject = [:],
        skipIfExists: Bool = false
    ) throws {
        if try skipIfExists && hasTrial(with: params) {
            logger.info(
                "Trial with params \(pythonRepr(params)) already exists. Skipping enqueue.")
            return
        }
        let fixed = JSONObject(params.map { ($0.name, $0.value.jsonValue) })
        try addTrial(
            try FrozenTrial.create(
                state: .waiting, userAttrs: userAttrs,
                systemAttrs: [fixedParamsKey: .object(fixed)]))
    }

    /// Whether a trial has, or was enqueued with, exactly these parameters; numbers may differ by
    /// 1e-5 of their size.
    private func hasTrial(with params: NamedValues<ParameterValue>) throws -> Bool {
        try trials().contains { trial in
            var others = trial.params
            if let fixed = trial.systemAttrs[fixedParamsKey]?.objectValue {
                others = [:]
                for (name, value) in fixed { others[name] = ParameterValue(value) }
            }
            return others.count == params.count
                && params.allSatisfy { name, value in
                    others[name].map { isRepeated(value, $0) } ?? false
                }
        }
    }

    private func isRepeated(_ new: ParameterValue, _ old: ParameterValue) -> Bool {
        switch (new, old) {
        case (.null, .null): return true
        case (.string(let left), .string(let right)): return left.hasSameCodePoints(as: right)
        case (.bool, .bool), (.int, .int), (.double, .double), (.bool, .int):
            guard let left = new.doubleValue, let right = old.doubleValue else { return false }
            if left.isNaN || right.isNaN { return left.isNaN && right.isNaN }
            if left.isInfinite || right.isInfinite { return left == right }
            return abs(left - right) <= 1e-5 * abs(right)
        default: return false
        }
    }

    // MARK: Attributes

    public func userAttrs() throws -> JSONObject { try storage.study(studyID).userAttrs }

    /// Sets or replaces an attribute of the study.
    public func setUserAttribute(_ key: String, _ value: JSONValue) throws {
        try storage.setStudyUserAttribute(studyID, key, value)
    }

    static let metricNamesKey = "study:metric_names"

    /// Names of the objectives for log lines, if they were given.
    public func metricNames() throws -> [String]? {
        try storage.study(studyID).systemAttrs[Self.metricNamesKey]?.arrayValue?
            .compactMap(\.stringValue)
    }

    public func setMetricNames(_ names: [String]) throws {
        if names.count != directions.count { throw TuningError.metricNameCount }
        try storage.setStudySystemAttribute(
            studyID, Self.metricNamesKey, .array(names.map(JSONValue.string)))
    }

    // MARK: For trials, samplers and pruners

    /// The part of the study that a trial's sampler sees.
    func context(for trial: FrozenTrial) throws -> StudyContext {
        try pruner.context(StudyContext(self), trial: trial)
    }

    func cachedTrials(_ states: TrialStates) throws -> [FrozenTrial] {
        let thread = currentThread()
        let trials: [FrozenTrial]
        if let known = state.withLock({ $0.snapshots[thread] }) {
            trials = known
        } else {
            trials = try storage.trials(studyID, states: .all)
            state.withLock { $0.snapshots[thread] = trials }
        }
        return states == .all ? trials : trials.filter { states.contains($0.state) }
    }

    func forgetSnapshot() {
        let thread = currentThread()
        state.withLock { state in
            state.snapshots[thread] = nil
            state.looks[thread] = nil
        }
    }

    /// See ``StudyContext/look``.
    var look: Int? {
        get {
            let thread = currentThread()
            return state.withLock { $0.looks[thread] }
        }
        set {
            let thread = currentThread()
            state.withLock { $0.looks[thread] = newValue }
        }
    }

    /// Prints a warning, each text once.
    func warn(_ text: String) {
        let isNew = state.withLock { state in
            // A bound on memory; later warnings may then be given twice.
            if state.warnings.count >= 1000 { state.warnings.removeAll() }
            return state.warnings.insert(text).inserted
        }
        if isNew { logger.warning("\(text)") }
    }
}
