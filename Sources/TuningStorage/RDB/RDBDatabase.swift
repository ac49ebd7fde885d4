// What RDBStorage does under its lock: statements on studies, and what is kept in memory.
// Trials are in RDBDatabase+Trials.swift and RDBDatabase+Reading.swift.

import OrderedJSON
import Tuning

/// A connection, and what was read through it and can't change any more. One thread at a time.
final class RDBDatabase {
    let connection: any SQLConnection
    var caches: [Int: StudyCache] = [:]
    /// Distributions by their text: a study repeats the same few in every trial.
    var parsedDistributions: [String: Distribution] = [:]

    init(_ connection: any SQLConnection) { self.connection = connection }

    deinit { connection.close() }

    func close() { connection.close() }

    // MARK: Studies

    func createStudy(_ directions: [StudyDirection], _ name: String) throws -> Int {
        do {
            return try connection.transaction(.durable, wasMade: { try self.isStudy($0, name) }) {
                let studyID = try connection.first(
                    "INSERT INTO studies (study_name) VALUES ($1) RETURNING study_id",
                    [.text(name)]
                ) { try $0.int(0) }
                guard let studyID else { throw SQLError(.other, "the study got no identifier") }
                for (objective, direction) in directions.enumerated() {
                    try connection.execute(
                        "INSERT INTO study_directions (direction, study_id, objective) "
                            + "VALUES ($1, $2, $3)",
                        [.text(direction.columnName), .int(studyID), .int(objective)])
                }
                return studyID
            }
        } catch let error as SQLError where error.kind == .uniqueViolation {
            throw TuningError.duplicatedStudy(name: name)
        }
    }

    private func isStudy(_ studyID: Int, _ name: String) throws -> Bool {
        try connection.first(
            "SELECT study_name FROM studies WHERE study_id = $1", [.int(studyID)]
        ) { try $0.text(0) } == name
    }

    /// Children first: the tables have no cascades.
    func deleteStudy(_ studyID: Int) throws {
        caches[studyID] = nil
        let isGone = { try self.studies(studyID).isEmpty }
        try connection.transaction(.durable, wasMade: isGone) {
            try lockStudy(studyID)
            for table in [
                "trial_params", "trial_values", "trial_intermediate_values",
                "trial_user_attributes", "trial_system_attributes", "trial_heartbeats",
            ] {
                try connection.execute(
                    "DELETE FROM \(table) WHERE trial_id IN "
                        + "(SELECT trial_id FROM trials WHERE study_id = $1)", [.int(studyID)])
            }
            for table in [
                "trials", "study_directions", "study_user_attributes", "study_system_attributes",
                "studies",
            ] {
                try connection.execute(
                    "DELETE FROM \(table) WHERE study_id = $1", [.int(studyID)])
            }
        }
    }

    /// Refuses a study that is not there; the others wait until this transaction ends.
    func lockStudy(_ studyID: Int) throws {
        let found = try connection.first(
            "SELECT study_id FROM studies WHERE study_id = $1" + connection.dialect.forUpdate,
            [.int(studyID)]
        ) { _ in true }
        guard found != nil else { throw TuningError.unknownStudyID(studyID) }
    }

    func studyID(named name: String) throws -> Int {
        let found = try connection.first(
            "SELECT study_id FROM studies WHERE study_name = $1", [.text(name)]
        ) { try $0.int(0) }
        guard let found else { throw TuningError.unknownStudy(name: name) }
        return found
    }

    func study(_ studyID: Int) throws -> FrozenStudy {
        guard let study = try studies(studyID).first else {
            throw TuningError.unknownStudyID(studyID)
        }
        return study
    }

    /// One study or all of them, in the order of creation.
    func studies(_ studyID: Int?) throws -> [FrozenStudy] {
        let filter = studyID == nil ? "" : " WHERE study_id = $1"
        // One statement sees one state of the database: a study and its parts fit together.
        let sql = """
            SELECT 0 AS part, study_id, study_id AS place, study_name AS name, \
            CAST(NULL AS TEXT) AS content FROM studies\(filter)
            UNION ALL SELECT 1, study_id, objective, CAST(direction AS TEXT), CAST(NULL AS TEXT) \
            FROM study_directions\(filter)
            UNION ALL SELECT 2, study_id, study_user_attribute_id, key, value_json \
            FROM study_user_attributes\(filter)
            UNION ALL SELECT 3, study_id, study_system_attribute_id, key, value_json \
            FROM study_system_attributes\(filter)
            ORDER BY 1, 2, 3
            """
        var studies: [FrozenStudy.Parts] = []
        var places: [Int: Int] = [:]
        try connection.query(sql, studyID.map { [.int($0)] } ?? []) { row in
            let owner = try row.int(1)
            let name = try row.text(3)
            if try row.int(0) == 0 {
                places[owner] = studies.count
                studies.append(FrozenStudy.Parts(studyID: owner, name: name))
                return
            }
            // Rows whose study is gone belong to nobody.
            guard let place = places[owner] else { return }
            switch try row.int(0) {
            case 1: try studies[place].add(direction: name)
            case 2:
                studies[place].userAttrs[name] = try attribute(
                    row.text(4), "user attribute '\(name)' of study \(owner)")
            default:
                studies[place].systemAttrs[name] = try attribute(
                    row.text(4), "system attribute '\(name)' of study \(owner)")
            }
        }
        return studies.map(\.study)
    }

    func setStudyAttribute(
        _ table: String, _ studyID: Int, _ key: String, _ value: JSONValue
    ) throws {
        try connection.transaction(.durable) {
            try lockStudy(studyID)
            try connection.execute(
                "INSERT INTO \(table) (study_id, key, value_json) VALUES ($1, $2, $3) "
                    + "ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json",
                [.int(studyID), .text(key), .text(value.json())])
        }
    }

    func attribute(_ json: String, _ what: @autoclosure () -> String) throws -> JSONValue {
        do {
            return try JSONValue.parse(json)
        } catch {
            throw SQLError(.malformed, "\(what()) is not JSON: \(error)")
        }
    }

    // MARK: Heartbeats

    func recordHeartbeat(_ trialID: Int) throws {
        _ = try connection.transaction(.write) {
            try connection.execute(
                "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1, CURRENT_TIMESTAMP) "
                    + "ON CONFLICT (trial_id) DO UPDATE SET heartbeat = CURRENT_TIMESTAMP",
                [.int(trialID)])
        }
    }

    func staleTrials(_ studyID: Int, graceSeconds: Int) throws -> [Int] {
        var stale: [Int] = []
        try connection.query(
            "SELECT trials.trial_id FROM trials JOIN trial_heartbeats "
                + "ON trials.trial_id = trial_heartbeats.trial_id "
                + "WHERE trials.study_id = $1 AND trials.state = 'RUNNING' "
                + "AND \(connection.dialect.heartbeatAge) > CAST($2 AS BIGINT) "
                + "ORDER BY trials.trial_id",
            [.int(studyID), .int(graceSeconds)]
        ) { stale.append(try $0.int(0)) }
        return stale
    }
}

extension StudyDirection {
    /// Optuna's name in the database.
    var columnName: String { self == .minimize ? "MINIMIZE" : "MAXIMIZE" }
}

extension FrozenStudy {
    /// A study whose rows are being collected.
    struct Parts {
        let studyID: Int
        let name: String
        var directions: [StudyDirection] = []
        var userAttrs = JSONObject()
        var systemAttrs = JSONObject()

        init(studyID: Int, name: String) {
            self.studyID = studyID
            self.name = name
        }

        /// Old studies without a direction have the row NOT_SET; they can be listed, not run.
        mutating func add(direction: String) throws {
            switch direction {
            case "MINIMIZE": directions.append(.minimize)
            case "MAXIMIZE": directions.append(.maximize)
            case "NOT_SET": break
            default:
                throw SQLError(
                    .malformed, "study \(studyID) has the unknown direction '\(direction)'")
            }
        }

        var study: FrozenStudy {
            FrozenStudy(
                studyID: studyID, name: name, directions: directions, userAttrs: userAttrs,
                systemAttrs: systemAttrs)
        }
    }
}
