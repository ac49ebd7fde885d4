// From the fields of a CSV column as they are written to values of one type.

import Parquet

/// The fields of one column, collected part by part.
final class CSVColumn {
    private var parts: [PackedStrings] = []
    /// By its address, which spares a check of exclusive access for each field.
    private let last = UnsafeMutablePointer<PackedStringsBuilder>.allocate(capacity: 1)

    private static let partSize = 1 << 16

    init() { last.initialize(to: PackedStringsBuilder()) }

    deinit {
        last.deinitialize(count: 1)
        last.deallocate()
    }

    /// The bytes must be valid UTF-8.
    @inline(__always)
    func append(_ field: UnsafeBufferPointer<UInt8>) {
        last.pointee.append(UnsafeRawBufferPointer(field))
        if last.pointee.count == Self.partSize { closePart() }
    }

    private func closePart() {
        guard last.pointee.count > 0 || parts.isEmpty else { return }
        var full = PackedStringsBuilder()
        swap(&full, &last.pointee)
        parts.append(full.finish())
    }

    /// The column; its type follows all fields. Ends the collection.
    func finish(_ options: CSVOptions) -> ColumnStorage {
        closePart()
        let words = CSVNulls(options)
        let nulls = parts.map { part in
            let flags = part.map { words.contain($0) }
            return flags.contains(true) ? flags : nil
        }
        let hasNulls = nulls.contains { $0 != nil }
        let isAllNull = hasNulls && nulls.allSatisfy { $0?.contains(false) == false }
        /// Every field as a value, by part; nil when one is none.
        func all<Value>(
            empty: Value, _ parse: (UnsafeBufferPointer<UInt8>) -> Value?
        ) -> [[Value]]? {
            var result: [[Value]] = []
            for (part, nulls) in zip(parts, nulls) {
                var values: [Value] = []
                values.reserveCapacity(part.count)
                for row in 0..<part.count {
                    if nulls?[row] == true {
                        values.append(empty)
                    } else if let value = part.withBytes(row, parse) {
                        values.append(value)
                    } else {
                        return nil
                    }
                }
                result.append(values)
            }
            return result
        }
        func storage(
            _ type: FeatureType, _ values: [ColumnValues.Values], nulls: [[Bool]?]
        ) -> ColumnStorage {
            ColumnStorage(
                type: type,
                parts: values.indices.map { index in
                    ColumnPart(
                        count: parts[index].count,
                        values: ColumnValues(values: values[index], isNull: nulls[index]))
                })
        }
        if !hasNulls, let integers = all(empty: 0, CSVValue.integer) {
            return storage(.int64, integers.map { .int64($0) }, nulls: nulls)
        }
        let bools = isAllNull ? nil : all(empty: false, CSVValue.bool)
        if bools == nil, let doubles = all(empty: 0, CSVValue.double) {
            return storage(
                .float64, doubles.map { .float64($0) },
                nulls: zip(doubles, nulls).map { words.numbers(among: $0, $1) })
        }
        if let bools { return storage(.bool, bools.map { .bool($0) }, nulls: nulls) }
        return storage(.string, parts.map { .string($0, positions: nil) }, nulls: nulls)
    }
}

extension PackedStrings {
    fileprivate func map<Result>(
        _ transform: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> [Result] {
        (0..<count).map { withBytes($0, transform) }
    }
}

/// The words that stand for null; those that are numbers do so in columns of floats by their value.
private struct CSVNulls {
    private let words: Set<UTF8Key>
    private let numbers: Set<Double>
    private let longest: Int
    /// By first byte, whether a word starts so; most fields are told by it.
    private let starts: [Bool]
    private let hasEmpty: Bool

    private static let presets = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    init(_ options: CSVOptions) {
        var texts = (options.keepsDefaultNulls ? Self.presets : []) + options.nulls
        numbers = Set(
            options.nulls.compactMap { text in
                Array(text.utf8).withUnsafeBufferPointer(CSVValue.double)
            })
        // Whole numbers stand for their usual spellings in every column, as in pandas.
        for number in numbers.compactMap(Int64.init(exactly:)) {
            texts += ["\(number)", "\(number).0"]
        }
        words = Set(texts.map(UTF8Key.init))
        longest = texts.map(\.utf8.count).max() ?? -1
        hasEmpty = texts.contains("")
        var starts = [Bool](repeating: false, count: 256)
        for byte in texts.compactMap(\.utf8.first) { starts[Int(byte)] = true }
        self.starts = starts
    }

    func contain(_ field: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = field.first else { return hasEmpty }
        return starts[Int(first)] && field.count <= longest
            && words.contains(UTF8Key(String(decoding: field, as: UTF8.self)))
    }

    /// Which values are null, those that were before included.
    func numbers(among values: [Double], _ nulls: [Bool]?) -> [Bool]? {
        guard !numbers.isEmpty else { return nulls }
        var flags = nulls ?? Array(repeating: false, count: values.count)
        for (row, value) in values.enumerated() where numbers.contains(value) { flags[row] = true }
        return flags.contains(true) ? flags : nil
    }
}

/// What the text of a field stands for, by pandas' rules.
private enum CSVValue {
    static func integer(_ field: UnsafeBufferPointer<UInt8>) -> Int64? {
        let text = trimmed(field)
        guard let first = text.first, text.count <= 20 else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        let digits = isNegative || first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard isDigit(digit) else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let unit = Int64(digit &- UInt8(ascii: "0"))
            // Downwards: the least number has no positive twin.
            let (next, isBeyond) = tens.subtractingReportingOverflow(unit)
            if isTooLarge || isBeyond { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    static func double(_ field: UnsafeBufferPointer<UInt8>) -> Double? {
        let text = trimmed(field)
        guard let first = text.first else { return nil }
        let unsigned =
            first == UInt8(ascii: "-") || first == UInt8(ascii: "+") ? text.dropFirst() : text
        guard let start = unsigned.first, isDigit(start) || start == UInt8(ascii: ".") else {
            let word = String(decoding: unsigned, as: UTF8.self).lowercased()
            guard word == "inf" || word == "infinity" else { return nil }
            return first == UInt8(ascii: "-") ? -.infinity : .infinity
        }
        // Swift would also take hexadecimal numbers.
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

    static func bool(_ field: UnsafeBufferPointer<UInt8>) -> Bool? {
        guard field.count == 4 || field.count == 5 else { return nil }
        return switch String(decoding: field, as: UTF8.self) {
        case "True", "TRUE", "true": true
        case "False", "FALSE", "false": false
        default: nil
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func trimmed(
        _ field: UnsafeBufferPointer<UInt8>
    ) -> UnsafeBufferPointer<UInt8>.SubSequence {
        var field = field.drop { $0 == 0x20 || $0 == 0x09 }
        while field.last == 0x20 || field.last == 0x09 { field.removeLast() }
        return field
    }
}
