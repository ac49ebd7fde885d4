// Self-attention of packed sentences: each sentence and head by itself, no padding, no mask.
//
// Scores are made for blocks of 64 queries, so scratch grows with the sentence's length and not
// with its square. The backward pass makes the probabilities again from the row maxima and sums
// that the forward pass kept.
import CKernels

/// Shape and scratch of one sentence's attention.
///
/// - queryKeyValue: [n, 3H] = rows of query | key | value, heads side by side within each
/// - rowNumber: number of the sentence's first token in the packed batch, for dropout
/// - wordOffset: where the sentence's recorded dropout words start ([heads, n, n]), if there are any
package struct AttentionShape {
    package let length: Int
    package let heads: Int
    package let headSize: Int
    package let rowNumber: Int
    package let wordOffset: Int

    package init(length: Int, heads: Int, headSize: Int, rowNumber: Int, wordOffset: Int) {
        self.length = length
        self.heads = heads
        self.headSize = headSize
        self.rowNumber = rowNumber
        self.wordOffset = wordOffset
    }

    var hidden: Int { heads &* headSize }
    var stride: Int { 3 &* hidden }
    var paddedLength: Int { (length &+ 15) & ~15 }
    /// Between the rows of scratch that are a sentence long. A multiple of 1 kB would put the whole
    /// of a column into a few sets of the first-level cache.
    var scratchRow: Int { Self.scratchRow(paddedLength) }
    /// Whether rows of keys and values are laid side by side first. They lie far apart; more than 64
    /// of them share too few sets of the first-level cache.
    var packsHeads: Bool { length > 64 }

    private static func scratchRow(_ padded: Int) -> Int {
        padded & 255 == 0 ? padded &+ 16 : padded
    }

    /// Scratch in floats that sentences of up to `length` tokens need, forward or backward.
    package static func scratchCount(length: Int, headSize: Int) -> Int {
        let padded = (length + 15) & ~15
        return (2 * headSize + 3 * queryBlock) * scratchRow(padded) + 5 * padded * headSize
    }
}

/// Queries whose scores are held at a time.
private let queryBlock = 64

/// context = dropout(softmax(Q Kᵀ / √D)) V for all heads of one sentence.
///
/// - queryKeyValue: [n, 3H], bias included   - context: [n, H], assigned
/// - statistics: [n, heads, 2], row maximum and 1 / row sum for the backward pass, or nil
/// - scratch: ``AttentionShape/scratchCount(length:headSize:)`` floats
///
/// Source: Vaswani et al. 2017, arXiv:1706.03762; torch's scaled_dot_product_attention. Checked by
/// `AttentionTests`.
package func attentionForward(
    _ shape: AttentionShape, queryKeyValue: ConstFloats, dropout: DropoutSite?, context: Floats,
    statistics: Floats?, scratch: Floats
) {
    let n = shape.length
    let size = shape.headSize
    let padded = shape.paddedLength
    let stride = shape.scratchRow
    let keys = scratch
    let scores = keys + size &* stride
    let packed = scores + queryBlock &* stride
    for head in 0..<shape.heads {
        let query = queryKeyValue + head &* size
        fetchNext(shape, after: head, of: queryKeyValue)
        transposeHead(
            shape, source: query + shape.hidden, scale: 1 / Float(size).squareRoot(),
            into: keys)
        let (value, valueRow) = packHead(shape, query + 2 &* shape.hidden, into: packed)
        var first = 0
        while first < n {
            let count = min(queryBlock, n &- first)
            smallProduct(
                m: count, n: padded, k: size, a: query + first &* shape.stride, aRow: shape.stride,
                aColumn: 1, b: keys, bRow: stride, c: scores, cRow: stride, accumulate: false)
            for row in 0..<count {
                let number = (first &+ row) &* shape.heads &+ head
                let target = scores + row &* stride
                let maximum = rowMaximum(target, n, padded)
                let inverse = 1 / exponentiate(target, n, padded, maximum)
                scaleProbabilities(
                    target, padded, inverse, mask(shape, dropout, first &+ row, head))
                if let statistics {
                    statistics[2 &* number] = maximum
                    statistics[2 &* number &+ 1] = inverse
                }
            }
            smallProduct(
                m: count, n: size, k: n, a: scores, aRow: stride, aColumn: 1, b: value,
                bRow: valueRow, c: context + (first &* shape.hidden &+ head &* size),
                cRow: shape.hidden, accumulate: false)
            first &+= count
        }
    }
}

/// Gradient of ``attentionForward``; `queryKeyValue` becomes the gradient of itself, and `context` is
/// made once more, the same bits.
///
///     P = softmax(Q Kᵀ / √D)    P′ = mask ⊙ P    dP = mask ⊙ (dContext Vᵀ)
///     dS = P ⊙ (dP − Σⱼ dP ⊙ P) / √D
///     dQ = dS K    dK = dSᵀ Q    dV = P′ᵀ dContext
///
/// - queryKeyValue: [n, 3H], replaced   - dContext: [n, H]   - statistics: [n, heads, 2]
/// - context: [n, H], assigned
package func attentionBackward(
    _ shape: AttentionShape, queryKeyValue: Floats, dropout: DropoutSite?,
    dContext: ConstFloats, statistics: ConstFloats, context: Floats, scratch: Floats
) {
    let n = shape.length
    let size = shape.headSize
    let padded = shape.paddedLength
    let stride = shape.scratchRow
    let scale = 1 / Float(size).squareRoot()
    let keys = scratch
    let values = keys + size &* stride
    let probabilities = values + size &* stride
    let dropped = probabilities + queryBlock &* stride
    let dScores = dropped + queryBlock &* stride
    let dQuery = dScores + queryBlock &* stride
    let dKey = dQuery + padded &* size
    let dValue = dKey + padded &* size
    let packedKeys = dValue + padded &* size
    let packedValues = packedKeys + padded &* size
    for head in 0..<shape.heads {
        let query = queryKeyValue + head &* size
        let key = query + shape.hidden
        let value = key + shape.hidden
        fetchNext(shape, after: head, of: ConstFloats(queryKeyValue))
        transposeHead(shape, source: key, scale: scale, into: keys)
        transposeHead(shape, source: value, scale: 1, into: values)
        let (rightKey, keyRow) = packHead(shape, key, into: packedKeys)
        let (rightValue, valueRow) = packHead(shape, value, into: packedValues)
        var first = 0
        while first < n {
            let count = min(queryBlock, n &- first)
            let queries = query + first &* shape.stride
            let upstream = dContext + (first &* shape.hidden &+ head &* size)
            smallProduct(
                m: count, n: padded, k: size, a: queries, aRow: shape.stride, aColumn: 1, b: keys,
                bRow: stride, c: probabilities, cRow: stride, accumulate: false)
            smallProduct(
                m: count, n: padded, k: size, a: upstream, aRow: shape.hidden, aColumn: 1,
                b: values, bRow: stride, c: dScores, cRow: stride, accumulate: false)
            for row in 0..<count {
                let number = (first &+ row) &* shape.heads &+ head
                scoreGradientRow(
                    n, padded, probabilities: probabilities + row &* stride,
                    dropped: dropped + row &* stride, dScores: dScores + row &* stride,
                    maximum: statistics[2 &* number], inverse: statistics[2 &* number &+ 1],
                    scale: scale, mask: mask(shape, dropout, first &+ row, head))
            }
            let weights = dropout == nil ? probabilities : dropped
            smallProduct(
                m: count, n: size, k: n, a: weights, aRow: stride, aColumn: 1, b: rightValue,
                bRow: valueRow, c: context + (first &* shape.hidden &+ head &* size),
                cRow: shape.hidden, accumulate: false)
            smallProduct(
                m: n, n: size, k: count, a: weights, aRow: 1, aColumn: stride, b: upstream,
                bRow: shape.hidden, c: dValue, cRow: size, accumulate: first > 0)
            smallProduct(
                m: count, n: size, k: n, a: dScores, aRow: stride, aColumn: 1, b: rightKey,
                bRow: keyRow, c: dQuery + first &* size, cRow: size, accumulate: false)
            smallProduct(
                m: n, n: size, k: count, a: dScores, aRow: 1, aColumn: stride, b: queries,
                bRow: shape.stride, c: dKey, cRow: size, accumulate: first > 0)
            first &+= count
        }
        for row in 0..<n {
            copy(size, dQuery + row &* size, query + row &* shape.stride)
            copy(size, dKey + row &* size, key + row &* shape.stride)
            copy(size, dValue + row &* size, value + row &* shape.stride)
        }
    }
}

/// Asks for the queries, keys and values of the next head, or of the next sentence's first: they are
/// a few lines of the cache each, too far apart for the processor to see what comes next.
@inline(__always) private func fetchNext(
    _ shape: AttentionShape, after head: Int, of queryKeyValue: ConstFloats
) {
    let isLast = head &+ 1 == shape.heads
    let first = isLast ? shape.length &* shape.stride : (head &+ 1) &* shape.headSize
    for row in 0..<shape.length {
        let query = queryKeyValue + (first &+ row &* shape.stride)
        st_fetch(query, shape.headSize)
        st_fetch(query + shape.hidden, shape.headSize)
        st_fetch(query + 2 &* shape.hidden, shape.headSize)
    }
}

/// The mask of one query's probabilities.
@inline(__always) private func mask(
    _ shape: AttentionShape, _ dropout: DropoutSite?, _ query: Int, _ head: Int
) -> DropoutRow? {
    dropout?.row(
        (shape.rowNumber &+ query) &* shape.heads &+ head,
        offset: shape.wordOffset &+ (head &* shape.length &+ query) &* shape.length)
}

/// destination[c, j] = scale · source[j, c] for one head; columns past the sentence are zero.
private func transposeHead(
    _ shape: AttentionShape, source: ConstFloats, scale: Float, into destination: Floats
) {
    st_transpose(
        shape.length, shape.headSize, scale, source, shape.stride, destination, shape.scratchRow)
    for column in 0..<shape.headSize {
        let row = destination + column &* shape.scratchRow
        for place in shape.length..<shape.paddedLength { row[place] = 0 }
    }
}

/// One head's keys or values as a right operand, and the distance of its rows.
@inline(__always) private func packHead(
    _ shape: AttentionShape, _ source: ConstFloats, into destination: Floats
) -> (ConstFloats, Int) {
    guard shape.packsHeads else { return (source, shape.stride) }
    for row in 0..<shape.length {
        copy(shape.headSize, source + row &* shape.stride, destination + row &* shape.headSize)
    }
    return (ConstFloats(destination), shape.headSize)
}

/// The largest of the first `n` scores.
@inline(__always) private func rowMaximum(_ row: ConstFloats, _ n: Int, _ padded: Int) -> Float {
    let lowest = -Float.greatestFiniteMagnitude
    var best = Lanes(repeating: lowest)
    var index = 0
    while index < padded {
        var scores = load(row + index)
        if index &+ laneCount > n {
            scores.replace(with: lowest, where: laneIndices .>= Float(n &- index))
        }
        best = maximum(scores, best)
        index &+= laneCount
    }
    return largest(best)
}

/// row ← e^(row − maximum), zero past `n`; returns the sum.
@inline(__always) private func exponentiate(
    _ row: Floats, _ n: Int, _ padded: Int, _ maximum: Float
) -> Float {
    var total = Lanes(repeating: 0)
    var index = 0
    while index < padded {
        let power = clear(exponential(load(row + index) - maximum), index, n)
        store(row + index, power)
        total += power
        index &+= laneCount
    }
    return sum(total)
}

@inline(__always) private func scaleProbabilities(
    _ row: Floats, _ padded: Int, _ inverse: Float, _ mask: DropoutRow?
) {
    var index = 0
    while index < padded {
        var probability = load(row + index) * inverse
        if let mask { probability *= mask.factors(index) }
        store(row + index, probability)
        index &+= laneCount
    }
}

/// One query's scores become probabilities, and the gradient of its (dropped) probabilities the
/// gradient of its scores.
@inline(__always) private func scoreGradientRow(
    _ n: Int, _ padded: Int, probabilities: Floats, dropped: Floats, dScores: Floats,
    maximum: Float, inverse: Float, scale: Float, mask: DropoutRow?
) {
    var dot = Lanes(repeating: 0)
    var index = 0
    while index < padded {
        let power = clear(exponential(load(probabilities + index) - maximum), index, n)
        let probability = power * inverse
        store(probabilities + index, probability)
        var upstream = load(dScores + index)
        if let mask {
            let factors = mask.factors(index)
            store(dropped + index, probability * factors)
            upstream *= factors
            store(dScores + index, upstream)
        }
        dot = multiplyAdd(upstream, probability, dot)
        index &+= laneCount
    }
    let total = sum(dot)
    index = 0
    while index < padded {
        let gradient = load(probabilities + index) * (load(dScores + index) - total)
        store(dScores + index, gradient * scale)
        index &+= laneCount
    }
}

@inline(__always) private func copy(_ count: Int, _ source: ConstFloats, _ destination: Floats) {
    var index = 0
    while index < count {
        store(destination, index, count, load(source, index, count))
        index &+= laneCount
    }
}
