// What a kernel computes, written as one would without thinking of vectors: the longer ones of the
// loops that the benchmarks run beside the kernels.
import Glibc

/// product ← gelu′(product + bias) ⊙ dOutput, output = gelu(product + bias); dBias += column sums.
func plainGELUBackward(
    _ rows: Int, _ columns: Int, _ bias: UnsafePointer<Float>,
    _ product: UnsafeMutablePointer<Float>, _ dOutput: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>, _ dBias: UnsafeMutablePointer<Float>
) {
    for row in 0..<rows {
        for column in 0..<columns {
            let place = row * columns + column
            let x = product[place] + bias[column]
            let phi = 0.5 * erfcf(x * -0.707_106_77)
            output[place] = x * phi
            let slope = phi + x * 0.398_942_28 * expf(x * x * -0.5)
            product[place] = slope * dOutput[place]
            dBias[column] += product[place]
        }
    }
}

/// One row of a norm's gradient.
func plainNormBackward(
    _ columns: Int, _ dOutput: UnsafePointer<Float>, _ normal: UnsafeMutablePointer<Float>,
    _ rstd: Float, _ weight: UnsafePointer<Float>, _ dResidual: UnsafeMutablePointer<Float>,
    _ dWeight: UnsafeMutablePointer<Float>, _ dBias: UnsafeMutablePointer<Float>,
    _ dProductBias: UnsafeMutablePointer<Float>
) {
    var meanG: Float = 0
    var meanGX: Float = 0
    for i in 0..<columns {
        let g = weight[i] * dOutput[i]
        meanG += g
        meanGX += g * normal[i]
        dWeight[i] += dOutput[i] * normal[i]
        dBias[i] += dOutput[i]
    }
    meanG /= Float(columns)
    meanGX /= Float(columns)
    for i in 0..<columns {
        let dv = rstd * (weight[i] * dOutput[i] - meanG - normal[i] * meanGX)
        dResidual[i] = dv
        normal[i] = dv
        dProductBias[i] += dv
    }
}

/// Attention of one sentence of `n` tokens; `x` is [n, 3 · heads · size].
func plainAttention(
    _ n: Int, _ heads: Int, _ size: Int, _ x: UnsafePointer<Float>,
    _ output: UnsafeMutablePointer<Float>
) {
    let hidden = heads * size
    var weights = [Float](repeating: 0, count: n)
    for head in 0..<heads {
        for i in 0..<n {
            plainWeights(n, hidden, size, x + head * size, i, &weights)
            for c in 0..<size {
                var sum: Float = 0
                for j in 0..<n { sum += weights[j] * x[(j * 3 + 2) * hidden + head * size + c] }
                output[i * hidden + head * size + c] = sum
            }
        }
    }
}

/// The gradient of `x` in its place.
func plainAttentionBackward(
    _ n: Int, _ heads: Int, _ size: Int, _ x: UnsafeMutablePointer<Float>,
    _ dOutput: UnsafePointer<Float>
) {
    let hidden = heads * size
    let scale = 1 / Float(size).squareRoot()
    var weights = [Float](repeating: 0, count: n)
    var dWeights = [Float](repeating: 0, count: n)
    for head in 0..<heads {
        let own = x + head * size
        var gradient = [Float](repeating: 0, count: 3 * n * size)
        for i in 0..<n {
            plainWeights(n, hidden, size, own, i, &weights)
            let upstream = dOutput + (i * hidden + head * size)
            var total: Float = 0
            for j in 0..<n {
                dWeights[j] = 0
                for c in 0..<size {
                    dWeights[j] += upstream[c] * own[(j * 3 + 2) * hidden + c]
                    gradient[(2 * n + j) * size + c] += weights[j] * upstream[c]
                }
                total += weights[j] * dWeights[j]
            }
            for j in 0..<n {
                let dScore = weights[j] * (dWeights[j] - total) * scale
                for c in 0..<size {
                    gradient[i * size + c] += dScore * own[(j * 3 + 1) * hidden + c]
                    gradient[(n + j) * size + c] += dScore * own[i * 3 * hidden + c]
                }
            }
        }
        for part in 0..<3 {
            for j in 0..<n {
                for c in 0..<size {
                    own[(j * 3 + part) * hidden + c] = gradient[(part * n + j) * size + c]
                }
            }
        }
    }
}

/// softmax of token `i`'s scores; `x` begins at one head.
private func plainWeights(
    _ n: Int, _ hidden: Int, _ size: Int, _ x: UnsafePointer<Float>, _ i: Int,
    _ weights: inout [Float]
) {
    let scale = 1 / Float(size).squareRoot()
    var total: Float = 0
    for j in 0..<n {
        var score: Float = 0
        for c in 0..<size { score += x[i * 3 * hidden + c] * x[(j * 3 + 1) * hidden + c] }
        weights[j] = expf(score * scale)
        total += weights[j]
    }
    for j in 0..<n { weights[j] /= total }
}
