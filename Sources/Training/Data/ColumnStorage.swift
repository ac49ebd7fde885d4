package import OrderedJSON
package import Parquet
import Synchronization

/// The values of one column as they were read, in compact form; datasets made by selecting or
/// shuffling share it.
///
/// A column is cut into parts. Those of a Parquet file are read when a row of them is first asked
/// for, and kept.
package final class ColumnStorage: Sendable {
    package let type: FeatureType
    package let count: Int
    let parts: [ColumnPart]
    /// First row of each part, and the number of rows.
    let starts: [Int]
    /// Whether lists and structures are kept as they were given, and take the column's type when
    /// they are read: structures may lack fields, floats may be integers.
    let conforms: Bool

    init(type: FeatureType, parts: [ColumnPart], conforms: Bool = false) {
        self.type = type
        self.parts = parts
        self.conforms = conforms
        var starts = [0]
        for part in parts { starts.append((starts.last ?? 0) + part.count) }
        self.starts = starts
        count = starts.last ?? 0
    }

    convenience init(type: FeatureType, values: ColumnValues.Values, isNull: [Bool]?, count: Int) {
        let values = ColumnValues(values: values, isNull: isNull)
        self.init(type: type, parts: [ColumnPart(count: count, values: values)])
    }

    /// Number of the part that holds a row, which must be in range.
    func part(of row: Int) -> Int {
        if parts.count == 1 { return 0 }
        var low = 0
        var high = parts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= row { low = middle } else { high = middle }
        }
        return low
    }

    /// Rows from which on parts are read by several threads.
    private static let sharedRows = 1 << 17

    /// Reads the wanted parts that are still in a file, several at a time where it is worth it.
    func read(_ isWanted: [Bool]) {
        let unread = parts.indices.filter { isWanted[$0] && !parts[$0].isRead }
        guard unread.count > 1, unread.reduce(0, { $0 + parts[$1].count }) >= Self.sharedRows else {
            return
        }
        let pool = WorkerPool(threads: min(WorkerPool.processorCount, unread.count))
        // A part that can't be read says why when it is asked for its values.
        pool.run(unread.count) { task, _ in _ = try? parts[unread[task]].values() }
    }

    /// One value, whose part is read if need be.
    func value(at row: Int) throws -> JSONValue {
        let part = part(of: row)
        return conformed(try parts[part].values().value(at: row - starts[part]))
    }

    /// A value of a part as the column has it.
    func conformed(_ value: JSONValue) -> JSONValue { conforms ? type.conform(value) : value }
}

/// Some rows of a column in a row: values, or how to read them.
final class ColumnPart: Sendable {
    let count: Int
    private let read: (@Sendable () throws -> ColumnValues)?
    private let kept: Mutex<ColumnValues?>

    init(count: Int, values: ColumnValues) {
        self.count = count
        read = nil
        kept = Mutex(values)
    }

    init(count: Int, read: @escaping @Sendable () throws -> ColumnValues) {
        self.count = count
        self.read = read
        kept = Mutex(nil)
    }

    var isRead: Bool { kept.withLock { $0 != nil } }

    /// Reads the values when they are first needed; a second caller waits for the first.
    func values() throws -> ColumnValues {
        try kept.withLock { kept in
            if let kept { return kept }
            guard let read else { throw TrainingError.internalError("a column without values") }
            let values = try read()
            kept = values
            return values
        }
    }
}

/// The values of a part.
package struct ColumnValues: Sendable {
    package enum Values: Sendable {
        /// Value `i` is text `positions[i]`; without positions text `i`.
        case string(PackedStrings, positions: [UInt32]?)
        case int64([Int64])
        case float64([Double])
        case bool([Bool])
        case null(count: Int)
        /// Lists, structures, and columns of mixed types.
        case json([JSONValue])
    }

    package let values: Values
    /// Which values are null, where any is; their place in `values` holds an empty one.
    package let isNull: [Bool]?

    func isNull(at index: Int) -> Bool {
        if case .null = values { return true }
        return isNull.map { $0[index] } ?? false
    }

    func value(at index: Int) -> JSONValue {
        if isNull(at: index) { return .null }
        switch values {
        case .string(let texts, let positions):
            return .string(texts[positions.map { Int($0[index]) } ?? index])
        case .int64(let values): return .int(values[index])
        case .float64(let values): return .double(values[index])
        case .bool(let values): return .bool(values[index])
        case .null: return .null
        case .json(let values): return values[index]
        }
    }
}

/// Collects a column value by value; its type follows the values.
struct ColumnBuilder: ~Copyable {
    private(set) var type: FeatureType = .null
    private(set) var count = 0
    /// Parts that are full; all of the current type.
    private var parts: [ColumnPart] = []
    private var texts = PackedStringsBuilder()
    private var integers: [Int64] = []
    private var doubles: [Double] = []
    private var bools: [Bool] = []
    private var others: [JSONValue] = []
    /// Rows of the current part, and which of them are null.
    private var partCount = 0
    private var nullRows: [Int] = []

    private static let partSize = 1 << 16

    /// - type: what is known of the type before the first value.
    init(type: FeatureType = .null) { self.type = type }

    mutating func append(_ value: JSONValue) {
        switch (type, value) {
        case (.string, .string(var text)):
            text.withUTF8 { texts.append(UnsafeRawBufferPointer($0)) }
        case (.integer(let bits, let isSigned), .int(let value))
        where FeatureType.fits(value, bits: bits, isSigned: isSigned):
            integers.append(value)
        case (.classLabel(let names), .int(let value)) where value >= -1 && value < names.count:
            integers.append(value)
        case (.float(let bits), .double(let value)):
            doubles.append(bits == 64 ? value : Double(Float(value)))
        case (.float(let bits), .int(let value)):
            doubles.append(bits == 64 ? Double(value) : Double(Float(value)))
        case (.bool, .bool(let value)): bools.append(value)
        case (_, .null): appendEmpty()
        case (.list, .array), (.structure, .object), (.json, _):
            if type != .json, !type.holds(value) { type = type.union(FeatureType(of: value)) }
            others.append(value)
        default:
            widen(to: type.union(FeatureType(of: value)))
            append(value)
            return
        }
        advance()
    }

    /// A text given as bytes that are known to be valid UTF-8.
    mutating func append(utf8 text: UnsafeBufferPointer<UInt8>) {
        guard type == .string else {
            append(.string(String(decoding: text, as: UTF8.self)))
            return
        }
        texts.append(UnsafeRawBufferPointer(text))
        advance()
    }

    /// Many nulls in a row cost nothing: a file may name a new column in every row.
    mutating func appendNulls(_ number: Int) {
        guard number >= 64 else {
            for _ in 0..<number { append(.null) }
            return
        }
        closePart()
        parts.append(
            ColumnPart(
                count: number, values: ColumnValues(values: .null(count: number), isNull: nil)))
        count += number
    }

    private mutating func appendEmpty() {
        nullRows.append(partCount)
        switch type {
        case .string: texts.append(UnsafeRawBufferPointer(start: nil, count: 0))
        case .integer, .classLabel: integers.append(0)
        case .float: doubles.append(0)
        case .bool: bools.append(false)
        case .null: break
        case .list, .structure, .json: others.append(.null)
        }
    }

    private mutating func advance() {
        count += 1
        partCount += 1
        if partCount == Self.partSize { closePart() }
    }

    private mutating func closePart() {
        guard partCount > 0 else { return }
        let values: ColumnValues.Values
        switch type {
        case .string:
            var full = PackedStringsBuilder()
            swap(&full, &texts)
            values = .string(full.finish(), positions: nil)
        case .integer, .classLabel: values = .int64(integers)
        case .float: values = .float64(doubles)
        case .bool: values = .bool(bools)
        case .null: values = .null(count: partCount)
        case .json, .list, .structure: values = .json(others)
        }
        var isNull: [Bool]?
        if !nullRows.isEmpty {
            var flags = [Bool](repeating: false, count: partCount)
            for row in nullRows { flags[row] = true }
            isNull = flags
        }
        parts.append(
            ColumnPart(count: partCount, values: ColumnValues(values: values, isNull: isNull)))
        integers = []
        doubles = []
        bools = []
        others = []
        nullRows = []
        partCount = 0
    }

    /// Moves what has been collected to the storage of a wider type.
    private mutating func widen(to wider: FeatureType) {
        closePart()
        let narrow = parts
        parts = []
        count = 0
        type = wider
        for part in narrow {
            // Parts made above are never read from a file.
            guard let values = try? part.values() else { continue }
            if case .null(let number) = values.values {
                appendNulls(number)
                continue
            }
            for index in 0..<part.count { append(values.value(at: index)) }
        }
    }

    consuming func finish() -> ColumnStorage {
        closePart()
        let conforms =
            switch type {
            case .list, .structure: true
            default: false
            }
        return ColumnStorage(type: type, parts: parts, conforms: conforms)
    }
}
