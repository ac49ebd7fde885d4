// What `--json` prints of the host's own objects: rows of matrices and datasets, fields of runs and
// trials.

import OrderedJSON
import Training
import Tuning

/// An object that a script may return to `st-host --json`.
protocol ShownAsJSON: AnyObject {
    func shownAsJSON() throws -> JSONValue
}

extension Matrix: ShownAsJSON {
    func shownAsJSON() -> JSONValue {
        .array((0..<rows).map { .array(row($0).map { .double(Double($0)) }) })
    }
}

extension Dataset: ShownAsJSON {
    func shownAsJSON() throws -> JSONValue {
        .array(try (0..<numRows).map { .object(try row($0)) })
    }
}

extension BestRun: ShownAsJSON {
    func shownAsJSON() -> JSONValue {
        .object([
            "run_id": .string(runID),
            "objective": isMultiObjective
                ? .array(objectives.map(JSONValue.double))
                : objectives.first.map(JSONValue.double) ?? .null,
            "hyperparameters": .object(
                JSONObject(hyperparameters.map { ($0.name, $0.value.jsonValue) })),
            "run_summary": .null,
        ])
    }
}

extension FrozenTrialObject: ShownAsJSON {
    func shownAsJSON() -> JSONValue {
        .object([
            "number": .int(Int64(trial.number)), "state": .string(trial.state.name),
            "values": trial.values.map { .array($0.map(JSONValue.double)) } ?? .null,
            "params": .object(JSONObject(trial.params.map { ($0.name, $0.value.jsonValue) })),
            "user_attrs": .object(trial.userAttrs),
        ])
    }
}
