// What mixed precision does differently, on one thread: products of bfloat16 values by each unit that
// this machine has, and the kernels that round and widen, beside plain loops that compute the same.
import Glibc
import Training

private let tokens = 320
private let hidden = 384
private let wide = 1536

func runRoundedBenchmarks(_ options: BenchmarkOptions) {
    for unit in BFloat16.units where unit != .plain { bfloat16Products(options, unit) }
    sums(options)
    norms(options)
    activations(options)
}

private func halves(_ count: Int) -> Halves {
    let memory = Halves.allocate(capacity: count)
    memory.initialize(repeating: 0x3f80, count: count)
    return memory
}

private func rounded(_ x: Float) -> UInt16 {
    let bits = x.bitPattern
    return x.isNaN ? 0x7fc0 : UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
}

private func widened(_ half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }

private func sums(_ options: BenchmarkOptions) {
    let columns = 3 * hidden
    let count = tokens * columns
    let values = Numbers(count)
    let bias = Numbers(columns)
    let kept = halves(count)
    let shape = "\(tokens)x\(columns)"
    let bytes = Double(count * 10)
    report(options, "bias, rounded", shape, bytes: bytes) {
        addBiasRounded(
            rows: tokens, columns: columns, bias: bias.pointer, values: values.pointer,
            kept: kept)
    }
    report(options, "bias, rounded, plain loop", shape, bytes: bytes) {
        for place in 0..<count {
            kept[place] = rounded(values.pointer[place] + bias.pointer[place % columns])
            values.pointer[place] = widened(kept[place])
        }
    }
    report(options, "bias, rounded, backward", shape, bytes: bytes) {
        addBiasRoundedBackward(
            rows: tokens, columns: columns, dValues: values.pointer, kept: kept,
            dBias: bias.pointer)
    }
    report(options, "bias, rounded, backward, plain loop", shape, bytes: bytes) {
        for place in 0..<count {
            bias.pointer[place % columns] += values.pointer[place]
            kept[place] = rounded(values.pointer[place])
        }
    }
    report(options, "widen", shape, bytes: Double(count * 6)) {
        widen(count: count, kept: kept, into: values.pointer)
    }
    report(options, "widen, plain loop", shape, bytes: Double(count * 6)) {
        for place in 0..<count { values.pointer[place] = widened(kept[place]) }
    }
    kept.deallocate()
}

private func norms(_ options: BenchmarkOptions) {
    let count = tokens * hidden
    let normal = Numbers(count)
    let (weight, bias) = (Numbers(hidden), Numbers(hidden))
    let output = halves(count)
    let shape = "\(tokens)x\(hidden)"
    report(options, "LayerNorm output, rounded", shape, bytes: Double(count * 6)) {
        layerNormOutputRounded(
            rows: tokens, columns: hidden, normal: normal.pointer, weight: weight.pointer,
            bias: bias.pointer, output: output)
    }
    report(options, "LayerNorm output, rounded, plain loop", shape, bytes: Double(count * 6)) {
        for place in 0..<count {
            let column = place % hidden
            output[place] = rounded(
                normal.pointer[place] * weight.pointer[column] + bias.pointer[column])
        }
    }
    output.deallocate()
}

private func activations(_ options: BenchmarkOptions) {
    let count = tokens * wide
    let product = Numbers(count, scale: 3)
    let (bias, dBias) = (Numbers(wide, scale: 0.01), Numbers(wide))
    let (kept, output) = (halves(count), halves(count))
    let shape = "\(tokens)x\(wide)"
    report(options, "bias + gelu, rounded", shape, bytes: Double(count * 8)) {
        activationForwardRounded(
            .gelu, rows: tokens, columns: wide, bias: bias.pointer, product: product.pointer,
            kept: kept, output: output)
    }
    report(options, "bias + gelu, rounded, plain loop", shape, bytes: Double(count * 8)) {
        for place in 0..<count {
            kept[place] = rounded(product.pointer[place] + bias.pointer[place % wide])
            let x = widened(kept[place])
            output[place] = rounded(x * 0.5 * erfcf(x * -0.707_106_77))
        }
    }
    // What is kept becomes its gradient, and then what is kept for the next run.
    report(options, "gelu backward, rounded", shape, bytes: Double(count * 10)) {
        activationBackwardRounded(
            .gelu, rows: tokens, columns: wide, kept: kept, dOutput: product.pointer,
            output: output, dBias: dBias.pointer)
    }
    report(options, "gelu backward, rounded, plain loop", shape, bytes: Double(count * 10)) {
        for place in 0..<count {
            let x = widened(kept[place])
            let phi = 0.5 * erfcf(x * -0.707_106_77)
            output[place] = rounded(x * phi)
            let slope = phi + x * 0.398_942_28 * expf(x * x * -0.5)
            let gradient = slope * product.pointer[place]
            kept[place] = rounded(gradient)
            dBias.pointer[place % wide] += gradient
        }
    }
    kept.deallocate()
    output.deallocate()
}

private func bfloat16Products(_ options: BenchmarkOptions, _ unit: BFloat16.Unit) {
    let rows = 7 * tokens
    let (x, y, w) = (Numbers(rows * wide), Numbers(rows * wide), Numbers(wide * hidden))
    let scratchCount = max(
        BFloat16.scratchCount(rows: tokens, columns: wide),
        BFloat16.weightScratchCount(inputs: hidden, outputs: 512))
    let memory = Numbers((2 * wide * hidden + scratchCount + 1) / 2)
    let start = UnsafeMutableRawPointer(memory.pointer).assumingMemoryBound(to: UInt16.self)
    let weight = BFloat16Weight(
        w.pointer, inputs: hidden, outputs: wide, unit: unit, copies: start)
    let scratch = start + 2 * wide * hidden
    weight.packForward()
    weight.packBackward()
    let work = 2 * Double(tokens * hidden * wide)
    report(options, "bf16 forward, \(unit)", "\(tokens)x\(hidden)x\(wide)", operations: work) {
        bfloat16Forward(
            rows: tokens, input: .floats(x.pointer), weight: weight, output: y.pointer,
            scratch: scratch)
    }
    report(options, "bf16 dInput, \(unit)", "\(tokens)x\(wide)x\(hidden)", operations: work) {
        bfloat16BackwardInput(
            rows: tokens, dOutput: .floats(y.pointer), weight: weight, dInput: x.pointer,
            accumulate: false, scratch: scratch)
    }
    let input = halves(rows * hidden)
    report(
        options, "bf16 dWeight, 512 rows, \(unit)", "512x\(rows)x\(hidden)",
        operations: 2 * Double(512 * rows * hidden)
    ) {
        bfloat16BackwardWeight(
            rows: rows, inputs: hidden, outputs: wide, range: 0..<512,
            dOutput: .floats(y.pointer), input: input, dWeight: w.pointer, unit: unit,
            scratch: scratch)
    }
    input.deallocate()
}
