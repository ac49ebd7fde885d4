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

    @Test(arguments: [1, 31, 32, 33, 77, 600], BFloat16.units)
    func `products equal those of rounded operands`(_ rows: Int, _ unit: BFloat16.Unit) {
        let (inputs, outputs) = (96, 64)
        var numbers = TestNumbers(seed: 7)
        let x = numbers.array(rows * inputs)
        let w = numbers.array(outputs * inputs)
        let dy = numbers.array(rows * outputs)
        let start = numbers.array(rows * inputs)
        let values = Buffer(w)
        let weight = BFloat16Weight(
            values.pointer, inputs: inputs, outputs: outputs, unit: unit,
            copies: Self.halves(
                BFloat16Weight.copiesCount(inputs: inputs, outputs: outputs, unit: unit)))
        let scratch = Self.halves(BFloat16.scratchCount(rows: rows, columns: inputs))
        let y = Buffer(zeros: rows * outputs)
        let dx = Buffer(start)
        let dWeight = Buffer(w)
        weight.packForward()
        weight.packBackward()
        bfloat16Forward(
            rows: rows, input: Buffer(x).pointer, weight: weight, output: y.pointer,
            scratch: scratch)
        bfloat16BackwardInput(
            rows: rows, dOutput: Buffer(dy).pointer, weight: weight, dInput: dx.pointer,
            accumulate: true, scratch: scratch)
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

    /// Ties, their neighbours, what rounds up to the next power of two and to infinity, and what is
    /// no number.
    @Test(arguments: BFloat16.units)
    func `values are rounded to the nearest, ties to even`(_ unit: BFloat16.Unit) {
        let bits: [UInt32] = [
            0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x3f80_7fff, 0xbf81_7fff, 0x3fff_8000,
            0x7f7f_8000, 0x7f7f_7fff, 0x7f80_0000, 0xff80_0000, 0x7fff_ffff, 0xffff_ffff,
            0x7fc0_0000, 0x0080_7fff, 0, 0x8000_0000,
        ]
        let expected: [UInt32] = [
            0x3f80_0000, 0x3f82_0000, 0x3f81_0000, 0x3f80_0000, 0xbf81_0000, 0x4000_0000,
            0x7f80_0000, 0x7f7f_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0000,
            0x7fc0_0000, 0x0080_0000, 0, 0,
        ]
        // Each value times one, in a row of its own.
        let input = Buffer(zeros: bits.count * 32)
        for (row, pattern) in bits.enumerated() {
            input.pointer[row * 32 + 3] = Float(bitPattern: pattern)
        }
        let one = Buffer((0..<32 * 32).map { $0 % 32 == 3 ? 1 : 0 })
        let weight = BFloat16Weight(
            one.pointer, inputs: 32, outputs: 32, unit: unit,
            copies: Self.halves(
                BFloat16Weight.copiesCount(inputs: 32, outputs: 32, unit: unit)))
        weight.packForward()
        let output = Buffer(zeros: bits.count * 32)
        bfloat16Forward(
            rows: bits.count, input: input.pointer, weight: weight, output: output.pointer,
            scratch: Self.halves(BFloat16.scratchCount(rows: bits.count, columns: 32)))
        for (row, pattern) in expected.enumerated() {
            let wanted = Float(bitPattern: pattern)
            let found = output.values[row * 32 + 5]
            #expect(found == wanted || found.isNaN && wanted.isNaN, "\(bits[row])")
        }
    }
}
