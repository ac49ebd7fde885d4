/// The header of one page.
struct PageHeader {
    enum Kind {
        case data, dataV2, dictionary
        /// Index pages and kinds of later versions, which hold no values.
        case other
    }

    var kind: Kind = .other
    var uncompressedSize = 0
    var compressedSize = 0
    var valueCount = 0
    var encoding: Int32 = 0
    var definitionEncoding: Int32 = 3
    var repetitionEncoding: Int32 = 3
    /// Version 2: bytes of the levels, which are never compressed.
    var definitionLength = 0
    var repetitionLength = 0
    var isCompressed = true
    /// Version 2 alone.
    var rowCount: Int?

    /// Reads a header and moves the start of `bytes` behind it.
    init(_ bytes: inout UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ThriftReader(bytes)
        var type: Int32 = -1
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32): type = try reader.int32()
            case (2, .int32): uncompressedSize = Int(try reader.int32())
            case (3, .int32): compressedSize = Int(try reader.int32())
            case (5, .structure): try readData(&reader)
            case (7, .structure): try readDictionary(&reader)
            case (8, .structure): try readDataV2(&reader)
            default: return false
            }
            return true
        }
        switch type {
        case 0: self.kind = .data
        case 2: self.kind = .dictionary
        case 3: self.kind = .dataV2
        default: self.kind = .other
        }
        guard uncompressedSize >= 0, compressedSize >= 0, valueCount >= 0,
            definitionLength >= 0, repetitionLength >= 0, (rowCount ?? 0) >= 0
        else { throw .damaged("a size in the page header is negative") }
        bytes = reader.bytes.rest
        guard compressedSize <= bytes.count else { throw .truncated }
    }

    private mutating func readData(_ reader: inout ThriftReader) throws(Malformed) {
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32): valueCount = Int(try reader.int32())
            case (2, .int32): encoding = try reader.int32()
            case (3, .int32): definitionEncoding = try reader.int32()
            case (4, .int32): repetitionEncoding = try reader.int32()
            default: return false
            }
            return true
        }
    }

    private mutating func readDictionary(_ reader: inout ThriftReader) throws(Malformed) {
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32): valueCount = Int(try reader.int32())
            case (2, .int32): encoding = try reader.int32()
            default: return false
            }
            return true
        }
    }

    private mutating func readDataV2(_ reader: inout ThriftReader) throws(Malformed) {
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32): valueCount = Int(try reader.int32())
            case (3, .int32): rowCount = Int(try reader.int32())
            case (4, .int32): encoding = try reader.int32()
            case (5, .int32): definitionLength = Int(try reader.int32())
            case (6, .int32): repetitionLength = Int(try reader.int32())
            case (7, .no): isCompressed = false
            case (7, .yes): isCompressed = true
            default: return false
            }
            return true
        }
    }
}
