// What a training step does outside of the encoder's float32 layers, on one thread: pooling,
// optimizer, clipping, dropout; each beside a plain loop that computes the same.
import Glibc
import Training

private let tokens = 320
private let hidden = 384
private let wide = 1536
private let sentenceLength = 13

func runStepBenchmarks(_ options: BenchmarkOptions) {
    dropout(options)
    pooling(options)
    updates(options)
    runRoundedBenchmarks(options)
}

private func dropout(_ options: BenchmarkOptions) {
    let values = Numbers(tokens * hidden)
    let shape = "\(tokens)x\(hidden)"
    let bytes = Double(tokens * hidden * 8)
    report(options, "dropout", shape, bytes: bytes) {
        applyDropout(
            rows: tokens, columns: hidden, firstRow: 0,
            site: DropoutSite(probability: 0.1, key: 1), values: values.pointer)
    }
    report(options, "dropout, plain loop", shape, bytes: bytes) {
        var state: UInt32 = 1
        for index in 0..<tokens * hidden {
            state = state &* 1_664_525 &+ 1_013_904_223
            values.pointer[index] *= state >> 8 < 1_677_721 ? 0 : 1 / 0.9
        }
    }
}

private func pooling(_ options: BenchmarkOptions) {
    let sentences = tokens / sentenceLength
    let rows = sentences * sentenceLength
    let input = Numbers(rows * hidden)
    let dTokens = Numbers(rows * hidden)
    let output = Numbers(sentences * hidden)
    let shape = "\(sentences) x \(sentenceLength) tokens"
    let bytes = Double(rows * hidden * 4)
    report(options, "mean pooling", shape, bytes: bytes) {
        for sentence in 0..<sentences {
            poolingForward(
                .mean, length: sentenceLength, first: 0, columns: hidden,
                tokens: input.pointer + sentence * sentenceLength * hidden,
                output: output.pointer + sentence * hidden, winners: nil)
        }
    }
    report(options, "mean pooling, plain loop", shape, bytes: bytes) {
        for sentence in 0..<sentences {
            for column in 0..<hidden {
                var total: Float = 0
                for token in 0..<sentenceLength {
                    total += input.pointer[(sentence * sentenceLength + token) * hidden + column]
                }
                output.pointer[sentence * hidden + column] = total / Float(sentenceLength)
            }
        }
    }
    report(options, "mean pooling backward", shape, bytes: bytes) {
        for sentence in 0..<sentences {
            poolingBackward(
                .mean, length: sentenceLength, first: 0, columns: hidden,
                dOutput: output.pointer + sentence * hidden, winners: nil,
                dTokens: dTokens.pointer + sentence * sentenceLength * hidden, accumulate: false)
        }
    }
    report(options, "mean pooling backward, plain loop", shape, bytes: bytes) {
        for sentence in 0..<sentences {
            for token in 0..<sentenceLength {
                for column in 0..<hidden {
                    dTokens.pointer[(sentence * sentenceLength + token) * hidden + column] =
                        output.pointer[sentence * hidden + column] / Float(sentenceLength)
                }
            }
        }
    }
    normalization(options, sentences)
}

private func normalization(_ options: BenchmarkOptions, _ sentences: Int) {
    let (output, unit) = (Numbers(sentences * hidden), Numbers(sentences * hidden))
    let (gradient, dInput) = (Numbers(sentences * hidden), Numbers(sentences * hidden))
    let norms = Numbers(sentences)
    report(options, "normalize", "\(sentences)x\(hidden)", bytes: Double(sentences * hidden * 8)) {
        normalizeForward(
            rows: sentences, columns: hidden, input: output.pointer, output: unit.pointer,
            norms: norms.pointer)
    }
    report(
        options, "normalize, plain loop", "\(sentences)x\(hidden)",
        bytes: Double(sentences * hidden * 8)
    ) {
        for row in 0..<sentences {
            let x = output.pointer + row * hidden
            var squares: Float = 0
            for column in 0..<hidden { squares += x[column] * x[column] }
            let norm = max(squares.squareRoot(), 1e-12)
            for column in 0..<hidden { unit.pointer[row * hidden + column] = x[column] / norm }
        }
    }
    let bytes = Double(sentences * hidden * 12)
    report(options, "normalize backward", "\(sentences)x\(hidden)", bytes: bytes) {
        normalizeBackward(
            rows: sentences, columns: hidden, output: unit.pointer, norms: norms.pointer,
            dOutput: gradient.pointer, dInput: dInput.pointer)
    }
    report(options, "normalize backward, plain loop", "\(sentences)x\(hidden)", bytes: bytes) {
        for row in 0..<sentences {
            let (u, g) = (unit.pointer + row * hidden, gradient.pointer + row * hidden)
            var along: Float = 0
            for column in 0..<hidden { along += u[column] * g[column] }
            for column in 0..<hidden {
                dInput.pointer[row * hidden + column] =
                    (g[column] - u[column] * along) / norms.pointer[row]
            }
        }
    }
}

private func updates(_ options: BenchmarkOptions) {
    let count = wide * hidden
    let (value, gradient) = (Numbers(count), Numbers(count, scale: 1e-3))
    let parameter = Parameter(
        name: "w", qualifiedName: "w", shape: [wide, hidden], value: value.pointer,
        gradient: gradient.pointer, memory: [value, gradient])
    let group = ParameterGroup(parameters: [parameter], learningRate: 1e-9, weightDecay: 0.01)
    let shape = "\(wide)x\(hidden)"
    guard
        let optimizer = try? AdamW(groups: [group], beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
    else { fail("no memory for AdamW's moments") }
    report(options, "AdamW", shape, bytes: Double(count * 28)) {
        optimizer.step(clip: 1, pool: nil)
    }
    let (first, second) = (Numbers(count, scale: 0), Numbers(count, scale: 0))
    report(options, "AdamW, plain loop", shape, bytes: Double(count * 28)) {
        let (w, g) = (value.pointer, gradient.pointer)
        for i in 0..<count {
            w[i] *= 1 - 1e-11
            first.pointer[i] += 0.1 * (g[i] - first.pointer[i])
            second.pointer[i] = 0.999 * second.pointer[i] + 0.001 * g[i] * g[i]
            w[i] -= 1e-9 * first.pointer[i] / (second.pointer[i].squareRoot() / 0.9 + 1e-8)
        }
    }
    var total = 0.0
    report(options, "norm of a gradient", shape, bytes: Double(count * 4)) {
        total += GradientNorm([parameter]).total
    }
    report(options, "norm of a gradient, plain loop", shape, bytes: Double(count * 4)) {
        var squares = 0.0
        for i in 0..<count { squares += Double(gradient.pointer[i] * gradient.pointer[i]) }
        total += squares.squareRoot()
    }
    // Read, so that no loop is left out.
    if total.isNaN { fail("a gradient is NaN") }
}
