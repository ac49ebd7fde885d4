// Linear layers with bfloat16 operands and float32 sums, the products of mixed precision training.
//
// Operands are rounded to bfloat16 (to nearest, ties to even) right before a product; what the layers
// hand each other, gradients and master weights stay float32. An element's sum runs over k in the
// same order whatever the number of rows or threads.
import CKernels

package typealias Halves = UnsafeMutablePointer<UInt16>

package enum BFloat16 {
    /// What multiplies: AMX's tiles, the dot products of AVX512_BF16, or plain C, which is slow and
    /// there for tests on processors without either.
    package enum Unit: Sendable {
        case plain, vectors, tiles

        fileprivate var code: st_bf16_unit {
            switch self {
            case .plain: st_bf16_none
            case .vectors: st_bf16_vectors
            case .tiles: st_bf16_tiles
            }
        }
    }

    /// The instructions that this machine has, the fastest first.
    package static let units: [Unit] =
        switch st_bf16_best_unit() {
        case st_bf16_tiles: [.tiles, .vectors]
        case st_bf16_vectors: [.vectors]
        default: []
        }

    /// Sizes that the tiles of the instructions divide.
    package static func fits(_ sizes: Int...) -> Bool { sizes.allSatisfy { $0 % 32 == 0 } }

    /// Values of scratch that ``bfloat16Forward`` and ``bfloat16BackwardInput`` need.
    package static func scratchCount(rows: Int, columns: Int) -> Int {
        (rows + 31) / 32 * 32 * columns
    }

    /// Rows of a weight gradient's depth that are laid out at once.
    fileprivate static let depth = 512

    /// Values of scratch that ``bfloat16BackwardWeight`` needs for `outputs` rows of a gradient.
    package static func weightScratchCount(inputs: Int, outputs: Int) -> Int {
        depth * (inputs + outputs)
    }
}

/// A weight as the right operand of both products, [inputs · outputs] values each.
package struct BFloat16Weight {
    package let forward: Halves
    package let backward: Halves
    /// What multiplies with it.
    package let unit: BFloat16.Unit

    package init(forward: Halves, backward: Halves, unit: BFloat16.Unit) {
        self.forward = forward
        self.backward = backward
        self.unit = unit
    }

    /// Rounds `weight` [outputs, inputs] for ``bfloat16Forward``.
    package func packForward(inputs: Int, outputs: Int, weight: ConstFloats) {
        st_bf16_panels_transposed(inputs, outputs, weight, inputs, forward)
    }

    /// The same for ``bfloat16BackwardInput``.
    package func packBackward(inputs: Int, outputs: Int, weight: ConstFloats) {
        st_bf16_panels(outputs, inputs, weight, inputs, backward)
    }
}

/// ``linearForward`` in bfloat16: output = input · weightᵀ.
package func bfloat16Forward(
    rows: Int, inputs: Int, outputs: Int, input: ConstFloats, weight: BFloat16Weight,
    output: Floats, scratch: Halves
) {
    st_bf16_rows(rows, inputs, input, inputs, scratch)
    st_bf16_product(
        weight.unit.code, rows, outputs, inputs, scratch, weight.forward, output, outputs, false)
}

/// ``linearBackwardInput`` in bfloat16: dInput = dOutput · weight, or += with `accumulate`.
package func bfloat16BackwardInput(
    rows: Int, inputs: Int, outputs: Int, dOutput: ConstFloats, weight: BFloat16Weight,
    dInput: Floats, accumulate: Bool, scratch: Halves
) {
    st_bf16_rows(rows, outputs, dOutput, outputs, scratch)
    st_bf16_product(
        weight.unit.code, rows, inputs, outputs, scratch, weight.backward, dInput, inputs,
        accumulate)
}

/// ``linearBackwardWeight`` in bfloat16: the rows `range` of dWeight += dOutputᵀ · input.
///
/// - scratch: ``BFloat16/weightScratchCount(inputs:outputs:)`` values for the rows of `range`
///
/// Rows are taken 512 at a time; all of their `input` is laid out at once, as rows read from end to
/// end come faster than columns.
package func bfloat16BackwardWeight(
    rows: Int, inputs: Int, outputs: Int, range: Range<Int>, dOutput: ConstFloats,
    input: ConstFloats, dWeight: Floats, unit: BFloat16.Unit, scratch: Halves
) {
    let depth = min((rows + 31) / 32 * 32, BFloat16.depth)
    let left = scratch
    let panels = left + depth * range.count
    for first in stride(from: 0, to: rows, by: depth) {
        let count = min(depth, rows - first)
        let full = (count + 31) / 32 * 32
        st_bf16_transposed(
            count, range.count, dOutput + (first * outputs + range.lowerBound), outputs, left)
        st_bf16_panels(count, inputs, input + first * inputs, inputs, panels)
        st_bf16_product(
            unit.code, range.count, inputs, full, left, panels,
            dWeight + range.lowerBound * inputs, inputs, true)
    }
}
