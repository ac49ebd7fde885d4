// `map` and `filter`: a function of the script for every row, or for batches of rows.

import LuaBridge
import OrderedJSON
import Training

func addFunctionMethods<Object: LuaObject>(
    to type: LuaClass<Object>,
    _ each: @escaping (Object, (Dataset) throws -> Dataset) throws -> Object
) {
    type
        .method(
            "map",
            [.required("function", .function, "Gets a row, returns the fields to set.")]
                + RowFunction.parameters + [
                    .optional(
                        "drop_last_batch", .boolean, false,
                        "With batched: leave out the rows that do not fill a batch."),
                    .optional("remove_columns", .stringOrSequence, nil, "Columns to leave out."),
                ],
            doc: "Every row with the fields that the function returns; nil leaves it as it is. "
                + "With batched the function gets a table of columns and returns one, whose "
                + "columns may be longer or shorter."
        ) { object, arguments in
            let function = try RowFunction(arguments)
            let removed: StringOrSequence? = try arguments["remove_columns"]
            let dropsLast: Bool = try arguments["drop_last_batch"]
            return try each(object) { dataset in
                let names = removed?.values ?? []
                for name in names { try dataset.requireName(name) }
                try function.check(dataset)
                guard let size = function.batchSize(dataset) else {
                    return try dataset.map(removing: names) { row, index in
                        try newFields(function.call(row, index), "row \(index + 1)")
                    }
                }
                return try dataset.map(
                    batchesOf: size, dropsLast: dropsLast, removing: names
                ) { columns, rows in
                    try newColumns(function.call(columns, rows), rows)
                }
            }
        }
        .method(
            "filter",
            [.required("function", .function, "Gets a row, returns whether to keep it.")]
                + RowFunction.parameters,
            doc: "The rows for which the function returns true. With batched the function gets a "
                + "table of columns and returns a sequence of booleans."
        ) { object, arguments in
            let function = try RowFunction(arguments)
            return try each(object) { dataset in
                try function.check(dataset)
                guard let size = function.batchSize(dataset) else {
                    return try dataset.filter { row, index in
                        isTrue(try function.call(row, index))
                    }
                }
                return try dataset.filter(batchesOf: size) { columns, rows in
                    try choices(function.call(columns, rows), rows)
                }
            }
        }
}

/// The function and what it wants to get.
private struct RowFunction {
    static let parameters: [LuaParameter] = [
        .optional(
            "with_indices", .boolean, false, "Call the function with the row's number, too."),
        .optional(
            "input_columns", .stringOrSequence, nil,
            "Call the function with the values of these columns instead of the row."),
        .optional(
            "batched", .boolean, false, "Call the function with batches of rows, as columns."),
        .optional("batch_size", .integer, 1000, "Rows of a batch; 0 or less for all of them."),
    ]
    let function: LuaFunction
    let passesIndex: Bool
    let inputs: [String]?
    private let isBatched: Bool
    private let size: Int

    init(_ arguments: LuaArguments) throws {
        function = try arguments["function"]
        passesIndex = try arguments["with_indices"]
        let inputs: StringOrSequence? = try arguments["input_columns"]
        self.inputs = inputs?.values
        isBatched = try arguments["batched"]
        size = try arguments["batch_size"]
    }

    func check(_ dataset: Dataset) throws {
        for name in inputs ?? [] { try dataset.requireName(name) }
    }

    /// nil for one row at a time.
    func batchSize(_ dataset: Dataset) -> Int? {
        guard isBatched else { return nil }
        return size > 0 ? size : max(dataset.numRows, 1)
    }

    func call(_ row: JSONObject, _ index: Int) throws -> LuaValue {
        try call(row, number: index + 1)
    }

    /// `columns`: from name to a sequence; nulls are nil.
    func call(_ columns: JSONObject, _ rows: Range<Int>) throws -> LuaValue {
        try call(columns, number: rows.map { $0 + 1 })
    }

    private func call(_ values: JSONObject, number: any IntoLua) throws -> LuaValue {
        var arguments: [any IntoLua] = [values]
        if let inputs { arguments = inputs.map { values[$0] ?? .null } }
        if passesIndex { arguments.append(number) }
        return try function.callAll(arguments).first ?? .nil
    }
}

/// Lua's truth.
private func isTrue(_ value: LuaValue) -> Bool {
    switch value {
    case .nil, .boolean(false): false
    default: true
    }
}

/// What the function given to `map` returns, in the order that columns get; `place` is for errors.
private func newFields(_ result: LuaValue, _ place: String) throws -> JSONObject {
    if case .nil = result { return [:] }
    guard let table = result.table else {
        throw LuaError.mismatch(
            path: "result of the function", expected: "table or nil", got: result.typeName)
    }
    do {
        switch try JSONValue(.table(table)) {
        case .object(let fields):
            return JSONObject(ColumnOrder.sorted(fields.keys).map { ($0, fields[$0] ?? .null) })
        case .array(let values) where values.isEmpty: return [:]
        default:
            throw LuaError.mismatch(path: "", expected: "table with named fields", got: "sequence")
        }
    } catch let error as LuaError {
        throw error.within("result of the function for \(place)")
    }
}

private func newColumns(
    _ result: LuaValue, _ rows: Range<Int>
) throws -> [(name: String, values: [JSONValue])] {
    try newFields(result, words(rows)).map { name, value in
        switch value {
        case .array(let values): return (name, values)
        default:
            throw LuaError.mismatch(
                path: "\(name) in the result of the function for \(words(rows))",
                expected: "sequence", got: "single value")
        }
    }
}

/// As many as the function returned: nil would be no element at all.
private func choices(_ result: LuaValue, _ rows: Range<Int>) throws -> [Bool] {
    let place = "result of the function for \(words(rows))"
    do {
        guard let table = result.table, let values = try JSONValue(.table(table)).arrayValue else {
            throw LuaError.mismatch(
                path: "", expected: "sequence of \(rows.count) booleans", got: result.typeName)
        }
        return values.map { $0 != .bool(false) }
    } catch let error as LuaError {
        throw error.within(place)
    }
}

private func words(_ rows: Range<Int>) -> String {
    rows.count == 1 ? "row \(rows.upperBound)" : "rows \(rows.lowerBound + 1) to \(rows.upperBound)"
}
