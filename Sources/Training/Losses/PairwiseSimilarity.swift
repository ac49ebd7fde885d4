// Similarities and distances of two columns, row by row, forward and backward: the building block
// of all losses over pairs, and of the evaluators.

/// A similarity or distance of one row with another.
public enum PairwiseFunction: Sendable, Equatable {
    /// u·v of rows divided by max(length, epsilon).
    case cosine(epsilon: Float)
    case dot
    /// ‖u − v + epsilon‖₂; its gradient at 0 is 0, as torch's norm has it.
    case euclidean(epsilon: Float)
    /// Σ|u − v + epsilon|.
    case manhattan(epsilon: Float)
    /// |cos + Σ(u₂v₁ − u₁v₂)| of unit rows and their halves: AnglE's score (arXiv:2309.12871).
    case angle
}

/// The scores of two columns and what their gradient needs.
package struct PairwiseScores {
    /// One score per row.
    package private(set) var values: [Float]
    private let function: PairwiseFunction
    private let u: UnsafeMutablePointer<Float>
    private let v: UnsafeMutablePointer<Float>
    private let rows: Int
    private let columns: Int
    private var unitU: NormalizedRows?
    private var unitV: NormalizedRows?
    /// AnglE: +1 or −1, the sign lost by the absolute value.
    private var signs: [Float] = []

    /// - u, v: [rows, columns], kept by pointer for ``backward(_:intoU:intoV:)``.
    package init(
        _ function: PairwiseFunction, _ u: UnsafeMutablePointer<Float>,
        _ v: UnsafeMutablePointer<Float>, rows: Int, columns: Int
    ) {
        self.function = function
        self.u = u
        self.v = v
        self.rows = rows
        self.columns = columns
        values = [Float](repeating: 0, count: rows)
        switch function {
        case .cosine(let epsilon):
            normalize(epsilon)
            for row in 0..<rows { values[row] = cosine(row) }
        case .dot:
            for row in 0..<rows {
                values[row] = rowDot(u + row * columns, v + row * columns, columns)
            }
        case .euclidean(let epsilon):
            for row in 0..<rows {
                values[row] = distance(row) {
                    let d = $0 + epsilon; return d * d
                }.squareRoot()
            }
        case .manhattan(let epsilon):
            for row in 0..<rows { values[row] = distance(row) { ($0 + epsilon).magnitude } }
        case .angle:
            normalize(1e-12)
            signs = [Float](repeating: 1, count: rows)
            for row in 0..<rows {
                let score = cosine(row) + sine(row)
                signs[row] = score < 0 ? -1 : score > 0 ? 1 : 0
                values[row] = score.magnitude
            }
        }
    }

    /// Accumulates into `dU` and `dV` ([rows, columns]) for `dScores`, one value per row.
    package func backward(
        _ dScores: [Float], intoU dU: UnsafeMutablePointer<Float>,
        intoV dV: UnsafeMutablePointer<Float>
    ) {
        switch function {
        case .cosine, .angle:
            guard let unitU, let unitV else { return }
            let dUnitU = Matrix(rows: rows, columns: columns)
            let dUnitV = Matrix(rows: rows, columns: columns)
            for row in 0..<rows {
                let sign = function == .angle ? signs[row] : 1
                let scale = dScores[row] * sign
                let x = UnsafePointer(unitU.unit.rowPointer(row))
                let y = UnsafePointer(unitV.unit.rowPointer(row))
                let dX = dUnitU.rowPointer(row)
                let dY = dUnitV.rowPointer(row)
                rowAdd(dX, scale, y, columns)
                rowAdd(dY, scale, x, columns)
                if function == .angle { angleBackward(scale, x, y, dX, dY) }
            }
            unitU.backward(dUnitU.storage, into: dU)
            unitV.backward(dUnitV.storage, into: dV)
        case .dot:
            for row in 0..<rows {
                let offset = row * columns
                rowAdd(dU + offset, dScores[row], v + offset, columns)
                rowAdd(dV + offset, dScores[row], u + offset, columns)
            }
        case .euclidean(let epsilon):
            for row in 0..<rows where values[row] > 0 {
                let scale = dScores[row] / values[row]
                differenceBackward(row, dU, dV) { ($0 + epsilon) * scale }
            }
        case .manhattan(let epsilon):
            for row in 0..<rows {
                let scale = dScores[row]
                differenceBackward(row, dU, dV) {
                    let d = $0 + epsilon
                    return d > 0 ? scale : d < 0 ? -scale : 0
                }
            }
        }
    }

    private mutating func normalize(_ epsilon: Float) {
        unitU = NormalizedRows(u, rows: rows, columns: columns, epsilon: epsilon)
        unitV = NormalizedRows(v, rows: rows, columns: columns, epsilon: epsilon)
    }

    private func cosine(_ row: Int) -> Float {
        guard let unitU, let unitV else { return 0 }
        return rowDot(unitU.unit.rowPointer(row), unitV.unit.rowPointer(row), columns)
    }

    /// Elements of the first half; an odd dimension is padded with one zero, as torch.chunk needs.
    private var half: Int { (columns + 1) / 2 }

    private func sine(_ row: Int) -> Float {
        guard let unitU, let unitV else { return 0 }
        let x = unitU.unit.rowPointer(row)
        let y = unitV.unit.rowPointer(row)
        let second = columns - half
        return rowDot(x + half, y, second) - rowDot(x, y + half, second)
    }

    private func angleBackward(
        _ scale: Float, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
        _ dX: UnsafeMutablePointer<Float>, _ dY: UnsafeMutablePointer<Float>
    ) {
        let second = columns - half
        rowAdd(dX + half, scale, y, second)
        rowAdd(dY, scale, x + half, second)
        rowAdd(dX, -scale, y + half, second)
        rowAdd(dY + half, -scale, x, second)
    }

    @inline(__always)
    private func distance(_ row: Int, _ term: (Float) -> Float) -> Float {
        let x = u + row * columns
        let y = v + row * columns
        var sum: Float = 0
        for column in 0..<columns { sum += term(x[column] - y[column]) }
        return sum
    }

    @inline(__always)
    private func differenceBackward(
        _ row: Int, _ dU: UnsafeMutablePointer<Float>, _ dV: UnsafeMutablePointer<Float>,
        _ derivative: (Float) -> Float
    ) {
        let offset = row * columns
        for column in offset..<offset + columns {
            let d = derivative(u[column] - v[column])
            dU[column] += d
            dV[column] -= d
        }
    }
}
