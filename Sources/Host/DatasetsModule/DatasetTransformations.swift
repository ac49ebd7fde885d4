// The methods that make new datasets from old ones: of a Dataset, and of every dataset of a
// DatasetDict at once.

import LuaBridge
import OrderedJSON
import Training

/// Adds the methods to a class.
/// - each: applies a change to the dataset, or to all datasets, that an object holds.
func addTransformations<Object: LuaObject>(
    to type: LuaClass<Object>,
    _ each: @escaping (Object, (Dataset) throws -> Dataset) throws -> Object
) {
    addOrders(to: type, each)
    addRenaming(to: type, each)
    addFunctionMethods(to: type, each)
}

let seedParameter = LuaParameter.optional(
    "seed", .integer, nil, range: .atLeast(0), "The same seed gives the rows that Python gives.")

// MARK: - Order of rows

private func addOrders<Object: LuaObject>(
    to type: LuaClass<Object>,
    _ each: @escaping (Object, (Dataset) throws -> Dataset) throws -> Object
) {
    type
        .method("shuffle", [seedParameter], doc: "The rows in random order.") { object, arguments in
            let seed: UInt64? = try arguments.seed()
            return try each(object) { $0.shuffled(seed: seed) }
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
        ) { object, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            let reverse = try sortDirections(arguments, names.values.count)
            let placement: String = try arguments["null_placement"]
            return try each(object) { dataset in
                // Sorting is stable, so the least important column goes first.
                try zip(names.values, reverse).reversed().reduce(dataset) { dataset, column in
                    try dataset.sorted(
                        by: column.0, descending: column.1, nullsFirst: placement == "at_start")
                }
            }
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

private func addRenaming<Object: LuaObject>(
    to type: LuaClass<Object>,
    _ each: @escaping (Object, (Dataset) throws -> Dataset) throws -> Object
) {
    let names = LuaParameter.required("column_names", .stringOrSequence)
    type
        .method(
            "rename_column",
            [
                .required("original_column_name", .string), .required("new_column_name", .string),
            ], doc: "The same columns, one with another name."
        ) { object, arguments in
            let old: String = try arguments["original_column_name"]
            let new: String = try arguments["new_column_name"]
            return try each(object) { try $0.renameColumns([(old, new)]) }
        }
        .method(
            "rename_columns", [.required("column_mapping", .map(.string), "Old name to new name.")],
            doc: "The same columns with other names."
        ) { object, arguments in
            let fields = try namedFields(
                try arguments["column_mapping"], "column_mapping", expected: "column names")
            let names = try fields.map { old, new in
                guard let text = new.string else {
                    throw LuaError.mismatch(
                        path: "column_mapping.\(old)", expected: "string", got: new.typeName)
                }
                return (old: old, new: text)
            }.sorted { $0.old.precedesInUTF8($1.old) }
            return try each(object) { try $0.renameColumns(names) }
        }
        .method("remove_columns", [names], doc: "Without these columns.") { object, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            return try each(object) { try $0.removeColumns(names.values) }
        }
        .method("select_columns", [names], doc: "Only these columns, in this order.") {
            object, arguments in
            let names: StringOrSequence = try arguments["column_names"]
            return try each(object) { try $0.selectColumns(names.values) }
        }
        .method(
            "class_encode_column",
            [
                .required("column", .string),
                .optional(
                    "include_nulls", .boolean, false, "Whether nil is a class, called None."),
            ],
            doc: "With the column's values as numbers of classes: features[column] has the names."
        ) { object, arguments in
            let column: String = try arguments["column"]
            let includesNulls: Bool = try arguments["include_nulls"]
            return try each(object) {
                try $0.classEncodedColumn(column, includesNulls: includesNulls)
            }
        }
}
