// Similarities of embeddings, as matrices and row by row.

/// `similarity_fn_name`; distances count negative, so that larger always means closer.
public enum SimilarityFunction: String, Sendable, CaseIterable {
    case cosine, dot, euclidean, manhattan

    /// All rows of `a` with all rows of `b`.
    ///
    /// - a: [n, C]   - b: [m, C]
    /// - Returns: [n, m]: cosine a·b / (‖a‖ ‖b‖), dot a·b, euclidean −‖a − b‖, manhattan −Σ|a − b|.
    /// - Throws: `TrainingError.argument` when the widths differ.
    public func matrix(_ a: Matrix, _ b: Matrix) throws -> Matrix {
        try check(a, b)
        let result = try Matrix.sized(a.rows, b.rows, for: "similarity")
        switch self {
        case .cosine: multiply(Self.normalized(a), Self.normalized(b), into: result)
        case .dot: multiply(a, b, into: result)
        case .euclidean, .manhattan:
            for row in 0..<a.rows {
                for column in 0..<b.rows {
                    result.storage[row * b.rows + column] = pair(
                        a.rowPointer(row), b.rowPointer(column), a.columns)
                }
            }
        }
        return result
    }

    /// Row i of `a` with row i of `b`.
    ///
    /// - Throws: `TrainingError.argument` when the shapes differ.
    public func pairwise(_ a: Matrix, _ b: Matrix) throws -> [Float] {
        try check(a, b)
        guard a.rows == b.rows else {
            throw TrainingError.argument(
                owner: "similarity_pairwise", name: "embeddings2",
                problem: "expected \(a.rows) rows as in embeddings1, found \(b.rows)")
        }
        let left = self == .cosine ? Self.normalized(a) : a
        let right = self == .cosine ? Self.normalized(b) : b
        return (0..<a.rows).map { row in
            pair(left.rowPointer(row), right.rowPointer(row), a.columns)
        }
    }

    private func check(_ a: Matrix, _ b: Matrix) throws {
        guard a.columns == b.columns else {
            throw TrainingError.argument(
                owner: "similarity", name: "embeddings2",
                problem: "expected \(a.columns) columns as in embeddings1, found \(b.columns)")
        }
    }

    private static func normalized(_ matrix: Matrix) -> Matrix {
        let result = Matrix(rows: matrix.rows, columns: matrix.columns)
        normalizeForward(
            rows: matrix.rows, columns: matrix.columns, input: matrix.storage,
            output: result.storage, norms: nil)
        return result
    }

    private func multiply(_ a: Matrix, _ b: Matrix, into result: Matrix) {
        guard a.rows > 0, b.rows > 0, a.columns > 0 else { return }
        linearForward(
            rows: a.rows, inputs: a.columns, outputs: b.rows, input: a.storage,
            weight: b.storage, output: result.storage)
    }

    /// One pair; for cosine both rows have length one already.
    private func pair(_ a: ConstFloats, _ b: ConstFloats, _ columns: Int) -> Float {
        var total = Lanes(repeating: 0)
        var index = 0
        while index < columns {
            let x = load(a, index, columns)
            let y = load(b, index, columns)
            switch self {
            case .cosine, .dot: total = multiplyAdd(x, y, total)
            case .euclidean: total = multiplyAdd(x - y, x - y, total)
            case .manhattan: total += magnitude(x - y)
            }
            index &+= laneCount
        }
        switch self {
        case .cosine, .dot: return sum(total)
        case .euclidean: return -sum(total).squareRoot()
        case .manhattan: return -sum(total)
        }
    }
}
