// `optuna.importance`: how much each parameter matters.

import LuaBridge
import Tuning

/// An evaluator as scripts hold it.
final class ImportanceEvaluatorObject: LuaObject, Sendable {
    let name: String
    let evaluator: any ImportanceEvaluator

    init(_ name: String, _ evaluator: any ImportanceEvaluator) {
        self.name = name
        self.evaluator = evaluator
    }
}

func importanceEvaluatorClass() -> LuaClass<ImportanceEvaluatorObject> {
    LuaClass<ImportanceEvaluatorObject>(
        "ImportanceEvaluator", doc: "Finds out how much each parameter matters."
    )
    .tostring { "\($0.name)()" }
}

func importanceModule() -> LuaModule {
    let forest: [LuaParameter] = [
        .keyword("n_trees", .integer, 64), .keyword("max_depth", .integer, 64),
        .keyword("seed", .integer, .nil, "0 ..< 2^32; nil differs from run to run."),
    ]
    return LuaModule("optuna.importance")
        .function(
            "get_param_importances",
            [
                .required("study", .object("Study")),
                .keyword(
                    "evaluator", .object("ImportanceEvaluator"),
                    .computed("PedAnovaImportanceEvaluator{}")),
                .keyword("params", .sequence(.string), .nil, "Those to assess; nil for all."),
                .keyword("target", .function, .nil, "Gets a trial, returns what to explain."),
                .keyword("normalize", .boolean, true, "Scale to a sum of 1."),
            ], doc: "How much each parameter matters: a table of numbers by name."
        ) { args -> NamedValuesTable<Double> in
            let study: Study = try args["study"]
            let evaluator = try args.object("evaluator", as: ImportanceEvaluatorObject.self)
            var target: ((FrozenTrial) throws -> Double)?
            if let function: LuaFunction = try args["target"] {
                target = { trial in
                    do {
                        return try function.call(FrozenTrialObject(trial), returning: Double.self)
                    } catch let error as LuaError {
                        throw error.within("target")
                    }
                }
            }
            return NamedValuesTable(
                values: try study.paramImportances(
                    evaluator: evaluator?.evaluator, params: args["params"], target: target,
                    normalize: args["normalize"]))
        }
        .function(
            "PedAnovaImportanceEvaluator",
            [
                .keyword("target_quantile", .number, 0.1, "The share of good trials."),
                .keyword("region_quantile", .number, 1.0, "The share they are compared with."),
                .keyword("evaluate_on_local", .boolean, true, "Against the trials there were."),
            ], doc: "Importance for getting among the best trials; the default."
        ) { args -> ImportanceEvaluatorObject in
            ImportanceEvaluatorObject(
                "PedAnovaImportanceEvaluator",
                try PedAnovaImportanceEvaluator(
                    targetQuantile: args["target_quantile"],
                    regionQuantile: args["region_quantile"],
                    evaluatesOnLocal: args["evaluate_on_local"]))
        }
        .function(
            "FanovaImportanceEvaluator", forest, doc: "The share of the variance explained."
        ) { args -> ImportanceEvaluatorObject in
            ImportanceEvaluatorObject(
                "FanovaImportanceEvaluator",
                try FanovaImportanceEvaluator(
                    nTrees: args["n_trees"], maxDepth: args["max_depth"], seed: args.seed()))
        }
        .function(
            "MeanDecreaseImpurityImportanceEvaluator", forest, doc: "By the splits of a forest."
        ) { args -> ImportanceEvaluatorObject in
            ImportanceEvaluatorObject(
                "MeanDecreaseImpurityImportanceEvaluator",
                try MeanDecreaseImpurityImportanceEvaluator(
                    nTrees: args["n_trees"], maxDepth: args["max_depth"], seed: args.seed()))
        }
}
