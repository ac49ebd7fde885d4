// Databases and journals between st-host and Python's Optuna, both ways, every field.

import Foundation
import Logging
import OrderedJSON
import TestSupport
import Testing
import Tuning
import TuningStorage

@Suite(
    .enabled(
        if: Repository.python != nil,
        "needs ST_HOST_PYTHON: a Python with Optuna, which `make test` makes"))
struct OptunaRoundTripTests {
    @Test(arguments: StorageKind.shared)
    func `Python reads every field of what we wrote, and goes on`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        let storage = try place.open()
        try writeEverything(storage)
        #expect(try python(["dump", place.url]) == dump(storage))
        _ = try python(["go-on", place.url, "swift"])
        let study = try Study.load(name: "swift", storage: storage, logger: silent)
        let trials = try study.trials()
        #expect(trials.map(\.number) == Array(0..<11))
        // The first of the five took the point that was queued.
        #expect(trials[5].state == .complete && trials[5].params["x"] == 1.0)
        #expect(trials[7...].allSatisfy { $0.state == .complete && $0.params.count == 2 })
        #expect(try python(["dump", place.url]) == dump(storage))
    }

    @Test(arguments: StorageKind.shared)
    func `we read every field of what Python wrote, and go on`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        _ = try python(["write", place.url])
        let storage = try place.open()
        #expect(try python(["dump", place.url]) == dump(storage))
        let study = try Study.load(
            name: "python", storage: storage, sampler: TPESampler(.init(seed: 1)), logger: silent)
        #expect(try study.metricNames() == ["score"])
        try study.optimize(nTrials: 5) { trial in
            let choices: [ParameterValue] = ["a", .null, 2, 2.5, false, "ü"]
            let choice = try trial.suggestCategorical("c", choices: choices)
            return try trial.suggestFloat("x", low: -1.5, high: 2.5)
                + Double(choices.firstIndex(of: choice) ?? 0)
        }
        let trials = try study.trials()
        #expect(trials.map(\.number) == Array(0..<11))
        #expect(trials[6...].allSatisfy { $0.state == .complete && $0.params.count == 2 })
        // What violates a constraint is not the best, also when it was written by Python.
        #expect(try study.bestTrial().number >= 6)
        #expect(throws: TuningError.dynamicChoices) {
            _ = try study.ask().suggestCategorical("c", choices: ["a"])
        }
        #expect(try python(["dump", place.url]) == dump(storage))
    }

    @Test(arguments: StorageKind.shared)
    func `optuna-dashboard serves our study`(_ kind: StorageKind) throws {
        let place = try kind.place()
        defer { place.remove() }
        try writeEverything(try place.open())
        let shown = try python(["dashboard", place.url])
        #expect(
            shown
                == "swift 7 Complete Complete Complete Pruned Fail Waiting Running")
    }

    @Test func `an empty database is Optuna's letter for letter`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let ours = "sqlite:///" + folder.url.appending(path: "ours.db").path
        _ = try RDBStorage(ours)
        let theirs = "sqlite:///" + folder.url.appending(path: "theirs.db").path
        #expect(try python(["schema", ours]) == python(["schema", theirs]))
    }

    // MARK: Everything a storage can hold

    private let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func writeEverything(_ storage: any Storage) throws {
        let study = try Study.create(
            storage: storage, name: "swift", directions: [.maximize], logger: silent)
        try study.setUserAttribute("note", ["é": [1, 2.5, .null, true, "x\n"], "tiny": 1e-300])
        try study.setUserAttribute("note 2", .int(1 << 40))
        try study.setMetricNames(["score"])
        let distributions: NamedValues<Distribution> = [
            "x": .float(try FloatDistribution(low: -1.5, high: 2.5)),
            "lr": .float(try FloatDistribution(low: 1e-6, high: 0.1, log: true)),
            "step": .float(try FloatDistribution(low: 0, high: 0.3, step: 0.1)),
            "n": .int(try IntDistribution(low: 1, high: 9, step: 2)),
            "k": .int(try IntDistribution(low: 1, high: 1024, log: true)),
            "c": .categorical(
                try CategoricalDistribution(choices: ["a", .null, 2, 2.5, false, "ü"])),
        ]
        let ends: [(TrialState, [Double]?)] = [
            (.complete, [0.1]), (.complete, [.infinity]), (.complete, [-.infinity]),
            (.pruned, [1e-5]), (.fail, nil),
        ]
        for (state, values) in ends {
            var trial = try FrozenTrial.create(
                state: state, values: values,
                params: ["x": 0.1, "lr": 1e-5, "step": 0.2, "n": 5, "k": 64, "c": 2.5],
                distributions: distributions, userAttrs: ["why": ["é", 1], "nan": .double(.nan)],
                systemAttrs: ["s": ["inf": .double(.infinity)], "constraints": [-1.0, 0.5]],
                intermediateValues: IntermediateValues([
                    (0, 1.5), (3, .nan), (1, .infinity), (2, -.infinity),
                ]))
            trial.datetimeStart = Timestamp.parse("2024-02-29 23:59:59.999999")
            trial.datetimeComplete = Timestamp.parse("2025-03-01T00:00:00+00:00")
            try study.addTrial(trial)
        }
        try study.enqueueTrial(["x": 1, "c": .null], userAttrs: ["queued": true])
        let running = try storage.createTrial(study.studyID, template: nil).trialID
        try storage.setTrialParameter(
            running, "x", internalValue: 0.5, distribution: try #require(distributions["x"]))
        try storage.setTrialIntermediateValue(running, step: 7, 0.25)
        let two = try Study.create(
            storage: storage, name: "two ☃", directions: [.minimize, .maximize], logger: silent)
        try two.addTrial(try FrozenTrial.create(values: [1, 2]))
    }

    // MARK: Both sides in one form

    /// The same text as the command `dump` prints.
    private func dump(_ storage: any Storage) throws -> String {
        let studies: [JSONValue] = try storage.allStudies().map { study in
            let metricNames = study.systemAttrs["study:metric_names"] ?? .null
            return [
                "name": .string(study.name),
                "directions": .array(study.directions.map { .string($0.word) }),
                "user_attrs": .object(study.userAttrs), "metric_names": metricNames,
                "trials": .array(
                    try storage.trials(study.studyID, states: .all).map { try dump($0) }),
            ]
        }
        return JSONValue.array(studies).json(.init(sortsKeys: true))
    }

    private func dump(_ trial: FrozenTrial) throws -> JSONValue {
        let reports = trial.intermediateValues
        return [
            "number": JSONValue(trial.number), "state": .string(trial.state.name),
            "values": trial.values.map { .array($0.map { .double($0) }) } ?? .null,
            "start": JSONValue(trial.datetimeStart.map(Timestamp.iso)),
            "complete": JSONValue(trial.datetimeComplete.map(Timestamp.iso)),
            "params": .object(JSONObject(trial.params.map { ($0.name, $0.value.jsonValue) })),
            "distributions": .object(
                JSONObject(
                    try trial.distributions.map { ($0.name, try JSONValue.parse($0.value.json)) })),
            "user_attrs": .object(trial.userAttrs), "system_attrs": .object(trial.systemAttrs),
            "intermediate": .object(
                JSONObject(zip(reports.steps, reports.values).map { (String($0), .double($1)) })),
        ]
    }

    private func python(_ arguments: [String]) throws -> String {
        try optuna(arguments).trimmingCharacters(in: .newlines)
    }
}

/// Runs a command of optuna_interop.py and returns what it prints.
func optuna(_ arguments: [String]) throws -> String {
    let outcome = try optunaProcess(arguments).run()
    try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
    return outcome.output
}

/// A command of optuna_interop.py, in a time zone that is not UTC.
func optunaProcess(_ arguments: [String]) throws -> Subprocess {
    let script = Repository.root.appending(
        path: "Tests/TuningStorageTests/Interop/optuna_interop.py")
    var process = Subprocess(
        try #require(Repository.python), [script.path] + arguments, in: Repository.root)
    process.environment = ["TZ": "Asia/Kolkata", "PYTHONWARNINGS": "ignore"]
    return process
}
