/// Writes a Parquet file row group by row group: every field may be null, values are in
/// dictionaries where these pay and PLAIN elsewhere, in data pages of version 1, which every reader
/// knows.
///
/// The footer holds no statistics: filters of other programs read every row group.
/// Source: https://parquet.apache.org/docs/file-format/. Checked by `ParquetWriterTests` against
/// pyarrow, DuckDB and Polars.
public final class ParquetWriter {
    public enum Compression: String, Sendable, CaseIterable {
        case none, snappy, gzip, zstd

        var codec: Codec {
            switch self {
            case .none: .uncompressed
            case .snappy: .snappy
            case .gzip: .gzip
            case .zstd: .zstd
            }
        }
    }

    private let columns: [ParquetField]
    private let fields: [WrittenField]
    private let keyValues: [(key: String, value: String)]
    private let codec: Codec
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    /// Bytes written so far.
    public private(set) var byteCount = 0
    private var groups: [(chunks: [WrittenChunk], rows: Int)] = []

    /// - columns: their names, and types other than decimals, days, times, instants and those that
    ///   can't be read.
    /// - keyValues: the file's own metadata, such as `huggingface`.
    /// - sink: takes the bytes of the file in order.
    public init(
        columns: [ParquetField], keyValues: [(key: String, value: String)] = [],
        compression: Compression = .snappy,
        to sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        for column in columns {
            guard let kind = column.type.unwritableKind else { continue }
            throw ParquetError(
                path: "", column: column.name,
                problem: "values of the kind \(kind) can't be written")
        }
        self.columns = columns
        self.keyValues = keyValues
        fields = columns.map { WrittenField($0) }
        codec = compression.codec
        self.sink = sink
        try write(Self.magic)
    }

    private static let magic = Array("PAR1".utf8)

    /// Writes rows: an array a column, all of `rows` values of the column's type.
    public func write(rows: Int, _ arrays: [ParquetArray]) throws {
        guard arrays.count == fields.count, arrays.allSatisfy({ $0.count == rows }) else {
            throw ParquetError(path: "", problem: "columns of different length in a row group")
        }
        var chunks: [WrittenChunk] = []
        for (index, array) in arrays.enumerated() {
            do throws(Malformed) {
                try fields[index].append(array, 0..<rows) { _ in 0 }
            } catch {
                throw ParquetError(
                    path: "", column: columns[index].name, problem: error.problem, hint: error.hint)
            }
            for leaf in fields[index].leaves {
                let written: (bytes: [UInt8], chunk: WrittenChunk)
                do throws(Malformed) {
                    var writer = ColumnChunkWriter(leaf, codec: codec)
                    written = try writer.write(start: byteCount)
                } catch {
                    throw ParquetError(
                        path: "", column: columns[index].name, problem: error.problem,
                        hint: error.hint)
                }
                leaf.removeAll()
                try write(written.bytes)
                chunks.append(written.chunk)
            }
        }
        groups.append((chunks, rows))
    }

    /// Writes the footer; nothing can follow.
    public func finish() throws {
        var footer = ThriftWriter()
        footer.structure { metadata in
            metadata.field(1, Int32(2))
            metadata.field(2, list: schema, of: .structure) { $1(&$0) }
            metadata.field(3, groups.reduce(0) { $0 + $1.rows })
            metadata.field(4, list: groups, of: .structure) { writer, group in
                write(group.chunks, rows: group.rows, &writer)
            }
            if !keyValues.isEmpty {
                metadata.field(5, list: keyValues, of: .structure) { writer, pair in
                    writer.structure {
                        $0.field(1, pair.key)
                        $0.field(2, pair.value)
                    }
                }
            }
            metadata.field(6, "st-host")
        }
        var bytes = footer.bytes
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: footer.bytes.count))
        try write(bytes + Self.magic)
    }

    private func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes(sink)
        byteCount += bytes.count
    }

    private func write(_ chunks: [WrittenChunk], rows: Int, _ writer: inout ThriftWriter) {
        writer.structure { group in
            group.field(1, list: chunks, of: .structure) { writer, chunk in
                writer.structure { column in
                    column.field(2, 0)
                    column.field(3) { chunk.write(codec, &$0) }
                }
            }
            group.field(2, chunks.reduce(0) { $0 + $1.uncompressedSize })
            group.field(3, rows)
            group.field(5, chunks.first?.start ?? 0)
            group.field(6, chunks.reduce(0) { $0 + $1.compressedSize })
        }
    }

    // MARK: - Schema

    private typealias Element = (inout ThriftWriter) -> Void

    /// The schema in depth-first order.
    private var schema: [Element] {
        var elements: [Element] = [
            { writer in
                writer.structure {
                    $0.field(4, "schema")
                    $0.field(5, Int32(truncatingIfNeeded: self.columns.count))
                }
            }
        ]
        for column in columns { Self.append(column, to: &elements) }
        return elements
    }

    private static func append(_ field: ParquetField, to elements: inout [Element]) {
        switch field.type {
        case .list(let element):
            elements.append { writer in
                writer.structure {
                    $0.field(3, Int32(1))
                    $0.field(4, field.name)
                    $0.field(5, Int32(1))
                    $0.field(6, Int32(3))
                    $0.field(10) { $0.field(3) { _ in } }
                }
            }
            elements.append { writer in
                writer.structure {
                    $0.field(3, Int32(2))
                    $0.field(4, "list")
                    $0.field(5, Int32(1))
                }
            }
            append(ParquetField(name: "element", type: element), to: &elements)
        case .structure(let members):
            elements.append { writer in
                writer.structure {
                    $0.field(3, Int32(1))
                    $0.field(4, field.name)
                    $0.field(5, Int32(truncatingIfNeeded: members.count))
                }
            }
            for member in members { append(member, to: &elements) }
        default: elements.append { field.writeLeaf(&$0) }
        }
    }
}

extension WrittenChunk {
    fileprivate func write(_ codec: Codec, _ writer: inout ThriftWriter) {
        writer.field(1, type.rawValue)
        writer.field(2, list: encodings, of: .int32) { $0.zigzag(Int64($1.rawValue)) }
        writer.field(3, list: path, of: .binary) { $0.string($1) }
        writer.field(4, codec.rawValue)
        writer.field(5, valueCount)
        writer.field(6, uncompressedSize)
        writer.field(7, compressedSize)
        writer.field(9, start + (dictionarySize ?? 0))
        if dictionarySize != nil { writer.field(11, start) }
        writer.field(12) { $0.field(3, nullCount) }
    }
}

extension ParquetField {
    fileprivate func writeLeaf(_ writer: inout ThriftWriter) {
        writer.structure { element in
            element.field(1, type.physicalType.rawValue)
            if type == .float(bits: 16) { element.field(2, Int32(2)) }
            element.field(3, Int32(1))
            element.field(4, name)
            switch type {
            case .string:
                element.field(6, Int32(0))
                element.field(10) { $0.field(1) { _ in } }
            case .json:
                element.field(6, Int32(19))
                element.field(10) { $0.field(12) { _ in } }
            case .null: element.field(10) { $0.field(11) { _ in } }
            case .float(bits: 16): element.field(10) { $0.field(15) { _ in } }
            case .integer(let bits, let isSigned) where bits < 32 || !isSigned:
                let converted = (isSigned ? 15 : 11) + bits.trailingZeroBitCount - 3
                element.field(6, Int32(truncatingIfNeeded: converted))
                element.field(10) {
                    $0.field(10) {
                        $0.field(1, Int8(truncatingIfNeeded: bits))
                        $0.field(2, isSigned)
                    }
                }
            default: break
            }
        }
    }
}

extension ParquetType {
    /// How a value of this type is written.
    var physicalType: PhysicalType {
        switch self {
        case .bool: .boolean
        case .integer(let bits, _): bits == 64 ? .int64 : .int32
        case .float(bits: 16): .fixedLengthByteArray
        case .float(bits: 32): .float
        case .float: .double
        case .null: .int32
        default: .byteArray
        }
    }

    /// The first kind in it that can't be written.
    fileprivate var unwritableKind: String? {
        switch self {
        case .bool, .string, .json, .null: nil
        case .integer(let bits, _): [8, 16, 32, 64].contains(bits) ? nil : "int\(bits)"
        case .float(let bits): [16, 32, 64].contains(bits) ? nil : "float\(bits)"
        case .list(let element): element.unwritableKind
        case .structure(let fields):
            fields.isEmpty ? "empty structure" : fields.lazy.compactMap(\.type.unwritableKind).first
        case .decimal, .date, .time, .timestamp: "\(self)"
        case .unsupported(let name): name
        }
    }
}
