/// Thrift's compact protocol, as far as Parquet's metadata needs it.
///
/// Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
struct ThriftReader {
    enum Kind: UInt8 {
        case yes = 1
        case no = 2
        case int8 = 3
        case int16 = 4
        case int32 = 5
        case int64 = 6
        case double = 7
        case binary = 8
        case list = 9
        case set = 10
        case map = 11
        case structure = 12
        case uuid = 13
    }

    private(set) var bytes: ByteReader
    private var depth = 0
    private static let maximumDepth = 32

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = ByteReader(bytes) }

    /// Reads the fields of a structure. `field` gets number and kind of each; it answers false to
    /// have the value passed over.
    mutating func structure(
        _ field: (inout ThriftReader, Int, Kind) throws(Malformed) -> Bool
    ) throws(Malformed) {
        try deeper()
        defer { depth -= 1 }
        var id = 0
        while true {
            let header = try bytes.byte()
            if header == 0 { return }
            guard let kind = Kind(rawValue: header & 0x0f) else {
                throw .damaged("the metadata has a field of the unknown kind \(header & 0x0f)")
            }
            let delta = Int(header >> 4)
            if delta != 0 {
                id += delta
            } else {
                let number = try bytes.zigzag()
                guard let short = Int16(exactly: number) else {
                    throw .damaged("the metadata has a field number \(number)")
                }
                id = Int(short)
            }
            if try !field(&self, id, kind) { try skip(kind) }
        }
    }

    /// The elements of a list; `kind` is what they must be.
    mutating func list<Element>(
        of kind: Kind, _ element: (inout ThriftReader) throws(Malformed) -> Element
    ) throws(Malformed) -> [Element] {
        let (found, count) = try listHeader()
        guard found == kind || count == 0 else {
            throw .damaged("a list of the metadata holds values of the wrong kind")
        }
        var result: [Element] = []
        for _ in 0..<count { result.append(try element(&self)) }
        return result
    }

    mutating func int() throws(Malformed) -> Int { Int(try bytes.zigzag()) }

    mutating func int32() throws(Malformed) -> Int32 {
        let value = try bytes.zigzag()
        guard let result = Int32(exactly: value) else {
            throw .damaged("a number of the metadata is out of range")
        }
        return result
    }

    mutating func int8() throws(Malformed) -> Int8 { Int8(bitPattern: try bytes.byte()) }

    mutating func binary() throws(Malformed) -> UnsafeRawBufferPointer {
        let length = try bytes.varint()
        guard let count = Int(exactly: length) else { throw .truncated }
        return try bytes.take(count)
    }

    mutating func string() throws(Malformed) -> String {
        String(decoding: try binary(), as: UTF8.self)
    }

    mutating func skip(_ kind: Kind) throws(Malformed) {
        switch kind {
        case .yes, .no: break
        case .int8: try bytes.skip(1)
        case .int16, .int32, .int64: _ = try bytes.varint()
        case .double: try bytes.skip(8)
        case .uuid: try bytes.skip(16)
        case .binary: _ = try binary()
        case .structure:
            try structure { _, _, _ throws(Malformed) in
                false
            }
        case .list, .set:
            let (kind, count) = try listHeader()
            try deeper()
            for _ in 0..<count { try skipElement(kind) }
            depth -= 1
        case .map:
            let size = try bytes.varint()
            if size == 0 { return }
            guard size <= UInt64(bytes.remaining) else { throw .truncated }
            let kinds = try bytes.byte()
            guard let key = Kind(rawValue: kinds >> 4), let value = Kind(rawValue: kinds & 0x0f)
            else { throw .damaged("the metadata has a map of unknown kinds") }
            try deeper()
            for _ in 0..<size {
                try skipElement(key)
                try skipElement(value)
            }
            depth -= 1
        }
    }

    /// Booleans in lists take a byte, in fields none.
    private mutating func skipElement(_ kind: Kind) throws(Malformed) {
        if kind == .yes || kind == .no { try bytes.skip(1) } else { try skip(kind) }
    }

    /// Every element takes a byte at least, so a count beyond the bytes left is wrong.
    private mutating func listHeader() throws(Malformed) -> (Kind, Int) {
        let header = try bytes.byte()
        var count = UInt64(header >> 4)
        if count == 15 { count = try bytes.varint() }
        if count == 0 { return (.structure, 0) }
        guard count <= UInt64(bytes.remaining) else { throw .truncated }
        guard let kind = Kind(rawValue: header & 0x0f) else {
            throw .damaged("the metadata has a list of the unknown kind \(header & 0x0f)")
        }
        return (kind, Int(count))
    }

    private mutating func deeper() throws(Malformed) {
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw .damaged("the metadata is nested too deeply")
        }
    }
}
