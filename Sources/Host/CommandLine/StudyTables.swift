// The rows that `st-host study` shows: columns as Optuna's command line has them.

import FoundationEssentials
import OrderedJSON
import Tuning

/// Rows with values that may be lists and objects.
struct StudyTable {
    /// Columns in their order; a row may lack some.
    var columns: [String]
    var rows: [JSONObject]
    /// One object and not a list of them, in JSON.
    var isSingle = false
}

enum StudyTables {
    static func studies(_ summaries: [StudySummary]) -> StudyTable {
        var columns = ["name", "direction", "n_trials", "datetime_start"]
        if summaries.contains(where: { !$0.userAttrs.isEmpty }) { columns.append("user_attrs") }
        let rows = summaries.map { summary -> JSONObject in
            [
                "name": .string(summary.name), "direction": directions(summary.directions),
                "n_trials": JSONValue(summary.trialCount),
                "datetime_start": time(summary.datetimeStart),
                "user_attrs": .object(summary.userAttrs),
            ]
        }
        return StudyTable(columns: columns, rows: rows)
    }

    static func overview(_ study: Study) throws -> StudyTable {
        let trials = try study.trials()
        var row: JSONObject = [
            "name": .string(study.name), "direction": directions(study.directions),
            "n_trials": JSONValue(trials.count),
            "datetime_start": time(trials.lazy.compactMap(\.datetimeStart).min()),
        ]
        for state in TrialState.allCases {
            row["n_" + state.name.lowercased()] = JSONValue(
                trials.count { $0.state == state })
        }
        if study.directions.count == 1, let best = try? study.bestTrial() {
            row["best_trial"] = JSONValue(best.number)
            row["best_value"] = best.values?.first.map { .double($0) } ?? .null
            row["best_params"] = params(best)
        }
        row["user_attrs"] = .object(try study.userAttrs())
        return StudyTable(columns: row.keys, rows: [row], isSingle: true)
    }

    /// The largest first.
    static func importances(_ importances: NamedValues<Double>) -> StudyTable {
        StudyTable(
            columns: ["param", "importance"],
            rows: importances.map { name, value in
                ["param": .string(name), "importance": .double(value)]
            })
    }

    /// - isComplete: with reports, distributions and system attributes.
    static func trials(
        _ trials: [FrozenTrial], of study: Study, isComplete: Bool = false
    ) throws -> StudyTable {
        let isSingle = study.directions.count == 1
        let metricNames = try study.metricNames()
        var columns = [
            "number", isSingle ? "value" : "values", "datetime_start", "datetime_complete",
            "duration", "params", "user_attrs",
        ]
        if isComplete { columns += ["system_attrs", "distributions", "intermediate_values"] }
        columns.append("state")
        let rows = trials.map { trial -> JSONObject in
            var row: JSONObject = [
                "number": JSONValue(trial.number),
                "datetime_start": time(trial.datetimeStart),
                "datetime_complete": time(trial.datetimeComplete),
                "duration": duration(trial.duration), "params": params(trial),
                "user_attrs": .object(sorted(trial.userAttrs)),
                "state": .string(trial.state.name),
            ]
            let values = study.directions.indices.map { objective -> JSONValue in
                guard let values = trial.values, objective < values.count else { return .null }
                return .double(values[objective])
            }
            if let metricNames {
                row[columns[1]] = .object(JSONObject(zip(metricNames, values).map { ($0, $1) }))
            } else {
                row[columns[1]] = isSingle ? values[0] : .array(values)
            }
            if isComplete { describe(trial, &row) }
            return row
        }
        if !isComplete {
            // As in Optuna, what no trial has is no column.
            columns.removeAll { column in
                rows.allSatisfy { $0[column] == .object([:]) }
            }
        }
        return StudyTable(columns: columns, rows: rows)
    }

    private static func describe(_ trial: FrozenTrial, _ row: inout JSONObject) {
        row["system_attrs"] = .object(trial.systemAttrs)
        row["distributions"] = .object(
            JSONObject(
                trial.distributions.map {
                    ($0.name, (try? JSONValue.parse($0.value.json)) ?? .null)
                }))
        let reports = trial.intermediateValues
        row["intermediate_values"] = .object(
            JSONObject(zip(reports.steps, reports.values).map { (String($0), .double($1)) }))
    }

    private static func directions(_ directions: [StudyDirection]) -> JSONValue {
        .array(directions.map { .string($0.word.uppercased()) })
    }

    private static func params(_ trial: FrozenTrial) -> JSONValue {
        .object(JSONObject(trial.params.sortedByName().map { ($0.name, $0.value.jsonValue) }))
    }

    private static func sorted(_ object: JSONObject) -> JSONObject {
        JSONObject(
            object.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                .compactMap { key in object[key].map { (key, $0) } })
    }

    /// Local time to the second, as Optuna's command line shows it.
    private static func time(_ date: Date?) -> JSONValue {
        JSONValue(date.map { String(LogTime(date: $0).text.prefix(19)) })
    }

    /// Python's `str(timedelta)`: `0:00:01.500000`, `1 day, 0:00:00`.
    private static func duration(_ seconds: Double?) -> JSONValue {
        guard let seconds, seconds.isFinite, abs(seconds) < 1e12 else { return .null }
        let total = Int((seconds * 1e6).rounded())
        let days =
            total >= 0 ? total / 86_400_000_000 : -((86_399_999_999 - total) / 86_400_000_000)
        let rest = total - days * 86_400_000_000
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
        }
        let clock = rest / 1_000_000
        var text = "\(clock / 3600):\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2))"
        if rest % 1_000_000 != 0 { text += "." + padded(rest % 1_000_000, 6) }
        if days != 0 { text = "\(days) day\(abs(days) == 1 ? "" : "s"), " + text }
        return .string(text)
    }
}
