// What a parameter may be: the five kinds of scalar that Optuna's storages keep.

public import OrderedJSON

/// The value of a parameter or a choice of a categorical one.
public enum ParameterValue: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
}

extension ParameterValue {
    /// What Python's `float()` makes of it; `nil` for null and text.
    public var doubleValue: Double? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): Double(value)
        case .double(let value): value
        case .null, .string: nil
        }
    }

    public var intValue: Int? {
        if case .int(let value) = self { value } else { nil }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    public var jsonValue: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(Int64(value))
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        }
    }

    /// `nil` for arrays and objects.
    public init?(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(Int(value))
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .array, .object: return nil
        }
    }

    /// Python's `==`, except that NaN equals NaN: `1`, `1.0` and `True` are one value. Choices of
    /// a categorical parameter are told apart by this relation.
    public func isPythonEqual(to other: ParameterValue) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.string(let left), .string(let right)): return left.hasSameCodePoints(as: right)
        case (.null, _), (_, .null), (.string, _), (_, .string): return false
        case (.double(let left), .double(let right)):
            return left == right || (left.isNaN && right.isNaN)
        case (.double(let left), _):
            return other.wholeNumber.map { Int(exactly: left) == $0 } ?? false
        case (_, .double(let right)):
            return wholeNumber.map { Int(exactly: right) == $0 } ?? false
        default: return wholeNumber == other.wholeNumber
        }
    }

    private var wholeNumber: Int? {
        switch self {
        case .bool(let value): value ? 1 : 0
        case .int(let value): value
        default: nil
        }
    }
}

extension ParameterValue: Equatable {
    /// Same kind and same value (`1` differs from `1.0`); NaN equals NaN, so that records of
    /// trials can be compared.
    public static func == (left: ParameterValue, right: ParameterValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right || (left.isNaN && right.isNaN)
        case (.string(let left), .string(let right)): left.hasSameCodePoints(as: right)
        default: false
        }
    }
}

// No `nil` literal: a function that returns `ParameterValue?` could not tell "no value" from null.
extension ParameterValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
}

extension ParameterValue: CustomStringConvertible {
    /// Python's `str()`: text without quotes.
    public var description: String {
        if case .string(let value) = self { value } else { pythonRepr(self) }
    }
}
