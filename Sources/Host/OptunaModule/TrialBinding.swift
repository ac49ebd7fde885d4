// The Lua classes Trial, which objectives work with, and FrozenTrial, the record of one.

public import LuaBridge
import OrderedJSON
public import Tuning

extension Trial: LuaObject {}
extension FixedTrial: LuaObject {}

func trialClass() -> LuaClass<Trial> {
    let trial = LuaClass<Trial>("Trial", doc: "A running trial: asks for parameters, reports.")
    addSuggestions(to: trial)
    addProgress(to: trial)
    trial
        .property("number", .integer, doc: "Place in the study, from 0.", get: { $0.number })
        .property("state", .string, doc: "A TrialState.", get: { try $0.currentState().name })
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

private func addSuggestions<Source: LuaObject & ParameterSource>(to trial: LuaClass<Source>) {
    trial
        .method(
            "suggest_float",
            [
                .required("name", .string), .required("low", .number), .required("high", .number),
                .keyword("step", .number, .nil, "Values low, low + step, ...; not with log."),
                .keyword("log", .boolean, false, "Uniform in the logarithm."),
            ], doc: "A float of [low, high]."
        ) { trial, args -> Double in
            try trial.suggestFloat(
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
            try trial.suggestInt(
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
            try trial.suggestCategorical(args["name"], choices: args["choices"])
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
    addSuggestions(to: trial)
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

/// A record of a trial as scripts hold it.
final class FrozenTrialObject: LuaObject, Sendable {
    let trial: FrozenTrial

    init(_ trial: FrozenTrial) { self.trial = trial }
}

func frozenTrialClass() -> LuaClass<FrozenTrialObject> {
    LuaClass<FrozenTrialObject>("FrozenTrial", doc: "A trial as it stood when it was read.")
        .property("number", .integer, get: { $0.trial.number })
        .property("state", .string, doc: "A TrialState.", get: { $0.trial.state.name })
        .property("value", .number, get: { try $0.trial.value() })
        .property("values", .sequence(.number), get: { $0.trial.values })
        .property("params", .table, get: { NamedValuesTable(values: $0.trial.params) })
        .property(
            "distributions", .table,
            get: {
                NamedValuesTable(values: $0.trial.distributions.mapValues(DistributionObject.init))
            }
        )
        .property("user_attrs", .table, get: { $0.trial.userAttrs })
        .property("system_attrs", .table, get: { $0.trial.systemAttrs })
        .property(
            "intermediate_values", .table, doc: "Reported values by step.",
            get: { Reports(values: $0.trial.intermediateValues) }
        )
        .property("last_step", .integer, get: { $0.trial.lastStep })
        .property(
            "constraints", .table, get: { NamedValuesTable(values: $0.trial.constraints) }
        )
        .property(
            "datetime_start", .string, doc: "Local time.",
            get: { localTimeText($0.trial.datetimeStart) }
        )
        .property(
            "datetime_complete", .string, doc: "Local time.",
            get: { localTimeText($0.trial.datetimeComplete) }
        )
        .property("duration", .number, doc: "Seconds.", get: { $0.trial.duration })
        .property(
            "fail_reason", .string, doc: "Why a failed trial failed; nil otherwise.",
            get: { $0.trial.failReason }
        )
        .tostring { object in
            let trial = object.trial
            let values = trial.values.map { pythonRepr($0) } ?? "None"
            return "FrozenTrial(number=\(trial.number), state=\(trial.state), values=\(values), "
                + "params=\(pythonRepr(trial.params)))"
        }
}

/// A table of numbers by step, which need not begin at 1.
private struct Reports: IntoLua {
    let values: IntermediateValues

    func push(onto stack: LuaStack) throws {
        let table = try stack.state.table(hash: values.count)
        for (step, value) in zip(values.steps, values.values) { try table.rawSet(step, value) }
        try table.push(onto: stack)
    }
}

// MARK: - Distributions

/// A range as scripts hold it.
final class DistributionObject: LuaObject, Sendable {
    let distribution: Distribution

    init(_ distribution: Distribution) { self.distribution = distribution }
}

func distributionClass() -> LuaClass<DistributionObject> {
    LuaClass<DistributionObject>("Distribution", doc: "Where a parameter's values come from.")
        .index { object, key in
            switch (object.distribution, key.string) {
            case (.float(let it), "low"): return it.low
            case (.float(let it), "high"): return it.high
            case (.float(let it), "log"): return it.log
            case (.float(let it), "step"): return it.step.map(LuaValue.number) ?? LuaValue.nil
            case (.int(let it), "low"): return it.low
            case (.int(let it), "high"): return it.high
            case (.int(let it), "log"): return it.log
            case (.int(let it), "step"): return it.step
            case (.categorical(let it), "choices"): return it.choices
            default: return nil
            }
        }
        .operator(.eq) { left, right in
            left.object(as: DistributionObject.self)?.distribution
                == right.object(as: DistributionObject.self)?.distribution
        }
        .tostring { "\($0.distribution)" }
}

/// `optuna.distributions`
func distributionsModule(warn: @escaping (String) -> Void) -> LuaModule {
    LuaModule("optuna.distributions")
        .function(
            "FloatDistribution",
            [
                .required("low", .number), .required("high", .number),
                .optional("log", .boolean, false), .optional("step", .number),
            ]
        ) { args in
            DistributionObject(
                .float(
                    try FloatDistribution(
                        low: args["low"], high: args["high"], log: args["log"],
                        step: args["step"], warn: warn)))
        }
        .function(
            "IntDistribution",
            [
                .required("low", .integer), .required("high", .integer),
                .optional("log", .boolean, false), .optional("step", .integer, 1),
            ]
        ) { args in
            DistributionObject(
                .int(
                    try IntDistribution(
                        low: args["low"], high: args["high"], log: args["log"],
                        step: args["step"], warn: warn)))
        }
        .function("CategoricalDistribution", [.required("choices", .sequence(.any))]) { args in
            DistributionObject(
                .categorical(try CategoricalDistribution(choices: args["choices"])))
        }
}
