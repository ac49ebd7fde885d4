// The rules of ask, tell and optimize.

import Foundation
import OrderedJSON
import Synchronization
import Testing

import Tuning

struct StudyTests {
    struct Boom: Error, Equatable {}

    private func study(
        _ directions: [StudyDirection] = [.minimize], sampler: (any Sampler)? = nil
    ) throws -> Study {
        try Study.create(
            sampler: try sampler ?? RandomSampler(seed: 1), directions: directions, logger: silent)
    }

    // MARK: Optimize

    @Test func `an error ends the study, marks its trial FAIL and keeps its reason`() throws {
        let study = try study()
        var count = 0
        #expect(throws: Boom()) {
            try study.optimize(nTrials: 5) { _ in
                count += 1
                if count == 2 { throw Boom() }
                return 1
            }
        }
        let trials = try study.trials()
        #expect(trials.map(\.state) == [.complete, .fail])
        #expect(trials[1].failReason == "Boom()" && trials[1].values == nil)
        #expect(trials[1].datetimeComplete != nil)
    }

    @Test func `a caught error marks its trial FAIL and the study goes on`() throws {
        let study = try study()
        var options = OptimizeOptions(nTrials: 4)
        options.catches = { $0 is Boom }
        var seen: [TrialState] = []
        options.callbacks = [{ _, trial in seen.append(trial.state) }]
        try study.optimize(options) { trial -> [Double] in
            if trial.number == 1 { throw Boom() }
            if trial.number == 2 { throw TrialPruned() }
            return [Double(trial.number)]
        }
        #expect(seen == [.complete, .fail, .pruned, .complete])
    }

    @Test func `results that are no numbers make the trial FAIL and the study goes on`() throws {
        let study = try study()
        let results: [ObjectiveResult] = [
            .none, .single("x"), .single(.double(.nan)), [1.0, 2.0], [], .single(2),
        ]
        try study.optimize(OptimizeOptions(nTrials: results.count)) { trial -> ObjectiveResult in
            results[trial.number]
        }
        let trials = try study.trials()
        #expect(trials.map(\.state) == [.fail, .fail, .fail, .fail, .fail, .complete])
        #expect(trials[1].failReason == "The value 'x' could not be cast to float")
        #expect(try study.bestValue() == 2)
    }

    @Test func `an infinite value is a value`() throws {
        let study = try study()
        try study.optimize(nTrials: 2) { trial in trial.number == 0 ? .infinity : -.infinity }
        #expect(try study.bestTrial().number == 1)
    }

    @Test func `a pruned trial takes its last report as value, unless that is NaN`() throws {
        let study = try study()
        try study.optimize(nTrials: 3) { trial in
            if trial.number < 2 { try trial.report(0.5, step: 7) }
            try trial.report(trial.number == 0 ? 3 : .nan, step: trial.number == 2 ? 0 : 9)
            throw TrialPruned()
        }
        #expect(try study.trials().map(\.values) == [[3], nil, nil])
        #expect(throws: TuningError.noCompletedTrials) { try study.bestTrial() }
    }

    @Test func `stop ends after the current trial and needs a running study`() throws {
        let study = try study()
        try study.optimize(nTrials: 10) { trial in
            if trial.number == 2 { try study.stop() }
            return 0
        }
        #expect(try study.trials().count == 3)
        #expect(throws: TuningError.stopOutsideOptimize) { try study.stop() }
        try study.optimize(nTrials: 1) { _ in 0 }
        #expect(try study.trials().count == 4)
    }

    @Test func `optimize inside an objective is refused`() throws {
        let study = try study()
        #expect(throws: TuningError.nestedOptimize) {
            try study.optimize(nTrials: 1) { _ in
                try study.optimize(nTrials: 1) { _ in 0 }
                return 0
            }
        }
        // The study is usable afterwards.
        try study.optimize(nTrials: 1) { _ in 0 }
    }

    @Test func `no time means no trial`() throws {
        let study = try study()
        try study.optimize(OptimizeOptions(nTrials: 3, timeout: 0)) { _ -> [Double] in [0] }
        #expect(try study.trials().isEmpty)
    }

    @Test func `cancelling between trials begins none, cancelling inside one fails it`() throws {
        let study = try study()
        var isCancelled = false
        var options = OptimizeOptions(nTrials: 5)
        options.isCancelled = { isCancelled }
        options.catches = { _ in true }
        options.callbacks = [{ _, trial in isCancelled = trial.number == 1 }]
        #expect(throws: TuningError.interrupted) {
            try study.optimize(options) { _ -> [Double] in [0] }
        }
        #expect(try study.trials().map(\.state) == [.complete, .complete])
        isCancelled = false
        options.callbacks = []
        #expect(throws: Boom()) {
            try study.optimize(options) { _ -> [Double] in
                isCancelled = true
                throw Boom()
            }
        }
        #expect(try study.trials().map(\.state) == [.complete, .complete, .fail])
    }

    // MARK: Tell

    @Test func `tell without a state decides by the values`() throws {
        let study = try study()
        #expect(try study.tell(study.ask(), 0.5).state == .complete)
        #expect(try study.tell(study.ask(), .none).state == .fail)
        #expect(try study.tell(study.ask(), [1.0, 2.0]).state == .fail)
        #expect(try study.tell(study.ask(), .none, state: .pruned).state == .pruned)
    }

    @Test func `what tell refuses leaves the trial running`() throws {
        let study = try study()
        let trial = try study.ask()
        #expect(throws: TuningError.tellWithoutValues) { try study.tell(trial, state: .complete) }
        #expect(throws: TuningError.tellWithUnexpectedValues) {
            try study.tell(trial, 1.0, state: .fail)
        }
        #expect(throws: TuningError.tellState(.waiting)) { try study.tell(trial, state: .waiting) }
        #expect(
            throws: TuningError.infeasibleValues(problem: "The value nan is not acceptable")
        ) { try study.tell(trial, .single(.double(.nan)), state: .complete) }
        #expect(throws: TuningError.tellUnknownTrial(number: 7)) { try study.tell(7, 1.0) }
        #expect(try study.trials()[0].state == .running)
    }

    @Test func `a finished trial stays as it is`() throws {
        let study = try study()
        let trial = try study.ask()
        _ = try trial.suggestFloat("x", low: 0, high: 1)
        try study.tell(trial, 1.0)
        #expect(throws: TuningError.tellOfTrialIn(state: .complete)) { try study.tell(trial, 2.0) }
        #expect(try study.tell(trial, 2.0, skipIfFinished: true).values == [1])
        let finished = TuningError.finishedTrial(number: 0)
        #expect(throws: finished) { try trial.suggestFloat("y", low: 0, high: 1) }
        #expect(throws: finished) { try trial.setUserAttribute("a", 1) }
        #expect(throws: finished) { try trial.report(1, step: 0) }
    }

    // MARK: Suggest

    @Test func `a name keeps its first value in a trial`() throws {
        let warnings = Mutex("")
        let log = OptunaLog(isColoured: false, write: { line in warnings.withLock { $0 += line } })
        let study = try Study.create(
            sampler: try RandomSampler(seed: 1), name: "s", logger: log.logger)
        let trial = try study.ask()
        let first = try trial.suggestFloat("x", low: 0, high: 1)
        #expect(try trial.suggestFloat("x", low: 5, high: 6) == first)
        #expect(
            warnings.withLock { $0 }.contains(
                "Inconsistent parameter values for distribution with name \"x\"!"))
        #expect(
            warnings.withLock { $0 }.contains(
                "{'step': None, 'low': 0.0, 'high': 1.0, 'log': False}"))
        #expect(throws: TuningError.differentKind) { try trial.suggestInt("x", low: 0, high: 1) }
        #expect(throws: TuningError.differentLog) {
            try trial.suggestFloat("x", low: 1, high: 2, log: true)
        }
    }

    @Test func `kinds are checked across trials`() throws {
        let study = try study()
        _ = try study.ask().suggestCategorical("c", choices: ["a", "b"])
        #expect(throws: TuningError.dynamicChoices) {
            try study.ask().suggestCategorical("c", choices: ["b", "a"])
        }
        #expect(throws: TuningError.differentKind) {
            try study.ask().suggestFloat("c", low: 0, high: 1)
        }
    }

    @Test func `enqueued values are used as given, one time`() throws {
        let study = try study()
        try study.enqueueTrial(["x": 2, "n": 2.7, "c": "b"], userAttrs: ["why": "known good"])
        let trial = try study.ask()
        #expect(try trial.suggestFloat("x", low: 0, high: 1) == 2)
        #expect(try trial.suggestInt("n", low: 0, high: 9) == 2)
        #expect(try trial.suggestCategorical("c", choices: ["a", "b"]) == "b")
        #expect(trial.params["x"] == 2 && trial.params["n"] == 2.7)
        let record = try study.tell(trial, 1.0)
        #expect(record.params["x"] == 2.0 && record.params["n"] == 2)
        #expect(record.userAttrs["why"] == "known good" && record.datetimeStart != nil)
        #expect(try study.ask().suggestFloat("x", low: 0, high: 1) <= 1)
    }

    @Test func `an enqueued value of the wrong kind is refused when it is asked for`() throws {
        let study = try study()
        try study.enqueueTrial(["x": "text"])
        #expect(throws: TuningError.notANumber(value: "text")) {
            try study.ask().suggestFloat("x", low: 0, high: 1)
        }
    }

    @Test func `queued points that exist are skipped when asked to`() throws {
        let study = try study()
        try study.enqueueTrial(["x": 0.5, "c": "a"])
        try study.enqueueTrial(["x": 0.500001, "c": "a"], skipIfExists: true)
        #expect(try study.trials().count == 1)
        try study.enqueueTrial(["x": 0.6, "c": "a"], skipIfExists: true)
        try study.enqueueTrial(["x": 1], skipIfExists: true)
        #expect(try study.trials().count == 3)
    }

    @Test func `a single value is never sampled`() throws {
        let study = try study()
        let trial = try study.ask()
        #expect(try trial.suggestFloat("a", low: 3, high: 3) == 3)
        #expect(try trial.suggestCategorical("b", choices: [.null]) == .null)
        // RandomSampler with seed 1 begins with this number: nothing was drawn before.
        #expect(try trial.suggestFloat("x", low: 0, high: 1) == 0.417022004702574)
    }

    @Test func `reports are checked`() throws {
        let study = try study()
        let trial = try study.ask()
        try trial.report(1, step: 3)
        try trial.report(2, step: 3)
        #expect(throws: TuningError.negativeStep(-1)) { try trial.report(1, step: -1) }
        #expect(trial.intermediateValues[3] == 1)
        let several = try self.study([.minimize, .maximize]).ask()
        #expect(throws: TuningError.multiObjective(feature: "report")) {
            try several.report(1, step: 0)
        }
        #expect(throws: TuningError.multiObjective(feature: "should_prune")) {
            try several.shouldPrune()
        }
    }

    @Test func `NaN is no constraint and a constraint is set once`() throws {
        let study = try study()
        let trial = try study.ask()
        #expect(throws: TuningError.constraintIsNaN(key: "c")) {
            try trial.setConstraint("c", .nan)
        }
        try trial.setConstraint("c", -1)
        try trial.setConstraint("c", 5)
        #expect(try trial.constraints() == ["c": -1])
    }

    // MARK: Best

    @Test func `the best trial violates no constraint`() throws {
        let study = try study()
        try study.optimize(nTrials: 4) { trial in
            try trial.setConstraint("c", trial.number == 1 ? 1 : -1)
            return [3, 1, 2, 2][trial.number]
        }
        #expect(try study.bestTrial().number == 2)
        let infeasible = try self.study()
        try infeasible.optimize(nTrials: 1) { trial in
            try trial.setConstraint("c", 1)
            return 0
        }
        #expect(throws: TuningError.noFeasibleTrials) { try infeasible.bestTrial() }
    }

    @Test func `several objectives have a front instead of a best trial`() throws {
        let study = try study([.minimize, .maximize])
        let values = [[1.0, 1], [2, 2], [2, 1], [0, 0], [1, 1], [3, 0]]
        try study.optimize(OptimizeOptions(nTrials: values.count)) { values[$0.number] }
        #expect(try study.bestTrials().map(\.number) == [0, 1, 3, 4])
        #expect(throws: TuningError.bestTrialOfMultiObjectiveStudy) { try study.bestTrial() }
        #expect(throws: TuningError.singleDirectionOfMultiObjectiveStudy) {
            try study.direction()
        }
        #expect(throws: TuningError.valueOfMultiObjectiveTrial) { try study.trials()[0].value() }
    }

    // MARK: Studies and records

    @Test func `names are unique, and an existing study keeps its directions`() throws {
        let storage = InMemoryStorage()
        let first = try Study.create(
            storage: storage, name: "a", directions: [.maximize], logger: silent)
        #expect(throws: TuningError.duplicatedStudy(name: "a")) {
            try Study.create(storage: storage, name: "a", logger: silent)
        }
        let again = try Study.create(
            storage: storage, name: "a", directions: [.minimize], loadIfExists: true,
            logger: silent)
        #expect(again.studyID == first.studyID && again.directions == [.maximize])
        #expect(throws: TuningError.unknownStudy(name: "b")) {
            try Study.load(name: "b", storage: storage, logger: silent)
        }
        _ = try Study.create(storage: storage, name: "c", logger: silent)
        #expect(throws: TuningError.self) {
            try Study.load(name: nil, storage: storage, logger: silent)
        }
        try Study.delete(name: "a", storage: storage)
        #expect(try Study.allNames(in: storage) == ["c"])
    }

    @Test func `direction words are checked`() throws {
        #expect(try Study.directions(words: ["maximize"]) == [.maximize])
        #expect(throws: TuningError.noDirections) { try Study.directions(words: []) }
        #expect {
            try Study.directions(words: ["max"])
        } throws: {
            "\($0)"
                == "`directions` must be a list of `minimize` or `maximize`, but got ['max']. For "
                + "single-objective optimization, please use `direction` instead of `directions`."
        }
    }

    @Test func `a copy holds attributes and trials`() throws {
        let source = InMemoryStorage()
        let study = try Study.create(
            storage: source, sampler: try RandomSampler(seed: 1), name: "a", logger: silent)
        try study.setUserAttribute("team", ["x", 1, 2.5])
        try study.optimize(nTrials: 3) { try $0.suggestFloat("x", low: 0, high: 1) }
        let target = InMemoryStorage()
        try Study.copy(name: "a", from: source, to: target, newName: "b", logger: silent)
        let copy = try Study.load(name: "b", storage: target, logger: silent)
        #expect(try copy.userAttrs()["team"] == ["x", 1, 2.5])
        #expect(try copy.trials().map(\.values) == study.trials().map(\.values))
        #expect(try copy.bestTrial().number == study.bestTrial().number)
    }

    @Test func `records that contradict themselves are refused`() throws {
        let range = Distribution.float(try FloatDistribution(low: 0, high: 1))
        #expect(throws: TuningError.self) { try FrozenTrial.create() }
        #expect(throws: TuningError.self) { try FrozenTrial.create(values: [.nan]) }
        #expect(throws: TuningError.self) { try FrozenTrial.create(state: .fail, values: [1]) }
        #expect(throws: TuningError.self) { try FrozenTrial.create(values: [1], params: ["x": 1]) }
        #expect {
            try FrozenTrial.create(
                values: [1], params: ["x": 2.0], distributions: ["x": range])
        } throws: {
            "\($0)"
                == "The value 2.0 of parameter 'x' isn't contained in the distribution "
                + "FloatDistribution(high=1.0, log=False, low=0.0, step=None)."
        }
        let study = try study()
        try study.addTrial(
            try FrozenTrial.create(values: [1], params: ["x": 0.5], distributions: ["x": range]))
        #expect(try study.bestParams() == ["x": 0.5])
        #expect(throws: TuningError.wrongValueCount(found: 2, expected: 1)) {
            try study.addTrial(try FrozenTrial.create(values: [1, 2]))
        }
    }

    @Test func `jobs run side by side, and callbacks one at a time`() throws {
        let study = try study(sampler: try TPESampler(seed: 1))
        // Two objectives that wait for each other: they end only if both run.
        let arrivals = Mutex(0)
        var inside = 0
        var seen: [Int] = []
        var options = OptimizeOptions(nTrials: 40)
        options.callbacks = [
            { _, trial in
                inside += 1
                #expect(inside == 1)
                seen.append(trial.number)
                inside -= 1
            }
        ]
        try study.optimize(options, jobs: 4) { trial in
            if trial.number < 2 {
                arrivals.withLock { $0 += 1 }
                for _ in 0..<10_000 where arrivals.withLock({ $0 }) < 2 { usleep(1000) }
            }
            return ObjectiveResult(try trial.suggestFloat("x", low: 0, high: 1))
        }
        #expect(arrivals.withLock { $0 } == 2)
        #expect(seen.sorted() == Array(0..<40))
        #expect(try study.trials(.complete).count == 40)
    }

    @Test(arguments: [1, 2, 5, -1])
    func `what is suggested while trials begin is the same for any number of jobs`(
        jobs: Int
    ) throws {
        func values(_ jobs: Int) throws -> [Double] {
            let study = try study(sampler: try RandomSampler(seed: 7))
            try study.optimize(
                OptimizeOptions(nTrials: 30), jobs: jobs,
                prepare: { try $0.suggestFloat("x", low: 0, high: 1) },
                objective: { trial, x in
                    // Trials end in another order than they begin.
                    usleep(UInt32(trial.number % 3) * 500)
                    return ObjectiveResult(x)
                })
            return try study.trials(.complete).map { $0.values?.first ?? .nan }
        }
        let one = try values(1)
        #expect(Set(one).count == 30)
        #expect(try values(jobs) == one)
    }

    @Test func `an error while a trial begins is that trial's`() throws {
        let study = try study(sampler: try RandomSampler(seed: 7))
        var options = OptimizeOptions(nTrials: 6)
        options.catches = { $0 is Boom }
        try study.optimize(
            options, jobs: 2,
            prepare: { trial -> Int in
                if trial.number == 3 { throw Boom() }
                return trial.number
            }, objective: { _, number in ObjectiveResult(Double(number)) })
        #expect(try study.trials(.fail).map(\.number) == [3])
        #expect(try study.trials(.complete).count == 5)
    }

    @Test func `an error in one of several jobs ends them all, and no trial stays running`() throws
    {
        let study = try study(sampler: try TPESampler(seed: 1))
        #expect(throws: Boom()) {
            try study.optimize(OptimizeOptions(), jobs: 3) { trial in
                if trial.number == 7 { throw Boom() }
                return ObjectiveResult(try trial.suggestFloat("x", low: 0, high: 1))
            }
        }
        #expect(try study.trials(.fail).map(\.number) == [7])
        #expect(try study.trials(.running).isEmpty)
        #expect(throws: TuningError.self) {
            try study.optimize(OptimizeOptions(nTrials: 1), jobs: 0) { _ in .none }
        }
        try study.optimize(OptimizeOptions(), jobs: 2) { trial in
            if trial.number > 20 { try study.stop() }
            return 0.0
        }
        #expect(try study.trials(.running).isEmpty)
    }

    @Test func `trials asked and told by many threads are numbered without gaps`() throws {
        let study = try study(sampler: try TPESampler(seed: 1))
        let errors = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            do {
                for _ in 0..<25 {
                    let trial = try study.ask()
                    let x = try trial.suggestFloat("x", low: 0, high: 1)
                    try trial.report(x, step: 1)
                    try study.tell(trial, ObjectiveResult(x))
                }
            } catch { errors.withLock { $0 += 1 } }
        }
        #expect(errors.withLock { $0 } == 0)
        #expect(try study.trials().map(\.number) == Array(0..<200))
        #expect(try study.trials(.complete).count == 200)
    }
}
