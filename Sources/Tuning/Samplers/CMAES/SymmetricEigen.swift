// Eigenvalues and eigenvectors of small symmetric matrices.

/// The eigenvalues of a symmetric matrix and, as columns, its eigenvectors, by cyclic Jacobi
/// rotations; the values ascend.
///
/// - matrix: rows; only its symmetric part counts.
/// Source: Golub and Van Loan 2013, section 8.5. Checked by `CMAEvolutionTests`.
package func symmetricEigen(_ matrix: [[Double]]) -> (values: [Double], vectors: [[Double]]) {
    let count = matrix.count
    var a = (0..<count).map { row in
        (0..<count).map { (matrix[row][$0] + matrix[$0][row]) / 2 }
    }
    var vectors = identityMatrix(count)
    for _ in 0..<60 {
        var rest = 0.0
        var size = 0.0
        for row in 0..<count {
            for column in 0..<count {
                size += a[row][column] * a[row][column]
                if row != column { rest += a[row][column] * a[row][column] }
            }
        }
        if !(rest > size * 1e-32) { break }
        for p in 0..<count {
            for q in (p + 1)..<max(count, p + 1) where a[p][q] != 0 {
                rotate(&a, &vectors, p, q)
            }
        }
    }
    let order = (0..<count).sorted { a[$0][$0] < a[$1][$1] }
    return (order.map { a[$0][$0] }, vectors.map { row in order.map { row[$0] } })
}

/// Makes the element (p, q) zero.
private func rotate(_ a: inout [[Double]], _ vectors: inout [[Double]], _ p: Int, _ q: Int) {
    let theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let sign: Double = theta >= 0 ? 1 : -1
    let tangent = sign / (abs(theta) + (theta * theta + 1).squareRoot())
    let cosine = 1 / (tangent * tangent + 1).squareRoot()
    let sine = tangent * cosine
    for index in a.indices {
        let (left, right) = (a[index][p], a[index][q])
        a[index][p] = cosine * left - sine * right
        a[index][q] = sine * left + cosine * right
    }
    for index in a.indices {
        let (upper, lower) = (a[p][index], a[q][index])
        a[p][index] = cosine * upper - sine * lower
        a[q][index] = sine * upper + cosine * lower
    }
    for index in vectors.indices {
        let (left, right) = (vectors[index][p], vectors[index][q])
        vectors[index][p] = cosine * left - sine * right
        vectors[index][q] = sine * left + cosine * right
    }
}

func identityMatrix(_ count: Int) -> [[Double]] {
    (0..<count).map { row in (0..<count).map { row == $0 ? 1 : 0 } }
}

func product(_ matrix: [[Double]], _ vector: [Double]) -> [Double] {
    matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
}

/// Euclidean length.
func length(_ vector: [Double]) -> Double {
    vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
}
