// A trial with given values.

import Logging
import Synchronization
import Testing

import Tuning

struct FixedTrialTests {
    @Test func `given values are suggested, others are refused by name`() throws {
        let trial = FixedTrial(["x": 3, "n": 2.7, "c": "b"], number: 4, logger: silent)
        #expect(try trial.suggestFloat("x", low: 0, high: 5) == 3)
        #expect(try trial.suggestInt("n", low: 1, high: 4) == 2)
        #expect(try trial.suggestCategorical("c", choices: ["a", "b"]) == "b")
        #expect(trial.number == 4 && trial.params.names == ["x", "n", "c"])
        #expect(throws: TuningError.fixedTrialLacks(name: "y", owner: "FixedTrial")) {
            try trial.suggestFloat("y", low: 0, high: 1)
        }
        #expect(throws: TuningError.differentKind) {
            try trial.suggestInt("x", low: 0, high: 5)
        }
    }

    @Test func `a value out of range is a warning, an unknown choice an error`() throws {
        let lines = Mutex<[String]>([])
        let log = OptunaLog(
            isColoured: false, write: { line in lines.withLock { $0.append(line) } })
        let trial = FixedTrial(["x": 9, "c": "z"], logger: log.logger)
        #expect(try trial.suggestFloat("x", low: 0, high: 5) == 9)
        #expect(lines.withLock { $0.contains { $0.contains("out of the range") } })
        #expect(throws: TuningError.self) {
            try trial.suggestCategorical("c", choices: ["a", "b"])
        }
    }

    @Test func `constraints are kept, the first of a key`() throws {
        let trial = FixedTrial([:], logger: silent)
        try trial.setConstraint("a", 1)
        try trial.setConstraint("a", 2)
        #expect(trial.constraints == ["a": 1])
        #expect(throws: TuningError.self) { try trial.setConstraint("b", .nan) }
    }
}
