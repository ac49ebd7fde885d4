import Testing
import Training

/// The counter-based masks: their statistics, and that a backward pass sees the forward's masks.
struct DropoutTests {
    static func kept(_ site: DropoutSite, rows: Int, columns: Int) -> [[Bool]] {
        (0..<rows).map { row in
            let mask = site.row(row, offset: 0)
            return (0..<columns).map { mask.factors($0 / 16 * 16)[$0 % 16] != 0 }
        }
    }

    @Test(arguments: [0.1, 0.3, 0.5, 0.9])
    func `the share of dropped elements is the probability`(probability: Double) {
        let (rows, columns) = (2000, 384)
        let site = DropoutSite(
            probability: probability, key: DropoutSite.key(seed: 42, step: 7, layer: 2, site: 1))
        let kept = Self.kept(site, rows: rows, columns: columns)
        let count = Double(rows * columns)
        let dropped = count - Double(kept.joined().count(where: { $0 }))
        // Five standard deviations of a fair coin of that bias.
        let deviation = (count * probability * (1 - probability)).squareRoot()
        #expect(abs(dropped - count * probability) < 5 * deviation)
        // No row and no column strays either: 6 deviations for the worst of many.
        let perRow = kept.map { Double($0.count(where: { !$0 })) }
        let rowDeviation = (Double(columns) * probability * (1 - probability)).squareRoot()
        #expect(perRow.allSatisfy { abs($0 - Double(columns) * probability) < 6 * rowDeviation })
        let columnDeviation = (Double(rows) * probability * (1 - probability)).squareRoot()
        for column in 0..<columns {
            let total = Double(kept.count(where: { !$0[column] }))
            #expect(abs(total - Double(rows) * probability) < 6 * columnDeviation)
        }
    }

    /// Correlation of two sets of fair coins, in standard deviations.
    static func correlation(_ a: [[Bool]], _ b: [[Bool]]) -> Double {
        var sum = 0.0
        var count = 0.0
        for (left, right) in zip(a, b) {
            for (x, y) in zip(left, right) {
                sum += x == y ? 1 : -1
                count += 1
            }
        }
        return abs(sum) / count.squareRoot()
    }

    @Test func `neighbours, rows, layers, sites, steps and seeds are independent`() {
        func mask(seed: UInt64 = 1, step: UInt64 = 1, layer: Int = 0, site: Int = 1) -> [[Bool]] {
            Self.kept(
                DropoutSite(
                    probability: 0.5,
                    key: DropoutSite.key(seed: seed, step: step, layer: layer, site: site)),
                rows: 600, columns: 256)
        }
        let base = mask()
        for shift in [1, 2, 3, 4, 8, 15, 16, 17, 32, 64] {
            #expect(Self.correlation(base, base.map { Array($0.dropFirst(shift)) }) < 5)
        }
        for rows in [1, 2, 3, 12, 64] {
            #expect(Self.correlation(base, Array(base.dropFirst(rows))) < 5)
        }
        for other in [
            mask(seed: 2), mask(seed: 1 << 32 | 1), mask(step: 2), mask(step: 3), mask(layer: 1),
            mask(layer: 2), mask(site: 2), mask(site: 3), mask(seed: 2, step: 2),
        ] {
            #expect(Self.correlation(base, other) < 5)
        }
        #expect(base == mask())
    }

    @Test func `kept elements are scaled and the probabilities 0 and 1 are exact`() {
        #expect(
            DropoutSite(probability: 0.25, key: 1).row(0, offset: 0).factors(0).max() == 1 / 0.75)
        for (probability, factor) in [(0.0, Float(1)), (1.0, 0)] {
            let site = DropoutSite(probability: probability, key: 3)
            for row in 0..<200 {
                #expect(
                    site.row(row, offset: 0).factors(16) == SIMD16(repeating: factor))
            }
        }
    }

    @Test(arguments: ["bert", "distilbert", "modules"])
    func `with counter dropout the gradient is that of the same masks`(name: String) throws {
        let model = try ModelGolden.model(name)
        let batch = try #require(
            SentenceTransformerTests.cases.first { $0.model == name && !$0.trains }
        ).batch
        let mode = DropoutMode.counter(seed: 3, step: 9)
        let embeddings = try model.forward(batch, dropout: mode)
        let off = try model.forward(batch, dropout: .off)
        #expect(embeddings.values != off.values)
        var numbers = TestNumbers(seed: 5)
        let upstream = floats(numbers.array(embeddings.rows * embeddings.columns))
        let gradient = try #require(
            Matrix(rows: embeddings.rows, columns: embeddings.columns, values: upstream))
        _ = try model.forward(batch, dropout: mode)
        try model.backward(gradient)
        func loss() throws -> Double {
            zip(try model.forward(batch, dropout: mode).values, upstream)
                .reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        // Along the gradient the loss must change by step · ‖gradient‖².
        for parameter in model.parameters {
            guard let gradient = parameter.gradientValues else { continue }
            let square = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
            guard square > 1e-6 else { continue }
            let step = 3e-3 / square.squareRoot()
            let saved = parameter.values
            func move(_ step: Double) {
                for index in saved.indices {
                    parameter.value[index] = Float(
                        Double(saved[index]) + step * Double(gradient[index]))
                }
            }
            move(step)
            let above = try loss()
            move(-step)
            let below = try loss()
            move(0)
            let change = (above - below) / (2 * step)
            #expect(
                abs(change - square) < 0.02 * square + 2e-3 * square.squareRoot(),
                "\(parameter.name): \(change), expected \(square)")
        }
    }
}
