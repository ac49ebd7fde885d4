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
        var index = 0
        while index < columns {
            var v = load(x, index, columns)
            if let productBias { v += load(productBias, index, columns) }
            if let mask { v *= mask.factors(index) }
            if let residual { v += load(residual + row &* columns, index, columns) }
            store(x, index, columns, v)
            total += v
            index &+= laneCount
        }
        let mean = sum(total) * scale

        var squares = Lanes(repeating: 0)
        index = 0
        while index < columns {
            let centred = clear(load(x, index, columns) - mean, index, columns)
            squares = multiplyAdd(centred, centred, squares)
            index &+= laneCount
        }
        let inverse = 1 / (sum(squares) * scale + epsilon).squareRoot()

        index = 0
        while index < columns {
            let normal = (load(x, index, columns) - mean) * inverse
            if rstd != nil { store(x, index, columns, normal) }
            store(
                y, index, columns,
                multiplyAdd(normal, load(weight, index, columns), load(bias, index, columns)))
            index &+= laneCount
        }
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
        var index = 0
        while index < columns {
            let upstream = load(dy, index, columns)
            let normal = load(x, index, columns)
            let g = upstream * load(weight, index, columns)
            sumG += g
            sumGX = multiplyAdd(g, normal, sumGX)
            store(
                dWeight, index, columns,
                multiplyAdd(upstream, normal, load(dWeight, index, columns)))
            store(dBias, index, columns, load(dBias, index, columns) + upstream)
            index &+= laneCount
        }
        let meanG = sum(sumG) * scale
        let meanGX = sum(sumGX) * scale
        let inverse = rstd[row]

        index = 0
        while index < columns {
            let g = load(dy, index, columns) * load(weight, index, columns)
            let rest = multiplyAdd(-meanGX, load(x, index, columns), g - meanG)
            let dv = rest * inverse
            var dProduct = dv
            if let mask { dProduct *= mask.factors(index) }
            if let dResidual { store(dResidual + row &* columns, index, columns, dv) }
            store(x, index, columns, dProduct)
            if let dProductBias {
                store(dProductBias, index, columns, load(dProductBias, index, columns) + dProduct)
            }
            index &+= laneCount
        }
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
        var index = 0
        while index < columns {
            store(
                y, index, columns,
                multiplyAdd(
                    load(x, index, columns), load(weight, index, columns),
                    load(bias, index, columns)))
            index &+= laneCount
        }
    }
}
