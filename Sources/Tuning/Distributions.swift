// Where a parameter's values come from: a float range, an integer range, or a list of choices.
// Trials record one per parameter; samplers read them; storages keep them as JSON.

import OrderedJSON

/// A parameter's range, as ``Trial/suggestFloat(_:low:high:step:log:)`` and its siblings make it.
public enum Distribution: Sendable, Equatable {
    case float(FloatDistribution)
    case int(IntDistribution)
    case categorical(CategoricalDistribution)
}

/// Floats of [low, high]: uniform, uniform in the logarithm, or low, low + step, ….
public struct FloatDistribution: Sendable, Equatable {
    public let low: Double
    /// With a step: lowered to the last value that steps from `low` reach.
    public let high: Double
    public let log: Bool
    public let step: Double?

    /// - low, high: finite, as is their difference; low <= high; low > 0 when `log`.
    /// - step: positive; not together with `log`. Steps are counted on the decimal forms of the
    ///   numbers, so that 0.1 goes three times into 0.3.
    /// - warn: gets a sentence when `high` has to be lowered.
    public init(
        low: Double, high: Double, log: Bool = false, step: Double? = nil,
        warn: (String) -> Void = { _ in }
    ) throws {
        if log && step != nil { throw TuningError.logWithStep }
        for (name, value) in [("low", low), ("high", high), ("step", step ?? 1)]
        where !value.isFinite {
            throw TuningError.notFinite(name: name, value: value)
        }
        guard low <= high else {
            throw TuningError.lowAboveHigh(low: pythonRepr(low), high: pythonRepr(high))
        }
        guard (high - low).isFinite else {
            throw TuningError.notFinite(name: "high - low", value: high - low)
        }
        if log && low <= 0 {
            throw TuningError.lowNotPositiveForLog(
                minimum: "> 0", low: pythonRepr(low), high: pythonRepr(high))
        }
        if let step, step <= 0 { throw TuningError.stepNotPositive(step: pythonRepr(step)) }
        self.low = low
        self.high = try step.map { try Self.reachableHigh(low, high, step: $0, warn) } ?? high
        self.log = log
        self.step = step
    }

    private static func reachableHigh(
        _ low: Double, _ high: Double, step: Double, _ warn: (String) -> Void
    ) throws -> Double {
        guard let start = ExactDecimal(low), let stride = ExactDecimal(step),
            let range = ExactDecimal(high)?.subtracting(start),
            let (count, isExact) = range.divided(by: stride)
        else { throw TuningError.tooManySteps(low: low, high: high, step: step) }
        if isExact { return high }
        guard let reached = stride.multiplied(by: count)?.adding(start)?.doubleValue else {
            throw TuningError.tooManySteps(low: low, high: high, step: step)
        }
        warn(
            "The distribution is specified by [\(pythonRepr(low)), \(pythonRepr(high))] and "
                + "step=\(pythonRepr(step)), but the range is not divisible by `step`. It will be "
                + "replaced with [\(pythonRepr(low)), \(pythonRepr(reached))].")
        return reached
    }

    /// Whether there is one value only.
    package var isSingle: Bool {
        guard let step, low != high else { return low == high }
        guard let lowest = ExactDecimal(low), let stride = ExactDecimal(step),
            let range = ExactDecimal(high)?.subtracting(lowest)
        else { return false }
        return range.isLess(than: stride) ?? false
    }

    package func contains(_ value: Double) -> Bool {
        guard low <= value && value <= high else { return false }
        guard let step else { return true }
        let count = (value - low) / step
        return abs(count - count.rounded(.toNearestOrEven)) < 1e-8
    }
}

/// Integers of [low, high]: low, low + step, …, or uniform in the logarithm.
public struct IntDistribution: Sendable, Equatable {
    public let low: Int
    /// Lowered to the last value that steps from `low` reach.
    public let high: Int
    public let log: Bool
    public let step: Int

    /// - low, high: low <= high; low >= 1 when `log`.
    /// - step: positive; 1 when `log`.
    /// - warn: gets a sentence when `high` has to be lowered.
    public init(
        low: Int, high: Int, log: Bool = false, step: Int = 1, warn: (String) -> Void = { _ in }
    ) throws {
        if log && step != 1 { throw TuningError.logWithIntegerStep(step: step) }
        guard low <= high else {
            throw TuningError.lowAboveHigh(low: String(low), high: String(high))
        }
        if log && low < 1 {
            throw TuningError.lowNotPositiveForLog(
                minimum: ">= 1", low: String(low), high: String(high))
        }
        guard step > 0 else { throw TuningError.stepNotPositive(step: String(step)) }
        // The width of the range can exceed Int.max, its remainder can't exceed the step.
        let remainder = (Int128(high) - Int128(low)) % Int128(step)
        self.low = low
        self.high = Int(Int128(high) - remainder)
        self.log = log
        self.step = step
        if remainder != 0 {
            warn(
                "The distribution is specified by [\(low), \(high)] and step=\(step), but the "
                    + "range is not divisible by `step`. It will be replaced with "
                    + "[\(low), \(self.high)].")
        }
    }

    package var isSingle: Bool { low == high }

    package func contains(_ value: Double) -> Bool {
        Double(low) <= value && value <= Double(high)
            && (value - Double(low)).truncatingRemainder(dividingBy: Double(step)) == 0
    }
}

/// One of a list of choices, without an order between them.
///
/// Choices are told apart as Python tells them apart, where `1`, `1.0` and `True` are equal: of
/// equal choices the first is meant.
public struct CategoricalDistribution: Sendable {
    public let choices: [ParameterValue]

    /// - choices: at least one.
    public init(choices: [ParameterValue]) throws {
        guard !choices.isEmpty else { throw TuningError.noChoices }
        self.choices = choices
    }

    /// Zero-based place of a value, or `nil`.
    public func index(of value: ParameterValue) -> Int? {
        choices.firstIndex { $0.isPythonEqual(to: value) }
    }
}

extension CategoricalDistribution: Equatable {
    /// The same choices in the same order, by Python's equality.
    public static func == (left: Self, right: Self) -> Bool {
        left.choices.elementsEqual(right.choices) { $0.isPythonEqual(to: $1) }
    }
}

// MARK: - What the three kinds share

extension Distribution {
    /// Whether one value only is possible; such a parameter is never sampled.
    public var isSingle: Bool {
        switch self {
        case .float(let distribution): distribution.isSingle
        case .int(let distribution): distribution.isSingle
        case .categorical(let distribution): distribution.choices.count == 1
        }
    }

    /// The only value of a distribution that ``isSingle``.
    var singleValue: ParameterValue {
        switch self {
        case .float(let distribution): .double(distribution.low)
        case .int(let distribution): .int(distribution.low)
        case .categorical(let distribution): distribution.choices[0]
        }
    }

    /// Whether a value in internal form (see ``internalValue(of:)``) lies in the range.
    public func contains(_ internalValue: Double) -> Bool {
        switch self {
        case .float(let distribution): return distribution.contains(internalValue)
        case .int(let distribution): return distribution.contains(internalValue)
        case .categorical(let distribution):
            guard let index = Int(exactly: internalValue.rounded(.towardZero)) else { return false }
            return distribution.choices.indices.contains(index)
        }
    }

    /// The number under which samplers and storages know a value: itself, or a choice's place.
    ///
    /// Throws for text and null in a numeric range, NaN, a number <= 0 in a logarithmic range and
    /// an unknown choice. Numbers outside the range pass, as in Optuna.
    public func internalValue(of value: ParameterValue) throws -> Double {
        let isLog: Bool
        switch self {
        case .categorical(let distribution):
            guard let index = distribution.index(of: value) else {
                throw TuningError.notAChoice(
                    value: value.description, choices: pythonTupleRepr(distribution.choices))
            }
            return Double(index)
        case .float(let distribution): isLog = distribution.log
        case .int(let distribution): isLog = distribution.log
        }
        guard let number = value.doubleValue else {
            throw TuningError.notANumber(value: value.description)
        }
        if number.isNaN {
            throw TuningError.invalidValue(value: value.description, isForLog: false)
        }
        if isLog && number <= 0 {
            throw TuningError.invalidValue(value: value.description, isForLog: true)
        }
        return number
    }

    /// The inverse of ``internalValue(of:)``. Integers truncate; out of range values of broken
    /// databases come out as the nearest value there is.
    public func value(ofInternal number: Double) -> ParameterValue {
        switch self {
        case .float: return .double(number)
        case .int: return .int(clampedInt(number))
        case .categorical(let distribution):
            let last = distribution.choices.count - 1
            return distribution.choices[min(max(clampedInt(number), 0), last)]
        }
    }

    /// Refuses a distribution that can't follow `self` under the same parameter name: another
    /// kind, another log flag, other choices. Ranges and steps may change.
    public func checkCompatibility(with new: Distribution) throws {
        switch (self, new) {
        case (.float(let old), .float(let new)):
            if old.log != new.log { throw TuningError.differentLog }
        case (.int(let old), .int(let new)):
            if old.log != new.log { throw TuningError.differentLog }
        case (.categorical(let old), .categorical(let new)):
            if old != new { throw TuningError.dynamicChoices }
        default: throw TuningError.differentKind
        }
    }

    /// Number of values, where it is finite and can be counted.
    var valueCount: Int? {
        switch self {
        case .float(let distribution):
            guard let step = distribution.step else { return nil }
            guard let low = ExactDecimal(distribution.low), let stride = ExactDecimal(step),
                let count = ExactDecimal(distribution.high)?.subtracting(low)?.divided(by: stride)
            else { return nil }
            return Int(exactly: count.quotient + 1)
        case .int(let distribution):
            let width = Int128(distribution.high) - Int128(distribution.low)
            return Int(exactly: width / Int128(distribution.step) + 1)
        case .categorical(let distribution): return distribution.choices.count
        }
    }
}

extension Distribution: CustomStringConvertible {
    /// Python's `repr`: `FloatDistribution(high=1.0, log=False, low=0.0, step=None)`.
    public var description: String {
        switch self {
        case .float(let it):
            "FloatDistribution(high=\(pythonRepr(it.high)), log=\(pythonRepr(it.log)), "
                + "low=\(pythonRepr(it.low)), step=\(pythonRepr(it.step)))"
        case .int(let it):
            "IntDistribution(high=\(it.high), log=\(pythonRepr(it.log)), low=\(it.low), "
                + "step=\(it.step))"
        case .categorical(let it):
            "CategoricalDistribution(choices=\(pythonTupleRepr(it.choices)))"
        }
    }

    /// Python's `repr` of the distribution's `_asdict()`, as the warning about changed ranges
    /// shows it.
    var attributesRepr: String {
        switch self {
        case .float(let it):
            "{'step': \(pythonRepr(it.step)), 'low': \(pythonRepr(it.low)), "
                + "'high': \(pythonRepr(it.high)), 'log': \(pythonRepr(it.log))}"
        case .int(let it):
            "{'log': \(pythonRepr(it.log)), 'step': \(it.step), 'low': \(it.low), "
                + "'high': \(it.high)}"
        case .categorical(let it):
            "{'choices': \(pythonTupleRepr(it.choices))}"
        }
    }
}

/// Truncation that can't trap: NaN becomes 0, what is too large the largest integer.
func clampedInt(_ value: Double) -> Int {
    if let exact = Int(exactly: value.rounded(.towardZero)) { return exact }
    if value.isNaN { return 0 }
    return value < 0 ? Int.min : Int.max
}
