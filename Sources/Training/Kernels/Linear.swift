// Linear layers over packed tokens: three products, and the bias.
//
// Where there is AVX-512 the products are our own: a BLAS library copies both operands at each call,
// for shapes of any size, which at a few hundred tokens takes a tenth of the time.
import CKernels
import COpenBLAS

/// output = input · weightᵀ, or += with `accumulate`; the bias is left to the next kernel.
///
/// - input: [rows, inputs]   - weight: [outputs, inputs]   - output: [rows, outputs]
///
/// Source: torch.nn.Linear's layout, y = x Wᵀ + b.
package func linearForward(
    rows: Int, inputs: Int, outputs: Int, input: ConstFloats, weight: ConstFloats,
    output: Floats, accumulate: Bool = false
) {
    if st_f32_has_products() {
        st_f32_times_transposed(
            rows, outputs, inputs, input, weight, output, accumulate)
        return
    }
    cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs),
        blasint(inputs), 1, input, blasint(inputs), weight, blasint(inputs), accumulate ? 1 : 0,
        output, blasint(outputs))
}

/// dInput = dOutput · weight, or += with `accumulate`.
///
/// - dOutput: [rows, outputs]   - weight: [outputs, inputs]   - dInput: [rows, inputs]
package func linearBackwardInput(
    rows: Int, inputs: Int, outputs: Int, dOutput: ConstFloats, weight: ConstFloats,
    dInput: Floats, accumulate: Bool
) {
    if st_f32_has_products() {
        st_f32_times(rows, inputs, outputs, dOutput, weight, dInput, accumulate)
        return
    }
    cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(rows), blasint(inputs),
        blasint(outputs), 1, dOutput, blasint(outputs), weight, blasint(inputs),
        accumulate ? 1 : 0, dInput, blasint(inputs))
}

/// dWeight[o, i] += Σ over rows of dOutput[r, o] · input[r, i] for the rows `range` of dWeight; = without
/// `accumulate`.
///
/// - dOutput: [rows, outputs]   - input: [rows, inputs]   - dWeight: [outputs, inputs]
///
/// `range` cuts the product into tiles for several threads; each element is summed in the same
/// order whoever computes its tile.
package func linearBackwardWeight(
    rows: Int, inputs: Int, outputs: Int, range: Range<Int>, dOutput: ConstFloats,
    input: ConstFloats, dWeight: Floats, accumulate: Bool = true
) {
    if st_f32_has_products() {
        st_f32_transposed_times(
            range.count, inputs, rows, dOutput + range.lowerBound, outputs, input,
            dWeight + range.lowerBound * inputs, accumulate)
        return
    }
    cblas_sgemm(
        CblasRowMajor, CblasTrans, CblasNoTrans, blasint(range.count), blasint(inputs),
        blasint(rows), 1, dOutput + range.lowerBound, blasint(outputs), input, blasint(inputs),
        accumulate ? 1 : 0, dWeight + range.lowerBound * inputs, blasint(inputs))
}

/// Adds `bias` [columns] to every row of `values` [rows, columns].
package func addBias(rows: Int, columns: Int, bias: ConstFloats, values: Floats) {
    for row in 0..<rows {
        let target = values + row &* columns
        @inline(__always) func add(_ index: Int, _ end: Int) {
            store(
                target, index, end,
                load(target, index, end) + load(bias, index, end))
        }
        forEachLanes(columns, add)
    }
}

/// dBias[c] += Σ over rows of dValues[r, c]: the gradient of ``addBias(rows:columns:bias:values:)``.
///
/// Four rows are added before the sum is touched, in a fixed order.
package func addBiasBackward(rows: Int, columns: Int, dValues: ConstFloats, dBias: Floats) {
    var row = 0
    while row &+ 4 <= rows {
        let first = dValues + row &* columns
        let second = first + columns
        let third = second + columns
        let fourth = third + columns
        @inline(__always) func addRows(_ index: Int, _ end: Int) {
            let pair = load(first, index, end) + load(second, index, end)
            let other = load(third, index, end) + load(fourth, index, end)
            store(dBias, index, end, load(dBias, index, end) + (pair + other))
        }
        forEachLanes(columns, addRows)
        row &+= 4
    }
    while row < rows {
        accumulate(count: columns, source: dValues + row &* columns, into: dBias)
        row &+= 1
    }
}

/// destination += source, `count` values.
package func accumulate(count: Int, source: ConstFloats, into destination: Floats) {
    @inline(__always) func add(_ index: Int, _ end: Int) {
        store(
            destination, index, end,
            load(destination, index, end) + load(source, index, end))
    }
    forEachLanes(count, add)
}
