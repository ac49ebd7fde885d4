// Callbacks of a trainer: tables with functions named after the events of Python's TrainerCallback,
// and EarlyStoppingCallback.
//
//     local stopper = {}
//     function stopper:on_evaluate(args, state, control, kwargs)
//         if kwargs.metrics.eval_loss < 0.1 then control.should_training_stop = true end
//     end

import LuaBridge
import OrderedJSON
import Training

/// The settings of an early stop; every training gets a callback of its own, with nothing left over
/// from the one before.
final class EarlyStoppingObject: LuaObject {
    let patience: Int
    let threshold: Double

    init(patience: Int, threshold: Double) throws {
        _ = try EarlyStoppingCallback(patience: patience, threshold: threshold)
        self.patience = patience
        self.threshold = threshold
    }
}

func earlyStoppingClass() -> LuaClass<EarlyStoppingObject> {
    LuaClass<EarlyStoppingObject>(
        "EarlyStoppingCallback", doc: "Stops when metric_for_best_model no longer improves."
    )
    .constructor([
        .optional(
            "early_stopping_patience", .integer, 1, range: .atLeast(1),
            "Evaluations without improvement before stopping."),
        .optional(
            "early_stopping_threshold", .number, 0.0,
            "How much better than the best one a value must be to count."),
    ]) { args in
        try EarlyStoppingObject(
            patience: args["early_stopping_patience"], threshold: args["early_stopping_threshold"])
    }
    .tostring {
        "EarlyStoppingCallback(early_stopping_patience=\($0.patience),"
            + " early_stopping_threshold=\($0.threshold))"
    }
}

/// Checks a callback when the trainer is made, so that a slip is found before any training.
func checkCallback(_ value: LuaValue, path: String) throws {
    if value.object(as: EarlyStoppingObject.self) != nil { return }
    guard let table = value.table else {
        throw LuaError.mismatch(
            path: path, expected: "EarlyStoppingCallback or table of functions",
            got: value.typeName)
    }
    // The last two are Python's as well; nothing here causes them.
    let events = TrainerEvent.allCases.map(\.rawValue) + ["on_predict", "on_push_begin"]
    for (key, _) in try table.pairs() {
        guard let name = key.string, name.hasPrefix("on_") else { continue }
        guard events.contains(name) else {
            throw LuaError.unknown(kind: "event", name: name, owner: path, valid: events)
        }
    }
}

/// A new callback from what the script gave.
func callback(from value: LuaValue, _ session: HostSession) throws -> any TrainerCallback {
    if let object = value.object(as: EarlyStoppingObject.self) {
        return try EarlyStoppingCallback(patience: object.patience, threshold: object.threshold)
    }
    guard let table = value.table else { throw LuaError.internalError("a callback is no table") }
    return FunctionCallback { [unowned session] event, context, control in
        try session.inScript {
            try inCallback(event.rawValue) { try handle(event, context, &control, with: table) }
        }
    }
}

private func handle(
    _ event: TrainerEvent, _ context: TrainerCallbackContext, _ control: inout TrainerControl,
    with table: LuaTable
) throws {
    // Looked up at every event, metatables included, so that callbacks can be classes.
    let handler: LuaValue = try table.get(event.rawValue)
    guard !handler.isNil else { return }
    guard let function = handler.function else {
        throw LuaError.mismatch(
            path: event.rawValue, expected: "function", got: handler.typeName)
    }
    let flags: JSONObject = [
        "should_training_stop": .bool(control.shouldTrainingStop),
        "should_epoch_stop": .bool(control.shouldEpochStop),
        "should_save": .bool(control.shouldSave),
        "should_evaluate": .bool(control.shouldEvaluate),
        "should_log": .bool(control.shouldLog),
    ]
    let state = table.reference.state
    let controls = try state.table(hash: flags.count)
    for (name, flag) in flags { try controls.set(name, flag) }
    let details = try state.table(hash: 3)
    try details.set("model", context.model)
    if let metrics = context.metrics { try details.set("metrics", metrics.json) }
    if let logs = context.logs { try details.set("logs", logs) }
    let returned: LuaValue = try function.call(
        table, ArgumentsObject(context.args), context.state.record, controls, details)
    // Python lets a callback return the control; ours may, too, or a table with what it changes.
    guard returned.isNil || returned.table != nil else {
        throw LuaError.message(
            "\(event.rawValue): expected the function to return nothing or the control, got"
                + " \(returned.typeName)")
    }
    let changed = returned.table ?? controls
    for (key, _) in try changed.pairs() {
        guard let name = key.string, flags[name] != nil else {
            throw LuaError.unknown(
                kind: "flag", name: key.string ?? "a key of type \(key.typeName)",
                owner: "control", valid: flags.keys)
        }
    }
    func flag(_ name: String, _ value: inout Bool) throws {
        value = try changed.get(name, as: Bool?.self) ?? value
    }
    try flag("should_training_stop", &control.shouldTrainingStop)
    try flag("should_epoch_stop", &control.shouldEpochStop)
    try flag("should_save", &control.shouldSave)
    try flag("should_evaluate", &control.shouldEvaluate)
    try flag("should_log", &control.shouldLog)
}

extension TrainerState {
    /// `trainer.state` and a callback's `state`: the fields of Python's TrainerState.
    var record: RecordTable {
        RecordTable(
            name: "TrainerState", fields: scriptTable,
            others: [
                "best_metric", "best_global_step", "best_model_checkpoint", "trial_name",
                "trial_params",
            ])
    }

    private var scriptTable: JSONObject {
        var table: JSONObject = [
            "global_step": .int(Int64(globalStep)), "max_steps": .int(Int64(maxSteps)),
            "num_train_epochs": .int(Int64(numTrainEpochs)),
            "logging_steps": .int(Int64(loggingSteps)), "eval_steps": .int(Int64(evalSteps)),
            "save_steps": .int(Int64(saveSteps)),
            "train_batch_size": .int(Int64(trainBatchSize)),
            "log_history": .array(logHistory.map(JSONValue.object)),
            "is_hyper_param_search": .bool(isHyperParamSearch), "epoch": .double(epoch),
            "is_local_process_zero": true, "is_world_process_zero": true,
            "num_input_tokens_seen": 0, "total_flos": 0.0,
        ]
        if let bestMetric { table["best_metric"] = .double(bestMetric) }
        if let bestGlobalStep { table["best_global_step"] = .int(Int64(bestGlobalStep)) }
        if let bestModelCheckpoint {
            table["best_model_checkpoint"] = .string(bestModelCheckpoint)
        }
        if let trialName { table["trial_name"] = .string(trialName) }
        if let trialParams { table["trial_params"] = .object(trialParams) }
        return table
    }
}
