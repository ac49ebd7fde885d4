import OrderedJSON

/// The type of a column, named as in Python's `datasets.Features`.
public indirect enum FeatureType: Sendable, Equatable {
    case string
    case int64
    case float64
    case bool
    /// Only nulls so far.
    case null
    case list(FeatureType)
    /// Fields in the order of their first appearance.
    case structure([Field])
    /// Values of several types, kept as they are.
    case json

    public struct Field: Sendable, Equatable {
        public var name: String
        public var type: FeatureType

        public init(name: String, type: FeatureType) {
            self.name = name
            self.type = type
        }
    }
}

extension FeatureType {
    /// The type that holds exactly this value.
    init(of value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool: self = .bool
        case .int: self = .int64
        case .double: self = .float64
        case .string: self = .string
        case .array(let values):
            self = .list(values.reduce(.null) { $0.union(FeatureType(of: $1)) })
        case .object(let object):
            self = .structure(
                object.map { Field(name: $0.key, type: FeatureType(of: $0.value)) })
        }
    }

    /// The narrowest type that holds the values of both: integers turn to floats beside floats,
    /// nulls fit everywhere, and what can't be joined becomes ``json``.
    func union(_ other: FeatureType) -> FeatureType {
        switch (self, other) {
        case (let left, let right) where left == right: return left
        case (.null, let type), (let type, .null): return type
        case (.int64, .float64), (.float64, .int64): return .float64
        case (.list(let left), .list(let right)): return .list(left.union(right))
        case (.structure(let left), .structure(let right)):
            var fields = left
            for field in right {
                if let index = fields.firstIndex(where: { $0.name == field.name }) {
                    fields[index].type = fields[index].type.union(field.type)
                } else {
                    fields.append(field)
                }
            }
            return .structure(fields)
        default: return .json
        }
    }
}

extension FeatureType {
    /// The value as a column of this type has it: integers among floats become floats, fields that
    /// a structure lacks become null.
    func conform(_ value: JSONValue) -> JSONValue {
        switch (self, value) {
        case (.float64, .int(let number)): .double(Double(number))
        case (.list(let element), .array(let values)) where element.needsConforming:
            .array(values.map(element.conform))
        case (.structure(let fields), .object(let object)):
            .object(
                JSONObject(fields.map { ($0.name, $0.type.conform(object[$0.name] ?? .null)) }))
        default: value
        }
    }

    private var needsConforming: Bool {
        switch self {
        case .float64, .structure: true
        case .list(let element): element.needsConforming
        case .string, .int64, .bool, .null, .json: false
        }
    }
}

extension FeatureType: CustomStringConvertible {
    /// As Python prints it: `Value('string')`, `List(Value('float64'))`.
    public var description: String {
        switch self {
        case .string: "Value('string')"
        case .int64: "Value('int64')"
        case .float64: "Value('float64')"
        case .bool: "Value('bool')"
        case .null: "Value('null')"
        case .list(let element): "List(\(element))"
        case .structure(let fields):
            "{" + fields.map { "'\($0.name)': \($0.type)" }.joined(separator: ", ") + "}"
        case .json: "Json()"
        }
    }
}
