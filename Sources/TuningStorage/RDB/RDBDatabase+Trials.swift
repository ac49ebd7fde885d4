// Changing trials: each method is one transaction, as in Optuna's RDBStorage.

import FoundationEssentials
import OrderedJSON
import Tuning

extension RDBDatabase {
    func createTrial(_ studyID: Int, _ template: FrozenTrial?) throws -> FrozenTrial {
        // What a worker can't repeat by itself, a result or a queued point, goes to the disk.
        let (trial, token) = try connection.transaction(
            template == nil ? .write : .durable, wasMade: { made in try self.isStored(made.0) }
        ) {
            // Trials of a study are made one after the other: numbers have no gaps, and a trial
            // with a smaller identifier never appears late (see StudyCache).
            let before = try connection.changeToken()
            try lockStudy(studyID)
            let number = try nextNumber(studyID)
            let start = template == nil ? Timestamp.now() : template?.datetimeStart
            let trialID = try insertTrial(studyID, number, template, start)
            let trial =
                try template.map {
                    try insertParts(of: $0, trialID, studyID)
                    return try readTrial(trialID)
                } ?? newTrial(number, trialID, start)
            return (trial, try tokenToFollow(studyID, from: before))
        }
        if let token {
            caches[studyID]?.update(trial)
            caches[studyID]?.token = token
        }
        return trial
    }

    private func isStored(_ trial: FrozenTrial) throws -> Bool {
        do {
            return try readTrial(trial.trialID) == trial
        } catch TuningError.unknownTrialID {
            return false
        }
    }

    private func newTrial(_ number: Int, _ trialID: Int, _ start: Date?) -> FrozenTrial {
        var trial = FrozenTrial(number: number, trialID: trialID, state: .running)
        trial.datetimeStart = start
        return trial
    }

    private func insertParts(of template: FrozenTrial, _ trialID: Int, _ studyID: Int) throws {
        for (name, distribution) in template.distributions {
            guard let value = template.params[name] else { continue }
            try insertParameter(
                trialID, studyID, name, try distribution.internalValue(of: value), distribution)
        }
        for (objective, value) in (template.values ?? []).enumerated() {
            try upsertValue(trialID, objective, value)
        }
        for (key, value) in template.userAttrs {
            try upsertAttribute("trial_user_attributes", trialID, key, value)
        }
        for (key, value) in template.systemAttrs {
            try upsertAttribute("trial_system_attributes", trialID, key, value)
        }
        for step in template.intermediateValues.steps {
            guard let value = template.intermediateValues[step] else { continue }
            try upsertIntermediateValue(trialID, step, value)
        }
    }

    // MARK: Keeping up

    /// Changes a trial that has not finished, and the copy of it in memory: as long as nobody else
    /// writes, a worker never has to read what it wrote itself.
    ///
    /// - wasMade: whether the database shows the change, for one that can't be made twice.
    /// - body: writes, and returns what to do to the copy; `nil` if it has changed nothing.
    /// Returns the trial's study, and whether anything has changed.
    @discardableResult
    private func change(
        _ trialID: Int, _ kind: TransactionKind, wasMade: (() throws -> Bool)? = nil,
        _ body: (_ old: (state: TrialState, studyID: Int)) throws -> ((inout FrozenTrial) -> Void)?
    ) throws -> (studyID: Int, hasChanged: Bool) {
        typealias Change = (Int, ((inout FrozenTrial) -> Void)?, ChangeToken?)
        let isMade = wasMade.map { wasMade in
            { (change: Change) in try change.1 == nil || wasMade() }
        }
        let (studyID, copy, token): Change = try connection.transaction(kind, wasMade: isMade) {
            let before = try connection.changeToken()
            let old = try updatableTrial(trialID)
            let copy = try body(old)
            return (old.studyID, copy, try tokenToFollow(old.studyID, from: before))
        }
        guard let copy else { return (studyID, false) }
        if let token, var trial = caches[studyID]?.trial(trialID) {
            copy(&trial)
            caches[studyID]?.update(trial)
            caches[studyID]?.token = token
        }
        return (studyID, true)
    }

    /// At the end of a transaction: where the database will stand after it, if what is in memory
    /// was up to date before it. Nobody else can write in between.
    private func tokenToFollow(_ studyID: Int, from before: ChangeToken?) throws -> ChangeToken? {
        guard let before, caches[studyID]?.token == before else { return nil }
        return try connection.changeToken()
    }

    private func insertTrial(
        _ studyID: Int, _ number: Int, _ template: FrozenTrial?, _ start: Date?
    ) throws -> Int {
        let trialID = try connection.first(
            "INSERT INTO trials (number, study_id, state, datetime_start, datetime_complete) "
                + "VALUES ($1, $2, $3, $4, $5) RETURNING trial_id",
            [
                .int(number), .int(studyID), .text((template?.state ?? .running).name),
                SQLValue(start.map(Timestamp.sql)),
                SQLValue(template?.datetimeComplete.map(Timestamp.sql)),
            ]
        ) { try $0.int(0) }
        guard let trialID else { throw SQLError(.other, "the trial got no identifier") }
        return trialID
    }

    /// How many trials the study has: those known, and those with larger identifiers.
    private func nextNumber(_ studyID: Int) throws -> Int {
        let cache = caches[studyID]
        let newer = try connection.first(
            "SELECT COUNT(*) FROM trials WHERE study_id = $1 AND trial_id > $2",
            [.int(studyID), .int(cache?.lastKnownID ?? -1)]
        ) { try $0.int(0) }
        return (cache?.trials.count ?? 0) + (newer ?? 0)
    }

    // MARK: Parameters

    func setTrialParameter(
        _ trialID: Int, _ name: String, _ value: Double, _ distribution: Distribution
    ) throws {
        let (studyID, _) = try change(trialID, .write) { old in
            let isNew = try insertParameter(trialID, old.studyID, name, value, distribution)
            return { trial in
                guard isNew else { return }
                trial.params[name] = distribution.value(ofInternal: value)
                trial.distributions[name] = distribution
            }
        }
        if caches[studyID]?.distributions[name] == nil {
            caches[studyID]?.distributions[name] = distribution
        }
    }

    /// Whether the trial did not have the name yet.
    @discardableResult
    private func insertParameter(
        _ trialID: Int, _ studyID: Int, _ name: String, _ value: Double,
        _ distribution: Distribution
    ) throws -> Bool {
        try firstDistribution(studyID, name)?.checkCompatibility(with: distribution)
        // A name that the trial has keeps its first value.
        return try connection.execute(
            "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) "
                + "VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, param_name) DO NOTHING",
            [.int(trialID), .text(name), .double(value), .text(distribution.json)]) == 1
    }

    /// What the name stood for when the study first used it.
    private func firstDistribution(_ studyID: Int, _ name: String) throws -> Distribution? {
        if let known = caches[studyID]?.distributions[name] { return known }
        let json = try connection.first(
            "SELECT distribution_json FROM trial_params JOIN trials "
                + "ON trial_params.trial_id = trials.trial_id "
                + "WHERE trials.study_id = $1 AND param_name = $2 ORDER BY param_id LIMIT 1",
            [.int(studyID), .text(name)]
        ) { try $0.text(0) }
        return try json.map { try distribution($0) }
    }

    // MARK: State

    func setTrialState(_ trialID: Int, _ state: TrialState, _ values: [Double]?) throws -> Bool {
        let now = Timestamp.now()
        let wasMade = { try self.isIn(state, trialID, since: now) }
        return try change(trialID, .durable, wasMade: wasMade) { old in
            if state == .running && old.state != .waiting { return nil }
            for (objective, value) in (values ?? []).enumerated() {
                try upsertValue(trialID, objective, value)
            }
            let time = SQLValue.text(Timestamp.sql(now))
            let id = SQLValue.int(trialID)
            let name = SQLValue.text(state.name)
            switch state {
            case .running:
                // Compared and set in one: of several workers one gets a queued trial.
                let count = try connection.execute(
                    "UPDATE trials SET state = $1, datetime_start = $2 "
                        + "WHERE trial_id = $3 AND state = 'WAITING'", [name, time, id])
                if count != 1 { return nil }
            case .complete, .pruned, .fail:
                try connection.execute(
                    "UPDATE trials SET state = $1, datetime_complete = $2 WHERE trial_id = $3",
                    [name, time, id])
            case .waiting:
                try connection.execute(
                    "UPDATE trials SET state = $1 WHERE trial_id = $2", [name, id])
            }
            return { trial in
                trial.state = state
                if let values, !values.isEmpty { trial.values = values }
                if state == .running { trial.datetimeStart = now }
                if state.isFinished { trial.datetimeComplete = now }
            }
        }.hasChanged
    }

    /// Whether it was this worker, at this time, that set the state.
    private func isIn(_ state: TrialState, _ trialID: Int, since time: Date) throws -> Bool {
        let column = state.isFinished ? "datetime_complete" : "datetime_start"
        let found = try connection.first(
            "SELECT state, \(column) FROM trials WHERE trial_id = $1", [.int(trialID)]
        ) { (try $0.text(0), try $0.optionalText(1).flatMap(Timestamp.parse)) }
        return found?.0 == state.name && (state == .waiting || found?.1 == time)
    }

    /// Refuses trials that are finished or not there; keeps others from changing this one.
    private func updatableTrial(_ trialID: Int) throws -> (state: TrialState, studyID: Int) {
        let found = try connection.first(
            "SELECT state, number, study_id FROM trials WHERE trial_id = $1"
                + connection.dialect.forUpdate, [.int(trialID)]
        ) { (try trialState($0.text(0), trialID), try $0.int(1), try $0.int(2)) }
        guard let (state, number, studyID) = found else {
            throw TuningError.unknownTrialID(trialID)
        }
        if state.isFinished { throw TuningError.finishedTrial(number: number) }
        return (state, studyID)
    }

    func trialState(_ name: String, _ trialID: Int) throws -> TrialState {
        guard let state = TrialState(name: name) else {
            throw SQLError(.malformed, "trial \(trialID) is in the unknown state '\(name)'")
        }
        return state
    }

    // MARK: Values, reports, attributes

    private func upsertValue(_ trialID: Int, _ objective: Int, _ value: Double) throws {
        if value.isNaN {
            throw SQLError(.other, "NaN can't be stored as the value of a trial")
        }
        try connection.execute(
            "INSERT INTO trial_values (trial_id, objective, value, value_type) "
                + "VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, objective) "
                + "DO UPDATE SET value = excluded.value, value_type = excluded.value_type",
            [.int(trialID), .int(objective)] + stored(value))
    }

    func setTrialIntermediateValue(_ trialID: Int, step: Int, _ value: Double) throws {
        try change(trialID, .write) { _ in
            try upsertIntermediateValue(trialID, step, value)
            return { $0.intermediateValues[step] = value }
        }
    }

    private func upsertIntermediateValue(_ trialID: Int, _ step: Int, _ value: Double) throws {
        try connection.execute(
            "INSERT INTO trial_intermediate_values "
                + "(trial_id, step, intermediate_value, intermediate_value_type) "
                + "VALUES ($1, $2, $3, $4) ON CONFLICT (trial_id, step) "
                + "DO UPDATE SET intermediate_value = excluded.intermediate_value, "
                + "intermediate_value_type = excluded.intermediate_value_type",
            [.int(trialID), .int(step)] + stored(value))
    }

    /// A number and its kind, as two columns.
    private func stored(_ value: Double) -> [SQLValue] {
        if value.isFinite { return [.double(value), .text("FINITE")] }
        if value.isNaN { return [.null, .text("NAN")] }
        return [.null, .text(value > 0 ? "INF_POS" : "INF_NEG")]
    }

    func setTrialAttribute(
        _ table: String, _ trialID: Int, _ key: String, _ value: JSONValue
    ) throws {
        try change(trialID, .write) { _ in
            try upsertAttribute(table, trialID, key, value)
            return { trial in
                if table == "trial_user_attributes" {
                    trial.userAttrs[key] = value
                } else {
                    trial.systemAttrs[key] = value
                }
            }
        }
    }

    private func upsertAttribute(
        _ table: String, _ trialID: Int, _ key: String, _ value: JSONValue
    ) throws {
        try connection.execute(
            "INSERT INTO \(table) (trial_id, key, value_json) VALUES ($1, $2, $3) "
                + "ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json",
            [.int(trialID), .text(key), .text(value.json())])
    }
}
