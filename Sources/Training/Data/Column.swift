public import OrderedJSON
import Parquet

/// One column of a dataset, seen through the dataset's order of rows. Cheap to copy.
///
/// Rows are counted from 0. A row outside `0 ..< count` is a programmer's error and traps.
public struct Column: Sendable {
    package let storage: ColumnStorage
    /// Row `i` shows value `indices[i]` of the storage; `nil` shows all in order.
    package let indices: [Int]?
    /// The parts of the storage; those without a row of this column may be missing.
    private let parts: [ColumnValues?]

    /// Reads the parts that hold a row of the column.
    package init(storage: ColumnStorage, indices: [Int]?) throws {
        self.storage = storage
        self.indices = indices
        var isWanted = [Bool](repeating: indices == nil, count: storage.parts.count)
        for index in indices ?? [] { isWanted[storage.part(of: index)] = true }
        storage.read(isWanted)
        parts = try zip(storage.parts, isWanted).map { $1 ? try $0.values() : nil }
    }

    public var type: FeatureType { storage.type }
    public var count: Int { indices?.count ?? storage.count }

    /// The text, `nil` for null and for columns that hold no text.
    public func string(at row: Int) -> String? {
        let (part, index) = locate(row)
        guard let part, !part.isNull(at: index) else { return nil }
        switch part.values {
        case .string(let texts, let positions):
            return texts[positions.map { Int($0[index]) } ?? index]
        case .json(let values): return values[index].stringValue
        default: return nil
        }
    }

    /// The number, integers converted, booleans as 0 and 1; `nil` for null and for no number.
    public func double(at row: Int) -> Double? {
        let (part, index) = locate(row)
        guard let part, !part.isNull(at: index) else { return nil }
        switch part.values {
        case .int64(let values): return Double(values[index])
        case .float64(let values): return values[index]
        case .bool(let values): return values[index] ? 1 : 0
        case .json(let values): return values[index].doubleValue
        case .string, .null: return nil
        }
    }

    /// The integer, booleans as 0 and 1; `nil` for null and for anything else.
    public func int(at row: Int) -> Int? {
        let (part, index) = locate(row)
        guard let part, !part.isNull(at: index) else { return nil }
        switch part.values {
        case .int64(let values): return Int(values[index])
        case .bool(let values): return values[index] ? 1 : 0
        case .json(let values): return values[index].intValue
        case .string, .float64, .null: return nil
        }
    }

    public func isNull(at row: Int) -> Bool {
        let (part, index) = locate(row)
        return part?.isNull(at: index) ?? true
    }

    /// The value in whatever type it has.
    public func value(at row: Int) -> JSONValue {
        let (part, index) = locate(row)
        return storage.conformed(part?.value(at: index) ?? .null)
    }

    /// The bytes of a text, without making a String; `nil` as for ``string(at:)``.
    package func withUTF8<Result>(
        at row: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
    ) rethrows -> Result? {
        let (part, index) = locate(row)
        guard case .string(let texts, let positions)? = part?.values else {
            guard var text = string(at: row) else { return nil }
            return try text.withUTF8(body)
        }
        if part?.isNull(at: index) == true { return nil }
        return try texts.withBytes(positions.map { Int($0[index]) } ?? index, body)
    }

    /// The part that holds a row, and the row's place in it.
    private func locate(_ row: Int) -> (ColumnValues?, Int) {
        let stored = indices.map { $0[row] } ?? row
        let part = storage.part(of: stored)
        return (parts[part], stored - storage.starts[part])
    }
}

extension Column: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
    public subscript(row: Int) -> JSONValue { value(at: row) }
}
