// The few vector and matrix operations that losses and evaluators are made of: dot products and
// scaled sums of rows, L2 normalisation forward and backward, and products.
// Loss matrices are small (at most a few thousand sentences), so everything runs on the caller's
// thread; the result does not depend on the number of threads.

/// Σ x·y over `count` floats, in 16 partial sums.
@inline(__always)
package func rowDot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, _ count: Int) -> Float {
    var lanes = Lanes(repeating: 0)
    var index = 0
    while index + laneCount <= count {
        lanes = multiplyAdd(load(x + index), load(y + index), lanes)
        index += laneCount
    }
    var total = sum(lanes)
    while index < count {
        total += x[index] * y[index]
        index += 1
    }
    return total
}

/// out += scale · x.
@inline(__always)
package func rowAdd(
    _ out: UnsafeMutablePointer<Float>, _ scale: Float, _ x: UnsafePointer<Float>, _ count: Int
) {
    for index in 0..<count { out[index] += scale * x[index] }
}

/// Rows of unit length, and what the backward pass needs to know about the original ones.
package struct NormalizedRows {
    /// x / max(‖x‖, ε), [rows, columns].
    let unit: Matrix
    /// max(‖x‖, ε) of each row.
    let lengths: [Float]
    /// Whether ε was used instead of the length: then the length is a constant for the gradient.
    let clamped: [Bool]

    /// Normalises `rows` rows of `columns` floats, `stride` floats apart.
    /// torch.nn.functional.normalize uses ε = 1e-12, torch.cosine_similarity 1e-8.
    init(
        _ x: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil,
        epsilon: Float = 1e-12
    ) {
        let stride = stride ?? columns
        unit = Matrix(rows: rows, columns: columns)
        var lengths = [Float](repeating: 0, count: rows)
        var clamped = [Bool](repeating: false, count: rows)
        for row in 0..<rows {
            let source = x + row * stride
            let length = rowDot(source, source, columns).squareRoot()
            clamped[row] = length < epsilon
            lengths[row] = max(length, epsilon)
            let target = unit.rowPointer(row)
            let divisor = lengths[row]
            for column in 0..<columns { target[column] = source[column] / divisor }
        }
        self.lengths = lengths
        self.clamped = clamped
    }

    /// Gradient of the normalisation.
    ///
    ///     dX += (dUnit − unit · (unit · dUnit)) / ‖x‖          dX += dUnit / ε when clamped
    ///
    /// - dUnit: [rows, columns]   - dX: rows of `columns` floats, `stride` floats apart. Accumulates.
    func backward(
        _ dUnit: UnsafePointer<Float>, into dX: UnsafeMutablePointer<Float>, stride: Int? = nil
    ) {
        let columns = unit.columns
        let stride = stride ?? columns
        for row in 0..<unit.rows {
            let source = dUnit + row * columns
            let direction = UnsafePointer(unit.rowPointer(row))
            let along = clamped[row] ? 0 : rowDot(direction, source, columns)
            let target = dX + row * stride
            let inverse = 1 / lengths[row]
            for column in 0..<columns {
                target[column] += (source[column] - direction[column] * along) * inverse
            }
        }
    }
}

/// out = x · yᵀ, or += with `accumulate`; x [m, k], y [n, k].
package func multiplyTransposed(
    _ x: ConstFloats, _ y: ConstFloats, m: Int, n: Int, k: Int, accumulate: Bool = false,
    into out: Floats
) {
    linearForward(
        rows: m, inputs: k, outputs: n, input: x, weight: y, output: out, accumulate: accumulate)
}

/// out = x · y, or += with `accumulate`; x [m, k], y [k, n].
package func multiply(
    _ x: ConstFloats, _ y: ConstFloats, m: Int, n: Int, k: Int, accumulate: Bool = false,
    into out: Floats
) {
    linearBackwardInput(
        rows: m, inputs: n, outputs: k, dOutput: x, weight: y, dInput: out,
        accumulate: accumulate)
}

/// out = xᵀ · y, or += with `accumulate`; x [k, m], y [k, n].
package func transposedMultiply(
    _ x: ConstFloats, _ y: ConstFloats, m: Int, n: Int, k: Int, accumulate: Bool = false,
    into out: Floats
) {
    linearBackwardWeight(
        rows: k, inputs: n, outputs: m, range: 0..<m, dOutput: x, input: y, dWeight: out,
        accumulate: accumulate)
}
