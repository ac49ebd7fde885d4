// The declared parameters of a Swift function: what arguments are checked against, and what
// `help()`, editor stubs and documentation are generated from.

/// What a parameter accepts. `description` is the name in "expected NAME, got ...".
public indirect enum LuaType: Sendable {
    case any, boolean, integer, number, string, function, table
    /// One of these strings.
    case oneOf([String])
    /// A table with elements 1...; the elements are checked when the body reads them.
    case sequence(LuaType)
    /// A table with string keys.
    case map(LuaType)
    /// An object of the class with this Lua name, or of one that lists it in `conforms`.
    case object(String)
    case union([LuaType])

    /// Text or sequence of it, as Python's `str | list[str]`.
    public static let stringOrSequence = LuaType.union([.string, .sequence(.string)])
}

extension LuaType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .any: "any"
        case .boolean: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .function: "function"
        case .table, .map: "table"
        case .oneOf: "string"
        case .sequence: "sequence"
        case .object(let name): name
        case .union(let types): types.map(\.description).joined(separator: " or ")
        }
    }
}

/// The numbers a parameter accepts.
public struct LuaRange: Sendable {
    public var lower: Double?
    public var lowerIsOpen = false
    public var upper: Double?
    public var upperIsOpen = false

    public static func atLeast(_ lower: Double) -> LuaRange { LuaRange(lower: lower) }
    public static func above(_ lower: Double) -> LuaRange {
        LuaRange(lower: lower, lowerIsOpen: true)
    }
    public static func between(_ lower: Double, _ upper: Double) -> LuaRange {
        LuaRange(lower: lower, upper: upper)
    }

    public init(
        lower: Double? = nil, lowerIsOpen: Bool = false, upper: Double? = nil,
        upperIsOpen: Bool = false
    ) {
        self.lower = lower
        self.lowerIsOpen = lowerIsOpen
        self.upper = upper
        self.upperIsOpen = upperIsOpen
    }

    /// False for NaN.
    public func contains(_ value: Double) -> Bool {
        if value.isNaN { return false }
        if let lower, lowerIsOpen ? value <= lower : value < lower { return false }
        if let upper, upperIsOpen ? value >= upper : value > upper { return false }
        return true
    }
}

extension LuaRange: CustomStringConvertible {
    public var description: String {
        var parts: [String] = []
        if let lower { parts.append((lowerIsOpen ? "above " : "at least ") + luaNumber(lower)) }
        if let upper { parts.append((upperIsOpen ? "below " : "at most ") + luaNumber(upper)) }
        return parts.joined(separator: " and ")
    }
}

/// A number as a script writes it: 1 for 1.0.
func luaNumber(_ value: Double) -> String {
    if let integer = Int(exactly: value) { return "\(integer)" }
    return value.isNaN ? "nan" : "\(value)"
}

/// What a parameter is when the call does not give it.
public enum LuaDefault: Sendable {
    case required
    /// Reads as nil (Python's None).
    case `nil`
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    /// Reads as nil; the text tells readers of the documentation what happens then.
    case computed(String)
}

extension LuaDefault: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(nilLiteral: ()) { self = .nil }
}

extension LuaDefault: CustomStringConvertible {
    /// As a script would write it.
    public var description: String {
        switch self {
        case .required: ""
        case .nil: "nil"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .computed(let text): text
        }
    }
}

/// One parameter of a function, method or constructor.
public struct LuaParameter: Sendable {
    /// How it may be given.
    public enum Kind: Sendable {
        case positionalOrKeyword, positionalOnly, keywordOnly
    }

    public let name: String
    public let type: LuaType
    public let `default`: LuaDefault
    public let kind: Kind
    public let range: LuaRange?
    public let doc: String
    /// What documentation says it takes, where the body checks more than `type` and `range` tell.
    public let shown: (type: LuaType, range: LuaRange?)

    public init(
        _ name: String, _ type: LuaType, default: LuaDefault, kind: Kind = .positionalOrKeyword,
        range: LuaRange? = nil, shown: (type: LuaType, range: LuaRange?)? = nil, doc: String = ""
    ) {
        self.name = name
        self.type = type
        self.default = `default`
        self.kind = kind
        self.range = range
        self.shown = shown ?? (type, range)
        self.doc = doc
    }

    public static func required(
        _ name: String, _ type: LuaType, range: LuaRange? = nil, _ doc: String = ""
    ) -> LuaParameter {
        LuaParameter(name, type, default: .required, range: range, doc: doc)
    }

    public static func optional(
        _ name: String, _ type: LuaType, _ default: LuaDefault = .nil, range: LuaRange? = nil,
        _ doc: String = ""
    ) -> LuaParameter {
        LuaParameter(name, type, default: `default`, range: range, doc: doc)
    }

    /// Only in the last table, never by position; `default` may be `.required`.
    public static func keyword(
        _ name: String, _ type: LuaType, _ default: LuaDefault = .nil, range: LuaRange? = nil,
        _ doc: String = ""
    ) -> LuaParameter {
        LuaParameter(name, type, default: `default`, kind: .keywordOnly, range: range, doc: doc)
    }

    public var isRequired: Bool { if case .required = `default` { true } else { false } }
}

/// Name, parameters and documentation of a function.
public final class LuaSignature: Sendable {
    public let name: String
    public let parameters: [LuaParameter]
    public let doc: String
    /// What a call returns.
    public let result: LuaResultType
    /// Set for methods: the class whose object comes first ("call with ':'").
    public let owner: String?
    /// Number of values before the parameters: the object of a method.
    let offset: Int32
    /// The parameters that may be given by position come first.
    let positionalCount: Int
    let indices: [String: Int]

    public init(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "", owner: String? = nil,
        result: LuaResultType = .any
    ) {
        self.name = name
        self.doc = doc
        self.owner = owner
        self.result = result
        offset = owner == nil ? 0 : 1
        let positional = parameters.filter { $0.kind != .keywordOnly }
        let ordered = positional + parameters.filter { $0.kind == .keywordOnly }
        self.parameters = ordered
        positionalCount = positional.count
        indices = Dictionary(
            ordered.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
