/// Reads bytes in order and never past their end. The memory must outlive the reader.
struct ByteReader {
    let base: UnsafeRawPointer
    let end: Int
    private(set) var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; any valid one will do, as nothing is read.
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        end = bytes.count
    }

    var remaining: Int { end - offset }
    var pointer: UnsafeRawPointer { base + offset }
    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: remaining) }

    mutating func skip(_ count: Int) throws(Malformed) {
        guard count >= 0, count <= remaining else { throw .truncated }
        offset += count
    }

    mutating func take(_ count: Int) throws(Malformed) -> UnsafeRawBufferPointer {
        let start = pointer
        try skip(count)
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    mutating func byte() throws(Malformed) -> UInt8 {
        guard offset < end else { throw .truncated }
        defer { offset += 1 }
        return base.load(fromByteOffset: offset, as: UInt8.self)
    }

    mutating func uint32() throws(Malformed) -> UInt32 {
        guard remaining >= 4 else { throw .truncated }
        defer { offset += 4 }
        return UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// A length of four bytes that must fit what is left.
    mutating func length32() throws(Malformed) -> Int {
        let length = Int(try uint32())
        guard length <= remaining else { throw .truncated }
        return length
    }

    /// ULEB128.
    mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
            guard shift < 64 else { throw .damaged("a number is longer than 64 bits") }
        }
    }

    mutating func zigzag() throws(Malformed) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }
}
