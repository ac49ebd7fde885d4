// Samplers x spaces x directions x seeds: whole studies of the real Optuna, replayed.
// Golden/matrix.json and matrix-tpe.json; scripts/golden/tuning_matrix.py describes their form.

import Foundation
import OrderedJSON
import Testing

import Tuning

struct MatrixReplayTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let index: Int
        let testDescription: String
    }

    /// Read once; TUNING_MATRIX names a file with other seeds.
    static let traces: [JSONValue] = {
        if let path = ProcessInfo.processInfo.environment["TUNING_MATRIX"] {
            let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            return (try? JSONValue.parse(text))?["traces"]?.arrayValue ?? []
        }
        return ["matrix-tpe.json", "matrix.json"].flatMap { name in
            (try? golden(name))?["traces"]?.arrayValue ?? []
        }
    }()

    static let cases = traces.enumerated().map { index, trace in
        Case(
            index: index,
            testDescription: [
                trace["sampler"]?.stringValue ?? "?", trace["name"]?.stringValue ?? "?",
                trace["options"]?.json() ?? "?", trace["directions"]?.json() ?? "?",
                trace["pruner"]?.json() ?? "?",
            ].joined(separator: " "))
    }

    @Test func `the matrix is as large as it was written`() {
        let isOther = ProcessInfo.processInfo.environment["TUNING_MATRIX"] != nil
        #expect(Self.cases.count > (isOther ? 0 : 155))
    }

    @Test(arguments: cases)
    func `a recorded study comes out value by value`(_ item: Case) throws {
        let trace = Self.traces[item.index]
        let calls = try trace.at("calls").list()
        let study = try Study.create(
            sampler: try recordedSampler(trace), pruner: try recordedPruner(trace), name: "trace",
            directions: try Study.directions(
                words: try trace.at("directions").list().map { try $0.text() }),
            logger: silent)
        for (number, record) in try trace.at("trials").list().enumerated() {
            let trial = try study.ask()
            var differences: [String] = []
            let suggestions = try record.at(0).list()
            for place in stride(from: 0, to: suggestions.count, by: 2) {
                let call = try calls[suggestions[place].integer()]
                let value = try suggest(trial, call)
                var wanted = suggestions[place + 1]
                if let choices = call["choices"]?.arrayValue {
                    wanted = try choices[suggestions[place + 1].integer()]
                }
                if !agrees(value, wanted) {
                    differences.append("\(call.json()): \(value), not \(wanted.json())")
                }
            }
            let reports = try record.at(1).list()
            for place in stride(from: 0, to: reports.count, by: 3) {
                try trial.report(reports[place].number(), step: reports[place + 1].integer())
                let answer = try trial.shouldPrune()
                if answer != reports[place + 2].boolValue {
                    differences.append("report \(place / 3): should_prune is \(answer)")
                }
            }
            for (key, value) in try #require(record.at(2).objectValue) {
                try trial.setConstraint(key, value.number())
            }
            let told = try record.at(3)
            let letter = try record.at(4).text()
            let states: [String: TrialState] = ["P": .pruned, "F": .fail]
            let tell: () throws -> FrozenTrial = {
                try study.tell(
                    trial, recordedResult(told), state: told.isNull ? states[letter] : nil)
            }
            if record[5]?.boolValue == true {
                #expect(throws: TuningError.stopOutsideOptimize) { try tell() }
            } else {
                let state = try tell().state
                if !state.name.hasPrefix(letter) { differences.append("told: \(state)") }
            }
            // One difference makes all later values differ: the first trial says enough.
            try #require(differences.isEmpty, "trial \(number): \(differences)")
        }
    }
}
