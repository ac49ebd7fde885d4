// CMA-ES by itself: linear algebra, invariances, convergence.

import Testing

import Tuning

struct CMAEvolutionTests {
    @Test func `eigenvectors and eigenvalues give the matrix back`() {
        var generator = NumpyRandomState(seed: 4)
        for size in [1, 2, 3, 7, 20] {
            let half = (0..<size).map { _ in (0..<size).map { _ in generator.standardNormal() } }
            let matrix = (0..<size).map { row in
                (0..<size).map { half[row][$0] + half[$0][row] }
            }
            let (values, vectors) = symmetricEigen(matrix)
            #expect(values == values.sorted())
            for row in 0..<size {
                for column in 0..<size {
                    let sum = (0..<size).reduce(0.0) {
                        $0 + vectors[row][$1] * values[$1] * vectors[column][$1]
                    }
                    #expect(abs(sum - matrix[row][column]) < 1e-10)
                    let dot = (0..<size).reduce(0.0) {
                        $0 + vectors[$1][row] * vectors[$1][column]
                    }
                    #expect(abs(dot - (row == column ? 1 : 0)) < 1e-12)
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `an ellipsoid's minimum is found`(_ isSeparable: Bool) {
        var options = CMAEvolution.Options()
        options.isSeparable = isSeparable
        var evolution = CMAEvolution(mean: [0.5, 0.5, 0.5, 0.5], sigma: 0.2, options)
        var generator = NumpyRandomState(seed: 1)
        let target = [0.1, 0.3, 0.62, 0.9]
        for _ in 0..<200 {
            let solutions = (0..<evolution.populationSize).map { _ in
                let point = evolution.draw(&generator)
                let loss = zip(point, target).enumerated().reduce(0.0) { sum, entry in
                    let distance = entry.element.0 - entry.element.1
                    return sum + Double(1 + 30 * entry.offset) * distance * distance
                }
                return (point: point, loss: loss)
            }
            evolution.tell(solutions)
        }
        #expect(zip(evolution.mean, target).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(evolution.generation == 200)
    }

    @Test func `only the order of losses matters`() {
        func run(_ change: (Double) -> Double) -> [Double] {
            var evolution = CMAEvolution(mean: [0.4, 0.6], sigma: 0.2)
            var generator = NumpyRandomState(seed: 2)
            for _ in 0..<30 {
                evolution.tell(
                    (0..<evolution.populationSize).map { _ in
                        let point = evolution.draw(&generator)
                        return (point, change(point[0] * point[0] + point[1]))
                    })
            }
            return evolution.mean
        }
        #expect(run { $0 } == run { 7 * $0 * $0 * $0 - 3 })
    }

    @Test func `points stay in the cube`() {
        var evolution = CMAEvolution(mean: [0, 1], sigma: 3)
        var generator = NumpyRandomState(seed: 3)
        for _ in 0..<100 {
            #expect(evolution.draw(&generator).allSatisfy { (0...1).contains($0) })
        }
    }

    @Test func `with a margin, steps stay on the grid and don't get stuck`() throws {
        var options = CmaEsSampler.Options(seed: 5)
        options.withMargin = true
        let study = try Study.create(sampler: try CmaEsSampler(options), logger: silent)
        try study.optimize(nTrials: 300) { trial in
            let n = Double(try trial.suggestInt("n", low: -20, high: 20, step: 4))
            let s = try trial.suggestFloat("s", low: 0, high: 1, step: 0.1)
            let x = try trial.suggestFloat("x", low: -1, high: 1)
            return (n - 12) * (n - 12) + 10 * (s - 0.3) * (s - 0.3) + x * x
        }
        #expect(try study.bestParams()["n"] == 12)
        #expect(isClose(try study.bestParams()["s"]?.doubleValue ?? .nan, 0.3))
        let last = try study.trials().suffix(100).map(\.params)
        #expect(Set(last.map { "\($0["n"] ?? .null)" }).count > 1)
    }

    @Test(arguments: [
        (0, Int.max), (Int.min, Int.max), (1 << 55, (1 << 55) + 3), (0, 1 << 53), (0, 1 << 49),
        (Int.max - 1, Int.max),
    ])
    func `with a margin, a range may have more integers than a number can tell apart`(
        low: Int, high: Int
    ) throws {
        var options = CmaEsSampler.Options(seed: 1)
        options.withMargin = true
        let study = try Study.create(sampler: try CmaEsSampler(options), logger: silent)
        try study.optimize(nTrials: 40) { trial in
            let seed = try trial.suggestInt("seed", low: low, high: high)
            let x = try trial.suggestFloat("x", low: -1, high: 1)
            #expect((low...high).contains(seed) && (-1...1).contains(x))
            return x * x + Double(seed) / 1e19
        }
        #expect(try study.trials(.complete).count == 40)
    }

    @Test func `a study goes on where it stopped`() throws {
        func objective(_ trial: Trial) throws -> Double {
            let x = try trial.suggestFloat("x", low: -5, high: 5)
            let y = try trial.suggestFloat("y", low: -5, high: 5)
            return (x - 1) * (x - 1) + 3 * (y + 2) * (y + 2)
        }
        let storage = InMemoryStorage()
        let first = try Study.create(
            storage: storage, sampler: try CmaEsSampler(seed: 1), name: "s", logger: silent)
        try first.optimize(nTrials: 150) { try objective($0) }
        let second = try Study.load(
            name: "s", storage: storage, sampler: try CmaEsSampler(seed: 2), logger: silent)
        try second.optimize(nTrials: 10) { try objective($0) }
        // A fresh start would be spread over the whole range again.
        #expect(try second.trials().suffix(10).allSatisfy { ($0.values?.first ?? 9) < 0.5 })
    }

    @Test func `a warm start begins near the best of another study`() throws {
        let source = try Study.create(sampler: try RandomSampler(seed: 1), logger: silent)
        try source.optimize(nTrials: 200) { trial in
            let x = try trial.suggestFloat("x", low: 0, high: 1)
            let y = try trial.suggestFloat("y", low: 0, high: 1)
            return (x - 0.9) * (x - 0.9) + (y - 0.1) * (y - 0.1)
        }
        var options = CmaEsSampler.Options(seed: 3)
        options.sourceTrials = try source.trials()
        let study = try Study.create(sampler: try CmaEsSampler(options), logger: silent)
        try study.optimize(nTrials: 30) { trial in
            let x = try trial.suggestFloat("x", low: 0, high: 1)
            return x + (try trial.suggestFloat("y", low: 0, high: 1))
        }
        let xs = try study.trials().dropFirst().prefix(6).compactMap { $0.params["x"]?.doubleValue }
        #expect(xs.reduce(0, +) / 6 > 0.7)
    }

    @Test func `arguments that exclude each other are refused`() {
        func refused(_ change: (inout CmaEsSampler.Options) -> Void) -> Bool {
            var options = CmaEsSampler.Options()
            change(&options)
            do { _ = try CmaEsSampler(options) } catch { return true }
            return false
        }
        #expect(refused { ($0.useSeparableCMA, $0.withMargin) = (true, true) })
        #expect(refused { ($0.lrAdapt, $0.withMargin) = (true, true) })
        #expect(refused { ($0.sourceTrials, $0.sigma0) = ([], 0.1) })
        #expect(refused { $0.populationSize = 1 })
        #expect(refused { $0.sigma0 = 0 })
        #expect(!refused { $0.populationSize = 2 })
    }
}
