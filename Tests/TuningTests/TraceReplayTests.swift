// Recorded studies of the real Optuna, replayed call by call: what we suggest, prune and store must
// be what Optuna did. Golden/traces.json; scripts/golden/tuning.py says what each case is about.

import Foundation
import OrderedJSON
import Testing

import Tuning

struct TraceReplayTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let index: Int
        let name: String
        var testDescription: String { name }
    }

    static let cases: [Case] = {
        let traces = (try? golden("traces.json").at("traces").list()) ?? []
        return traces.enumerated().map { index, trace in
            Case(
                index: index,
                name: "\(trace["name"]?.stringValue ?? "?"), "
                    + "\(trace["tie_order"]?.stringValue ?? "?")")
        }
    }()

    @Test func `there are cases`() { #expect(Self.cases.count > 25) }

    @Test(arguments: cases)
    func `a recorded study comes out value by value`(_ item: Case) throws {
        let trace = try golden("traces.json").at("traces").at(item.index)
        let calls = try trace.at("calls").list()
        let study = try Study.create(
            sampler: try recordedSampler(trace), pruner: try recordedPruner(trace), name: "trace",
            directions: try Study.directions(
                words: try trace.at("directions").list().map { try $0.text() }),
            logger: silent)
        var trials: [Int: Trial] = [:]
        var mismatches = 0
        for (place, event) in try trace.at("events").list().enumerated() {
            // One difference makes all later values differ: report a few only.
            if mismatches > 3 { break }
            func expect(_ agrees: Bool, _ what: @autoclosure () -> String) {
                if !agrees { mismatches += 1 }
                #expect(agrees, "\(item.name), event \(place): \(what())")
            }
            let kind = try event.at(0).text()
            if kind == "enqueue" {
                let params = try #require(event.at(1).objectValue)
                try study.enqueueTrial(
                    NamedValues(
                        try params.map { ($0.key, try #require(ParameterValue($0.value))) }))
                continue
            }
            let number = try event.at(1).integer()
            if kind == "ask" {
                let trial = try study.ask()
                expect(trial.number == number, "asked for \(trial.number)")
                trials[number] = trial
                continue
            }
            let trial = try #require(trials[number])
            switch kind {
            case "suggest":
                let call = try calls[event.at(2).integer()]
                let value = try suggest(trial, call)
                let wanted = try event.at(3)
                expect(agrees(value, wanted), "trial \(number), \(call): \(value), not \(wanted)")
            case "report":
                try trial.report(event.at(2).number(), step: event.at(3).integer())
            case "should_prune":
                let answer = try trial.shouldPrune()
                expect(answer == event[2]?.boolValue, "trial \(number) pruned: \(answer)")
            case "constraint":
                try trial.setConstraint(event.at(2).text(), event.at(3).number())
            case "tell":
                let wantedState = try event.at(3).text()
                var state: TrialState?
                if try event.at(2).isNull { state = TrialState(name: wantedState) }
                let record = try study.tell(trial, recordedResult(try event.at(2)), state: state)
                expect(record.state.name == wantedState, "trial \(number) is \(record.state)")
                let wanted = event[4]?.arrayValue.map { $0.map { $0.doubleValue ?? .nan } }
                expect(record.values == wanted, "trial \(number): \(String(describing: wanted))")
            default: Issue.record("unknown event \(kind)")
            }
        }
    }
}
