// Studies in a journal: every change is a line, the state is what all lines together say.

import FoundationEssentials
import Glibc
public import OrderedJSON
import Synchronization
public import Tuning

/// Keeps studies in a journal file that Optuna's `JournalStorage` shares. For file systems on which
/// SQLite's locks don't work, such as NFS.
public final class JournalStorage: Storage {
    private let backend: JournalFileBackend
    private let state: Mutex<State>
    /// Tells this process's lines from others'.
    private let workerPrefix = UUID().uuidString.lowercased() + "-"

    private struct State {
        var replay = JournalReplay()
        var offset = 0
    }

    public init(_ backend: JournalFileBackend) throws {
        self.backend = backend
        state = Mutex(State())
        try synced { _ in }
    }

    public var path: String { backend.path }
    public var mediumName: String { "Journal" }

    // MARK: Lines

    private var worker: String { workerPrefix + String(UInt(pthread_self())) }

    /// Reads what is new, then looks at the state.
    private func synced<Result: Sendable>(
        _ body: (JournalReplay) throws -> Result
    ) throws -> Result {
        try state.withLock { state in
            try sync(&state)
            return try body(state.replay)
        }
    }

    private func sync(_ state: inout State) throws {
        let bytes = try backend.read(from: state.offset)
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .dropLast()
        {
            do {
                let value = try JSONValue.parse(String(decoding: line, as: UTF8.self))
                try state.replay.apply(value, worker: worker)
            } catch let error as JSONError {
                throw damaged(state, error.problem)
            } catch let error as JournalReplay.Malformed {
                throw damaged(state, error.problem)
            }
            state.offset += line.count + 1
        }
    }

    private func damaged(_ state: State, _ problem: String) -> TuningError {
        .storage(
            url: backend.path,
            problem: "byte \(state.offset) begins a line that is not a journal's: \(problem)")
    }

    /// Writes a line and returns what became of it; `check` refuses before anything is written.
    private func write(
        _ operation: JournalOperation, _ members: JSONObject,
        check: (JournalReplay) throws -> Void
    ) throws -> JournalReplay.OwnLine {
        try state.withLock { state in
            try sync(&state)
            try check(state.replay)
            var log: JSONObject = [
                "op_code": JSONValue(operation.rawValue), "worker_id": .string(worker),
            ]
            for (name, value) in members { log[name] = value }
            try backend.append(log)
            try sync(&state)
            if let error = state.replay.own.error { throw error }
            return state.replay.own
        }
    }

    private func writeToStudy(
        _ operation: JournalOperation, _ studyID: Int, _ members: JSONObject
    ) throws -> JournalReplay.OwnLine {
        var all: JSONObject = ["study_id": JSONValue(studyID)]
        for (name, value) in members { all[name] = value }
        return try write(operation, all) { replay in
            if replay.studies[studyID] == nil { throw TuningError.unknownStudyID(studyID) }
        }
    }

    @discardableResult
    private func writeToTrial(
        _ operation: JournalOperation, _ trialID: Int, _ members: JSONObject,
        check: (JournalReplay, FrozenTrial) throws -> Void = { _, _ in }
    ) throws -> JournalReplay.OwnLine {
        var all: JSONObject = ["trial_id": JSONValue(trialID)]
        for (name, value) in members { all[name] = value }
        return try write(operation, all) { replay in
            guard let trial = replay.trial(trialID) else {
                throw TuningError.unknownTrialID(trialID)
            }
            if trial.state.isFinished { throw TuningError.finishedTrial(number: trial.number) }
            try check(replay, trial)
        }
    }
}

// MARK: - Studies

extension JournalStorage {
    public func createStudy(directions: [StudyDirection], name: String?) throws -> Int {
        let name = name ?? "no-name-" + UUID().uuidString.lowercased()
        let own = try write(
            .createStudy,
            [
                "study_name": .string(name),
                "directions": .array(directions.map { JSONValue($0.rawValue) }),
            ]
        ) { replay in
            if replay.studies.values.contains(where: {
                $0.study.name.utf8.elementsEqual(name.utf8)
            }) {
                throw TuningError.duplicatedStudy(name: name)
            }
        }
        guard let studyID = own.studyID else {
            throw TuningError.internalError("a study that was written is not there")
        }
        return studyID
    }

    public func deleteStudy(_ studyID: Int) throws {
        _ = try writeToStudy(.deleteStudy, studyID, [:])
    }

    public func studyID(named name: String) throws -> Int {
        try synced { replay in
            for (studyID, entry) in replay.studies
            where entry.study.name.utf8.elementsEqual(name.utf8) {
                return studyID
            }
            throw TuningError.unknownStudy(name: name)
        }
    }

    public func allStudies() throws -> [FrozenStudy] {
        try synced { $0.studies.values.map(\.study).sorted { $0.studyID < $1.studyID } }
    }

    public func study(_ studyID: Int) throws -> FrozenStudy {
        try synced { try Self.entry($0, studyID).study }
    }

    private static func entry(
        _ replay: JournalReplay, _ studyID: Int
    ) throws -> JournalReplay.Entry {
        guard let entry = replay.studies[studyID] else {
            throw TuningError.unknownStudyID(studyID)
        }
        return entry
    }

    public func setStudyUserAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        _ = try writeToStudy(
            .setStudyUserAttribute, studyID, ["user_attr": .object(JSONObject([(key, value)]))])
    }

    public func setStudySystemAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        _ = try writeToStudy(
            .setStudySystemAttribute, studyID,
            ["system_attr": .object(JSONObject([(key, value)]))])
    }
}

// MARK: - Trials

extension JournalStorage {
    public func createTrial(_ studyID: Int, template: FrozenTrial?) throws -> FrozenTrial {
        let start = template == nil ? Timestamp.now() : template?.datetimeStart
        var log: JSONObject = ["datetime_start": JSONValue(start.map(Timestamp.iso))]
        if let template { try describe(template, &log) }
        let own = try writeToStudy(.createTrial, studyID, log)
        guard let trialID = own.trialID else {
            throw TuningError.internalError("a trial that was written is not there")
        }
        return try trial(trialID)
    }

    private func describe(_ template: FrozenTrial, _ log: inout JSONObject) throws {
        log["state"] = JSONValue(template.state.rawValue)
        let values = template.values ?? []
        log["value"] = values.count == 1 ? .double(values[0]) : .null
        log["values"] = values.count > 1 ? .array(values.map { .double($0) }) : .null
        if let complete = template.datetimeComplete {
            log["datetime_complete"] = .string(Timestamp.iso(complete))
        }
        var distributions = JSONObject()
        var params = JSONObject()
        for (name, distribution) in template.distributions {
            guard let value = template.params[name] else { continue }
            distributions[name] = .string(distribution.json)
            params[name] = .double(try distribution.internalValue(of: value))
        }
        log["distributions"] = .object(distributions)
        log["params"] = .object(params)
        log["user_attrs"] = .object(template.userAttrs)
        log["system_attrs"] = .object(template.systemAttrs)
        let reports = template.intermediateValues
        log["intermediate_values"] = .object(
            JSONObject(zip(reports.steps, reports.values).map { (String($0), .double($1)) }))
    }

    public func trial(_ trialID: Int) throws -> FrozenTrial {
        try synced { replay in
            guard let trial = replay.trial(trialID) else {
                throw TuningError.unknownTrialID(trialID)
            }
            return trial
        }
    }

    public func trials(_ studyID: Int, states: TrialStates) throws -> [FrozenTrial] {
        try synced { replay in
            let trials = try Self.entry(replay, studyID).trials
            return states == .all ? trials : trials.filter { states.contains($0.state) }
        }
    }

    public func trialID(_ studyID: Int, number: Int) throws -> Int {
        try synced { replay in
            let trials = try Self.entry(replay, studyID).trials
            guard trials.indices.contains(number) else {
                throw TuningError.unknownTrialNumber(number: number, studyID: studyID)
            }
            return trials[number].trialID
        }
    }

    public func setTrialParameter(
        _ trialID: Int, _ name: String, internalValue: Double, distribution: Distribution
    ) throws {
        try writeToTrial(
            .setTrialParameter, trialID,
            [
                "param_name": .string(name), "param_value_internal": .double(internalValue),
                "distribution": .string(distribution.json),
            ]
        ) { replay, trial in
            let studyID = replay.places[trial.trialID].studyID
            try replay.studies[studyID]?.distributions[name]?
                .checkCompatibility(with: distribution)
        }
    }

    @discardableResult
    public func setTrialState(
        _ trialID: Int, _ newState: TrialState, values: [Double]?
    ) throws -> Bool {
        var log: JSONObject = [
            "state": JSONValue(newState.rawValue),
            "values": values.map { .array($0.map { .double($0) }) } ?? .null,
        ]
        let now = JSONValue.string(Timestamp.iso(Timestamp.now()))
        if newState == .running { log["datetime_start"] = now }
        if newState.isFinished { log["datetime_complete"] = now }
        do {
            let own = try writeToTrial(.setTrialStateValues, trialID, log) { _, trial in
                if newState == .running && trial.state != .waiting { throw Taken() }
            }
            return newState != .running || own.hasClaimed
        } catch is Taken {
            return false
        }
    }

    /// A trial that is not waiting any more.
    private struct Taken: Error {}

    public func setTrialIntermediateValue(_ trialID: Int, step: Int, _ value: Double) throws {
        try writeToTrial(
            .setTrialIntermediateValue, trialID,
            ["step": JSONValue(step), "intermediate_value": .double(value)])
    }

    public func setTrialUserAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try writeToTrial(
            .setTrialUserAttribute, trialID,
            ["user_attr": .object(JSONObject([(key, value)]))])
    }

    public func setTrialSystemAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try writeToTrial(
            .setTrialSystemAttribute, trialID,
            ["system_attr": .object(JSONObject([(key, value)]))])
    }
}
