import OrderedJSON
import Parquet

/// Reads CSV and TSV: quoted fields may hold delimiters, line breaks and doubled quotes.
///
/// The type of a column follows all its values: integers, numbers, booleans, else text. Integers
/// beside nulls become floats, as in pandas; integers beyond 64 bits stay text.
struct CSVDatasetReader {
    var options = CSVOptions()

    /// Records may be shorter than the header, but a small file must not become a large table.
    private static let fieldsPerByte = 16

    /// Names and storage of the columns of several files with the same header.
    func read(_ paths: [String]) throws -> [(name: String, storage: ColumnStorage)] {
        var names: [String] = []
        var columns: [CSVColumn] = []
        for (index, path) in paths.enumerated() {
            let bytes = try DataFile.read(path)
            try bytes.withUnsafeBufferPointer { buffer in
                var scanner = CSVScanner(buffer, options: options, path: path)
                let header = try scanner.header()
                if index == 0 {
                    names = header
                    columns = header.map { _ in CSVColumn() }
                } else if !header.hasSameTexts(as: names) {
                    throw TrainingError.file(
                        path: path,
                        problem: "the columns are \(header.joined(separator: ", ")), those of "
                            + "'\(paths[0])' are \(names.joined(separator: ", "))",
                        hint: "give files with different columns to separate load_dataset calls")
                }
                try read(&scanner, into: columns, byteCount: buffer.count, path)
            }
        }
        return zip(names, columns).map { ($0, $1.finish(options)) }
    }

    private func read(
        _ scanner: inout CSVScanner, into columns: [CSVColumn], byteCount: Int, _ path: String
    ) throws {
        var records = 0
        while try scanner.nextRecord() {
            records += 1
            guard scanner.fieldCount <= columns.count else {
                throw TrainingError.file(
                    path: "\(path):\(scanner.recordLine)",
                    problem: "expected \(columns.count) fields, found \(scanner.fieldCount)",
                    hint: "put fields that hold the delimiter into quotes, or set delimiter")
            }
            guard records * columns.count <= Self.fieldsPerByte * byteCount + 1 << 20 else {
                throw TrainingError.file(
                    path: "\(path):\(scanner.recordLine)",
                    problem: "most of the \(columns.count) fields of the records are missing",
                    hint: "check the header and the delimiter")
            }
            for index in 0..<scanner.fieldCount {
                scanner.withField(index) { columns[index].append($0) }
            }
            for index in scanner.fieldCount..<columns.count {
                columns[index].append(UnsafeBufferPointer(start: nil, count: 0))
            }
        }
    }
}
