/// A Parquet file: START HERE. Opening reads the footer; columns are read when asked for, and of
/// them the pages that hold the rows asked for.
///
/// Nothing a file says is believed: a file that is cut, damaged or made to mislead gives a
/// ``ParquetError``, and memory stays in proportion to the file and to the rows read. The file is
/// mapped, so it must not be shortened while it is open.
/// Source: https://parquet.apache.org/docs/file-format/. Checked by `ParquetFileTests` against
/// pyarrow, DuckDB and Polars.
public final class ParquetFile: Sendable {
    public let path: String
    /// Top-level columns in order.
    public let columns: [ParquetField]
    public let rowCount: Int
    /// Rows of each row group.
    public let rowGroups: [Int]
    /// Key-value metadata, such as `huggingface` of Python's datasets.
    public let keyValues: [String: String]

    private let contents: MappedBytes
    private let nodes: [SchemaNode]
    private let groups: [RowGroup]

    /// So many rows of no bytes can be claimed by a byte of file at most; see `maximumRows`.
    private static let rowsPerByte = 1 << 14
    private static let minimumRowLimit = 1 << 22

    public convenience init(path: String) throws(ParquetError) {
        try self.init(path: path, contents: try MappedBytes(path: path))
    }

    /// A file in memory, named `path` in errors.
    public convenience init(
        bytes: UnsafeRawBufferPointer, path: String = "memory"
    ) throws(ParquetError) {
        try self.init(path: path, contents: try MappedBytes(contents: bytes))
    }

    private init(path: String, contents: MappedBytes) throws(ParquetError) {
        self.path = path
        self.contents = contents
        do throws(Malformed) {
            let metadata = try FileMetadata(try Self.footer(contents.bytes))
            nodes = try SchemaNode.fields(metadata.schema)
            columns = nodes.map { ParquetField(name: $0.name, type: $0.type) }
            groups = metadata.rowGroups
            let leafCount = nodes.last?.leaves.upperBound ?? 0
            let limit = max(Self.minimumRowLimit, contents.bytes.count * Self.rowsPerByte)
            var total = 0
            for group in groups {
                guard group.columns.count == leafCount else {
                    throw .damaged(
                        "a row group has \(group.columns.count) columns, the schema \(leafCount)")
                }
                guard group.rowCount <= limit - total else {
                    throw .damaged(
                        "more than \(limit) rows in a file of \(contents.bytes.count) bytes")
                }
                total += group.rowCount
            }
            rowCount = total
            rowGroups = groups.map(\.rowCount)
            keyValues = Dictionary(metadata.keyValues, uniquingKeysWith: { first, _ in first })
        } catch {
            throw ParquetError(path: path, problem: error.problem, hint: error.hint)
        }
    }

    private static func footer(
        _ bytes: UnsafeRawBufferPointer
    ) throws(Malformed) -> UnsafeRawBufferPointer {
        let magic = Array("PAR1".utf8)
        guard bytes.count >= 12, bytes.prefix(4).elementsEqual(magic) else {
            if bytes.prefix(4).elementsEqual("PARE".utf8) {
                throw .unsupported("the file is encrypted", "write it without encryption")
            }
            throw Malformed("is not a Parquet file", hint: "check its name and format")
        }
        guard bytes.suffix(4).elementsEqual(magic) else {
            if bytes.suffix(4).elementsEqual("PARE".utf8) {
                throw .unsupported("the file is encrypted", "write it without encryption")
            }
            throw .damaged("the file is cut off")
        }
        let length = Int(
            UInt32(
                littleEndian: bytes.loadUnaligned(
                    fromByteOffset: bytes.count - 8, as: UInt32.self)))
        guard length <= bytes.count - 12 else {
            throw .damaged("the metadata of \(length) bytes is longer than the file")
        }
        return UnsafeRawBufferPointer(
            rebasing: bytes[(bytes.count - 8 - length)..<(bytes.count - 8)])
    }

    /// The values of a column in some rows of a row group; rows count from the group's first.
    public func read(
        column: Int, rowGroup: Int, rows: Range<Int>
    ) throws(ParquetError) -> ParquetArray {
        guard nodes.indices.contains(column), groups.indices.contains(rowGroup),
            rows.lowerBound >= 0, rows.upperBound <= groups[rowGroup].rowCount
        else {
            throw ParquetError(path: path, problem: "there is no such column or row")
        }
        do throws(Malformed) {
            return try read(nodes[column], groups[rowGroup], rows)
        } catch {
            throw ParquetError(
                path: path, column: columns[column].name, page: error.page,
                problem: error.problem, hint: error.hint)
        }
    }

    private func read(
        _ node: SchemaNode, _ group: RowGroup, _ rows: Range<Int>
    ) throws(Malformed) -> ParquetArray {
        if let name = node.type.unsupportedKind {
            throw .unsupported(
                "values of the kind \(name) can't be read", "leave the column out")
        }
        if node.isLeaf, !node.isRepeated {
            let content = try leaf(node, group, rows)
            let first = content.firstRow
            if node.type == .null {
                return ParquetArray(count: rows.count, values: .null, isNull: nil)
            }
            let isThere = content.isThere
            return try content.values.finish(isThere: isThere)
                .slice(rows.lowerBound - first..<rows.upperBound - first)
        }
        // All leaves are read from their first row on, so that their rows agree.
        var levels: [Int: (definitions: [UInt8], repetitions: [UInt8], count: Int)] = [:]
        var values: [Int: ParquetArray] = [:]
        var outerElements: [Int: [Int]] = [:]
        try forEachLeaf(node, [0]) { leaf, outer throws(Malformed) in
            let content = try self.leaf(leaf, group, 0..<rows.upperBound)
            let number = leaf.leaves.lowerBound
            // One level of nulls alone is kept as flags.
            let definitions =
                content.isThere.map { $0.map { $0 ? 1 : 0 } } ?? content.definitions
            let repetitions = content.repetitions
            let dense = try content.values.finish(isThere: nil)
            let count = max(definitions.count, repetitions.count, dense.count)
            let full =
                definitions.isEmpty && leaf.definition > 0
                ? [UInt8](repeating: UInt8(truncatingIfNeeded: leaf.definition), count: count)
                : definitions
            levels[number] = Self.cut(full, repetitions, count, rows: rows.upperBound)
            values[number] = dense
            outerElements[number] = outer
            let cut = levels[number]?.count ?? 0
            if cut < count {
                let present =
                    leaf.definition == 0
                    ? cut : full[..<cut].count { Int($0) == leaf.definition }
                values[number] = dense.slice(0..<present)
            }
        }
        let assembler = Assembler(levels: levels, values: values, outerElements: outerElements)
        let array = try assembler.field(node)
        guard array.count == rows.upperBound else {
            throw .damaged("\(array.count) rows instead of \(rows.upperBound)")
        }
        return array.slice(rows)
    }

    /// The levels of the first rows.
    private static func cut(
        _ definitions: [UInt8], _ repetitions: [UInt8], _ count: Int, rows: Int
    ) -> (definitions: [UInt8], repetitions: [UInt8], count: Int) {
        var end = count
        if repetitions.isEmpty {
            end = min(rows, count)
        } else {
            var seen = 0
            for (index, level) in repetitions.enumerated() where level == 0 {
                if seen == rows {
                    end = index
                    break
                }
                seen += 1
            }
        }
        if end == count { return (definitions, repetitions, count) }
        return (Array(definitions.prefix(end)), Array(repetitions.prefix(end)), end)
    }

    private func forEachLeaf(
        _ node: SchemaNode, _ outer: [Int],
        _ body: (SchemaNode, [Int]) throws(Malformed) -> Void
    ) throws(Malformed) {
        let outer = node.isRepeated ? outer + [node.definition] : outer
        if node.isLeaf { return try body(node, outer) }
        for child in node.children { try forEachLeaf(child, outer, body) }
    }

    private func leaf(
        _ node: SchemaNode, _ group: RowGroup, _ rows: Range<Int>
    ) throws(Malformed) -> LeafDecoder.Content {
        let chunk = group.columns[node.leaves.lowerBound]
        if chunk.isElsewhere {
            throw .unsupported("the values are in another file", "write one whole file")
        }
        if chunk.isEncrypted {
            throw .unsupported("the values are encrypted", "write the file without encryption")
        }
        guard let type = node.element.type, chunk.type == type else {
            throw .damaged("a column chunk is of another type than the schema says")
        }
        let bytes = contents.bytes
        // Files of some writers give the dictionary's offset as 0 where there is none.
        var start = chunk.dataPageOffset
        if let dictionary = chunk.dictionaryPageOffset, dictionary > 0, dictionary < start {
            start = dictionary
        }
        guard start >= 4, chunk.compressedSize >= 0, start <= bytes.count,
            chunk.compressedSize <= bytes.count - start, let base = bytes.baseAddress
        else { throw .damaged("a column chunk lies outside of the file") }
        let limit = max(Self.minimumRowLimit, bytes.count * Self.rowsPerByte)
        guard chunk.valueCount >= 0, chunk.valueCount <= limit else {
            throw .damaged("\(chunk.valueCount) values in a file of \(bytes.count) bytes")
        }
        var decoder = LeafDecoder(
            node: node, type: type, target: node.scalarType, codec: chunk.codec,
            chunk: UnsafeRawBufferPointer(start: base + start, count: chunk.compressedSize),
            fileEnd: base + bytes.count)
        return try decoder.read(
            rows: rows, rowCount: group.rowCount, valueCount: chunk.valueCount)
    }
}

extension ParquetType {
    /// The first kind in it that can't be read.
    var unsupportedKind: String? {
        switch self {
        case .unsupported(let name): name
        case .list(let element): element.unsupportedKind
        case .structure(let fields): fields.lazy.compactMap(\.type.unsupportedKind).first
        default: nil
        }
    }
}
