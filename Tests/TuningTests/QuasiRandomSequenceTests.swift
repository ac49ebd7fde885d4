// Sobol's and Halton's points against scipy's. Golden/sequences.json; scripts/golden/sequences.py.

import OrderedJSON
import Testing

import Tuning

struct QuasiRandomSequenceTests {
    @Test func `points are scipy's, scrambled or not`() throws {
        let cases = try golden("sequences.json").at("sequences").list()
        #expect(cases.count == 34)
        for item in cases {
            let dimension = try item.at("dimension").integer()
            let seed = item["seed"]?.intValue.map { UInt64($0) }
            let sequence: any QuasiRandomSequence =
                item["kind"]?.stringValue == "sobol"
                ? SobolSequence(dimension: dimension, seed: seed)
                : HaltonSequence(dimension: dimension, seed: seed)
            for entry in try item.at("points").list() {
                var point = sequence.point(try entry.at(0).integer())
                #expect(point.count == dimension)
                if dimension > 7 { point = Array(point[..<2]) + Array(point[(dimension - 3)...]) }
                let wanted = try entry.at(1).numbers()
                let agrees = zip(point, wanted).allSatisfy { isClose($0, $1, relative: 1e-13) }
                #expect(agrees, "\(item["kind"] ?? .null) \(dimension) \(seed ?? 0): \(entry)")
            }
        }
    }

    @Test func `a sequence fills the cube evenly`() {
        // 64 points of Sobol's first two dimensions: one in each cell of an 8 x 8 grid.
        let sequence = SobolSequence(dimension: 2, seed: 3)
        let cells = (0..<64).map { sequence.point($0).map { Int($0 * 8) } }
        #expect(Set(cells).count == 64)
    }

    @Test func `digests are SHA-256`() throws {
        for entry in try golden("sequences.json").at("sha256").list() {
            #expect(try sha256(entry.at(0).text()) == entry.at(1).text())
        }
    }
}
