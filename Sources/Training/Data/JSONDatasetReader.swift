import OrderedJSON
import Parquet

/// Reads JSON Lines, JSON arrays and single JSON objects into columns.
struct JSONDatasetReader {
    /// The member of the file's object that holds the rows.
    var field: String?

    /// Adds the rows of one file.
    func read(_ path: String, into builder: inout RowBuilder) throws {
        let bytes = try DataFile.read(path)
        do {
            try bytes.withUnsafeBufferPointer { try read($0, path, into: &builder) }
        } catch let error as JSONError {
            throw TrainingError.file(
                path: "\(path):\(error.line)",
                problem: "not valid JSON: \(error.problem) (column \(error.column))",
                hint: "a JSON Lines file holds one object per line")
        }
    }

    private func read(
        _ bytes: UnsafeBufferPointer<UInt8>, _ path: String, into builder: inout RowBuilder
    ) throws {
        var parser = JSONParser(utf8: bytes)
        if let field {
            guard let file = try parser.next() else { throw Self.empty(path) }
            guard let rows = file[field] else {
                let known = file.objectValue?.keys.map { "'\($0)'" }.joined(separator: ", ")
                throw TrainingError.file(
                    path: path, problem: "there is no field '\(field)'",
                    hint: known.map { "the file's fields are \($0)" }
                        ?? "the file holds \(file.kind)")
            }
            try append(rows, path, into: &builder)
            return
        }
        guard let first = parser.peek() else { throw Self.empty(path) }
        if first == UInt8(ascii: "[") {
            if let rows = try parser.next() { try append(rows, path, into: &builder) }
            if parser.peek() != nil { throw parser.error("expected the end of the file") }
            return
        }
        var scanner =
            isUTF8(UnsafeRawBufferPointer(bytes)) ? JSONRowScanner(bytes) : nil
        while parser.peek() != nil {
            let start = parser.offset
            if builder.count > 0, let end = scanner?.read(at: start, keys: builder.keys) {
                builder.append(scanner?.fields ?? [], bytes)
                parser.advance(to: end)
                continue
            }
            guard let value = try parser.next() else { break }
            guard let row = value.objectValue else {
                let place = parser.error("", at: start)
                throw TrainingError.file(
                    path: "\(path):\(place.line)",
                    problem: "expected an object, found \(value.kind)",
                    hint: "a JSON Lines file holds one object per line")
            }
            builder.append(row)
        }
    }

    /// An array of objects, one of texts (column "text"), or an object of columns.
    private func append(
        _ rows: JSONValue, _ path: String, into builder: inout RowBuilder
    ) throws {
        guard let values = rows.arrayValue else {
            if try appendColumns(rows, path, into: &builder) { return }
            throw TrainingError.file(
                path: path, problem: "expected an array of objects, found \(rows.kind)")
        }
        for (index, value) in values.enumerated() {
            switch value {
            case .object(let row): builder.append(row)
            case .string: builder.append(["text": value])
            default:
                throw TrainingError.file(
                    path: path,
                    problem: "element \(index + 1): expected an object, found \(value.kind)")
            }
        }
    }

    /// An object whose members are all arrays of one length; false when this is no such object.
    private func appendColumns(
        _ value: JSONValue, _ path: String, into builder: inout RowBuilder
    ) throws -> Bool {
        guard let object = value.objectValue, !object.isEmpty else { return false }
        let columns = object.values.compactMap(\.arrayValue)
        guard columns.count == object.count else { return false }
        let count = columns[0].count
        for (name, column) in zip(object.keys, columns) where column.count != count {
            throw TrainingError.file(
                path: path,
                problem: "column '\(name)' has \(column.count) values, '\(object.keys[0])' has "
                    + "\(count)")
        }
        for row in 0..<count {
            builder.append(JSONObject(zip(object.keys, columns.map { $0[row] })))
        }
        return true
    }

    static func empty(_ path: String) -> TrainingError {
        .file(
            path: path, problem: "the file is empty", hint: "check that it was written completely")
    }
}
