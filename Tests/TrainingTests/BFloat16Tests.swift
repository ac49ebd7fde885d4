import Testing
import Training

struct BFloat16Tests {
    /// Rounded to nearest, ties to even.
    static func rounded(_ x: Double) -> Double {
        let bits = Float(x).bitPattern
        return Double(Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000))
    }

    /// a [m, k] · bᵀ with b [n, k], operands rounded, sums in double precision.
    static func product(_ a: [Double], _ b: [Double], _ m: Int, _ n: Int, _ k: Int) -> [Float] {
        let x = a.map(rounded)
        let y = b.map(rounded)
        return (0..<m * n).map { place in
            let (i, j) = (place / n, place % n)
            return Float((0..<k).reduce(0.0) { $0 + x[i * k + $1] * y[j * k + $1] })
        }
    }

    /// Never freed, as the buffers of the other kernel tests.
    static func halves(_ count: Int) -> Halves {
        let pointer = Halves.allocate(capacity: count)
        pointer.initialize(repeating: 0, count: count)
        return pointer
    }

    static func transposed(_ x: [Double], _ rows: Int, _ columns: Int) -> [Double] {
        (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
    }

    @Test(arguments: [1, 31, 32, 33, 77, 600], [.plain] + BFloat16.units)
    func `products equal those of rounded operands`(_ rows: Int, _ unit: BFloat16.Unit) {
        let (inputs, outputs) = (96, 64)
        var numbers = TestNumbers(seed: 7)
        let x = numbers.array(rows * inputs)
        let w = numbers.array(outputs * inputs)
        let dy = numbers.array(rows * outputs)
        let start = numbers.array(rows * inputs)
        let weight = BFloat16Weight(
            forward: Self.halves(inputs * outputs), backward: Self.halves(inputs * outputs),
            unit: unit)
        let scratch = Self.halves(BFloat16.scratchCount(rows: rows, columns: inputs))
        let y = Buffer(zeros: rows * outputs)
        let dx = Buffer(start)
        let dWeight = Buffer(w)
        weight.packForward(inputs: inputs, outputs: outputs, weight: Buffer(w).pointer)
        weight.packBackward(inputs: inputs, outputs: outputs, weight: Buffer(w).pointer)
        bfloat16Forward(
            rows: rows, inputs: inputs, outputs: outputs, input: Buffer(x).pointer,
            weight: weight, output: y.pointer, scratch: scratch)
        bfloat16BackwardInput(
            rows: rows, inputs: inputs, outputs: outputs, dOutput: Buffer(dy).pointer,
            weight: weight, dInput: dx.pointer, accumulate: true, scratch: scratch)
        bfloat16BackwardWeight(
            rows: rows, inputs: inputs, outputs: outputs, range: 0..<32,
            dOutput: Buffer(dy).pointer, input: Buffer(x).pointer, dWeight: dWeight.pointer,
            unit: unit,
            scratch: Self.halves(BFloat16.weightScratchCount(inputs: inputs, outputs: 32)))

        let tolerance: Float = 1e-5
        expectClose(
            y.values, Self.product(x, w, rows, outputs, inputs), absolute: tolerance, "output")
        let back = Self.product(
            dy, Self.transposed(w, outputs, inputs), rows, inputs, outputs)
        expectClose(
            dx.values, back.indices.map { back[$0] + Float(start[$0]) }, absolute: tolerance,
            "dInput")
        let slope = Self.product(
            Self.transposed(dy, rows, outputs), Self.transposed(x, rows, inputs), outputs, inputs,
            rows)
        // Half of the rows were asked for.
        let sums = w.indices.map { Float(w[$0]) + ($0 < 32 * inputs ? slope[$0] : 0) }
        expectClose(dWeight.values, sums, absolute: tolerance * 4, "dWeight")
    }
}
