package import OrderedJSON

/// The values of one column as they were read, in compact form; datasets made by selecting or
/// shuffling share it.
///
/// Strings lie end to end in one buffer, numbers in one array of their type. Values of any other
/// shape are kept one by one.
package final class ColumnStorage: Sendable {
    package enum Values: Sendable {
        /// Text `i` is `bytes[offsets[i] ..< offsets[i + 1]]`, valid UTF-8.
        case string(bytes: [UInt8], offsets: [Int])
        case int64([Int64])
        case float64([Double])
        case bool([Bool])
        case null(count: Int)
        /// Lists, structures, and columns of mixed types.
        case json([JSONValue])
    }

    package let type: FeatureType
    package let values: Values
    /// Which rows are null, where any is; their place in `values` holds an empty value.
    package let isNull: [Bool]?
    package let count: Int

    init(type: FeatureType, values: Values, isNull: [Bool]?, count: Int) {
        self.type = type
        self.values = values
        self.isNull = isNull
        self.count = count
    }
}

/// Collects a column value by value; its type follows the values.
struct ColumnBuilder {
    private(set) var type: FeatureType = .null
    private(set) var count = 0
    private var bytes: [UInt8] = []
    private var offsets: [Int] = [0]
    private var integers: [Int64] = []
    private var doubles: [Double] = []
    private var bools: [Bool] = []
    private var others: [JSONValue] = []
    /// Rows appended as null.
    private var nullRows: [Int] = []

    init() {}

    mutating func append(_ value: JSONValue) {
        switch (type, value) {
        case (.string, .string(var text)):
            text.withUTF8 { bytes.append(contentsOf: $0) }
            offsets.append(bytes.count)
        case (.int64, .int(let value)): integers.append(value)
        case (.float64, .double(let value)): doubles.append(value)
        case (.float64, .int(let value)): doubles.append(Double(value))
        case (.bool, .bool(let value)): bools.append(value)
        case (_, .null): appendEmpty()
        case (.list, .array), (.structure, .object), (.json, _):
            if type != .json { type = type.union(FeatureType(of: value)) }
            others.append(value)
        default:
            widen(to: type.union(FeatureType(of: value)))
            append(value)
            return
        }
        count += 1
    }

    /// A text given as bytes that are known to be valid UTF-8.
    mutating func append(utf8 text: UnsafeBufferPointer<UInt8>) {
        guard type == .string else {
            append(.string(String(decoding: text, as: UTF8.self)))
            return
        }
        bytes.append(contentsOf: text)
        offsets.append(bytes.count)
        count += 1
    }

    mutating func appendNulls(_ number: Int) {
        for _ in 0..<number { append(.null) }
    }

    private mutating func appendEmpty() {
        nullRows.append(count)
        switch type {
        case .string: offsets.append(bytes.count)
        case .int64: integers.append(0)
        case .float64: doubles.append(0)
        case .bool: bools.append(false)
        case .null: break
        case .list, .structure, .json: others.append(.null)
        }
    }

    /// Moves what has been collected to the storage of a wider type.
    private mutating func widen(to wider: FeatureType) {
        let narrow = finish()
        self = ColumnBuilder()
        type = wider
        switch wider {
        case .null: break
        case .string: offsets.reserveCapacity(narrow.count + 1)
        default: break
        }
        let column = Column(storage: narrow, indices: nil)
        for row in 0..<narrow.count { append(column.value(at: row)) }
    }

    func finish() -> ColumnStorage {
        let values: ColumnStorage.Values =
            switch type {
            case .string: .string(bytes: bytes, offsets: offsets)
            case .int64: .int64(integers)
            case .float64: .float64(doubles)
            case .bool: .bool(bools)
            case .null: .null(count: count)
            case .json: .json(others)
            case .list, .structure: .json(others.map(type.conform))
            }
        var isNull: [Bool]?
        if !nullRows.isEmpty {
            var flags = [Bool](repeating: false, count: count)
            for row in nullRows { flags[row] = true }
            isNull = flags
        }
        return ColumnStorage(type: type, values: values, isNull: isNull, count: count)
    }
}
