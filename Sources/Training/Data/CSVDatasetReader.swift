import OrderedJSON
import Parquet

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

    /// Records may be shorter than the header, but a small file must not become a large table.
    private static let fieldsPerByte = 16

    /// Names and storage of the columns of several files with the same header.
    func read(_ paths: [String]) throws -> [(name: String, storage: ColumnStorage)] {
        var names: [String] = []
        var columns: [TextColumn] = []
        for (index, path) in paths.enumerated() {
            let bytes = try DataFile.read(path)
            try bytes.withUnsafeBufferPointer { buffer in
                var scanner = CSVScanner(buffer, options: options, path: path)
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
                try read(&scanner, into: &columns, byteCount: buffer.count, path)
            }
        }
        return zip(names, columns).map { ($0, $1.finish(options)) }
    }

    private func read(
        _ scanner: inout CSVScanner, into columns: inout [TextColumn], byteCount: Int,
        _ path: String
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

/// The fields of one column as they are written.
private struct TextColumn {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]

    mutating func append(_ field: UnsafeBufferPointer<UInt8>) {
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

    private static let nullStarts = Set(nulls.compactMap(\.utf8.first))

    static func isNull(_ field: ArraySlice<UInt8>) -> Bool {
        guard field.count <= 8 else { return false }
        guard let first = field.first else { return true }
        return nullStarts.contains(first) && nulls.contains(String(decoding: field, as: UTF8.self))
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

/// Cuts a file into records and fields. The bytes must outlive the scanner.
private struct CSVScanner {
    /// A field: a part of the file, or of `unquoted` where quotes had to be resolved.
    private enum Field {
        case plain(Range<Int>)
        case unquoted(Range<Int>)
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let options: CSVOptions
    private let path: String
    private let ends: ByteSearch
    private let isText: Bool
    private var index = 0
    private var line = 1
    private var fields: [Field] = []
    private var unquoted: [UInt8] = []
    /// The line on which the record starts, counted from 1.
    private(set) var recordLine = 1

    init(_ bytes: UnsafeBufferPointer<UInt8>, options: CSVOptions, path: String) {
        self.bytes = bytes
        self.options = options
        self.path = path
        ends = ByteSearch(options.delimiter, 0x0a, 0x0d)
        isText = isUTF8(UnsafeRawBufferPointer(bytes))
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
    }

    var fieldCount: Int { fields.count }

    /// The bytes of a field, for the time of the call.
    func withField<Result>(
        _ place: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        switch fields[place] {
        case .plain(let range): body(UnsafeBufferPointer(rebasing: bytes[range]))
        case .unquoted(let range):
            unquoted.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
        }
    }

    /// The first record as names; empty ones and repeated ones get a name of their own as in pandas.
    mutating func header() throws -> [String] {
        guard try nextRecord() else { throw JSONDatasetReader.empty(path) }
        var names: [String] = []
        var seen = Set<String>()
        var numbers: [String: Int] = [:]
        for place in 0..<fieldCount {
            let written = withField(place) { String(decoding: $0, as: UTF8.self) }
            let base = written.isEmpty ? "Unnamed: \(place)" : written
            var name = base
            while !seen.insert(name).inserted {
                let number = (numbers[base] ?? 0) + 1
                numbers[base] = number
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
            if bytes[index] == 0x0a || bytes[index] == 0x0d {
                endLine()
                continue
            }
            let start = index
            try readRecord()
            guard
                isText
                    || isUTF8(
                        UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[start..<index])))
            else {
                throw TrainingError.file(
                    path: "\(path):\(recordLine)", problem: "is not valid UTF-8",
                    hint: "convert the file to UTF-8")
            }
            return true
        }
        return false
    }

    private mutating func readRecord() throws {
        guard let base = bytes.baseAddress else { return }
        fields.removeAll(keepingCapacity: true)
        unquoted.removeAll(keepingCapacity: true)
        while true {
            let isQuoted = index < bytes.count && base[index] == options.quote
            let first = unquoted.count
            if isQuoted { try readQuoted(base) }
            let start = index
            index = ends.next(base, start, bytes.count)
            if isQuoted {
                // What stands behind the closing quote belongs to the field.
                unquoted.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
                fields.append(.unquoted(first..<unquoted.count))
            } else {
                fields.append(.plain(start..<index))
            }
            guard index < bytes.count else { return }
            guard base[index] == options.delimiter else { return endLine() }
            index += 1
        }
    }

    /// From the line break to behind it.
    private mutating func endLine() {
        let isPair =
            bytes[index] == 0x0d && index + 1 < bytes.count && bytes[index + 1] == 0x0a
        index += isPair ? 2 : 1
        line += 1
    }

    /// From the opening quote to behind the closing one.
    private mutating func readQuoted(_ base: UnsafePointer<UInt8>) throws {
        let openingLine = line
        let search = ByteSearch(options.quote, 0x0a)
        index += 1
        while true {
            let end = search.next(base, index, bytes.count)
            unquoted.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[index..<end]))
            index = end + 1
            guard end < bytes.count else { break }
            if base[end] == 0x0a {
                line += 1
                unquoted.append(0x0a)
            } else if index < bytes.count, base[index] == options.quote {
                unquoted.append(options.quote)
                index += 1
            } else {
                return
            }
        }
        index = bytes.count
        throw TrainingError.file(
            path: "\(path):\(openingLine)", problem: "a quoted field has no end",
            hint: "double a quote that belongs to the text, or set quotechar")
    }
}
