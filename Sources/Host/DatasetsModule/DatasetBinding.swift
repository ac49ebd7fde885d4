// The Lua class Dataset: rows by number, columns by name. The methods that DatasetDict has, too, are
// in DatasetTransformations.swift, those that write in DatasetWriting.swift.

import LuaBridge
import OrderedJSON
import Training

func datasetClass() -> LuaClass<Dataset> {
    let dataset = LuaClass<Dataset>(
        "Dataset",
        doc: "Rows of named, typed columns. A dataset never changes; methods make new ones.")
    addConstruction(to: dataset)
    addFields(to: dataset)
    addRowMethods(to: dataset)
    addColumnMethods(to: dataset)
    addTransformations(to: dataset) { dataset, change in try change(dataset) }
    addWriting(to: dataset)
    return dataset
}

// MARK: - Construction

private func addConstruction(to dataset: LuaClass<Dataset>) {
    let order = LuaParameter.keyword(
        "column_names", .sequence(.string), .computed("by role, then by name"),
        "The order of the columns, which a table of fields does not have.")
    dataset
        .staticFunction(
            "from_dict", [.required("mapping", .map(.any), "Column name to sequence."), order],
            doc: "A dataset of columns."
        ) { arguments in
            let table: LuaTable = try arguments["mapping"]
            var columns: [UTF8Key: [JSONValue]] = [:]
            let fields = try namedFields(table, "mapping", expected: "column names")
            for (name, value) in fields {
                do {
                    columns[UTF8Key(name)] = try columnValues(value)
                } catch let error as LuaError {
                    throw error.within(name)
                }
            }
            let names = try columnOrder(fields.map(\.name), arguments)
            return try Dataset(columns: names.map { ($0, columns[UTF8Key($0)] ?? []) })
        }
        .staticFunction(
            "from_list", [.required("mapping", .sequence(.table), "One table per row."), order],
            doc: "A dataset of rows; a field that a row lacks is nil there."
        ) { arguments in
            let rows: [JSONObject] = try arguments["mapping"]
            var seen = Set<UTF8Key>()
            let found = rows.flatMap(\.keys).filter { seen.insert(UTF8Key($0)).inserted }
            let names = try columnOrder(found, arguments)
            return try Dataset(
                columns: names.map { name in (name, rows.map { $0[name] ?? .null }) })
        }
}

/// A column given as a sequence or as another dataset's column.
private func columnValues(_ value: LuaValue) throws -> [JSONValue] {
    if let column = value.object(as: ColumnObject.self) { return Array(try column.column()) }
    guard value.table != nil, case .array(let values) = try JSONValue(value) else {
        throw LuaError.mismatch(path: "", expected: "sequence", got: value.typeName)
    }
    return values
}

private func columnOrder(_ found: [String], _ arguments: LuaArguments) throws -> [String] {
    guard let given: [String] = try arguments["column_names"] else {
        return ColumnOrder.sorted(found)
    }
    for name in given where !found.hasText(name) {
        throw LuaError.unknown(
            kind: "column", name: name, owner: "column_names", valid: found.sorted())
    }
    if let missing = found.sorted().first(where: { !given.hasText($0) }) {
        throw arguments.invalid("column_names", "column '\(missing)' is missing")
    }
    return given
}

// MARK: - Fields, rows and columns

private func addFields(to dataset: LuaClass<Dataset>) {
    dataset
        .property("column_names", .sequence(.string), doc: "In order.", get: { $0.columnNames })
        .property("num_rows", .integer, get: { $0.numRows })
        .property("num_columns", .integer, get: { $0.columnNames.count })
        .property("shape", .sequence(.integer), get: { [$0.numRows, $0.columnNames.count] })
        .property(
            "features", .table,
            doc: "Column name to type: \"string\", \"int64\", \"list<float64>\", or a ClassLabel.",
            get: { dataset in
                ValuesByName(
                    try dataset.features.map { (name: $0.name, value: try FeatureValue($0.type)) })
            }
        )
        .index(names: { $0.columnNames }) { dataset, key in
            if let name = key.string {
                return dataset.columnNames.hasText(name) ? ColumnObject(name, dataset) : nil
            }
            if let number = key.integer {
                return try element(dataset.numRows, number, "Dataset") { try dataset.row($0) }
            }
            if let table = key.table { return try columns(dataset, table) }
            return nil
        }
        .length { $0.numRows }
        .pairs { dataset in
            // An iterator can't fail; values that are still in a file are read here.
            for name in dataset.columnNames { _ = try dataset.column(name) }
            var row = 0
            return AnyIterator {
                guard row < dataset.numRows, let values = try? dataset.row(row) else { return nil }
                defer { row += 1 }
                return (row + 1, values)
            }
        }
        .tostring { $0.summary(indent: "") }
        .memory { $0.numRows * 8 }
}

/// `ds[{1, 3}]`: the rows of those numbers as a table of columns, as Python's `ds[[0, 2]]`.
private func columns(_ dataset: Dataset, _ numbers: LuaTable) throws -> JSONObject {
    var rows: [Int] = []
    for place in 0..<(try numbers.count) {
        rows.append(try numbers.get(place + 1, as: Int.self))
    }
    let selected = try dataset.select(try zeroBased(rows, dataset.numRows, "Dataset"))
    return JSONObject(
        try selected.columnNames.map { name in
            (name, .array(Array(try selected.requireColumn(name))))
        })
}

/// Row numbers of a script to row numbers of a dataset.
private func zeroBased(_ numbers: [Int], _ count: Int, _ owner: String) throws -> [Int] {
    try numbers.map { number in
        guard number >= 1, number <= count else {
            let hint = number == 0 ? "; rows are counted from 1" : ""
            throw LuaError.message("\(owner): row \(number) is out of range 1 to \(count)\(hint)")
        }
        return number - 1
    }
}

extension Dataset {
    /// As Python prints it.
    func summary(indent: String) -> String {
        let names = columnNames.map { "'\($0)'" }.joined(separator: ", ")
        return "Dataset({\n\(indent)    features: [\(names)],\n\(indent)    num_rows: \(numRows)\n"
            + "\(indent)})"
    }
}

extension FeatureType {
    /// Short name: what Python's `str(feature.dtype)` says.
    var name: String {
        switch self {
        case .classLabel: "int64"
        case .list(let element): "list<\(element.name)>"
        case .structure(let fields):
            "struct<" + fields.map { "\($0.name): \($0.type.name)" }.joined(separator: ", ") + ">"
        case .json: "json"
        default: valueName ?? ""
        }
    }
}

// MARK: - Rows

private func addRowMethods(to dataset: LuaClass<Dataset>) {
    let size = LuaType.number
    dataset
        .method(
            "select",
            [
                .required(
                    "indices", .union([.sequence(.integer), .object("Column")]),
                    "Row numbers, from 1.")
            ], doc: "The rows of those numbers, in that order."
        ) { dataset, arguments in
            let value: LuaValue = try arguments["indices"]
            let column = value.object(as: ColumnObject.self)
            let numbers: [Int] = try column?.integers() ?? arguments["indices"]
            return try dataset.select(try zeroBased(numbers, dataset.numRows, "indices"))
        }
        .method(
            "take", [.required("n", .integer, range: .atLeast(0))], doc: "The first n rows."
        ) { dataset, arguments in
            let count: Int = try arguments["n"]
            return dataset.slice(0..<count)
        }
        .method(
            "skip", [.required("n", .integer, range: .atLeast(0))], doc: "All but the first n rows."
        ) { dataset, arguments in
            let count: Int = try arguments["n"]
            return dataset.slice(min(count, dataset.numRows)..<dataset.numRows)
        }
        .method(
            "train_test_split",
            [
                .optional("test_size", size, nil, "A share (0.1) or a number of rows (500)."),
                .optional("train_size", size, nil, "The rest of test_size when not given."),
                .optional("shuffle", .boolean, true), seedParameter,
            ], doc: "A DatasetDict with the splits train and test."
        ) { dataset, arguments in
            let parts = try dataset.trainTestSplit(
                testSize: try splitSize(arguments, "test_size"),
                trainSize: try splitSize(arguments, "train_size"),
                shuffle: try arguments["shuffle"], seed: try arguments.seed())
            return DatasetDictObject(
                DatasetDict([("train", parts.train), ("test", parts.test)]))
        }
}

/// An integer is a number of rows, a float a share of them, as in Python.
private func splitSize(_ arguments: LuaArguments, _ name: String) throws -> Dataset.SplitSize? {
    let value: LuaValue = try arguments[name]
    switch value {
    case .integer(let rows): return .rows(rows)
    case .number(let share): return .fraction(share)
    default: return nil
    }
}

// MARK: - Columns

private func addColumnMethods(to dataset: LuaClass<Dataset>) {
    dataset
        .method(
            "add_column",
            [
                .required("name", .string),
                .required("column", .union([.sequence(.any), .object("Column")])),
            ], doc: "With one more column at the end."
        ) { dataset, arguments in
            let values: LuaValue = try arguments["column"]
            return try dataset.addColumn(try arguments["name"], try columnValues(values))
        }
        .method(
            "unique", [.required("column", .string)], doc: "The different values of a column."
        ) { dataset, arguments in
            try dataset.unique(try arguments["column"])
        }
}
