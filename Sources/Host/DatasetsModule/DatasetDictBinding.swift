// The Lua class DatasetDict: datasets by name, the splits of one load.

import LuaBridge
import Training

/// Named datasets as scripts hold them.
final class DatasetDictObject: LuaObject, Sendable {
    let dict: DatasetDict

    init(_ dict: DatasetDict) { self.dict = dict }
}

func datasetDictClass() -> LuaClass<DatasetDictObject> {
    let dict = LuaClass<DatasetDictObject>(
        "DatasetDict",
        doc: "Datasets by name: splits.train, pairs(splits). Methods that make new datasets are"
            + " applied to each.")
    addFields(to: dict)
    addTransformations(to: dict) { object, change in
        DatasetDictObject(
            DatasetDict(try object.dict.splits.map { ($0.name, try change($0.dataset)) }))
    }
    return dict
}

private func addFields(to dict: LuaClass<DatasetDictObject>) {
    /// A value for each dataset by its name.
    func each<Value: IntoLua>(
        _ object: DatasetDictObject, _ value: (Dataset) throws -> Value
    ) rethrows -> ValuesByName<Value> {
        ValuesByName(try object.dict.splits.map { (name: $0.name, value: try value($0.dataset)) })
    }
    dict.constructor([.required("datasets", .map(.object("Dataset")), "Name to dataset.")]) {
        arguments in
        let fields = try namedFields(
            try arguments["datasets"], "datasets", expected: "names of datasets")
        var datasets: [UTF8Key: Dataset] = [:]
        for (name, value) in fields {
            datasets[UTF8Key(name)] = value.object(as: Dataset.self)
        }
        return DatasetDictObject(
            DatasetDict(
                splitOrder(fields.map(\.name)).compactMap { name in
                    datasets[UTF8Key(name)].map { (name, $0) }
                }))
    }
    .property("num_rows", .table, doc: "Name to number of rows.") { object in
        each(object) { $0.numRows }
    }
    .property("num_columns", .table, doc: "Name to number of columns.") { object in
        each(object) { $0.columnNames.count }
    }
    .property("column_names", .table, doc: "Name to sequence of names.") { object in
        each(object) { $0.columnNames }
    }
    .property("shape", .table, doc: "Name to numbers of rows and columns.") { object in
        each(object) { [$0.numRows, $0.columnNames.count] }
    }
    .method(
        "unique", [.required("column", .string)],
        doc: "Name to the different values of a column there."
    ) { object, arguments in
        let column: String = try arguments["column"]
        return try each(object) { try $0.unique(column) }
    }
    .method("keys", [], doc: "The names of the splits, in order.") { object, _ in
        object.dict.names
    }
    .index(names: { $0.dict.names }) { object, key in
        key.string.flatMap { object.dict[$0] }
    }
    .length { $0.dict.splits.count }
    .pairs { object in
        var splits = object.dict.splits.makeIterator()
        return AnyIterator { splits.next().map { (key: $0.name, value: $0.dataset) } }
    }
    .tostring { object in
        let splits = object.dict.splits.map { name, dataset in
            "    \(name): \(dataset.summary(indent: "    "))\n"
        }
        return "DatasetDict({\n\(splits.joined())})"
    }
}

/// The usual order of splits: train, validation, test, then others by name.
func splitOrder(_ names: [String]) -> [String] {
    let usual = ["train", "validation", "dev", "test"]
    return names.sorted { left, right in
        let leftRank = usual.firstIndex(of: left) ?? usual.count
        let rightRank = usual.firstIndex(of: right) ?? usual.count
        return leftRank == rightRank ? left.precedesInUTF8(right) : leftRank < rightRank
    }
}
