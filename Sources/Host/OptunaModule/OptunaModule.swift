// `require "optuna"`: what the module holds. One file per part beside this one; the engine is in
// Tuning.

package import LuaBridge
import Logging
import Tuning

extension HostModule {
    static let optuna = HostModule("optuna") { session in try OptunaModule.make(session) }
}

package enum OptunaModule {
    package static func make(_ session: HostSession) throws -> LuaModule {
        let lua = session.lua
        try lua.register(trialClass())
        let log = session.studyLog
        try lua.register(frozenTrialClass(log))
        try lua.register(distributionClass())
        try lua.register(crossoverClass())
        try lua.register(mutationClass())
        try lua.register(importanceEvaluatorClass())
        try lua.register(studyClass(session))
        try lua.register(studySummaryClass())
        let study = LuaModule("optuna.study")
        let trial = LuaModule("optuna.trial")
        let module = LuaModule("optuna", doc: "Hyperparameter search as in Optuna 5.0.")
        for holder in [module, study] { addStudyFunctions(to: holder, log) }
        for holder in [module, trial] { addTrialFunctions(to: holder) }
        trial.submodule("TrialState", trialStates()).class(fixedTrialClass(log))
        study.submodule("StudyDirection", studyDirections()).class(maxTrialsClass())
        let exceptions = LuaModule("optuna.exceptions").class(trialPrunedClass())
        module
            .class(trialPrunedClass())
            .function(
                "prune", [.optional("message", .string, "")],
                doc: "Gives the running trial up: it becomes PRUNED."
            ) { args -> LuaValue in
                throw TrialPruned(try args["message"])
            }
            .submodule("study", study)
            .submodule("trial", trial)
            .submodule("samplers", samplersModule(log))
            .submodule("pruners", prunersModule())
            .submodule("storages", storagesModule())
            .submodule(
                "distributions", distributionsModule { text in log.logger.warning("\(text)") }
            )
            .submodule("logging", loggingModule(log))
            .submodule("exceptions", exceptions)
            .submodule("importance", importanceModule())
        return module
    }
}

// MARK: - Studies

private func addStudyFunctions(to module: LuaModule, _ log: OptunaLog) {
    let storage = LuaParameter.keyword(
        "storage", storageType, .nil, "optuna.storages.InMemoryStorage(); nil for a new one.")
    let required = LuaParameter.required("storage", storageType)
    let sampler = LuaParameter.keyword(
        "sampler", .object("Sampler"), .computed("TPESampler{}"), "Suggests values.")
    let pruner = LuaParameter.keyword(
        "pruner", .object("Pruner"), .computed("MedianPruner{}"), "Gives trials up.")
    module
        .function(
            "create_study",
            [
                storage, sampler, pruner,
                .keyword("study_name", .string, .computed("no-name-UUID")),
                .keyword("direction", .any, .computed("\"minimize\""), "One objective's."),
                .keyword("load_if_exists", .boolean, false, "Go on with the study of that name."),
                .keyword("directions", .sequence(.string), .nil, "Several objectives'."),
            ], doc: "A new study."
        ) { args -> Study in
            try Study.create(
                storage: try args.storage() ?? args.session?.memoryStorage(),
                sampler: args.sampler(), pruner: args.object("pruner"), name: args["study_name"],
                directions: try directionsArgument(args), loadIfExists: args["load_if_exists"],
                logger: log.logger)
        }
        .function(
            "load_study",
            [
                .keyword("study_name", .string, .nil, "May be nil if the storage has one study."),
                .keyword("storage", storageType, .required), sampler, pruner,
            ], doc: "A study that exists."
        ) { args -> Study in
            try Study.load(
                name: args["study_name"], storage: try args.requiredStorage(),
                sampler: args.sampler(), pruner: args.object("pruner"), logger: log.logger)
        }
        .function(
            "delete_study",
            [
                .keyword("study_name", .string, .required),
                .keyword("storage", storageType, .required),
            ], doc: "Removes a study with its trials."
        ) { args in
            try Study.delete(name: args["study_name"], storage: try args.requiredStorage())
        }
        .function(
            "copy_study",
            [
                .keyword("from_study_name", .string, .required),
                .keyword("from_storage", storageType, .required),
                .keyword("to_storage", storageType, .required),
                .keyword("to_study_name", .string, .nil, "The old one if nil."),
            ], doc: "Copies a study with attributes and trials."
        ) { args in
            try Study.copy(
                name: args["from_study_name"], from: try args.requiredStorage("from_storage"),
                to: try args.requiredStorage("to_storage"), newName: args["to_study_name"],
                logger: log.logger)
        }
        .function("get_all_study_names", [required], doc: "In the order of creation.") {
            args -> [String] in
            try Study.allNames(in: try args.requiredStorage())
        }
        .function(
            "get_all_study_summaries",
            [required, .optional("include_best_trial", .boolean, true)],
            doc: "One StudySummary for each study."
        ) { args -> [StudySummaryObject] in
            try Study.allSummaries(
                in: try args.requiredStorage(), includeBestTrial: args["include_best_trial"]
            ).map(StudySummaryObject.init)
        }
}

extension LuaArguments {
    fileprivate func sampler() throws -> (any Sampler)? {
        try object("sampler") ?? session?.defaultSampler()
    }
}

/// `direction` or `directions`, as Optuna reads them.
private func directionsArgument(_ args: LuaArguments) throws -> [StudyDirection] {
    let direction: LuaValue = try args["direction"]
    let list: [String]? = try args["directions"]
    switch (direction, list) {
    case (.nil, nil): return [.minimize]
    case (.nil, let words?): return try Study.directions(words: words)
    case (_, .some): throw TuningError.bothDirections
    case (.table, nil): throw TuningError.directionIsList
    case (let value, nil):
        guard let word = value.string else {
            throw LuaError.mismatch(
                path: "direction", expected: "string", got: value.typeName)
        }
        return try Study.directions(words: [word])
    }
}

// MARK: - Trials

private func addTrialFunctions(to module: LuaModule) {
    module.function(
        "create_trial",
        [
            .keyword("state", .oneOf(TrialState.allCases.map(\.name)), "COMPLETE"),
            .keyword("value", .number), .keyword("values", .sequence(.number)),
            .keyword("params", .map(.any)), .keyword("distributions", .map(.any)),
            .keyword("user_attrs", .map(.any)), .keyword("system_attrs", .map(.any)),
            .keyword("intermediate_values", .table), .keyword("constraints", .map(.number)),
        ], doc: "A record for study:add_trial: a result that was found elsewhere."
    ) { args -> FrozenTrialObject in
        let value: Double? = try args["value"]
        let values: [Double]? = try args["values"]
        if value != nil && values != nil {
            throw LuaError.message("create_trial: Specify only one of `value` and `values`.")
        }
        var reports = IntermediateValues()
        if let table: LuaTable = try args["intermediate_values"] {
            for (key, value) in try table.pairs() {
                guard let step = key.integer, let number = value.number else {
                    throw args.invalid("intermediate_values", "must map steps to numbers")
                }
                reports[step] = number
            }
        }
        let constraints: [String: Double] = try args["constraints"] ?? [:]
        return FrozenTrialObject(
            try FrozenTrial.create(
                state: try trialState(args["state"], "state"),
                values: value.map { [$0] } ?? values, params: args.parameters("params"),
                distributions: args.distributions("distributions"),
                userAttrs: args.attributes("user_attrs"),
                systemAttrs: args.attributes("system_attrs"), intermediateValues: reports,
                constraints: NamedValues(constraints.map { ($0.key, $0.value) }).sortedByName()))
    }
}

/// `TrialState.COMPLETE == "COMPLETE"`
private func trialStates() -> LuaModule {
    let module = LuaModule("optuna.trial.TrialState")
    for state in TrialState.allCases { module.constant(state.name, state.name) }
    return module
}

/// `StudyDirection.MINIMIZE == "minimize"`
private func studyDirections() -> LuaModule {
    LuaModule("optuna.study.StudyDirection")
        .constant("MINIMIZE", StudyDirection.minimize.word)
        .constant("MAXIMIZE", StudyDirection.maximize.word)
}

// MARK: - Logging and the rest

private func loggingModule(_ log: OptunaLog) -> LuaModule {
    let module = LuaModule("optuna.logging")
    for (name, level) in [
        ("DEBUG", 10), ("INFO", 20), ("WARN", 30), ("WARNING", 30), ("ERROR", 40),
        ("CRITICAL", 50), ("FATAL", 50),
    ] { module.constant(name, level) }
    return
        module
        .function(
            "set_verbosity", [.required("verbosity", .integer)],
            doc: "Log lines below this level are dropped."
        ) { args in
            log.verbosity = OptunaLog.Verbosity(atLeast: try args["verbosity"])
        }
        .function("get_verbosity") { _ -> Int in log.verbosity.rawValue }
        .function("disable_default_handler", doc: "No log lines at all.") { _ in
            log.isEnabled = false
        }
        .function("enable_default_handler") { _ in log.isEnabled = true }
}
