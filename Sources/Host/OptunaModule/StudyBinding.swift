// The Lua class Study: its trials, its best ones, and the loop.

public import LuaBridge
import OrderedJSON
public import Tuning

extension Study: LuaObject {}

func studyClass(_ session: HostSession) -> LuaClass<Study> {
    let study = LuaClass<Study>("Study", doc: "A search: objectives and the trials made so far.")
    addFields(to: study)
    addLoop(to: study, session)
    addQueue(to: study)
    study.tostring { study in
        let directions = study.directions.map { pythonRepr($0.word) }.joined(separator: ", ")
        return "Study(study_name=\(pythonRepr(study.name)), directions=[\(directions)])"
    }
    return study
}

private func addFields(to study: LuaClass<Study>) {
    study
        .property("study_name", .string, get: { $0.name })
        .property("direction", .string, get: { try $0.direction().word })
        .property("directions", .sequence(.string), get: { $0.directions.map(\.word) })
        .property(
            "sampler", .object("Sampler"), doc: "Another one takes over with the next trial.",
            get: { StudyPart(part: $0.sampler) },
            set: { (study, new: StudyPart<any Sampler>) in study.sampler = new.part }
        )
        .property(
            "pruner", .object("Pruner"), doc: "Another one takes over with the next decision.",
            get: { StudyPart(part: $0.pruner) },
            set: { (study, new: StudyPart<any Pruner>) in study.pruner = new.part }
        )
        .property(
            "best_trial", .object("FrozenTrial"), get: { FrozenTrialObject(try $0.bestTrial()) }
        )
        .property("best_value", .number, get: { try $0.bestValue() })
        .property(
            "best_params", .table, get: { NamedValuesTable(values: try $0.bestParams()) }
        )
        .property(
            "best_trials", .sequence(.object("FrozenTrial")),
            doc: "The trials that no other one dominates.",
            get: { try $0.bestTrials().map(FrozenTrialObject.init) }
        )
        .property(
            "trials", .sequence(.object("FrozenTrial")),
            get: { try $0.trials().map(FrozenTrialObject.init) }
        )
        .property("user_attrs", .table, get: { try $0.userAttrs() })
        .property("metric_names", .sequence(.string), get: { try $0.metricNames() })
        .method(
            "get_trials",
            [.optional("deepcopy", .boolean, true), .optional("states", .sequence(.string))],
            doc: "The trials in those states, or all."
        ) { study, args -> [FrozenTrialObject] in
            try study.trials(trialStates(args) ?? .all).map(FrozenTrialObject.init)
        }
        .method(
            "set_user_attr", [.required("key", .string), attributeValue],
            doc: "Sets or replaces an attribute of the study."
        ) { study, args in
            try study.setUserAttribute(args["key"], args["value"] as JSONValue)
        }
        .method("set_metric_names", [.required("metric_names", .sequence(.string))]) {
            study, args in
            try study.setMetricNames(args["metric_names"])
        }
}

/// The state of that name; otherwise an error with the valid ones.
func trialState(_ name: String, _ argument: String) throws -> TrialState {
    if let state = TrialState(name: name) { return state }
    let valid = TrialState.allCases.map { "'\($0.name)'" }.joined(separator: ", ")
    throw LuaError.value(path: argument, problem: "expected one of \(valid), got '\(name)'")
}

/// The argument `states`, a sequence of names.
private func trialStates(_ args: LuaArguments) throws -> TrialStates? {
    guard let names: [String] = try args["states"] else { return nil }
    var states: TrialStates = []
    for name in names { states.insert(TrialStates(try trialState(name, "states"))) }
    return states
}

/// A study's sampler or pruner as scripts read and assign it.
private struct StudyPart<Kind>: LuaConvertible {
    let part: Kind

    private static var name: String { Kind.self == (any Sampler).self ? "Sampler" : "Pruner" }

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> StudyPart {
        let value = try LuaValue.fromLua(stack, at: index)
        guard let part = value.object(as: Kind.self) else {
            throw LuaError.mismatch(path: "", expected: name, got: value.typeName)
        }
        return StudyPart(part: part)
    }

    func push(onto stack: LuaStack) throws {
        guard let object = part as? any LuaObject else {
            throw LuaError.message("the study's \(Self.name) is none that scripts can hold")
        }
        try object.push(onto: stack)
    }
}

// MARK: - Queue

private func addQueue(to study: LuaClass<Study>) {
    study
        .method(
            "enqueue_trial",
            [
                .required("params", .map(.any), "Values by name; the rest is sampled."),
                .optional("user_attrs", .map(.any)),
                .optional("skip_if_exists", .boolean, false),
            ], doc: "Queues a point; the next trial takes it."
        ) { study, args in
            try study.enqueueTrial(
                args.parameters("params"), userAttrs: args.attributes("user_attrs"),
                skipIfExists: args["skip_if_exists"])
        }
        .method("add_trial", [.required("trial", .object("FrozenTrial"))]) { study, args in
            let object: FrozenTrialObject = try args["trial"]
            try study.addTrial(object.trial)
        }
        .method("add_trials", [.required("trials", .sequence(.object("FrozenTrial")))]) {
            study, args in
            let objects: [FrozenTrialObject] = try args["trials"]
            for object in objects { try study.addTrial(object.trial) }
        }
        .method(
            "ask",
            [
                LuaParameter(
                    "fixed_distributions", .map(.any), default: .nil, kind: .positionalOnly,
                    doc: "Ranges by name; these parameters are suggested right away.")
            ],
            doc: "A trial for a loop of the script's own; finish it with tell."
        ) { study, args -> Trial in
            try study.ask(args.distributions("fixed_distributions"))
        }
        .method(
            "tell",
            [
                .required("trial", .union([.object("Trial"), .integer])),
                .optional("values", .union([.number, .string, .boolean, .sequence(.any)])),
                .optional("state", .oneOf(TrialState.allCases.map(\.name))),
                .optional("skip_if_finished", .boolean, false),
            ], doc: "Finishes a trial that ask gave out."
        ) { study, args -> FrozenTrialObject in
            let reference: LuaValue = try args["trial"]
            let number = reference.object(as: Trial.self)?.number ?? reference.integer ?? -1
            let values: LuaValue = try args["values"]
            let name: String? = try args["state"]
            return FrozenTrialObject(
                try study.tell(
                    number, ObjectiveResult([values]),
                    state: try name.map { try trialState($0, "state") },
                    skipIfFinished: args["skip_if_finished"]))
        }
        .method("stop", doc: "Ends optimize after the current trial.") { study, _ in
            try study.stop()
        }
}

// MARK: - Loop

private func addLoop(to study: LuaClass<Study>, _ session: HostSession) {
    study.method(
        "optimize",
        [
            .required("func", .function, "Gets the trial, returns its value or values."),
            .optional("n_trials", .integer, .nil, range: .atLeast(0)),
            .optional("timeout", .number, .nil, range: .atLeast(0), "Seconds."),
            .optional(
                "n_jobs", .integer, 1,
                "Trials at the same time, -1 for one a processor; the script's code of only one of"
                    + " them runs."),
            .optional("catch", .boolean, false, "Go on after an error of the objective."),
            .optional("callbacks", .sequence(.function), .nil, "Get study and trial."),
            .optional("gc_after_trial", .boolean, false, "Collect garbage after each trial."),
            .optional("show_progress_bar", .boolean, false),
        ], doc: "Runs trials until there are enough, the time is up or stop is called."
    ) { [unowned session] study, args in
        let objective: LuaFunction = try args["func"]
        let jobs = try jobCount(args)
        let options = try optimizeOptions(args, session)
        let bar =
            try args["show_progress_bar"] as Bool
            ? session.progress.bar("Trials", total: options.nTrials) : nil
        defer { bar?.finish() }
        var barred = options
        if let bar {
            barred.callbacks.append { study, _ in bar.advance(note: bestNote(study)) }
        }
        try session.lendingScript(jobs: jobs) {
            try study.optimize(barred, jobs: jobs) { trial in
                try objective.reference.state.borrow { try callObjective(objective, trial) }
            }
        }
    }
}

/// `n_jobs`, with -1 replaced by the number of processors.
func jobCount(_ args: LuaArguments) throws -> Int {
    let jobs: Int = try args["n_jobs"]
    do {
        let count = try Study.jobCount(jobs)
        // Which trial ends first is a matter of clocks.
        return args.session?.fixesClocks == true ? 1 : count
    } catch TuningError.argument(_, let name, let problem) {
        throw args.invalid(name, problem)
    }
}

/// "Best trial: 3. Best value: 0.25", as Python's progress bar says.
private func bestNote(_ study: Study) -> String? {
    guard let best = try? study.bestTrial(), let value = best.values?.first else { return nil }
    return "Best trial: \(best.number). Best value: \(pythonRepr(ParameterValue.double(value)))"
}

private func optimizeOptions(
    _ args: LuaArguments, _ session: HostSession
) throws -> OptimizeOptions {
    var options = OptimizeOptions(nTrials: try args["n_trials"], timeout: try args["timeout"])
    let catches: Bool = try args["catch"]
    options.catches = { _ in catches }
    options.isCancelled = { session.isInterrupted }
    options.describeFailure = trialFailure
    for callback in try args["callbacks"] as [LuaFunction]? ?? [] {
        options.callbacks.append { study, trial in
            try session.lua.borrow { _ = try callback.call(study, FrozenTrialObject(trial)) }
        }
    }
    if try args["gc_after_trial"] {
        let lua = session.lua
        options.callbacks.append { _, _ in try lua.borrow { try lua.collectGarbage() } }
    }
    return options
}

/// Calls a script's objective; its pruning signal comes out as ``TrialPruned``.
func callObjective(_ objective: LuaFunction, _ trial: Trial) throws -> ObjectiveResult {
    do {
        return ObjectiveResult(try objective.callAll([trial]))
    } catch {
        throw pruningSignal(in: error) ?? error
    }
}

/// What the log and the trial's record say about an error: one line with its place, and Lua's
/// traceback.
func trialFailure(_ error: any Error) -> TrialFailure {
    let traceback = LuaError.traceback(of: error)
    return TrialFailure(
        HostError.describe(error), traceback: traceback.isEmpty ? nil : traceback)
}

/// `optuna.study.MaxTrialsCallback(10)`, for the callbacks of `optimize`.
final class MaxTrialsObject: LuaObject, Sendable {
    let callback: MaxTrialsCallback

    init(_ callback: MaxTrialsCallback) { self.callback = callback }
}

func maxTrialsClass() -> LuaClass<MaxTrialsObject> {
    LuaClass<MaxTrialsObject>(
        "MaxTrialsCallback",
        doc:
            "A callback that ends optimize when the study, over all its workers, has enough trials."
    )
    .constructor([
        .required("n_trials", .integer),
        .optional(
            "states", .sequence(.string), .computed("{ \"COMPLETE\" }"), "Which trials count."),
    ]) { args in
        MaxTrialsObject(
            MaxTrialsCallback(try args["n_trials"], states: try trialStates(args) ?? .complete))
    }
    .call([.required("study", .object("Study")), .required("trial", .object("FrozenTrial"))]) {
        object, args -> LuaValue in
        let trial: FrozenTrialObject = try args["trial"]
        try object.callback(args["study"], trial.trial)
        return .nil
    }
    .tostring { "MaxTrialsCallback(n_trials=\($0.callback.nTrials))" }
}

// MARK: - Pruning

/// `optuna.TrialPruned(message)`, for `error(...)`.
final class TrialPrunedObject: LuaObject, Sendable {
    let signal: TrialPruned

    init(_ signal: TrialPruned) { self.signal = signal }
}

func trialPrunedClass() -> LuaClass<TrialPrunedObject> {
    LuaClass<TrialPrunedObject>(
        "TrialPruned", doc: "error(optuna.TrialPruned()) gives the trial up, as optuna.prune()."
    )
    .constructor([.optional("message", .string, "")]) { args in
        TrialPrunedObject(TrialPruned(try args["message"]))
    }
    .tostring { $0.signal.description }
}

/// The signal of ``TrialPruned`` that a script raised, by `optuna.prune` or by `error`.
func pruningSignal(in error: any Error) -> TrialPruned? {
    if let signal = LuaError.firstCause(of: error) as? TrialPruned { return signal }
    guard case .runtime(let info)? = error as? LuaError else { return nil }
    return info.value.object(as: TrialPrunedObject.self)?.signal
}
