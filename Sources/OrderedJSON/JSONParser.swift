// Reads JSON from UTF-8 bytes: one text for configuration files, a stream of values for JSON Lines.

/// What a parser accepts beside RFC 8259.
public struct JSONParsingOptions: Sendable {
    /// The tokens `NaN`, `Infinity` and `-Infinity`, which Python's json module writes.
    public var allowsNonFinite: Bool
    /// Arrays and objects within each other; deeper texts are refused before they exhaust the stack.
    public var maximumDepth: Int

    public init(allowsNonFinite: Bool = true, maximumDepth: Int = 512) {
        self.allowsNonFinite = allowsNonFinite
        self.maximumDepth = maximumDepth
    }
}

/// Reads JSON values one after the other from a buffer that must outlive the parser.
///
/// A text with one value goes through `JSONValue.parse`; JSON Lines loop over ``next()``, which
/// takes values separated by white space and counts lines over the whole buffer.
public struct JSONParser {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let options: JSONParsingOptions
    /// Offset in bytes of what is read next.
    public private(set) var offset: Int
    private var depth = 0
    /// A string with escapes is put together here.
    private var scratch: [UInt8] = []

    public init(utf8 bytes: UnsafeBufferPointer<UInt8>, options: JSONParsingOptions = .init()) {
        self.bytes = bytes
        self.options = options
        let hasByteOrderMark =
            bytes.count >= 3 && bytes[0] == 0xef && bytes[1] == 0xbb
            && bytes[2] == 0xbf
        offset = hasByteOrderMark ? 3 : 0
    }

    /// The next value, `nil` when only white space is left.
    public mutating func next() throws(JSONError) -> JSONValue? {
        skipWhiteSpace()
        return offset == bytes.count ? nil : try parseValue()
    }

    /// The byte that comes next after white space, `nil` at the end.
    public mutating func peek() -> UInt8? {
        skipWhiteSpace()
        return offset == bytes.count ? nil : bytes[offset]
    }

    /// Moves behind values that were read by other means.
    package mutating func advance(to offset: Int) {
        self.offset = min(max(offset, self.offset), bytes.count)
    }

    /// The only value of the text.
    mutating func parseOnlyValue() throws(JSONError) -> JSONValue {
        guard let value = try next() else {
            throw error(bytes.isEmpty ? "the text is empty" : "the text holds no value")
        }
        skipWhiteSpace()
        guard offset == bytes.count else {
            throw error("expected the end of the text, found \(found)")
        }
        return value
    }

    /// An error at a place of the text, by default where the parser stands.
    public func error(_ problem: String, at place: Int? = nil) -> JSONError {
        let place = min(max(place ?? offset, 0), bytes.count)
        var line = 1
        var column = 1
        for byte in bytes[..<place] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        if place >= 3, line == 1, bytes[0] == 0xef, bytes[1] == 0xbb, bytes[2] == 0xbf {
            column -= 1
        }
        return JSONError(line: line, column: column, offset: place, problem: problem)
    }
}

// MARK: - Values

extension JSONParser {
    /// Expects `offset` on the first byte of a value.
    private mutating func parseValue() throws(JSONError) -> JSONValue {
        guard offset < bytes.count else { throw error("expected a value, found \(found)") }
        switch bytes[offset] {
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "{"):
            return try nested { parser throws(JSONError) in
                try parser.parseObject()
            }
        case UInt8(ascii: "["):
            return try nested { parser throws(JSONError) in
                try parser.parseArray()
            }
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        case UInt8(ascii: "t"): return try parse("true", as: .bool(true))
        case UInt8(ascii: "f"): return try parse("false", as: .bool(false))
        case UInt8(ascii: "n"): return try parse("null", as: .null)
        case UInt8(ascii: "N") where options.allowsNonFinite:
            return try parse("NaN", as: .double(.nan))
        case UInt8(ascii: "I") where options.allowsNonFinite:
            return try parse("Infinity", as: .double(.infinity))
        default: throw error("expected a value, found \(found)")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONValue
    ) throws(JSONError) -> JSONValue {
        guard depth < options.maximumDepth else {
            throw error("nested more than \(options.maximumDepth) levels deep")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func parseObject() throws(JSONError) -> JSONValue {
        offset += 1
        var object = JSONObject()
        skipWhiteSpace()
        if take("}") { return .object(object) }
        while true {
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else {
                throw error("expected a key in double quotes, found \(found)")
            }
            let key = try parseString()
            skipWhiteSpace()
            guard take(":") else { throw error("expected ':' after the key, found \(found)") }
            skipWhiteSpace()
            object[key] = try parseValue()
            skipWhiteSpace()
            if take("}") { return .object(object) }
            guard take(",") else { throw error("expected ',' or '}', found \(found)") }
            skipWhiteSpace()
        }
    }

    private mutating func parseArray() throws(JSONError) -> JSONValue {
        offset += 1
        var values: [JSONValue] = []
        skipWhiteSpace()
        if take("]") { return .array(values) }
        while true {
            values.append(try parseValue())
            skipWhiteSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw error("expected ',' or ']', found \(found)") }
            skipWhiteSpace()
        }
    }

    private mutating func parse(
        _ word: StaticString, as value: JSONValue
    ) throws(JSONError) -> JSONValue {
        let end = offset + word.utf8CodeUnitCount
        guard end <= bytes.count,
            word.withUTF8Buffer({ $0.elementsEqual(bytes[offset..<end]) })
        else { throw error("expected a value, found \(found)") }
        offset = end
        return value
    }
}

// MARK: - Numbers

extension JSONParser {
    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = offset
        let isNegative = take("-")
        if isNegative, options.allowsNonFinite, offset < bytes.count,
            bytes[offset] == UInt8(ascii: "I")
        {
            return try parse("Infinity", as: .double(-.infinity))
        }
        // Up to 19 digits go into `digits`; with that and the power of ten most numbers are exact.
        var digits: UInt64 = 0
        var digitCount = 0
        var exponent = 0
        let integerStart = offset
        skipDigits(&digits, &digitCount)
        guard offset > integerStart else { throw error("expected a digit, found \(found)") }
        guard offset == integerStart + 1 || bytes[integerStart] != UInt8(ascii: "0") else {
            throw error("a number may not start with a zero", at: integerStart)
        }
        var isInteger = true
        if take(".") {
            isInteger = false
            let fractionStart = offset
            skipDigits(&digits, &digitCount)
            guard offset > fractionStart else { throw error("expected a digit, found \(found)") }
            exponent = fractionStart - offset
        }
        if take("e") || take("E") {
            isInteger = false
            let exponentIsNegative = take("-")
            if !exponentIsNegative { _ = take("+") }
            let exponentStart = offset
            var written: UInt64 = 0
            var writtenCount = 0
            skipDigits(&written, &writtenCount)
            guard offset > exponentStart else { throw error("expected a digit, found \(found)") }
            // Anything of this size is zero or infinity, whatever the digits are.
            let magnitude = writtenCount > 9 ? 1_000_000_000 : Int(written)
            exponent += exponentIsNegative ? -magnitude : magnitude
        }
        if isInteger, digitCount <= 19 {
            if !isNegative, let value = Int64(exactly: digits) { return .int(value) }
            if isNegative, digits <= UInt64(Int64.max) + 1 {
                return .int(0 &- Int64(bitPattern: digits))
            }
        }
        return .double(
            exactDouble(digits, digitCount, exponent, isNegative) ?? slowDouble(start..<offset))
    }

    /// Reads digits into `value`; `count` grows past 19 without them being kept.
    private mutating func skipDigits(_ value: inout UInt64, _ count: inout Int) {
        while offset < bytes.count {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            if count < 19 { value = value &* 10 &+ UInt64(digit) }
            if count > 0 || digit != 0 { count += 1 }
            offset += 1
        }
    }

    /// digits * 10^exponent where both are exact doubles, so that one rounding happens at most
    /// (Clinger 1990, doi:10.1145/93542.93557).
    private func exactDouble(
        _ digits: UInt64, _ count: Int, _ exponent: Int, _ isNegative: Bool
    ) -> Double? {
        guard count <= 19, digits <= 1 << 53, (-22...22).contains(exponent) else { return nil }
        let magnitude = Double(digits)
        let value =
            exponent < 0
            ? magnitude / powersOfTen[-exponent] : magnitude * powersOfTen[exponent]
        return isNegative ? -value : value
    }

    private func slowDouble(_ range: Range<Int>) -> Double {
        let text = String(decoding: bytes[range], as: UTF8.self)
        // The grammar has been checked, so the conversion can only round, also to infinity.
        return Double(text) ?? .nan
    }
}

private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
]

// MARK: - Strings

extension JSONParser {
    private mutating func parseString() throws(JSONError) -> String {
        let opening = offset
        offset += 1
        let start = offset
        skipPlainCharacters()
        guard offset < bytes.count else { throw error("the string has no end", at: opening) }
        if bytes[offset] == UInt8(ascii: "\"") {
            let text = try makeString(UnsafeBufferPointer(rebasing: bytes[start..<offset]), start)
            offset += 1
            return text
        }
        scratch.removeAll(keepingCapacity: true)
        scratch.append(contentsOf: bytes[start..<offset])
        while true {
            guard offset < bytes.count else { throw error("the string has no end", at: opening) }
            switch bytes[offset] {
            case UInt8(ascii: "\""):
                let collected = scratch
                let result = collected.withUnsafeBufferPointer { buffer in
                    Result { () throws(JSONError) in try makeString(buffer, start) }
                }
                offset += 1
                return try result.get()
            case UInt8(ascii: "\\"):
                try parseEscape()
            case 0x0a:
                throw error("the string does not end on its line")
            case let byte where byte < 0x20:
                throw error("a string may not hold the control character \(hexadecimal(byte))")
            default:
                let run = offset
                skipPlainCharacters()
                scratch.append(contentsOf: bytes[run..<offset])
            }
        }
    }

    /// Stops at a quote, a backslash, a control character or the end.
    private mutating func skipPlainCharacters() {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return }
            offset += 1
        }
    }

    private func makeString(
        _ buffer: UnsafeBufferPointer<UInt8>, _ start: Int
    ) throws(JSONError) -> String {
        guard let text = String(validating: buffer, as: UTF8.self) else {
            throw error("the string is not valid UTF-8", at: start)
        }
        return text
    }

    private mutating func parseEscape() throws(JSONError) {
        let start = offset
        offset += 1
        guard offset < bytes.count else { throw error("the string has no end", at: start) }
        let letter = bytes[offset]
        offset += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scratch.append(letter)
        case UInt8(ascii: "b"): scratch.append(0x08)
        case UInt8(ascii: "f"): scratch.append(0x0c)
        case UInt8(ascii: "n"): scratch.append(0x0a)
        case UInt8(ascii: "r"): scratch.append(0x0d)
        case UInt8(ascii: "t"): scratch.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try parseUnicodeEscape(start)
            scratch.append(contentsOf: scalar.utf8)
        default:
            offset -= 1
            throw error("unknown escape '\\' before \(found)", at: start)
        }
    }

    /// Expects `offset` after `\u`; joins surrogate pairs.
    private mutating func parseUnicodeEscape(_ start: Int) throws(JSONError) -> Unicode.Scalar {
        let unit = try parseFourHexDigits(start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        if unit < 0xdc00, offset + 1 < bytes.count, bytes[offset] == UInt8(ascii: "\\"),
            bytes[offset + 1] == UInt8(ascii: "u")
        {
            offset += 2
            let low = try parseFourHexDigits(start)
            if (0xdc00...0xdfff).contains(low),
                let scalar = Unicode.Scalar(
                    0x10000 + (UInt32(unit) - 0xd800) << 10 + UInt32(low) - 0xdc00)
            {
                return scalar
            }
        }
        throw error("half of a surrogate pair is no character", at: start)
    }

    private mutating func parseFourHexDigits(_ start: Int) throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard offset < bytes.count,
                let digit = Character(Unicode.Scalar(bytes[offset])).hexDigitValue
            else { throw error("expected four hexadecimal digits after '\\u'", at: start) }
            value = value << 4 | UInt16(digit)
            offset += 1
        }
        return value
    }
}

// MARK: - Bytes

extension JSONParser {
    private mutating func skipWhiteSpace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0a, 0x0d: offset += 1
            default: return
            }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    /// The character at `offset`, in words for an error message.
    private var found: String {
        guard offset < bytes.count else { return "the end of the text" }
        let byte = bytes[offset]
        if byte < 0x20 || byte == 0x7f { return "the control character \(hexadecimal(byte))" }
        if byte < 0x80 { return "'\(Unicode.Scalar(byte))'" }
        let end = min(offset + 4, bytes.count)
        let scalars = String(decoding: bytes[offset..<end], as: UTF8.self).unicodeScalars
        return scalars.first.map { "'\($0)'" } ?? hexadecimal(byte)
    }

    private func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return "U+00" + (digits.count < 2 ? "0" : "") + digits.uppercased()
    }
}
