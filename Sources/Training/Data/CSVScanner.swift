import Parquet

/// Cuts a file into records and fields, as pandas' tokenizer does. The bytes must outlive the
/// scanner.
struct CSVScanner {
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
    private let isPlain: Bool
    /// nil with `quoting` none.
    private let quote: UInt8?
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
        isPlain = options.isPlain
        quote = options.quoting == .none ? nil : options.quote
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { index = 3 }
        var skipped = 0
        while skipped < options.skippedLines, index < bytes.count {
            skipLine()
            skipped += 1
        }
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

    /// The names of the columns, from the options or the header, behind which the scanner then is.
    mutating func header() throws -> [String] {
        let record: Int
        switch (options.header, options.columnNames) {
        case (.none, nil):
            var ahead = self
            guard try ahead.nextRecord() else { throw JSONDatasetReader.empty(path) }
            return (0..<ahead.fieldCount).map(String.init)
        case (.none, let names?), (.automatic, let names?): return names
        case (.automatic, nil): record = 0
        case (.record(let number), _): record = max(number, 0)
        }
        for number in 0...record {
            if try nextRecord() { continue }
            if number == 0 { throw JSONDatasetReader.empty(path) }
            throw TrainingError.file(
                path: path, problem: "has no record \(record), counted from 0, to be the header",
                hint: "check header and skiprows")
        }
        return options.columnNames ?? writtenNames()
    }

    /// The record as names; empty ones and repeated ones get a name of their own as in pandas.
    private func writtenNames() -> [String] {
        var names: [String] = []
        var seen = Set<UTF8Key>()
        var numbers: [UTF8Key: Int] = [:]
        for place in 0..<fieldCount {
            let written = withField(place) { String(decoding: $0, as: UTF8.self) }
            let base = written.isEmpty ? "Unnamed: \(place)" : written
            var name = base
            while !seen.insert(UTF8Key(name)).inserted {
                let number = (numbers[UTF8Key(base)] ?? 0) + 1
                numbers[UTF8Key(base)] = number
                name = "\(base).\(number)"
            }
            names.append(name)
        }
        return names
    }

    /// Reads the next record; false at the end of the file.
    mutating func nextRecord() throws -> Bool {
        while index < bytes.count {
            recordLine = line
            if options.skipsBlankLines, let end = blankLineEnd() {
                index = end
                if index < bytes.count { endLine() }
                continue
            }
            if bytes[index] == options.comment {
                skipLine(quotesCount: false)
                continue
            }
            let start = index
            if isPlain { try readRecord() } else { try readSpecialRecord() }
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

    /// The end of the line when nothing but blanks are on it.
    private func blankLineEnd() -> Int? {
        var end = index
        while end < bytes.count {
            let byte = bytes[end]
            if byte == 0x0a || byte == 0x0d { return end }
            guard byte == 0x20 || byte == 0x09, byte != options.delimiter else { return nil }
            end += 1
        }
        return end
    }

    private mutating func readRecord() throws {
        guard let base = bytes.baseAddress else { return }
        fields.removeAll(keepingCapacity: true)
        unquoted.removeAll(keepingCapacity: true)
        while true {
            let isQuoted = index < bytes.count && base[index] == quote
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

    /// Passes over a line; line breaks within quotes don't end it. As in a record, a quote opens a
    /// field where that starts and is a character like any other within it.
    private mutating func skipLine(quotesCount: Bool = true) {
        var isQuoted = false
        var canOpen = true
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x0a || byte == 0x0d {
                endLine()
                if !isQuoted { return }
                continue
            }
            if byte == quote, quotesCount, isQuoted || canOpen {
                // Behind a closing quote another one makes the two a character.
                canOpen = isQuoted && options.doublesQuotes
                isQuoted.toggle()
            } else {
                canOpen = byte == options.delimiter && !isQuoted
            }
            index += 1
        }
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
        throw endless(openingLine)
    }

    private func endless(_ openingLine: Int) -> TrainingError {
        .file(
            path: "\(path):\(openingLine)", problem: "a quoted field has no end",
            hint: "double a quote that belongs to the text, or set quotechar")
    }

    // MARK: Escapes, comments, blanks behind delimiters

    private enum Place {
        case start, plain, quoted
        /// Behind a quote within quotes: its end, or half of a doubled one.
        case behindQuote
    }

    /// The same as `readRecord` byte by byte, for options that it does not know.
    private mutating func readSpecialRecord() throws {
        fields.removeAll(keepingCapacity: true)
        unquoted.removeAll(keepingCapacity: true)
        var first = 0
        var place = Place.start
        var openingLine = line
        func endField(_ fields: inout [Field], _ count: Int) {
            fields.append(.unquoted(first..<count))
            first = count
            place = .start
        }
        while index < bytes.count {
            let byte = bytes[index]
            if place == .quoted {
                if byte == options.escape {
                    try takeEscaped()
                } else if byte == quote {
                    place = options.doublesQuotes ? .behindQuote : .plain
                    index += 1
                } else {
                    if byte == 0x0a { line += 1 }
                    take(byte)
                }
                continue
            }
            if byte == 0x0a || byte == 0x0d {
                endField(&fields, unquoted.count)
                return endLine()
            }
            if place == .behindQuote, byte == quote {
                take(byte)
                place = .quoted
            } else if byte == options.delimiter {
                endField(&fields, unquoted.count)
                index += 1
            } else if place == .behindQuote {
                take(byte)
                place = .plain
            } else if place == .start, options.skipsInitialSpace, byte == 0x20 {
                index += 1
            } else if place == .start, byte == quote {
                openingLine = line
                place = .quoted
                index += 1
            } else if byte == options.escape {
                try takeEscaped()
                place = .plain
            } else if byte == options.comment {
                endField(&fields, unquoted.count)
                return skipLine(quotesCount: false)
            } else {
                take(byte)
                place = .plain
            }
        }
        if place == .quoted { throw endless(openingLine) }
        endField(&fields, unquoted.count)
    }

    private mutating func take(_ byte: UInt8) {
        unquoted.append(byte)
        index += 1
    }

    /// The character behind an escape as it is.
    private mutating func takeEscaped() throws {
        guard index + 1 < bytes.count else {
            throw TrainingError.file(
                path: "\(path):\(line)", problem: "the escape character has nothing behind it",
                hint: "check escapechar")
        }
        index += 1
        if bytes[index] == 0x0a { line += 1 }
        take(bytes[index])
    }
}
