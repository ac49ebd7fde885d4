/// One JSON value: configuration files, tokenizers, dataset rows, study attributes.
///
/// START HERE: `JSONValue.parse` reads, ``json(_:)`` writes. The type exists because three things
/// that matter to this package get lost elsewhere: the order of an object's keys (it is the order
/// of a dataset's columns), the difference between `5` and `5.0`, and the tokens `NaN`, `Infinity`
/// and `-Infinity` that Python's json module writes.
///
/// Strings are compared by their code points, as Python does, and not by canonical equivalence as
/// Swift's `==` does.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A number written without fraction and exponent that fits 64 bits.
    case int(Int64)
    /// Any other number. Integers beyond 64 bits end up here, rounded to the nearest double.
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

// MARK: - Reading and writing

extension JSONValue {
    /// Parses one JSON text.
    public static func parse(
        _ text: String, options: JSONParsingOptions = .init()
    ) throws(JSONError) -> JSONValue {
        try parse(utf8: Array(text.utf8), options: options)
    }

    /// Parses one JSON text in UTF-8; a byte order mark at the start is passed over.
    public static func parse(
        utf8 bytes: [UInt8], options: JSONParsingOptions = .init()
    ) throws(JSONError) -> JSONValue {
        let result = bytes.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONError) in try parse(utf8: buffer, options: options) }
        }
        return try result.get()
    }

    /// Parses one JSON text in UTF-8 without copying it.
    public static func parse(
        utf8 bytes: UnsafeBufferPointer<UInt8>, options: JSONParsingOptions = .init()
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(utf8: bytes, options: options)
        return try parser.parseOnlyValue()
    }

    /// The JSON text of this value; by default letter for letter what Python's `json.dumps` writes.
    public func json(_ options: JSONWritingOptions = .init()) -> String {
        var writer = JSONWriter(options: options)
        writer.write(self, depth: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

// MARK: - Access

extension JSONValue {
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The integer, if this is one (`5`, not `5.0`).
    public var intValue: Int? {
        if case .int(let value) = self { Int(exactly: value) } else { nil }
    }

    /// The number, integer or not, as a double.
    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    public var arrayValue: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var objectValue: JSONObject? {
        if case .object(let value) = self { value } else { nil }
    }

    /// The member of that name; `nil` when this is no object or has no such member.
    public subscript(key: String) -> JSONValue? { objectValue?[key] }

    /// The element at a zero-based index; `nil` when this is no array or is shorter.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let values) = self, values.indices.contains(index) else { return nil }
        return values[index]
    }

    /// What this is, in words for an error message: "an object", "a string", "null".
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int: "an integer"
        case .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

// MARK: - Equality

extension JSONValue: Equatable {
    /// Equal kinds and equal contents: `5` differs from `5.0`, NaN from itself, and objects whose
    /// keys stand in another order from each other.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int(let left), .int(let right)): left == right
        case (.double(let left), .double(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameCodePoints(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension String {
    /// Equality of code points. Canonical equivalence is the wider relation, so the standard
    /// library's fast comparison goes first.
    func hasSameCodePoints(as other: String) -> Bool {
        self == other && utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}

// MARK: - Literals

// No nil literal: it would turn a `nil` meant for an optional into null without a word.
extension JSONValue: ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}

extension JSONValue {
    public init(_ value: Int) { self = .int(Int64(value)) }
    public init(_ value: Double) { self = .double(value) }
    public init(_ value: String) { self = .string(value) }
    public init(_ value: Bool) { self = .bool(value) }
    /// The text, or null.
    public init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }
    public init(_ value: [JSONValue]) { self = .array(value) }
    public init(_ value: JSONObject) { self = .object(value) }
}

extension JSONValue: CustomStringConvertible {
    public var description: String { json(.init(escapesNonASCII: false)) }
}
