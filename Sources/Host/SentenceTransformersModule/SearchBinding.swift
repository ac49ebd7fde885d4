// `trainer:hyperparameter_search`: decodes the arguments of Python's method and of its Optuna
// backend into SearchOptions.

import LuaBridge
import Training
import Tuning

func addSearch(to declaration: LuaClass<TrainerObject>) {
    declaration.method(
        "hyperparameter_search", searchParameters,
        doc: "Trains with different hyperparameters and returns the best run, or with several"
            + " directions the sequence of runs that no other one beats."
    ) { object, args in
        guard let modelInit = object.modelInit else {
            throw LuaError.message(
                "hyperparameter_search: needs a trainer with model_init, so that every trial"
                    + " begins with a new model")
        }
        let options = try searchOptions(args)
        let search = HyperparameterSearch(owner: object, modelInit: modelInit, options: options)
        let runs = try interruptible(object) {
            do {
                return try search.run()
            } catch TuningError.interrupted {
                throw LuaError.interrupted
            }
        }
        return search.options.isMultiObjective
            ? LuaResults(runs) : runs.first.map { LuaResults($0) } ?? LuaResults(LuaValue.nil)
    }
}

private let searchParameters: [LuaParameter] = [
    .optional(
        "hp_space", .function, .computed("transformers' default space"),
        "Gets the trial, returns a table of argument names and values."),
    .optional(
        "compute_objective", .function, .computed("transformers' default objective"),
        "Gets the metrics, returns the number to optimise."),
    .optional("n_trials", .integer, 20, range: .atLeast(1)),
    .optional(
        "direction", .union([.string, .sequence(.string)]), "minimize",
        "\"minimize\" or \"maximize\"; a sequence for several objectives."),
    .optional("backend", .string, "optuna"),
    .optional(
        "hp_name", .function, .nil, "Gets the trial, returns the name of its run and folder."),
    .keyword("study_name", .string),
    .keyword("storage", .any, .computed("in memory"), "Where the study is kept."),
    .keyword("load_if_exists", .boolean, false),
    .keyword("sampler", .any, .computed("TPESampler"), "A sampler of optuna.samplers."),
    .keyword("pruner", .any, .computed("MedianPruner"), "A pruner of optuna.pruners."),
    .keyword("timeout", .number, .nil, range: .atLeast(0), "Seconds until no new trial begins."),
    .keyword(
        "n_jobs", .integer, 1, "Trials that train side by side; -1 for one a processor."),
    .keyword("gc_after_trial", .boolean, false, "No effect: memory is freed at once."),
    .keyword("catch", .boolean, false, "Whether the search goes on after a trial with an error."),
    .keyword(
        "keep_best_model", .boolean, true, "Whether the best model is kept in output_dir/best."),
    .keyword(
        "objective_from", .oneOf(SearchOptions.ObjectiveFrom.allCases.map(\.rawValue)), "last",
        "Which evaluation of a trial counts."),
]

private func searchOptions(_ args: LuaArguments) throws -> SearchOptions {
    try checkBackend(args)
    var options = SearchOptions()
    options.jobs = try jobCount(args)
    options.hpSpace = try args["hp_space"]
    options.computeObjective = try args["compute_objective"]
    options.hpName = try args["hp_name"]
    options.nTrials = try args["n_trials"]
    options.timeout = try args["timeout"]
    options.catchesErrors = try args["catch"]
    options.studyName = try args["study_name"]
    options.loadIfExists = try args["load_if_exists"]
    options.storage = try args.storage() ?? args.session?.memoryStorage()
    options.sampler =
        try part(args, "sampler", of: "optuna.samplers") ?? args.session?.defaultSampler()
    options.pruner = try part(args, "pruner", of: "optuna.pruners")
    options.keepBestModel = try args["keep_best_model"]
    options.objectiveFrom = try choice(args, "objective_from") ?? .last
    let direction: LuaValue = try args["direction"]
    options.isDirectionGiven = args.isGiven("direction")
    options.isMultiObjective = direction.table != nil
    let words: [String] =
        options.isMultiObjective ? try args["direction"] : [direction.string ?? "minimize"]
    options.directions = try words.map { word in
        guard let direction = StudyDirection(word: word) else {
            throw args.invalid(
                "direction", "expected \"minimize\" or \"maximize\", got \"\(word)\"")
        }
        return direction
    }
    guard !options.directions.isEmpty else {
        throw args.invalid("direction", "the sequence holds no direction")
    }
    if options.isMultiObjective, options.objectiveFrom == .best {
        throw args.invalid(
            "objective_from", "\"best\" needs a single direction; use \"last\"")
    }
    return options
}

private func checkBackend(_ args: LuaArguments) throws {
    let backend: String = try args["backend"]
    guard backend != "optuna" else { return }
    let known = ["ray", "wandb", "sigopt"]
    throw args.invalid(
        "backend",
        known.contains(backend)
            ? "'\(backend)' is not available; use \"optuna\", which is built in"
            : "unknown backend '\(backend)'; use \"optuna\"")
}

private func part<P>(_ args: LuaArguments, _ name: String, of module: String) throws -> P? {
    let value: LuaValue = try args[name]
    if value.isNil { return nil }
    guard let part = value.object(as: P.self) else {
        throw LuaError.mismatch(
            path: name, expected: "\(name) of \(module)", got: value.typeName)
    }
    return part
}
