// The record of a trial: what a storage keeps, what samplers, pruners and callbacks read.

public import FoundationEssentials
public import OrderedJSON

/// A trial as it stood when it was read.
///
/// A value with copy on write: handing thousands of records around costs one reference each.
public struct FrozenTrial: Sendable {
    private var record: Record

    /// All stored properties, shared until one of the sharers changes something.
    private final class Record: @unchecked Sendable {
        var number: Int
        var state: TrialState
        var values: [Double]?
        var datetimeStart: Date?
        var datetimeComplete: Date?
        var params = NamedValues<ParameterValue>()
        var distributions = NamedValues<Distribution>()
        var userAttrs = JSONObject()
        var systemAttrs = JSONObject()
        var intermediateValues = IntermediateValues()
        var trialID: Int

        init(number: Int, trialID: Int, state: TrialState) {
            self.number = number
            self.trialID = trialID
            self.state = state
        }

        init(copying other: Record) {
            number = other.number
            state = other.state
            values = other.values
            datetimeStart = other.datetimeStart
            datetimeComplete = other.datetimeComplete
            params = other.params
            distributions = other.distributions
            userAttrs = other.userAttrs
            systemAttrs = other.systemAttrs
            intermediateValues = other.intermediateValues
            trialID = other.trialID
        }
    }

    /// A record without parameters, values or times; storages and tests build on it. Scripts make
    /// complete ones with ``create(state:values:params:distributions:userAttrs:systemAttrs:intermediateValues:constraints:)``.
    public init(number: Int, trialID: Int, state: TrialState) {
        record = Record(number: number, trialID: trialID, state: state)
    }

    private mutating func unshare() {
        if !isKnownUniquelyReferenced(&record) { record = Record(copying: record) }
    }

    /// Place in the study, from 0 without gaps.
    public var number: Int {
        get { record.number }
        set {
            unshare()
            record.number = newValue
        }
    }

    /// The storage's own number of the trial, unique over all studies.
    public var trialID: Int {
        get { record.trialID }
        set {
            unshare()
            record.trialID = newValue
        }
    }

    public var state: TrialState {
        get { record.state }
        set {
            unshare()
            record.state = newValue
        }
    }

    /// One value per objective; `nil` before the end, after a failure, and for a pruned trial
    /// without a usable report.
    public var values: [Double]? {
        get { record.values }
        set {
            unshare()
            record.values = newValue
        }
    }

    /// When the trial began to run.
    public var datetimeStart: Date? {
        get { record.datetimeStart }
        set {
            unshare()
            record.datetimeStart = newValue
        }
    }

    /// When it finished.
    public var datetimeComplete: Date? {
        get { record.datetimeComplete }
        set {
            unshare()
            record.datetimeComplete = newValue
        }
    }

    /// Suggested values in the order of suggestion.
    public var params: NamedValues<ParameterValue> {
        get { record.params }
        set {
            unshare()
            record.params = newValue
        }
    }

    /// The range of each of ``params``.
    public var distributions: NamedValues<Distribution> {
        get { record.distributions }
        set {
            unshare()
            record.distributions = newValue
        }
    }

    public var userAttrs: JSONObject {
        get { record.userAttrs }
        set {
            unshare()
            record.userAttrs = newValue
        }
    }

    /// What samplers, pruners and the study note for themselves.
    public var systemAttrs: JSONObject {
        get { record.systemAttrs }
        set {
            unshare()
            record.systemAttrs = newValue
        }
    }

    /// Reported values by step.
    public var intermediateValues: IntermediateValues {
        get { record.intermediateValues }
        set {
            unshare()
            record.intermediateValues = newValue
        }
    }
}

extension FrozenTrial: Equatable {
    public static func == (left: FrozenTrial, right: FrozenTrial) -> Bool {
        left.record === right.record
            || (left.number == right.number && left.trialID == right.trialID
                && left.state == right.state && left.values == right.values
                && left.datetimeStart == right.datetimeStart
                && left.datetimeComplete == right.datetimeComplete && left.params == right.params
                && left.distributions == right.distributions && left.userAttrs == right.userAttrs
                && left.systemAttrs == right.systemAttrs
                && left.intermediateValues == right.intermediateValues)
    }
}

// MARK: - Derived

/// Name under which a failed trial keeps the text of its error.
let failReasonKey = "fail_reason"
let fixedParamsKey = "fixed_params"

extension FrozenTrial {
    /// The value of the only objective, `nil` while there is none; throws with several.
    public func value() throws -> Double? {
        guard let values else { return nil }
        if values.count > 1 { throw TuningError.valueOfMultiObjectiveTrial }
        return values.first
    }

    /// Largest reported step.
    public var lastStep: Int? { intermediateValues.lastStep }

    /// Seconds from start to completion.
    public var duration: TimeInterval? {
        guard let datetimeStart, let datetimeComplete else { return nil }
        return datetimeComplete.timeIntervalSince(datetimeStart)
    }

    /// Why a failed trial failed, where st-host ran it.
    public var failReason: String? { systemAttrs[failReasonKey]?.stringValue }

    /// Constraint values by key; one above 0 is violated.
    public var constraints: NamedValues<Double> { constraintValues(in: systemAttrs) }

    /// Sum of the violated constraints; 0 for a feasible trial.
    var violation: Double {
        var sum = 0.0
        guard systemAttrs.keys.contains(where: { $0.utf8.starts(with: "constraints".utf8) })
        else { return 0 }
        for (_, value) in constraints where value > 0 { sum += value }
        return sum
    }

    /// Refuses a record that no storage should hold: times, values and parameters must fit the
    /// state and each other.
    func validate() throws {
        func refuse(_ problem: String) -> TuningError { .invalidTrial(problem: problem) }
        if state != .waiting && datetimeStart == nil {
            throw refuse(
                "`datetime_start` is supposed to be set when the trial state is not waiting.")
        }
        if state.isFinished && datetimeComplete == nil {
            throw refuse("`datetime_complete` is supposed to be set for a finished trial.")
        }
        if !state.isFinished && datetimeComplete != nil {
            throw refuse("`datetime_complete` is supposed to be None for an unfinished trial.")
        }
        if state == .fail, let values {
            throw refuse(
                "values should be None for a failed trial, but got \(pythonRepr(values)).")
        }
        if state == .complete {
            guard let values else {
                throw refuse("values should be set for a complete trial.")
            }
            if values.contains(where: \.isNaN) {
                throw refuse("values should not contain NaN.")
            }
        }
        for name in params.names + distributions.names
        where params.contains(name) != distributions.contains(name) {
            throw refuse(
                "Inconsistent parameters \(pythonSetRepr(params.names)) and distributions "
                    + "\(pythonSetRepr(distributions.names)).")
        }
        for (name, value) in params {
            guard let distribution = distributions[name] else { continue }
            if !distribution.contains(try distribution.internalValue(of: value)) {
                throw refuse(
                    "The value \(value) of parameter '\(name)' isn't contained in the "
                        + "distribution \(distribution).")
            }
        }
    }

    /// A record to hand to ``Study/addTrial(_:)``: a result that was found elsewhere, or a
    /// point to try. Number and times are filled in; what doesn't fit the state is refused.
    public static func create(
        state: TrialState = .complete, values: [Double]? = nil,
        params: NamedValues<ParameterValue> = [:], distributions: NamedValues<Distribution> = [:],
        userAttrs: JSONObject = [:], systemAttrs: JSONObject = [:],
        intermediateValues: IntermediateValues = IntermediateValues(),
        constraints: NamedValues<Double> = [:]
    ) throws -> FrozenTrial {
        var trial = FrozenTrial(number: -1, trialID: -1, state: state)
        trial.values = values
        trial.params = params
        trial.distributions = distributions
        trial.userAttrs = userAttrs
        trial.systemAttrs = systemAttrs
        trial.intermediateValues = intermediateValues
        for (key, value) in constraints {
            if value.isNaN { throw TuningError.constraintIsNaN(key: key) }
            trial.systemAttrs[constraintPrefix + key] = .double(value)
        }
        let now = Date()
        trial.datetimeStart = state == .waiting ? nil : now
        trial.datetimeComplete = state.isFinished ? now : nil
        try trial.validate()
        return trial
    }
}

private func pythonSetRepr(_ names: [String]) -> String {
    names.isEmpty ? "set()" : "{" + names.map { pythonRepr($0) }.joined(separator: ", ") + "}"
}

// MARK: - Constraints

let constraintsKey = "constraints"
let constraintPrefix = "constraints:"

/// Constraints among system attributes: one attribute each, or the list that older releases wrote.
func constraintValues(in attributes: JSONObject) -> NamedValues<Double> {
    var result = NamedValues<Double>()
    for (index, value) in (attributes[constraintsKey]?.arrayValue ?? []).enumerated() {
        result[String(index)] = value.doubleValue
    }
    for (key, value) in attributes where key.utf8.starts(with: constraintPrefix.utf8) {
        guard let number = value.doubleValue else { continue }
        result[String(Substring(key.utf8.dropFirst(constraintPrefix.utf8.count)))] = number
    }
    return result
}

// MARK: - Reports

/// Reported values by step, in the order of reporting.
public struct IntermediateValues: Sendable {
    public private(set) var steps: [Int] = []
    public private(set) var values: [Double] = []
    private var positions: [Int: Int] = [:]

    public init() {}

    public init(_ reports: some Sequence<(Int, Double)>) {
        for (step, value) in reports { self[step] = value }
    }

    public var isEmpty: Bool { steps.isEmpty }
    public var count: Int { steps.count }
    public private(set) var lastStep: Int?

    public subscript(step: Int) -> Double? {
        get { positions[step].map { values[$0] } }
        set {
            guard let newValue else { return }
            if let position = positions[step] {
                values[position] = newValue
            } else {
                positions[step] = steps.count
                steps.append(step)
                values.append(newValue)
                lastStep = Swift.max(lastStep ?? step, step)
            }
        }
    }
}

extension IntermediateValues: Equatable {
    /// The same reports, in any order; NaN equals NaN.
    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count
            && zip(left.steps, left.values).allSatisfy { step, value in
                guard let other = right[step] else { return false }
                return other == value || (other.isNaN && value.isNaN)
            }
    }
}
