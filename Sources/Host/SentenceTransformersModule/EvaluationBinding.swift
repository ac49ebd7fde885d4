// `st.evaluation`: evaluators under their Python names. An evaluator is called with a model and
// gives a table of metrics. Functions of the script can stand for evaluators, too.

import LuaBridge
import OrderedJSON
import Training

/// An evaluator as scripts hold it.
final class EvaluatorObject: LuaObject, Sendable {
    let evaluator: any Evaluator
    let label: String

    init(_ evaluator: any Evaluator, _ label: String) {
        self.evaluator = evaluator
        self.label = label
    }
}

func evaluatorClass() -> LuaClass<EvaluatorObject> {
    LuaClass<EvaluatorObject>(
        "Evaluator", doc: "Scores a model; made by the functions of st.evaluation."
    )
    .property(
        "primary_metric", .string, doc: "The metric that stands for all.",
        get: { $0.evaluator.primaryMetric }
    )
    .call(
        [
            .required("model", .object("SentenceTransformer")),
            .optional("output_path", .string, .nil, "Folder for CSV files."),
            .optional("epoch", .number, -1.0), .optional("steps", .integer, -1),
        ], doc: "Metrics of the model, by name."
    ) { object, args in
        let context = EvaluationContext(
            outputPath: try args.path("output_path"), epoch: try args["epoch"],
            steps: try args["steps"])
        return try object.evaluator.evaluate(try args["model"], context).json
    }
    .tostring { $0.label }
}

func evaluationModule() -> LuaModule {
    let module = LuaModule("sentence_transformers.evaluation")
    addSimilarityEvaluators(to: module)
    addRetrievalEvaluators(to: module)
    addPairEvaluators(to: module)
    module.function(
        "SequentialEvaluator",
        [
            .required("evaluators", .sequence(.any)),
            .optional(
                "main_score_function", .function, .nil,
                "Gets the sequence of primary metrics; the last one counts by default."),
        ], doc: "Several evaluators, one after the other."
    ) { args in
        let evaluators: [LuaValue] = try args["evaluators"]
        let mainScore: LuaFunction? = try args["main_score_function"]
        let sequence = SequentialEvaluator(
            try evaluators.enumerated().map { place, value in
                try evaluator(from: value, path: "evaluators[\(place + 1)]")
            },
            mainScore: mainScore.map { function in
                { @Sendable scores in
                    try function.reference.state.borrow {
                        try inCallback("main_score_function") {
                            try function.call(scores, returning: Double.self)
                        }
                    }
                }
            })
        return EvaluatorObject(sequence, "SequentialEvaluator(\(evaluators.count) evaluators)")
    }
    addUnsupportedEvaluators(to: module)
    return module
}

private let functionNames = SimilarityFunction.allCases.map(\.rawValue)
private let nameParameter = LuaParameter.optional(
    "name", .string, "", "Goes before every metric, with an underscore.")
private let batchSize = LuaParameter.optional(
    "batch_size", .integer, 16, range: .atLeast(1), "Sentences encoded at a time.")
private let showProgressBar = LuaParameter.optional("show_progress_bar", .boolean, false)
private let writeCSV = LuaParameter.optional(
    "write_csv", .boolean, true, "Whether a trainer's evaluations are appended to a CSV file.")
private let truncateDim = LuaParameter.optional(
    "truncate_dim", .integer, .nil, range: .atLeast(1), "Dimensions of the embeddings to use.")
private let similarityFnNames = LuaParameter.optional(
    "similarity_fn_names", .sequence(.oneOf(functionNames)),
    .computed("the main similarity, or the model's"), "Which similarities to score.")

private func similarityFunctions(_ args: LuaArguments) throws -> [SimilarityFunction] {
    let names: [String]? = try args["similarity_fn_names"]
    return try (names ?? []).map {
        try SimilarityFunction(choosing: $0, for: "similarity_fn_names")
    }
}

private func addSimilarityEvaluators(to module: LuaModule) {
    module.function(
        "EmbeddingSimilarityEvaluator",
        [
            .required("sentences1", TextsArgument.type),
            .required("sentences2", TextsArgument.type),
            .required("scores", NumbersArgument.type, "Gold similarity of each pair."),
            batchSize,
            .optional("main_similarity", .oneOf(functionNames)),
            similarityFnNames, nameParameter, showProgressBar, writeCSV,
            .optional(
                "precision", .oneOf(EmbeddingSimilarityEvaluator.Precision.allCases.map(\.rawValue))
            ),
            truncateDim,
        ], doc: "Pearson and Spearman correlation of similarities with gold scores."
    ) { args in
        let name: String = try args["name"]
        let first: TextsArgument = try args["sentences1"]
        let second: TextsArgument = try args["sentences2"]
        let scores: NumbersArgument = try args["scores"]
        let evaluator = try EmbeddingSimilarityEvaluator(
            sentences1: first.values, sentences2: second.values, scores: scores.values,
            batchSize: args["batch_size"], mainSimilarity: choice(args, "main_similarity"),
            similarityFnNames: similarityFunctions(args), name: name,
            writeCSV: args["write_csv"], precision: choice(args, "precision"),
            truncateDim: args["truncate_dim"])
        return EvaluatorObject(
            evaluator,
            "EmbeddingSimilarityEvaluator(name='\(name)', \(first.values.count) pairs)")
    }
    module.function(
        "TripletEvaluator",
        [
            .required("anchors", TextsArgument.type),
            .required("positives", TextsArgument.type),
            .required("negatives", TextsArgument.type),
            .optional("main_similarity_function", .oneOf(functionNames)),
            .optional(
                "margin", .union([.number, .map(.number)]), .nil,
                "How much more similar the positive must be; a number or one per function."),
            nameParameter, batchSize, showProgressBar, writeCSV, truncateDim, similarityFnNames,
        ], doc: "How often the anchor is more similar to the positive than to the negative."
    ) { args in
        let name: String = try args["name"]
        let anchors: TextsArgument = try args["anchors"]
        let positives: TextsArgument = try args["positives"]
        let negatives: TextsArgument = try args["negatives"]
        let evaluator = try TripletEvaluator(
            anchors: anchors.values, positives: positives.values, negatives: negatives.values,
            mainSimilarityFunction: choice(args, "main_similarity_function"),
            margin: margins(args), name: name, batchSize: args["batch_size"],
            writeCSV: args["write_csv"], truncateDim: args["truncate_dim"],
            similarityFnNames: similarityFunctions(args))
        return EvaluatorObject(
            evaluator, "TripletEvaluator(name='\(name)', \(anchors.values.count) triplets)")
    }
}

private func margins(_ args: LuaArguments) throws -> [SimilarityFunction: Double] {
    let value: LuaValue = try args["margin"]
    if let number = value.number {
        return Dictionary(uniqueKeysWithValues: SimilarityFunction.allCases.map { ($0, number) })
    }
    guard !value.isNil else { return [:] }
    let named: [String: Double] = try args["margin"]
    return Dictionary(
        uniqueKeysWithValues: try named.map {
            (try SimilarityFunction(choosing: $0.key, for: "margin"), $0.value)
        })
}

// MARK: - Whatever can evaluate

/// An evaluator object, a function of the script (model -> number or table of metrics), or a
/// sequence of either.
func evaluator(from value: LuaValue, path: String) throws -> any Evaluator {
    if let object = value.object(as: EvaluatorObject.self) { return object.evaluator }
    if let function = value.function {
        return FunctionEvaluator { model, context in try evaluate(function, model, context) }
    }
    if let table = value.table {
        if let function = try table.callable {
            // An object of the script's own; its primary_metric is looked at once.
            let primary: String? = try table.get("primary_metric")
            return FunctionEvaluator(primaryMetric: primary) { model, context in
                try evaluate(function, model, context)
            }
        }
        let count = try table.count
        guard count > 0 else {
            throw LuaError.value(path: path, problem: "the sequence holds no evaluator")
        }
        return SequentialEvaluator(
            try (1...count).map { position in
                try evaluator(from: table.get(position), path: "\(path)[\(position)]")
            })
    }
    throw LuaError.mismatch(
        path: path, expected: "Evaluator, function or sequence of them", got: value.typeName)
}

/// A function may give one number, which is then called "evaluator" as in Python, or metrics.
@Sendable
private func evaluate(
    _ function: LuaFunction, _ model: SentenceTransformer, _ context: EvaluationContext
) throws -> Metrics {
    let state = function.reference.state
    return try state.borrow {
        guard let session = state.owner as? HostSession else {
            throw LuaError.internalError("an evaluator without its session")
        }
        return try session.progress.suspended {
            try inCallback("evaluator") { try metrics(of: function, model, context) }
        }
    }
}

private func metrics(
    of function: LuaFunction, _ model: SentenceTransformer, _ context: EvaluationContext
) throws -> Metrics {
    let result: LuaValue = try function.call(
        model, context.outputPath, context.epoch, context.steps)
    if let number = result.number { return ["evaluator": number] }
    guard let table = result.table else {
        throw LuaError.message(
            "evaluator: expected a number or a table of metrics from the function, got"
                + " \(result.typeName)")
    }
    var metrics = Metrics()
    for (key, value) in try table.pairs().sorted(by: {
        ($0.key.string ?? "") < ($1.key.string ?? "")
    }) {
        guard let name = key.string, let number = value.number else {
            throw LuaError.message(
                "evaluator: expected metric names with numbers from the function, got"
                    + " \(key.string ?? key.typeName) = \(value.typeName)")
        }
        metrics[name] = number
    }
    return metrics
}
