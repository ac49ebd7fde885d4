// From token rows to one row per sentence, and length one.

/// How the tokens of a sentence become one vector; the names are those of Python's configuration.
public enum PoolingMode: String, Sendable, CaseIterable {
    case cls, max, mean
    case meanSqrtLen = "mean_sqrt_len_tokens"
    case weightedMean = "weightedmean"
    case lastToken = "lasttoken"
}

/// output = pool over the tokens `first ..< n` of one sentence (`first` > 0 leaves a prompt out).
///
///     mean: Σ h / count       mean_sqrt_len: Σ h / √count       max: columnwise
///     weightedmean: Σ w h / Σ w with w = 1 + place in the sentence
///     cls: the first of these tokens       lasttoken: the last token
///
/// - tokens: [n, C]   - output: [C], assigned   - winners: [C], places of the maxima, or nil
///
/// With no token left (a prompt and nothing else) the result is what a mask of zeros gives in
/// Python: sums and the last token are 0, the maximum is −infinity, cls takes the sentence's first.
package func poolingForward(
    _ mode: PoolingMode, length n: Int, first: Int, columns: Int, tokens: ConstFloats,
    output: Floats, winners: UnsafeMutablePointer<Int32>?
) {
    switch mode {
    case .cls:
        output.update(from: tokens + (first < n ? first : 0) &* columns, count: columns)
    case .lastToken:
        guard first < n else {
            output.update(repeating: 0, count: columns)
            return
        }
        output.update(from: tokens + (n &- 1) &* columns, count: columns)
    case .max:
        output.update(repeating: -.infinity, count: columns)
        winners?.update(repeating: -1, count: columns)
        for place in Swift.min(first, n)..<n {
            let token = tokens + place &* columns
            for column in 0..<columns
            where token[column] > output[column] || token[column].isNaN && !output[column].isNaN {
                output[column] = token[column]
                winners?[column] = Int32(truncatingIfNeeded: place)
            }
        }
    case .mean, .meanSqrtLen, .weightedMean:
        output.update(repeating: 0, count: columns)
        for place in Swift.min(first, n)..<n {
            addScaled(
                columns, poolingWeight(mode, place, first, n), tokens + place &* columns, output)
        }
    }
}

/// dTokens = gradient of ``poolingForward`` (assigned, or += with `accumulate`).
///
/// - dOutput: [C]   - dTokens: [n, C]   - winners: from the forward pass, for the mode `max`
package func poolingBackward(
    _ mode: PoolingMode, length n: Int, first: Int, columns: Int, dOutput: ConstFloats,
    winners: UnsafePointer<Int32>?, dTokens: Floats, accumulate: Bool
) {
    if !accumulate { dTokens.update(repeating: 0, count: n &* columns) }
    switch mode {
    case .cls:
        addScaled(columns, 1, dOutput, dTokens + (first < n ? first : 0) &* columns)
    case .lastToken:
        if first < n { addScaled(columns, 1, dOutput, dTokens + (n &- 1) &* columns) }
    case .max:
        guard let winners else { return }
        for column in 0..<columns where winners[column] >= 0 {
            dTokens[Int(winners[column]) &* columns &+ column] += dOutput[column]
        }
    case .mean, .meanSqrtLen, .weightedMean:
        for place in Swift.min(first, n)..<n {
            addScaled(
                columns, poolingWeight(mode, place, first, n), dOutput, dTokens + place &* columns)
        }
    }
}

private func poolingWeight(_ mode: PoolingMode, _ place: Int, _ first: Int, _ n: Int) -> Float {
    switch mode {
    case .meanSqrtLen: return 1 / Float(n &- first).squareRoot()
    case .weightedMean:
        let total = n &* (n &+ 1) / 2 &- first &* (first &+ 1) / 2
        return Float(place &+ 1) / Float(total)
    default: return 1 / Float(n &- first)
    }
}

/// destination += factor · source.
@inline(__always) private func addScaled(
    _ count: Int, _ factor: Float, _ source: ConstFloats, _ destination: Floats
) {
    var index = 0
    while index < count {
        store(
            destination, index, count,
            multiplyAdd(factor, load(source, index, count), load(destination, index, count)))
        index &+= laneCount
    }
}

/// output = x / max(‖x‖, 1e-12) per row; `norms` [rows] keeps the divisor.
///
/// Source: torch.nn.functional.normalize, p = 2.
package func normalizeForward(
    rows: Int, columns: Int, input: ConstFloats, output: Floats, norms: Floats?
) {
    for row in 0..<rows {
        let x = input + row &* columns
        var squares = Lanes(repeating: 0)
        var index = 0
        while index < columns {
            let value = load(x, index, columns)
            squares = multiplyAdd(value, value, squares)
            index &+= laneCount
        }
        let norm = Swift.max(sum(squares).squareRoot(), 1e-12)
        index = 0
        while index < columns {
            store(output + row &* columns, index, columns, load(x, index, columns) / norm)
            index &+= laneCount
        }
        norms?[row] = norm
    }
}

/// dInput = (dOutput − y · (y · dOutput)) / norm, with y the forward pass's output.
///
/// - output, dOutput, dInput: [rows, C]; `dInput` may be `dOutput`   - norms: [rows]
///
/// A row shorter than 1e-12 was divided by a constant: its gradient is dOutput / 1e-12.
package func normalizeBackward(
    rows: Int, columns: Int, output: ConstFloats, norms: ConstFloats, dOutput: ConstFloats,
    dInput: Floats
) {
    for row in 0..<rows {
        let y = output + row &* columns
        let dy = dOutput + row &* columns
        var products = Lanes(repeating: 0)
        var index = 0
        while index < columns {
            products = multiplyAdd(load(y, index, columns), load(dy, index, columns), products)
            index &+= laneCount
        }
        let along = norms[row] > 1e-12 ? sum(products) : 0
        index = 0
        while index < columns {
            let rest = multiplyAdd(-along, load(y, index, columns), load(dy, index, columns))
            store(dInput + row &* columns, index, columns, rest / norms[row])
            index &+= laneCount
        }
    }
}
