// What a journal says: its lines, applied one after the other. Of two lines that exclude each other
// the first counts, so every reader comes to the same result.

import FoundationEssentials
import OrderedJSON
import Tuning

/// Codes of Optuna's `JournalOperation`.
enum JournalOperation: Int {
    case createStudy = 0
    case deleteStudy, setStudyUserAttribute, setStudySystemAttribute
    case createTrial, setTrialParameter, setTrialStateValues, setTrialIntermediateValue
    case setTrialUserAttribute, setTrialSystemAttribute
    /// Of Rustuna; has no effect in Optuna.
    case discardTrials
}

/// The state after the lines read so far.
struct JournalReplay {
    struct Entry {
        var study: FrozenStudy
        /// By number.
        var trials: [FrozenTrial] = []
        var distributions = NamedValues<Distribution>()
    }

    private(set) var studies: [Int: Entry] = [:]
    /// Study and number of every trial ever made, by identifier.
    private(set) var places: [(studyID: Int, number: Int)] = []
    private var nextStudyID = 0
    private(set) var lineCount = 0

    /// What became of the line that this process has just written.
    private(set) var own = OwnLine()

    struct OwnLine {
        var error: TuningError?
        var studyID: Int?
        var trialID: Int?
        var hasClaimed = false
    }

    /// A line that is no line of a journal.
    struct Malformed: Error {
        let problem: String
    }

    func trial(_ trialID: Int) -> FrozenTrial? {
        guard places.indices.contains(trialID) else { return nil }
        return studies[places[trialID].studyID]?.trials[places[trialID].number]
    }

    /// - worker: lines of this writer are told apart.
    mutating func apply(_ line: JSONValue, worker: String) throws {
        lineCount += 1
        let log = try JournalLine(line)
        let isOwn = log.worker == worker
        if isOwn { own = OwnLine() }
        do {
            try apply(log, isOwn: isOwn)
        } catch let error as TuningError where isOwn {
            own.error = error
        } catch is TuningError {
            // Another worker was told so.
        }
    }

    private mutating func apply(_ log: JournalLine, isOwn: Bool) throws {
        guard let operation = JournalOperation(rawValue: try log.int("op_code")) else {
            throw Malformed(problem: "unknown op_code \(try log.int("op_code"))")
        }
        switch operation {
        case .createStudy: try createStudy(log, isOwn: isOwn)
        case .deleteStudy:
            let studyID = try log.int("study_id")
            try changeStudy(studyID) { _ in }
            studies[studyID] = nil
        case .setStudyUserAttribute:
            let attributes = try log.object("user_attr")
            try changeStudy(try log.int("study_id")) { entry in
                entry.study = entry.study.adding(userAttrs: attributes)
            }
        case .setStudySystemAttribute:
            let attributes = try log.object("system_attr")
            try changeStudy(try log.int("study_id")) { entry in
                entry.study = entry.study.adding(systemAttrs: attributes)
            }
        case .createTrial: try createTrial(log, isOwn: isOwn)
        case .setTrialParameter: try setParameter(log)
        case .setTrialStateValues: try setState(log, isOwn: isOwn)
        case .setTrialIntermediateValue:
            let (step, value) = (try log.int("step"), try log.double("intermediate_value"))
            try changeTrial(log) { $1.intermediateValues[step] = value }
        case .setTrialUserAttribute:
            let attributes = try log.object("user_attr")
            try changeTrial(log) { _, trial in
                for (key, value) in attributes { trial.userAttrs[key] = value }
            }
        case .setTrialSystemAttribute:
            let attributes = try log.object("system_attr")
            try changeTrial(log) { _, trial in
                for (key, value) in attributes { trial.systemAttrs[key] = value }
            }
        case .discardTrials: break
        }
    }

    // MARK: Studies

    private mutating func createStudy(_ log: JournalLine, isOwn: Bool) throws {
        let name = try log.text("study_name")
        let directions = try log.array("directions").map { value in
            // 0 is NOT_SET of old studies.
            value.intValue.flatMap(StudyDirection.init(rawValue:)) ?? .minimize
        }
        if studies.values.contains(where: { $0.study.name.utf8.elementsEqual(name.utf8) }) {
            throw TuningError.duplicatedStudy(name: name)
        }
        studies[nextStudyID] = Entry(
            study: FrozenStudy(studyID: nextStudyID, name: name, directions: directions))
        if isOwn { own.studyID = nextStudyID }
        nextStudyID += 1
    }

    private mutating func changeStudy<Result>(
        _ studyID: Int, _ body: (inout Entry) throws -> Result
    ) throws -> Result {
        guard let index = studies.index(forKey: studyID) else {
            throw TuningError.unknownStudyID(studyID)
        }
        return try body(&studies.values[index])
    }

    // MARK: Trials

    private mutating func createTrial(_ log: JournalLine, isOwn: Bool) throws {
        let trialID = places.count
        let studyID = try log.int("study_id")
        let state = try log.optionalInt("state") ?? TrialState.running.rawValue
        guard let state = TrialState(rawValue: state) else {
            throw Malformed(problem: "unknown state \(state)")
        }
        var trial = FrozenTrial(number: 0, trialID: trialID, state: state)
        trial.datetimeStart = try log.time("datetime_start")
        trial.datetimeComplete = try log.time("datetime_complete")
        for (name, value) in try log.optionalObject("distributions") {
            trial.distributions[name] = try distribution(value, name)
        }
        for (name, value) in try log.optionalObject("params") {
            guard let distribution = trial.distributions[name], let number = value.doubleValue
            else { throw Malformed(problem: "parameter '\(name)' has no number or no range") }
            trial.params[name] = distribution.value(ofInternal: number)
        }
        trial.userAttrs = try log.optionalObject("user_attrs")
        trial.systemAttrs = try log.optionalObject("system_attrs")
        for (step, value) in try log.optionalObject("intermediate_values") {
            guard let step = Int(step), let number = value.doubleValue else {
                throw Malformed(problem: "an intermediate value is no number at a step")
            }
            trial.intermediateValues[step] = number
        }
        trial.values = try log.optionalNumbers("values") ?? log.optionalDouble("value").map { [$0] }
        let number = try changeStudy(studyID) { entry in
            trial.number = entry.trials.count
            for (name, distribution) in trial.distributions
            where entry.distributions[name] == nil {
                entry.distributions[name] = distribution
            }
            entry.trials.append(trial)
            return trial.number
        }
        places.append((studyID, number))
        if isOwn { own.trialID = trialID }
    }

    private func distribution(_ value: JSONValue, _ name: String) throws -> Distribution {
        guard let json = value.stringValue else {
            throw Malformed(problem: "the distribution of '\(name)' is no text")
        }
        do {
            return try Distribution(json: json)
        } catch {
            throw Malformed(problem: "\(error)")
        }
    }

    private mutating func setParameter(_ log: JournalLine) throws {
        let name = try log.text("param_name")
        let number = try log.double("param_value_internal")
        let new = try distribution(.string(try log.text("distribution")), name)
        try changeTrial(log) { entry, trial in
            try entry.distributions[name]?.checkCompatibility(with: new)
            if entry.distributions[name] == nil { entry.distributions[name] = new }
            trial.params[name] = new.value(ofInternal: number)
            trial.distributions[name] = new
        }
    }

    private mutating func setState(_ log: JournalLine, isOwn: Bool) throws {
        let code = try log.int("state")
        guard let state = TrialState(rawValue: code) else {
            throw Malformed(problem: "unknown state \(code)")
        }
        let values = try log.optionalNumbers("values")
        let start = try log.time("datetime_start")
        let complete = try log.time("datetime_complete")
        var hasClaimed = false
        try changeTrial(log) { _, trial in
            // Another worker was faster.
            if state == .running && trial.state == .running { return }
            if state == .running {
                trial.datetimeStart = start
                hasClaimed = true
            }
            if state.isFinished { trial.datetimeComplete = complete }
            trial.state = state
            if let values { trial.values = values }
        }
        if isOwn { own.hasClaimed = hasClaimed }
    }

    /// Changes an unfinished trial; an error leaves it as it was.
    private mutating func changeTrial(
        _ log: JournalLine, _ body: (inout Entry, inout FrozenTrial) throws -> Void
    ) throws {
        let trialID = try log.int("trial_id")
        guard places.indices.contains(trialID) else { throw TuningError.unknownTrialID(trialID) }
        let place = places[trialID]
        guard studies[place.studyID] != nil else { throw TuningError.unknownTrialID(trialID) }
        try changeStudy(place.studyID) { entry in
            var trial = entry.trials[place.number]
            if trial.state.isFinished { throw TuningError.finishedTrial(number: trial.number) }
            try body(&entry, &trial)
            entry.trials[place.number] = trial
        }
    }
}

extension FrozenStudy {
    fileprivate func adding(
        userAttrs: JSONObject = [:], systemAttrs: JSONObject = [:]
    ) -> FrozenStudy {
        var (user, system) = (self.userAttrs, self.systemAttrs)
        for (key, value) in userAttrs { user[key] = value }
        for (key, value) in systemAttrs { system[key] = value }
        return FrozenStudy(
            studyID: studyID, name: name, directions: directions, userAttrs: user,
            systemAttrs: system)
    }
}

/// The members of a line, read with their types checked.
private struct JournalLine {
    private let members: JSONObject
    let worker: String

    init(_ line: JSONValue) throws {
        guard let members = line.objectValue else {
            throw JournalReplay.Malformed(problem: "expected an object, found \(line.kind)")
        }
        self.members = members
        worker = members["worker_id"]?.stringValue ?? ""
    }

    private func value<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws -> Value {
        let found = members[name] ?? .null
        guard let value = read(found) else {
            throw JournalReplay.Malformed(
                problem: "'\(name)': expected \(expected), found \(found.kind)")
        }
        return value
    }

    private func optional<Value>(
        _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws -> Value? {
        guard let found = members[name], !found.isNull else { return nil }
        return try value(name, expected, read)
    }

    func int(_ name: String) throws -> Int { try value(name, "an integer", \.intValue) }
    func double(_ name: String) throws -> Double { try value(name, "a number", \.doubleValue) }
    func text(_ name: String) throws -> String { try value(name, "a text", \.stringValue) }
    func array(_ name: String) throws -> [JSONValue] { try value(name, "an array", \.arrayValue) }
    func object(_ name: String) throws -> JSONObject {
        try value(name, "an object", \.objectValue)
    }
    func optionalInt(_ name: String) throws -> Int? { try optional(name, "a number", \.intValue) }
    func optionalDouble(_ name: String) throws -> Double? {
        try optional(name, "a number", \.doubleValue)
    }
    func optionalObject(_ name: String) throws -> JSONObject {
        try optional(name, "an object", \.objectValue) ?? [:]
    }

    func optionalNumbers(_ name: String) throws -> [Double]? {
        try optional(name, "numbers") { found in
            guard let values = found.arrayValue else { return nil }
            let numbers = values.compactMap(\.doubleValue)
            return numbers.count == values.count ? numbers : nil
        }
    }

    func time(_ name: String) throws -> Date? {
        try optional(name, "a time") { $0.stringValue.flatMap(Timestamp.parse) }
    }
}
