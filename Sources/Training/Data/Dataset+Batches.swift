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
        batchesOf size: Int, dropsLast: Bool = false, removing removed: [String] = [],
        _ transform: (JSONObject, Range<Int>) throws -> [(name: String, values: [JSONValue])]
    ) throws -> Dataset {
        var result = MappedRows(of: self, removing: removed)
        for rows in try batches(of: size, owner: "map") {
            if dropsLast && rows.count < size { break }
            let columns = try columns(of: rows)
            var new = JSONObject()
            for (name, values) in columns where !result.removes(name) { new[name] = values }
            for (name, values) in try transform(columns, rows) {
                result.returns(name)
                new[name] = .array(values)
            }
            let (names, values) = try aligned(new, rows)
            for row in 0..<(values.first?.count ?? 0) {
                result.append(JSONObject(zip(names, values).map { ($0, $1[row]) }))
            }
        }
        return try result.finish()
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

/// The rows that `map` makes.
struct MappedRows {
    private let old: Dataset
    private let removed: Set<UTF8Key>
    private let types: [UTF8Key: FeatureType]
    /// Columns that the function has returned, whose values may be of another type.
    private var returned = Set<UTF8Key>()
    private var builder: RowBuilder

    init(of old: Dataset, removing removed: [String]) {
        self.old = old
        self.removed = Set(removed.map(UTF8Key.init))
        types = Dictionary(
            old.features.map { (UTF8Key($0.name), $0.type) },
            uniquingKeysWith: { first, _ in first }
        )
        builder = RowBuilder(types: types)
    }

    func removes(_ name: String) -> Bool { removed.contains(UTF8Key(name)) }

    /// To be told of the columns of a row or batch before it is appended.
    mutating func returns(_ name: String) {
        if returned.insert(UTF8Key(name)).inserted { builder.forgetType(of: UTF8Key(name)) }
    }

    mutating func append(_ row: JSONObject) { builder.append(row) }

    func finish() throws -> Dataset {
        // No row says which columns there would be.
        if builder.count == 0 {
            return try old.slice(0..<0).selectColumns(old.columnNames.filter { !removes($0) })
        }
        let columns = try builder.finish().map { name, storage in
            guard returned.contains(UTF8Key(name)), let type = types[UTF8Key(name)],
                type != storage.type, type != .null
            else { return (name: name, storage: storage) }
            let kept = try FeatureCast.column(storage, to: type, name: name)
            return (name: name, storage: kept ?? storage)
        }
        return try Dataset(storages: columns)
    }
}
