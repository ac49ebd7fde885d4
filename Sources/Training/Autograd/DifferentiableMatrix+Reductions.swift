// Sums, means, extremes, norms, softmax and what is made of it. An axis left out means all numbers.

import Glibc

extension DifferentiableMatrix {
    /// The matrix as rows to reduce: all of it as one row without an axis.
    private func lines(_ axis: Axis?) -> (count: Int, length: Int) {
        axis == nil ? (1, rows * columns) : (rows, columns)
    }

    private func turned(
        _ body: (DifferentiableMatrix) throws -> DifferentiableMatrix
    ) throws -> DifferentiableMatrix {
        try body(transpose()).transpose()
    }

    private func needNumbers(_ operation: String, _ length: Int) throws {
        guard length > 0 else {
            throw TrainingError.data(
                problem: "\(operation): there is nothing to choose from in \(shapeText)")
        }
    }

    public func sum(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        try scaledSum("sum", axis, scale: 1)
    }

    /// NaN for no numbers, as in torch.
    public func mean(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        let count =
            switch axis {
            case nil: rows * columns
            case .rows: rows
            case .columns: columns
            }
        return try scaledSum("mean", axis, scale: count == 0 ? .nan : 1 / Float(count))
    }

    private func scaledSum(
        _ operation: String, _ axis: Axis?, scale: Float
    ) throws -> DifferentiableMatrix {
        if axis == .rows {
            let out = Matrix(rows: 1, columns: columns)
            for row in 0..<rows { rowAdd(out.storage, 1, value.rowPointer(row), columns) }
            for column in 0..<columns { out.storage[column] *= scale }
            return try .result(operation, [self], out) { [self] dOut in
                accumulate { dX in
                    for row in 0..<rows { rowAdd(dX + row * columns, scale, dOut.storage, columns) }
                }
            }
        }
        let (count, length) = lines(axis)
        let out = Matrix(rows: count, columns: 1)
        for line in 0..<count {
            // Long sums in double precision: a mean over a whole matrix keeps its digits.
            let row = value.storage + line * length
            var total = 0.0
            for start in stride(from: 0, to: length, by: 1024) {
                total += Double(rowSum(row + start, Swift.min(1024, length - start)))
            }
            out.storage[line] = Float(total * Double(scale))
        }
        return try .result(operation, [self], out) { [self] dOut in
            accumulate { dX in
                for line in 0..<count {
                    let part = Lanes(repeating: dOut.storage[line] * scale)
                    let target = dX + line * length
                    var index = 0
                    while index < length {
                        store(target, index, length, load(target, index, length) + part)
                        index &+= laneCount
                    }
                }
            }
        }
    }

    /// The largest number, or one for each row or column. Without an axis equal ones share the
    /// gradient; with one the first gets it, as in torch.
    public func max(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        try extreme("max", axis) { $0 > $1 }
    }

    public func min(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        try extreme("min", axis) { $0 < $1 }
    }

    private func extreme(
        _ operation: String, _ axis: Axis?, _ isBetter: (Float, Float) -> Bool
    ) throws -> DifferentiableMatrix {
        if axis == .rows { return try turned { try $0.extreme(operation, .columns, isBetter) } }
        let (count, length) = lines(axis)
        try needNumbers(operation, length)
        let out = Matrix(rows: count, columns: 1)
        var places: [Int] = []
        for line in 0..<count {
            let row = value.storage + line * length
            var best = 0
            for index in 1..<Swift.max(length, 1)
            where isBetter(row[index], row[best]) || row[index].isNaN && !row[best].isNaN {
                best = index
            }
            places.append(line * length + best)
            out.storage[line] = row[best]
        }
        return try .result(operation, [self], out) { [self] dOut in
            accumulate { dX in
                guard axis == nil else {
                    for (line, place) in places.enumerated() { dX[place] += dOut.storage[line] }
                    return
                }
                let best = out.storage[0]
                let all = (0..<length).filter { value.storage[$0] == best }
                for index in all { dX[index] += dOut.storage[0] / Float(all.count) }
            }
        }
    }

    /// Places of the largest numbers, from 0: one per row, or per column. NaN is the largest, as in
    /// torch.
    public func argmax(_ axis: Axis) throws -> [Int] {
        if axis == .rows { return try transpose().argmax(.columns) }
        try needNumbers("argmax", columns)
        return (0..<rows).map { row in
            let line = value.rowPointer(row)
            return (0..<columns).reduce(0) {
                line[$1] > line[$0] || line[$1].isNaN && !line[$0].isNaN ? $1 : $0
            }
        }
    }

    /// Euclidean length; its gradient at 0 is 0, as in torch.
    public func norm(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        if axis == .rows { return try turned { try $0.norm(.columns) } }
        let (count, length) = lines(axis)
        let out = Matrix(rows: count, columns: 1)
        for line in 0..<count {
            let row = value.storage + line * length
            out.storage[line] = rowDot(row, row, length).squareRoot()
        }
        return try .result("norm", [self], out) { [self] dOut in
            accumulate { dX in
                for line in 0..<count where out.storage[line] != 0 {
                    rowAdd(
                        dX + line * length, dOut.storage[line] / out.storage[line],
                        value.storage + line * length, length)
                }
            }
        }
    }
}

// MARK: Softmax

extension DifferentiableMatrix {
    /// e^x over their sum.
    public func softmax(_ axis: Axis) throws -> DifferentiableMatrix {
        if axis == .rows { return try turned { try $0.softmax(.columns) } }
        try needNumbers("softmax", columns)
        let out = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            _ = softmaxRow(value.rowPointer(row), columns, into: out.rowPointer(row))
        }
        return try .result("softmax", [self], out) { [self] dOut in
            accumulate { dX in
                for row in 0..<rows {
                    let y = out.rowPointer(row)
                    let gradient = dOut.rowPointer(row)
                    let target = dX + row * columns
                    let along = rowDot(y, gradient, columns)
                    for column in 0..<columns {
                        target[column] += y[column] * (gradient[column] - along)
                    }
                }
            }
        }
    }

    /// log Σ e^x.
    public func logsumexp(_ axis: Axis? = nil) throws -> DifferentiableMatrix {
        if axis == .rows { return try turned { try $0.logsumexp(.columns) } }
        let (count, length) = lines(axis)
        try needNumbers("logsumexp", length)
        let out = Matrix(rows: count, columns: 1)
        let parts = Matrix(rows: count, columns: length)
        for line in 0..<count {
            let row = value.storage + line * length
            out.storage[line] = softmaxRow(row, length, into: parts.rowPointer(line))
            // ∞ − ∞ is no number, yet the sum of infinite powers is infinite.
            if out.storage[line].isNaN, !(0..<length).contains(where: { row[$0].isNaN }) {
                out.storage[line] = .infinity
            }
        }
        return try .result("logsumexp", [self], out) { [self] dOut in
            accumulate { dX in
                for line in 0..<count {
                    rowAdd(
                        dX + line * length, dOut.storage[line], parts.rowPointer(line), length)
                }
            }
        }
    }

    /// x − log Σ e^x.
    public func logSoftmax(_ axis: Axis) throws -> DifferentiableMatrix {
        if axis == .rows { return try turned { try $0.logSoftmax(.columns) } }
        try needNumbers("log_softmax", columns)
        let out = Matrix(rows: rows, columns: columns)
        let parts = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            let source = value.rowPointer(row)
            let total = softmaxRow(source, columns, into: parts.rowPointer(row))
            let target = out.rowPointer(row)
            for column in 0..<columns { target[column] = source[column] - total }
        }
        return try .result("log_softmax", [self], out) { [self] dOut in
            accumulate { dX in
                for row in 0..<rows {
                    let total = rowSum(dOut.rowPointer(row), columns)
                    rowAdd(dX + row * columns, 1, dOut.rowPointer(row), columns)
                    rowAdd(dX + row * columns, -total, parts.rowPointer(row), columns)
                }
            }
        }
    }

    /// How `crossEntropy` makes one number, or none, of the rows' losses.
    public enum Reduction: String, Sendable, CaseIterable { case mean, sum, none }

    /// −log softmax(x)[target] of every row, as torch.nn.functional.cross_entropy.
    ///
    /// - targets: a column for each row, from 0.
    /// - labelSmoothing: share of the target's weight that is spread over all columns; 0...1.
    public func crossEntropy(
        _ targets: [Int], labelSmoothing: Double = 0, reduction: Reduction = .mean
    ) throws -> DifferentiableMatrix {
        let name = "cross_entropy"
        guard targets.count == rows else {
            throw TrainingError.data(
                problem: "\(name): expected \(rows) targets, one for each row, got \(targets.count)"
            )
        }
        try checkPlaces(name, targets, below: columns, of: "columns")
        let off = Float(labelSmoothing) / Float(columns)
        let on = Float(1 - labelSmoothing)
        let losses = Matrix(rows: rows, columns: 1)
        let parts = Matrix(rows: rows, columns: columns)
        for row in 0..<rows {
            let source = value.rowPointer(row)
            let total = softmaxRow(source, columns, into: parts.rowPointer(row))
            var loss = on * (total - source[targets[row]])
            if off > 0 { loss += off * (Float(columns) * total - rowSum(source, columns)) }
            losses.storage[row] = loss
        }
        let each = try DifferentiableMatrix.result(name, [self], losses) { [self] dOut in
            accumulate { dX in
                for row in 0..<rows {
                    let scale = dOut.storage[row]
                    let target = dX + row * columns
                    rowAdd(target, scale, parts.rowPointer(row), columns)
                    target[targets[row]] -= scale * on
                    if off > 0 { for column in 0..<columns { target[column] -= scale * off } }
                }
            }
        }
        switch reduction {
        case .mean: return try each.mean()
        case .sum: return try each.sum()
        case .none: return each
        }
    }

    func checkPlaces(
        _ operation: String, _ places: [Int], below limit: Int, of what: String
    ) throws {
        for place in places where place < 0 || place >= limit {
            // Messages count from 1, as scripts do.
            throw TrainingError.data(
                problem: "\(operation): there is no \(place + 1) among \(limit) \(what)")
        }
    }
}

/// out = softmax(x); returns log Σ e^x. A row of nothing but −∞ gives NaN and −∞.
private func softmaxRow(_ x: ConstFloats, _ count: Int, into out: Floats) -> Float {
    var lanes = Lanes(repeating: -.infinity)
    var index = 0
    while index < count {
        let end = index &+ laneCount <= count
        let part =
            end
            ? load(x + index)
            : load(x, index, count).replacing(
                with: -.infinity, where: laneIndices .>= Float(count &- index))
        lanes = maximum(part, lanes)
        index &+= laneCount
    }
    let top = largest(lanes)
    var total = 0.0
    index = 0
    while index < count {
        let shifted = load(x, index, count) - top
        let power = exponential(shifted).replacing(with: 0, where: shifted .< -87.3)
        store(out, index, count, power)
        total += Double(sum(clear(power, index, count)))
        index &+= laneCount
    }
    let inverse = Float(1 / total)
    for index in 0..<count { out[index] *= inverse }
    if top == -.infinity { return top }
    return top + Float(Glibc.log(total))
}

/// Σ x in 16 partial sums.
func rowSum(_ x: ConstFloats, _ count: Int) -> Float {
    var lanes = Lanes(repeating: 0)
    var index = 0
    while index < count {
        lanes += load(x, index, count)
        index &+= laneCount
    }
    return sum(lanes)
}
