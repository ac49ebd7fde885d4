public import OrderedJSON

/// One column of a dataset, seen through the dataset's order of rows. Cheap to copy.
///
/// Rows are counted from 0. A row outside `0 ..< count` is a programmer's error and traps.
public struct Column: Sendable {
    package let storage: ColumnStorage
    /// Row `i` shows value `indices[i]` of the storage; `nil` shows all in order.
    package let indices: [Int]?

    package init(storage: ColumnStorage, indices: [Int]?) {
        self.storage = storage
        self.indices = indices
    }

    public var type: FeatureType { storage.type }
    public var count: Int { indices?.count ?? storage.count }

    /// The text, `nil` for null and for columns that hold no text.
    public func string(at row: Int) -> String? {
        let index = position(row)
        switch storage.values {
        case .string(let bytes, let offsets):
            if isNullValue(index) { return nil }
            return String(decoding: bytes[offsets[index]..<offsets[index + 1]], as: UTF8.self)
        case .json(let values): return values[index].stringValue
        default: return nil
        }
    }

    /// The number, integers converted, booleans as 0 and 1; `nil` for null and for no number.
    public func double(at row: Int) -> Double? {
        let index = position(row)
        if isNullValue(index) { return nil }
        switch storage.values {
        case .int64(let values): return Double(values[index])
        case .float64(let values): return values[index]
        case .bool(let values): return values[index] ? 1 : 0
        case .json(let values): return values[index].doubleValue
        case .string, .null: return nil
        }
    }

    /// The integer, booleans as 0 and 1; `nil` for null and for anything else.
    public func int(at row: Int) -> Int? {
        let index = position(row)
        if isNullValue(index) { return nil }
        switch storage.values {
        case .int64(let values): return Int(values[index])
        case .bool(let values): return values[index] ? 1 : 0
        case .json(let values): return values[index].intValue
        case .string, .float64, .null: return nil
        }
    }

    public func isNull(at row: Int) -> Bool {
        let index = position(row)
        if case .null = storage.values { return true }
        return isNullValue(index)
    }

    /// The value in whatever type it has.
    public func value(at row: Int) -> JSONValue {
        let index = position(row)
        if isNullValue(index) { return .null }
        switch storage.values {
        case .string(let bytes, let offsets):
            let text = bytes[offsets[index]..<offsets[index + 1]]
            return .string(String(decoding: text, as: UTF8.self))
        case .int64(let values): return .int(values[index])
        case .float64(let values): return .double(values[index])
        case .bool(let values): return .bool(values[index])
        case .null: return .null
        case .json(let values): return values[index]
        }
    }

    /// The bytes of a text, without making a String; `nil` as for ``string(at:)``.
    package func withUTF8<Result>(
        at row: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        guard case .string(let bytes, let offsets) = storage.values else {
            guard var text = string(at: row) else { return nil }
            return try text.withUTF8(body)
        }
        let index = position(row)
        if isNullValue(index) { return nil }
        return try bytes.withUnsafeBufferPointer { buffer in
            try body(UnsafeBufferPointer(rebasing: buffer[offsets[index]..<offsets[index + 1]]))
        }
    }

    private func position(_ row: Int) -> Int { indices.map { $0[row] } ?? row }
    private func isNullValue(_ index: Int) -> Bool { storage.isNull.map { $0[index] } ?? false }
}

extension Column: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    public subscript(row: Int) -> JSONValue { value(at: row) }
}
