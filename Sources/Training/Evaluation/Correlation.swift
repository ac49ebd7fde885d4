// Correlation coefficients as scipy computes them.

/// Pearson's r; NaN when a side is constant, has fewer than two values or holds a NaN.
///
/// Checked by `CorrelationTests` (scipy's values, hand-made cases).
public func pearsonCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    guard x.count == y.count, x.count >= 2 else { return .nan }
    let dx = centred(x)
    let dy = centred(y)
    let lengthX = dx.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let lengthY = dy.reduce(0) { $0 + $1 * $1 }.squareRoot()
    // A constant side leaves nothing, or the rounding of its mean.
    guard x.contains(where: { $0 != x[0] }), y.contains(where: { $0 != y[0] }) else { return .nan }
    let r = zip(dx, dy).reduce(0) { $0 + $1.0 / lengthX * ($1.1 / lengthY) }
    return r.isNaN ? .nan : min(1, max(-1, r))
}

private func centred(_ x: [Double]) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    return x.map { $0 - mean }
}

/// Spearman's ρ: Pearson's r of average ranks.
public func spearmanCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    guard !x.contains(where: \.isNaN), !y.contains(where: \.isNaN) else { return .nan }
    return pearsonCorrelation(averageRanks(x), averageRanks(y))
}

/// Ranks from 1; equal values share the mean of the ranks they take up.
package func averageRanks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
        for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
        start = end
    }
    return ranks
}
