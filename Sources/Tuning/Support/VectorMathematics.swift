// Exponentials of eight doubles at a time, for the sums over thousands of kernels.

/// eˣ of each lane, nearly always the double next to the true value; 0 below -708, where the result
/// would be subnormal. Not for x > 709 or NaN.
///
/// Sums of these must be numpy's to the last bit where choices are equally good: there the rounding
/// decides which one is suggested.
///
/// x = k ln 2 + r with |r| <= ln 2 / 2, eʳ by its Taylor polynomial with what rounding loses, 2ᵏ from
/// the bits of k.
@inline(__always) func exponential(_ x: SIMD8<Double>) -> SIMD8<Double> {
    typealias Vector = SIMD8<Double>
    let isTiny = x .< Vector(repeating: -708)
    let clipped = x.replacing(with: Vector(repeating: -708), where: isTiny)
    // Adding 1.5 · 2⁵² rounds to a whole number and leaves it in the low bits.
    let magic = Vector(repeating: 6_755_399_441_055_744)
    let shifted = clipped * Vector(repeating: 1.4426950408889634) + magic
    let k = shifted - magic
    let high = clipped - k * Vector(repeating: 0x1.62e42feep-1)
    let low = k * Vector(repeating: 0x1.a39ef35793c76p-33)
    let r = high - low
    let rest = (high - r) - low
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
    // 1 + r is rounded; what that loses goes with the small terms.
    let square = r * r
    let first = Vector(repeating: 1) + r
    let lost = (Vector(repeating: 1) - first) + r
    let small = (square * Vector(repeating: 0.5) + square * r * sum) + (rest + r * rest)
    let result = first + (lost + small)
    let exponent = unsafeBitCast(shifted, to: SIMD8<UInt64>.self) &+ SIMD8(repeating: 1023)
    let scale = unsafeBitCast(exponent &<< SIMD8(repeating: 52), to: Vector.self)
    return (result * scale).replacing(with: Vector(repeating: 0), where: isTiny)
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
