import Glibc
import Testing
import Training

struct AttentionTests {
    struct Case: Sendable {
        let length: Int
        let heads: Int
        let size: Int
        let dropout: Double
    }

    /// Lengths around vector and block sizes, head sizes that are and are not whole vectors.
    static let cases = [
        Case(length: 1, heads: 1, size: 8, dropout: 0),
        Case(length: 5, heads: 2, size: 16, dropout: 0),
        Case(length: 16, heads: 1, size: 32, dropout: 0.2),
        Case(length: 17, heads: 2, size: 24, dropout: 0.4),
        Case(length: 70, heads: 1, size: 32, dropout: 0.1),
        Case(length: 13, heads: 3, size: 64, dropout: 0.1),
        Case(length: 9, heads: 1, size: 3, dropout: 0),
        Case(length: 250, heads: 1, size: 16, dropout: 0.1),
    ]

    /// [heads, n, n] factors of the kernel's own masks.
    static func mask(_ site: DropoutSite?, _ test: Case, row: Int) -> [Double] {
        (0..<test.heads).flatMap { head in
            (0..<test.length).flatMap { query -> [Double] in
                guard let site else { return [Double](repeating: 1, count: test.length) }
                let mask = site.row((row + query) * test.heads + head, offset: 0)
                return (0..<test.length).map { Double(mask.factors($0 / 16 * 16)[$0 % 16]) }
            }
        }
    }

    static func reference(_ x: [Double], _ mask: [Double], _ test: Case) -> [Double] {
        let (n, size) = (test.length, test.size)
        let hidden = test.heads * size
        var result = [Double](repeating: 0, count: n * hidden)
        for head in 0..<test.heads {
            for i in 0..<n {
                let scores = (0..<n).map { j in
                    (0..<size).reduce(0.0) {
                        $0 + x[i * 3 * hidden + head * size + $1]
                            * x[j * 3 * hidden + hidden + head * size + $1]
                    } / Double(size).squareRoot()
                }
                let top = scores.max() ?? 0
                let powers = scores.map { exp($0 - top) }
                let total = powers.reduce(0, +)
                for j in 0..<n {
                    let weight = powers[j] / total * mask[(head * n + i) * n + j]
                    for c in 0..<size {
                        result[i * hidden + head * size + c] +=
                            weight * x[j * 3 * hidden + 2 * hidden + head * size + c]
                    }
                }
            }
        }
        return result
    }

    @Test(arguments: cases)
    func `forward agrees with double precision, backward with finite differences`(_ test: Case) {
        var numbers = TestNumbers(seed: UInt64(test.length * 100 + test.size))
        let hidden = test.heads * test.size
        let row = 13
        let site = test.dropout > 0 ? DropoutSite(probability: test.dropout, key: 5) : nil
        let mask = Self.mask(site, test, row: row)
        let x = numbers.array(test.length * 3 * hidden, scale: 1.5)
        let upstream = numbers.array(test.length * hidden)
        let shape = AttentionShape(
            length: test.length, heads: test.heads, headSize: test.size, rowNumber: row,
            wordOffset: 0)
        let scratch = Buffer(
            zeros: AttentionShape.scratchCount(length: test.length, headSize: test.size))
        let input = Buffer(x)
        let context = Buffer(zeros: test.length * hidden)
        let statistics = Buffer(zeros: test.length * test.heads * 2)
        attentionForward(
            shape, queryKeyValue: input.pointer, dropout: site, context: context.pointer,
            statistics: statistics.pointer, scratch: scratch.pointer)
        expectClose(
            context.values, floats(Self.reference(x, mask, test)), absolute: 2e-6,
            relative: 1e-5, "context")

        let again = Buffer(zeros: test.length * hidden)
        attentionBackward(
            shape, queryKeyValue: input.pointer, dropout: site,
            dContext: Buffer(upstream).pointer, statistics: statistics.pointer,
            context: again.pointer, scratch: scratch.pointer)
        #expect(again.values == context.values)
        _ = (scratch.values, statistics.values)
        // For long cases some of the places are enough.
        let step = test.length > 100 ? 997 : test.length > 32 || test.heads > 2 ? 41 : 1
        let places = Array(stride(from: 0, to: x.count, by: step))
        let actual = input.values
        let expected = places.map { place -> Float in
            var point = x
            point[place] += 1e-5
            let above = dot(Self.reference(point, mask, test), upstream)
            point[place] = x[place] - 1e-5
            return Float((above - dot(Self.reference(point, mask, test), upstream)) / 2e-5)
        }
        expectClose(
            places.map { actual[$0] }, expected, absolute: 5e-6, relative: 1e-4, "dQKV")
    }

    @Test func `equal keys give the mean of the values`() {
        let (n, size) = (21, 16)
        var numbers = TestNumbers(seed: 3)
        var x = numbers.array(n * 3 * size)
        for row in 0..<n { for c in 0..<size { x[row * 3 * size + size + c] = 0.5 } }
        let context = Buffer(zeros: n * size)
        let scratch = Buffer(zeros: AttentionShape.scratchCount(length: n, headSize: size))
        attentionForward(
            AttentionShape(length: n, heads: 1, headSize: size, rowNumber: 0, wordOffset: 0),
            queryKeyValue: Buffer(x).pointer, dropout: nil, context: context.pointer,
            statistics: nil, scratch: scratch.pointer)
        let means = (0..<size).map { c in
            Float((0..<n).reduce(0.0) { $0 + x[$1 * 3 * size + 2 * size + c] } / Double(n))
        }
        for row in 0..<n {
            expectClose(
                Array(context.values[row * size..<(row + 1) * size]), means, absolute: 1e-6,
                "row \(row)")
        }
    }

    @Test func `scores of any size give finite probabilities`() {
        let size = 16
        let x = [Double](repeating: 1e4, count: 3 * 3 * size)
        let context = Buffer(zeros: 3 * size)
        let scratch = Buffer(zeros: AttentionShape.scratchCount(length: 3, headSize: size))
        attentionForward(
            AttentionShape(length: 3, heads: 1, headSize: size, rowNumber: 0, wordOffset: 0),
            queryKeyValue: Buffer(x).pointer, dropout: nil, context: context.pointer,
            statistics: nil, scratch: scratch.pointer)
        expectClose(
            context.values, [Float](repeating: 1e4, count: 3 * size), absolute: 0, relative: 1e-6,
            "context")
    }
}
