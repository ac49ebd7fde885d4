// Exponentials and logarithms of eight doubles at a time, for the sums over thousands of kernels.

/// eˣ of each lane, within 2 ulp; 0 below -708, where the result would be subnormal. Not for
/// x > 709 or NaN.
///
/// x = k ln 2 + r with |r| <= ln 2 / 2, eʳ by its Taylor polynomial, 2ᵏ from the bits of k.
@inline(__always) func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
    typealias Vector = SIMD8<Double>
    let isTiny = x .< Vector(repeating: -708)
    let clipped = x.replacing(with: Vector(repeating: -708), where: isTiny)
    // Adding 1.5 · 2⁵² rounds to a whole number and leaves it in the low bits.
    let magic = Vector(repeating: 6_755_399_441_055_744)
    let shifted = clipped * Vector(repeating: 1.4426950408889634) + magic
    let k = shifted - magic
    let r =
        (clipped - k * Vector(repeating: 0x1.62e42feep-1)) - k
        * Vector(
            repeating: 0x1.a39ef35793c76p-33)
    var sum = Vector(repeating: 1.0 / 6_227_020_800)
    sum = sum * r + Vector(repeating: 1.0 / 479_001_600)
    sum = sum * r + Vector(repeating: 1.0 / 39_916_800)
    sum = sum * r + Vector(repeating: 1.0 / 3_628_800)
    sum = sum * r + Vector(repeating: 1.0 / 362_880)
    sum = sum * r + Vector(repeating: 1.0 / 40_320)
    sum = sum * r + Vector(repeating: 1.0 / 5_040)
    sum = sum * r + Vector(repeating: 1.0 / 720)
    sum = sum * r + Vector(repeating: 1.0 / 120)
    sum = sum * r + Vector(repeating: 1.0 / 24)
    sum = sum * r + Vector(repeating: 1.0 / 6)
    sum = sum * r + Vector(repeating: 0.5)
    let result = r * r * sum + r + Vector(repeating: 1)
    let exponent = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &+ SIMD8(repeating: 1023)
    let scale = unsafeBitCast(exponent &<< SIMD8(repeating: 52), to: Vector.self)
    return (result * scale).replacing(with: Vector(repeating: 0), where: isTiny)
}

/// ln x of each lane, within 2 ulp; for positive, normal, finite x.
///
/// x = 2ᵏ m with m in [√½, √2); ln m = 2 artanh(s), s = (m - 1) / (m + 1), as a polynomial in s².
@inline(__always) func logarithm(_ x: SIMD8<Double>) -> SIMD8<Double> {
    typealias Vector = SIMD8<Double>
    let bits = unsafeBitCast(x, to: SIMD8<UInt64>.self)
    // The bits of √½ are subtracted, so that the exponent steps there and not at a power of two.
    let offset = bits &- SIMD8(repeating: 0x3fe6_a09e_667f_3bcd)
    let k = unsafeBitCast(offset, to: SIMD8<Int64>.self) &>> SIMD8(repeating: 52)
    let mantissa = unsafeBitCast(
        bits &- unsafeBitCast(k &<< SIMD8(repeating: 52), to: SIMD8<UInt64>.self), to: Vector.self)
    // A small integer as a double, by the bits of 1.5 · 2⁵² + k.
    let magic = Vector(repeating: 6_755_399_441_055_744)
    let whole =
        unsafeBitCast(unsafeBitCast(magic, to: SIMD8<Int64>.self) &+ k, to: Vector.self) - magic
    let f = mantissa - Vector(repeating: 1)
    let s = f / (Vector(repeating: 2) + f)
    let z = s * s
    var sum = Vector(repeating: 1.479819860511658591e-01)
    sum = sum * z + Vector(repeating: 1.531383769920937332e-01)
    sum = sum * z + Vector(repeating: 1.818357216161805012e-01)
    sum = sum * z + Vector(repeating: 2.222219843214978396e-01)
    sum = sum * z + Vector(repeating: 2.857142874366239149e-01)
    sum = sum * z + Vector(repeating: 3.999999999940941908e-01)
    sum = sum * z + Vector(repeating: 6.666666666666735130e-01)
    let half = Vector(repeating: 0.5) * f * f
    let tail = s * (half + sum * z) + whole * Vector(repeating: 1.90821492927058770002e-10)
    return whole * Vector(repeating: 6.93147180369123816490e-01) - ((half - tail) - f)
}

/// ln Σ exp(scores); the scores become the exponentials. NaN if any is NaN.
func logSumOfExponentials(_ scores: UnsafeMutableBufferPointer<Double>) -> Double {
    guard let base = scores.baseAddress, !scores.isEmpty else { return -.infinity }
    let pointer = UnsafeMutableRawPointer(base)
    let blocks = scores.count / 8 * 8
    var lanes = SIMD8<Double>(repeating: -.infinity)
    var hasNaN = false
    for index in stride(from: 0, to: blocks, by: 8) {
        let block = pointer.loadUnaligned(fromByteOffset: 8 * index, as: SIMD8<Double>.self)
        lanes.replace(with: block, where: block .> lanes)
        // NaN differs from itself.
        if any(block .!= block) { hasNaN = true }
    }
    var largest = -Double.infinity
    for lane in 0..<8 where lanes[lane] > largest { largest = lanes[lane] }
    for index in blocks..<scores.count {
        if scores[index].isNaN { hasNaN = true }
        if scores[index] > largest { largest = scores[index] }
    }
    if hasNaN { return .nan }
    if largest == .infinity { return .infinity }
    if largest == -.infinity { return -.infinity }
    let offset = SIMD8<Double>(repeating: largest)
    for index in stride(from: 0, to: blocks, by: 8) {
        let block = pointer.loadUnaligned(fromByteOffset: 8 * index, as: SIMD8<Double>.self)
        pointer.storeBytes(
            of: exponential(block - offset), toByteOffset: 8 * index, as: SIMD8<Double>.self)
    }
    for index in blocks..<scores.count { scores[index] = exponential(scores[index] - largest) }
    return logarithm(pairwiseSum(UnsafeBufferPointer(scores))) + largest
}
