// What is particular to databases: URLs, versions, damage, and what stays out of messages.

import Foundation
import OrderedJSON
import TestSupport
import Testing
import Tuning
import TuningStorage

struct RDBStorageTests {
    /// A file with one study: a trial of everything and a running one.
    private func database(_ folder: TemporaryFolder) throws -> String {
        let path = folder.url.appending(path: "study.db").path
        let storage = try RDBStorage("sqlite:///" + path)
        let study = try storage.createStudy(directions: [.minimize], name: "s")
        try storage.setStudyUserAttribute(study, "k", "v")
        let range = Distribution.float(try FloatDistribution(low: 0, high: 1))
        _ = try storage.createTrial(
            study,
            template: try FrozenTrial.create(
                values: [0.5], params: ["x": 0.25], distributions: ["x": range],
                userAttrs: ["u": 1], systemAttrs: ["s": 2],
                intermediateValues: IntermediateValues([(1, 2)])))
        _ = try storage.createTrial(study, template: nil)
        storage.close()
        return path
    }

    private func change(_ path: String, _ sql: String) throws {
        let connection = try SQLiteConnection(path: path, timeout: 1, creates: false)
        try connection.execute(sql)
        connection.close()
    }

    // MARK: Versions

    @Test(arguments: [
        ("v3.0.0.d", "run `optuna storage upgrade --storage URL`"),
        ("v0.9.0.a", "run `optuna storage upgrade --storage URL`"),
        ("v9.9.9.a", "use a newer st-host"),
    ])
    func `another schema is refused with the way out`(revision: String, wayOut: String) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try database(folder)
        try change(path, "UPDATE alembic_version SET version_num = '\(revision)'")
        let error = try #require(throws: TuningError.self) { try RDBStorage("sqlite:///" + path) }
        #expect("\(error)".contains(wayOut) && "\(error)".contains(revision), "\(error)")
        var options = RDBStorage.Options()
        options.skipsCompatibilityCheck = true
        #expect(try RDBStorage("sqlite:///" + path, options: options).allStudies().count == 1)
    }

    @Test func `tables without version rows are stamped, as Optuna does`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try database(folder)
        try change(path, "DROP TABLE alembic_version")
        #expect(try RDBStorage("sqlite:///" + path).trials(1, states: .all).count == 2)
        try change(path, "DELETE FROM alembic_version")
        try change(path, "UPDATE version_info SET schema_version = 5")
        #expect(throws: TuningError.self) { try RDBStorage("sqlite:///" + path) }
    }

    @Test func `nothing is made where nothing should be`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = folder.url.appending(path: "none.db").path
        var options = RDBStorage.Options()
        options.createsFile = false
        #expect(throws: TuningError.self) { try RDBStorage("sqlite:///" + path, options: options) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    // MARK: Damage

    static let damage = [
        "UPDATE trials SET state = 'BANANA'", "UPDATE trials SET number = NULL",
        "UPDATE trials SET number = 'x'", "UPDATE trials SET datetime_start = 'yesterday'",
        "UPDATE trials SET datetime_complete = 12", "UPDATE trials SET study_id = NULL",
        "UPDATE trial_params SET distribution_json = '{'",
        "UPDATE trial_params SET distribution_json = '{\"name\": \"X\", \"attributes\": {}}'",
        "UPDATE trial_params SET distribution_json = '[]'",
        "UPDATE trial_params SET distribution_json = NULL",
        "UPDATE trial_params SET distribution_json = "
            + "'{\"name\": \"IntDistribution\", \"attributes\": {\"low\": 1e300, \"high\": 2}}'",
        "UPDATE trial_params SET distribution_json = "
            + "'{\"name\": \"CategoricalDistribution\", \"attributes\": {\"choices\": []}}'",
        "UPDATE trial_params SET param_value = 'x'", "UPDATE trial_params SET param_value = NULL",
        "UPDATE trial_params SET param_name = NULL",
        "UPDATE trial_params SET param_name = x'ff'",
        "UPDATE trial_values SET objective = 7", "UPDATE trial_values SET value_type = 'X'",
        "UPDATE trial_values SET value = NULL", "UPDATE trial_values SET value = 9e999",
        "UPDATE trial_intermediate_values SET intermediate_value_type = 'X'",
        "UPDATE trial_intermediate_values SET step = 1.5",
        "UPDATE trial_user_attributes SET value_json = '{'",
        "UPDATE trial_system_attributes SET value_json = ''",
        "UPDATE trial_user_attributes SET value_json = NULL",
        "UPDATE study_user_attributes SET value_json = 'nope'",
        "UPDATE study_directions SET direction = 'UP'", "DELETE FROM study_directions",
        "DROP TABLE trial_params", "DROP TABLE trials", "ALTER TABLE trials DROP COLUMN number",
        "UPDATE trials SET number = 0", "UPDATE trials SET number = -5",
        "UPDATE trials SET number = 9223372036854775807",
    ]

    /// Reads and writes everything; what throws must throw a storage's or a study's error.
    @Test(arguments: damage)
    func `a damaged database is an error or is read, never a crash`(sql: String) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try database(folder)
        try change(path, sql)
        func attempt(_ body: () throws -> Void) {
            do {
                try body()
            } catch let error as TuningError {
                #expect(!"\(error)".contains("internal error"), "\(error)")
            } catch {
                Issue.record("\(sql): \(error)")
            }
        }
        attempt {
            let storage = try RDBStorage("sqlite:///" + path)
            attempt { _ = try storage.allStudies() }
            attempt { _ = try storage.trials(1, states: .all) }
            attempt { _ = try storage.bestTrial(1) }
            attempt { _ = try storage.trialID(1, number: 1) }
            attempt { _ = try storage.createTrial(1, template: nil) }
            attempt {
                try storage.setTrialParameter(
                    2, "x", internalValue: 0.5,
                    distribution: .float(try FloatDistribution(low: 0, high: 1)))
            }
            attempt { _ = try storage.setTrialState(2, .complete, values: [1]) }
            attempt { try storage.deleteStudy(1) }
        }
    }

    @Test func `files with flipped bytes are errors or are read, never a crash`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try database(folder)
        let whole = try Data(contentsOf: URL(filePath: path))
        var generator = SystemRandomNumberGenerator()
        for round in 0..<60 {
            var bytes = whole
            if round % 3 == 0 { bytes.removeLast(Int.random(in: 1..<bytes.count)) }
            for _ in 0..<20 where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255)
            }
            try bytes.write(to: URL(filePath: path))
            do {
                let storage = try RDBStorage("sqlite:///" + path)
                for study in try storage.allStudies() {
                    _ = try storage.trials(study.studyID, states: .all)
                    _ = try storage.createTrial(study.studyID, template: nil)
                }
            } catch is TuningError {}
        }
        try Data("this is no database, but it is long enough to be one".utf8)
            .write(to: URL(filePath: path))
        let error = try #require(throws: TuningError.self) { try RDBStorage("sqlite:///" + path) }
        #expect("\(error)".contains("the file is not an SQLite database"))
    }

    // MARK: URLs

    @Test(arguments: [
        "", ":", "://", "sqlite", "sqlite:", "sqlite:/a", "sqlite://a.db", "sqlite:///a?x=1",
        "sqlite:///a?timeout=-1", "sqlite:///file:x?mode=ro", "sqlite:////no/such/dir/x.db",
        "sqlite:////", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@127.0.0.1:1/d",
        "postgresql+psycopg2://u:hunter2@127.0.0.1:notaport/d",
        "postgresql://u:hunter2@127.0.0.1:1/d?nonsense=1", "postgresql://u:hunter2%zz@h/d",
        "postgresql://u:hunter2/x@127.0.0.1:1/d", "postgresql://127.0.0.1:1/d?password=hunter2",
        "postgresql://[::1]:1/d?user=u&password=hunter2", "redis://:hunter2@h", "\u{0}://",
        "postgresql://u:hunter2@h:1?host=127.0.0.1:1&host=127.0.0.1:2&sslmode=bogus", "é://ü",
        "postgresql://u:hunter2?x@127.0.0.1:1/d", "postgresql:/u:hunter2@h/d", "u:hunter2@h/d",
    ])
    func `a URL that leads nowhere is an error without its password`(url: String) throws {
        let error = try #require(throws: TuningError.self) { try RDBStorage(url) }
        #expect(!"\(error)".contains("hunter2"), "\(error)")
    }

    @Test func `URLs are read as SQLAlchemy reads them`() throws {
        func parameters(_ url: String) throws -> [String: String] {
            guard case .postgresql(let list) = try StorageLocation(url) else { return [:] }
            return Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.value) })
        }
        #expect(
            try parameters("postgresql://a%40b:p%3Aw@[::1]:5433/d?sslmode=verify-full") == [
                "user": "a@b", "password": "p:w", "host": "::1", "port": "5433", "dbname": "d",
                "sslmode": "verify-full",
            ])
        #expect(
            try parameters("postgresql+psycopg2:///d?host=/run/pg&sslrootcert=%2Fca.pem")
                == ["dbname": "d", "host": "/run/pg", "sslrootcert": "/ca.pem"])
        #expect(
            try parameters("postgresql://u@/d?host=a:1&host=b:2")
                == ["user": "u", "dbname": "d", "host": "a,b", "port": "1,2"])
        #expect(try StorageLocation("sqlite:///a b.db") == .sqlite(path: "a b.db", timeout: 60))
        #expect(
            try StorageLocation("sqlite:////a%20.db?timeout=5")
                == .sqlite(path: "/a%20.db", timeout: 5))
        #expect(try StorageLocation("sqlite://") == .sqlite(path: nil, timeout: 60))
    }

    // MARK: Times

    @Test(arguments: [
        ("2026-11-23 20:45:04.668300", "2026-11-23 20:45:04.668300"),
        ("1969-12-31T23:59:59.5", "1969-12-31 23:59:59.500000"),
        ("2024-02-29 00:00:00", "2024-02-29 00:00:00.000000"),
        ("2026-01-01T05:30:00.123456789+05:30", "2026-01-01 00:00:00.123456"),
        ("0001-01-01 00:00:00", "0001-01-01 00:00:00.000000"),
        ("9999-12-31 23:59:59.000000", "9999-12-31 23:59:59.000000"),
    ])
    func `times are kept to the microsecond`(text: String, stored: String) throws {
        let date = try #require(Timestamp.parse(text))
        #expect(Timestamp.sql(date) == stored)
        #expect(Timestamp.parse(Timestamp.sql(date)) == Timestamp.parse(stored))
    }

    @Test(arguments: [
        "", "x", "2026-11-23", "2026-13-01 00:00:00", "2025-02-29 00:00:00", "2026-11-23 24:00:00",
        "2026-11-23 20:45:04.", "2026-11-23 20:45:04 ", "infinity", "20261123T204504",
        "2026-11-23 20:45:04+99:00",
    ])
    func `what is no time is none`(text: String) { #expect(Timestamp.parse(text) == nil) }
}
