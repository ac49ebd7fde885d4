// Changes that see some rows at a time, as columns.
public import OrderedJSON

extension Dataset {
    /// Batches of rows replaced by what `transform` makes of their columns and the rows' numbers.
    ///
    /// Columns that the result leaves out stay, unless they are in `removed`. Those of the result
    /// may be longer or shorter than the batch; then they all are, and no other column can stay.
    ///
    /// - size: rows of a batch, 1 or more; the last has what is left, or is left out
    /// - Throws: `TrainingError.argument` for columns of different lengths.
    public func map(
        batchesOf size: Int, dropsLast: Bool = false, removing removed: Set<String> = [],
        _ transform: (JSONObject, Range<Int>) throws -> [(name: String, values: [JSONValue])]
    ) throws -> Dataset {
        let types = Dictionary(uniqueKeysWithValues: features.map { ($0.name, $0.type) })
        var builder = RowBuilder(types: types)
        for rows in try batches(of: size, owner: "map") {
            if dropsLast && rows.count < size { break }
            let columns = try columns(of: rows)
            var new = JSONObject()
            for (name, values) in columns where !removed.contains(name) { new[name] = values }
            for (name, values) in try transform(columns, rows) { new[name] = .array(values) }
            let (names, values) = try aligned(new, rows)
            for row in 0..<(values.first?.count ?? 0) {
                builder.append(JSONObject(zip(names, values).map { ($0, $1[row]) }))
            }
        }
        return try Dataset(storages: builder.finish())
    }

    /// Rows for which `areIncluded`, given the columns of a batch and its rows' numbers, returns
    /// true.
    public func filter(
        batchesOf size: Int, _ areIncluded: (JSONObject, Range<Int>) throws -> [Bool]
    ) throws -> Dataset {
        var kept: [Int] = []
        for rows in try batches(of: size, owner: "filter") {
            let choices = try areIncluded(columns(of: rows), rows)
            guard choices.count == rows.count else {
                throw TrainingError.argument(
                    owner: "filter", name: "function",
                    problem: "it returned \(choices.count) choices for \(rows.count) rows")
            }
            kept += zip(rows, choices).compactMap { $1 ? $0 : nil }
        }
        return view(kept)
    }

    private func batches(of size: Int, owner: String) throws -> [Range<Int>] {
        guard size > 0 else {
            throw TrainingError.argument(
                owner: owner, name: "batch_size", problem: "is \(size), a batch has rows",
                hint: "use 1 or more")
        }
        return stride(from: 0, to: numRows, by: size).map { $0..<min($0 + size, numRows) }
    }

    /// From name to an array of values.
    private func columns(of rows: Range<Int>) throws -> JSONObject {
        var values = columnNames.map { _ in [JSONValue]() }
        for index in rows {
            for (place, member) in try row(index).enumerated() {
                values[place].append(member.value)
            }
        }
        return JSONObject(zip(columnNames, values).map { ($0, .array($1)) })
    }

    private func aligned(
        _ columns: JSONObject, _ rows: Range<Int>
    ) throws -> (names: [String], values: [[JSONValue]]) {
        var names: [String] = []
        var values: [[JSONValue]] = []
        for (name, value) in columns {
            let column = value.arrayValue ?? []
            if let first = values.first, let firstName = names.first, first.count != column.count {
                throw TrainingError.argument(
                    owner: "map", name: "function",
                    problem: "for rows \(rows.lowerBound + 1) to \(rows.upperBound) column "
                        + "'\(firstName)' has \(first.count) values and '\(name)' \(column.count)",
                    hint: "return columns of one length, and name those that keep another length "
                        + "in remove_columns")
            }
            names.append(name)
            values.append(column)
        }
        return (names, values)
    }
}
