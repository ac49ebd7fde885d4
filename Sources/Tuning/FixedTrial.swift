// A trial with given values, outside of any study: for running an objective by hand.

public import FoundationEssentials
public import Logging
public import OrderedJSON
import Synchronization

/// What an objective asks for values: a ``Trial`` of a study, or a ``FixedTrial``.
public protocol ParameterSource: AnyObject {
    func suggestFloat(_ name: String, low: Double, high: Double, step: Double?, log: Bool) throws
        -> Double
    func suggestInt(_ name: String, low: Int, high: Int, step: Int, log: Bool) throws -> Int
    func suggestCategorical(_ name: String, choices: [ParameterValue]) throws -> ParameterValue
}

extension Trial: ParameterSource {}

/// Suggests the values that it was made with, and keeps what it is told to itself.
public final class FixedTrial: ParameterSource, Sendable {
    public let number: Int
    public let datetimeStart = Date()
    private let values: NamedValues<ParameterValue>
    private let logger: Logger
    private let state: Mutex<FrozenTrial>
    /// What the values came with, for messages.
    private let owner: String

    public init(
        _ values: NamedValues<ParameterValue>, number: Int = 0,
        logger: Logger = OptunaLog.shared.logger
    ) {
        self.values = values
        self.number = number
        self.logger = logger
        state = Mutex(FrozenTrial(number: number, trialID: 0, state: .running))
        owner = "FixedTrial"
    }

    /// Suggests what a recorded trial had, so that an objective can be run on it once more.
    public init(replaying record: FrozenTrial, logger: Logger = OptunaLog.shared.logger) {
        values = record.params
        number = record.number
        self.logger = logger
        state = Mutex(record)
        owner = "FrozenTrial"
    }

    /// Values that were asked for so far.
    public var params: NamedValues<ParameterValue> { state.withLock { $0.params } }
    public var distributions: NamedValues<Distribution> { state.withLock { $0.distributions } }
    public var userAttrs: JSONObject { state.withLock { $0.userAttrs } }
    public var systemAttrs: JSONObject { state.withLock { $0.systemAttrs } }
    /// Constraint values by key.
    public var constraints: NamedValues<Double> { state.withLock { $0.constraints } }

    public func suggestFloat(
        _ name: String, low: Double, high: Double, step: Double? = nil, log: Bool = false
    ) throws -> Double {
        let value = try suggest(
            name,
            .float(try FloatDistribution(low: low, high: high, log: log, step: step, warn: warn)))
        guard let number = value.doubleValue else {
            throw TuningError.notANumber(value: value.description)
        }
        return number
    }

    /// Numbers with a fraction are truncated, as in Optuna.
    public func suggestInt(
        _ name: String, low: Int, high: Int, step: Int = 1, log: Bool = false
    ) throws -> Int {
        let value = try suggest(
            name, .int(try IntDistribution(low: low, high: high, log: log, step: step, warn: warn)))
        if let integer = value.intValue { return integer }
        guard let number = value.doubleValue else {
            throw TuningError.notANumber(value: value.description)
        }
        return clampedInt(number)
    }

    public func suggestCategorical(
        _ name: String, choices: [ParameterValue]
    ) throws -> ParameterValue {
        try suggest(name, .categorical(try CategoricalDistribution(choices: choices)))
    }

    private func suggest(_ name: String, _ distribution: Distribution) throws -> ParameterValue {
        guard let value = values[name] else {
            throw TuningError.fixedTrialLacks(name: name, owner: owner)
        }
        if !distribution.contains(try distribution.internalValue(of: value)) {
            warn(
                "The value \(value) of the parameter '\(name)' is out of the range of the "
                    + "distribution \(distribution).")
        }
        try state.withLock { record in
            try record.distributions[name]?.checkCompatibility(with: distribution)
            record.params[name] = value
            record.distributions[name] = distribution
        }
        return value
    }

    public func setUserAttribute(_ key: String, _ value: JSONValue) {
        state.withLock { $0.userAttrs[key] = value }
    }

    /// A second value for a key is ignored with a warning.
    public func setConstraint(_ key: String, _ value: Double) throws {
        if value.isNaN { throw TuningError.constraintIsNaN(key: key) }
        let isNew = state.withLock { record in
            if record.systemAttrs[constraintPrefix + key] != nil { return false }
            record.systemAttrs[constraintPrefix + key] = .double(value)
            return true
        }
        if !isNew {
            warn(
                "The constraint value is ignored because this constraint `key=\(pythonRepr(key))` "
                    + "is already set.")
        }
    }

    private func warn(_ text: String) { logger.warning("\(text)") }
}
