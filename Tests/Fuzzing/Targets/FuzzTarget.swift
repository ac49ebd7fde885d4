// What fuzzing calls: each reader of files from strangers, given any bytes, must return or throw.
// Used by FuzzTests, and by the driver that scripts/dev/fuzz.sh builds with libFuzzer.
import Foundation
import Parquet
import Training

package enum FuzzTarget: String, CaseIterable, Sendable {
    case parquet, csv, json, safetensors, tokenizer

    /// Reads the bytes as a file of this kind and uses all that came out.
    /// - folder: where files can be put; nothing else uses it at the same time.
    /// - Returns: whether the bytes were taken for a good file.
    @discardableResult
    package func run(_ bytes: UnsafeRawBufferPointer, folder: String) -> Bool {
        do {
            switch self {
            case .parquet: try Self.readParquet(bytes)
            case .csv:
                try? Self.readDataset(.csv(Self.specialCSV), bytes, folder)
                try Self.readDataset(.csv(), bytes, folder)
            case .json: try Self.readDataset(.json(), bytes, folder)
            case .safetensors: try Self.readTensors(bytes, folder)
            case .tokenizer: try Self.readTokenizer(bytes, folder)
            }
            return true
        } catch {
            // The sentence is part of what must work.
            _ = "\(error)"
            return false
        }
    }

    /// Options with which every branch of the tokenizer can be reached.
    private static let specialCSV: CSVOptions = {
        var options = CSVOptions()
        options.doublesQuotes = false
        options.escape = UInt8(ascii: "\\")
        options.comment = UInt8(ascii: "#")
        options.skipsInitialSpace = true
        options.skipsBlankLines = false
        options.skippedLines = 1
        options.header = .none
        return options
    }()

    private static func readParquet(_ bytes: UnsafeRawBufferPointer) throws {
        let file = try ParquetFile(bytes: bytes)
        for (group, rows) in file.rowGroups.enumerated() {
            for column in file.columns.indices {
                // A file of few bytes may have millions of rows, of which scripts ask for some.
                let ends = [0..<min(rows, 5000), max(0, rows - 1000)..<rows]
                for range in rows > 6000 ? ends : [0..<rows] {
                    // A damaged column leaves the others readable.
                    guard let array = try? file.read(column: column, rowGroup: group, rows: range)
                    else { continue }
                    guard array.count == range.count else { Broken.stop("rows are missing") }
                    for row in 0..<array.count { touch(array, row) }
                }
            }
        }
    }

    /// Uses a value: an index out of range shows here. What is null has no value.
    private static func touch(_ array: ParquetArray, _ row: Int) {
        if array.isNull?[row] == true { return }
        switch array.values {
        case .bool(let values): _ = values[row]
        case .integer(let values): _ = values[row]
        case .float(let values): _ = values[row]
        case .string(let texts, let positions):
            texts.withBytes(positions.map { Int($0[row]) } ?? row) {
                guard String(validating: $0, as: UTF8.self) != nil else {
                    Broken.stop("a text that is not UTF-8")
                }
            }
        case .list(let offsets, let elements):
            for element in offsets[row]..<offsets[row + 1] { touch(elements, element) }
        case .structure(let members): for member in members { touch(member.values, row) }
        case .null: break
        }
    }

    private static func readDataset(
        _ format: DatasetFormat, _ bytes: UnsafeRawBufferPointer, _ folder: String
    ) throws {
        let path = try write(bytes, folder, "data")
        let dataset = try loadDataset(format, dataFiles: [("train", [path])], split: "train")
        _ = dataset.features.map(\.type.description)
        for row in 0..<min(dataset.numRows, 300) { _ = try dataset.row(row) }
        for name in dataset.columnNames.prefix(300) {
            let column = try dataset.requireColumn(name)
            for row in stride(from: 0, to: column.count, by: max(1, column.count / 1000)) {
                _ = column.value(at: row)
            }
        }
    }

    private static func readTensors(_ bytes: UnsafeRawBufferPointer, _ folder: String) throws {
        let file = try SafetensorsFile(path: try write(bytes, folder, "model.safetensors"))
        for tensor in file.tensors where tensor.count <= bytes.count {
            withUnsafeTemporaryAllocation(of: Float.self, capacity: max(tensor.count, 1)) {
                if let first = $0.baseAddress { file.decode(tensor, into: first) }
            }
        }
    }

    private static func readTokenizer(_ bytes: UnsafeRawBufferPointer, _ folder: String) throws {
        _ = try write(bytes, folder, "tokenizer.json")
        let tokenizer = try WordPieceTokenizer(folder: folder)
        for text in ["", "A big cat, [MASK] naïve 日本語 \u{301}😀", "[CLS][SEP]##ing\0"] {
            _ = tokenizer.encode(text, maxLength: 16)
        }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, _ folder: String, _ name: String
    ) throws -> String {
        let path = folder + "/" + name
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { Broken.stop("'\(path)' can't be written") }
        defer { close(file) }
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(file, start, rest.count)
            guard count > 0 else { Broken.stop("'\(path)' can't be written") }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return path
    }
}

/// A promise that a reader broke: ends the program, as fuzzers want it.
private enum Broken {
    static func stop(_ problem: String) -> Never { fatalError(problem) }
}
