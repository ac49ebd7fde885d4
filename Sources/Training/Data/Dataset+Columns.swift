public import OrderedJSON

// Datasets with other columns, and datasets put together.

extension Dataset {
    /// Other names for some columns; order and values stay.
    public func renameColumns(_ names: [(old: String, new: String)]) throws -> Dataset {
        var result = columnNames
        for (old, new) in names {
            try requireName(old)
            guard let place = columnNames.place(of: old) else { continue }
            guard !new.isEmpty else {
                throw TrainingError.argument(
                    owner: "rename_column", name: "new_column_name", problem: "the name is empty")
            }
            result[place] = new
        }
        var seen = Set<UTF8Key>()
        if let twice = result.first(where: { !seen.insert(UTF8Key($0)).inserted }) {
            throw TrainingError.argument(
                owner: "rename_column", name: "new_column_name",
                problem: "there would be two columns called '\(twice)'",
                hint: "choose a name that no column has")
        }
        return Dataset(
            columnNames: result, storages: storages, indices: indices, numRows: numRows)
    }

    /// Without the named columns.
    public func removeColumns(_ names: [String]) throws -> Dataset {
        for name in names { try requireName(name) }
        let removed = Set(names.map(UTF8Key.init))
        return try selectColumns(columnNames.filter { !removed.contains(UTF8Key($0)) })
    }

    /// Only the named columns, in the given order.
    public func selectColumns(_ names: [String]) throws -> Dataset {
        var seen = Set<UTF8Key>()
        let chosen = try names.map { name in
            guard seen.insert(UTF8Key(name)).inserted else {
                throw TrainingError.argument(
                    owner: "select_columns", name: "column_names",
                    problem: "'\(name)' is given twice")
            }
            try requireName(name)
            guard let place = columnNames.place(of: name) else {
                throw TrainingError.internalError("column '\(name)' has gone")
            }
            return (name, storages[place])
        }
        return Dataset(
            columnNames: chosen.map(\.0), storages: chosen.map(\.1), indices: indices,
            numRows: numRows)
    }

    /// With one more column at the end.
    public func addColumn(_ name: String, _ values: [JSONValue]) throws -> Dataset {
        guard values.count == numRows else {
            throw TrainingError.argument(
                owner: "add_column", name: "column",
                problem: "\(values.count) values for \(numRows) rows")
        }
        guard !columnNames.hasText(name) else {
            throw TrainingError.argument(
                owner: "add_column", name: "name", problem: "there is a column '\(name)' already",
                hint: "choose another name or remove that column first")
        }
        var builder = ColumnBuilder()
        guard let indices else {
            for value in values { builder.append(value) }
            return Dataset(
                columnNames: columnNames + [name], storages: storages + [builder.finish()],
                indices: nil, numRows: numRows)
        }
        // Stored rows that this dataset does not show get null.
        var stored = [JSONValue](repeating: .null, count: storages.first?.count ?? numRows)
        guard Set(indices).count == indices.count else {
            return try flattened().addColumn(name, values)
        }
        for (row, index) in indices.enumerated() { stored[index] = values[row] }
        for value in stored { builder.append(value) }
        return Dataset(
            columnNames: columnNames + [name], storages: storages + [builder.finish()],
            indices: indices, numRows: numRows)
    }

    /// The different values of a column in the order of their first appearance.
    public func unique(_ name: String) throws -> [JSONValue] {
        let column = try requireColumn(name)
        var seen = Set<String>()
        return column.filter { seen.insert($0.json()).inserted }
    }

    private static let mostRows = Int(Int32.max)

    /// The rows of all datasets, one dataset after the other. Columns are those of the first; a
    /// column that a dataset lacks is null in its rows, one that the first lacks goes to the end.
    public static func concatenated(_ datasets: [Dataset]) throws -> Dataset {
        guard let first = datasets.first else {
            throw TrainingError.argument(
                owner: "concatenate_datasets", name: "dsets", problem: "no dataset is given")
        }
        if datasets.count == 1 { return first }
        let rows = datasets.reduce(0) { $0.addingReportingOverflow($1.numRows).partialValue }
        guard rows >= 0, rows <= mostRows else {
            throw TrainingError.data(
                problem:
                    "concatenate_datasets: the datasets have more than \(mostRows) rows together",
                hint: "leave some out")
        }
        // Of what the values take, a number for each and the mark of null.
        let columns = datasets.reduce(0) { Swift.max($0, $1.columnNames.count) }
        try MemoryAdmission.check(rows, of: 9 * Swift.max(columns, 1))
        if datasets.allSatisfy({ $0.sharesValues(with: first) }) {
            let count = first.storages.first?.count ?? 0
            return Dataset(
                columnNames: first.columnNames, storages: first.storages,
                indices: datasets.flatMap { $0.indices ?? Array(0..<count) },
                numRows: datasets.reduce(0) { $0 + $1.numRows })
        }
        if let joined = joinedParts(datasets) { return joined }
        if columns == 0 {
            return Dataset(columnNames: [], storages: [], indices: nil, numRows: rows)
        }
        var names: [String] = []
        for dataset in datasets {
            for name in dataset.columnNames where !names.hasText(name) { names.append(name) }
        }
        return try Dataset(
            storages: names.map { name in
                var builder = ColumnBuilder(type: try commonType(of: name, datasets))
                for dataset in datasets {
                    if let column = try dataset.column(name) {
                        builder.append(column)
                    } else {
                        builder.appendNulls(dataset.numRows)
                    }
                }
                return (name, builder.finish())
            })
    }

    /// The type that the columns of that name have together.
    private static func commonType(of name: String, _ datasets: [Dataset]) throws -> FeatureType {
        let types = datasets.flatMap(\.features).filter { $0.name.hasSameUTF8(as: name) }.map(
            \.type)
        let type = types.reduce(FeatureType.null) { $0.union($1) }
        func isLabel(_ type: FeatureType) -> Bool {
            if case .classLabel = type { true } else { false }
        }
        guard
            type == .json && !types.contains(.json)
                || types.contains(where: isLabel) && !isLabel(type)
        else { return type }
        throw TrainingError.data(
            problem: "column '\(name)' has different types: "
                + Set(types.map(\.description)).sorted().joined(separator: ", "),
            hint: "convert or rename the column before concatenate_datasets")
    }

    /// Datasets with the same columns of the same types: their parts one after the other, without
    /// reading or copying a value. `nil` when they differ.
    private static func joinedParts(_ datasets: [Dataset]) -> Dataset? {
        guard let first = datasets.first, !first.columnNames.isEmpty,
            datasets.allSatisfy({ $0.features == first.features })
        else { return nil }
        let storages = first.storages.indices.map { place in
            ColumnStorage(
                type: first.storages[place].type,
                parts: datasets.flatMap { $0.storages[place].parts },
                conforms: datasets.contains { $0.storages[place].conforms })
        }
        var indices: [Int]?
        if datasets.contains(where: { $0.indices != nil }) {
            var rows: [Int] = []
            var start = 0
            for dataset in datasets {
                let count = dataset.storages.first?.count ?? 0
                rows += dataset.indices?.map { $0 + start } ?? Array(start..<(start + count))
                start += count
            }
            indices = rows
        }
        return Dataset(
            columnNames: first.columnNames, storages: storages, indices: indices,
            numRows: datasets.reduce(0) { $0 + $1.numRows })
    }

    /// The same rows with storage of their own.
    func flattened() throws -> Dataset {
        try Dataset(
            storages: columnNames.map { name in
                let column = try requireColumn(name)
                var builder = ColumnBuilder(type: column.type)
                builder.append(column)
                return (name, builder.finish())
            })
    }

    private func sharesValues(with other: Dataset) -> Bool {
        columnNames.hasSameTexts(as: other.columnNames) && !storages.isEmpty
            && zip(storages, other.storages).allSatisfy { $0 === $1 }
    }
}

extension ColumnBuilder {
    mutating func append(_ column: Column) {
        for row in 0..<column.count {
            if column.withUTF8(at: row, { append(utf8: $0) }) == nil {
                append(column.value(at: row))
            }
        }
    }
}
