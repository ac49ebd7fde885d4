import OrderedJSON

/// How a CSV file is written; the defaults are those of `load_dataset("csv")`.
public struct CSVOptions: Sendable {
    /// One ASCII character between fields; a tab for TSV.
    public var delimiter: UInt8 = UInt8(ascii: ",")
    public var quote: UInt8 = UInt8(ascii: "\"")
    /// Names of the columns; `nil` takes them from the first line.
    public var columnNames: [String]?
    /// Empty fields and words such as NA, null, None and nan are null, as pandas has it. Without
    /// this, nothing is.
    public var keepsDefaultNulls = true

    public init() {}
}

/// Reads CSV and TSV: quoted fields may hold delimiters, line breaks and doubled quotes.
///
/// The type of a column follows all its values: integers, numbers, booleans, else text. Integers
/// beside nulls become floats, as in pandas; integers beyond 64 bits stay text.
struct CSVDatasetReader {
    var options = CSVOptions()

    /// Names and storage of the columns of several files with the same header.
    func read(_ paths: [String]) throws -> [(name: String, storage: ColumnStorage)] {
        var names: [String] = []
        var columns: [TextColumn] = []
        for (index, path) in paths.enumerated() {
            let bytes = try DataFile.read(path)
            var scanner = CSVScanner(bytes: bytes, options: options, path: path)
            let header = try options.columnNames ?? scanner.header()
            if index == 0 {
                names = header
                columns = header.map { _ in TextColumn() }
            } else if header != names {
                throw TrainingError.file(
                    path: path,
                    problem: "the columns are \(header.joined(separator: ", ")), those of "
                        + "'\(paths[0])' are \(names.joined(separator: ", "))",
                    hint: "give files with different columns to separate load_dataset calls")
            }
            while try scanner.nextRecord() {
                guard scanner.fieldCount <= columns.count else {
                    throw TrainingError.file(
                        path: "\(path):\(scanner.recordLine)",
                        problem: "expected \(columns.count) fields, found \(scanner.fieldCount)",
                        hint: "put fields that hold the delimiter into quotes, or set delimiter")
                }
                for (place, _) in columns.indices.enumerated() {
                    columns[place].append(
                        place < scanner.fieldCount ? scanner.field(place) : [])
                }
            }
        }
        return zip(names, columns).map { ($0, $1.finish(options)) }
    }
}

/// The fields of one column as they are written.
private struct TextColumn {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]

    mutating func append(_ field: ArraySlice<UInt8>) {
        bytes.append(contentsOf: field)
        offsets.append(bytes.count)
    }

    func finish(_ options: CSVOptions) -> ColumnStorage {
        let count = offsets.count - 1
        let fields = (0..<count).lazy.map { bytes[offsets[$0]..<offsets[$0 + 1]] }
        let isNull = fields.map { options.keepsDefaultNulls && CSVValue.isNull($0) }
        let nulls = isNull.contains(true) ? Array(isNull) : nil
        func all<Value>(_ parse: (ArraySlice<UInt8>) -> Value?, empty: Value) -> [Value]? {
            var values: [Value] = []
            values.reserveCapacity(count)
            for row in 0..<count {
                if nulls?[row] == true {
                    values.append(empty)
                } else if let value = parse(fields[row]) {
                    values.append(value)
                } else {
                    return nil
                }
            }
            return values
        }
        let isAllNull = nulls?.allSatisfy { $0 } ?? false
        if nulls == nil, let integers = all(CSVValue.integer, empty: 0) {
            return ColumnStorage(type: .int64, values: .int64(integers), isNull: nil, count: count)
        }
        if isAllNull || all(CSVValue.bool, empty: false) == nil,
            let doubles = all(CSVValue.double, empty: 0)
        {
            return ColumnStorage(
                type: .float64, values: .float64(doubles), isNull: nulls, count: count)
        }
        if let bools = all(CSVValue.bool, empty: false) {
            return ColumnStorage(type: .bool, values: .bool(bools), isNull: nulls, count: count)
        }
        var builder = ColumnBuilder(type: .string)
        bytes.withUnsafeBufferPointer { buffer in
            for row in 0..<count {
                if nulls?[row] == true {
                    builder.append(.null)
                } else {
                    builder.append(
                        utf8: UnsafeBufferPointer(
                            rebasing: buffer[offsets[row]..<offsets[row + 1]]))
                }
            }
        }
        return builder.finish()
    }
}

/// What the text of a field stands for, by pandas' rules.
private enum CSVValue {
    private static let nulls: Set<String> = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    static func isNull(_ field: ArraySlice<UInt8>) -> Bool {
        field.count <= 8 && nulls.contains(String(decoding: field, as: UTF8.self))
    }

    static func integer(_ field: ArraySlice<UInt8>) -> Int64? {
        let text = trimmed(field)
        guard let first = text.first, text.count <= 20 else { return nil }
        let digits =
            first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        return Int64(String(decoding: text, as: UTF8.self))
    }

    static func double(_ field: ArraySlice<UInt8>) -> Double? {
        let text = trimmed(field)
        let unsigned =
            text.first == UInt8(ascii: "-") || text.first == UInt8(ascii: "+")
            ? text.dropFirst() : text
        let word = String(decoding: unsigned, as: UTF8.self).lowercased()
        if word == "inf" || word == "infinity" {
            return text.first == UInt8(ascii: "-") ? -.infinity : .infinity
        }
        // Swift would also take hexadecimal numbers and "nan".
        guard unsigned.contains(where: isDigit),
            unsigned.allSatisfy({
                isDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e")
                    || $0 == UInt8(ascii: "E") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+")
            })
        else { return nil }
        // Integers that don't fit would lose digits.
        if unsigned.count > 18, unsigned.allSatisfy(isDigit), integer(field) == nil { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }

    static func bool(_ field: ArraySlice<UInt8>) -> Bool? {
        switch String(decoding: field, as: UTF8.self) {
        case "True", "TRUE", "true": true
        case "False", "FALSE", "false": false
        default: nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var field = field.drop { $0 == 0x20 || $0 == 0x09 }
        while field.last == 0x20 || field.last == 0x09 { field.removeLast() }
        return field
    }
}

/// Cuts a file into records and fields.
private struct CSVScanner {
    let bytes: [UInt8]
    let options: CSVOptions
    let path: String
    private var index = 0
    private var line = 1
    /// The fields of the record, quotes resolved, end to end.
    private var content: [UInt8] = []
    private var ends: [Int] = []
    /// The line on which the record starts, counted from 1.
    private(set) var recordLine = 1

    init(bytes: [UInt8], options: CSVOptions, path: String) {
        self.bytes = bytes
        self.options = options
        self.path = path
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    var fieldCount: Int { ends.count }

    func field(_ place: Int) -> ArraySlice<UInt8> {
        content[(place == 0 ? 0 : ends[place - 1])..<ends[place]]
    }

    /// The first record as names; empty ones and repeated ones get a name of their own as in pandas.
    mutating func header() throws -> [String] {
        guard try nextRecord() else { throw JSONDatasetReader.empty(path) }
        var names: [String] = []
        for place in 0..<fieldCount {
            let written = String(decoding: field(place), as: UTF8.self)
            let base = written.isEmpty ? "Unnamed: \(place)" : written
            var name = base
            var number = 0
            while names.contains(name) {
                number += 1
                name = "\(base).\(number)"
            }
            names.append(name)
        }
        return names
    }

    /// Reads the next record that is no blank line; false at the end of the file.
    mutating func nextRecord() throws -> Bool {
        while index < bytes.count {
            recordLine = line
            content.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            let wasQuoted = try readRecord()
            if ends.count > 1 || !content.isEmpty || wasQuoted {
                guard String(validating: content, as: UTF8.self) != nil else {
                    throw TrainingError.file(
                        path: "\(path):\(recordLine)", problem: "is not valid UTF-8",
                        hint: "convert the file to UTF-8")
                }
                return true
            }
        }
        return false
    }

    /// Reads up to the end of the line; answers whether a field was quoted.
    private mutating func readRecord() throws -> Bool {
        var wasQuoted = false
        var isFieldStart = true
        while index < bytes.count {
            let byte = bytes[index]
            if byte == options.quote, isFieldStart {
                wasQuoted = true
                try readQuoted()
                isFieldStart = false
            } else if byte == options.delimiter {
                ends.append(content.count)
                isFieldStart = true
                index += 1
            } else if byte == 0x0a || byte == 0x0d {
                index += byte == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a ? 2 : 1
                line += 1
                break
            } else {
                content.append(byte)
                isFieldStart = false
                index += 1
            }
        }
        ends.append(content.count)
        return wasQuoted
    }

    /// From the opening quote to behind the closing one.
    private mutating func readQuoted() throws {
        let openingLine = line
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            if byte == options.quote {
                guard index + 1 < bytes.count, bytes[index + 1] == options.quote else {
                    index += 1
                    return
                }
                index += 1
            } else if byte == 0x0a {
                line += 1
            }
            content.append(byte)
            index += 1
        }
        throw TrainingError.file(
            path: "\(path):\(openingLine)", problem: "a quoted field has no end",
            hint: "double a quote that belongs to the text, or set quotechar")
    }
}
