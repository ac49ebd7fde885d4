import OrderedJSON

/// The type of a column, named as in Python's `datasets.Features`.
public enum FeatureType: Sendable {
    case string
    /// 8, 16, 32 or 64 bits.
    case integer(bits: Int, isSigned: Bool)
    /// 16, 32 or 64 bits.
    case float(bits: Int)
    case bool
    /// Only nulls so far.
    case null
    /// Numbers of classes by their place among these names, counted from 0; -1 is no class.
    case classLabel([String])
    indirect case list(FeatureType)
    /// Fields in the order of their first appearance.
    case structure([Field])
    /// Values of several types, kept as they are.
    case json

    public static let int64 = FeatureType.integer(bits: 64, isSigned: true)
    public static let float64 = FeatureType.float(bits: 64)

    /// Structures whose fields differ from row to row without end are ``json``.
    private static let mostFields = 1000

    public struct Field: Sendable, Equatable {
        public var name: String
        public var type: FeatureType

        public init(name: String, type: FeatureType) {
            self.name = name
            self.type = type
        }
    }
}

extension FeatureType: Equatable {
    /// Names of classes are compared by their bytes, as those of columns and fields.
    public static func == (left: FeatureType, right: FeatureType) -> Bool {
        switch (left, right) {
        case (.string, .string), (.bool, .bool), (.null, .null), (.json, .json): true
        case (.integer(let left, let isSigned), .integer(let right, let otherIsSigned)):
            left == right && isSigned == otherIsSigned
        case (.float(let left), .float(let right)): left == right
        case (.classLabel(let left), .classLabel(let right)): left.hasSameTexts(as: right)
        case (.list(let left), .list(let right)): left == right
        case (.structure(let left), .structure(let right)): left == right
        default: false
        }
    }
}

extension FeatureType.Field {
    public static func == (left: Self, right: Self) -> Bool {
        left.name.hasSameUTF8(as: right.name) && left.type == right.type
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
        case (.integer, .float), (.float, .integer), (.float, .float): return .float64
        case (.integer, .integer), (.integer, .classLabel), (.classLabel, .integer),
            (.classLabel, .classLabel):
            return .int64
        case (.list(let left), .list(let right)): return .list(left.union(right))
        case (.structure(let left), .structure(let right)):
            var fields = left
            for field in right {
                if let index = fields.firstIndex(where: { $0.name.hasSameUTF8(as: field.name) }) {
                    fields[index].type = fields[index].type.union(field.type)
                } else {
                    fields.append(field)
                }
            }
            return fields.count <= Self.mostFields ? .structure(fields) : .json
        default: return .json
        }
    }
}

extension FeatureType {
    /// The value as a column of this type has it: integers among floats become floats, fields that
    /// a structure lacks become null.
    func conform(_ value: JSONValue) -> JSONValue {
        switch (self, value) {
        case (.float, .int(let number)): .double(Double(number))
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
        case .float, .structure: true
        case .list(let element): element.needsConforming
        case .string, .integer, .bool, .null, .classLabel, .json: false
        }
    }
}

extension FeatureType {
    /// Whether a column of this type can take the value as it is.
    func holds(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (_, .null), (.json, _): true
        case (.string, .string), (.bool, .bool), (.float, .double), (.float, .int): true
        case (.integer(let bits, let isSigned), .int(let number)):
            Self.fits(number, bits: bits, isSigned: isSigned)
        case (.classLabel(let names), .int(let number)): number >= -1 && number < names.count
        case (.list(let element), .array(let values)): values.allSatisfy(element.holds)
        case (.structure(let fields), .object(let object)):
            object.allSatisfy { name, value in
                fields.contains { $0.name.hasSameUTF8(as: name) && $0.type.holds(value) }
            }
        default: false
        }
    }

    static func fits(_ number: Int64, bits: Int, isSigned: Bool) -> Bool {
        switch (bits, isSigned) {
        case (64, true): true
        case (8, true): Int8(exactly: number) != nil
        case (16, true): Int16(exactly: number) != nil
        case (32, true): Int32(exactly: number) != nil
        case (8, false): UInt8(exactly: number) != nil
        case (16, false): UInt16(exactly: number) != nil
        case (32, false): UInt32(exactly: number) != nil
        default: number >= 0
        }
    }
}

extension FeatureType {
    /// Python's name of a type that `Value` has, `nil` for the others.
    public var valueName: String? {
        switch self {
        case .string: "string"
        case .integer(let bits, let isSigned): (isSigned ? "int" : "uint") + "\(bits)"
        case .float(let bits): "float\(bits)"
        case .bool: "bool"
        case .null: "null"
        case .classLabel, .list, .structure, .json: nil
        }
    }
}

extension FeatureType: CustomStringConvertible {
    /// As Python prints it: `Value('string')`, `List(Value('float64'))`.
    public var description: String {
        switch self {
        case .classLabel(let names):
            "ClassLabel(names=[" + names.map { "'\($0)'" }.joined(separator: ", ") + "])"
        case .list(let element): "List(\(element))"
        case .structure(let fields):
            "{" + fields.map { "'\($0.name)': \($0.type)" }.joined(separator: ", ") + "}"
        case .json: "Json()"
        default: "Value('\(valueName ?? "")')"
        }
    }
}
