// Distances between all sentences of a batch, for the losses that find their triplets by label.

/// The distances of the BatchTriplet losses.
public enum BatchDistanceMetric: String, Sendable, CaseIterable {
    /// ‖x − y‖₂; its gradient at 0 is 0.
    case euclidean = "euclidean_distance"
    /// 1 − cos(x, y).
    case cosine = "cosine_distance"
}

/// [n, n] distances of the rows of one column, and their gradient.
struct LabelledDistances {
    let count: Int
    /// Row after row; symmetric.
    let values: [Float]
    private let metric: BatchDistanceMetric
    private let rows: Matrix
    /// COSINE: the rows with length 1.
    private let unit: NormalizedRows?

    init(_ metric: BatchDistanceMetric, _ embeddings: Matrix) {
        self.metric = metric
        rows = embeddings
        count = embeddings.rows
        let (n, columns) = (embeddings.rows, embeddings.columns)
        var values = [Float](repeating: 0, count: n * n)
        switch metric {
        case .euclidean:
            unit = nil
            for i in 0..<n {
                for j in 0..<i {
                    let (x, y) = (embeddings.rowPointer(i), embeddings.rowPointer(j))
                    var sum: Float = 0
                    for c in 0..<columns { sum += (x[c] - y[c]) * (x[c] - y[c]) }
                    values[i * n + j] = sum.squareRoot()
                    values[j * n + i] = values[i * n + j]
                }
            }
        case .cosine:
            let normalized = NormalizedRows(
                embeddings.storage, rows: n, columns: columns, epsilon: 1e-12)
            unit = normalized
            for i in 0..<n {
                for j in 0...i {
                    let dot = rowDot(
                        normalized.unit.rowPointer(i), normalized.unit.rowPointer(j), columns)
                    values[i * n + j] = 1 - dot
                    values[j * n + i] = 1 - dot
                }
            }
        }
        self.values = values
    }

    subscript(_ i: Int, _ j: Int) -> Float { values[i * count + j] }

    /// Accumulates into `dRows` ([n, C]) for `dValues` ([n, n]), of which pairs both ways count.
    func backward(_ dValues: [Float], into dRows: UnsafeMutablePointer<Float>) {
        let columns = rows.columns
        let dUnit = unit.map { _ in Matrix(rows: count, columns: columns) }
        for i in 0..<count {
            for j in 0..<i {
                let slope = dValues[i * count + j] + dValues[j * count + i]
                if slope == 0 { continue }
                if let unit, let dUnit {
                    rowAdd(dUnit.rowPointer(i), -slope, unit.unit.rowPointer(j), columns)
                    rowAdd(dUnit.rowPointer(j), -slope, unit.unit.rowPointer(i), columns)
                    continue
                }
                let distance = self[i, j]
                guard distance > 0 else { continue }
                let scale = slope / distance
                let (x, y) = (rows.rowPointer(i), rows.rowPointer(j))
                let (dX, dY) = (dRows + i * columns, dRows + j * columns)
                for c in 0..<columns {
                    let d = scale * (x[c] - y[c])
                    dX[c] += d
                    dY[c] -= d
                }
            }
        }
        if let unit, let dUnit { unit.backward(dUnit.storage, into: dRows) }
    }
}
