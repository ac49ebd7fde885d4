// Rows kept as bfloat16 between the passes of mixed precision, and what rounds and widens them.
//
// Autocast hands bfloat16 from a layer's product to what follows it. Here the two widest products of a
// layer (query, key and value; the first feed-forward one) are rounded with their bias and kept so, which
// is half their memory. The gradients that take their place are rounded, too, and so is what the backward
// pass makes again of the inputs of weights: products would round them anyway. Counts of columns are
// multiples of 16.
import CKernels

package typealias ConstHalves = UnsafePointer<UInt16>

/// values ← values + bias, rounded to bfloat16.
///
/// - values: [rows, columns]   - bias: [columns], or nil for a layer without
/// - kept: [rows, columns], the same values, or nil where nobody needs them
package func addBiasRounded(
    rows: Int, columns: Int, bias: ConstFloats?, values: Floats, kept: Halves?
) {
    for row in 0..<rows {
        let target = values + row &* columns
        var index = 0
        while index < columns {
            var x = load(target + index)
            if let bias { x += load(bias + index) }
            let rounded = st_rounded(x)
            store(target + index, st_widened(rounded))
            if let kept { st_store_halves(kept + (row &* columns &+ index), rounded) }
            index &+= laneCount
        }
    }
}

/// Gradient of ``addBiasRounded(rows:columns:bias:values:kept:)``: kept ← dValues, rounded; dBias += the
/// column sums of dValues as they are.
///
/// - dValues, kept: [rows, columns]   - dBias: [columns], or nil for a layer without
package func addBiasRoundedBackward(
    rows: Int, columns: Int, dValues: ConstFloats, kept: Halves, dBias: Floats?
) {
    if let dBias {
        addBiasBackward(rows: rows, columns: columns, dValues: dValues, dBias: dBias)
    }
    round(count: rows &* columns, values: dValues, into: kept)
}

/// rounded ← values, `count` of them.
package func round(count: Int, values: ConstFloats, into rounded: Halves) {
    var index = 0
    while index < count {
        st_store_halves(rounded + index, st_rounded(load(values + index)))
        index &+= laneCount
    }
}

/// values ← kept, `count` of them.
package func widen(count: Int, kept: ConstHalves, into values: Floats) {
    var index = 0
    while index < count {
        store(values + index, st_widened(st_load_halves(kept + index)))
        index &+= laneCount
    }
}

/// ``layerNormOutput(rows:columns:normal:weight:bias:output:)``, rounded.
///
/// - normal: [rows, C], x̂   - weight, bias: [C]   - output: [rows, C], assigned
package func layerNormOutputRounded(
    rows: Int, columns: Int, normal: ConstFloats, weight: ConstFloats, bias: ConstFloats,
    output: Halves
) {
    for row in 0..<rows {
        let start = row &* columns
        var index = 0
        while index < columns {
            let y = multiplyAdd(
                load(normal + (start &+ index)), load(weight + index), load(bias + index))
            st_store_halves(output + (start &+ index), st_rounded(y))
            index &+= laneCount
        }
    }
}
