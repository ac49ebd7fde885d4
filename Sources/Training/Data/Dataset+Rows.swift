public import OrderedJSON
import RandomGenerators

// Datasets with other rows, or the same in another order. None of these copies values, except
// `map` and `concatenated`.

extension Dataset {
    /// Rows by number, counted from 0, in the given order; a row may come more than once.
    public func select(_ rows: some Sequence<Int>) throws -> Dataset {
        let rows = Array(rows)
        if let wrong = rows.first(where: { $0 < 0 || $0 >= numRows }) {
            throw TrainingError.argument(
                owner: "select", name: "indices",
                problem: "row \(wrong) is out of range, the dataset has \(numRows) rows")
        }
        return view(rows)
    }

    /// The rows of a range, clamped to the rows there are.
    public func slice(_ range: Range<Int>) -> Dataset {
        let range = range.clamped(to: 0..<numRows)
        return range == 0..<numRows ? self : view(Array(range))
    }

    /// The order that `datasets.Dataset.shuffle(seed=seed)` gives.
    /// - seed: `nil` takes one from the system.
    public func shuffled(seed: UInt64? = nil) -> Dataset {
        var generator = PCG64(seed: seed ?? UInt64.random(in: .min ... .max))
        return view(generator.permutation(numRows))
    }

    /// Rows for which `isIncluded` holds. It gets the row and its number.
    public func filter(_ isIncluded: (JSONObject, Int) throws -> Bool) throws -> Dataset {
        var kept: [Int] = []
        for index in 0..<numRows where try isIncluded(row(index), index) { kept.append(index) }
        return view(kept)
    }

    /// Rows in the order of a column: stable. NaN and then null come last whatever the direction,
    /// or with `nullsFirst` null and then NaN first.
    public func sorted(
        by name: String, descending: Bool = false, nullsFirst: Bool = false
    ) throws -> Dataset {
        let column = try requireColumn(name)
        let rows = 0..<numRows
        func isNaN(_ row: Int) -> Bool {
            if case .float = column.type { column.double(at: row)?.isNaN == true } else { false }
        }
        let nulls = rows.filter { column.isNull(at: $0) }
        let nans = rows.filter(isNaN)
        let others = rows.filter { !column.isNull(at: $0) && !isNaN($0) }
        func ordered<Key>(
            _ key: (Int) -> Key?, _ isLess: (Key, Key) -> Bool
        ) throws -> [Int] {
            let keys = try others.map { row in
                guard let key = key(row) else {
                    throw TrainingError.argument(
                        owner: "sort", name: "column_names",
                        problem: "column '\(name)' of type \(column.type) can't be sorted",
                        hint: "sort by a column of strings, numbers or booleans")
                }
                return key
            }
            return others.indices.sorted { left, right in
                if isLess(keys[left], keys[right]) { return !descending }
                if isLess(keys[right], keys[left]) { return descending }
                return left < right
            }.map { others[$0] }
        }
        let order: [Int]
        switch column.type {
        case .string:
            order = try ordered(column.string(at:)) {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
        case .integer, .classLabel, .bool: order = try ordered(column.int(at:), <)
        default: order = try ordered(column.double(at:), <)
        }
        return view(nullsFirst ? nulls + nans + order : order + nans + nulls)
    }

    /// Every row replaced by what `transform` makes of it and its number. Members that the result
    /// leaves out keep their values, as in Python's `map`; null can't be told from absent there.
    /// Columns keep their types as long as the values fit; otherwise the values alone say the type.
    public func map(
        removing removed: [String] = [],
        _ transform: (JSONObject, Int) throws -> JSONObject
    ) throws -> Dataset {
        var result = MappedRows(of: self, removing: removed)
        var bytes = 0
        for index in 0..<numRows {
            let old = try row(index)
            var new = JSONObject()
            for (key, value) in old where !result.removes(key) { new[key] = value }
            for (key, value) in try transform(old, index) {
                result.returns(key)
                new[key] = value
            }
            result.append(new)
            for (_, value) in new { bytes += value.roughSize }
            // While it grows; what it holds in the end is counted with the dataset.
            if index % 256 == 255 { try MemoryAdmission.check(taken: bytes) }
        }
        return try result.finish()
    }

    /// Row numbers of this dataset as seen by a new one; they must be in range.
    func view(_ rows: [Int]) -> Dataset {
        let stored = indices.map { old in rows.map { old[$0] } } ?? rows
        return Dataset(
            columnNames: columnNames, storages: storages, indices: stored, numRows: rows.count)
    }
}

extension JSONValue {
    /// About the bytes that a column needs for it.
    fileprivate var roughSize: Int {
        switch self {
        case .string(let text): text.utf8.count + 2
        case .array(let values): values.reduce(8) { $0 + $1.roughSize }
        case .object(let object): object.reduce(8) { $0 + $1.key.utf8.count + $1.value.roughSize }
        default: 8
        }
    }
}

// MARK: - Splitting

extension Dataset {
    /// Size of a part: a share of the rows or a number of them.
    public enum SplitSize: Sendable {
        case fraction(Double)
        case rows(Int)
    }

    /// A train and a test part, the rows that `datasets.Dataset.train_test_split` picks.
    /// - testSize: rounded up to whole rows; without both sizes 25 % of the rows.
    /// - trainSize: rounded down; `nil` takes what the other leaves.
    public func trainTestSplit(
        testSize: SplitSize? = nil, trainSize: SplitSize? = nil, shuffle: Bool = true,
        seed: UInt64? = nil
    ) throws -> (train: Dataset, test: Dataset) {
        if numRows == 0 { return (self, self) }
        let testSize = testSize ?? (trainSize == nil ? .fraction(0.25) : nil)
        try check(testSize, "test_size")
        try check(trainSize, "train_size")
        if case .fraction(let test)? = testSize, case .fraction(let train)? = trainSize,
            test + train > 1
        {
            throw TrainingError.argument(
                owner: "train_test_split", name: "train_size",
                problem: "test_size \(test) and train_size \(train) are more than the whole")
        }
        let wantedTest = testSize.map { count($0, .up) }
        let wantedTrain = trainSize.map { count($0, .down) }
        let testCount = wantedTest ?? numRows - (wantedTrain ?? 0)
        let trainCount = wantedTrain ?? numRows - testCount
        guard trainCount + testCount <= numRows else {
            throw TrainingError.argument(
                owner: "train_test_split", name: "train_size",
                problem: "\(trainCount) rows for training and \(testCount) for testing are more "
                    + "than the \(numRows) there are")
        }
        guard trainCount > 0 else {
            throw TrainingError.argument(
                owner: "train_test_split", name: "test_size",
                problem: "the train part of \(numRows) rows would be empty")
        }
        guard shuffle else {
            return (slice(0..<trainCount), slice(trainCount..<(trainCount + testCount)))
        }
        var generator = PCG64(seed: seed ?? UInt64.random(in: .min ... .max))
        let order = generator.permutation(numRows)
        return (
            view(Array(order[testCount..<(testCount + trainCount)])),
            view(Array(order[..<testCount]))
        )
    }

    private func check(_ size: SplitSize?, _ name: String) throws {
        switch size {
        case .fraction(let share)? where !(share > 0 && share < 1):
            throw TrainingError.argument(
                owner: "train_test_split", name: name,
                problem: "the share \(share) is not between 0 and 1")
        case .rows(let rows)? where rows <= 0 || rows >= numRows:
            throw TrainingError.argument(
                owner: "train_test_split", name: name,
                problem: "\(rows) rows are not between 1 and \(numRows - 1)",
                hint: "the dataset has \(numRows) rows")
        default: break
        }
    }

    private func count(_ size: SplitSize, _ rule: FloatingPointRoundingRule) -> Int {
        switch size {
        case .rows(let rows): rows
        case .fraction(let share): Int((share * Double(numRows)).rounded(rule))
        }
    }
}
