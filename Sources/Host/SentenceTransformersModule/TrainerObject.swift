// What a script's trainer is made of: the constructor's arguments, and the trainer of Training that
// is made from them whenever a model starts to train. The search (HyperparameterSearch.swift) makes
// one for each trial from the same parts.

import Logging
import LuaBridge
import OrderedJSON
import Training

/// A SentenceTransformerTrainer as scripts hold it.
final class TrainerObject: LuaObject {
    unowned let session: HostSession
    let args: ArgumentsObject
    let trainDataset: TrainerDataset?
    let evalDataset: TrainerDataset?
    let evaluator: (any Evaluator)?
    private(set) var modelInit: LuaFunction?
    let lossSource: LossSource
    private(set) var callbacks: [LuaValue]
    /// Tokens of the datasets, kept for all trainings.
    let tokenStore = TokenStore()
    private let warnings: TrainerWarnings
    /// The model that was trained last, or will be; after a search the best one, loaded at its
    /// first use.
    private(set) var modelSource: ModelSource
    /// The trainer of ``model``, with its history.
    private var current: SentenceTransformerTrainer?
    private var searchState: TrainerState?

    enum ModelSource {
        case ready(SentenceTransformer)
        case kept(KeptModel)
    }

    init(
        session: HostSession, args: ArgumentsObject, model: SentenceTransformer?,
        modelInit: LuaFunction?, trainDataset: TrainerDataset?, evalDataset: TrainerDataset?,
        loss: LossSource, evaluator: (any Evaluator)?, callbacks: [LuaValue]
    ) throws {
        self.session = session
        warnings = TrainerWarnings(session.progress)
        self.args = args
        self.trainDataset = trainDataset
        self.evalDataset = evalDataset
        self.evaluator = evaluator
        self.modelInit = modelInit
        self.callbacks = callbacks
        lossSource = loss
        if let model {
            modelSource = .ready(model)
        } else {
            guard let modelInit else {
                throw LuaError.message(
                    "SentenceTransformerTrainer: expected a model or a model_init function")
            }
            modelSource = .ready(try Self.makeModel(modelInit, nil))
        }
        current = try makeTrainer(model: try self.model, args: args.value)
    }

    /// The model, loaded first if it was left on disk.
    var model: SentenceTransformer {
        get throws {
            switch modelSource {
            case .ready(let model): return model
            case .kept(let kept):
                let model = try kept.load()
                modelSource = .ready(model)
                return model
            }
        }
    }

    /// - state: the history that belongs to the model, when it was trained by a search.
    func setModel(_ source: ModelSource, state: TrainerState? = nil) {
        modelSource = source
        current = nil
        searchState = state
    }

    /// What the last training, or the best one of a search, says about itself.
    var state: TrainerState {
        get throws { try searchState ?? current?.state ?? trainer().state }
    }

    /// The trainer for the model and arguments as they are now. It stays the same, with its history and
    /// its random numbers, until there is another model; a running training goes on with the arguments
    /// that it began with.
    func trainer() throws -> SentenceTransformerTrainer {
        let model = try model
        if let current, current.model === model {
            if !current.isInTrain, current.args.given != args.value.given {
                try session.checkFolder(args.value.outputDir)
                try current.setArguments(args.value)
                current.hooks.progress = progress(args.value)
            }
            return current
        }
        let made = try makeTrainer(model: model, args: args.value)
        current = made
        return made
    }

    /// Before training: with `model_init` every training begins with a new model, as in Python.
    func trainerForTraining() throws -> SentenceTransformerTrainer {
        if let modelInit { setModel(.ready(try Self.makeModel(modelInit, nil))) }
        searchState = nil
        return try trainer()
    }

    /// One more callback, for the trainer there is and all that come.
    func addCallback(_ value: LuaValue) throws {
        callbacks.append(value)
        current?.addCallback(try callback(from: value, session))
    }

    /// Puts a search's parameters into the arguments. `isFinal`: the next training is the last
    /// one, on a model made once with them; `model_init` is not called again.
    func apply(_ hyperparameters: JSONObject, isFinal: Bool) throws {
        args.value = try args.value.applying(hyperparameters)
        guard isFinal, let modelInit else { return }
        let trial = try session.lua.table(hash: 1)
        try trial.set("params", hyperparameters)
        setModel(.ready(try Self.makeModel(modelInit, trial)))
        self.modelInit = nil
    }

    /// A trainer of Training with this trainer's data, loss, evaluator and callbacks.
    ///
    /// - label: what its progress bar is called.
    func makeTrainer(
        model: SentenceTransformer, args: SentenceTransformerTrainingArguments,
        runDir: String? = nil, label: String = "Training"
    ) throws -> SentenceTransformerTrainer {
        try session.checkFolder(args.outputDir)
        let trainer = try SentenceTransformerTrainer(
            model: model, args: args, trainDataset: trainDataset, evalDataset: evalDataset,
            loss: try lossSource.make(for: model), evaluator: evaluator,
            callbacks: try callbacks.map { try callback(from: $0, session) }, runDir: runDir,
            tokenStore: tokenStore, logger: warnings.logger)
        trainer.hooks.cancellation = session.cancellation
        trainer.hooks.checkPath = session.checkFolder
        if session.fixesClocks { trainer.hooks.seconds = { 0 } }
        trainer.hooks.progress = progress(args, label)
        return trainer
    }

    private func progress(
        _ args: SentenceTransformerTrainingArguments, _ label: String = "Training"
    ) -> (TrainerHooks.Progress) -> Void {
        TrainingProgress(session.progress, args: args, label: label).show
    }

    /// Calls `model_init(trial)`; `trial` is nil outside of a search.
    static func makeModel(
        _ function: LuaFunction, _ trial: (any IntoLua)?
    ) throws -> SentenceTransformer {
        return try inCallback("model_init") { () -> SentenceTransformer in
            let result: LuaValue =
                try trial.map { try function.call($0) } ?? function.call(LuaValue.nil)
            guard let model = result.object(as: SentenceTransformer.self) else {
                throw LuaError.message(
                    "model_init: expected the function to return a SentenceTransformer, got"
                        + " \(result.typeName)")
            }
            return model
        }
    }
}

// MARK: - Losses

/// The `loss` argument: an object, a function of the model, or a table of either by dataset.
indirect enum LossSource {
    /// CoSENTLoss, as in Python.
    case byDefault
    case loss(any Loss)
    case function(LuaFunction)
    case named([(name: String, source: LossSource)])

    init(_ value: LuaValue, path: String = "loss") throws {
        if value.isNil {
            self = .byDefault
        } else if let object = value.object(as: LossObject.self) {
            self = .loss(object.loss)
        } else if let function = value.function {
            self = .function(function)
        } else if let table = value.table {
            let entries = try table.pairs().map { key, value in
                guard let name = key.string else {
                    throw LuaError.mismatch(
                        path: path, expected: "table of losses by dataset name", got: "sequence")
                }
                return (name: name, source: try LossSource(value, path: "\(path).\(name)"))
            }
            self = .named(entries.sorted { $0.name < $1.name })
        } else {
            throw LuaError.mismatch(
                path: path, expected: "Loss, function or table of them", got: value.typeName)
        }
    }

    /// Functions are called with the model anew for every trial: nothing of a loss is left over
    /// from the trial before.
    func make(for model: SentenceTransformer) throws -> TrainerLoss? {
        switch self {
        case .byDefault: return nil
        case .loss, .function: return .one(try makeOne(for: model))
        case .named(let entries):
            return .named(try entries.map { ($0.name, try $0.source.makeOne(for: model)) })
        }
    }

    private func makeOne(for model: SentenceTransformer) throws -> any Loss {
        switch self {
        case .loss(let loss): return loss
        case .function(let function):
            return try inCallback("loss") { () -> any Loss in
                let result: LuaValue = try function.call(model)
                guard let object = result.object(as: LossObject.self) else {
                    throw LuaError.message(
                        "loss: expected the function to return a loss, got \(result.typeName)")
                }
                return object.loss
            }
        case .byDefault, .named:
            throw LuaError.mismatch(path: "loss", expected: "Loss or function", got: "table")
        }
    }
}
