// Going on from a checkpoint. Its files may be damaged, or from elsewhere: everything is read and checked
// before anything of the run changes. What the files hold: Trainer+Checkpoints.swift.

import OrderedJSON
import RandomGenerators

/// Where ``SentenceTransformerTrainer/train(resumeFrom:)`` begins.
public enum ResumePoint: Sendable, Equatable {
    case start
    /// The checkpoint with the highest step in the run's folder.
    case lastCheckpoint
    case checkpoint(path: String)
}

extension SentenceTransformerTrainer {
    /// torch's generator and the counter of dropout, as a checkpoint holds them.
    struct RandomState {
        let generator: MersenneTwister
        let initialSeed: UInt64
        let batchesTrained: Int
    }

    func resume(
        _ point: ResumePoint, _ optimizer: any Optimizer, _ plan: inout RunPlan
    ) throws {
        let folder: String
        switch point {
        case .start: return
        case .checkpoint(let path): folder = path
        case .lastCheckpoint:
            guard let last = checkpoints().last else {
                throw TrainingError.file(
                    path: runDir, problem: "holds no checkpoint to resume from",
                    hint: "name the checkpoint, or train from the start")
            }
            folder = last.path
        }
        let path = ModelFiles.join(folder, "trainer_state.json")
        guard ModelFiles.isFile(path) else {
            throw TrainingError.file(
                path: folder, problem: "is not a checkpoint: it has no trainer_state.json",
                hint: "give a folder named checkpoint-<step>")
        }
        let fields = CheckpointFields(json: try ModelFiles.readObject(path), path: path)
        try state.restore(fields)
        // An epoch makes an update at least, unless a callback ends it before; a batch has a row.
        let updates = plan.updatesPerEpoch
        let epoch =
            try fields.optionalCount("epoch_index", atMost: max(state.globalStep, plan.epochs))
            ?? state.globalStep / updates
        let batches =
            try fields.optionalCount(
                "batches_in_epoch", atMost: max(plan.rows, plan.batchesPerEpoch))
            ?? state.globalStep % updates * args.gradientAccumulationSteps
        try loadOptimizer(optimizer, folder)
        plan.randomState = try randomState(folder)
        try loadWeights(from: folder)
        plan.epochsTrained = epoch
        plan.batchesToSkip = args.ignoreDataSkip ? 0 : batches
        position = (epoch, plan.batchesToSkip)
    }

    /// Copies the weights of a saved model with the same parameters into this one.
    func loadWeights(from folder: String) throws {
        let saved = try SentenceTransformer(path: folder)
        guard saved.parameters.map(\.name) == model.parameters.map(\.name),
            saved.parameters.map(\.shape) == model.parameters.map(\.shape)
        else {
            throw TrainingError.file(
                path: folder, problem: "holds a model of another shape",
                hint: "resume with the model that the checkpoint was made of")
        }
        for (target, source) in zip(model.parameters, saved.parameters) {
            target.value.update(from: source.value, count: source.count)
        }
    }

    private func loadOptimizer(_ optimizer: any Optimizer, _ folder: String) throws {
        let path = ModelFiles.join(folder, "optimizer.safetensors")
        let schedulerPath = ModelFiles.join(folder, "scheduler.json")
        guard ModelFiles.isFile(path), ModelFiles.isFile(schedulerPath) else {
            throw TrainingError.file(
                path: folder, problem: "has no optimizer.safetensors and scheduler.json",
                hint: "resuming needs checkpoints saved with save_only_model = false")
        }
        let fields = CheckpointFields(
            json: try ModelFiles.readObject(schedulerPath), path: schedulerPath)
        try checkOptimizer(fields)
        let file = try SafetensorsFile(path: path)
        let tensors = optimizer.state
        for tensor in tensors {
            guard let stored = file[tensor.name], stored.shape == tensor.shape else {
                throw TrainingError.file(
                    path: path, problem: "has no '\(tensor.name)' of shape \(tensor.shape)",
                    hint: "resume with the optimizer and model that made the checkpoint")
            }
            file.decode(stored, into: tensor.values)
        }
        let known = Set(tensors.map(\.name))
        if let other = file.tensors.first(where: { !known.contains($0.name) }) {
            throw TrainingError.file(
                path: path,
                problem: "has '\(other.name)', which optim '\(args.optim)' has no use for",
                hint: "resume with the optimizer and model that made the checkpoint")
        }
        optimizer.stateWasRestored()
        let rates = fields.json["_last_lr"]?.arrayValue?.compactMap(\.doubleValue) ?? []
        guard rates.count == optimizer.groups.count else {
            throw TrainingError.file(
                path: schedulerPath, problem: "does not fit the parameter groups of this run")
        }
        optimizer.steps = try fields.count("optimizer_steps", atMost: state.globalStep)
        for (index, rate) in rates.enumerated() { optimizer.groups[index].learningRate = rate }
        if let metric = fields.json["metric_schedule"], metricSchedule != nil {
            metricSchedule?.state = try MetricDrivenSchedule.State(metric, path: schedulerPath)
        }
    }

    /// Checkpoints of another optimizer are refused; those made before its name was kept have none.
    private func checkOptimizer(_ fields: CheckpointFields) throws {
        func family(_ name: String) -> String { name == "adamw_torch_fused" ? "adamw_torch" : name }
        guard let made = fields.json["optim"]?.stringValue, family(made) != family(args.optim)
        else { return }
        throw TrainingError.file(
            path: fields.path,
            problem: "was made with optim '\(made)', and this run has optim '\(args.optim)'",
            hint: "resume with optim '\(made)', or train from the checkpoint's model")
    }

    private func randomState(_ folder: String) throws -> RandomState {
        let path = ModelFiles.join(folder, "rng_state.json")
        let fields = CheckpointFields(json: try ModelFiles.readObject(path), path: path)
        let words = fields.json["words"]?.arrayValue?.compactMap {
            $0.intValue.flatMap(UInt32.init(exactly:))
        }
        guard let words, let place = fields.json["position"]?.intValue,
            let generator = MersenneTwister(words: words, position: place),
            let seed = fields.json["initial_seed"]?.stringValue.flatMap({ UInt64($0) })
        else {
            throw TrainingError.file(
                path: path, problem: "does not hold the state of a generator",
                hint: CheckpointFields.hint)
        }
        return RandomState(
            generator: generator, initialSeed: seed,
            batchesTrained: try fields.count("batches_trained"))
    }
}

/// The members of a checkpoint's JSON file, and where they stand.
struct CheckpointFields {
    let json: JSONObject
    let path: String

    static let hint = "use a checkpoint that a trainer wrote"
    /// More than any run counts to, and far from where sums overflow.
    static let most = 1 << 53

    /// A whole number from 0 to `most`.
    func count(_ name: String, atMost most: Int = most) throws -> Int {
        guard let value = try optionalCount(name, atMost: most) else {
            throw TrainingError.file(path: path, problem: "has no \(name)", hint: Self.hint)
        }
        return value
    }

    /// `nil` where the file has no such member, as in files that Python wrote.
    func optionalCount(_ name: String, atMost most: Int = most) throws -> Int? {
        guard let value = json[name], !value.isNull else { return nil }
        guard let number = value.intValue, number >= 0, number <= most else {
            throw TrainingError.file(
                path: path,
                problem: "\(name) is \(value.json()), expected a whole number from 0 to \(most)",
                hint: Self.hint)
        }
        return number
    }
}

extension MetricDrivenSchedule.State {
    init(_ json: JSONValue, path: String) throws {
        let fields = CheckpointFields(json: json.objectValue ?? [:], path: path)
        self.init(
            best: json["best"]?.doubleValue ?? .infinity,
            resetStart: try fields.count("reset_start"))
        badEvaluations = try fields.count("num_bad_epochs")
        goodEvaluations = try fields.count("num_good_epochs")
        cooldown = try fields.count("cooldown_counter")
        warmup = try fields.count("warmup_counter")
        window = json["window"]?.arrayValue?.compactMap(\.doubleValue) ?? []
        windowSum = json["window_sum"]?.doubleValue ?? 0
    }
}
