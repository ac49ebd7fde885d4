// Studies that live as long as the process: the default storage.

package import FoundationEssentials
public import OrderedJSON
import Synchronization

/// Keeps studies in memory; one lock guards everything, so that any thread may call.
public final class InMemoryStorage: Storage {
    private let state = Mutex(State())
    private let now: @Sendable () -> Date
    private let makeName: @Sendable () -> String

    public convenience init() {
        self.init(
            now: { Date() }, makeName: { "no-name-" + UUID().uuidString.lowercased() })
    }

    /// - now: the clock of the trials. - makeName: gives studies names that have none.
    package init(
        now: @escaping @Sendable () -> Date, makeName: @escaping @Sendable () -> String
    ) {
        self.now = now
        self.makeName = makeName
    }

    public var mediumName: String { "memory" }

    /// Everything there is; studies are found by identifier, trials by identifier and place.
    fileprivate struct State {
        var studies: [Int: Entry] = [:]
        var studyIDs: [CodePointName: Int] = [:]
        /// Study and number of each trial, by identifier.
        var places: [Int: (studyID: Int, number: Int)] = [:]
        var nextStudyID = 0
        var nextTrialID = 0
    }

    fileprivate struct Entry {
        var study: FrozenStudy
        var trials: [FrozenTrial] = []
        /// The last distribution of each name, for the compatibility check.
        var distributions = NamedValues<Distribution>()
        var bestNumber: Int?
        /// No trial before this one is WAITING.
        var firstWaiting = 0
        /// Numbers of the finished trials in the order of finishing.
        var finished: [Int] = []
        /// Numbers of the RUNNING trials, ascending.
        var running: [Int] = []
    }

    // MARK: Studies

    public func createStudy(directions: [StudyDirection], name: String?) throws -> Int {
        let name = name ?? makeName()
        return try state.withLock { state in
            if state.studyIDs[CodePointName(name)] != nil {
                throw TuningError.duplicatedStudy(name: name)
            }
            let studyID = state.nextStudyID
            state.nextStudyID += 1
            state.studyIDs[CodePointName(name)] = studyID
            state.studies[studyID] = Entry(
                study: FrozenStudy(studyID: studyID, name: name, directions: directions))
            return studyID
        }
    }

    public func deleteStudy(_ studyID: Int) throws {
        try state.withLock { state in
            let entry = try state.entry(studyID)
            for trial in entry.trials { state.places[trial.trialID] = nil }
            state.studyIDs[CodePointName(entry.study.name)] = nil
            state.studies[studyID] = nil
        }
    }

    public func studyID(named name: String) throws -> Int {
        try state.withLock { state in
            guard let studyID = state.studyIDs[CodePointName(name)] else {
                throw TuningError.unknownStudy(name: name)
            }
            return studyID
        }
    }

    public func allStudies() -> [FrozenStudy] {
        state.withLock { state in
            state.studies.values.map(\.study).sorted { $0.studyID < $1.studyID }
        }
    }

    public func study(_ studyID: Int) throws -> FrozenStudy {
        try state.withLock { try $0.entry(studyID).study }
    }

    public func setStudyUserAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        try state.withLock { state in
            try state.change(study: studyID) { $0.study.userAttrs[key] = value }
        }
    }

    public func setStudySystemAttribute(_ studyID: Int, _ key: String, _ value: JSONValue) throws {
        try state.withLock { state in
            try state.change(study: studyID) { $0.study.systemAttrs[key] = value }
        }
    }

    // MARK: Trials

    public func createTrial(_ studyID: Int, template: FrozenTrial?) throws -> FrozenTrial {
        let now = self.now()
        return try state.withLock { state in
            let trialID = state.nextTrialID
            let trial = try state.change(study: studyID) { entry in
                var trial = template ?? FrozenTrial(number: 0, trialID: 0, state: .running)
                if template == nil { trial.datetimeStart = now }
                trial.number = entry.trials.count
                trial.trialID = trialID
                for (name, distribution) in trial.distributions {
                    try entry.distributions[name]?.checkCompatibility(with: distribution)
                }
                for (name, distribution) in trial.distributions {
                    entry.distributions[name] = distribution
                }
                entry.trials.append(trial)
                entry.considerAsBest(trial)
                if trial.state.isFinished { entry.finished.append(trial.number) }
                if trial.state == .running { entry.running.append(trial.number) }
                return trial
            }
            state.nextTrialID += 1
            state.places[trialID] = (studyID, trial.number)
            return trial
        }
    }

    public func trial(_ trialID: Int) throws -> FrozenTrial {
        try state.withLock { try $0.trial(trialID) }
    }

    public func trials(_ studyID: Int, states: TrialStates) throws -> [FrozenTrial] {
        try state.withLock { state in
            if states == .waiting {
                return try state.change(study: studyID) { $0.waitingTrials() }
            }
            let trials = try state.entry(studyID).trials
            return states == .all ? trials : trials.filter { states.contains($0.state) }
        }
    }

    public func updates(_ studyID: Int, since seen: SeenTrials) throws -> TrialUpdates {
        try state.withLock { state in
            try state.change(study: studyID) { entry in
                // Whoever takes updates takes them from the start, so the count is a place.
                let fresh = entry.finished.dropFirst(seen.count)
                return TrialUpdates(
                    finished: fresh.map { entry.trials[$0] },
                    running: entry.running.map { entry.trials[$0] })
            }
        }
    }

    public func trialID(_ studyID: Int, number: Int) throws -> Int {
        try state.withLock { state in
            let trials = try state.entry(studyID).trials
            guard trials.indices.contains(number) else {
                throw TuningError.unknownTrialNumber(number: number, studyID: studyID)
            }
            return trials[number].trialID
        }
    }

    public func bestTrial(_ studyID: Int) throws -> FrozenTrial {
        try state.withLock { state in
            let entry = try state.entry(studyID)
            guard let number = entry.bestNumber else { throw TuningError.noCompletedTrials }
            return entry.trials[number]
        }
    }

    public func setTrialParameter(
        _ trialID: Int, _ name: String, internalValue: Double, distribution: Distribution
    ) throws {
        try state.withLock { state in
            try state.change(trial: trialID) { entry, trial in
                try entry.distributions[name]?.checkCompatibility(with: distribution)
                entry.distributions[name] = distribution
                trial.params[name] = distribution.value(ofInternal: internalValue)
                trial.distributions[name] = distribution
            }
        }
    }

    @discardableResult
    public func setTrialState(
        _ trialID: Int, _ newState: TrialState, values: [Double]?
    ) throws -> Bool {
        let now = self.now()
        return try state.withLock { state in
            try state.change(trial: trialID) { entry, trial in
                if newState == .running && trial.state != .waiting { return false }
                trial.state = newState
                if let values { trial.values = values }
                if newState == .running { trial.datetimeStart = now }
                if newState == .waiting { entry.firstWaiting = 0 }
                if newState.isFinished {
                    trial.datetimeComplete = now
                    entry.considerAsBest(trial)
                    entry.finished.append(trial.number)
                }
                entry.noteRunning(trial.number, newState == .running)
                return true
            }
        }
    }

    public func setTrialIntermediateValue(_ trialID: Int, step: Int, _ value: Double) throws {
        try state.withLock { state in
            try state.change(trial: trialID) { $1.intermediateValues[step] = value }
        }
    }

    public func setTrialUserAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try state.withLock { state in
            try state.change(trial: trialID) { $1.userAttrs[key] = value }
        }
    }

    public func setTrialSystemAttribute(_ trialID: Int, _ key: String, _ value: JSONValue) throws {
        try state.withLock { state in
            try state.change(trial: trialID) { $1.systemAttrs[key] = value }
        }
    }
}

// MARK: - Under the lock

extension InMemoryStorage.State {
    fileprivate func entry(_ studyID: Int) throws -> InMemoryStorage.Entry {
        guard let entry = studies[studyID] else { throw TuningError.unknownStudyID(studyID) }
        return entry
    }

    fileprivate func trial(_ trialID: Int) throws -> FrozenTrial {
        guard let place = places[trialID], let entry = studies[place.studyID] else {
            throw TuningError.unknownTrialID(trialID)
        }
        return entry.trials[place.number]
    }

    /// Changes a study's entry in place.
    fileprivate mutating func change<Result>(
        study studyID: Int, _ body: (inout InMemoryStorage.Entry) throws -> Result
    ) throws -> Result {
        guard let index = studies.index(forKey: studyID) else {
            throw TuningError.unknownStudyID(studyID)
        }
        return try body(&studies.values[index])
    }

    /// Changes an unfinished trial; an error leaves it as it was.
    fileprivate mutating func change<Result>(
        trial trialID: Int,
        _ body: (inout InMemoryStorage.Entry, inout FrozenTrial) throws -> Result
    ) throws -> Result {
        guard let place = places[trialID] else { throw TuningError.unknownTrialID(trialID) }
        return try change(study: place.studyID) { entry in
            var trial = entry.trials[place.number]
            if trial.state.isFinished { throw TuningError.finishedTrial(number: trial.number) }
            let result = try body(&entry, &trial)
            entry.trials[place.number] = trial
            return result
        }
    }
}

extension InMemoryStorage.Entry {
    /// Called when a trial finishes: keeps the first of the best.
    fileprivate mutating func considerAsBest(_ trial: FrozenTrial) {
        guard trial.state == .complete, let value = trial.values?.first else { return }
        guard let bestNumber, let best = trials[bestNumber].values?.first else {
            self.bestNumber = trial.number
            return
        }
        if study.directions.first == .maximize ? value > best : value < best {
            self.bestNumber = trial.number
        }
    }

    /// Keeps ``running`` ascending.
    fileprivate mutating func noteRunning(_ number: Int, _ isRunning: Bool) {
        let place = running.firstIndex { $0 >= number } ?? running.count
        let isNoted = place < running.count && running[place] == number
        if isRunning && !isNoted { running.insert(number, at: place) }
        if !isRunning && isNoted { running.remove(at: place) }
    }

    fileprivate mutating func waitingTrials() -> [FrozenTrial] {
        while firstWaiting < trials.count && trials[firstWaiting].state != .waiting {
            firstWaiting += 1
        }
        return trials[firstWaiting...].filter { $0.state == .waiting }
    }
}

/// A name hashed and compared by its code points.
fileprivate struct CodePointName: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: Self, right: Self) -> Bool { left.text.hasSameCodePoints(as: right.text) }

    func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
