// Gaussian processes and acquisition functions against Optuna's: Golden/gaussian_process.json,
// scripts/golden/gaussian_process.py. Gradients are theirs too, by automatic differentiation.

import OrderedJSON
import Testing

import Tuning

struct GaussianProcessTests {
    private let file: JSONValue
    private let points: [[Double]]
    private let queries: [[Double]]
    private let isCategorical = [false, false, false, false, false, true]

    init() throws {
        file = try golden("gaussian_process.json")
        points = try file.at("points").list().map { try $0.numbers() }
        queries = try file.at("queries").list().map { try $0.numbers() }
    }

    private func space() throws -> UnitSearchSpace {
        let letters = ["a", "b", "c"].map(ParameterValue.string)
        return UnitSearchSpace([
            "x": .float(try FloatDistribution(low: -1, high: 2)),
            "lr": .float(try FloatDistribution(low: 1e-5, high: 1e-1, log: true)),
            "q": .float(try FloatDistribution(low: 0, high: 1, step: 0.25)),
            "n": .int(try IntDistribution(low: 1, high: 40)),
            "w": .int(try IntDistribution(low: 1, high: 64, log: true)),
            "c": .categorical(try CategoricalDistribution(choices: letters)),
        ])
    }

    private func parameters(_ value: JSONValue) throws -> GaussianProcess.Parameters {
        GaussianProcess.Parameters(
            inverseSquaredLengthScales: try value.at("lengths").numbers(),
            kernelScale: try value.at("scale").number(),
            noiseVariance: try value.at("noise").number())
    }

    /// The objectives' processes, 0 and 1, and the constraint's, 2.
    private func process(_ index: Int) throws -> GaussianProcess {
        let values =
            try index == 2
            ? file.at("constraint").numbers() : file.at("values").at(index).numbers()
        return try #require(
            GaussianProcess(
                points, values, isCategorical: isCategorical,
                parameters(file.at("parameters").at(index))))
    }

    private func normals(_ dimension: Int) throws -> [[Double]] {
        try file.at("normals").at("\(dimension)").list().map { try $0.numbers() }
    }

    // MARK: Space

    @Test func `points of the unit cube and parameters go both ways as in Optuna`() throws {
        let space = try space()
        for (query, params) in zip(queries, try file.at("params").list()) {
            let values = space.values(at: query)
            for (name, value) in values { #expect(agrees(value, try params.at(name)), "\(name)") }
            let back = try #require(try space.point(of: values))
            #expect(zip(back, query).allSatisfy { isClose($0, $1, relative: 1e-9) })
        }
        // numpy draws the seed of the sequence.
        var generator = NumpyRandomState(seed: 12)
        let sample = space.sample(8, seed: generator.integer(0, Int(Int32.max)))
        for (own, theirs) in zip(sample, try file.at("sample").at("points").list()) {
            #expect(zip(own, try theirs.numbers()).allSatisfy { isClose($0, $1) })
        }
    }

    @Test func `grids of huge ranges are not laid out`() throws {
        let space = UnitSearchSpace([
            "n": .int(try IntDistribution(low: 0, high: Int.max)),
            "m": .int(try IntDistribution(low: Int.min, high: Int.max)),
        ])
        for share in [0.0, 0.3, 0.999] {
            let values = space.values(at: [share, share])
            #expect(values["n"] != nil && values["m"] != nil)
        }
        #expect(space.axes.allSatisfy { $0.gridCount > 1 << 50 })
    }

    // MARK: The process

    @Test func `likelihood, prior and gradient are Optuna's`() throws {
        let values = try file.at("values").at(0).numbers()
        for item in try file.at("losses").list() {
            let (value, gradient) = try #require(
                GaussianProcess.loss(
                    points, values, isCategorical: isCategorical,
                    logarithms: item.at("logs").numbers(),
                    isDeterministic: item.at("deterministic").flag()))
            #expect(isClose(value, try item.at("value").number(), relative: 1e-8))
            for (own, theirs) in zip(gradient, try item.at("gradient").numbers()) {
                #expect(isClose(own, theirs, relative: 1e-6, absolute: 1e-7))
            }
        }
    }

    @Test func `the fit finds the parameters that Optuna finds`() throws {
        let fitted = try #require(
            GaussianProcess.fit(
                points, file.at("values").at(0).numbers(), isCategorical: isCategorical)
        ).parameters
        let theirs = try parameters(file.at("fitted"))
        let pairs =
            zip(fitted.inverseSquaredLengthScales, theirs.inverseSquaredLengthScales) + [
                (fitted.kernelScale, theirs.kernelScale)
            ]
        // Ours ends where the gradient is 1e-2, as in the sampler; theirs was driven to 1e-7.
        for (own, other) in pairs { #expect(isClose(own, other, relative: 0.05)) }
        #expect(abs(fitted.noiseVariance - theirs.noiseVariance) < 1e-3)
    }

    @Test func `equal observations and values that are all the same can be fitted`() {
        let points = [[Double]](repeating: [0.5, 0.5], count: 40)
        let flat = GaussianProcess.fit(
            points, Array(repeating: 0, count: 40), isCategorical: [false, false],
            isDeterministic: true)
        #expect(flat != nil)
    }

    // MARK: Acquisition functions

    private func functions() throws -> [(String, any AcquisitionTerm)] {
        let (first, second, constraint) = (try process(0), try process(1), try process(2))
        let threshold = try file.at("threshold").number()
        let limit = try file.at("limit").number()
        let running = try file.at("running").list().map { try $0.numbers() }
        func beside(_ process: GaussianProcess) throws -> SampledPosterior {
            try #require(SampledPosterior(process, normals: try normals(3), running: running))
        }
        let pair = try normals(2)
        let alone = try [first, second].enumerated().map { index, process in
            try #require(SampledPosterior(process, normals: pair.map { [$0[index]] }))
        }
        let values = try file.at("values").list().map { try $0.numbers() }
        let scores = points.indices.map { point in values.map { $0[point] } }
        let reference = BoxDecomposition.referencePoint(scores)
        let constraints = [(posterior: try beside(constraint), threshold: limit)]
        let objectives = [try beside(first), try beside(second)]
        func boxes(_ isFeasible: (_ place: Int, _ draw: Int) -> Bool) -> [BoxDecomposition] {
            (0..<16).map { draw in
                let fantasies = running.indices.filter { isFeasible($0, draw) }
                    .map { place in objectives.map { $0.fantasies[place][draw] } }
                return BoxDecomposition(scores + fantasies, reference: reference)
            }
        }
        return [
            ("logEI", LogExpectedImprovement(first, threshold: threshold)),
            ("logPI", LogProbabilityOfFeasibility(constraint, threshold: limit)),
            (
                "logEHVI",
                LogAverageImprovement(
                    objectives: alone,
                    gain: .hypervolume([BoxDecomposition(scores, reference: reference)]))
            ),
            (
                "qLogEI",
                LogAverageImprovement(
                    objectives: [objectives[0]], gain: .improvement(threshold: threshold))
            ),
            (
                "qLogCEI",
                LogAverageImprovement(
                    objectives: [objectives[0]], gain: .improvement(threshold: threshold),
                    constraints: constraints)
            ),
            (
                "qLogEHVI",
                LogAverageImprovement(
                    objectives: objectives, gain: .hypervolume(boxes { _, _ in true }))
            ),
            (
                "qLogCEHVI",
                LogAverageImprovement(
                    objectives: objectives,
                    gain: .hypervolume(
                        boxes { constraints[0].posterior.fantasies[$0][$1] >= limit }),
                    constraints: constraints)
            ),
        ]
    }

    @Test func `acquisition functions and their gradients are Optuna's`() throws {
        for (name, term) in try functions() {
            let theirs = try file.at("functions").at(name)
            let values = try theirs.at("values").numbers()
            let function = AcquisitionFunction([term], lengthScales: [])
            let together = function.values(queries)
            for (index, query) in queries.enumerated() {
                let (value, gradient) = function.valueAndGradient(query)
                #expect(isClose(value, values[index], relative: 1e-6), "\(name) \(value)")
                #expect(isClose(together[index], values[index], relative: 1e-6), "\(name)")
                for coordinate in 0..<5 {
                    let other = try theirs.at("gradients").at(index).at(coordinate).number()
                    #expect(
                        isClose(gradient[coordinate], other, relative: 1e-4, absolute: 1e-7),
                        "\(name) \(index) \(coordinate): \(gradient[coordinate]) \(other)")
                }
            }
        }
    }

    @Test func `the logarithm of the improvement holds in the far tail`() throws {
        let item = try file.at("improvements")
        for (z, value) in zip(try item.at("z").numbers(), try item.at("values").numbers()) {
            #expect(isClose(logStandardImprovement(z), value, relative: 1e-8), "z = \(z)")
        }
    }

    @Test func `what is not dominated is cut into Optuna's boxes`() throws {
        for item in try file.at("fronts").list() {
            let values = try item.at("values").list().map { try $0.numbers() }
            let reference = BoxDecomposition.referencePoint(values)
            #expect(reference == (try item.at("reference").numbers()))
            let boxes = BoxDecomposition(values, reference: reference)
            let sorted = zip(boxes.lower, boxes.sizes)
                .map { $0 + $1.map { min($0, 1e300) } }
                .sorted { $0.lexicographicallyPrecedes($1) }
            let theirs = zip(try item.at("low").list(), try item.at("sizes").list())
            for (own, (low, sizes)) in zip(sorted, theirs) {
                let other = try low.numbers() + sizes.numbers()
                #expect(zip(own, other).allSatisfy { isClose($0, $1, absolute: 1e-11) })
            }
            #expect(sorted.count == (try item.at("low").list().count))
        }
    }

    // MARK: Search

    @Test func `the search finds the maximum over a small grid`() throws {
        let letters = ["a", "b", "c"].map(ParameterValue.string)
        let space = UnitSearchSpace([
            "n": .int(try IntDistribution(low: 1, high: 30)),
            "c": .categorical(try CategoricalDistribution(choices: letters)),
        ])
        let start = space.sample(12, seed: 4)
        let values = start.map { -($0[0] - 0.7) * ($0[0] - 0.7) + ($0[1] == 1 ? 0.5 : 0) }
        let process = try #require(
            GaussianProcess.fit(start, values, isCategorical: [false, true]))
        let function = AcquisitionFunction(
            [LogExpectedImprovement(process, threshold: try #require(values.max()))],
            lengthScales: process.lengthScales)
        let all = (0..<30).flatMap { n in
            (0..<3).map { [space.axes[0].grid(n), Double($0)] }
        }
        let largest = try #require(function.values(all).max())
        let search = AcquisitionSearch(function, space)
        let found = try #require(start.map { search.climb(from: $0).value }.max())
        #expect(isClose(found, largest, relative: 1e-9))
    }
}

struct BoundedMinimizerTests {
    /// Rosenbrock's valley.
    private func valley(_ x: [Double]) -> (value: Double, gradient: [Double]) {
        var value = 0.0
        var gradient = [Double](repeating: 0, count: x.count)
        for index in 0..<(x.count - 1) {
            let (a, b) = (x[index + 1] - x[index] * x[index], 1 - x[index])
            value += 100 * a * a + b * b
            gradient[index] += -400 * x[index] * a - 2 * b
            gradient[index + 1] += 200 * a
        }
        return (value, gradient)
    }

    @Test func `a valley is followed to its end`() {
        let free = -Double.infinity...Double.infinity
        let minimizer = BoundedMinimizer(gradientTolerance: 1e-6)
        let result = minimizer.minimize(
            from: [-1.2, 1, -1.2, 1], bounds: Array(repeating: free, count: 4), valley)
        #expect(result.isConverged && result.iterations < 100)
        #expect(result.point.allSatisfy { abs($0 - 1) < 1e-3 })
    }

    @Test func `bounds hold, and the minimum on them is found`() {
        let bounds = [-2.0...0.5, -2.0...2.0]
        let minimizer = BoundedMinimizer(gradientTolerance: 1e-7)
        let result = minimizer.minimize(from: [-2, 2], bounds: bounds, valley)
        #expect(result.isConverged)
        #expect(abs(result.point[0] - 0.5) < 1e-6 && abs(result.point[1] - 0.25) < 1e-5)
    }

    @Test func `a function that ends somewhere is searched where it is defined`() {
        // No value from 2 on; the minimum is at 1.
        let result = BoundedMinimizer().minimize(from: [0.1], bounds: [0...10]) { x in
            x[0] >= 2 ? nil : ((x[0] - 1) * (x[0] - 1), [2 * (x[0] - 1)])
        }
        #expect(abs(result.point[0] - 1) < 1e-4)
    }

    @Test func `Brent's method finds a minimum between`() {
        let place = brentMinimum(from: 0, start: (0.5, 0), to: 4, tolerance: 1e-8) {
            ($0 - 1.3) * ($0 - 1.3) * ($0 + 1) - 0.96
        }
        #expect(abs(place - 1.3) < 1e-6)
    }
}
