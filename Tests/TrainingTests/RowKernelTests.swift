import Testing
import Training

/// Linear layers, pooling, normalisation, embedding tables.
struct RowKernelTests {
    /// At the edges of what CKernels' products go through at a time, and on either side of them.
    private static let linearShapes = [
        (1, 1, 1), (5, 19, 7), (33, 32, 48), (1, 32, 64), (13, 64, 32), (29, 416, 32),
        (27, 32, 448), (400, 32, 64), (5, 32, 1024), (407, 1024, 32), (2, 64, 864),
        (15, 17, 33), (45, 31, 15), (14, 385, 65), (3, 400, 47), (401, 16, 1), (393, 1025, 30),
    ]

    @Test(arguments: linearShapes)
    func `the three products of a linear layer agree with plain loops`(
        rows: Int, inputs: Int, outputs: Int
    ) {
        var numbers = TestNumbers(seed: UInt64(rows))
        let x = numbers.array(rows * inputs)
        let w = numbers.array(outputs * inputs)
        let dy = numbers.array(rows * outputs)
        func cell(_ count: Int, _ term: (Int) -> Double) -> Float {
            Float((0..<count).reduce(0.0) { $0 + term($1) })
        }
        // What rounding adds up to in a sum of so many terms.
        func tolerance(_ terms: Int) -> Float { 1e-5 * max(1, Float(terms) / 48).squareRoot() }
        let y = Buffer(zeros: rows * outputs)
        linearForward(
            rows: rows, inputs: inputs, outputs: outputs, input: Buffer(x).pointer,
            weight: Buffer(w).pointer, output: y.pointer)
        let yExpected = (0..<rows * outputs).map { place in
            cell(inputs) { x[place / outputs * inputs + $0] * w[place % outputs * inputs + $0] }
        }
        expectClose(y.values, yExpected, absolute: tolerance(inputs), "output")

        let dx = Buffer(zeros: rows * inputs)
        for pass in 1...2 {
            linearBackwardInput(
                rows: rows, inputs: inputs, outputs: outputs, dOutput: Buffer(dy).pointer,
                weight: Buffer(w).pointer, dInput: dx.pointer, accumulate: pass == 2)
        }
        let dxExpected = (0..<rows * inputs).map { place in
            2
                * cell(outputs) {
                    dy[place / inputs * outputs + $0] * w[$0 * inputs + place % inputs]
                }
        }
        expectClose(dx.values, dxExpected, absolute: 2 * tolerance(outputs), "dInput, twice")

        let dw = Buffer(w)
        let cut = outputs / 2
        for range in [0..<cut, cut..<outputs] where !range.isEmpty {
            linearBackwardWeight(
                rows: rows, inputs: inputs, outputs: outputs, range: range,
                dOutput: Buffer(dy).pointer, input: Buffer(x).pointer, dWeight: dw.pointer)
        }
        let dwExpected = (0..<outputs * inputs).map { place in
            Float(w[place])
                + cell(rows) {
                    dy[$0 * outputs + place / inputs] * x[$0 * inputs + place % inputs]
                }
        }
        expectClose(dw.values, dwExpected, absolute: 2 * tolerance(rows), "dWeight, accumulated")
        linearBackwardWeight(
            rows: rows, inputs: inputs, outputs: outputs, range: 0..<outputs,
            dOutput: Buffer(dy).pointer, input: Buffer(x).pointer, dWeight: dw.pointer,
            accumulate: false)
        expectClose(
            dw.values, zip(dwExpected, w).map { $0 - Float($1) }, absolute: 2 * tolerance(rows),
            "dWeight alone")
    }

    @Test func `a product of no terms is zero, or adds nothing`() {
        let out = Buffer([1, 2, 3, 4, 5, 6])
        let none = Buffer([0])
        multiply(none.pointer, none.pointer, m: 2, n: 3, k: 0, accumulate: true, into: out.pointer)
        #expect(out.values == [1, 2, 3, 4, 5, 6])
        multiply(none.pointer, none.pointer, m: 1, n: 2, k: 0, into: out.pointer)
        multiplyTransposed(
            none.pointer, none.pointer, m: 1, n: 2, k: 0, into: out.pointer + 2)
        transposedMultiply(
            none.pointer, none.pointer, m: 1, n: 1, k: 0, into: out.pointer + 4)
        #expect(out.values == [0, 0, 0, 0, 0, 6])
    }

    @Test(arguments: [(45, 96, 416), (45, 1024, 64), (45, 40, 24)])
    func `parts of a product have the bits of the whole`(rows: Int, inputs: Int, outputs: Int) {
        var numbers = TestNumbers(seed: 5)
        let x = Buffer(numbers.array(rows * inputs))
        let w = Buffer(numbers.array(outputs * inputs))
        let dy = Buffer(numbers.array(rows * outputs))
        func products(_ parts: [Range<Int>], _ tiles: [Range<Int>]) -> [[Float]] {
            let y = Buffer(zeros: rows * outputs)
            let dx = Buffer(zeros: rows * inputs)
            let dw = Buffer(zeros: outputs * inputs)
            for part in parts {
                let first = part.lowerBound
                linearForward(
                    rows: part.count, inputs: inputs, outputs: outputs,
                    input: x.pointer + first * inputs, weight: w.pointer,
                    output: y.pointer + first * outputs)
                linearBackwardInput(
                    rows: part.count, inputs: inputs, outputs: outputs,
                    dOutput: dy.pointer + first * outputs, weight: w.pointer,
                    dInput: dx.pointer + first * inputs, accumulate: false)
            }
            for tile in tiles {
                linearBackwardWeight(
                    rows: rows, inputs: inputs, outputs: outputs, range: tile,
                    dOutput: dy.pointer, input: x.pointer, dWeight: dw.pointer)
            }
            return [y.values, dx.values, dw.values]
        }
        let whole = products([0..<rows], [0..<outputs])
        #expect(whole.allSatisfy { $0.contains { $0 != 0 } })
        #expect(products([0..<14, 14..<17, 17..<rows], [0..<8, 8..<outputs]) == whole)
    }

    @Test(arguments: 1...9)
    func `bias goes to every row and its gradient sums every row`(rows: Int) {
        var numbers = TestNumbers(seed: 2)
        let columns = 19
        let x = numbers.array(rows * columns)
        let bias = numbers.array(columns)
        let values = Buffer(x)
        addBias(rows: rows, columns: columns, bias: Buffer(bias).pointer, values: values.pointer)
        expectClose(
            values.values, x.indices.map { Float(x[$0]) + Float(bias[$0 % columns]) },
            absolute: 1e-7, "values")
        let sums = Buffer(bias)
        addBiasBackward(
            rows: rows, columns: columns, dValues: Buffer(x).pointer, dBias: sums.pointer)
        let expected = (0..<columns).map { c in
            Float(bias[c] + (0..<rows).reduce(0.0) { $0 + x[$1 * columns + c] })
        }
        expectClose(sums.values, expected, absolute: 2e-6, "dBias")
    }

    static func pooled(_ mode: PoolingMode, _ x: [Double], _ n: Int, _ first: Int, _ columns: Int)
        -> [Double]
    {
        (0..<columns).map { c in
            let column = (first..<n).map { x[$0 * columns + c] }
            switch mode {
            case .cls: return column.first ?? 0
            case .lastToken: return column.last ?? 0
            case .max: return column.max() ?? 0
            case .mean: return column.reduce(0, +) / Double(n - first)
            case .meanSqrtLen: return column.reduce(0, +) / Double(n - first).squareRoot()
            case .weightedMean:
                let weights = (first..<n).map { Double($0 + 1) }
                return dot(column, weights) / weights.reduce(0, +)
            }
        }
    }

    @Test(arguments: PoolingMode.allCases, [(1, 0), (6, 0), (6, 2), (3, 2)])
    func `pooling and its gradient`(mode: PoolingMode, lengths: (Int, Int)) {
        let (n, first) = lengths
        let columns = 21
        var numbers = TestNumbers(seed: 8)
        let x = numbers.array(n * columns)
        let upstream = numbers.array(columns)
        let output = Buffer(zeros: columns)
        var winners = [Int32](repeating: 0, count: columns)
        poolingForward(
            mode, length: n, first: first, columns: columns, tokens: Buffer(x).pointer,
            output: output.pointer, winners: &winners)
        expectClose(
            output.values, floats(Self.pooled(mode, x, n, first, columns)), absolute: 1e-6,
            "\(mode)")
        let dTokens = Buffer(x)
        poolingBackward(
            mode, length: n, first: first, columns: columns, dOutput: Buffer(upstream).pointer,
            winners: winners, dTokens: dTokens.pointer, accumulate: false)
        expectClose(
            dTokens.values,
            numericGradient(x) { dot(Self.pooled(mode, $0, n, first, columns), upstream) },
            absolute: 2e-6, "d\(mode)")
    }

    @Test func `rows get length one, with a gradient at right angles to them`() {
        var numbers = TestNumbers(seed: 9)
        let (rows, columns) = (4, 19)
        let x = numbers.array(rows * columns, scale: 3)
        let upstream = numbers.array(rows * columns)
        func reference(_ x: [Double]) -> [Double] {
            (0..<rows).flatMap { row -> [Double] in
                let part = Array(x[row * columns..<(row + 1) * columns])
                let norm = dot(part, part).squareRoot()
                return part.map { $0 / norm }
            }
        }
        let output = Buffer(zeros: rows * columns)
        let norms = Buffer(zeros: rows)
        normalizeForward(
            rows: rows, columns: columns, input: Buffer(x).pointer, output: output.pointer,
            norms: norms.pointer)
        expectClose(output.values, floats(reference(x)), absolute: 1e-6, "output")
        let gradient = Buffer(upstream)
        normalizeBackward(
            rows: rows, columns: columns, output: output.pointer, norms: norms.pointer,
            dOutput: gradient.pointer, dInput: gradient.pointer)
        expectClose(
            gradient.values, numericGradient(x) { dot(reference($0), upstream) },
            absolute: 2e-6, relative: 1e-4, "dInput")
    }

    @Test func `a zero row stays zero when it is normalised`() {
        let output = Buffer([1, 1])
        let norms = Buffer(zeros: 1)
        normalizeForward(
            rows: 1, columns: 2, input: Buffer(zeros: 2).pointer, output: output.pointer,
            norms: norms.pointer)
        #expect(output.values == [0, 0])
    }

    @Test func `looked-up rows are grouped and their gradients summed`() {
        let ids: [Int32] = [3, 1, 3, 0, 1, 3]
        let lookups = EmbeddingLookups(ids: ids, skip: 0)
        #expect(lookups.rows == [1, 3])
        #expect(lookups.places == [1, 4, 0, 2, 5])
        #expect(EmbeddingLookups(ids: []).rows == [])
        let columns = 3
        let gradient = (0..<ids.count * columns).map { Double($0) }
        let table = Buffer(zeros: 4 * columns)
        embeddingBackward(
            columns: columns, lookups: lookups, groups: 0..<2,
            dOutput: Buffer(gradient).pointer, dTable: table.pointer)
        #expect(table.values == [0, 0, 0, 15, 17, 19, 0, 0, 0, 21, 24, 27])
    }

    @Test func `an embedding is word plus type plus position`() {
        var numbers = TestNumbers(seed: 4)
        let columns = 17
        let words = numbers.array(5 * columns)
        let positions = numbers.array(3 * columns)
        let type = numbers.array(columns)
        let output = Buffer(zeros: 3 * columns)
        let ids: [Int32] = [4, 0, 4]
        embeddingForward(
            rows: 3, columns: columns, ids: ids, positions: [0, 1, 2],
            words: Buffer(words).pointer, positionTable: Buffer(positions).pointer,
            type: Buffer(type).pointer, output: output.pointer)
        let expected = (0..<3 * columns).map { place in
            let (row, c) = (place / columns, place % columns)
            return Float(words[Int(ids[row]) * columns + c] + positions[place] + type[c])
        }
        expectClose(output.values, expected, absolute: 3e-7, "sum")
    }
}
