// The C library's functions under full names, and numpy's way of adding. One file imports Glibc
// for the algorithms, so that `log` in a distribution is never mistaken for the function.

import Glibc

@inline(__always) func logarithm(_ x: Double) -> Double { Glibc.log(x) }
@inline(__always) func logarithmOnePlus(_ x: Double) -> Double { Glibc.log1p(x) }
@inline(__always) func exponential(_ x: Double) -> Double { Glibc.exp(x) }
@inline(__always) func exponentialMinusOne(_ x: Double) -> Double { Glibc.expm1(x) }
@inline(__always) func errorFunction(_ x: Double) -> Double { Glibc.erf(x) }
@inline(__always) func complementaryErrorFunction(_ x: Double) -> Double { Glibc.erfc(x) }

/// numpy's sum along a contiguous axis, bit for bit: eight running sums in blocks of 128, halves
/// above that.
func pairwiseSum(_ values: UnsafeBufferPointer<Double>) -> Double {
    let count = values.count
    if count < 8 {
        var sum = 0.0
        for value in values { sum += value }
        return sum
    }
    if count <= 128 {
        var sums = SIMD8<Double>(
            values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7])
        var index = 8
        while index + 8 <= count {
            sums += SIMD8<Double>(
                values[index], values[index + 1], values[index + 2], values[index + 3],
                values[index + 4], values[index + 5], values[index + 6], values[index + 7])
            index += 8
        }
        var sum =
            ((sums[0] + sums[1]) + (sums[2] + sums[3]))
            + ((sums[4] + sums[5]) + (sums[6] + sums[7]))
        while index < count {
            sum += values[index]
            index += 1
        }
        return sum
    }
    let half = count / 2 / 8 * 8
    return pairwiseSum(UnsafeBufferPointer(rebasing: values[..<half]))
        + pairwiseSum(UnsafeBufferPointer(rebasing: values[half...]))
}

func pairwiseSum(_ values: [Double]) -> Double { values.withUnsafeBufferPointer(pairwiseSum) }
