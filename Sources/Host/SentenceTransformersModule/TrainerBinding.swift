// `st.SentenceTransformerTrainer`: the constructor and methods of Python's trainer. What they do is
// in TrainerObject.swift and HyperparameterSearch.swift; here arguments are decoded.

public import LuaBridge
import OrderedJSON
public import Training

func trainerClass(_ session: HostSession) -> LuaClass<TrainerObject> {
    let declaration = LuaClass<TrainerObject>(
        "SentenceTransformerTrainer", doc: "Fine-tunes a model, or searches for the best one.")
    addConstructor(to: declaration, session)
    addTraining(to: declaration)
    addSearch(to: declaration)
    return
        declaration
        .property(
            "model", .object("SentenceTransformer"),
            doc: "The model that is trained; after a search the best one.", get: { try $0.model }
        )
        .property("args", .object("SentenceTransformerTrainingArguments"), get: { $0.args })
        .property("train_dataset", doc: "What it trains on.", get: { $0.trainDataset })
        .property("eval_dataset", doc: "What it evaluates.", get: { $0.evalDataset })
        .property(
            "state", .table, doc: "What training says about itself: log_history, global_step ...",
            get: { try $0.state.record }
        )
        .property(
            "evaluator", .object("Evaluator"),
            get: { $0.evaluator.map { EvaluatorObject($0, "Evaluator") } }
        )
        .tostring { _ in "SentenceTransformerTrainer" }
}

// MARK: - Construction

private func addConstructor(
    to declaration: LuaClass<TrainerObject>, _ session: HostSession
) {
    declaration.constructor(
        [
            .optional("model", .object("SentenceTransformer"), .nil, "The model to train."),
            .optional("args", .object("SentenceTransformerTrainingArguments")),
            .keyword("train_dataset", .any, .nil, "A Dataset, or a table of them by name."),
            .keyword("eval_dataset", .any, .nil, "A Dataset, or a table of them by name."),
            .keyword(
                "loss", .any, .nil,
                "A loss, a function of the model that returns one, or a table of either by name"
                    + " of the dataset; CoSENTLoss when left out."),
            .keyword(
                "evaluator", .any, .nil,
                "An evaluator, a function of the model, or a sequence of either."),
            .keyword("callbacks", .sequence(.any), .nil, "Tables of functions by event."),
            .keyword(
                "model_init", .function, .nil,
                "Makes the model of each training; gets the trial, or nil outside of a search."),
        ]
    ) { args in
        let model: SentenceTransformer? = try args["model"]
        let modelInit: LuaFunction? = try args["model_init"]
        if model != nil, modelInit != nil {
            throw LuaError.message(
                "SentenceTransformerTrainer: got both model and model_init; give one of them")
        }
        if model == nil, modelInit == nil {
            throw LuaError.message(
                "SentenceTransformerTrainer: got neither model nor model_init; give one of them")
        }
        let callbacks: [LuaValue]? = try args["callbacks"]
        for (place, value) in (callbacks ?? []).enumerated() {
            try checkCallback(value, path: "callbacks[\(place + 1)]")
        }
        let given: ArgumentsObject? = try args["args"]
        let evaluatorValue: LuaValue = try args["evaluator"]
        return try TrainerObject(
            session: session,
            args: try given ?? ArgumentsObject(["output_dir": "tmp_trainer"]),
            model: model, modelInit: modelInit,
            trainDataset: datasets(args, "train_dataset"),
            evalDataset: datasets(args, "eval_dataset"),
            loss: LossSource(try args["loss"]),
            evaluator: evaluatorValue.isNil
                ? nil : try evaluator(from: evaluatorValue, path: "evaluator"),
            callbacks: callbacks ?? [])
    }
}

extension ArgumentsObject {
    fileprivate convenience init(_ values: JSONObject) throws {
        self.init(try SentenceTransformerTrainingArguments(values))
    }
}

extension TrainerDataset: IntoLua {
    /// The Dataset, or a DatasetDict of several.
    public func push(onto stack: LuaStack) throws {
        switch self {
        case .one(let dataset): try dataset.push(onto: stack)
        case .named(let datasets): try DatasetDictObject(DatasetDict(datasets)).push(onto: stack)
        }
    }
}

private func datasets(_ args: LuaArguments, _ name: String) throws -> TrainerDataset? {
    let value: LuaValue = try args[name]
    if value.isNil { return nil }
    if let dataset = value.object(as: Dataset.self) { return .one(dataset) }
    if let object = value.object(as: DatasetDictObject.self) {
        return .named(object.dict.splits.map { ($0.name, $0.dataset) })
    }
    guard let table = value.table else {
        throw LuaError.mismatch(
            path: name, expected: "Dataset or table of them by name", got: value.typeName)
    }
    let entries = try table.pairs().map { key, value in
        guard let key = key.string, let dataset = value.object(as: Dataset.self) else {
            throw LuaError.mismatch(
                path: name, expected: "table of Datasets by name",
                got: "\(value.typeName) at \(key.string ?? key.typeName)")
        }
        return (name: key, dataset: dataset)
    }
    guard !entries.isEmpty else {
        throw LuaError.value(path: name, problem: "the table holds no dataset")
    }
    // A Lua table has no order; samplers need one.
    return .named(entries.sorted { $0.name < $1.name })
}

// MARK: - Training

private func addTraining(to declaration: LuaClass<TrainerObject>) {
    declaration
        .method(
            "train",
            [
                .optional(
                    "resume_from_checkpoint", .union([.string, .boolean]), .nil,
                    "A checkpoint's folder, or true for the last one in output_dir.")
            ], doc: "Trains the model: { global_step, training_loss, metrics }."
        ) { object, args in
            let from: LuaValue = try args["resume_from_checkpoint"]
            if let folder = from.string { try object.session.checkFolder(folder) }
            let point: ResumePoint =
                from.string.map { .checkpoint(path: $0) }
                ?? (from.boolean == true ? .lastCheckpoint : .start)
            let output = try interruptible(object) {
                try object.trainerForTraining().train(resumeFrom: point)
            }
            return RecordTable(
                name: "TrainOutput",
                fields: [
                    "global_step": .int(Int64(output.globalStep)),
                    "training_loss": .double(output.trainingLoss),
                    "metrics": .object(output.metrics.json),
                ])
        }
        .method(
            "evaluate",
            [
                // By name only where it is a table, which otherwise would be one of names.
                .optional(
                    "eval_dataset", .any, .computed("the trainer's"),
                    "A Dataset, or by name a table of them."),
                .keyword("metric_key_prefix", .string, "eval", "What stands before the keys."),
            ], doc: "Metrics of the model, keys with eval_ before them."
        ) { object, args -> JSONObject in
            let dataset = try datasets(args, "eval_dataset")
            let prefix: String = try args["metric_key_prefix"]
            return try interruptible(object) {
                try object.trainer().evaluate(dataset, prefix: prefix).json
            }
        }
        .method(
            "save_model",
            [.optional("output_dir", .string, .computed("the arguments' output_dir"))],
            doc: "Writes the model's folder."
        ) { object, args in
            let folder: String? = try args.path("output_dir")
            try object.trainer().saveModel(to: folder)
        }
        .method(
            "add_callback", [.required("callback", .any)], doc: "One more callback."
        ) { object, args in
            let value: LuaValue = try args["callback"]
            try checkCallback(value, path: "callback")
            try object.addCallback(value)
        }
        .method(
            "apply_hyperparameters",
            [
                .required("hyperparameters", .table, "Argument names and values."),
                .keyword(
                    "final_model", .boolean, false,
                    "Make the model now and train this one from then on, without model_init."),
            ], doc: "Puts the parameters of a search into args."
        ) { object, args in
            try object.apply(try args["hyperparameters"], isFinal: try args["final_model"])
        }
}

/// Ctrl-C in the middle of training is the script's interruption, not an error of training.
func interruptible<R>(_ object: TrainerObject, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch TrainingError.cancelled {
        object.session.progress.finish()
        throw LuaError.interrupted
    } catch {
        object.session.progress.finish()
        throw error
    }
}
