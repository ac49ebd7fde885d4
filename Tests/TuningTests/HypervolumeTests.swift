// Fronts and the volume they dominate.

import Testing

import Tuning

struct HypervolumeTests {
    @Test func `volumes of hand-made fronts`() {
        #expect(hypervolume([[1, 3], [2, 2], [3, 1], [3, 3]], [4, 4]) == 6)
        #expect(hypervolume([[0, 0, 0]], [1, 2, 3]) == 6)
        #expect(hypervolume([[0, 1, 1], [1, 0, 1], [1, 1, 0]], [2, 2, 2]) == 4)
        #expect(hypervolume([], [1, 1]) == 0)
    }

    @Test func `three and more objectives agree with counting cells`() {
        var state = NumpyRandomState(seed: 5)
        for objectives in 2...4 {
            let points = (0..<9).map { _ in
                (0..<objectives).map { _ in Double(state.integer(0, 5)) }
            }
            let reference = [Double](repeating: 5, count: objectives)
            var cells = 0
            var cell = [Int](repeating: 0, count: objectives)
            for code in 0..<Int(powers(5, objectives)) {
                var rest = code
                for index in cell.indices {
                    cell[index] = rest % 5
                    rest /= 5
                }
                if points.contains(where: { zip($0, cell).allSatisfy { $0 <= Double($1) } }) {
                    cells += 1
                }
            }
            #expect(hypervolume(points, reference) == Double(cells))
        }
    }

    private func powers(_ base: Int, _ exponent: Int) -> Int {
        (0..<exponent).reduce(1) { product, _ in product * base }
    }

    @Test func `ranks peel off one front after another`() {
        let points: [[Double]] = [[2, 2], [1, 3], [3, 3], [1, 3], [4, 4], [3, 1]]
        #expect(nonDominationRanks(points, enough: 6) == [0, 0, 1, 0, 2, 0])
        // Once enough are ranked, the rest share a rank.
        #expect(nonDominationRanks(points, enough: 1) == [0, 0, 1, 0, 1, 0])
    }
}
