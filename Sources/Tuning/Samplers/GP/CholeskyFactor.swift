// Linear algebra of Gaussian processes: Cholesky factors, what they solve, and inverses.

/// L of a symmetric positive definite matrix A = L Lᵀ, row by row.
///
/// Everything is written as products of rows, which lie together in memory.
/// Source: Golub and Van Loan 2013, section 4.2. Checked by `GaussianProcessTests`.
struct CholeskyFactor: Sendable {
    let count: Int
    /// [count, count]; zero above the diagonal.
    private let rows: [Double]

    /// - matrix: [count, count], of which the lower triangle is read.
    /// Returns `nil` if it is not positive definite as far as doubles can tell.
    init?(_ matrix: [Double], count: Int) {
        var rows = [Double](repeating: 0, count: count * count)
        let isDefinite = rows.withUnsafeMutableBufferPointer { rows in
            matrix.withUnsafeBufferPointer { Self.factor($0, into: rows, count) }
        }
        guard isDefinite else { return nil }
        self.count = count
        self.rows = rows
    }

    /// Four columns at a time: what the columns before them contribute is one pass over each row.
    private static func factor(
        _ matrix: UnsafeBufferPointer<Double>, into rows: UnsafeMutableBufferPointer<Double>,
        _ count: Int
    ) -> Bool {
        guard let base = rows.baseAddress else { return count == 0 }
        for first in stride(from: 0, to: count, by: 4) {
            let end = min(first + 4, count)
            for row in first..<count {
                let sums = dots(
                    base + row * count, base + first * count, stride: count,
                    lastRow: count - 1 - first, from: 0, to: first)
                for column in first..<min(end, row + 1) {
                    var rest = matrix[row * count + column] - sums[column - first]
                    for index in first..<column {
                        rest -= rows[row * count + index] * rows[column * count + index]
                    }
                    if column < row {
                        rows[row * count + column] = rest / rows[column * count + column]
                    } else {
                        guard rest > 0, rest.isFinite else { return false }
                        rows[row * count + column] = rest.squareRoot()
                    }
                }
            }
        }
        return true
    }

    /// ½ ln det A
    var halfLogDeterminant: Double {
        (0..<count).reduce(0) { $0 + logarithm(rows[$1 * count + $1]) }
    }

    /// L⁻¹ b
    func solveLower(_ vector: [Double]) -> [Double] {
        var result = vector
        rows.withUnsafeBufferPointer { rows in
            result.withUnsafeMutableBufferPointer { result in
                guard let base = rows.baseAddress, let solved = result.baseAddress else { return }
                for row in 0..<count {
                    let sum = dot(base + row * count, solved, row)
                    solved[row] = (solved[row] - sum) / base[row * count + row]
                }
            }
        }
        return result
    }

    /// L⁻ᵀ b
    func solveUpper(_ vector: [Double]) -> [Double] {
        var result = vector
        rows.withUnsafeBufferPointer { rows in
            result.withUnsafeMutableBufferPointer { result in
                guard let base = rows.baseAddress, let solved = result.baseAddress else { return }
                for row in (0..<count).reversed() {
                    solved[row] /= base[row * count + row]
                    subtract(base + row * count, times: solved[row], from: solved, row)
                }
            }
        }
        return result
    }

    /// A⁻¹ b
    func solve(_ vector: [Double]) -> [Double] { solveUpper(solveLower(vector)) }

    /// L⁻¹ b for eight vectors at a time, one a lane; in place.
    func solveLower(_ vectors: inout [SIMD8<Double>]) {
        rows.withUnsafeBufferPointer { rows in
            vectors.withUnsafeMutableBufferPointer { vectors in
                for first in stride(from: 0, to: count, by: 4) {
                    let end = min(first + 4, count)
                    // Rows beyond the last are the last again; their sums are not used.
                    let places = SIMD4<Int>(0, 1, 2, 3)
                    let last = SIMD4<Int>(repeating: count - 1 - first)
                    let starts =
                        (places.replacing(with: last, where: places .> last)
                            &+ SIMD4(repeating: first)) &* SIMD4(repeating: count)
                    var (a, b, c, d) = (
                        SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero,
                        SIMD8<Double>.zero
                    )
                    for index in 0..<first {
                        let known = vectors[index]
                        a += known * rows[starts[0] + index]
                        b += known * rows[starts[1] + index]
                        c += known * rows[starts[2] + index]
                        d += known * rows[starts[3] + index]
                    }
                    let sums = [a, b, c, d]
                    for row in first..<end {
                        var rest = vectors[row] - sums[row - first]
                        for index in first..<row {
                            rest -= vectors[index] * rows[row * count + index]
                        }
                        vectors[row] = rest / rows[row * count + row]
                    }
                }
            }
        }
    }

    /// The lower triangle of A⁻¹, [count, count].
    func inverse() -> [Double] {
        // Row j of U is column j of L⁻¹; A⁻¹ = U Uᵀ.
        var upper = [Double](repeating: 0, count: count * count)
        var inverse = upper
        rows.withUnsafeBufferPointer { rows in
            upper.withUnsafeMutableBufferPointer { upper in
                inverse.withUnsafeMutableBufferPointer { inverse in
                    guard let lower = rows.baseAddress, let base = upper.baseAddress else { return }
                    for first in stride(from: 0, to: count, by: 4) {
                        let end = min(first + 4, count)
                        for row in first..<count {
                            let sums = dots(
                                lower + row * count, base + first * count, stride: count,
                                lastRow: count - 1 - first, from: first, to: row)
                            for column in first..<min(end, row + 1) {
                                let unit: Double = row == column ? 1 : 0
                                base[column * count + row] =
                                    (unit - sums[column - first]) / lower[row * count + row]
                            }
                        }
                    }
                    for first in stride(from: 0, to: count, by: 4) {
                        let end = min(first + 4, count)
                        for row in first..<count {
                            let sums = dots(
                                base + row * count, base + first * count, stride: count,
                                lastRow: count - 1 - first, from: row, to: count)
                            for column in first..<min(end, row + 1) {
                                inverse[row * count + column] = sums[column - first]
                            }
                        }
                    }
                }
            }
        }
        return inverse
    }
}

/// Σ a[k] b[k], k < count.
func dot(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
    let (a, b) = (UnsafeRawPointer(a), UnsafeRawPointer(b))
    let blocks = count / 8 * 64
    var sums = SIMD8<Double>.zero
    for offset in stride(from: 0, to: blocks, by: 64) {
        sums +=
            a.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
            * b.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
    }
    var sum = sums.sum()
    for offset in stride(from: blocks, to: count * 8, by: 8) {
        sum +=
            a.load(fromByteOffset: offset, as: Double.self)
            * b.load(fromByteOffset: offset, as: Double.self)
    }
    return sum
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            guard let left = a.baseAddress, let right = b.baseAddress else { return 0 }
            return dot(left, right, min(a.count, b.count))
        }
    }
}

/// target[k] -= factor · row[k], k < count.
private func subtract(
    _ row: UnsafePointer<Double>, times factor: Double, from target: UnsafeMutablePointer<Double>,
    _ count: Int
) {
    let (source, sink) = (UnsafeRawPointer(row), UnsafeMutableRawPointer(target))
    let blocks = count / 8 * 64
    for offset in stride(from: 0, to: blocks, by: 64) {
        let old = sink.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        let change = source.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self) * factor
        sink.storeBytes(of: old - change, toByteOffset: offset, as: SIMD8<Double>.self)
    }
    for index in (count / 8 * 8)..<count { target[index] -= factor * row[index] }
}

/// Products of one row with four that follow each other, over the columns from ..< to. Rows beyond
/// `lastRow` (counted from the first of the four) are that row again.
private func dots(
    _ row: UnsafePointer<Double>, _ others: UnsafePointer<Double>, stride: Int, lastRow: Int,
    from: Int, to: Int
) -> SIMD4<Double> {
    let raw = UnsafeRawPointer(row)
    let first = UnsafeRawPointer(others)
    let second = UnsafeRawPointer(others + min(1, lastRow) * stride)
    let third = UnsafeRawPointer(others + min(2, lastRow) * stride)
    let fourth = UnsafeRawPointer(others + min(3, lastRow) * stride)
    var (a, b, c, d) = (
        SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero, SIMD8<Double>.zero
    )
    let blockEnd = from + (to - from) / 8 * 8
    for index in Swift.stride(from: from, to: blockEnd, by: 8) {
        let offset = index * 8
        let own = raw.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        a += own * first.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        b += own * second.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        c += own * third.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
        d += own * fourth.loadUnaligned(fromByteOffset: offset, as: SIMD8<Double>.self)
    }
    var sums = SIMD4(a.sum(), b.sum(), c.sum(), d.sum())
    for index in blockEnd..<max(to, blockEnd) {
        let offset = index * 8
        let others = SIMD4(
            first.load(fromByteOffset: offset, as: Double.self),
            second.load(fromByteOffset: offset, as: Double.self),
            third.load(fromByteOffset: offset, as: Double.self),
            fourth.load(fromByteOffset: offset, as: Double.self))
        sums += others * row[index]
    }
    return sums
}
