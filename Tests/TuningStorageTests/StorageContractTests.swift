// What every storage must do. A new storage adds a case to `StorageKind`.

import Foundation
import OrderedJSON
import Testing
import Tuning

struct StorageContractTests {
    private func range() throws -> Distribution {
        .float(try FloatDistribution(low: 0, high: 1))
    }

    @Test(arguments: StorageKind.available)
    func `studies are found by name and identifier until they are deleted`(_ kind: StorageKind)
        throws
    {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let first = try storage.createStudy(directions: [.minimize], name: "a")
        let second = try storage.createStudy(directions: [.maximize, .minimize], name: nil)
        #expect(first != second)
        #expect(try storage.studyID(named: "a") == first)
        #expect(try storage.study(second).directions == [.maximize, .minimize])
        #expect(try storage.study(second).name.hasPrefix("no-name-"))
        #expect(try storage.allStudies().map(\.studyID) == [first, second])
        #expect(throws: TuningError.duplicatedStudy(name: "a")) {
            try storage.createStudy(directions: [.minimize], name: "a")
        }
        let trial = try storage.createTrial(first, template: nil)
        try storage.deleteStudy(first)
        #expect(throws: TuningError.unknownStudyID(first)) { try storage.study(first) }
        #expect(throws: TuningError.unknownStudyID(first)) { try storage.deleteStudy(first) }
        #expect(throws: TuningError.unknownStudy(name: "a")) { try storage.studyID(named: "a") }
        #expect(throws: TuningError.unknownTrialID(trial.trialID)) {
            try storage.trial(trial.trialID)
        }
        _ = try storage.createStudy(directions: [.minimize], name: "a")
    }

    @Test(arguments: StorageKind.available)
    func `names are told apart by code points`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let composed = try storage.createStudy(directions: [.minimize], name: "\u{e9}")
        let decomposed = try storage.createStudy(directions: [.minimize], name: "e\u{301}")
        #expect(try storage.studyID(named: "\u{e9}") == composed)
        #expect(try storage.studyID(named: "e\u{301}") == decomposed)
    }

    @Test(arguments: StorageKind.available)
    func `attributes are set, replaced and read back`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        let tree: JSONValue = ["b": [1, 2.0, .null, true], "a": ["é": "\u{0}"]]
        try storage.setStudyUserAttribute(study, "k", 1)
        try storage.setStudyUserAttribute(study, "k", tree)
        try storage.setStudySystemAttribute(study, "k", "system")
        #expect(try storage.study(study).userAttrs == ["k": tree])
        #expect(try storage.study(study).systemAttrs == ["k": "system"])
        let trial = try storage.createTrial(study, template: nil).trialID
        try storage.setTrialUserAttribute(trial, "u", tree)
        try storage.setTrialSystemAttribute(trial, "s", .double(.infinity))
        #expect(try storage.trial(trial).userAttrs == ["u": tree])
        #expect(try storage.trial(trial).systemAttrs["s"]?.doubleValue == .infinity)
        #expect(throws: TuningError.unknownStudyID(99)) {
            try storage.setStudyUserAttribute(99, "k", 1)
        }
        #expect(throws: TuningError.unknownTrialID(99)) {
            try storage.setTrialUserAttribute(99, "k", 1)
        }
    }

    @Test(arguments: StorageKind.available)
    func `trials are numbered per study and begin running`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let studies = try (0..<2).map { _ in
            try storage.createStudy(directions: [.minimize], name: nil)
        }
        let before = Date()
        let trials = try (0..<6).map { try storage.createTrial(studies[$0 % 2], template: nil) }
        #expect(trials.map(\.number) == [0, 0, 1, 1, 2, 2])
        #expect(Set(trials.map(\.trialID)).count == 6)
        for trial in trials {
            #expect(trial.state == .running && trial.datetimeComplete == nil)
            let start = try #require(trial.datetimeStart)
            #expect(start >= before.addingTimeInterval(-0.01) && start <= Date())
            #expect(try storage.trial(trial.trialID) == trial)
        }
        #expect(try storage.trialID(studies[1], number: 2) == trials[5].trialID)
        #expect(throws: TuningError.unknownTrialNumber(number: 3, studyID: studies[1])) {
            try storage.trialID(studies[1], number: 3)
        }
        #expect(throws: TuningError.unknownTrialNumber(number: -1, studyID: studies[1])) {
            try storage.trialID(studies[1], number: -1)
        }
    }

    @Test(arguments: StorageKind.available)
    func `everything a running trial does is read back`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        let trial = try storage.createTrial(study, template: nil).trialID
        let choices = Distribution.categorical(
            try CategoricalDistribution(choices: ["a", .null, 2, 2.5, false]))
        let integers = Distribution.int(try IntDistribution(low: 1, high: 9, step: 2))
        try storage.setTrialParameter(trial, "z", internalValue: 0.25, distribution: range())
        try storage.setTrialParameter(trial, "c", internalValue: 3, distribution: choices)
        try storage.setTrialParameter(trial, "n", internalValue: 5, distribution: integers)
        try storage.setTrialIntermediateValue(trial, step: 4, 0.5)
        try storage.setTrialIntermediateValue(trial, step: 2, .nan)
        try storage.setTrialIntermediateValue(trial, step: 4, -.infinity)
        let held = try storage.trial(trial)
        #expect(try storage.setTrialState(trial, .complete, values: [.infinity]))
        let record = try storage.trial(trial)
        #expect(record.params.names == ["z", "c", "n"])
        #expect(record.params == ["z": 0.25, "c": 2.5, "n": 5])
        #expect(record.distributions["c"] == choices && record.distributions["n"] == integers)
        #expect(record.intermediateValues == IntermediateValues([(2, .nan), (4, -.infinity)]))
        #expect(record.lastStep == 4)
        #expect(record.state == .complete && record.values == [.infinity])
        #expect(try #require(record.datetimeComplete) >= #require(record.datetimeStart))
        // A record in hand does not change.
        #expect(held.state == .running && held.values == nil)
    }

    @Test(arguments: StorageKind.available)
    func `a finished trial refuses every change`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        for state in [TrialState.complete, .pruned, .fail] {
            let trial = try storage.createTrial(study, template: nil)
            try storage.setTrialState(
                trial.trialID, state, values: state == .complete ? [1] : nil)
            let before = try storage.trial(trial.trialID)
            let id = trial.trialID
            let refused = TuningError.finishedTrial(number: trial.number)
            #expect(throws: refused) {
                try storage.setTrialParameter(
                    id, "x", internalValue: 0, distribution: range())
            }
            #expect(throws: refused) { try storage.setTrialState(id, .running, values: nil) }
            #expect(throws: refused) { try storage.setTrialState(id, .complete, values: [2]) }
            #expect(throws: refused) { try storage.setTrialIntermediateValue(id, step: 0, 1) }
            #expect(throws: refused) { try storage.setTrialUserAttribute(id, "a", 1) }
            #expect(throws: refused) { try storage.setTrialSystemAttribute(id, "a", 1) }
            #expect(try storage.trial(id) == before)
        }
    }

    @Test(arguments: StorageKind.available)
    func `a waiting trial is taken once`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        _ = try storage.createTrial(study, template: nil)
        let template = try FrozenTrial.create(
            state: .waiting, userAttrs: ["a": 1], systemAttrs: ["fixed_params": ["x": 0.5]])
        let waiting = try storage.createTrial(study, template: template)
        let other = try storage.createTrial(study, template: template)
        #expect(waiting.state == .waiting && waiting.datetimeStart == nil && waiting.number == 1)
        #expect(waiting.userAttrs == ["a": 1])
        let queue = try storage.trials(study, states: .waiting)
        #expect(queue.map(\.number) == [1, 2])
        #expect(try storage.setTrialState(waiting.trialID, .running, values: nil))
        #expect(try storage.setTrialState(waiting.trialID, .running, values: nil) == false)
        #expect(try storage.trial(waiting.trialID).datetimeStart != nil)
        #expect(try storage.trials(study, states: .waiting).map(\.trialID) == [other.trialID])
    }

    @Test(arguments: StorageKind.available)
    func `a template is copied with everything in it`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        let template = try FrozenTrial.create(
            values: [0.5], params: ["x": 0.25], distributions: ["x": range()],
            userAttrs: ["u": [1]], systemAttrs: ["s": 2],
            intermediateValues: IntermediateValues([(1, 2)]), constraints: ["c": -1])
        let copy = try storage.createTrial(study, template: template)
        #expect(copy.number == 0 && copy.state == .complete && copy.values == [0.5])
        #expect(copy.params == template.params && copy.distributions == template.distributions)
        #expect(copy.userAttrs == template.userAttrs && copy.systemAttrs == template.systemAttrs)
        #expect(copy.intermediateValues == template.intermediateValues)
        #expect(copy.constraints == ["c": -1])
        #expect(try storage.bestTrial(study).number == 0)
        #expect(try storage.trial(copy.trialID) == copy)
    }

    @Test(arguments: StorageKind.available)
    func `a name keeps its kind in a study, and the error changes nothing`(_ kind: StorageKind)
        throws
    {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        let other = try storage.createStudy(directions: [.minimize], name: nil)
        let integers = Distribution.int(try IntDistribution(low: 0, high: 1))
        let first = try storage.createTrial(study, template: nil).trialID
        try storage.setTrialParameter(first, "x", internalValue: 0, distribution: range())
        let second = try storage.createTrial(study, template: nil).trialID
        #expect(throws: TuningError.differentKind) {
            try storage.setTrialParameter(second, "x", internalValue: 0, distribution: integers)
        }
        #expect(try storage.trial(second).params.isEmpty)
        let elsewhere = try storage.createTrial(other, template: nil).trialID
        try storage.setTrialParameter(elsewhere, "x", internalValue: 0, distribution: integers)
    }

    @Test(arguments: StorageKind.available)
    func `trials are filtered by state and the best is the first with the best value`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        for (direction, wanted) in [(StudyDirection.minimize, 4), (.maximize, 1)] {
            let study = try storage.createStudy(directions: [direction], name: nil)
            #expect(throws: TuningError.noCompletedTrials) { try storage.bestTrial(study) }
            let ends: [(TrialState, [Double]?)] = [
                (.pruned, [-9]), (.complete, [5]), (.fail, nil), (.complete, [5]),
                (.complete, [-2]), (.complete, [-2]),
            ]
            for (state, values) in ends {
                let trial = try storage.createTrial(study, template: nil).trialID
                try storage.setTrialState(trial, state, values: values)
            }
            _ = try storage.createTrial(study, template: nil)
            #expect(try storage.bestTrial(study).number == wanted)
            #expect(try storage.trials(study, states: .complete).map(\.number) == [1, 3, 4, 5])
            #expect(try storage.trials(study, states: [.fail, .running]).map(\.number) == [2, 6])
            #expect(try storage.trials(study, states: .all).count == 7)
        }
    }

    @Test(arguments: StorageKind.available)
    func `of equal trials every worker calls the same one the best, whichever was told first`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        for direction in [StudyDirection.minimize, .maximize] {
            let study = try storage.createStudy(directions: [direction], name: nil)
            let trials = try (0..<3).map { _ in try storage.createTrial(study, template: nil) }
            // Read after each, so that a storage that keeps what it has read sees this order.
            for (number, best) in [(2, 2), (1, 1), (0, 0)] {
                try storage.setTrialState(trials[number].trialID, .complete, values: [1])
                #expect(try storage.bestTrial(study).number == (kind == .inMemory ? 2 : best))
            }
            guard StorageKind.shared.contains(kind) else { continue }
            #expect(try place.open().bestTrial(study).number == 0)
        }
    }

    @Test(arguments: StorageKind.available)
    func `workers on many threads lose nothing and take each queued trial once`(
        _ kind: StorageKind
    ) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        let study = try storage.createStudy(directions: [.minimize], name: nil)
        let template = try FrozenTrial.create(state: .waiting)
        for _ in 0..<40 { _ = try storage.createTrial(study, template: template) }
        DispatchQueue.concurrentPerform(iterations: 8) { worker in
            for waiting in (try? storage.trials(study, states: .waiting)) ?? [] {
                guard (try? storage.setTrialState(waiting.trialID, .running, values: nil)) == true
                else { continue }
                try? storage.setTrialUserAttribute(
                    waiting.trialID, "worker \(worker)", .int(Int64(worker)))
                _ = try? storage.setTrialState(waiting.trialID, .complete, values: [1])
            }
            for _ in 0..<10 { _ = try? storage.createTrial(study, template: nil) }
        }
        let trials = try storage.trials(study, states: .all)
        #expect(trials.map(\.number) == Array(0..<120))
        let taken = trials.filter { $0.state == .complete }
        #expect(taken.count == 40 && taken.allSatisfy { $0.userAttrs.count == 1 })
    }
}
