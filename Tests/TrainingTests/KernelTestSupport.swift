import Testing
import Training

/// Small numbers that repeat from run to run: a linear congruential generator, -1 ..< 1.
struct TestNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) * 0x1p-52 - 1
    }

    /// Rounded to Float, so that kernels and references start from the same numbers.
    mutating func array(_ count: Int, scale: Double = 1, offset: Double = 0) -> [Double] {
        (0..<count).map { _ in Double(Float(next() * scale + offset)) }
    }
}

/// A buffer for kernels, with a guard behind it: kernels may not write past their end.
///
/// The memory is never freed: tests hand `Buffer(x).pointer` to kernels, and nothing would keep
/// such a temporary alive during the call.
final class Buffer {
    let pointer: UnsafeMutablePointer<Float>
    let count: Int
    private static let guards = 32

    init(_ values: [Double]) {
        count = values.count
        pointer = .allocate(capacity: count + Self.guards)
        for (index, value) in values.enumerated() { pointer[index] = Float(value) }
        for index in count..<count + Self.guards { pointer[index] = 12345 }
    }

    convenience init(zeros count: Int) { self.init([Double](repeating: 0, count: count)) }

    var values: [Float] {
        for index in count..<count + Self.guards where pointer[index] != 12345 {
            Issue.record("a kernel wrote \(index - count + 1) past the end of its buffer")
            break
        }
        return Array(UnsafeBufferPointer(start: pointer, count: count))
    }
}

/// d/dx of `function` by central differences in double precision.
func numericGradient(_ x: [Double], step: Double = 1e-5, _ function: ([Double]) -> Double)
    -> [Float]
{
    x.indices.map { index in
        var point = x
        point[index] = x[index] + step
        let above = function(point)
        point[index] = x[index] - step
        return Float((above - function(point)) / (2 * step))
    }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func floats(_ values: [Double]) -> [Float] { values.map { Float($0) } }
