// Linear layers with bfloat16 operands and float32 sums, the products of mixed precision training.
//
// Operands are rounded to bfloat16 (to nearest, ties to even) right before a product; what the layers
// hand each other, gradients and master weights stay float32. An element's sum runs over k in the
// same order whatever the number of rows or threads.
//
// A dot product of bfloat16 vectors takes Intel's processors twice as long as the two multiplications and
// additions of float32 vectors that do the same (Emerald Rapids: 85 and 173 GFLOP/s a thread, of registers
// alone). Where there are no tiles, rounded values go through the float32 products there.
import CKernels

package typealias Halves = UnsafeMutablePointer<UInt16>

package enum BFloat16 {
    /// What multiplies.
    package enum Unit: Sendable {
        /// AMX's tiles.
        case tiles
        /// The dot products of AVX512_BF16.
        case vectors
        /// float32 products of rounded values, with AVX-512.
        case rounded
        /// Plain C: slow, for tests on any processor.
        case plain

        fileprivate var code: st_bf16_unit {
            switch self {
            case .tiles: st_bf16_tiles
            case .vectors: st_bf16_vectors
            case .rounded, .plain: st_bf16_none
            }
        }
    }

    /// The fastest that this machine has; nil if it has no bfloat16 instructions.
    package static let bestUnit: Unit? =
        switch st_bf16_best_unit() {
        case st_bf16_tiles: .tiles
        case st_bf16_vectors: st_bf16_has_fast_vectors() ? .vectors : .rounded
        default: nil
        }

    /// All that run on this machine.
    package static let units: [Unit] =
        (st_bf16_best_unit() == st_bf16_tiles ? [.tiles] : [])
        + (st_bf16_best_unit() != st_bf16_none ? [.vectors] : [])
        + (st_f32_has_products() ? [.rounded] : []) + [.plain]

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

/// A weight [outputs, inputs] as the right operand of both products.
package struct BFloat16Weight {
    package let inputs: Int
    package let outputs: Int
    /// What multiplies with it.
    package let unit: BFloat16.Unit
    private let weight: ConstFloats
    private let forward: Halves
    private let backward: Halves

    /// Values that the copies of a weight take, from which a unit multiplies.
    package static func copiesCount(inputs: Int, outputs: Int, unit: BFloat16.Unit) -> Int {
        unit == .rounded ? 0 : 2 * inputs * outputs
    }

    /// - copies: ``copiesCount(inputs:outputs:unit:)`` values, which ``packForward()`` and
    ///   ``packBackward()`` fill
    package init(
        _ weight: ConstFloats, inputs: Int, outputs: Int, unit: BFloat16.Unit, copies: Halves
    ) {
        self.weight = weight
        self.inputs = inputs
        self.outputs = outputs
        self.unit = unit
        forward = copies
        backward = copies + (unit == .rounded ? 0 : inputs * outputs)
    }

    /// Rounds the weight's present values for ``bfloat16Forward``.
    package func packForward() {
        guard unit != .rounded else { return }
        st_bf16_panels_transposed(inputs, outputs, weight, inputs, forward)
    }

    /// The same for ``bfloat16BackwardInput``.
    package func packBackward() {
        guard unit != .rounded else { return }
        st_bf16_panels(outputs, inputs, weight, inputs, backward)
    }

    fileprivate func multiplyForward(rows: Int, input: ConstHalves, output: Floats) {
        guard unit != .rounded else {
            st_rounded_times_transposed(rows, outputs, inputs, input, weight, output, false)
            return
        }
        st_bf16_product(
            unit.code, rows, outputs, inputs, input, forward, output, outputs, false)
    }

    fileprivate func multiplyBackward(
        rows: Int, dOutput: ConstHalves, dInput: Floats, accumulate: Bool
    ) {
        guard unit != .rounded else {
            st_rounded_times(rows, inputs, outputs, dOutput, weight, dInput, accumulate)
            return
        }
        st_bf16_product(
            unit.code, rows, inputs, outputs, dOutput, backward, dInput, inputs, accumulate)
    }
}

/// An operand of a product.
package enum Operand {
    /// Values that are rounded before a product in bfloat16.
    case floats(ConstFloats)
    /// bfloat16 values. Memory behind a left operand is read, up to a multiple of 32 rows.
    case halves(ConstHalves)
}

/// ``linearForward`` in bfloat16: output = input · weightᵀ.
///
/// - input: [rows, inputs]   - output: [rows, outputs]
/// - scratch: ``BFloat16/scratchCount(rows:columns:)`` values for rows of `inputs`
package func bfloat16Forward(
    rows: Int, input: Operand, weight: BFloat16Weight, output: Floats, scratch: Halves
) {
    weight.multiplyForward(
        rows: rows, input: rounded(input, rows, weight.inputs, scratch), output: output)
}

/// ``linearBackwardInput`` in bfloat16: dInput = dOutput · weight, or += with `accumulate`.
///
/// - dOutput: [rows, outputs]   - dInput: [rows, inputs]
/// - scratch: ``BFloat16/scratchCount(rows:columns:)`` values for rows of `outputs`
package func bfloat16BackwardInput(
    rows: Int, dOutput: Operand, weight: BFloat16Weight, dInput: Floats, accumulate: Bool,
    scratch: Halves
) {
    weight.multiplyBackward(
        rows: rows, dOutput: rounded(dOutput, rows, weight.outputs, scratch), dInput: dInput,
        accumulate: accumulate)
}

private func rounded(
    _ operand: Operand, _ rows: Int, _ columns: Int, _ scratch: Halves
) -> ConstHalves {
    switch operand {
    case .floats(let values):
        st_bf16_rows(rows, columns, values, columns, scratch)
        return ConstHalves(scratch)
    case .halves(let values): return values
    }
}

/// ``linearBackwardWeight`` in bfloat16: the rows `range` of dWeight += dOutputᵀ · input.
///
/// - dOutput: [rows, outputs]   - input: [rows, inputs], rounded   - dWeight: [outputs, inputs]
/// - scratch: ``BFloat16/weightScratchCount(inputs:outputs:)`` values for the rows of `range`
///
/// Rows are taken 512 at a time; all of their `input` is laid out at once, as rows read from end to
/// end come faster than columns.
package func bfloat16BackwardWeight(
    rows: Int, inputs: Int, outputs: Int, range: Range<Int>, dOutput: Operand,
    input: ConstHalves, dWeight: Floats, unit: BFloat16.Unit, scratch: Halves
) {
    let dWeight = dWeight + range.lowerBound * inputs
    guard unit != .rounded else {
        // A panel of the float32 products has 384 rows.
        for first in stride(from: 0, to: rows, by: 384) {
            let count = min(384, rows - first)
            let start = first * outputs + range.lowerBound
            let input = input + first * inputs
            switch dOutput {
            case .floats(let values):
                st_bf16_rows(count, range.count, values + start, outputs, scratch)
                st_rounded_transposed_times(
                    range.count, inputs, count, scratch, range.count, input, dWeight, true)
            case .halves(let values):
                st_rounded_transposed_times(
                    range.count, inputs, count, values + start, outputs, input, dWeight, true)
            }
        }
        return
    }
    let depth = min((rows + 31) / 32 * 32, BFloat16.depth)
    let left = scratch
    let panels = left + depth * range.count
    for first in stride(from: 0, to: rows, by: depth) {
        let count = min(depth, rows - first)
        let full = (count + 31) / 32 * 32
        let start = first * outputs + range.lowerBound
        switch dOutput {
        case .floats(let values):
            st_bf16_transposed(count, range.count, values + start, outputs, left)
        case .halves(let values):
            st_bf16_transposed_rows(count, range.count, values + start, outputs, left)
        }
        st_bf16_panels_rows(count, inputs, input + first * inputs, inputs, panels)
        st_bf16_product(unit.code, range.count, inputs, full, left, panels, dWeight, inputs, true)
    }
}
