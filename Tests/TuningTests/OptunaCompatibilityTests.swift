// Whole studies, value by value against Optuna 5.0.

import Foundation
import OrderedJSON
import Testing

import Tuning

struct OptunaCompatibilityTests {
    /// One of the two traces that came with the specification of this package.
    struct Reference: Sendable, CustomTestStringConvertible {
        let file: String
        let mode: String
        let seed: Int
        let multivariate: Bool?
        let direction: StudyDirection
        let tieOrder: TieOrder

        var testDescription: String { "\(file) \(mode) \(tieOrder)" }
    }

    static let references: [Reference] = [TieOrder.simd, .scalar].flatMap { tieOrder in
        [
            Reference(
                file: "reference_seed42.json", mode: "univariate", seed: 42, multivariate: false,
                direction: .maximize, tieOrder: tieOrder),
            Reference(
                file: "reference_seed42.json", mode: "default", seed: 42, multivariate: nil,
                direction: .maximize, tieOrder: tieOrder),
            Reference(
                file: "reference_multivariate_seed7.json", mode: "multivariate", seed: 7,
                multivariate: true, direction: .minimize, tieOrder: tieOrder),
        ]
    }

    @Test(arguments: references)
    func `the reference traces come out value by value`(_ reference: Reference) throws {
        let file = try golden(reference.file)
        let trials = try file.at(reference.mode)
            .at(reference.tieOrder == .simd ? "x86_simd" : "scalar").list()
        let calls = try file.at("meta").at("suggest_order").list()
        var options = TPESampler.Options(seed: reference.seed, multivariate: reference.multivariate)
        options.tieOrder = reference.tieOrder
        let study = try Study.create(
            sampler: try TPESampler(options), directions: [reference.direction], logger: silent)
        var number = 0
        try study.optimize(nTrials: trials.count) { trial in
            let expected = try trials[number].at("params")
            for call in calls {
                let name = try call.at("name").text()
                let value = try suggest(trial, call)
                let wanted = try expected.at(name)
                #expect(agrees(value, wanted), "trial \(number) \(name): Optuna \(wanted)")
            }
            number += 1
            return reference.seed == 42 ? tuningExample(trial.params) : mixedExample(trial.params)
        }
        for (trial, expected) in zip(try study.trials(), trials) {
            let value = try expected.at("value").number()
            #expect(isClose(trial.values?.first ?? .nan, value))
        }
    }

    private func tuningExample(_ params: NamedValues<ParameterValue>) -> Double {
        func number(_ name: String) -> Double { params[name]?.doubleValue ?? .nan }
        let learningRate = (log10(number("learning_rate")) + 4.7) / 2
        let epochs = (number("num_train_epochs") - 3) / 10
        let batch = (number("per_device_train_batch_size") - 64) / 200
        let warmup = number("warmup_ratio") - 0.1
        return 1.0 - 0.30 * (learningRate * learningRate) - 2.0 * (warmup * warmup)
            - epochs * epochs - batch * batch
    }

    private func mixedExample(_ params: NamedValues<ParameterValue>) -> Double {
        func number(_ name: String) -> Double { params[name]?.doubleValue ?? .nan }
        func square(_ x: Double) -> Double { x * x }
        let optimizers = ["adamw": 0.0, "sgd": 0.4, "adafactor": 0.15]
        let schedulers = ["linear": 0.05, "cosine": 0.0]
        var sum = 0.2 * square(log10(number("weight_decay")) + 2.5)
        sum += 4.0 * square(number("dropout") - 0.15)
        sum += square((number("num_layers") - 6) / 6.0)
        sum += square((log2(number("hidden")) - 7.0) / 4.0)
        sum += optimizers[params["optimizer"]?.stringValue ?? ""] ?? .nan
        sum += schedulers[params["scheduler"]?.stringValue ?? ""] ?? 0.2
        sum += 3.0 * square(number("label_smoothing") - 0.05)
        return sum + square((number("grad_accum") - 2) / 8.0)
    }
}

/// Makes the call that a golden file describes.
func suggest(_ trial: Trial, _ call: JSONValue) throws -> ParameterValue {
    let name = try call.at("name").text()
    let isLog = call["log"]?.boolValue ?? false
    switch try (call["kind"] ?? call.at("call")).text() {
    case "float":
        return .double(
            try trial.suggestFloat(
                name, low: try call.at("low").number(), high: try call.at("high").number(),
                step: call["step"]?.doubleValue, log: isLog))
    case "int":
        return .int(
            try trial.suggestInt(
                name, low: try call.at("low").integer(), high: try call.at("high").integer(),
                step: call["step"]?.intValue ?? 1, log: isLog))
    default:
        return try trial.suggestCategorical(
            name, choices: try call.at("choices").list().map { try #require(ParameterValue($0)) })
    }
}
