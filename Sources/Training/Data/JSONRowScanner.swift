import Glibc
import OrderedJSON

/// Reads rows of JSON Lines that have the keys of the rows before in their order, without making a
/// String of every key and text. What looks different is left to ``JSONParser``.
///
/// The file must be valid UTF-8.
struct JSONRowScanner {
    enum Field {
        /// A text without escapes: its place in the file.
        case text(Range<Int>)
        case value(JSONValue)
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let base: UnsafePointer<UInt8>
    /// The values of the row that was read last.
    private(set) var fields: [Field] = []

    private static let special = ByteSearch(
        UInt8(ascii: "\""), UInt8(ascii: "\\"), controlCharacters: true)

    /// - bytes: must outlive the scanner; not empty.
    init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let base = bytes.baseAddress else { return nil }
        self.bytes = bytes
        self.base = base
    }

    /// Reads the row that starts at `offset`, which must have these keys in this order.
    /// - Returns: the offset behind it; `nil` when it looks different.
    mutating func read(at offset: Int, keys: [[UInt8]]) -> Int? {
        fields.removeAll(keepingCapacity: true)
        var offset = offset
        guard take("{", &offset) else { return nil }
        for (place, key) in keys.enumerated() {
            if place > 0 {
                skipSpace(&offset)
                guard take(",", &offset) else { return nil }
            }
            skipSpace(&offset)
            guard take("\"", &offset), key.count < bytes.count - offset,
                key.withUnsafeBytes({ text in
                    text.baseAddress.map { memcmp($0, base + offset, text.count) == 0 } ?? true
                })
            else { return nil }
            offset += key.count
            guard take("\"", &offset) else { return nil }
            skipSpace(&offset)
            guard take(":", &offset) else { return nil }
            skipSpace(&offset)
            guard let field = field(&offset) else { return nil }
            fields.append(field)
        }
        skipSpace(&offset)
        return take("}", &offset) ? offset : nil
    }

    private func field(_ offset: inout Int) -> Field? {
        guard offset < bytes.count else { return nil }
        if base[offset] == UInt8(ascii: "\"") {
            let end = Self.special.next(base, offset + 1, bytes.count)
            if end < bytes.count, base[end] == UInt8(ascii: "\"") {
                defer { offset = end + 1 }
                return .text(offset + 1..<end)
            }
        }
        // A parser passes over a byte order mark at its start, where no value begins.
        guard base[offset] < 0x80 else { return nil }
        var parser = JSONParser(utf8: UnsafeBufferPointer(rebasing: bytes[offset...]))
        // A slip is found again, and placed, by the parser of the whole file.
        guard let value = try? parser.next() else { return nil }
        offset += parser.offset
        return .value(value)
    }

    @inline(__always)
    private func take(_ character: Unicode.Scalar, _ offset: inout Int) -> Bool {
        guard offset < bytes.count, base[offset] == UInt8(truncatingIfNeeded: character.value)
        else { return false }
        offset += 1
        return true
    }

    @inline(__always)
    private func skipSpace(_ offset: inout Int) {
        while offset < bytes.count, base[offset] == 0x20 || base[offset] == 0x09 { offset += 1 }
    }
}
