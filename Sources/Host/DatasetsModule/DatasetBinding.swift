// The Lua class Dataset: rows by number, columns by name, and the methods of Python's Dataset.

import LuaBridge
import OrderedJSON
import Parquet
import Training

func datasetClass() -> LuaClass<Dataset> {
    let dataset = LuaClass<Dataset>(
        "Dataset",
        doc: "Rows of named, typed columns. A dataset never changes; methods make new ones.")
    addConstruction(to: dataset)
    addFields(to: dataset)
    addRowMethods(to: dataset)
    addColumnMethods(to: dataset)
    addFunctionMethods(to: dataset)
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
            var columns: [String: [JSONValue]] = [:]
            for (key, value) in try table.pairs() {
                guard let name = key.string else {
                    throw LuaError.mismatch(
                        path: "mapping", expected: "column names", got: "a key of \(key.typeName)")
                }
                do {
                    columns[name] = try columnValues(value)
                } catch let error as LuaError {
                    throw error.within(name)
                }
            }
            let names = try columnOrder(Array(columns.keys), arguments)
            return try Dataset(columns: names.map { ($0, columns[$0] ?? []) })
        }
        .staticFunction(
            "from_list", [.required("mapping", .sequence(.table), "One table per row."), order],
            doc: "A dataset of rows; a field that a row lacks is nil there."
        ) { arguments in
            let rows: [JSONObject] = try arguments["mapping"]
            var seen = Set<String>()
            let found = rows.flatMap(\.keys).filter { seen.insert($0).inserted }
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
    for name in given where !found.contains(name) {
        throw LuaError.unknown(
            kind: "column", name: name, owner: "column_names", valid: found.sorted())
    }
    if let missing = found.sorted().first(where: { !given.contains($0) }) {
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
                try Dictionary(
                    uniqueKeysWithValues: dataset.features.map {
                        ($0.name, try FeatureValue($0.type))
                    })
            }
        )
        .index(names: { $0.columnNames }) { dataset, key in
            if let name = key.string {
                return dataset.columnNames.contains(name) ? ColumnObject(name, dataset) : nil
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

private let seed = LuaParameter.optional(
    "seed", .integer, nil, range: .atLeast(0), "The same seed gives the rows that Python gives.")

private func addRowMethods(to dataset: LuaClass<Dataset>) {
    let size = LuaType.number
    dataset
        .method(
            "select", [.required("indices", .sequence(.integer), "Row numbers, from 1.")],
            doc: "The rows of those numbers, in that order."
        ) { dataset, arguments in
            let numbers: [Int] = try arguments["indices"]
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
        .method("shuffle", [seed], doc: "The rows in random order.") { dataset, arguments in
            dataset.shuffled(seed: try arguments["seed"])
        }
        .method(
            "train_test_split",
            [
                .optional("test_size", size, nil, "A share (0.1) or a number of rows (500)."),
                .optional("train_size", size, nil, "The rest of test_size when not given."),
                .optional("shuffle", .boolean, true), seed,
            ], doc: "A DatasetDict with the splits train and test."
        ) { dataset, arguments in
            let parts = try dataset.trainTestSplit(
                testSize: try splitSize(arguments, "test_size"),
                trainSize: try splitSize(arguments, "train_size"),
                shuffle: try arguments["shuffle"], seed: try arguments["seed"])
            return DatasetDictObject(
                DatasetDict([("train", parts.train), ("test", parts.test)]))
        }
        .method(
            "sort",
            [
                .required("column_names", .stringOrSequence, "The first counts most."),
                .optional(
                    "reverse", .union([.boolean, .sequence(.boolean)]), false,
                    "Descending, for all columns or each."),
                .optional("null_placement", .oneOf(["at_end", "at_start"]), "at_end"),
            ], doc: "The rows in the order of one or more columns."
        ) { dataset, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            let reverse = try sortDirections(arguments, names.values.count)
            let placement: String = try arguments["null_placement"]
            // Sorting is stable, so the least important column goes first.
            return try zip(names.values, reverse).reversed().reduce(dataset) { dataset, column in
                try dataset.sorted(
                    by: column.0, descending: column.1, nullsFirst: placement == "at_start")
            }
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

private func sortDirections(_ arguments: LuaArguments, _ count: Int) throws -> [Bool] {
    let value: LuaValue = try arguments["reverse"]
    if let flag = value.boolean { return Array(repeating: flag, count: count) }
    let flags: [Bool] = try arguments["reverse"]
    guard flags.count == count else {
        throw arguments.invalid("reverse", "\(flags.count) values for \(count) columns")
    }
    return flags
}

/// One text or a sequence of texts.
struct StringOrSequence: FromLua {
    let values: [String]

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> StringOrSequence {
        if stack.kind(at: index) == .string {
            return StringOrSequence(values: [try String.fromLua(stack, at: index)])
        }
        return StringOrSequence(values: try [String].fromLua(stack, at: index))
    }
}

// MARK: - Columns

private func addColumnMethods(to dataset: LuaClass<Dataset>) {
    let names = LuaParameter.required("column_names", .stringOrSequence)
    dataset
        .method(
            "rename_column",
            [
                .required("original_column_name", .string), .required("new_column_name", .string),
            ], doc: "The same columns, one with another name."
        ) { dataset, arguments in
            let old: String = try arguments["original_column_name"]
            return try dataset.renameColumns([(old, try arguments["new_column_name"])])
        }
        .method(
            "rename_columns", [.required("column_mapping", .map(.string), "Old name to new name.")],
            doc: "The same columns with other names."
        ) { dataset, arguments in
            let mapping: [String: String] = try arguments["column_mapping"]
            return try dataset.renameColumns(
                mapping.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
        .method("remove_columns", [names], doc: "Without these columns.") { dataset, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            return try dataset.removeColumns(names.values)
        }
        .method("select_columns", [names], doc: "Only these columns, in this order.") {
            dataset, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            return try dataset.selectColumns(names.values)
        }
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
        .method(
            "class_encode_column",
            [
                .required("column", .string),
                .optional(
                    "include_nulls", .boolean, false, "Whether nil is a class, called None."),
            ],
            doc: "With the column's values as numbers of classes: features[column] has the names."
        ) { dataset, arguments in
            try dataset.classEncodedColumn(
                try arguments["column"], includesNulls: try arguments["include_nulls"])
        }
}

// MARK: - Functions of the script

private func addFunctionMethods(to dataset: LuaClass<Dataset>) {
    let withIndices = LuaParameter.optional(
        "with_indices", .boolean, false, "Call the function with the row's number, too.")
    dataset
        .method(
            "map",
            [
                .required("function", .function, "Gets a row, returns the fields to set."),
                withIndices,
                .optional("remove_columns", .stringOrSequence, nil, "Columns to leave out."),
            ], doc: "Every row with the fields that the function returns; nil leaves it as it is."
        ) { dataset, arguments in
            let function: LuaFunction = try arguments["function"]
            let passesIndex: Bool = try arguments["with_indices"]
            let removed: StringOrSequence? = try arguments["remove_columns"]
            for name in removed?.values ?? [] { try dataset.requireName(name) }
            return try dataset.map(removing: Set(removed?.values ?? [])) { row, index in
                let result: LuaValue =
                    passesIndex ? try function.call(row, index + 1) : try function.call(row)
                if case .nil = result { return [:] }
                guard let table = result.table else {
                    throw LuaError.mismatch(
                        path: "result of the function", expected: "table or nil",
                        got: result.typeName)
                }
                let fields = try fields(table, row: index)
                return JSONObject(
                    ColumnOrder.sorted(fields.keys).map { ($0, fields[$0] ?? .null) })
            }
        }
        .method(
            "filter",
            [
                .required("function", .function, "Gets a row, returns whether to keep it."),
                withIndices,
            ],
            doc: "The rows for which the function returns true."
        ) { dataset, arguments in
            let function: LuaFunction = try arguments["function"]
            let passesIndex: Bool = try arguments["with_indices"]
            return try dataset.filter { row, index in
                let result: LuaValue =
                    passesIndex ? try function.call(row, index + 1) : try function.call(row)
                switch result {
                case .nil, .boolean(false): return false
                default: return true
                }
            }
        }
}

private func fields(_ table: LuaTable, row: Int) throws -> JSONObject {
    do {
        switch try JSONValue(.table(table)) {
        case .object(let object): return object
        case .array(let values) where values.isEmpty: return [:]
        default:
            throw LuaError.mismatch(path: "", expected: "table with named fields", got: "sequence")
        }
    } catch let error as LuaError {
        throw error.within("result of the function for row \(row + 1)")
    }
}

// MARK: - Writing

private func addWriting(to dataset: LuaClass<Dataset>) {
    let path = LuaParameter.required("path_or_buf", .string, "The file to write.")
    dataset
        .method("to_json", [path], doc: "Writes JSON Lines; returns the number of bytes.") {
            dataset, arguments in
            let path: String = try arguments.path("path_or_buf")
            return try dataset.writeJSONLines(to: path)
        }
        .method("to_csv", [path], doc: "Writes CSV; returns the number of bytes.") {
            dataset, arguments in
            let path: String = try arguments.path("path_or_buf")
            return try dataset.writeCSV(to: path)
        }
        .method(
            "to_parquet",
            [
                path,
                .optional(
                    "batch_size", .integer, nil, range: .atLeast(1),
                    "Rows of a row group; as many as make up to 100 MB."),
                .keyword(
                    "compression",
                    .oneOf(ParquetWriter.Compression.allCases.map(\.rawValue)),
                    .computed("'snappy'")),
            ], doc: "Writes Parquet with the dataset's features; returns the number of bytes."
        ) { dataset, arguments in
            let compression: String? = try arguments["compression"]
            return try dataset.writeParquet(
                to: try arguments.path("path_or_buf"),
                compression: compression.flatMap(ParquetWriter.Compression.init) ?? .snappy,
                rowGroupRows: try arguments["batch_size"])
        }
        .method("to_list", [], doc: "The rows as a sequence of tables.") { dataset, _ in
            try (0..<dataset.numRows).map(dataset.row)
        }
        .method("to_dict", [], doc: "The columns as a table of sequences.") { dataset, _ in
            JSONObject(
                try dataset.columnNames.map { name in
                    (name, .array(Array(try dataset.requireColumn(name))))
                })
        }
}
