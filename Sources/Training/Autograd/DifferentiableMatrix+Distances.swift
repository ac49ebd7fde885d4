// Distances of all rows with all rows, and the best numbers of rows: what torch has as cdist and topk.

extension DifferentiableMatrix {
    /// Negative distances of all rows with all rows of `other`: [rows, other.rows].
    ///
    /// - function: euclidean or manhattan. The gradient at distance 0 is 0, as in torch.
    /// - Throws: `TrainingError.argument` when the widths differ.
    public func distances(
        _ other: DifferentiableMatrix, _ function: SimilarityFunction
    ) throws -> DifferentiableMatrix {
        let out = try function.matrix(value, other.value)
        let width = columns
        /// Adds d result / d x for the rows of `x`; `slope(i, j)` is d loss / d distance of x_i and y_j.
        func add(_ x: Matrix, _ y: Matrix, _ dX: Floats, _ slope: (Int, Int) -> Float) {
            for i in 0..<x.rows {
                let (a, target) = (x.rowPointer(i), dX + i * width)
                for j in 0..<y.rows {
                    let b = y.rowPointer(j)
                    var factor = slope(i, j)
                    if function == .manhattan {
                        for c in 0..<width where a[c] != b[c] {
                            target[c] += a[c] > b[c] ? factor : -factor
                        }
                        continue
                    }
                    var squares: Float = 0
                    for c in 0..<width { squares += (a[c] - b[c]) * (a[c] - b[c]) }
                    guard squares != 0 else { continue }
                    factor /= squares.squareRoot()
                    for c in 0..<width { target[c] += factor * (a[c] - b[c]) }
                }
            }
        }
        return try .result("\(function.rawValue)_sim", [self, other], out) { [self] dOut in
            accumulate { dX in add(value, other.value, dX) { -dOut[$0, $1] } }
            other.accumulate { dX in add(other.value, value, dX) { -dOut[$1, $0] } }
        }
    }

    /// The `count` largest (or smallest) numbers of every row, best first, and their places from 0.
    public func topk(
        _ count: Int, largest: Bool = true
    ) throws -> (values: DifferentiableMatrix, places: [[Int]]) {
        let places = (0..<rows).map { value.topPlaces(row: $0, count, largest: largest) }
        return (try gather(places), places)
    }
}
