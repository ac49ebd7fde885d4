// START HERE: studies in a relational database, shared with Python's Optuna. This file is the
// storage as studies see it; RDBDatabase and its extensions do the work under its lock.

import FoundationEssentials
import Glibc
public import OrderedJSON
import Synchronization
public import Tuning

/// Keeps studies in an SQLite or PostgreSQL database with the tables of Optuna 5.0.
///
///     let storage = try RDBStorage("sqlite:///study.db")
///     let study = try Study.create(storage: storage, name: "q", loadIfExists: true)
///
/// Any number of processes, of st-host and of Python, may work on one database. One connection
/// serves all threads of this process, one at a time. What was finished is read once and kept.
///
/// **SQLite.** A file that this storage makes uses a write-ahead log where the file system allows
/// it: every change is seen by other processes at once, and is safe from a crash of this one; what
/// a finished trial needs is on the disk when ``setTrialState(_:_:values:)`` returns. On network
/// file systems, and in files that were there before, the journal mode stays what it is.
///
/// **PostgreSQL.** A lost connection is made again with growing pauses; whether a commit that was
/// under way took place is looked up, so nothing is done twice and nothing left out.
public final class RDBStorage: Storage {
    /// How to open a database.
    public struct Options: Sendable {
        /// Seconds between heartbeats of running trials; `nil` for none.
        public var heartbeatInterval: Int?
        /// Seconds without a heartbeat after which a trial counts as dead; by default twice the
        /// interval.
        public var gracePeriod: Int?
        /// Called for every trial that was found dead and failed.
        public var staleTrialCallback: StaleTrialCallback?
        /// Whether a schema of another version is opened all the same.
        public var skipsCompatibilityCheck = false
        /// Whether missing tables are left missing.
        public var skipsTableCreation = false
        /// Whether an SQLite file that is not there is made.
        public var createsFile = true
        /// Seconds to wait for locks of an SQLite file; overrides the URL's `timeout`.
        public var timeout: Double?

        public init() {}
    }

    /// The URL without its password.
    public let url: String
    private let options: Options
    private let database: Mutex<RDBDatabase>

    /// Opens the database, and makes the tables if they are missing.
    ///
    /// - url: `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite://` (in memory) or
    ///   `postgresql://user:password@host:port/database?sslmode=require`; Optuna's
    ///   `postgresql+psycopg2://` is the same. Options behind "?" are libpq's.
    public init(_ url: String, options: Options = Options()) throws {
        try Self.check(options)
        self.url = StorageURL.withoutPassword(url)
        self.options = options
        let location = try StorageLocation(url)
        do {
            let connection: any SQLConnection =
                switch location {
                case .sqlite(let path, let timeout):
                    try SQLiteConnection(
                        path: path, timeout: options.timeout ?? timeout,
                        creates: options.createsFile)
                case .postgresql(let parameters):
                    try PostgreSQLConnection(parameters)
                }
            try Schema.open(connection, options)
            database = Mutex(RDBDatabase(connection))
            OpenStorages.add(self)
        } catch let error as SQLError {
            throw TuningError.storage(url: self.url, problem: error.description)
        }
    }

    private static func check(_ options: Options) throws {
        for (name, value) in [
            ("heartbeat_interval", options.heartbeatInterval),
            ("grace_period", options.gracePeriod),
        ] {
            guard let value, value <= 0 else { continue }
            throw TuningError.argument(
                owner: "RDBStorage", name: name,
                problem: "The value of `\(name)` should be a positive integer.")
        }
    }

    /// Ends the connection; the storage refuses everything from then on.
    public func close() { database.withLock { $0.close() } }

    /// As ``close()``, unless another thread is using the connection.
    fileprivate func closeIfIdle() { database.withLockIfAvailable { $0.close() } }

    public var mediumName: String { "RDB" }

    /// One operation, with the database's problems told together with the URL.
    private func locked<Result: Sendable>(
        _ body: (RDBDatabase) throws -> Result
    ) throws -> Result {
        do {
            return try database.withLock { try body($0) }
        } catch let error as SQLError {
            throw TuningError.storage(url: url, problem: error.description)
        }
    }
}

// MARK: - Studies

extension RDBStorage {
    public func createStudy(directions: [StudyDirection], name: String?) throws -> Int {
        let name = name ?? "no-name-" + UUID().uuidString.lowercased()
        return try locked { try $0.createStudy(directions, name) }
    }

    public func deleteStudy(_ studyID: Int) throws { try locked { try $0.deleteStudy(studyID) } }

    public func studyID(named name: String) throws -> Int {
        try locked { try $0.studyID(named: name) }
    }

    public func allStudies() throws -> [FrozenStudy] { try locked { try $0.studies(nil) } }

    public func study(_ studyID: Int) throws -> FrozenStudy {
        try locked { try $0.study(studyID) }
    }

    public func setStudyUserAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        try locked { try $0.setStudyAttribute("study_user_attributes", studyID, key, value) }
    }

    public func setStudySystemAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        try locked { try $0.setStudyAttribute("study_system_attributes", studyID, key, value) }
    }
}

// MARK: - Trials

extension RDBStorage {
    public func createTrial(_ studyID: Int, template: FrozenTrial?) throws -> FrozenTrial {
        try locked { try $0.createTrial(studyID, template) }
    }

    public func trial(_ trialID: Int) throws -> FrozenTrial {
        try locked { try $0.trial(trialID) }
    }

    public func trials(_ studyID: Int, states: TrialStates) throws -> [FrozenTrial] {
        try locked { try $0.trials(studyID, states) }
    }

    public func updates(_ studyID: Int, since seen: SeenTrials) throws -> TrialUpdates {
        try locked { try $0.updates(studyID, since: seen) }
    }

    public func trialID(_ studyID: Int, number: Int) throws -> Int {
        try locked { try $0.trialID(studyID, number: number) }
    }

    public func bestTrial(_ studyID: Int) throws -> FrozenTrial {
        try locked { try $0.bestTrial(studyID) }
    }

    public func setTrialParameter(
        _ trialID: Int, _ name: String, internalValue: Double, distribution: Distribution
    ) throws {
        try locked { try $0.setTrialParameter(trialID, name, internalValue, distribution) }
    }

    @discardableResult
    public func setTrialState(
        _ trialID: Int, _ state: TrialState, values: [Double]?
    ) throws -> Bool {
        try locked { try $0.setTrialState(trialID, state, values) }
    }

    public func setTrialIntermediateValue(_ trialID: Int, step: Int, _ value: Double) throws {
        try locked { try $0.setTrialIntermediateValue(trialID, step: step, value) }
    }

    public func setTrialUserAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try locked { try $0.setTrialAttribute("trial_user_attributes", trialID, key, value) }
    }

    public func setTrialSystemAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try locked { try $0.setTrialAttribute("trial_system_attributes", trialID, key, value) }
    }
}

// MARK: - Workers

extension RDBStorage {
    public var heartbeatInterval: Double? { options.heartbeatInterval.map(Double.init) }
    public var staleTrialCallback: StaleTrialCallback? { options.staleTrialCallback }

    public func recordHeartbeat(_ trialID: Int) throws {
        try locked { try $0.recordHeartbeat(trialID) }
    }

    public func staleTrials(_ studyID: Int) throws -> [Int] {
        guard let interval = options.heartbeatInterval else { return [] }
        let (twice, overflow) = interval.multipliedReportingOverflow(by: 2)
        let grace = options.gracePeriod ?? (overflow ? Int.max : twice)
        return try locked { try $0.staleTrials(studyID, graceSeconds: grace) }
    }
}

/// Closes at exit what is still open, so that an SQLite file is complete without the log beside it
/// however the program ends.
private enum OpenStorages {
    private struct Entry {
        weak var storage: RDBStorage?
    }

    private static let entries: Mutex<[Entry]> = {
        atexit {
            let open = OpenStorages.entries.withLock { $0.compactMap(\.storage) }
            for storage in open { storage.closeIfIdle() }
        }
        return Mutex([])
    }()

    static func add(_ storage: RDBStorage) {
        entries.withLock { entries in
            entries.removeAll { $0.storage == nil }
            entries.append(Entry(storage: storage))
        }
    }
}
