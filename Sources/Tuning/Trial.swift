// What an objective works with: asks for parameters, reports progress, leaves notes.

public import FoundationEssentials
import Logging
public import OrderedJSON
import Synchronization

/// A running trial of a study.
///
/// A trial belongs to one worker; its methods may be called from any thread, one at a time.
public final class Trial: Sendable {
    /// The study this trial is part of.
    public let study: Study
    let trialID: Int
    /// Place in the study, from 0.
    public let number: Int
    /// When the trial began.
    public let datetimeStart: Date?
    /// Values the user enqueued.
    private let fixedParams: NamedValues<ParameterValue>
    private let state: Mutex<State>

    private struct State {
        /// The record with what this worker has done since it was read. Parameters are kept as
        /// they were given: an enqueued 2 stays 2 although a float range makes it 2.0.
        var record: FrozenTrial
        var relative: Relative?
    }

    /// The parameters drawn together at the first suggestion that needed them.
    private struct Relative {
        var space: NamedValues<Distribution>
        var values: NamedValues<ParameterValue>
    }

    init(study: Study, record: FrozenTrial) throws {
        self.study = study
        trialID = record.trialID
        number = record.number
        datetimeStart = record.datetimeStart
        var fixedParams = NamedValues<ParameterValue>()
        for (name, value) in record.systemAttrs[fixedParamsKey]?.objectValue ?? [:] {
            fixedParams[name] = ParameterValue(value)
        }
        self.fixedParams = fixedParams
        state = Mutex(State(record: record))
        try study.sampler.beforeTrial(try study.context(for: record), trial: record)
    }

    // MARK: Parameters

    /// A float of [low, high] (see ``FloatDistribution``).
    public func suggestFloat(
        _ name: String, low: Double, high: Double, step: Double? = nil, log: Bool = false
    ) throws -> Double {
        let distribution = Distribution.float(
            try FloatDistribution(low: low, high: high, log: log, step: step, warn: study.warn))
        let value = try suggest(name, distribution)
        warnIfChanged(name, distribution)
        guard let number = value.doubleValue else {
            throw TuningError.notANumber(value: value.description)
        }
        return number
    }

    /// An integer of [low, high] (see ``IntDistribution``).
    public func suggestInt(
        _ name: String, low: Int, high: Int, step: Int = 1, log: Bool = false
    ) throws -> Int {
        let distribution = Distribution.int(
            try IntDistribution(low: low, high: high, log: log, step: step, warn: study.warn))
        let value = try suggest(name, distribution)
        warnIfChanged(name, distribution)
        if let integer = value.intValue { return integer }
        guard let number = value.doubleValue else {
            throw TuningError.notANumber(value: value.description)
        }
        return clampedInt(number)
    }

    /// One of the choices.
    public func suggestCategorical(
        _ name: String, choices: [ParameterValue]
    ) throws -> ParameterValue {
        try suggest(name, .categorical(try CategoricalDistribution(choices: choices)))
    }

    /// The value of a parameter: the one the trial already has, else one the user enqueued, else
    /// the only one there is, else one drawn with others, else one drawn for itself.
    func suggest(_ name: String, _ distribution: Distribution) throws -> ParameterValue {
        let record = record
        if let known = record.distributions[name], let value = record.params[name] {
            try known.checkCompatibility(with: distribution)
            return value
        }
        let value: ParameterValue
        if let fixed = try fixedValue(name, distribution) {
            value = fixed
        } else if distribution.isSingle {
            value = distribution.singleValue
        } else if let relative = try relativeValue(name, distribution) {
            value = relative
        } else {
            let latest = try latestRecord()
            value = try study.sampler.sampleIndependent(
                try study.context(for: latest), trial: latest, name: name,
                distribution: distribution)
        }
        try study.storage.setTrialParameter(
            trialID, name, internalValue: try distribution.internalValue(of: value),
            distribution: distribution)
        state.withLock { state in
            state.record.params[name] = value
            state.record.distributions[name] = distribution
        }
        return value
    }

    private func fixedValue(_ name: String, _ distribution: Distribution) throws -> ParameterValue?
    {
        guard let value = fixedParams[name] else { return nil }
        if !distribution.contains(try distribution.internalValue(of: value)) {
            study.warn(
                "Fixed parameter \(name) with value \(value) is out of range for distribution "
                    + "\(distribution).")
        }
        return value
    }

    /// `nil` also for a value that the range does not have, as when it was narrowed since the trials
    /// that the sampler learned it from; then the parameter is drawn for itself.
    private func relativeValue(
        _ name: String, _ distribution: Distribution
    ) throws -> ParameterValue? {
        let relative = try drawnTogether()
        guard let value = relative.values[name] else { return nil }
        guard let expected = relative.space[name] else {
            throw TuningError.relativeParameterWithoutSpace(name: name)
        }
        try expected.checkCompatibility(with: distribution)
        return distribution.contains(try distribution.internalValue(of: value)) ? value : nil
    }

    /// Drawn as late as possible, so that trials that finish meanwhile are seen.
    private func drawnTogether() throws -> Relative {
        if let relative = state.withLock({ $0.relative }) { return relative }
        let record = record
        let context = try study.context(for: record)
        let space = try study.sampler.inferRelativeSearchSpace(context, trial: record)
        let values = try study.sampler.sampleRelative(context, trial: record, searchSpace: space)
        let relative = Relative(space: space, values: values)
        state.withLock { $0.relative = relative }
        return relative
    }

    private func warnIfChanged(_ name: String, _ distribution: Distribution) {
        guard let known = distributions[name], known != distribution else { return }
        study.warn(
            "Inconsistent parameter values for distribution with name \"\(name)\"! This might be a "
                + "configuration mistake. Optuna allows to call the same distribution with the "
                + "same name more than once in a trial. When the parameter values are "
                + "inconsistent optuna only uses the values of the first call and ignores all "
                + "following. Using these values: \(known.attributesRepr)")
    }

    // MARK: Progress

    /// Notes an intermediate value. A second one at the same step is ignored with a warning.
    ///
    /// - step: 0 or more; epochs or optimizer steps, the same for all trials of a study.
    public func report(_ value: Double, step: Int) throws {
        if study.directions.count > 1 { throw TuningError.multiObjective(feature: "report") }
        if step < 0 { throw TuningError.negativeStep(step) }
        if intermediateValues[step] != nil {
            study.warn(
                "The reported value is ignored because this `step=\(step)` is already reported.")
            return
        }
        try study.storage.setTrialIntermediateValue(trialID, step: step, value)
        state.withLock { $0.record.intermediateValues[step] = value }
    }

    /// Whether the study's pruner would give this trial up; then throw ``TrialPruned``.
    public func shouldPrune() throws -> Bool {
        if study.directions.count > 1 { throw TuningError.multiObjective(feature: "should_prune") }
        return try study.pruner.prune(StudyContext(study), trial: try latestRecord())
    }

    // MARK: Notes

    /// Sets or replaces an attribute of the trial.
    public func setUserAttribute(_ key: String, _ value: JSONValue) throws {
        try study.storage.setTrialUserAttribute(trialID, key, value)
        state.withLock { $0.record.userAttrs[key] = value }
    }

    /// Notes how far a constraint is violated: above 0 is violated. A second value for a key is
    /// ignored with a warning.
    public func setConstraint(_ key: String, _ value: Double) throws {
        if value.isNaN { throw TuningError.constraintIsNaN(key: key) }
        let attribute = constraintPrefix + key
        if try study.storage.trial(trialID).systemAttrs[attribute] != nil {
            study.warn(
                "The constraint value is ignored because this constraint `key=\(pythonRepr(key))` "
                    + "is already set.")
            return
        }
        try study.storage.setTrialSystemAttribute(trialID, attribute, .double(value))
        state.withLock { $0.record.systemAttrs[attribute] = .double(value) }
    }

    // MARK: Reading

    /// Suggested so far, in order.
    public var params: NamedValues<ParameterValue> { record.params }
    public var distributions: NamedValues<Distribution> { record.distributions }
    public var userAttrs: JSONObject { record.userAttrs }
    public var intermediateValues: IntermediateValues { record.intermediateValues }
    /// RUNNING until the trial is told.
    public func currentState() throws -> TrialState { try currentRecord().state }
    /// What the storage says about the trial now, its result included.
    public func currentRecord() throws -> FrozenTrial { try study.storage.trial(trialID) }

    /// Constraint values by key.
    public func constraints() throws -> NamedValues<Double> {
        try study.storage.trial(trialID).constraints
    }

    /// The values that were drawn together; draws them if that has not happened.
    public func relativeParams() throws -> NamedValues<ParameterValue> {
        try drawnTogether().values
    }

    private var record: FrozenTrial { state.withLock { $0.record } }

    /// The record with the system attributes as the storage has them now.
    private func latestRecord() throws -> FrozenTrial {
        var latest = record
        latest.systemAttrs = try study.storage.trial(trialID).systemAttrs
        return latest
    }
}
