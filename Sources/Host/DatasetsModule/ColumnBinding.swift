// `ds.anchor`: one column, read as it is used. It stands wherever a sequence is taken.

import LuaBridge
import OrderedJSON
import Training

/// A column as scripts hold it.
final class ColumnObject: LuaObject, SequenceSource, Sendable {
    let name: String
    let column: Column

    init(_ name: String, _ column: Column) {
        self.name = name
        self.column = column
    }

    func texts() throws -> [String] {
        try (0..<column.count).map { row in
            guard let text = column.string(at: row) else { throw mismatch("string", row) }
            return text
        }
    }

    func numbers() throws -> [Double] {
        try (0..<column.count).map { row in
            guard let number = column.double(at: row) else { throw mismatch("number", row) }
            return number
        }
    }

    private func mismatch(_ expected: String, _ row: Int) -> LuaError {
        .mismatch(
            path: "column '\(name)'[\(row + 1)]", expected: expected,
            got: column.isNull(at: row) ? "nil" : column.value(at: row).kind)
    }
}

func columnClass() -> LuaClass<ColumnObject> {
    LuaClass<ColumnObject>("Column", doc: "A column of a dataset: column[1], #column, ipairs.")
        .index { object, key in
            guard let number = key.integer else { return nil }
            return try element(object.column.count, number, "column '\(object.name)'") {
                object.column.value(at: $0)
            }
        }
        .length { $0.column.count }
        .pairs { object in
            var row = 0
            return AnyIterator {
                guard row < object.column.count else { return nil }
                defer { row += 1 }
                return (row + 1, object.column.value(at: row))
            }
        }
        .tostring { object in
            let shown = object.column.prefix(5).map { $0.json(.init(escapesNonASCII: false)) }
            let rest = object.column.count > 5 ? ["..."] : []
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
