// Parts of matrices: slices, chosen rows and numbers, diagonals, joins. Places count from 0.

extension DifferentiableMatrix {
    /// Rows and columns of a block.
    public func slice(rows: Range<Int>, columns: Range<Int>) throws -> DifferentiableMatrix {
        for (range, limit, what) in [
            (rows, self.rows, "rows"), (columns, self.columns, "columns"),
        ] where range.lowerBound < 0 || range.upperBound > limit {
            throw TrainingError.data(
                problem: "slice: there are no \(what) \(range.lowerBound + 1) to"
                    + " \(range.upperBound) among \(limit)")
        }
        let out = Matrix(rows: rows.count, columns: columns.count)
        for (place, row) in rows.enumerated() {
            out.rowPointer(place).update(
                from: value.rowPointer(row) + columns.lowerBound, count: columns.count)
        }
        return try .result("slice", [self], out) { [self] dOut in
            accumulate { dX in
                for (place, row) in rows.enumerated() {
                    rowAdd(
                        dX + row * self.columns + columns.lowerBound, 1, dOut.rowPointer(place),
                        columns.count)
                }
            }
        }
    }

    /// The rows or columns at `places`, in that order and as often as named.
    public func indexSelect(_ axis: Axis, _ places: [Int]) throws -> DifferentiableMatrix {
        if axis == .columns { return try transpose().indexSelect(.rows, places).transpose() }
        try checkPlaces("index_select", places, below: rows, of: "rows")
        let out = try Matrix.sized(places.count, columns, for: "index_select")
        for (row, place) in places.enumerated() {
            out.rowPointer(row).update(from: value.rowPointer(place), count: columns)
        }
        return try .result("index_select", [self], out) { [self] dOut in
            accumulate { dX in
                for (row, place) in places.enumerated() {
                    rowAdd(dX + place * columns, 1, dOut.rowPointer(row), columns)
                }
            }
        }
    }

    /// From every row the numbers at its places: [rows, places per row].
    public func gather(_ places: [[Int]]) throws -> DifferentiableMatrix {
        let width = places.first?.count ?? 0
        guard places.count == rows, places.allSatisfy({ $0.count == width }) else {
            throw TrainingError.data(
                problem: "gather: expected \(rows) sequences of equal length, one for each row")
        }
        let flat = places.flatMap { $0 }
        try checkPlaces("gather", flat, below: columns, of: "columns")
        let out = Matrix(rows: rows, columns: width)
        for (index, place) in flat.enumerated() {
            out.storage[index] = value.storage[index / Swift.max(width, 1) * columns + place]
        }
        return try .result("gather", [self], out) { [self] dOut in
            accumulate { dX in
                for (index, place) in flat.enumerated() {
                    dX[index / Swift.max(width, 1) * columns + place] += dOut.storage[index]
                }
            }
        }
    }

    /// The numbers on the diagonal: one column.
    public func diagonal() throws -> DifferentiableMatrix {
        let count = Swift.min(rows, columns)
        let out = Matrix(rows: count, columns: 1)
        for index in 0..<count { out.storage[index] = value.storage[index * (columns + 1)] }
        return try .result("diagonal", [self], out) { [self] dOut in
            accumulate { dX in
                for index in 0..<count { dX[index * (columns + 1)] += dOut.storage[index] }
            }
        }
    }

    /// The same numbers, row after row, in another shape.
    public func reshape(rows: Int, columns: Int) throws -> DifferentiableMatrix {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows >= 0, columns >= 0, !overflow, count == self.rows * self.columns else {
            throw TrainingError.data(
                problem: "reshape: \(shapeText) can't become \(rows)x\(columns)",
                hint: "both need the same number of numbers")
        }
        let out = Matrix(rows: rows, columns: columns)
        out.storage.update(from: value.storage, count: count)
        return try .result("reshape", [self], out) { [self] dOut in
            accumulate { rowAdd($0, 1, dOut.storage, count) }
        }
    }

    /// Matrices one below the other (``Axis/rows``) or side by side.
    public static func concat(
        _ parts: [DifferentiableMatrix], _ axis: Axis = .rows
    ) throws -> DifferentiableMatrix {
        guard let first = parts.first else {
            throw TrainingError.data(problem: "cat: there is nothing to join")
        }
        let isBelow = axis == .rows
        for part in parts
        where isBelow ? part.columns != first.columns : part.rows != first.rows {
            throw TrainingError.data(
                problem: "cat: \(first.shapeText) and \(part.shapeText) do not fit each other",
                hint: "both need the same number of \(isBelow ? "columns" : "rows")")
        }
        let rows = isBelow ? parts.reduce(0) { $0 + $1.rows } : first.rows
        let columns = isBelow ? first.columns : parts.reduce(0) { $0 + $1.columns }
        let out = try Matrix.sized(rows, columns, for: "cat")
        /// Every row of every part with the place it has in the joined matrix.
        func forEachRow(_ body: (DifferentiableMatrix, Int, Int) -> Void) {
            var start = 0
            for part in parts {
                for row in 0..<part.rows {
                    body(part, row, isBelow ? (start + row) * columns : row * columns + start)
                }
                start += isBelow ? part.rows : part.columns
            }
        }
        forEachRow { part, row, place in
            (out.storage + place).update(from: part.value.rowPointer(row), count: part.columns)
        }
        return try result("cat", parts, out) { dOut in
            forEachRow { part, row, place in
                part.accumulate {
                    rowAdd($0 + row * part.columns, 1, dOut.storage + place, part.columns)
                }
            }
        }
    }
}
