// The structures of Parquet's metadata that the reader uses, as they lie in a file.
// Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift

enum PhysicalType: Int32, Sendable {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    case int96 = 3
    case float = 4
    case double = 5
    case byteArray = 6
    case fixedLengthByteArray = 7
}

enum Encoding: Int32, Sendable {
    case plain = 0
    case plainDictionary = 2
    case rle = 3
    case bitPacked = 4
    case deltaBinaryPacked = 5
    case deltaLengthByteArray = 6
    case deltaByteArray = 7
    case rleDictionary = 8
    case byteStreamSplit = 9
}

enum Codec: Int32, Sendable {
    case uncompressed = 0
    case snappy = 1
    case gzip = 2
    case lzo = 3
    case brotli = 4
    case lz4 = 5
    case zstd = 6
    case lz4Raw = 7
}

/// What the bits of a value mean; converted types of old files are turned into these.
enum LogicalType: Sendable, Equatable {
    enum Unit: Sendable { case milliseconds, microseconds, nanoseconds }
    case string, enumeration, json, bson, uuid, list, map, date, null, float16, interval
    case decimal(scale: Int, precision: Int)
    case time(Unit)
    case timestamp(Unit)
    case integer(bits: Int, isSigned: Bool)
    case other
}

struct SchemaElement: Sendable {
    var type: PhysicalType?
    var typeLength = 0
    /// 0 required, 1 optional, 2 repeated.
    var repetition: Int32 = 0
    var name = ""
    var childCount = 0
    var logicalType: LogicalType?
}

struct ColumnChunk: Sendable {
    var type: PhysicalType = .boolean
    var codec: Codec = .uncompressed
    var valueCount = 0
    /// Bytes of all pages, headers included.
    var compressedSize = 0
    var dataPageOffset = 0
    var dictionaryPageOffset: Int?
    var isElsewhere = false
    var isEncrypted = false
}

struct RowGroup: Sendable {
    var columns: [ColumnChunk] = []
    var rowCount = 0
}

struct FileMetadata: Sendable {
    var schema: [SchemaElement] = []
    var rowCount = 0
    var rowGroups: [RowGroup] = []
    var keyValues: [(key: String, value: String)] = []

    init(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
        var reader = ThriftReader(bytes)
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (2, .list):
                schema = try reader.list(of: .structure) { reader throws(Malformed) in
                    try SchemaElement(&reader)
                }
            case (3, .int64): rowCount = try reader.int()
            case (4, .list):
                rowGroups = try reader.list(of: .structure) { reader throws(Malformed) in
                    try RowGroup(&reader)
                }
            case (5, .list):
                keyValues = try reader.list(of: .structure) { reader throws(Malformed) in
                    var pair = (key: "", value: "")
                    try reader.structure { reader, id, kind throws(Malformed) in
                        switch (id, kind) {
                        case (1, .binary): pair.key = try reader.string()
                        case (2, .binary): pair.value = try reader.string()
                        default: return false
                        }
                        return true
                    }
                    return pair
                }
            default: return false
            }
            return true
        }
    }
}

extension RowGroup {
    init(_ reader: inout ThriftReader) throws(Malformed) {
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .list):
                columns = try reader.list(of: .structure) { reader throws(Malformed) in
                    try ColumnChunk(&reader)
                }
            case (3, .int64): rowCount = try reader.int()
            default: return false
            }
            return true
        }
        guard !columns.isEmpty else { throw .damaged("a row group has no columns") }
        guard rowCount >= 0 else { throw .damaged("a row group has \(rowCount) rows") }
    }
}

extension ColumnChunk {
    init(_ reader: inout ThriftReader) throws(Malformed) {
        var isComplete = false
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .binary): isElsewhere = try !reader.binary().isEmpty
            case (3, .structure):
                try readMetadata(&reader)
                isComplete = true
            case (8, .structure):
                isEncrypted = true
                return false
            case (9, .binary):
                isEncrypted = true
                return false
            default: return false
            }
            return true
        }
        guard isComplete || isElsewhere || isEncrypted else {
            throw .damaged("a column chunk has no metadata")
        }
    }

    private mutating func readMetadata(_ reader: inout ThriftReader) throws(Malformed) {
        var dictionaryOffset: Int?
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32): type = try Self.member(reader.int32(), "type of values")
            case (4, .int32): codec = try Self.member(reader.int32(), "codec")
            case (5, .int64): valueCount = try reader.int()
            case (7, .int64): compressedSize = try reader.int()
            case (9, .int64): dataPageOffset = try reader.int()
            case (11, .int64): dictionaryOffset = try reader.int()
            default: return false
            }
            return true
        }
        dictionaryPageOffset = dictionaryOffset
    }

    private static func member<Value: RawRepresentable<Int32>>(
        _ number: Int32, _ what: String
    ) throws(Malformed) -> Value {
        guard let value = Value(rawValue: number) else {
            throw .unsupported(
                "unknown \(what) \(number)", "write the file with a codec and types of Parquet 2")
        }
        return value
    }
}

extension SchemaElement {
    init(_ reader: inout ThriftReader) throws(Malformed) {
        var converted: Int32?
        var scale = 0
        var precision = 0
        try reader.structure { reader, id, kind throws(Malformed) in
            switch (id, kind) {
            case (1, .int32):
                let number = try reader.int32()
                guard let known = PhysicalType(rawValue: number) else {
                    throw .damaged("unknown type of values \(number)")
                }
                type = known
            case (2, .int32): typeLength = Int(try reader.int32())
            case (3, .int32): repetition = try reader.int32()
            case (4, .binary): name = try reader.string()
            case (5, .int32): childCount = Int(try reader.int32())
            case (6, .int32): converted = try reader.int32()
            case (7, .int32): scale = Int(try reader.int32())
            case (8, .int32): precision = Int(try reader.int32())
            case (10, .structure): logicalType = try LogicalType(&reader)
            default: return false
            }
            return true
        }
        guard (0...2).contains(repetition) else {
            throw .damaged("field '\(name)' has the unknown repetition \(repetition)")
        }
        if logicalType == nil, let converted {
            logicalType = LogicalType(converted: converted, scale: scale, precision: precision)
        }
    }
}

extension LogicalType {
    init(converted: Int32, scale: Int, precision: Int) {
        switch converted {
        case 0: self = .string
        case 1, 2: self = .map
        case 3: self = .list
        case 4: self = .enumeration
        case 5: self = .decimal(scale: scale, precision: precision)
        case 6: self = .date
        case 7: self = .time(.milliseconds)
        case 8: self = .time(.microseconds)
        case 9: self = .timestamp(.milliseconds)
        case 10: self = .timestamp(.microseconds)
        case 11...14: self = .integer(bits: 8 << Int(converted - 11), isSigned: false)
        case 15...18: self = .integer(bits: 8 << Int(converted - 15), isSigned: true)
        case 19: self = .json
        case 20: self = .bson
        case 21: self = .interval
        default: self = .other
        }
    }

    init(_ reader: inout ThriftReader) throws(Malformed) {
        self = .other
        try reader.structure { reader, id, kind throws(Malformed) in
            guard kind == .structure else { return false }
            switch id {
            case 1: self = .string
            case 2: self = .map
            case 3: self = .list
            case 4: self = .enumeration
            case 5:
                var scale = 0
                var precision = 0
                try reader.structure { reader, id, kind throws(Malformed) in
                    switch (id, kind) {
                    case (1, .int32): scale = Int(try reader.int32())
                    case (2, .int32): precision = Int(try reader.int32())
                    default: return false
                    }
                    return true
                }
                self = .decimal(scale: scale, precision: precision)
                return true
            case 6: self = .date
            case 7:
                self = .time(try Self.unit(&reader))
                return true
            case 8:
                self = .timestamp(try Self.unit(&reader))
                return true
            case 10:
                var bits = 0
                var isSigned = false
                try reader.structure { reader, id, kind throws(Malformed) in
                    switch (id, kind) {
                    case (1, .int8): bits = Int(try reader.int8())
                    case (2, .yes): isSigned = true
                    case (2, .no): isSigned = false
                    default: return false
                    }
                    return true
                }
                self = .integer(bits: bits, isSigned: isSigned)
                return true
            case 11: self = .null
            case 12: self = .json
            case 13: self = .bson
            case 14: self = .uuid
            case 15: self = .float16
            default: self = .other
            }
            return false
        }
    }

    private static func unit(_ reader: inout ThriftReader) throws(Malformed) -> Unit {
        var unit = Unit.microseconds
        try reader.structure { reader, id, kind throws(Malformed) in
            guard id == 2, kind == .structure else { return false }
            try reader.structure { _, id, _ throws(Malformed) in
                unit = id == 1 ? .milliseconds : id == 3 ? .nanoseconds : .microseconds
                return false
            }
            return true
        }
        return unit
    }
}
