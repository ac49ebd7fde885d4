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
            sampler: try sampler(trace), pruner: try pruner(trace), name: "trace",
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
                let record = try study.tell(trial, result(try event.at(2)), state: state)
                expect(record.state.name == wantedState, "trial \(number) is \(record.state)")
                let wanted = event[4]?.arrayValue.map { $0.map { $0.doubleValue ?? .nan } }
                expect(record.values == wanted, "trial \(number): \(String(describing: wanted))")
            default: Issue.record("unknown event \(kind)")
            }
        }
    }

    private func result(_ json: JSONValue) throws -> ObjectiveResult {
        if json.isNull { return .none }
        if let list = json.arrayValue {
            return .sequence(try list.map { try #require(ParameterValue($0)) })
        }
        return .single(try #require(ParameterValue(json)))
    }

    private func pruner(_ trace: JSONValue) throws -> any Pruner {
        guard let description = trace["pruner"]?.arrayValue else { return NopPruner() }
        let arguments = description[1]
        func integer(_ name: String, _ fallback: Int) -> Int {
            arguments[name]?.intValue ?? fallback
        }
        switch try description[0].text() {
        case "median":
            return try MedianPruner(
                nStartupTrials: integer("n_startup_trials", 5),
                nWarmupSteps: integer("n_warmup_steps", 0))
        case "percentile":
            return try PercentilePruner(
                arguments.at("percentile").number(),
                nStartupTrials: integer("n_startup_trials", 5),
                nWarmupSteps: integer("n_warmup_steps", 0),
                intervalSteps: integer("interval_steps", 1), nMinTrials: integer("n_min_trials", 1))
        case "threshold":
            return try ThresholdPruner(
                lower: arguments["lower"]?.doubleValue, upper: arguments["upper"]?.doubleValue,
                nWarmupSteps: integer("n_warmup_steps", 0),
                intervalSteps: integer("interval_steps", 1))
        case "patient":
            return try PatientPruner(
                try arguments.at("wrapped").flag() ? try MedianPruner() : nil,
                patience: integer("patience", 0), minDelta: arguments["min_delta"]?.doubleValue ?? 0
            )
        case "halving":
            return try SuccessiveHalvingPruner(
                minResource: arguments["min_resource"]?.intValue,
                reductionFactor: integer("reduction_factor", 4),
                minEarlyStoppingRate: integer("min_early_stopping_rate", 0),
                bootstrapCount: integer("bootstrap_count", 0))
        case "hyperband":
            return try HyperbandPruner(
                minResource: integer("min_resource", 1),
                maxResource: arguments["max_resource"]?.intValue,
                reductionFactor: integer("reduction_factor", 3))
        default: throw UnknownName()
        }
    }

    private struct UnknownName: Error {}

    private func sampler(_ trace: JSONValue) throws -> any Sampler {
        let arguments = try #require(trace.at("options").objectValue)
        if trace["sampler"]?.stringValue == "random" {
            return try RandomSampler(seed: arguments["seed"]?.intValue)
        }
        if trace["sampler"]?.stringValue == "grid" {
            let space = try #require(arguments["search_space"]?.objectValue)
            return try GridSampler(
                NamedValues(
                    try space.map { name, values in
                        (name, try values.list().map { try #require(ParameterValue($0)) })
                    }), seed: arguments["seed"]?.intValue)
        }
        var options = TPESampler.Options()
        options.tieOrder = trace["tie_order"]?.stringValue == "scalar" ? .scalar : .simd
        for (name, value) in arguments {
            switch name {
            case "seed": options.seed = value.intValue
            case "multivariate": options.multivariate = value.boolValue
            case "group": options.group = try value.flag()
            case "constant_liar": options.constantLiar = try value.flag()
            case "n_startup_trials": options.nStartupTrials = try value.integer()
            case "n_ei_candidates": options.nEICandidates = try value.integer()
            case "prior_weight": options.priorWeight = try value.number()
            case "consider_magic_clip": options.considerMagicClip = try value.flag()
            case "consider_endpoints": options.considerEndpoints = try value.flag()
            case "gamma" where value.stringValue == "hyperopt":
                options.gamma = { min(Int((0.25 * Double($0).squareRoot()).rounded(.up)), 25) }
            case "gamma" where value.stringValue == "half": options.gamma = { $0 / 2 }
            case "weights" where value.stringValue == "linear":
                options.weights = { count in (0..<count).map { Double($0 + 1) / Double(count) } }
            default: Issue.record("unknown option \(name)")
            }
        }
        return try TPESampler(options)
    }
}
