// The hinge of a search, the one file that uses Training and Tuning together. `run` makes the study
// and lets it run; `prepare` and `objective` are one trial, in the order hp_space, model_init, loss,
// then train, compute_objective. Called by `trainer:hyperparameter_search` (SearchBinding.swift).
//
// With several jobs a trial is prepared and trained on a worker's thread. Whatever enters the script
// from there goes through `HostSession.inScript`, one thread at a time.

import LuaBridge
import OrderedJSON
import Training
import Tuning

/// What a search was asked to do.
struct SearchOptions {
    /// Whose value counts for a trial: the last evaluation (Python's way) or the best one.
    enum ObjectiveFrom: String, CaseIterable { case last, best }

    var hpSpace: LuaFunction?
    var computeObjective: LuaFunction?
    var hpName: LuaFunction?
    var nTrials = 20
    var timeout: Double?
    /// Trials at the same time.
    var jobs = 1
    var catchesErrors = false
    /// One for each objective.
    var directions: [StudyDirection] = [.minimize]
    /// Whether the script gave them; if not, a study that exists says them.
    var isDirectionGiven = false
    /// Whether the direction was given as a sequence: then objectives are sequences, too.
    var isMultiObjective = false
    var studyName: String?
    var storage: (any Storage)?
    var loadIfExists = false
    var sampler: (any Sampler)?
    var pruner: (any Pruner)?
    var keepBestModel = true
    var objectiveFrom = ObjectiveFrom.last
}

/// One call of `hyperparameter_search`.
///
/// Unchecked: `options` stay as they are once trials run; the trainer object and the script's functions
/// are used with the Lua state owned, everything else belongs to one trial or guards itself.
final class HyperparameterSearch: @unchecked Sendable {
    let owner: TrainerObject
    let modelInit: LuaFunction
    private(set) var options: SearchOptions
    private let shares = ProcessorShares()
    private var session: HostSession { owner.session }

    init(owner: TrainerObject, modelInit: LuaFunction, options: SearchOptions) {
        self.owner = owner
        self.modelInit = modelInit
        self.options = options
    }

    /// Runs the trials; the best of them, or all best ones for several objectives.
    func run() throws -> [BestRun] {
        try session.checkFolder(owner.args.value.outputDir)
        let study = try Study.create(
            storage: options.storage, sampler: options.sampler, pruner: options.pruner,
            name: options.studyName, directions: options.directions,
            loadIfExists: options.loadIfExists, logger: session.studyLog.logger)
        try followDirections(of: study)
        let keeper = try BestModelKeeper(
            study, folder: owner.args.value.outputDir + "/best", isKept: options.keepBestModel)

        let bar = session.progress.bar("Trials", total: options.nTrials, unit: "trial")
        defer { bar.finish() }
        try session.lendingScript(jobs: options.jobs) {
            try study.optimize(
                rules(bar, keeper), jobs: options.jobs, prepare: { try self.prepare($0) },
                objective: { trial, prepared in
                    let values = try self.objective(trial, prepared, keeper)
                    // A number alone is logged as one when it can't be used.
                    return self.options.isMultiObjective
                        ? ObjectiveResult(values)
                        : values.first.map { ObjectiveResult($0) } ?? .none
                })
        }

        let best = try options.isMultiObjective ? study.bestTrials() : [study.bestTrial()]
        let runs = try best.map { trial in
            BestRun(
                trial: trial, isMultiObjective: options.isMultiObjective,
                kept: try keeper.model(of: trial.number), isKept: options.keepBestModel)
        }
        if !options.isMultiObjective, let kept = runs.first?.kept {
            owner.setModel(.kept(kept), state: keeper.state(of: best[0].number))
        }
        return runs
    }

    /// A study that exists keeps its directions, whatever it is opened with. One that contradicts
    /// them is refused, as the wrong trials would be called the best.
    private func followDirections(of study: Study) throws {
        if study.directions == options.directions { return }
        if options.isDirectionGiven {
            throw LuaError.message(
                "hyperparameter_search: direction: the study '\(study.name)' has"
                    + " \(shown(study.directions)), got \(shown(options.directions)); leave direction"
                    + " out to go on with the study, or use another study_name")
        }
        options.directions = study.directions
        options.isMultiObjective = study.directions.count > 1
        if options.isMultiObjective, options.objectiveFrom == .best {
            throw LuaError.message(
                "hyperparameter_search: objective_from: \"best\" needs a single direction, and the"
                    + " study '\(study.name)' has \(shown(study.directions)); use \"last\"")
        }
    }

    private func shown(_ directions: [StudyDirection]) -> String {
        let words = directions.map { "\"\($0.word)\"" }.joined(separator: ", ")
        return directions.count == 1 ? words : "{ \(words) }"
    }

    private func rules(_ bar: Progress.Bar, _ keeper: BestModelKeeper) -> OptimizeOptions {
        var rules = OptimizeOptions(nTrials: options.nTrials, timeout: options.timeout)
        rules.catches = { [options] in options.catchesErrors && !LuaError.isInterrupt($0) }
        rules.isCancelled = { [session] in session.cancellation.isCancelled }
        rules.describeFailure = trialFailure
        rules.callbacks = [
            { study, trial in
                // Now the study has the result.
                if trial.state == .complete { try keeper.settle(trial) }
                keeper.forget(trial.number)
                let best = study.directions.count == 1 ? try? study.bestValue() : nil
                bar.advance(note: best.map { "best \(pythonRepr($0))" })
            }
        ]
        return rules
    }

    /// A trial that is ready to train. Unchecked: it goes from the thread that made it nowhere else.
    private struct PreparedTrial: @unchecked Sendable {
        let model: SentenceTransformer
        let trainer: SentenceTransformerTrainer
        let turn: ProcessorShares.Turn
    }

    /// Everything is made anew: arguments are a copy of the trainer's with this trial's parameters,
    /// so that its seed counts from the first random number on and nothing is left over from the
    /// trial before.
    private func prepare(_ trial: Trial) throws -> PreparedTrial {
        try inTrial(trial) {
            // Models of earlier trials that Lua has not let go of yet, and the gaps that they leave
            // between what stays: without it a search grows by a megabyte a trial.
            try session.lua.collectGarbage()
            MemoryRegion.returnFreed()
            var args = try arguments(trial)
            let name = try runName(trial)
            if let name { args = try args.setting("run_name", to: .string(name)) }
            let model = try TrainerObject.makeModel(modelInit, trial)
            let turn = try shares.begin(trial.number, model)
            let trainer = try owner.makeTrainer(
                model: model, args: args,
                runDir: "\(args.outputDir)/\(name ?? "run-\(trial.number)")",
                label: options.jobs > 1 ? "Trial \(trial.number)" : "Training")
            trainer.setTrial(
                name: name,
                parameters: JSONObject(trial.params.map { ($0.name, $0.value.jsonValue) }))
            if options.jobs > 1 {
                trainer.hooks.threads = { [shares] in shares.threads }
            }
            return PreparedTrial(model: model, trainer: trainer, turn: turn)
        }
    }

    /// Trains and judges one trial.
    private func objective(
        _ trial: Trial, _ prepared: PreparedTrial, _ keeper: BestModelKeeper
    ) throws -> [Double] {
        let (model, trainer) = (prepared.model, prepared.trainer)
        var isComplete = false
        defer {
            prepared.turn.end()
            if !isComplete { keeper.forget(trial.number) }
        }
        var objectives: [Double]?
        trainer.hooks.evaluation = { [weak trainer] metrics, step in
            let values = try self.inTrial(trial) { try self.objectiveValues(metrics) }
            if !(objectives.map { self.isKnownBetter($0, than: values) } ?? false) {
                objectives = values
                if self.options.objectiveFrom == .best, let trainer {
                    try keeper.offer(trial.number, values, model: model, state: trainer.state)
                }
            }
            guard !self.options.isMultiObjective, let value = values.first else { return .goOn }
            try trial.report(value, step: step)
            return try trial.shouldPrune() ? .stop : .goOn
        }
        // Callbacks of the script may raise `optuna.prune()`.
        let output = try pruning(trial) { try trainer.train() }
        if output.stoppedByEvaluation {
            throw TrialPruned("Trial was pruned at step \(output.globalStep).")
        }
        let values =
            try objectives
            ?? pruning(trial) {
                let metrics = try trainer.evaluate()
                return try inTrial(trial) { try objectiveValues(metrics) }
            }
        try keeper.offer(trial.number, values, model: model, state: trainer.state)
        isComplete = true
        return values
    }

    /// A call into the script on behalf of a trial, which may give the trial up.
    private func inTrial<R>(_ trial: Trial, _ body: () throws -> R) throws -> R {
        try session.inScript { try pruning(trial, body) }
    }

    /// `optuna.prune()` in a callback of the script comes out as ``TrialPruned``; any other error
    /// says which trial it ended.
    private func pruning<R>(_ trial: Trial, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            throw try session.lua.borrow { pruningSignal(in: error) }
                ?? CallbackError.wrapping(error, callback: nil, trial: trial.number)
        }
    }

    /// With objective_from = "best" a later, worse evaluation changes nothing.
    private func isKnownBetter(_ known: [Double], than values: [Double]) -> Bool {
        guard options.objectiveFrom == .best, let old = known.first, let new = values.first else {
            return false
        }
        if old.isNaN || new.isNaN { return new.isNaN }
        return options.directions.first == .maximize ? old >= new : old <= new
    }

    // MARK: - Calls into the script

    private func arguments(_ trial: Trial) throws -> SentenceTransformerTrainingArguments {
        let suggestions = try hyperparameters(trial)
        do {
            return try owner.args.value.applying(suggestions)
        } catch TrainingError.argument(_, let name, let problem, let hint) {
            throw TrainingError.argument(
                owner: "hp_space", name: name, problem: problem, hint: hint)
        }
    }

    private func hyperparameters(_ trial: Trial) throws -> JSONObject {
        guard let hpSpace = options.hpSpace else { return try defaultSpace(trial) }
        let returned: LuaValue = try inCallback("hp_space") { try hpSpace.call(trial) }
        guard returned.table != nil else {
            throw LuaError.message(
                "hp_space: expected the function to return a table of arguments, got"
                    + " \(returned.typeName)")
        }
        do {
            guard case .object(let values) = try JSONValue(returned) else {
                if try JSONValue(returned) == .array([]) { return [:] }
                throw LuaError.message(
                    "hp_space: expected the function to return a table with argument names, got a"
                        + " sequence")
            }
            return values
        } catch let error as LuaError {
            throw error.within("hp_space")
        }
    }

    /// transformers' default space for Optuna.
    private func defaultSpace(_ trial: Trial) throws -> JSONObject {
        [
            "learning_rate": .double(
                try trial.suggestFloat("learning_rate", low: 1e-6, high: 1e-4, log: true)),
            "num_train_epochs": .int(
                Int64(try trial.suggestInt("num_train_epochs", low: 1, high: 5))),
            "seed": .int(Int64(try trial.suggestInt("seed", low: 1, high: 40))),
            "per_device_train_batch_size": try trial.suggestCategorical(
                "per_device_train_batch_size", choices: [4, 8, 16, 32, 64]
            ).jsonValue,
        ]
    }

    /// What hp_name says; it names the folder of the trial's checkpoints.
    private func runName(_ trial: Trial) throws -> String? {
        guard let hpName = options.hpName else { return nil }
        let returned: LuaValue = try inCallback("hp_name") { try hpName.call(trial) }
        guard let name = returned.string else {
            throw LuaError.message(
                "hp_name: expected the function to return a string, got \(returned.typeName)")
        }
        guard !name.isEmpty, !name.contains("/"), name != ".", name != ".." else {
            throw LuaError.message(
                "hp_name: '\(name)' can't name a folder; return a name without '/'")
        }
        return name
    }

    private func objectiveValues(_ metrics: Metrics) throws -> [Double] {
        guard let function = options.computeObjective else {
            return [Self.defaultObjective(metrics)]
        }
        let asked = try AskedMetrics(metrics, session.lua)
        let returned: LuaValue = try inCallback("compute_objective") {
            try asked.naming { try function.call(asked.table) }
        }
        if options.isMultiObjective {
            guard let table = returned.table, let values = try? [Double](table) else {
                throw complaint(
                    "a sequence of \(options.directions.count) numbers", returned, asked)
            }
            guard values.count == options.directions.count else {
                throw LuaError.message(
                    "compute_objective: expected \(options.directions.count) numbers, one for each"
                        + " direction, got \(values.count)")
            }
            return values
        }
        guard let value = returned.number else {
            throw complaint("a number", returned, asked)
        }
        return [value]
    }

    private func complaint(
        _ expected: String, _ returned: LuaValue, _ metrics: AskedMetrics
    ) -> LuaError {
        .message(
            "compute_objective: expected the function to return \(expected), got"
                + " \(returned.typeName); \(metrics.hint)")
    }

    /// transformers' default: the sum of all metrics that are no loss, time or rate; the loss when
    /// nothing else is left.
    static func defaultObjective(_ metrics: Metrics) -> Double {
        let counted = metrics.entries.filter { key, _ in
            key != "eval_loss" && key != "epoch" && !key.hasSuffix("_runtime")
                && !key.hasSuffix("_per_second")
        }
        if counted.isEmpty { return metrics["eval_loss"] ?? .nan }
        return counted.reduce(0) { $0 + $1.value }
    }
}

extension [Double] {
    fileprivate init(_ table: LuaTable) throws {
        let count = try table.count
        self = try (0..<count).map { try table.get($0 + 1, as: Double.self) }
    }
}
