// The Lua classes Trial, which objectives work with, and FixedTrial, which has its values already.

public import LuaBridge
import OrderedJSON
public import Tuning

extension Trial: LuaObject {}
extension FixedTrial: LuaObject {}

func trialClass() -> LuaClass<Trial> {
    let trial = LuaClass<Trial>("Trial", doc: "A running trial: asks for parameters, reports.")
    addSuggestions(to: trial) { $0 }
    addProgress(to: trial)
    trial
        .property("number", .integer, doc: "Place in the study, from 0.", get: { $0.number })
        .property("state", .string, doc: "A TrialState.", get: { try $0.currentState().name })
        .property(
            "value", .number, doc: "nil while it runs.",
            get: { try $0.currentRecord().value() }
        )
        .property(
            "values", .sequence(.number), doc: "nil while it runs.",
            get: { try $0.currentRecord().values }
        )
        .property("params", .table, get: { NamedValuesTable(values: $0.params) })
        .property(
            "distributions", .table,
            get: { NamedValuesTable(values: $0.distributions.mapValues(DistributionObject.init)) }
        )
        .property("user_attrs", .table, get: { $0.userAttrs })
        .property("constraints", .table, get: { NamedValuesTable(values: try $0.constraints()) })
        .property(
            "relative_params", .table,
            get: { NamedValuesTable(values: try $0.relativeParams()) }
        )
        .property(
            "datetime_start", .string, doc: "Local time.", get: { localTimeText($0.datetimeStart) }
        )
        .property("study", .object("Study"), get: { $0.study })
        .tostring { "Trial(number=\($0.number), params=\(pythonRepr($0.params)))" }
    return trial
}

/// - source: what an object of the class takes the values from.
func addSuggestions<Object>(
    to trial: LuaClass<Object>, from source: @escaping (Object) -> any ParameterSource
) {
    trial
        .method(
            "suggest_float",
            [
                .required("name", .string), .required("low", .number), .required("high", .number),
                .keyword("step", .number, .nil, "Values low, low + step, ...; not with log."),
                .keyword("log", .boolean, false, "Uniform in the logarithm."),
            ], doc: "A float of [low, high]."
        ) { trial, args -> Double in
            try source(trial).suggestFloat(
                args["name"], low: args["low"], high: args["high"], step: args["step"],
                log: args["log"])
        }
        .method(
            "suggest_int",
            [
                .required("name", .string), .required("low", .integer), .required("high", .integer),
                .keyword("step", .integer, 1, "Values low, low + step, ...; not with log."),
                .keyword("log", .boolean, false, "Uniform in the logarithm."),
            ], doc: "An integer of [low, high]."
        ) { trial, args -> Int in
            try source(trial).suggestInt(
                args["name"], low: args["low"], high: args["high"], step: args["step"],
                log: args["log"])
        }
        .method(
            "suggest_categorical",
            [
                .required("name", .string),
                .required("choices", .sequence(.any), "nil, booleans, numbers and strings."),
            ], doc: "One of the choices."
        ) { trial, args -> ParameterValue in
            try source(trial).suggestCategorical(args["name"], choices: args["choices"])
        }
    addOlderSuggestions(to: trial, from: source)
}

/// The names of suggest_float before Optuna 3, which it still has.
private func addOlderSuggestions<Object>(
    to trial: LuaClass<Object>, from source: @escaping (Object) -> any ParameterSource
) {
    let range: [LuaParameter] = [
        .required("name", .string), .required("low", .number), .required("high", .number),
    ]
    for (name, log) in [("suggest_uniform", false), ("suggest_loguniform", true)] {
        trial.method(name, range, doc: "suggest_float\(log ? " with log" : ""), by its old name.") {
            trial, args -> Double in
            try source(trial).suggestFloat(
                args["name"], low: args["low"], high: args["high"], step: nil, log: log)
        }
    }
    trial.method(
        "suggest_discrete_uniform", range + [.required("q", .number)],
        doc: "suggest_float with step = q, by its old name."
    ) { trial, args -> Double in
        try source(trial).suggestFloat(
            args["name"], low: args["low"], high: args["high"], step: args["q"], log: false)
    }
}

private func addProgress(to trial: LuaClass<Trial>) {
    trial
        .method(
            "report",
            [
                .required("value", .number),
                .required("step", .integer, "0 or more; the same unit in all trials."),
            ], doc: "Notes an intermediate value, for the pruner."
        ) { trial, args in
            try trial.report(args["value"], step: args["step"])
        }
        .method(
            "should_prune", doc: "Whether the pruner gives this trial up: then optuna.prune()."
        ) { trial, _ -> Bool in
            try trial.shouldPrune()
        }
        .method(
            "set_user_attr", [.required("key", .string), attributeValue],
            doc: "Sets or replaces an attribute of the trial."
        ) { trial, args in
            try trial.setUserAttribute(args["key"], args["value"] as JSONValue)
        }
        .method(
            "set_constraint", [.required("key", .string), .required("value", .number)],
            doc: "Notes how far a constraint is violated; above 0 is violated."
        ) { trial, args in
            try trial.setConstraint(args["key"], args["value"])
        }
}

/// `optuna.trial.FixedTrial`
func fixedTrialClass(_ log: OptunaLog) -> LuaClass<FixedTrial> {
    let trial = LuaClass<FixedTrial>(
        "FixedTrial", doc: "Suggests given values, outside of any study.")
    addSuggestions(to: trial) { $0 }
    trial
        .constructor([
            .required("params", .map(.any), "Values by parameter name."),
            .optional("number", .integer, 0),
        ]) { args in
            FixedTrial(
                try args.parameters("params"), number: try args["number"], logger: log.logger)
        }
        .method("report", [.required("value", .number), .required("step", .integer)]) { _, _ in }
        .method("should_prune", doc: "false") { _, _ -> Bool in false }
        .method("set_user_attr", [.required("key", .string), attributeValue]) { trial, args in
            trial.setUserAttribute(try args["key"], try args["value"] as JSONValue)
        }
        .method("set_constraint", [.required("key", .string), .required("value", .number)]) {
            trial, args in
            try trial.setConstraint(args["key"], args["value"])
        }
        .property("number", .integer, get: { $0.number })
        .property(
            "params", .table, doc: "What was asked for so far.",
            get: { NamedValuesTable(values: $0.params) }
        )
        .property(
            "distributions", .table,
            get: { NamedValuesTable(values: $0.distributions.mapValues(DistributionObject.init)) }
        )
        .property("user_attrs", .table, get: { $0.userAttrs })
        .property("constraints", .table, get: { NamedValuesTable(values: $0.constraints) })
        .property(
            "datetime_start", .string, doc: "Local time.", get: { localTimeText($0.datetimeStart) }
        )
        .tostring { "FixedTrial(number=\($0.number), params=\(pythonRepr($0.params)))" }
    return trial
}
