// Each kernel of the encoder by itself on one thread, in the shapes of all-MiniLM-L6-v2, beside a
// plain loop that computes the same.
import COpenBLAS
import Glibc
import Training

private let tokens = 320
private let hidden = 384
private let wide = 1536
private let heads = 12
private let headSize = 32

func runKernelBenchmarks(_ options: BenchmarkOptions) {
    linear(options)
    activations(options)
    norms(options)
    normsAgain(options)
    embeddings(options)
    for length in [12, 32, 128, 512] { attention(options, length) }
    runStepBenchmarks(options)
}

/// A linear layer's product by the BLAS library, whatever ``linearForward`` uses.
func blasForward(
    _ rows: Int, _ inputs: Int, _ outputs: Int, _ input: ConstFloats, _ weight: ConstFloats,
    _ output: Floats
) {
    cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs), blasint(inputs),
        1, input, blasint(inputs), weight, blasint(inputs), 0, output, blasint(outputs))
}

private func linear(_ options: BenchmarkOptions) {
    _ = WorkerPool(threads: 1)  // One BLAS thread.
    let x = Numbers(tokens * wide)
    let w = Numbers(wide * hidden)
    let y = Numbers(tokens * wide)
    for (inputs, outputs) in [
        (hidden, 3 * hidden), (hidden, hidden), (hidden, wide), (wide, hidden),
    ] {
        let work = 2 * Double(tokens * inputs * outputs)
        report(options, "linear forward", "\(tokens)x\(inputs)x\(outputs)", operations: work) {
            linearForward(
                rows: tokens, inputs: inputs, outputs: outputs, input: x.pointer,
                weight: w.pointer, output: y.pointer)
        }
        report(options, "linear dInput", "\(tokens)x\(outputs)x\(inputs)", operations: work) {
            linearBackwardInput(
                rows: tokens, inputs: inputs, outputs: outputs, dOutput: y.pointer,
                weight: w.pointer, dInput: x.pointer, accumulate: false)
        }
        report(options, "forward, BLAS", "\(tokens)x\(inputs)x\(outputs)", operations: work) {
            blasForward(tokens, inputs, outputs, x.pointer, w.pointer, y.pointer)
        }
        report(options, "dInput, BLAS", "\(tokens)x\(outputs)x\(inputs)", operations: work) {
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(tokens), blasint(inputs),
                blasint(outputs), 1, y.pointer, blasint(outputs), w.pointer, blasint(inputs), 0,
                x.pointer, blasint(inputs))
        }
    }
    let dWeight = Numbers(wide * hidden)
    let rows = 7 * tokens
    let input = Numbers(rows * hidden)
    let dOutput = Numbers(rows * wide)
    for tile in [192, 512, 1536] {
        report(
            options, "linear dWeight, \(tile) rows", "\(tile)x\(rows)x\(hidden)",
            operations: 2 * Double(tile * rows * hidden)
        ) {
            linearBackwardWeight(
                rows: rows, inputs: hidden, outputs: wide, range: 0..<tile,
                dOutput: dOutput.pointer,
                input: input.pointer, dWeight: dWeight.pointer)
        }
        report(
            options, "dWeight, \(tile) rows, BLAS", "\(tile)x\(rows)x\(hidden)",
            operations: 2 * Double(tile * rows * hidden)
        ) {
            cblas_sgemm(
                CblasRowMajor, CblasTrans, CblasNoTrans, blasint(tile), blasint(hidden),
                blasint(rows), 1, dOutput.pointer, blasint(wide), input.pointer, blasint(hidden), 1,
                dWeight.pointer, blasint(hidden))
        }
    }
    let bias = Numbers(3 * hidden)
    let bytes = Double(tokens * 3 * hidden * 8)
    report(options, "bias", "\(tokens)x\(3 * hidden)", bytes: bytes) {
        addBias(rows: tokens, columns: 3 * hidden, bias: bias.pointer, values: y.pointer)
    }
    report(options, "bias, plain loop", "\(tokens)x\(3 * hidden)", bytes: bytes) {
        for row in 0..<tokens {
            for column in 0..<3 * hidden {
                y.pointer[row * 3 * hidden + column] += bias.pointer[column]
            }
        }
    }
    report(options, "bias backward", "\(tokens)x\(3 * hidden)", bytes: bytes / 2) {
        addBiasBackward(
            rows: tokens, columns: 3 * hidden, dValues: y.pointer, dBias: bias.pointer)
    }
    report(options, "bias backward, plain loop", "\(tokens)x\(3 * hidden)", bytes: bytes / 2) {
        for row in 0..<tokens {
            for column in 0..<3 * hidden {
                bias.pointer[column] += y.pointer[row * 3 * hidden + column]
            }
        }
    }
}

private func activations(_ options: BenchmarkOptions) {
    let product = Numbers(tokens * wide, scale: 3)
    let output = Numbers(tokens * wide)
    let bias = Numbers(wide, scale: 0.01)
    let shape = "\(tokens)x\(wide)"
    let bytes = Double(tokens * wide * 8)
    for activation in [Activation.gelu, .geluTanh, .relu] {
        report(options, "bias + \(activation)", shape, bytes: bytes) {
            activationForward(
                activation, rows: tokens, columns: wide, bias: bias.pointer,
                product: product.pointer, output: output.pointer)
        }
    }
    report(options, "bias + gelu, plain loop", shape, bytes: bytes) {
        for row in 0..<tokens {
            for column in 0..<wide {
                let x = product.pointer[row * wide + column] + bias.pointer[column]
                output.pointer[row * wide + column] = x * 0.5 * erfcf(x * -0.707_106_77)
            }
        }
    }
    // The product becomes its gradient; small numbers stay small ones.
    let gradients = Numbers(tokens * wide, scale: 3)
    let dBias = Numbers(wide)
    report(options, "gelu backward, value made again", shape, bytes: bytes * 2) {
        activationBackward(
            .gelu, rows: tokens, columns: wide, bias: bias.pointer, product: gradients.pointer,
            dOutput: product.pointer, output: output.pointer, dBias: dBias.pointer)
    }
    report(options, "gelu backward, plain loop", shape, bytes: bytes * 2) {
        plainGELUBackward(
            tokens, wide, bias.pointer, gradients.pointer, product.pointer, output.pointer,
            dBias.pointer)
    }
}

private func norms(_ options: BenchmarkOptions) {
    let product = Numbers(tokens * hidden)
    let residual = Numbers(tokens * hidden)
    let output = Numbers(tokens * hidden)
    let (a, b, c, d) = (Numbers(hidden), Numbers(hidden), Numbers(hidden), Numbers(hidden))
    let rstd = Numbers(tokens)
    let shape = "\(tokens)x\(hidden)"
    let bytes = Double(tokens * hidden * 16)
    let site = DropoutSite(probability: 0.1, key: 1)
    for (name, mask) in [("", nil), (" + dropout", site)] as [(String, DropoutSite?)] {
        report(options, "bias + residual + norm\(name)", shape, bytes: bytes) {
            layerNormForward(
                rows: tokens, columns: hidden, firstRow: 0, product: product.pointer,
                productBias: a.pointer, dropout: mask, residual: residual.pointer,
                weight: b.pointer, bias: c.pointer, epsilon: 1e-12, output: output.pointer,
                rstd: rstd.pointer)
        }
        report(options, "norm backward\(name)", shape, bytes: bytes) {
            layerNormBackward(
                rows: tokens, columns: hidden, firstRow: 0, dOutput: output.pointer,
                normal: product.pointer, rstd: rstd.pointer, weight: b.pointer, dropout: mask,
                dResidual: residual.pointer, dWeight: a.pointer, dBias: c.pointer,
                dProductBias: d.pointer)
        }
    }
    report(options, "bias + residual + norm, plain loop", shape, bytes: bytes) {
        for row in 0..<tokens {
            let x = product.pointer + row * hidden
            var mean: Float = 0
            for i in 0..<hidden {
                x[i] += a.pointer[i] + residual.pointer[row * hidden + i]
                mean += x[i]
            }
            mean /= Float(hidden)
            var variance: Float = 0
            for i in 0..<hidden { variance += (x[i] - mean) * (x[i] - mean) }
            let inverse = 1 / (variance / Float(hidden)).squareRoot()
            for i in 0..<hidden {
                x[i] = (x[i] - mean) * inverse
                output.pointer[row * hidden + i] = x[i] * b.pointer[i] + c.pointer[i]
            }
        }
    }
}

private func normsAgain(_ options: BenchmarkOptions) {
    let (normal, output) = (Numbers(tokens * hidden), Numbers(tokens * hidden))
    let (dOutput, dResidual) = (Numbers(tokens * hidden), Numbers(tokens * hidden))
    let (weight, bias) = (Numbers(hidden), Numbers(hidden))
    let (dWeight, dBias, dProductBias) = (Numbers(hidden), Numbers(hidden), Numbers(hidden))
    let rstd = Numbers(tokens)
    let shape = "\(tokens)x\(hidden)"
    let bytes = Double(tokens * hidden * 4)
    report(options, "norm's output again", shape, bytes: 2 * bytes) {
        layerNormOutput(
            rows: tokens, columns: hidden, normal: normal.pointer, weight: weight.pointer,
            bias: bias.pointer, output: output.pointer)
    }
    report(options, "norm's output again, plain loop", shape, bytes: 2 * bytes) {
        for row in 0..<tokens {
            for column in 0..<hidden {
                output.pointer[row * hidden + column] =
                    normal.pointer[row * hidden + column] * weight.pointer[column]
                    + bias.pointer[column]
            }
        }
    }
    report(options, "norm backward, plain loop", shape, bytes: 4 * bytes) {
        for row in 0..<tokens {
            plainNormBackward(
                hidden, dOutput.pointer + row * hidden, normal.pointer + row * hidden,
                rstd.pointer[row], weight.pointer, dResidual.pointer + row * hidden,
                dWeight.pointer, dBias.pointer, dProductBias.pointer)
        }
    }
}

private func embeddings(_ options: BenchmarkOptions) {
    let words = Numbers(30522 * hidden)
    let positions = Numbers(512 * hidden)
    let output = Numbers(tokens * hidden)
    let ids = (0..<tokens).map { Int32($0 * 7919 % 30522) }
    let places = (0..<tokens).map { Int32($0 % 13) }
    let bytes = Double(tokens * hidden * 12)
    report(options, "embedding sum", "\(tokens)x\(hidden)", bytes: bytes) {
        embeddingForward(
            rows: tokens, columns: hidden, ids: ids, positions: places, words: words.pointer,
            positionTable: positions.pointer, type: positions.pointer, output: output.pointer)
    }
    report(options, "embedding sum, plain loop", "\(tokens)x\(hidden)", bytes: bytes) {
        for row in 0..<tokens {
            for column in 0..<hidden {
                output.pointer[row * hidden + column] =
                    words.pointer[Int(ids[row]) * hidden + column]
                    + positions.pointer[Int(places[row]) * hidden + column]
                    + positions.pointer[column]
            }
        }
    }
    let lookups = EmbeddingLookups(ids: ids)
    report(options, "embedding backward", "\(tokens)x\(hidden)", bytes: bytes) {
        embeddingBackward(
            columns: hidden, lookups: lookups, groups: 0..<lookups.rows.count,
            dOutput: output.pointer, dTable: words.pointer)
    }
    report(options, "embedding backward, plain loop", "\(tokens)x\(hidden)", bytes: bytes) {
        for row in 0..<tokens {
            for column in 0..<hidden {
                words.pointer[Int(ids[row]) * hidden + column] +=
                    output.pointer[row * hidden + column]
            }
        }
    }
}

private func attention(_ options: BenchmarkOptions, _ length: Int) {
    let sentences = max(1, tokens / length)
    let rows = sentences * length
    let input = Numbers(rows * 3 * hidden)
    let context = Numbers(rows * hidden)
    let again = Numbers(rows * hidden)
    let statistics = Numbers(rows * heads * 2)
    let scratch = Numbers(AttentionShape.scratchCount(length: length, headSize: headSize))
    let shape = "\(sentences) x \(length) tokens"
    let products = 2 * Double(sentences * heads * length * length * headSize)
    func each(_ body: (AttentionShape, Int) -> Void) {
        for sentence in 0..<sentences {
            let row = sentence * length
            body(
                AttentionShape(
                    length: length, heads: heads, headSize: headSize, rowNumber: row,
                    wordOffset: 0), row)
        }
    }
    let site = DropoutSite(probability: 0.1, key: 1)
    for (name, mask) in [("", nil), (" + dropout", site)] as [(String, DropoutSite?)] {
        report(options, "attention\(name)", shape, operations: 2 * products) {
            each { shape, row in
                attentionForward(
                    shape, queryKeyValue: input.pointer + row * 3 * hidden, dropout: mask,
                    context: context.pointer + row * hidden,
                    statistics: statistics.pointer + row * heads * 2, scratch: scratch.pointer)
            }
        }
        // The input is replaced by its gradient; start again from the same numbers each time.
        let work = Numbers(rows * 3 * hidden)
        report(options, "attention backward\(name)", shape, operations: 6 * products) {
            work.pointer.update(from: input.pointer, count: rows * 3 * hidden)
            each { shape, row in
                attentionBackward(
                    shape, queryKeyValue: work.pointer + row * 3 * hidden, dropout: mask,
                    dContext: context.pointer + row * hidden,
                    statistics: statistics.pointer + row * heads * 2,
                    context: again.pointer + row * hidden, scratch: scratch.pointer)
            }
        }
    }
    guard length <= 128 else { return }
    report(options, "attention, plain loop", shape, operations: 2 * products) {
        each { _, row in
            plainAttention(
                length, heads, headSize, input.pointer + row * 3 * hidden,
                context.pointer + row * hidden)
        }
    }
    let work = Numbers(rows * 3 * hidden)
    report(options, "attention backward, plain loop", shape, operations: 6 * products) {
        work.pointer.update(from: input.pointer, count: rows * 3 * hidden)
        each { _, row in
            plainAttentionBackward(
                length, heads, headSize, work.pointer + row * 3 * hidden,
                context.pointer + row * hidden)
        }
    }
}
