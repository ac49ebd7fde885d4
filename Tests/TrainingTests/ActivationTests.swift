import Glibc
import Testing
import Training

struct ActivationTests {
    /// Double-precision definitions.
    static func reference(_ activation: Activation, _ x: Double) -> Double {
        switch activation {
        case .identity: x
        case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case .geluTanh:
            0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        case .relu: max(x, 0)
        case .tanh: tanh(x)
        case .sigmoid: 1 / (1 + exp(-x))
        case .silu: x / (1 + exp(-x))
        }
    }

    @Test(arguments: Activation.allCases)
    func `value and slope agree with double precision from -12 to 12`(_ activation: Activation) {
        let count = 4803
        let x = (0..<count).map { Double(Float(Double($0 - 2401) / 200)) }
        let product = Buffer(x)
        let output = Buffer(zeros: count)
        activationForward(
            activation, rows: 1, columns: count, bias: nil, product: product.pointer,
            output: output.pointer)
        expectClose(
            output.values, x.map { Float(Self.reference(activation, $0)) }, absolute: 1.2e-7,
            relative: 3e-7, "\(activation)")
        let again = Buffer(zeros: count)
        activationBackward(
            activation, rows: 1, columns: count, bias: nil, product: product.pointer,
            dOutput: Buffer([Double](repeating: 1, count: count)).pointer, output: again.pointer,
            dBias: nil)
        #expect(again.values == output.values)
        let slopes = x.map { x -> Float in
            if activation == .relu { return x > 0 ? 1 : 0 }
            let step = 1e-5
            return Float(
                (Self.reference(activation, x + step) - Self.reference(activation, x - step))
                    / (2 * step))
        }
        expectClose(product.values, slopes, absolute: 4e-7, relative: 1e-6, "\(activation)'")
    }

    @Test func `bias is added and its gradient is the column sum`() {
        var numbers = TestNumbers(seed: 1)
        let (rows, columns) = (7, 21)
        let x = numbers.array(rows * columns)
        let bias = numbers.array(columns)
        let product = Buffer(x)
        let output = Buffer(zeros: rows * columns)
        activationForward(
            .gelu, rows: rows, columns: columns, bias: Buffer(bias).pointer,
            product: product.pointer, output: output.pointer)
        let expected = x.indices.map {
            Float(Self.reference(.gelu, x[$0] + bias[$0 % columns]))
        }
        expectClose(output.values, expected, absolute: 2e-7, "values")

        let upstream = numbers.array(rows * columns)
        let dBias = Buffer(bias)
        let again = Buffer(zeros: rows * columns)
        activationBackward(
            .gelu, rows: rows, columns: columns, bias: Buffer(bias).pointer,
            product: product.pointer, dOutput: Buffer(upstream).pointer, output: again.pointer,
            dBias: dBias.pointer)
        #expect(again.values == output.values)
        let dProduct = numericGradient(x) { x in
            dot(x.indices.map { Self.reference(.gelu, x[$0] + bias[$0 % columns]) }, upstream)
        }
        expectClose(product.values, dProduct, absolute: 3e-6, "dProduct")
        let gradient = numericGradient(bias) { bias in
            dot(x.indices.map { Self.reference(.gelu, x[$0] + bias[$0 % columns]) }, upstream)
        }
        // Accumulated onto what was there.
        expectClose(
            dBias.values, zip(gradient, bias).map { $0 + Float($1) }, absolute: 3e-6, "dBias")
    }

    @Test(arguments: Activation.allCases)
    func `NaN stays NaN`(_ activation: Activation) {
        let product = Buffer([.nan, 1])
        let output = Buffer(zeros: 2)
        activationForward(
            activation, rows: 1, columns: 2, bias: nil, product: product.pointer,
            output: output.pointer)
        #expect(output.values[0].isNaN)
        #expect(output.values[1].isFinite)
    }
}
