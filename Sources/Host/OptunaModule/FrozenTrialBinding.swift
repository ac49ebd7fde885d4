// The Lua class FrozenTrial, the record of a trial.

import LuaBridge
import OrderedJSON
import Synchronization
import Tuning

/// A record of a trial as scripts hold it.
///
/// It has the methods of a running trial, so that an objective can be run on it once more; what is
/// set on it reaches no storage.
final class FrozenTrialObject: LuaObject, Sendable {
    private let record: Mutex<FrozenTrial>
    var trial: FrozenTrial { record.withLock { $0 } }

    init(_ trial: FrozenTrial) { record = Mutex(trial) }

    func change(_ body: (inout FrozenTrial) throws -> Void) rethrows {
        try record.withLock { try body(&$0) }
    }
}

func frozenTrialClass(_ log: OptunaLog) -> LuaClass<FrozenTrialObject> {
    let trial = LuaClass<FrozenTrialObject>(
        "FrozenTrial", doc: "A trial as it stood when it was read.")
    addFields(to: trial)
    addSuggestions(to: trial) { FixedTrial(replaying: $0.trial, logger: log.logger) }
    return
        trial
        .method(
            "report", [.required("value", .number), .required("step", .integer)],
            doc: "Does nothing: the trial is over."
        ) { _, _ in }
        .method("should_prune", doc: "false") { _, _ -> Bool in false }
        .method(
            "set_user_attr", [.required("key", .string), attributeValue],
            doc: "Sets an attribute of this record only."
        ) { trial, args in
            let key: String = try args["key"]
            let value: JSONValue = try args["value"]
            trial.change { $0.userAttrs[key] = value }
        }
        .method(
            "set_constraint", [.required("key", .string), .required("value", .number)],
            doc: "Sets a constraint of this record only."
        ) { trial, args in
            let replay = FixedTrial(replaying: trial.trial, logger: log.logger)
            try replay.setConstraint(args["key"], args["value"])
            trial.change { $0.systemAttrs = replay.systemAttrs }
        }
}

private func addFields(to trial: LuaClass<FrozenTrialObject>) {
    trial
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
