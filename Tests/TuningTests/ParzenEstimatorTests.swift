// The kernels, candidates and densities of single draws, against what Optuna had at the same place.

import Foundation
import OrderedJSON
import Testing

import Tuning

struct ParzenEstimatorTests {
    struct Draw: Sendable, CustomTestStringConvertible {
        let file: String
        let mode: String
        let debug: String
        let seed: UInt32

        var testDescription: String { "\(file) \(debug)" }
    }

    static let draws = [
        Draw(
            file: "reference_seed42.json", mode: "univariate", debug: "debug_trial_10_univariate",
            seed: 42),
        Draw(
            file: "reference_seed42.json", mode: "default", debug: "debug_trial_10_default",
            seed: 42),
        Draw(
            file: "reference_multivariate_seed7.json", mode: "multivariate",
            debug: "debug_trial_10", seed: 7),
    ]

    @Test(arguments: draws)
    func `kernels, candidates and densities agree`(_ draw: Draw) throws {
        let file = try golden(draw.file)
        let trials = try file.at(draw.mode).at("x86_simd").list()
        let debug = try file.at(draw.debug)
        var generator = NumpyRandomState(seed: draw.seed)
        for step in try debug.at("steps").list() {
            let names = try step.at("params").list().map { try $0.text() }
            let distributions = try names.map { name in
                try distribution(
                    try #require(
                        try file.at("meta").at("suggest_order").list()
                            .first { $0["name"]?.stringValue == name }))
            }
            func estimator(_ part: String) throws -> ParzenEstimator {
                let numbers = try debug.at("\(part)_numbers").integers()
                let observations = try zip(names, distributions).map { name, distribution in
                    try numbers.map { number in
                        let value = try trials[number].at("params").at(name)
                        return try distribution.internalValue(
                            of: try #require(ParameterValue(value)))
                    }
                }
                let estimator = try ParzenEstimator(
                    observations: observations, distributions: distributions,
                    parameters: ParzenEstimatorParameters(tieOrder: .simd))
                try expectKernels(estimator, part, names, step)
                return estimator
            }
            let below = try estimator("below")
            let above = try estimator("above")
            let candidates = below.sample(&generator, count: 24)
            for (name, values) in zip(names, candidates) {
                expectClose(
                    values, try step.at("candidates \(name)").numbers(), "candidates of \(name)")
            }
            expectClose(below.logDensities(candidates), try step.at("log_l").numbers(), "log l")
            expectClose(above.logDensities(candidates), try step.at("log_g").numbers(), "log g")
        }
    }

    private func expectKernels(
        _ estimator: ParzenEstimator, _ part: String, _ names: [String], _ step: JSONValue
    ) throws {
        expectClose(
            estimator.weights, try step.at("weights_\(part)").numbers(), "weights \(part)")
        for (name, dimension) in zip(names, estimator.dimensions) {
            switch dimension {
            case .numerical(let kernels):
                expectClose(
                    kernels.mu, try step.at("\(part)_mus \(name)").numbers(), "mu of \(name)")
                expectClose(
                    kernels.sigma, try step.at("\(part)_sigmas \(name)").numbers(),
                    "sigma of \(name)")
            case .categorical(let table):
                guard let rows = step["\(part)_rows \(name)"]?.arrayValue else { continue }
                for (kernel, row) in rows.enumerated() {
                    expectClose(table.row(kernel), try row.numbers(), "row of \(name)")
                }
            }
        }
    }

    private func expectClose(_ values: [Double], _ wanted: [Double], _ what: String) {
        #expect(values.count == wanted.count, "\(what)")
        for (index, (value, wanted)) in zip(values, wanted).enumerated() {
            #expect(isClose(value, wanted), "\(what) \(index): \(value), not \(wanted)")
        }
    }

    private func distribution(_ call: JSONValue) throws -> Distribution {
        let isLog = call["log"]?.boolValue ?? false
        switch try call.at("call").text() {
        case "float":
            return .float(
                try FloatDistribution(
                    low: try call.at("low").number(), high: try call.at("high").number(),
                    log: isLog, step: call["step"]?.doubleValue))
        case "int":
            return .int(
                try IntDistribution(
                    low: try call.at("low").integer(), high: try call.at("high").integer(),
                    log: isLog, step: call["step"]?.intValue ?? 1))
        default:
            return .categorical(
                try CategoricalDistribution(
                    choices: try call.at("choices").list().map {
                        try #require(ParameterValue($0))
                    }))
        }
    }

    @Test func `the densities of a stepped range add up to 1`() throws {
        let estimator = try ParzenEstimator(
            observations: [[1, 3, 3, 8], [0, 2, 2, 1]],
            distributions: [
                .int(try IntDistribution(low: 1, high: 9)),
                .categorical(try CategoricalDistribution(choices: ["a", "b", "c"])),
            ], parameters: ParzenEstimatorParameters())
        var points: [[Double]] = [[], []]
        for number in 1...9 {
            for choice in 0..<3 {
                points[0].append(Double(number))
                points[1].append(Double(choice))
            }
        }
        let sum = estimator.logDensities(points).reduce(0) { $0 + exp($1) }
        #expect(isClose(sum, 1, relative: 1e-12))
    }

    @Test func `weights favour the newest observations`() {
        #expect(TPESampler.defaultWeights(3) == [1, 1, 1])
        #expect(TPESampler.defaultWeights(26).first == 1.0 / 26)
        let many = TPESampler.defaultWeights(100)
        #expect(many.count == 100 && many[0] == 0.01 && many[74] == 1 && many[75] == 1)
        #expect(zip(many, many.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test(arguments: [
        ([-1.0, 1], "negative"), ([0, 0], "all-zero"), ([.nan, 1], "infinite or NaN"),
    ])
    func `weights that make no mixture are refused`(_ weights: [Double], _ word: String) throws {
        var parameters = ParzenEstimatorParameters()
        parameters.weights = { _ in weights }
        #expect {
            try ParzenEstimator(
                observations: [[0.5, 0.6]],
                distributions: [.float(try FloatDistribution(low: 0, high: 1))],
                parameters: parameters)
        } throws: {
            "\($0)".contains(word)
        }
    }
}
