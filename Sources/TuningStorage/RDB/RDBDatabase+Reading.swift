// Reading trials: finished ones once, the others whenever they are asked for.

import OrderedJSON
import Tuning

/// The trials of a study as they were last read.
///
/// Finished trials never change, so a refresh reads those that were not finished and those with
/// identifiers above the largest known one. That finds everything, because trials of a study
/// become visible in the order of their identifiers: who makes one holds the study's lock.
struct StudyCache {
    let name: String
    let directions: [StudyDirection]
    /// Ascending by number.
    private(set) var trials: [FrozenTrial] = []
    private(set) var unfinished: Set<Int> = []
    private(set) var lastKnownID = -1
    /// What the database was like when this was read; see ``SQLConnection/changeToken()``.
    var token: ChangeToken?
    /// Identifiers in the order in which the trials were found finished.
    private var finished: [Int] = []
    /// Whether it was read anew while it was in use, so that that order is another one.
    private let isRebuilt: Bool
    /// First distribution of each name.
    var distributions = NamedValues<Distribution>()
    /// Place in ``trials`` by identifier.
    private var places: [Int: Int] = [:]
    private(set) var best: FrozenTrial?

    init(_ study: FrozenStudy, isRebuilt: Bool = false) {
        name = study.name
        directions = study.directions
        self.isRebuilt = isRebuilt
    }

    func trial(_ trialID: Int) -> FrozenTrial? { places[trialID].map { trials[$0] } }

    /// The trials with this number; one, unless the database is damaged.
    func trial(number: Int) -> FrozenTrial? {
        if trials.indices.contains(number), trials[number].number == number {
            return trials[number]
        }
        return trials.first { $0.number == number }
    }

    mutating func update(_ trial: FrozenTrial) {
        let id = trial.trialID
        lastKnownID = max(lastKnownID, id)
        if let place = places[id] {
            trials[place] = trial
        } else if trials.last.map({ $0.number < trial.number }) ?? true {
            places[id] = trials.count
            trials.append(trial)
        } else {
            // Numbers out of order: only in databases that other programs have damaged.
            let place = trials.firstIndex { $0.number > trial.number } ?? trials.count
            trials.insert(trial, at: place)
            for index in place..<trials.count { places[trials[index].trialID] = index }
        }
        guard trial.state.isFinished else {
            unfinished.insert(id)
            return
        }
        unfinished.remove(id)
        finished.append(id)
        considerAsBest(trial)
        for (name, distribution) in trial.distributions where distributions[name] == nil {
            distributions[name] = distribution
        }
    }

    private mutating func considerAsBest(_ trial: FrozenTrial) {
        guard trial.state == .complete, let value = trial.values?.first else { return }
        guard let known = best?.values?.first else {
            best = trial
            return
        }
        // Of equal values the first by number counts, as in Optuna: trials come in here in the
        // order in which they were found finished, which each process has its own of.
        let isFirstOfEquals = value == known && trial.number < (best?.number ?? 0)
        let isBetter = directions.first == .maximize ? value > known : value < known
        if isBetter || isFirstOfEquals { best = trial }
    }

    func updates(since seen: SeenTrials) -> TrialUpdates {
        // Who takes updates takes them from the start, so that the count is a place.
        let fresh = isRebuilt ? finished[...] : finished.dropFirst(seen.count)
        return TrialUpdates(
            finished: fresh.compactMap { trial($0) }.filter { !seen.contains($0.number) },
            running: trials(.running))
    }

    func trials(_ states: TrialStates) -> [FrozenTrial] {
        if states == .all { return trials }
        if states.isSubset(of: [.running, .waiting]) {
            return unfinished.compactMap { trial($0) }.filter { states.contains($0.state) }
                .sorted { $0.number < $1.number }
        }
        return trials.filter { states.contains($0.state) }
    }
}

extension RDBDatabase {
    func trials(_ studyID: Int, _ states: TrialStates) throws -> [FrozenTrial] {
        try refresh(studyID)
        return caches[studyID]?.trials(states) ?? []
    }

    func updates(_ studyID: Int, since seen: SeenTrials) throws -> TrialUpdates {
        try refresh(studyID)
        return caches[studyID]?.updates(since: seen) ?? TrialUpdates(finished: [], running: [])
    }

    func trialID(_ studyID: Int, number: Int) throws -> Int {
        if let known = caches[studyID]?.trial(number: number) { return known.trialID }
        try refresh(studyID)
        guard let trial = caches[studyID]?.trial(number: number) else {
            throw TuningError.unknownTrialNumber(number: number, studyID: studyID)
        }
        return trial.trialID
    }

    func bestTrial(_ studyID: Int) throws -> FrozenTrial {
        try refresh(studyID)
        guard let best = caches[studyID]?.best else { throw TuningError.noCompletedTrials }
        return best
    }

    func trial(_ trialID: Int) throws -> FrozenTrial {
        for cache in caches.values {
            guard let known = cache.trial(trialID) else { continue }
            if try known.state.isFinished || isCurrent(cache) { return known }
        }
        return try connection.transaction(.read) { try readTrial(trialID) }
    }

    // MARK: Refreshing

    /// Whether nothing has been written since.
    private func isCurrent(_ cache: StudyCache) throws -> Bool {
        guard let token = cache.token else { return false }
        return try connection.changeToken() == token
    }

    private func refresh(_ studyID: Int) throws {
        // Asked before the data, so that what is written in between is read again.
        let token = try connection.changeToken()
        if let token, caches[studyID]?.token == token { return }
        let name = try connection.first(
            "SELECT study_name FROM studies WHERE study_id = $1", [.int(studyID)]
        ) { try $0.text(0) }
        guard let name else {
            caches[studyID] = nil
            throw TuningError.unknownStudyID(studyID)
        }
        // SQLite may give the identifier of a deleted study to a new one.
        if let cache = caches[studyID], !cache.name.utf8.elementsEqual(name.utf8) {
            caches[studyID] = try StudyCache(study(studyID), isRebuilt: true)
        }
        var cache = try caches.removeValue(forKey: studyID) ?? StudyCache(study(studyID))
        let known = cache.unfinished
        let read = try readTrials(
            "study_id = $1 AND (trial_id > $2 OR "
                + connection.dialect.isIn("trial_id", "$3") + ")",
            [.int(studyID), .int(cache.lastKnownID), .ids(known.sorted())])
        // A trial that was there has gone: the study was deleted and made again.
        guard known.isSubset(of: read.map(\.trialID)) else {
            cache = try StudyCache(study(studyID), isRebuilt: true)
            let all = try readTrials("study_id = $1", [.int(studyID)])
            for trial in all { cache.update(trial) }
            cache.token = token
            caches[studyID] = cache
            return
        }
        for trial in read { cache.update(trial) }
        cache.token = token
        caches[studyID] = cache
    }

    func readTrial(_ trialID: Int) throws -> FrozenTrial {
        guard let trial = try readTrials("trial_id = $1", [.int(trialID)]).first else {
            throw TuningError.unknownTrialID(trialID)
        }
        return trial
    }

    /// Ascending by identifier.
    private func readTrials(_ filter: String, _ values: [SQLValue]) throws -> [FrozenTrial] {
        try connection.transaction(.read) {
            var trials: [FrozenTrial] = []
            try connection.query(
                "SELECT trial_id, number, state, datetime_start, datetime_complete FROM trials "
                    + "WHERE \(filter) ORDER BY trial_id", values
            ) { trials.append(try trial(from: $0)) }
            if !trials.isEmpty { try readParts(of: &trials) }
            return trials
        }
    }

    private func trial(from row: any SQLRow) throws -> FrozenTrial {
        let id = try row.int(0)
        func time(_ column: Int) throws -> String? { try row.optionalText(column) }
        var trial = FrozenTrial(
            number: try row.int(1), trialID: id, state: try trialState(row.text(2), id))
        for (column, path) in [(3, \FrozenTrial.datetimeStart), (4, \.datetimeComplete)] {
            guard let text = try row.optionalText(column) else { continue }
            guard let date = Timestamp.parse(text) else {
                throw SQLError(.malformed, "trial \(id) has the time '\(text)', which is none")
            }
            trial[keyPath: path] = date
        }
        return trial
    }

    /// Parameters, values, reports and attributes of all these trials, with one statement.
    private func readParts(of trials: inout [FrozenTrial]) throws {
        let only = trials.count == 1
        let filter = only ? "trial_id = $1" : connection.dialect.isIn("trial_id", "$1")
        let sql = """
            SELECT 1 AS part, trial_id, param_id AS place, 0 AS number, param_name AS name, \
            param_value AS value, distribution_json AS content FROM trial_params WHERE \(filter)
            UNION ALL SELECT 2, trial_id, trial_value_id, objective, '', value, \
            CAST(value_type AS TEXT) FROM trial_values WHERE \(filter)
            UNION ALL SELECT 3, trial_id, trial_intermediate_value_id, step, '', \
            intermediate_value, CAST(intermediate_value_type AS TEXT) \
            FROM trial_intermediate_values WHERE \(filter)
            UNION ALL SELECT 4, trial_id, trial_user_attribute_id, 0, key, \
            CAST(NULL AS DOUBLE PRECISION), value_json FROM trial_user_attributes WHERE \(filter)
            UNION ALL SELECT 5, trial_id, trial_system_attribute_id, 0, key, \
            CAST(NULL AS DOUBLE PRECISION), value_json FROM trial_system_attributes WHERE \(filter)
            ORDER BY 2, 1, 3
            """
        let ids = trials.map(\.trialID)
        var index = 0
        var values: [Int: Double] = [:]
        try connection.query(sql, [only ? .int(ids[0]) : .ids(ids)]) { row in
            let id = try row.int(1)
            // Both run through ascending identifiers.
            while index < ids.count && ids[index] < id {
                try set(values, of: &trials[index])
                values = [:]
                index += 1
            }
            guard index < ids.count && ids[index] == id else { return }
            if try row.int(0) == 2 {
                values[try row.int(3)] = try number(row, id)
            } else {
                try read(row, into: &trials[index])
            }
        }
        if index < ids.count { try set(values, of: &trials[index]) }
    }

    private func set(_ values: [Int: Double], of trial: inout FrozenTrial) throws {
        if values.isEmpty { return }
        trial.values = try (0..<values.count).map { objective in
            guard let value = values[objective] else {
                throw SQLError(
                    .malformed, "trial \(trial.trialID) has no value of objective \(objective)")
            }
            return value
        }
    }

    private func read(_ row: any SQLRow, into trial: inout FrozenTrial) throws {
        let name = try row.text(4)
        switch try row.int(0) {
        case 1:
            let distribution = try distribution(row.text(6))
            trial.params[name] = distribution.value(ofInternal: try row.double(5))
            trial.distributions[name] = distribution
        case 3: trial.intermediateValues[try row.int(3)] = try number(row, trial.trialID)
        case 4:
            trial.userAttrs[name] = try attribute(
                row.text(6), "user attribute '\(name)' of trial \(trial.trialID)")
        default:
            trial.systemAttrs[name] = try attribute(
                row.text(6), "system attribute '\(name)' of trial \(trial.trialID)")
        }
    }

    /// A number that two columns hold: the value, null unless it is finite, and its kind.
    private func number(_ row: any SQLRow, _ trialID: Int) throws -> Double {
        switch try row.text(6) {
        case "FINITE":
            // PostgreSQL gives "NaN" and "Infinity" for what no program should have written.
            let value = try row.double(5)
            if value.isFinite { return value }
            throw SQLError(.malformed, "trial \(trialID) has a value that is not finite")
        case "INF_POS": return .infinity
        case "INF_NEG": return -.infinity
        case "NAN": return .nan
        case let kind:
            throw SQLError(.malformed, "trial \(trialID) has a value of unknown kind '\(kind)'")
        }
    }

    func distribution(_ json: String) throws -> Distribution {
        if let known = parsedDistributions[json] { return known }
        let parsed: Distribution
        do {
            parsed = try Distribution(json: json)
        } catch let error as TuningError {
            throw SQLError(.malformed, "\(error)")
        }
        // A bound on memory, for studies whose ranges change all the time.
        if parsedDistributions.count >= 4096 { parsedDistributions = [:] }
        parsedDistributions[json] = parsed
        return parsed
    }
}
