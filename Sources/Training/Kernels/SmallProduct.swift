// Products of small matrices for attention, where one BLAS call per head and sentence would cost
// more than it computes: a sentence has a dozen tokens on average.
import COpenBLAS

/// c = a · b, or c += a · b with `accumulate`.
///
/// - a: [m, k], element (i, l) at `a[i * aRow + l * aColumn]`, so that a transpose costs nothing
/// - b: [k, n], rows contiguous, `bRow` apart   - c: [m, n], rows contiguous, `cRow` apart
///
/// Tiles of up to 28 vectors stay in registers over the whole of k, of 6 where registers are fewer and
/// shorter; each step multiplies a broadcast element of `a` with a vector of `b`. Columns past the
/// last whole vector are done one by one.
@inline(__always) func smallProduct(
    m: Int, n: Int, k: Int, a: ConstFloats, aRow: Int, aColumn: Int, b: ConstFloats, bRow: Int,
    c: Floats, cRow: Int, accumulate: Bool
) {
    let operands = Operands(
        a: a, aRow: aRow, aColumn: aColumn, b: b, bRow: bRow, c: c, cRow: cRow, k: k,
        accumulate: accumulate)
    var column = 0
    if st_has_wide_registers() {
        while column &+ 32 <= n {
            operands.columns32(m, column)
            column &+= 32
        }
    } else {
        while column &+ 16 <= n {
            operands.columns16(m, column)
            column &+= 16
        }
    }
    while column &+ 16 <= n {
        var row = 0
        while row &+ 8 <= m {
            operands.tile8x1(row, column)
            row &+= 8
        }
        while row < m {
            operands.tile4x1(row, column, min(4, m &- row))
            row &+= 4
        }
        column &+= 16
    }
    while column < n {
        for row in 0..<m { operands.element(row, column) }
        column &+= 1
    }
}

/// The operands of a product, and the tiles it is made of.
struct Operands {
    let a: ConstFloats
    let aRow: Int
    let aColumn: Int
    let b: ConstFloats
    let bRow: Int
    let c: Floats
    let cRow: Int
    let k: Int
    let accumulate: Bool

    @inline(__always) func finish(_ row: Int, _ column: Int, _ value: Lanes) {
        let target = c + (row &* cRow &+ column)
        store(target, accumulate ? load(target) + value : value)
    }

    @inline(__always) func finish(_ row: Int, _ column: Int, _ left: Lanes, _ right: Lanes) {
        finish(row, column, left)
        finish(row, column &+ 16, right)
    }

    @inline(never) func tile8x1(_ row: Int, _ column: Int) {
        var s0 = Lanes(repeating: 0)
        var s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
        var element = a + row &* aRow
        var source = b + column
        for _ in 0..<k {
            let vector = load(source)
            s0 = multiplyAdd(element.pointee, vector, s0)
            s1 = multiplyAdd(element[aRow], vector, s1)
            s2 = multiplyAdd(element[2 &* aRow], vector, s2)
            s3 = multiplyAdd(element[3 &* aRow], vector, s3)
            s4 = multiplyAdd(element[4 &* aRow], vector, s4)
            s5 = multiplyAdd(element[5 &* aRow], vector, s5)
            s6 = multiplyAdd(element[6 &* aRow], vector, s6)
            s7 = multiplyAdd(element[7 &* aRow], vector, s7)
            element += aColumn
            source += bRow
        }
        finish(row, column, s0)
        finish(row &+ 1, column, s1)
        finish(row &+ 2, column, s2)
        finish(row &+ 3, column, s3)
        finish(row &+ 4, column, s4)
        finish(row &+ 5, column, s5)
        finish(row &+ 6, column, s6)
        finish(row &+ 7, column, s7)
    }

    @inline(never) func element(_ row: Int, _ column: Int) {
        var s: Float = 0
        for l in 0..<k { s += a[row &* aRow &+ l &* aColumn] * b[l &* bRow &+ column] }
        let target = c + (row &* cRow &+ column)
        target.pointee = accumulate ? target.pointee + s : s
    }
}
