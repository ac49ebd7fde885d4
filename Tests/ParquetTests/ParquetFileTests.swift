// Files of pyarrow, DuckDB and Polars in every layout they write, read back equal to what Python
// has; and files that are damaged.
import Foundation
import OrderedJSON
import Parquet
import TestSupport
import Testing

/// Value `index` of an array as JSON.
func json(_ array: ParquetArray, _ index: Int) -> JSONValue {
    if array.isNull?[index] == true { return .null }
    switch array.values {
    case .bool(let values): return .bool(values[index])
    case .integer(let values): return .int(values[index])
    case .float(let values): return .double(values[index])
    case .string(let texts, let positions):
        return .string(texts[positions.map { Int($0[index]) } ?? index])
    case .list(let offsets, let elements):
        return .array((offsets[index]..<offsets[index + 1]).map { json(elements, $0) })
    case .structure(let members):
        return .object(JSONObject(members.map { ($0.name, json($0.values, index)) }))
    case .null: return .null
    }
}

/// A whole column, read in pieces of so many rows.
private func column(_ file: ParquetFile, _ number: Int, pieces: Int) throws -> [JSONValue] {
    var values: [JSONValue] = []
    for (group, rows) in file.rowGroups.enumerated() {
        for first in stride(from: 0, to: rows, by: pieces) {
            let array = try file.read(
                column: number, rowGroup: group, rows: first..<min(first + pieces, rows))
            values += (0..<array.count).map { json(array, $0) }
        }
    }
    return values
}

struct ParquetFileTests {
    @Test(
        .enabled(
            if: Repository.python != nil,
            "needs ST_HOST_PYTHON: a Python with pyarrow, DuckDB and Polars, as `make test` makes"))
    func `files of pyarrow, DuckDB and Polars read back equal to Python`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let script = Repository.root.appending(path: "Tests/ParquetTests/Python/write_matrix.py")
        var python = Subprocess(
            try #require(Repository.python), [script.path, folder.url.path], in: folder.url)
        python.limit = 600
        let outcome = try python.run()
        try #require(outcome.status == 0, "\(outcome.errors)")

        let lines = try String(
            contentsOf: folder.url.appending(path: "expected.jsonl"), encoding: .utf8
        )
        .split(separator: "\n")
        #expect(lines.count >= 500)
        for (number, line) in lines.enumerated() {
            let expected = try JSONValue.parse(String(line))
            let name = try #require(expected["file"]?.stringValue)
            let columns = try #require(expected["columns"]?.objectValue)
            let file = try ParquetFile(path: folder.url.appending(path: name).path)
            #expect(file.columns.map(\.name) == columns.keys, "\(name)")
            // Whole groups, and pieces whose ends fall inside of pages.
            let pieces = number % 2 == 0 ? 1 << 20 : 333
            for (place, field) in file.columns.enumerated() {
                let found = try column(file, place, pieces: pieces)
                // As text: NaN equals NaN there, and 1 is not 1.0.
                let isEqual =
                    JSONValue.array(found).json() == (columns[field.name] ?? .null).json()
                #expect(isEqual, "\(name): column \(field.name)")
            }
        }
    }

    @Test func `a column is read in any range of its rows`() throws {
        let file = try ParquetFile(path: golden("groups.parquet"))
        #expect(file.rowCount == 250)
        #expect(file.rowGroups == [100, 100, 50])
        #expect(file.columns.map(\.name) == ["text", "number", "list"])
        #expect(
            file.columns.map(\.type)
                == [.string, .integer(bits: 32, isSigned: true), .list(.string)])
        for range in [0..<0, 0..<1, 3..<3, 17..<64, 99..<100, 0..<100] {
            let texts = try file.read(column: 0, rowGroup: 1, rows: range)
            let lists = try file.read(column: 2, rowGroup: 1, rows: range)
            #expect(texts.count == range.count && lists.count == range.count)
            for (index, row) in range.enumerated() {
                let number = row + 100
                #expect(
                    json(texts, index) == (number % 7 == 3 ? .null : .string("text \(number)")))
                #expect(
                    json(lists, index)
                        == .array((0..<number % 4).map { .string("\(number)-\($0)") }))
            }
        }
    }

    @Test func `a file that is cut or no Parquet file is refused by name`() throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: golden("groups.parquet"))))
        func problem(_ bytes: [UInt8]) -> String {
            let error = #expect(throws: ParquetError.self) {
                try bytes.withUnsafeBytes { try ParquetFile(bytes: $0, path: "a.parquet") }
            }
            return error?.description ?? ""
        }
        #expect(
            problem(Array("hello, world!".utf8))
                == "'a.parquet': is not a Parquet file; check its name and format")
        #expect(
            problem(Array(bytes.dropLast()))
                == "'a.parquet': the file is cut off; the file is damaged; fetch or write it again")
        #expect(problem([]).hasPrefix("'a.parquet': is not a Parquet file"))
        #expect(
            problem(Array("PAR1".utf8) + [1, 2, 3, 4, 0xff, 0xff, 0xff, 0x7f] + Array("PAR1".utf8))
                .contains("the metadata of 2147483647 bytes is longer than the file"))
    }

    @Test func `every damage is an error or other values, never a crash`() throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: golden("groups.parquet"))))
        var refused = 0
        for place in bytes.indices {
            for change: UInt8 in [0xff, 0x01, 0x80] {
                var damaged = bytes
                damaged[place] ^= change
                do {
                    let file = try damaged.withUnsafeBytes { try ParquetFile(bytes: $0) }
                    for number in file.columns.indices where file.rowCount < 10_000 {
                        _ = try column(file, number, pieces: 60)
                    }
                } catch is ParquetError {
                    refused += 1
                }
            }
        }
        #expect(refused > bytes.count / 2)
    }

    private func golden(_ name: String) -> String {
        Repository.root.appending(path: "Tests/ParquetTests/Golden/\(name)").path
    }
}

struct PackedStringsTests {
    @Test func `texts come back, near and far ones`() {
        var builder = PackedStringsBuilder()
        var texts = (0..<100).map { String(repeating: "é", count: $0) }
        texts.append(String(repeating: "long ", count: 30_000))
        for text in texts {
            var text = text
            text.withUTF8 { builder.append(UnsafeRawBufferPointer($0)) }
        }
        let packed = builder.finish()
        #expect(packed.count == texts.count)
        #expect((0..<packed.count).map { packed[$0] } == texts)
        #expect(packed.byteCount == texts.reduce(0) { $0 + $1.utf8.count })
    }

    @Test func `UTF-8 is checked as Swift checks it`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...12, using: &generator)
            let bytes = (0..<length).map { _ in
                [
                    0x41, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xed, 0xa0, 0x9f, 0xf0, 0xf4, 0x8f, 0x90,
                    0xf5,
                ]
                .randomElement(using: &generator) ?? UInt8(0)
            }
            let valid = String(validating: bytes, as: UTF8.self) != nil
            #expect(bytes.withUnsafeBytes { isUTF8($0) } == valid, "\(bytes)")
        }
    }
}
