// `ds.anchor`: one column, read as it is used. It stands wherever a sequence is taken.

import LuaBridge
import OrderedJSON
import Training

/// A column as scripts hold it. Its values are read when the script first asks for some.
final class ColumnObject: LuaObject, SequenceSource, Sendable {
    let name: String
    private let dataset: Dataset

    /// A column that the dataset has.
    init(_ name: String, _ dataset: Dataset) {
        self.name = name
        self.dataset = dataset
    }

    var count: Int { dataset.numRows }

    /// All values.
    func column() throws -> Column { try dataset.requireColumn(name) }

    /// One value; only the part of a file that holds it is read.
    func value(at row: Int) throws -> JSONValue { try dataset.value(row: row, column: name) }

    func texts() throws -> [String] {
        let column = try column()
        return try (0..<column.count).map { row in
            guard let text = column.string(at: row) else { throw mismatch("string", column, row) }
            return text
        }
    }

    func numbers() throws -> [Double] {
        let column = try column()
        return try (0..<column.count).map { row in
            guard let number = column.double(at: row) else { throw mismatch("number", column, row) }
            return number
        }
    }

    func integers() throws -> [Int] {
        let column = try column()
        return try (0..<column.count).map { row in
            // As Lua has it, 2.0 is an integer.
            guard
                let number = column.int(at: row)
                    ?? column.double(at: row).flatMap(Int.init(exactly:))
            else { throw mismatch("integer", column, row) }
            return number
        }
    }

    private func mismatch(_ expected: String, _ column: Column, _ row: Int) -> LuaError {
        .mismatch(
            path: "column '\(name)'[\(row + 1)]", expected: expected,
            got: column.isNull(at: row) ? "nil" : column.value(at: row).kind)
    }
}

func columnClass() -> LuaClass<ColumnObject> {
    LuaClass<ColumnObject>("Column", doc: "A column of a dataset: column[1], #column, ipairs.")
        .index { object, key in
            guard let number = key.integer else { return nil }
            return try element(object.count, number, "column '\(object.name)'") {
                try object.value(at: $0)
            }
        }
        .length { $0.count }
        .pairs { object in
            let column = try object.column()
            var row = 0
            return AnyIterator {
                guard row < column.count else { return nil }
                defer { row += 1 }
                return (row + 1, column.value(at: row))
            }
        }
        .tostring { object in
            let shown = try (0..<min(object.count, 5)).map { row in
                try object.value(at: row).json(.init(escapesNonASCII: false))
            }
            let rest = object.count > 5 ? ["..."] : []
            return "Column({\((shown + rest).joined(separator: ", "))})"
        }
}

/// Element `number` of `count`, counted from 1; Lua's nil just behind the last, where `ipairs`
/// looks for the end.
func element<Value: IntoLua>(
    _ count: Int, _ number: Int, _ owner: String, _ value: (Int) throws -> Value
) throws -> any IntoLua {
    if number >= 1, number <= count { return try value(number - 1) }
    if number == count + 1 { return LuaValue.nil }
    let hint = number == 0 ? "; rows are counted from 1" : ""
    throw LuaError.message("\(owner): row \(number) is out of range 1 to \(count)\(hint)")
}
