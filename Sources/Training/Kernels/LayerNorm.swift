// Layer normalisation, fused with what comes before it in a post-norm transformer: the bias of the
// layer below, dropout and the residual.

/// v = dropout(product + bias) + residual;  output = weight ⊙ x̂ + bias with x̂ = (v − mean) · rstd.
///
/// rstd = 1 / √(variance + epsilon), variance without Bessel's correction, both over one row.
///
/// - product: [rows, C]; becomes x̂ when `rstd` is given, is scratch otherwise
/// - productBias: [C] or nil   - dropout: mask of the product, or nil
/// - residual: [rows, C] or nil   - weight, bias: [C]   - output: [rows, C], assigned; may be
///   `residual`   - rstd: [rows] or nil
/// - firstRow: number of the first row in the packed batch, for the mask
///
/// Source: Ba, Kiros, Hinton 2016, arXiv:1607.06450; torch.nn.LayerNorm. Checked by
/// `LayerNormTests`.
package func layerNormForward(
    rows: Int, columns: Int, firstRow: Int, product: Floats, productBias: ConstFloats?,
    dropout: DropoutSite?, residual: ConstFloats?, weight: ConstFloats, bias: ConstFloats,
    epsilon: Float, output: Floats, rstd: Floats?
) {
    let scale = 1 / Float(columns)
    for row in 0..<rows {
        let x = product + row &* columns
        let y = output + row &* columns
        let mask = dropout?.row(firstRow &+ row, offset: (firstRow &+ row) &* columns)

        var total = Lanes(repeating: 0)
        @inline(__always) func addUp(_ index: Int, _ end: Int) {
            var v = load(x, index, end)
            if let productBias { v += load(productBias, index, end) }
            if let mask { v *= mask.factors(index) }
            if let residual { v += load(residual + row &* columns, index, end) }
            store(x, index, end, v)
            total += v
        }
        forEachLanes(columns, addUp)
        let mean = sum(total) * scale

        var squares = Lanes(repeating: 0)
        @inline(__always) func square(_ index: Int, _ end: Int) {
            let centred = clear(load(x, index, end) - mean, index, end)
            squares = multiplyAdd(centred, centred, squares)
        }
        forEachLanes(columns, square)
        let inverse = 1 / (sum(squares) * scale + epsilon).squareRoot()

        @inline(__always) func scaleAndShift(_ index: Int, _ end: Int) {
            let normal = (load(x, index, end) - mean) * inverse
            if rstd != nil { store(x, index, end, normal) }
            store(
                y, index, end,
                multiplyAdd(normal, load(weight, index, end), load(bias, index, end)))
        }
        forEachLanes(columns, scaleAndShift)
        rstd?[row] = inverse
    }
}

/// Gradient of ``layerNormForward``.
///
///     g = weight ⊙ dOutput
///     dv = rstd · (g − avg(g) − x̂ · avg(g ⊙ x̂))          avg over C
///     dResidual = dv      dProduct = dropout mask ⊙ dv
///     dWeight += Σ dOutput ⊙ x̂    dBias += Σ dOutput    dProductBias += Σ dProduct
///
/// - dOutput: [rows, C]   - normal: [rows, C], x̂ of the forward pass; becomes dProduct
/// - dResidual: [rows, C], assigned, or nil; may be `dOutput`
/// - dWeight, dBias, dProductBias: [C]; the last may be nil
package func layerNormBackward(
    rows: Int, columns: Int, firstRow: Int, dOutput: ConstFloats, normal: Floats,
    rstd: ConstFloats, weight: ConstFloats, dropout: DropoutSite?, dResidual: Floats?,
    dWeight: Floats, dBias: Floats, dProductBias: Floats?
) {
    let scale = 1 / Float(columns)
    for row in 0..<rows {
        let x = normal + row &* columns
        let dy = dOutput + row &* columns
        let mask = dropout?.row(firstRow &+ row, offset: (firstRow &+ row) &* columns)

        var sumG = Lanes(repeating: 0)
        var sumGX = Lanes(repeating: 0)
        @inline(__always) func addUp(_ index: Int, _ end: Int) {
            let upstream = load(dy, index, end)
            let normal = load(x, index, end)
            let g = upstream * load(weight, index, end)
            sumG += g
            sumGX = multiplyAdd(g, normal, sumGX)
            store(
                dWeight, index, end,
                multiplyAdd(upstream, normal, load(dWeight, index, end)))
            store(dBias, index, end, load(dBias, index, end) + upstream)
        }
        forEachLanes(columns, addUp)
        let meanG = sum(sumG) * scale
        let meanGX = sum(sumGX) * scale
        let inverse = rstd[row]

        @inline(__always) func subtract(_ index: Int, _ end: Int) {
            let g = load(dy, index, end) * load(weight, index, end)
            let rest = multiplyAdd(-meanGX, load(x, index, end), g - meanG)
            let dv = rest * inverse
            var dProduct = dv
            if let mask { dProduct *= mask.factors(index) }
            if let dResidual { store(dResidual + row &* columns, index, end, dv) }
            store(x, index, end, dProduct)
            if let dProductBias {
                store(dProductBias, index, end, load(dProductBias, index, end) + dProduct)
            }
        }
        forEachLanes(columns, subtract)
    }
}

/// output = weight ⊙ x̂ + bias once more from what ``layerNormForward`` kept, the same bits.
///
/// - normal: [rows, C], x̂   - weight, bias: [C]   - output: [rows, C], assigned
package func layerNormOutput(
    rows: Int, columns: Int, normal: ConstFloats, weight: ConstFloats, bias: ConstFloats,
    output: Floats
) {
    for row in 0..<rows {
        let x = normal + row &* columns
        let y = output + row &* columns
        @inline(__always) func scaleAndShift(_ index: Int, _ end: Int) {
            store(
                y, index, end,
                multiplyAdd(
                    load(x, index, end), load(weight, index, end),
                    load(bias, index, end)))
        }
        forEachLanes(columns, scaleAndShift)
    }
}
