// Loops over one or two matrices, sixteen numbers at a time, and the functions they apply. Every
// function is a type, so that the compiler makes one loop of vector code for each.

import COpenBLAS

/// y = f(x) and its slope.
protocol UnaryFunction {
    func value(_ x: Lanes) -> Lanes
    /// f′(x), given x and y = f(x).
    func slope(_ x: Lanes, _ y: Lanes) -> Lanes
}

/// y = f(a, b) and its two slopes.
protocol BinaryFunction {
    func value(_ a: Lanes, _ b: Lanes) -> Lanes
    func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes)
}

// MARK: Loops

/// out = f(x). Both [count].
@inline(__always)
func applyUnary<F: UnaryFunction>(_ function: F, _ x: ConstFloats, _ count: Int, into out: Floats) {
    var index = 0
    while index < count {
        store(out, index, count, function.value(load(x, index, count)))
        index &+= laneCount
    }
}

/// dX += f′(x) · dOut. All [count].
@inline(__always)
func applyUnaryBackward<F: UnaryFunction>(
    _ function: F, _ x: ConstFloats, _ y: ConstFloats, _ dOut: ConstFloats, _ count: Int,
    into dX: Floats
) {
    var index = 0
    while index < count {
        let slope = function.slope(load(x, index, count), load(y, index, count))
        let gradient = slope * load(dOut, index, count)
        store(dX, index, count, load(dX, index, count) + gradient)
        index &+= laneCount
    }
}

/// An operand whose single row or column is repeated to the shape of the result.
struct Repeated {
    let storage: Floats
    /// Distance of two rows: 0 when there is one for all.
    let rowStride: Int
    let isOneColumn: Bool

    init(_ matrix: Matrix, to columns: Int) {
        storage = matrix.storage
        rowStride = matrix.rows == 1 ? 0 : matrix.columns
        isOneColumn = matrix.columns == 1 && columns != 1
    }

    @inline(__always) func row(_ index: Int) -> Floats { storage + index &* rowStride }

    @inline(__always) func lanes(_ row: Floats, _ index: Int, _ end: Int) -> Lanes {
        isOneColumn ? Lanes(repeating: row[0]) : load(row, index, end)
    }
}

/// out = f(a, b), operands repeated as needed.
@inline(__always)
func applyBinary<F: BinaryFunction>(_ function: F, _ a: Matrix, _ b: Matrix, into out: Matrix) {
    let columns = out.columns
    let left = Repeated(a, to: columns)
    let right = Repeated(b, to: columns)
    for row in 0..<out.rows {
        let x = left.row(row)
        let y = right.row(row)
        let target = out.rowPointer(row)
        var index = 0
        while index < columns {
            let value = function.value(
                left.lanes(x, index, columns), right.lanes(y, index, columns))
            store(target, index, columns, value)
            index &+= laneCount
        }
    }
}

/// dA += Σ ∂f/∂a · dOut and dB += Σ ∂f/∂b · dOut, summed over the places an operand was repeated to.
/// `nil`: that gradient is not wanted.
@inline(__always)
func applyBinaryBackward<F: BinaryFunction>(
    _ function: F, _ a: Matrix, _ b: Matrix, _ out: Matrix, _ dOut: Matrix, dA: Floats?, dB: Floats?
) {
    let columns = out.columns
    let left = Repeated(a, to: columns)
    let right = Repeated(b, to: columns)
    for row in 0..<out.rows {
        let x = left.row(row)
        let y = right.row(row)
        let z = out.rowPointer(row)
        let gradient = dOut.rowPointer(row)
        let dX = dA.map { $0 + row &* left.rowStride }
        let dY = dB.map { $0 + row &* right.rowStride }
        var sumX = Lanes(repeating: 0)
        var sumY = Lanes(repeating: 0)
        var index = 0
        while index < columns {
            let upstream = load(gradient, index, columns)
            let (slopeX, slopeY) = function.slopes(
                left.lanes(x, index, columns), right.lanes(y, index, columns),
                load(z, index, columns))
            if let dX {
                let part = slopeX * upstream
                if left.isOneColumn {
                    sumX += clear(part, index, columns)
                } else {
                    store(dX, index, columns, load(dX, index, columns) + part)
                }
            }
            if let dY {
                let part = slopeY * upstream
                if right.isOneColumn {
                    sumY += clear(part, index, columns)
                } else {
                    store(dY, index, columns, load(dY, index, columns) + part)
                }
            }
            index &+= laneCount
        }
        if let dX, left.isOneColumn { dX[0] += sum(sumX) }
        if let dY, right.isOneColumn { dY[0] += sum(sumY) }
    }
}

// MARK: Functions of one number

struct Affine: UnaryFunction {
    let scale: Float
    let offset: Float
    @inline(__always) func value(_ x: Lanes) -> Lanes { x * scale + offset }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { Lanes(repeating: scale) }
}

struct Exponential: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes { fullExponential(x) }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { y }
}

struct Logarithm: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes { logarithm(x) }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { 1 / x }
}

struct SquareRoot: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes { st_square_root(x) }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { 0.5 / y }
}

struct Magnitude: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes { magnitude(x) }
    /// 0 at 0.
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes {
        Lanes(repeating: 0).replacing(with: 1, where: x .> 0).replacing(with: -1, where: x .< 0)
    }
}

struct Rectifier: UnaryFunction {
    /// NaN stays NaN.
    @inline(__always) func value(_ x: Lanes) -> Lanes { x.replacing(with: 0, where: x .<= 0) }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes {
        Lanes(repeating: 0).replacing(with: 1, where: x .> 0)
    }
}

/// sign(x) · (1 − e) / (1 + e) with e = e^(−2|x|); a series near 0, where that would cancel.
struct HyperbolicTangent: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes {
        let size = magnitude(x)
        let e = exponential(size * -2)
        let far = (1 - e) / (1 + e)
        let square = x * x
        var series = Lanes(repeating: -17.0 / 315)
        series = multiplyAdd(series, square, Lanes(repeating: 2.0 / 15))
        series = multiplyAdd(series, square, Lanes(repeating: -1.0 / 3))
        series = multiplyAdd(series * square, size, size)
        let value = far.replacing(with: series, where: size .< 0.1)
        return value.replacing(with: -value, where: x .< 0)
    }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { 1 - y * y }
}

struct LogisticSigmoid: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes {
        let e = fullExponential(-magnitude(x))
        let low = e / (1 + e)
        return low.replacing(with: 1 / (1 + e), where: x .> 0)
    }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { y * (1 - y) }
}

/// log(1 + e^x) = max(x, 0) + log(1 + e^(−|x|)).
struct Softplus: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes {
        Rectifier().value(x) + logarithm(1 + exponential(-magnitude(x)))
    }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { LogisticSigmoid().value(x) }
}

struct Square: UnaryFunction {
    @inline(__always) func value(_ x: Lanes) -> Lanes { x * x }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes { x + x }
}

/// Limits; the slope is 1 on them, as in torch. NaN stays NaN.
struct Clamp: UnaryFunction {
    let lower: Float
    let upper: Float
    @inline(__always) func value(_ x: Lanes) -> Lanes {
        let raised = x.replacing(with: lower, where: x .< lower)
        return raised.replacing(with: upper, where: raised .> upper)
    }
    @inline(__always) func slope(_ x: Lanes, _ y: Lanes) -> Lanes {
        Lanes(repeating: 1).replacing(with: 0, where: x .< lower)
            .replacing(with: 0, where: x .> upper)
    }
}

// MARK: Functions of two numbers

struct Sum: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes { a + b }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        (Lanes(repeating: 1), Lanes(repeating: 1))
    }
}

struct Difference: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes { a - b }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        (Lanes(repeating: 1), Lanes(repeating: -1))
    }
}

struct Product: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes { a * b }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) { (b, a) }
}

struct Quotient: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes { a / b }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        (1 / b, -y / b)
    }
}

/// Equal numbers share the gradient, as in torch.
struct Maximum: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes {
        // NaN of either side stays.
        let larger = a.replacing(with: b, where: b .> a)
        return larger.replacing(with: b, where: b .!= b)
    }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        let half = Lanes(repeating: 0.5)
        let left = half.replacing(with: 1, where: a .> b).replacing(with: 0, where: a .< b)
        return (left, 1 - left)
    }
}

struct Minimum: BinaryFunction {
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes {
        let smaller = a.replacing(with: b, where: b .< a)
        return smaller.replacing(with: b, where: b .!= b)
    }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        let (right, left) = Maximum().slopes(a, b, y)
        return (left, right)
    }
}

/// 1 where the relation holds, else 0; no gradient.
public enum Comparison: String, Sendable, CaseIterable {
    case eq, ne, lt, le, gt, ge
}

struct Compared: BinaryFunction {
    let comparison: Comparison
    @inline(__always) func value(_ a: Lanes, _ b: Lanes) -> Lanes {
        let holds =
            switch comparison {
            case .eq: a .== b
            case .ne: a .!= b
            case .lt: a .< b
            case .le: a .<= b
            case .gt: a .> b
            case .ge: a .>= b
            }
        return Lanes(repeating: 0).replacing(with: 1, where: holds)
    }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        (Lanes(repeating: 0), Lanes(repeating: 0))
    }
}

/// a where the mask (b) is 0, else 0: the gradient of a choice.
struct Kept: BinaryFunction {
    let isKeptWhereTrue: Bool
    @inline(__always) func value(_ a: Lanes, _ mask: Lanes) -> Lanes {
        isKeptWhereTrue
            ? a.replacing(with: 0, where: mask .== 0) : a.replacing(with: 0, where: mask .!= 0)
    }
    @inline(__always) func slopes(_ a: Lanes, _ b: Lanes, _ y: Lanes) -> (Lanes, Lanes) {
        (Lanes(repeating: 0), Lanes(repeating: 0))
    }
}

// MARK: Exponential and logarithm on their whole range

/// e^x with torch's ends: 0 far below, infinity above 88.7; ``exponential(_:)`` clamps there.
@inline(__always) func fullExponential(_ x: Lanes) -> Lanes {
    let half = exponential(x * 0.5)
    return exponential(x).replacing(with: half * half, where: magnitude(x) .> 87)
        .replacing(with: 0, where: x .< -104).replacing(with: .infinity, where: x .> 89)
}

/// ln x, relative error below 2e-7: −∞ at 0, NaN below.
///
/// x = 2^e m with m in √½...√2, ln m by the polynomial of Cephes' logf.
@inline(__always) func logarithm(_ x: Lanes) -> Lanes {
    let isTiny = x .< 1.175_494_4e-38
    let normal = x.replacing(with: x * 8_388_608, where: isTiny)
    let bits = unsafeBitCast(normal, to: LaneBits.self)
    let biased = (bits &- 0x3f35_04f3 &+ 0x3f80_0000) &>> 23
    let mantissa = unsafeBitCast(bits &- ((biased &- 127) &<< 23), to: Lanes.self)
    var e = unsafeBitCast(biased | 0x4b00_0000, to: Lanes.self) - 8_388_735
    e = e.replacing(with: e - 23, where: isTiny)
    let r = mantissa - 1
    let square = r * r
    var p = Lanes(repeating: 7.037_683_6e-2)
    p = multiplyAdd(p, r, Lanes(repeating: -1.151_461_0e-1))
    p = multiplyAdd(p, r, Lanes(repeating: 1.167_699_9e-1))
    p = multiplyAdd(p, r, Lanes(repeating: -1.242_014_1e-1))
    p = multiplyAdd(p, r, Lanes(repeating: 1.424_932_3e-1))
    p = multiplyAdd(p, r, Lanes(repeating: -1.666_805_8e-1))
    p = multiplyAdd(p, r, Lanes(repeating: 2.000_071_5e-1))
    p = multiplyAdd(p, r, Lanes(repeating: -2.499_999_4e-1))
    p = multiplyAdd(p, r, Lanes(repeating: 3.333_333_1e-1))
    var y = p * r * square
    y = multiplyAdd(e, Lanes(repeating: -2.121_944_4e-4), y)
    y = multiplyAdd(square, Lanes(repeating: -0.5), y)
    let value = multiplyAdd(e, Lanes(repeating: 0.693_359_375), r + y)
    return value.replacing(with: -.infinity, where: x .== 0)
        .replacing(with: .nan, where: x .< 0)
        .replacing(with: x, where: x .== .infinity).replacing(with: x, where: x .!= x)
}
