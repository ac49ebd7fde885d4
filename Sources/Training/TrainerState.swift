public import OrderedJSON

/// What a run knows about itself: where it stands, what it logged, what was best. Saved as
/// trainer_state.json with every checkpoint, in Python's form.
public struct TrainerState: Sendable {
    /// Updates made.
    public var globalStep = 0
    /// Passes over the data made, with a fraction.
    public var epoch = 0.0
    /// Updates of the whole run.
    public var maxSteps = 0
    public var numTrainEpochs = 0
    public var loggingSteps = 500
    public var evalSteps = 500
    public var saveSteps = 500
    public var trainBatchSize = 0
    /// Every logged entry in order, each with `step`.
    public var logHistory: [JSONObject] = []
    public var bestMetric: Double?
    public var bestGlobalStep: Int?
    /// Folder of the checkpoint with the best metric.
    public var bestModelCheckpoint: String?
    public var isHyperParamSearch = false
    public var trialName: String?
    public var trialParams: JSONObject?

    public init() {}

    /// - callbacks: state of the callbacks that have one.
    func json(callbacks: JSONObject) -> JSONObject {
        var json = JSONObject()
        json["best_global_step"] = bestGlobalStep.map { JSONValue($0) } ?? .null
        json["best_metric"] = bestMetric.map { JSONValue($0) } ?? .null
        json["best_model_checkpoint"] = JSONValue(bestModelCheckpoint)
        json["epoch"] = JSONValue(epoch)
        json["eval_steps"] = JSONValue(evalSteps)
        json["global_step"] = JSONValue(globalStep)
        json["is_hyper_param_search"] = JSONValue(isHyperParamSearch)
        json["is_local_process_zero"] = true
        json["is_world_process_zero"] = true
        json["log_history"] = .array(logHistory.map { .object($0) })
        json["logging_steps"] = JSONValue(loggingSteps)
        json["max_steps"] = JSONValue(maxSteps)
        json["num_input_tokens_seen"] = 0
        json["num_train_epochs"] = JSONValue(numTrainEpochs)
        json["save_steps"] = JSONValue(saveSteps)
        json["stateful_callbacks"] = .object(callbacks)
        json["total_flos"] = 0.0
        json["train_batch_size"] = JSONValue(trainBatchSize)
        json["trial_name"] = JSONValue(trialName)
        json["trial_params"] = trialParams.map { .object($0) } ?? .null
        return json
    }

    /// Reads what a resumed run goes on with; the rest follows from its own arguments.
    mutating func restore(_ fields: CheckpointFields) throws {
        let json = fields.json
        let planned = try fields.optionalCount("max_steps") ?? CheckpointFields.most
        // A run of no updates makes one.
        let step = try fields.count("global_step", atMost: max(planned, 1))
        guard let log = json["log_history"]?.arrayValue else {
            throw TrainingError.file(
                path: fields.path, problem: "log_history is missing or of the wrong type",
                hint: CheckpointFields.hint)
        }
        logHistory = try log.map { entry in
            guard let entry = entry.objectValue else {
                throw TrainingError.file(
                    path: fields.path, problem: "log_history holds \(entry.json()), no log entry",
                    hint: CheckpointFields.hint)
            }
            return entry
        }
        globalStep = step
        epoch = json["epoch"]?.doubleValue ?? 0
        bestMetric = json["best_metric"]?.doubleValue
        bestGlobalStep = json["best_global_step"]?.intValue
        bestModelCheckpoint = json["best_model_checkpoint"]?.stringValue.flatMap {
            ModelFiles.isFolder($0) ? $0 : nil
        }
    }
}

/// What ``SentenceTransformerTrainer/train(resumeFrom:)`` returns.
public struct TrainOutput: Sendable {
    public let globalStep: Int
    /// Mean loss over all updates of this call.
    public let trainingLoss: Double
    /// train_runtime (seconds), train_samples_per_second, train_steps_per_second, total_flos,
    /// train_loss, epoch.
    public let metrics: Metrics
    /// The evaluation hook asked to stop (a pruned trial).
    public let stoppedByEvaluation: Bool
}
