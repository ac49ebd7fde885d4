import Testing
import Training

struct LayerNormTests {
    struct Case: Sendable {
        let rows: Int
        let columns: Int
        let dropout: Double
    }

    static let cases = [
        Case(rows: 1, columns: 1, dropout: 0), Case(rows: 3, columns: 24, dropout: 0),
        Case(rows: 5, columns: 32, dropout: 0.3), Case(rows: 2, columns: 37, dropout: 0.5),
    ]

    /// [rows, columns] factors of the kernel's own masks.
    static func mask(_ site: DropoutSite?, _ rows: Int, _ columns: Int, first: Int) -> [Double] {
        guard let site else { return [Double](repeating: 1, count: rows * columns) }
        return (0..<rows).flatMap { row in
            let mask = site.row(first + row, offset: 0)
            return (0..<columns).map { Double(mask.factors($0 / 16 * 16)[$0 % 16]) }
        }
    }

    static func reference(
        _ product: [Double], _ bias: [Double], _ mask: [Double], _ residual: [Double],
        _ weight: [Double], _ offset: [Double], _ columns: Int, _ epsilon: Double
    ) -> [Double] {
        var result: [Double] = []
        for start in stride(from: 0, to: product.count, by: columns) {
            let v = (0..<columns).map {
                (product[start + $0] + bias[$0]) * mask[start + $0] + residual[start + $0]
            }
            let mean = v.reduce(0, +) / Double(columns)
            let variance = v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
            let rstd = 1 / (variance + epsilon).squareRoot()
            result += (0..<columns).map { (v[$0] - mean) * rstd * weight[$0] + offset[$0] }
        }
        return result
    }

    @Test(arguments: cases)
    func `fused forward and backward agree with double precision and finite differences`(
        _ test: Case
    ) {
        var numbers = TestNumbers(seed: UInt64(test.columns))
        let (rows, columns, first) = (test.rows, test.columns, 11)
        let site =
            test.dropout > 0 ? DropoutSite(probability: test.dropout, key: 99) : nil
        let mask = Self.mask(site, rows, columns, first: first)
        let product = numbers.array(rows * columns, scale: 2)
        let bias = numbers.array(columns)
        let residual = numbers.array(rows * columns, scale: 1, offset: 3)
        let weight = numbers.array(columns, scale: 0.5, offset: 1)
        let offset = numbers.array(columns)
        let upstream = numbers.array(rows * columns)
        let epsilon = 1e-3

        let normal = Buffer(product)
        let output = Buffer(zeros: rows * columns)
        let rstd = Buffer(zeros: rows)
        let weightBuffer = Buffer(weight)
        layerNormForward(
            rows: rows, columns: columns, firstRow: first, product: normal.pointer,
            productBias: Buffer(bias).pointer, dropout: site, residual: Buffer(residual).pointer,
            weight: weightBuffer.pointer, bias: Buffer(offset).pointer, epsilon: Float(epsilon),
            output: output.pointer, rstd: rstd.pointer)
        let expected = Self.reference(
            product, bias, mask, residual, weight, offset, columns, epsilon)
        expectClose(output.values, floats(expected), absolute: 5e-6, relative: 1e-5, "output")
        let again = Buffer(zeros: rows * columns)
        layerNormOutput(
            rows: rows, columns: columns, normal: normal.pointer, weight: weightBuffer.pointer,
            bias: Buffer(offset).pointer, output: again.pointer)
        #expect(again.values == output.values)

        let dResidual = Buffer(zeros: rows * columns)
        let dWeight = Buffer(zeros: columns)
        let dOffset = Buffer(zeros: columns)
        let dBias = Buffer(zeros: columns)
        layerNormBackward(
            rows: rows, columns: columns, firstRow: first, dOutput: Buffer(upstream).pointer,
            normal: normal.pointer, rstd: rstd.pointer, weight: weightBuffer.pointer,
            dropout: site, dResidual: dResidual.pointer, dWeight: dWeight.pointer,
            dBias: dOffset.pointer, dProductBias: dBias.pointer)
        func loss(
            product p: [Double]? = nil, bias b: [Double]? = nil, residual r: [Double]? = nil,
            weight w: [Double]? = nil, offset o: [Double]? = nil
        ) -> Double {
            dot(
                Self.reference(
                    p ?? product, b ?? bias, mask, r ?? residual, w ?? weight, o ?? offset,
                    columns, epsilon), upstream)
        }
        let tolerance: Float = 2e-5
        expectClose(
            normal.values, numericGradient(product) { loss(product: $0) }, absolute: tolerance,
            relative: 1e-4, "dProduct")
        expectClose(
            dBias.values, numericGradient(bias) { loss(bias: $0) }, absolute: tolerance,
            relative: 1e-4, "dProductBias")
        expectClose(
            dResidual.values, numericGradient(residual) { loss(residual: $0) },
            absolute: tolerance, relative: 1e-4, "dResidual")
        expectClose(
            dWeight.values, numericGradient(weight) { loss(weight: $0) }, absolute: tolerance,
            relative: 1e-4, "dWeight")
        expectClose(
            dOffset.values, numericGradient(offset) { loss(offset: $0) }, absolute: tolerance,
            relative: 1e-4, "dBias")
    }

    @Test func `a large mean does not spoil the variance`() {
        let x = (0..<40).map { 1000 + Double($0 % 2) }
        let output = Buffer(zeros: 40)
        layerNormForward(
            rows: 1, columns: 40, firstRow: 0, product: Buffer(x).pointer, productBias: nil,
            dropout: nil, residual: nil, weight: Buffer([Double](repeating: 1, count: 40)).pointer,
            bias: Buffer(zeros: 40).pointer, epsilon: 1e-12, output: output.pointer, rstd: nil)
        expectClose(
            output.values, (0..<40).map { $0 % 2 == 0 ? -1 : 1 }, absolute: 1e-3, "output")
    }
}
