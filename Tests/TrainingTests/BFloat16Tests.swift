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
        let weightScratch = Self.halves(
            BFloat16.weightScratchCount(inputs: inputs, outputs: 32))
        let y = Buffer(zeros: rows * outputs)
        let dx = Buffer(start)
        let dWeight = Buffer(w)
        weight.packForward()
        weight.packBackward()
        bfloat16Forward(
            rows: rows, input: .floats(Buffer(x).pointer), weight: weight, output: y.pointer,
            scratch: scratch)
        bfloat16BackwardInput(
            rows: rows, dOutput: .floats(Buffer(dy).pointer), weight: weight,
            dInput: dx.pointer, accumulate: true, scratch: scratch)
        bfloat16BackwardWeight(
            rows: rows, inputs: inputs, outputs: outputs, range: 0..<32,
            dOutput: .floats(Buffer(dy).pointer), input: Self.kept(x, rows),
            dWeight: dWeight.pointer, unit: unit, scratch: weightScratch)

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

        // The same bits from operands that are rounded already.
        let (again, dAgain, dWeightAgain) = (
            Buffer(zeros: rows * outputs), Buffer(start), Buffer(w)
        )
        bfloat16Forward(
            rows: rows, input: .halves(Self.kept(x, rows)), weight: weight,
            output: again.pointer, scratch: scratch)
        bfloat16BackwardInput(
            rows: rows, dOutput: .halves(Self.kept(dy, rows)), weight: weight,
            dInput: dAgain.pointer, accumulate: true, scratch: scratch)
        bfloat16BackwardWeight(
            rows: rows, inputs: inputs, outputs: outputs, range: 0..<32,
            dOutput: .halves(Self.kept(dy, rows)), input: Self.kept(x, rows),
            dWeight: dWeightAgain.pointer, unit: unit, scratch: weightScratch)
        #expect(again.values == y.values)
        #expect(dAgain.values == dx.values)
        #expect(dWeightAgain.values == dWeight.values)
    }

    /// Rounded rows, with something behind them that products may read and have to ignore.
    static func kept(_ x: [Double], _ rows: Int) -> Halves {
        let memory = halves(x.count + 31 * (x.count / rows))
        for (place, value) in x.enumerated() {
            memory[place] = UInt16(Float(rounded(value)).bitPattern >> 16)
        }
        for place in x.count..<x.count + 31 * (x.count / rows) { memory[place] = 0x7fc0 }
        return memory
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
            rows: bits.count, input: .floats(input.pointer), weight: weight,
            output: output.pointer,
            scratch: Self.halves(BFloat16.scratchCount(rows: bits.count, columns: 32)))
        for (row, pattern) in expected.enumerated() {
            let wanted = Float(bitPattern: pattern)
            let found = output.values[row * 32 + 5]
            #expect(found == wanted || found.isNaN && wanted.isNaN, "\(bits[row])")
        }
    }

    private static func floats(_ halves: Halves, _ count: Int) -> [Float] {
        (0..<count).map { Float(bitPattern: UInt32(halves[$0]) << 16) }
    }

    @Test(arguments: [true, false])
    func `sums with a bias are rounded, and kept where there is a place`(_ hasBias: Bool) {
        let (rows, columns) = (5, 48)
        var numbers = TestNumbers(seed: 11)
        let x = numbers.array(rows * columns)
        let bias = numbers.array(columns)
        let values = Buffer(x)
        let kept = Self.halves(rows * columns)
        addBiasRounded(
            rows: rows, columns: columns, bias: hasBias ? ConstFloats(Buffer(bias).pointer) : nil,
            values: values.pointer, kept: kept)
        let expected = x.indices.map {
            Float(Self.rounded(Double(Float(x[$0]) + (hasBias ? Float(bias[$0 % columns]) : 0))))
        }
        #expect(values.values == expected)
        #expect(Self.floats(kept, rows * columns) == expected)
        let wide = Buffer(zeros: rows * columns)
        widen(count: rows * columns, kept: kept, into: wide.pointer)
        #expect(wide.values == expected)

        let dBias = Buffer(bias)
        addBiasRoundedBackward(
            rows: rows, columns: columns, dValues: Buffer(x).pointer, kept: kept,
            dBias: hasBias ? dBias.pointer : nil)
        #expect(Self.floats(kept, rows * columns) == x.map { Float(Self.rounded($0)) })
        let sums = bias.indices.map { column in
            Float(bias[column])
                + (hasBias ? (0..<rows).reduce(0) { $0 + Float(x[$1 * columns + column]) } : 0)
        }
        expectClose(dBias.values, sums, absolute: 1e-6, "dBias")
    }

    @Test func `a norm's output is rounded`() {
        let (rows, columns) = (5, 48)
        var numbers = TestNumbers(seed: 13)
        let normal = Buffer(numbers.array(rows * columns))
        let (weight, bias) = (Buffer(numbers.array(columns)), Buffer(numbers.array(columns)))
        let exact = Buffer(zeros: rows * columns)
        layerNormOutput(
            rows: rows, columns: columns, normal: normal.pointer, weight: weight.pointer,
            bias: bias.pointer, output: exact.pointer)
        let output = Self.halves(rows * columns)
        layerNormOutputRounded(
            rows: rows, columns: columns, normal: normal.pointer, weight: weight.pointer,
            bias: bias.pointer, output: output)
        let expected = exact.values.map { Float(Self.rounded(Double($0))) }
        #expect(Self.floats(output, rows * columns) == expected)
    }

    /// Against the kernels of float32, with rounded numbers in and rounded numbers out.
    @Test(arguments: Activation.allCases)
    func `activation functions of rounded sums`(_ activation: Activation) {
        let (rows, columns) = (3, 32)
        var numbers = TestNumbers(seed: 12)
        let product = numbers.array(rows * columns, scale: 3)
        let bias = numbers.array(columns)
        let dOutput = numbers.array(rows * columns)
        let kept = Self.halves(rows * columns)
        let output = Self.halves(rows * columns)
        activationForwardRounded(
            activation, rows: rows, columns: columns, bias: Buffer(bias).pointer,
            product: Buffer(product).pointer, kept: kept, output: output)
        let sums = product.indices.map {
            Self.rounded(Double(Float(product[$0]) + Float(bias[$0 % columns])))
        }
        #expect(Self.floats(kept, rows * columns) == sums.map { Float($0) })
        let exact = Buffer(zeros: rows * columns)
        activationForward(
            activation, rows: rows, columns: columns, bias: nil, product: Buffer(sums).pointer,
            output: exact.pointer)
        let rounded = exact.values.map { Float(Self.rounded(Double($0))) }
        #expect(Self.floats(output, rows * columns) == rounded)

        let slopes = Buffer(sums)
        let (value, dBias) = (Buffer(zeros: rows * columns), Buffer(zeros: columns))
        let ownBias = Buffer(zeros: columns)
        activationBackward(
            activation, rows: rows, columns: columns, bias: nil, product: slopes.pointer,
            dOutput: Buffer(dOutput).pointer, output: value.pointer, dBias: dBias.pointer)
        activationBackwardRounded(
            activation, rows: rows, columns: columns, kept: kept,
            dOutput: Buffer(dOutput).pointer, output: output, dBias: ownBias.pointer)
        let ownValue = value.values.map { Float(Self.rounded(Double($0))) }
        #expect(Self.floats(output, rows * columns) == ownValue)
        #expect(ownBias.values == dBias.values)
        let gradient = slopes.values.map { Float(Self.rounded(Double($0))) }
        #expect(Self.floats(kept, rows * columns) == gradient)
    }
}
