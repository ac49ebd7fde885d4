// Writes JSON as Python's json module does, so that files of either side compare equal.

/// How ``JSONValue/json(_:)`` writes; the defaults are those of Python's `json.dumps`.
public struct JSONWritingOptions: Sendable {
    /// Spaces per level; `nil` keeps everything on one line, 0 only breaks lines.
    public var indent: Int?
    /// Between an object's or array's elements; a line break follows where there is an indent.
    public var itemSeparator: String
    public var keySeparator: String
    /// Members by code points of their keys instead of as they stand.
    public var sortsKeys: Bool
    /// `\uXXXX` for everything but printable ASCII.
    public var escapesNonASCII: Bool
    /// `\/` for a slash, as pandas writes it.
    public var escapesSlashes = false
    /// null for NaN and infinities, which JSON does not have; otherwise Python's words for them.
    public var nonFiniteIsNull = false

    /// - itemSeparator: `nil` takes Python's, "," with an indent and ", " without.
    public init(
        indent: Int? = nil, itemSeparator: String? = nil, keySeparator: String = ": ",
        sortsKeys: Bool = false, escapesNonASCII: Bool = true
    ) {
        self.indent = indent
        self.itemSeparator = itemSeparator ?? (indent == nil ? ", " : ",")
        self.keySeparator = keySeparator
        self.sortsKeys = sortsKeys
        self.escapesNonASCII = escapesNonASCII
    }

    /// No white space at all.
    public static let compact = JSONWritingOptions(
        itemSeparator: ",", keySeparator: ":", escapesNonASCII: false)
}

/// Collects the bytes of a JSON text.
struct JSONWriter {
    let options: JSONWritingOptions
    private(set) var bytes: [UInt8] = []

    init(options: JSONWritingOptions) { self.options = options }

    mutating func write(_ value: JSONValue, depth: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .int(let value): append(String(value))
        case .double(let value): append(jsonNumber(value))
        case .string(let value): writeString(value)
        case .array(let values): writeArray(values, depth: depth)
        case .object(let object): writeObject(object, depth: depth)
        }
    }

    private mutating func writeArray(_ values: [JSONValue], depth: Int) {
        append("[")
        for (index, value) in values.enumerated() {
            if index > 0 { append(options.itemSeparator) }
            breakLine(depth + 1)
            write(value, depth: depth + 1)
        }
        if !values.isEmpty { breakLine(depth) }
        append("]")
    }

    private mutating func writeObject(_ object: JSONObject, depth: Int) {
        append("{")
        var positions = Array(object.indices)
        if options.sortsKeys {
            // UTF-8 sorts like code points; Swift's own order of strings is another one.
            positions.sort {
                object.keys[$0].utf8.lexicographicallyPrecedes(object.keys[$1].utf8)
            }
        }
        for (index, position) in positions.enumerated() {
            if index > 0 { append(options.itemSeparator) }
            breakLine(depth + 1)
            writeString(object.keys[position])
            append(options.keySeparator)
            write(object.values[position], depth: depth + 1)
        }
        if !positions.isEmpty { breakLine(depth) }
        append("}")
    }

    private mutating func breakLine(_ depth: Int) {
        guard let indent = options.indent else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(indent, 0) * depth))
    }

    private mutating func writeString(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var needsCare = false
        for byte in text.utf8 {
            needsCare =
                needsCare || byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
                || (byte >= 0x7f && options.escapesNonASCII)
                || (byte == UInt8(ascii: "/") && options.escapesSlashes)
        }
        if needsCare {
            for scalar in text.unicodeScalars { writeScalar(scalar) }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func writeScalar(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": append("\\\"")
        case "\\": append("\\\\")
        case "\n": append("\\n")
        case "\r": append("\\r")
        case "\t": append("\\t")
        case "\u{08}": append("\\b")
        case "\u{0c}": append("\\f")
        case "/" where options.escapesSlashes: append("\\/")
        case let scalar
        where scalar.value < 0x20 || (scalar.value >= 0x7f && options.escapesNonASCII):
            for unit in scalar.utf16 {
                let digits = String(unit, radix: 16)
                append("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits)
            }
        default: bytes.append(contentsOf: scalar.utf8)
        }
    }

    private func jsonNumber(_ value: Double) -> String {
        if !value.isFinite, options.nonFiniteIsNull { return "null" }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        return pythonRepr(value)
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}
