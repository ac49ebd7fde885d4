/// Writes Thrift's compact protocol, as far as Parquet's metadata needs it; ``ThriftReader`` reads it.
///
/// Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
struct ThriftWriter {
    private(set) var bytes: [UInt8] = []
    /// Number of the field before, of every open structure.
    private var lastFields: [Int] = []

    /// Writes the fields of a structure, whose numbers must rise.
    mutating func structure(_ fields: (inout ThriftWriter) -> Void) {
        lastFields.append(0)
        fields(&self)
        lastFields.removeLast()
        bytes.append(0)
    }

    mutating func field(_ id: Int, _ value: Int32) {
        header(id, .int32)
        zigzag(Int64(value))
    }

    mutating func field(_ id: Int, _ value: Int) {
        header(id, .int64)
        zigzag(Int64(value))
    }

    mutating func field(_ id: Int, _ value: Int8) {
        header(id, .int8)
        bytes.append(UInt8(bitPattern: value))
    }

    mutating func field(_ id: Int, _ value: Bool) { header(id, value ? .yes : .no) }

    mutating func field(_ id: Int, _ value: String) {
        header(id, .binary)
        string(value)
    }

    mutating func field(_ id: Int, _ fields: (inout ThriftWriter) -> Void) {
        header(id, .structure)
        structure(fields)
    }

    mutating func field<Element>(
        _ id: Int, list elements: [Element], of kind: ThriftReader.Kind,
        _ write: (inout ThriftWriter, Element) -> Void
    ) {
        header(id, .list)
        if elements.count < 15 {
            bytes.append(UInt8(elements.count) << 4 | kind.rawValue)
        } else {
            bytes.append(0xf0 | kind.rawValue)
            bytes.appendVarint(UInt64(elements.count))
        }
        for element in elements { write(&self, element) }
    }

    mutating func zigzag(_ value: Int64) {
        bytes.appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    mutating func string(_ text: String) {
        bytes.appendVarint(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func header(_ id: Int, _ kind: ThriftReader.Kind) {
        let delta = id - (lastFields.last ?? 0)
        if (1...15).contains(delta) {
            bytes.append(UInt8(delta) << 4 | kind.rawValue)
        } else {
            bytes.append(kind.rawValue)
            zigzag(Int64(id))
        }
        lastFields[lastFields.count - 1] = id
    }
}

extension [UInt8] {
    /// ULEB128.
    mutating func appendVarint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        append(UInt8(value))
    }

    mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
