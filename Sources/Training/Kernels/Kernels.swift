// Vector building blocks of all kernels, and the conventions they share.
//
// Legend: T tokens of a batch (packed, no padding), S sentences, H hidden size, A heads,
// D = H / A head size, I intermediate size. Matrices are Float32, row-major, rows contiguous
// unless a stride is named.
//
// Gradient rule: gradients of parameters are accumulated (+=), gradients of activations are
// assigned, unless a comment says otherwise.
//
// Only operations that the compiler turns into vector code are used: plain arithmetic,
// `addingProduct`, shifts, comparisons of floats with `replacing(with:where:)`. `.rounded()`,
// `min()`, `max()`, `sum()`, `squareRoot()`, conversions between integer and floating vectors and
// comparisons of integer vectors fall back to one lane at a time.
import COpenBLAS

/// Sixteen floats: one AVX-512 register, two AVX2 registers, four SSE or NEON registers.
package typealias Lanes = SIMD16<Float>
package typealias LaneBits = SIMD16<UInt32>
package typealias Floats = UnsafeMutablePointer<Float>
package typealias ConstFloats = UnsafePointer<Float>

let laneCount = 16

/// 0, 1, ... 15.
let laneIndices = Lanes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

// MARK: Loads and stores

@inline(__always) func load(_ source: ConstFloats) -> Lanes {
    UnsafeRawPointer(source).loadUnaligned(as: Lanes.self)
}

@inline(__always) func store(_ destination: Floats, _ lanes: Lanes) {
    UnsafeMutableRawPointer(destination).storeBytes(of: lanes, as: Lanes.self)
}

/// Lanes `index ..< index + 16` of a row that ends at `end`; lanes past the end are zero.
///
/// Tails travel through memory: as arguments and results lanes are cut into four registers, and the
/// loop around a call with such a signature stays cut in four.
@inline(__always) func load(_ row: ConstFloats, _ index: Int, _ end: Int) -> Lanes {
    if index &+ laneCount <= end { return load(row + index) }
    var lanes = Lanes(repeating: 0)
    withUnsafeMutableBytes(of: &lanes) { copyTail(row + index, end &- index, $0.baseAddress) }
    return lanes
}

/// Stores the lanes of `index ..< index + 16` that lie before `end`.
@inline(__always) func store(_ row: Floats, _ index: Int, _ end: Int, _ lanes: Lanes) {
    if index &+ laneCount <= end {
        store(row + index, lanes)
    } else {
        withUnsafeBytes(of: lanes) { copyTail($0.baseAddress, end &- index, row + index) }
    }
}

@inline(never) private func copyTail(
    _ source: UnsafeRawPointer?, _ count: Int, _ destination: UnsafeMutableRawPointer?
) {
    guard let source, let destination else { return }
    destination.copyMemory(from: source, byteCount: count &* MemoryLayout<Float>.stride)
}

/// `lanes` with zeros where `index + lane >= end`.
@inline(__always) func clear(_ lanes: Lanes, _ index: Int, _ end: Int) -> Lanes {
    index &+ laneCount <= end
        ? lanes : lanes.replacing(with: 0, where: laneIndices .>= Float(end &- index))
}

/// Calls `body(index, end)` for index 0, 16, 32 ... below `columns`, for loads and stores with this end.
///
/// The tail is apart from the loop, whose `end` is out of reach, so that nothing there asks where a
/// row ends or calls a function, across which every vector would have to go through memory.
///
/// `body` has to be a local function marked `@inline(__always)`: a closure becomes a call for each 16
/// values, as it is used in two places, and takes several times as long.
@inline(__always) func forEachLanes(
    _ columns: Int, _ body: (_ index: Int, _ end: Int) -> Void
) {
    var index = 0
    while index &+ laneCount <= columns {
        body(index, .max)
        index &+= laneCount
    }
    if index < columns { body(index, columns) }
}

// MARK: Arithmetic

/// a · b + c, rounded once where the machine can.
@inline(__always) func multiplyAdd(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
    st_has_fma() ? c.addingProduct(a, b) : a * b + c
}

@inline(__always) func multiplyAdd(_ a: Float, _ b: Lanes, _ c: Lanes) -> Lanes {
    multiplyAdd(Lanes(repeating: a), b, c)
}

@inline(__always) func maximum(_ a: Lanes, _ b: Lanes) -> Lanes {
    b.replacing(with: a, where: a .> b)
}

@inline(__always) func magnitude(_ a: Lanes) -> Lanes {
    unsafeBitCast(unsafeBitCast(a, to: LaneBits.self) & 0x7fff_ffff, to: Lanes.self)
}

/// Sum of the lanes, added pairwise in a fixed order.
@inline(__always) func sum(_ lanes: Lanes) -> Float {
    let eight = lanes.lowHalf + lanes.highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
}

/// The largest lane.
@inline(__always) func largest(_ lanes: Lanes) -> Float {
    let eight = lanes.lowHalf.replacing(
        with: lanes.highHalf, where: lanes.highHalf .> lanes.lowHalf)
    let four = eight.lowHalf.replacing(
        with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    return max(max(four[0], four[1]), max(four[2], four[3]))
}

/// e^x for each lane, relative error below 3e-7; the argument is clamped to -87.3 ... 88.
///
/// x = n ln 2 + r: n comes out of the low bits of x / ln 2 + 1.5 · 2^23, r is reduced in two steps
/// (Cody and Waite), e^r is a polynomial of degree 6 and 2^n is built from its exponent bits.
@inline(__always) func exponential(_ x: Lanes) -> Lanes {
    let magic: Float = 12_582_912
    // Written so that NaN stays NaN.
    let raised = x.replacing(with: -87.3, where: x .< -87.3)
    let clamped = raised.replacing(with: 88, where: raised .> 88)
    let shifted = multiplyAdd(
        Lanes(repeating: 1.442_695_04), clamped, Lanes(repeating: magic))
    let n = shifted - magic
    var r = multiplyAdd(n, Lanes(repeating: -0.693_359_375), clamped)
    r = multiplyAdd(n, Lanes(repeating: 2.121_944_4e-4), r)
    var p = Lanes(repeating: 1.388_888_9e-3)
    p = multiplyAdd(p, r, Lanes(repeating: 8.333_333_3e-3))
    p = multiplyAdd(p, r, Lanes(repeating: 4.166_666_7e-2))
    p = multiplyAdd(p, r, Lanes(repeating: 1.666_666_7e-1))
    p = multiplyAdd(p, r, Lanes(repeating: 0.5))
    p = multiplyAdd(p, r, Lanes(repeating: 1))
    p = multiplyAdd(p, r, Lanes(repeating: 1))
    let power = (unsafeBitCast(shifted, to: LaneBits.self) &+ 127) &<< 23
    return p * unsafeBitCast(power, to: Lanes.self)
}
