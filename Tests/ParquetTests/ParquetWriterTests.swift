// Files that are written, read back here and by pyarrow, DuckDB, Polars and Python's datasets.
import Foundation
import OrderedJSON
import Parquet
import TestSupport
import Testing

struct ParquetWriterTests {
    /// Columns of every type, nested ones with nulls at each level.
    private static let columns = [
        ParquetField(name: "text", type: .string), ParquetField(name: "few", type: .string),
        ParquetField(name: "n8", type: .integer(bits: 8, isSigned: true)),
        ParquetField(name: "u32", type: .integer(bits: 32, isSigned: false)),
        ParquetField(name: "n64", type: .integer(bits: 64, isSigned: true)),
        ParquetField(name: "f32", type: .float(bits: 32)),
        ParquetField(name: "f64", type: .float(bits: 64)), ParquetField(name: "flag", type: .bool),
        ParquetField(name: "none", type: .null),
        ParquetField(name: "lists", type: .list(.list(.string))),
        ParquetField(
            name: "record",
            type: .structure([
                ParquetField(name: "a", type: .integer(bits: 16, isSigned: true)),
                ParquetField(name: "b", type: .list(.float(bits: 64))),
            ])),
    ]

    private static func texts(_ texts: [String?]) -> ParquetArray {
        var builder = PackedStringsBuilder()
        for text in texts {
            var text = text ?? ""
            text.withUTF8 { builder.append(UnsafeRawBufferPointer($0)) }
        }
        return ParquetArray(
            count: texts.count, values: .string(builder.finish(), positions: nil),
            isNull: texts.map { $0 == nil })
    }

    private static func list(_ lengths: [Int?], _ elements: ParquetArray) -> ParquetArray {
        var offsets = [0]
        for length in lengths { offsets.append((offsets.last ?? 0) + (length ?? 0)) }
        return ParquetArray(
            count: lengths.count, values: .list(offsets: offsets, elements),
            isNull: lengths.map { $0 == nil })
    }

    /// Rows `range` of a table without end.
    private static func arrays(_ range: Range<Int>) -> [ParquetArray] {
        let count = range.count
        let nulls = range.map { $0 % 11 == 3 }
        func array(_ values: ParquetArray.Values, _ isNull: [Bool]? = nil) -> ParquetArray {
            ParquetArray(count: count, values: values, isNull: isNull)
        }
        let inner = range.map { $0 % 5 == 0 ? nil : $0 % 4 }
        let elements = range.flatMap { row -> [Int?] in
            (0..<(row % 5 == 0 ? 0 : row % 4)).map { $0 == 2 ? nil : row % 3 }
        }
        let leaves = zip(
            range,
            range.map { row in
                (row % 5 == 0 ? [] : Array(0..<(row % 4))).filter { $0 != 2 }.count * (row % 3)
            }
        ).flatMap { row, count in (0..<count).map { "leaf \(row % 97) \($0)" as String? } }
        let numbers = range.flatMap { row in (0..<(row % 3)).map { Double(row * 10 + $0) / 7 } }
        return [
            texts(range.map { $0 % 11 == 3 ? nil : "text \($0 * 2_654_435_761 % 1_000_003) ü😀" }),
            texts(range.map { ["red", "", "bläulich"][$0 % 3] }),
            array(.integer(range.map { Int64($0 % 256 - 128) }), nulls),
            array(.integer(range.map { Int64($0) * 3_000_017 % (1 << 32) })),
            array(.integer(range.map { ($0 % 2 == 0 ? 1 : -1) * (Int64.max - Int64($0 / 2)) })),
            array(.float(range.map { Double(Float($0) / 3) })),
            array(.float(range.map { $0 % 50 == 0 ? -.infinity : Double($0 % 13) / 7 }), nulls),
            array(.bool(range.map { $0 % 3 == 0 }), nulls),
            array(.null),
            list(inner, list(elements, texts(leaves))),
            array(
                .structure([
                    ("a", array(.integer(range.map { Int64($0 % 1000) }), nulls)),
                    (
                        "b",
                        list(
                            range.map { $0 % 3 },
                            ParquetArray(
                                count: numbers.count, values: .float(numbers), isNull: nil))
                    ),
                ]), range.map { $0 % 17 == 4 }),
        ]
    }

    private func write(
        _ path: String, _ groups: [Range<Int>], _ compression: ParquetWriter.Compression
    ) throws {
        var bytes: [UInt8] = []
        let writer = try ParquetWriter(
            columns: Self.columns, keyValues: [("made by", "ParquetWriterTests")],
            compression: compression
        ) { bytes.append(contentsOf: $0) }
        for group in groups { try writer.write(rows: group.count, Self.arrays(group)) }
        try writer.finish()
        #expect(writer.byteCount == bytes.count)
        try Data(bytes).write(to: URL(filePath: path))
    }

    @Test(arguments: ParquetWriter.Compression.allCases)
    func `what is written reads back`(_ compression: ParquetWriter.Compression) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.url.appending(path: "a.parquet").path
        // The second group has pages that end between rows and a column too diverse for a dictionary.
        let groups = [0..<1, 1..<22_001, 22_001..<22_100]
        try write(path, groups, compression)
        let file = try ParquetFile(path: path)
        #expect(file.columns == Self.columns)
        #expect(file.rowGroups == groups.map(\.count))
        #expect(file.keyValues == ["made by": "ParquetWriterTests"])
        for (number, group) in groups.enumerated() {
            let expected = Self.arrays(group)
            for column in Self.columns.indices {
                let found = try file.read(column: column, rowGroup: number, rows: 0..<group.count)
                let isEqual = (0..<group.count).allSatisfy {
                    json(found, $0).json() == json(expected[column], $0).json()
                }
                #expect(isEqual, "column \(Self.columns[column].name), group \(number)")
            }
        }
    }

    @Test func `a file without rows keeps its columns`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.url.appending(path: "a.parquet").path
        try write(path, [], .snappy)
        let file = try ParquetFile(path: path)
        #expect(file.columns == Self.columns && file.rowCount == 0)
    }

    @Test func `types that can't be written are refused by name`() {
        let error = #expect(throws: ParquetError.self) {
            try ParquetWriter(columns: [ParquetField(name: "day", type: .list(.date))]) { _ in }
        }
        #expect(error?.problem == "values of the kind date can't be written")
        #expect(error?.column == "day")
    }

    @Test(
        .enabled(
            if: Repository.python != nil,
            "needs ST_HOST_PYTHON: a Python with pyarrow, DuckDB and Polars, as `make test` makes"),
        arguments: ParquetWriter.Compression.allCases)
    func `pyarrow, DuckDB, Polars and datasets read what is written`(
        _ compression: ParquetWriter.Compression
    ) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.url.appending(path: "a.parquet").path
        let groups = [0..<3000, 3000..<24_000]
        try write(path, groups, compression)
        var lines = ""
        for group in groups {
            let arrays = Self.arrays(group)
            for row in 0..<group.count {
                let object = JSONObject(
                    zip(Self.columns, arrays).map { ($0.name, json($1, row)) })
                lines += JSONValue.object(object).json() + "\n"
            }
        }
        let rows = folder.url.appending(path: "rows.jsonl")
        try lines.write(to: rows, atomically: true, encoding: .utf8)
        let script = Repository.root.appending(path: "Tests/ParquetTests/Python/read_back.py")
        var python = Subprocess(
            try #require(Repository.python), [script.path, path, rows.path], in: folder.url)
        python.limit = 300
        let outcome = try python.run()
        #expect(outcome.status == 0, "\(outcome.errors)")
    }
}
