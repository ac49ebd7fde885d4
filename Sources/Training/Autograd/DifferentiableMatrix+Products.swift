// Matrix products through BLAS, transposes, and the similarities made of them.

extension DifferentiableMatrix {
    /// self · other: [m, k] · [k, n] is [m, n].
    public func matmul(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        let (m, k, n) = (rows, columns, other.columns)
        guard other.rows == k else {
            throw TrainingError.data(
                problem: "matmul: \(shapeText) and \(other.shapeText) do not fit each other",
                hint: "the first needs as many columns as the second has rows")
        }
        let out = try Matrix.sized(m, n, for: "matmul")
        guard m > 0, k > 0, n > 0 else {
            return try .result("matmul", [self, other], out) { _ in }
        }
        multiply(value.storage, other.value.storage, m: m, n: n, k: k, into: out.storage)
        return try .result("matmul", [self, other], out) { [self] dOut in
            accumulate {
                multiplyTransposed(
                    dOut.storage, other.value.storage, m: m, n: k, k: n, accumulate: true, into: $0)
            }
            other.accumulate {
                transposedMultiply(
                    value.storage, dOut.storage, m: k, n: n, k: m, accumulate: true, into: $0)
            }
        }
    }

    /// self · otherᵀ, all rows with all rows: [m, k] and [n, k] give [m, n].
    public func dotScores(
        _ other: DifferentiableMatrix, operation: String = "dot_score"
    ) throws -> DifferentiableMatrix {
        let (m, k, n) = (rows, columns, other.rows)
        guard other.columns == k else {
            throw TrainingError.data(
                problem: "\(operation): \(shapeText) and \(other.shapeText) do not fit each other",
                hint: "both need the same number of columns")
        }
        let out = try Matrix.sized(m, n, for: operation)
        guard m > 0, k > 0, n > 0 else {
            return try .result(operation, [self, other], out) { _ in }
        }
        multiplyTransposed(value.storage, other.value.storage, m: m, n: n, k: k, into: out.storage)
        return try .result(operation, [self, other], out) { [self] dOut in
            accumulate {
                multiply(
                    dOut.storage, other.value.storage, m: m, n: k, k: n, accumulate: true, into: $0)
            }
            other.accumulate {
                transposedMultiply(
                    dOut.storage, value.storage, m: n, n: k, k: m, accumulate: true, into: $0)
            }
        }
    }

    public func transpose() throws -> DifferentiableMatrix {
        let out = Matrix(rows: columns, columns: rows)
        Self.addTransposed(value.storage, rows, columns, into: out.storage)
        return try .result("transpose", [self], out) { [self] dOut in
            accumulate { Self.addTransposed(dOut.storage, columns, rows, into: $0) }
        }
    }

    /// out += xᵀ, in blocks that stay in the cache.
    private static func addTransposed(
        _ x: ConstFloats, _ rows: Int, _ columns: Int, into out: Floats
    ) {
        let block = 32
        for top in stride(from: 0, to: rows, by: block) {
            for left in stride(from: 0, to: columns, by: block) {
                for row in top..<Swift.min(top + block, rows) {
                    for column in left..<Swift.min(left + block, columns) {
                        out[column &* rows &+ row] += x[row &* columns &+ column]
                    }
                }
            }
        }
    }

    /// Rows of unit length: x / max(‖x‖, ε), as torch.nn.functional.normalize.
    public func normalize(epsilon: Float = 1e-12) throws -> DifferentiableMatrix {
        let units = NormalizedRows(value.storage, rows: rows, columns: columns, epsilon: epsilon)
        return try .result("normalize", [self], units.unit) { [self] dOut in
            accumulate { units.backward(dOut.storage, into: $0) }
        }
    }

    /// Cosines of all rows with all rows of `other`.
    public func cosineSimilarity(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        guard other.columns == columns else {
            return try dotScores(other, operation: "cos_sim")
        }
        return try normalize().dotScores(other.normalize(), operation: "cos_sim")
    }

    /// Dot products row by row: one column.
    public func pairwiseDot(
        _ other: DifferentiableMatrix, operation: String = "pairwise_dot_score"
    ) throws -> DifferentiableMatrix {
        try checkPairs(other, operation)
        return try mul(other).sum(.columns)
    }

    /// Cosines row by row: one column.
    public func pairwiseCosine(_ other: DifferentiableMatrix) throws -> DifferentiableMatrix {
        try checkPairs(other, "pairwise_cos_sim")
        return try normalize().pairwiseDot(other.normalize(), operation: "pairwise_cos_sim")
    }

    private func checkPairs(_ other: DifferentiableMatrix, _ operation: String) throws {
        guard rows == other.rows, columns == other.columns else {
            throw TrainingError.data(
                problem: "\(operation): \(shapeText) and \(other.shapeText) are no pairs of rows",
                hint: "both need the same number of rows and columns")
        }
    }
}
