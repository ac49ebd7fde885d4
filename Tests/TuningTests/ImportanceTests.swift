// Importances of recorded studies against Optuna's evaluators and scikit-learn's forest.
// Golden/importances.json; scripts/golden/importances.py.

import OrderedJSON
import Testing

import Tuning

struct ImportanceTests {
    /// The recorded study, trial by trial.
    private func study(_ item: JSONValue) throws -> Study {
        let study = try Study.create(
            directions: try Study.directions(
                words: try item.at("directions").list().map { try $0.text() }), logger: silent)
        let calls = try item.at("calls").list()
        var params = NamedValues<ParameterValue>()
        var distributions = NamedValues<Distribution>()
        for event in try item.at("events").list() {
            switch try event.at(0).text() {
            case "ask":
                params = [:]
                distributions = [:]
            case "suggest":
                let call = try calls[event.at(2).integer()]
                let name = try call.at("name").text()
                params[name] = ParameterValue(try event.at(3))
                distributions[name] = try distribution(call)
            case "tell":
                try study.addTrial(
                    try FrozenTrial.create(
                        values: try event.at(4).numbers(), params: params,
                        distributions: distributions))
            default: Issue.record("unknown event")
            }
        }
        return study
    }

    private func distribution(_ call: JSONValue) throws -> Distribution {
        let isLog = call["log"]?.boolValue ?? false
        switch try call.at("kind").text() {
        case "float":
            return .float(
                try FloatDistribution(
                    low: call.at("low").number(), high: call.at("high").number(), log: isLog,
                    step: call["step"]?.doubleValue))
        case "int":
            return .int(
                try IntDistribution(
                    low: call.at("low").integer(), high: call.at("high").integer(), log: isLog,
                    step: call["step"]?.intValue ?? 1))
        default:
            return .categorical(
                try CategoricalDistribution(
                    choices: call.at("choices").list().map { try #require(ParameterValue($0)) }))
        }
    }

    private func evaluator(_ kind: String, _ options: JSONValue) throws -> any ImportanceEvaluator {
        let trees = options["n_trees"]?.intValue ?? 64
        let depth = options["max_depth"]?.intValue ?? 64
        let seed = options["seed"]?.intValue
        switch kind {
        case "fanova":
            return try FanovaImportanceEvaluator(nTrees: trees, maxDepth: depth, seed: seed)
        case "mdi":
            return try MeanDecreaseImpurityImportanceEvaluator(
                nTrees: trees, maxDepth: depth, seed: seed)
        default:
            return try PedAnovaImportanceEvaluator(
                targetQuantile: options["target_quantile"]?.doubleValue ?? 0.1,
                regionQuantile: options["region_quantile"]?.doubleValue ?? 1,
                evaluatesOnLocal: options["evaluate_on_local"]?.boolValue ?? true)
        }
    }

    @Test(arguments: 0..<7)
    func `importances are Optuna's`(_ index: Int) throws {
        let item = try golden("importances.json").at("studies").at(index)
        let study = try study(item)
        for result in try item.at("results").list() {
            let kind = try result.at("evaluator").text()
            let target: ((FrozenTrial) throws -> Double)? =
                result["target"]?.stringValue.map { _ in
                    { Double($0.number % 7) + ($0.values ?? []).reduce(0, +) }
                }
            let what = try
                "\(item.at("name")) \(kind) \(result.at("options").json()) \(target == nil)"
            let evaluate = {
                try study.paramImportances(
                    evaluator: try evaluator(kind, try result.at("options")), target: target,
                    normalize: false)
            }
            guard let wanted = result["values"]?.objectValue else {
                #expect(throws: TuningError.self, "\(what)") { try evaluate() }
                continue
            }
            let found = try evaluate()
            #expect(Set(found.names) == Set(wanted.keys), "\(what)")
            // The forest agrees up to splits that are equally good to the last digit.
            let tolerance = kind == "ped_anova" ? 1e-9 : 1e-6
            for (name, value) in found {
                let other = wanted[name]?.doubleValue ?? .nan
                #expect(
                    isClose(value, other, relative: tolerance, absolute: 1e-12),
                    "\(what) \(name): \(value), not \(other)")
            }
            #expect(found.values == found.values.sorted(by: >), "\(what)")
        }
    }

    @Test func `importances add up to one, or are equal where nothing is known`() throws {
        let study = try Study.create(sampler: try RandomSampler(seed: 1), logger: silent)
        try study.optimize(nTrials: 1) { trial in
            try trial.suggestFloat("x", low: 0, high: 1)
                + (try trial.suggestFloat("y", low: 0, high: 1))
        }
        #expect(try study.paramImportances().values == [0.5, 0.5])
        try study.optimize(nTrials: 40) { trial in
            try 5 * trial.suggestFloat("x", low: 0, high: 1)
                + (try trial.suggestFloat("y", low: 0, high: 1))
        }
        for evaluator: any ImportanceEvaluator in [
            try PedAnovaImportanceEvaluator(), try FanovaImportanceEvaluator(seed: 1),
            try MeanDecreaseImpurityImportanceEvaluator(seed: 1),
        ] {
            let importances = try study.paramImportances(evaluator: evaluator)
            #expect(abs(importances.values.reduce(0, +) - 1) < 1e-12)
            #expect(importances.names == ["x", "y"])
        }
    }

    @Test func `parameters that no trial has are named`() throws {
        let study = try Study.create(sampler: try RandomSampler(seed: 1), logger: silent)
        try study.optimize(nTrials: 3) { try $0.suggestFloat("x", low: 0, high: 1) }
        #expect {
            try study.paramImportances(params: ["z"])
        } throws: {
            "\($0)"
                == "Study must contain at least one completed trial for each specified parameter. "
                + "Missing parameters: ['z']."
        }
        #expect(throws: TuningError.self) {
            try study.paramImportances(
                evaluator: try FanovaImportanceEvaluator(), params: ["x", "z"])
        }
    }
}
