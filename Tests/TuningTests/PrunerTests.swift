// Pruners on hand-made histories; whole studies are in TraceReplayTests.

import OrderedJSON
import Testing

import Tuning

struct PrunerTests {
    /// A study whose finished trials reported these values at steps 0, 1, …
    private func study(
        _ pruner: any Pruner, _ histories: [[Double]], direction: StudyDirection = .minimize
    ) throws -> Study {
        let study = try Study.create(
            sampler: try RandomSampler(seed: 1), pruner: pruner, directions: [direction],
            logger: silent)
        for history in histories {
            let trial = try study.ask()
            for (step, value) in history.enumerated() { try trial.report(value, step: step) }
            try study.tell(trial, ObjectiveResult(history.last ?? 0))
        }
        return study
    }

    private func decision(_ study: Study, _ reports: [(Int, Double)]) throws -> Bool {
        let trial = try study.ask()
        for (step, value) in reports { try trial.report(value, step: step) }
        return try trial.shouldPrune()
    }

    @Test func `the median prunes what is worse than half`() throws {
        let study = try study(
            try MedianPruner(nStartupTrials: 3), [[1, 1], [2, 2], [3, 3]])
        #expect(try decision(study, []) == false)
        #expect(try decision(study, [(0, 2.0)]) == false)
        #expect(try decision(study, [(0, 2.1)]))
        // The best report counts, not the last.
        #expect(try decision(study, [(0, 1.9), (1, 9)]) == false)
        #expect(try decision(study, [(5, 9)]) == false)
        #expect(try decision(study, [(0, .nan)]))
    }

    @Test func `maximizing turns the median around`() throws {
        let study = try study(
            try MedianPruner(nStartupTrials: 3), [[1], [2], [3]], direction: .maximize)
        #expect(try decision(study, [(0, 1.9)]))
        #expect(try decision(study, [(0, 2.0)]) == false)
    }

    @Test func `nothing is pruned before enough trials and steps`() throws {
        let early = try study(try MedianPruner(), [[1], [1], [1], [1]])
        #expect(try decision(early, [(0, 99)]) == false)
        let warm = try study(
            try MedianPruner(nStartupTrials: 1, nWarmupSteps: 2), [[1, 1, 1, 1]])
        #expect(try decision(warm, [(1, 99)]) == false)
        #expect(try decision(warm, [(2, 99)]))
        let sparse = try study(
            try MedianPruner(nStartupTrials: 1, intervalSteps: 2), [[1, 1, 1, 1]])
        #expect(try decision(sparse, [(0, 99), (1, 99)]) == false)
        #expect(try decision(sparse, [(0, 99), (1, 99), (2, 99)]))
        let few = try study(try MedianPruner(nStartupTrials: 1, nMinTrials: 2), [[1]])
        #expect(try decision(few, [(0, 99)]) == false)
    }

    @Test func `percentiles interpolate as numpy's do`() throws {
        for row in try golden("functions.json").at("percentiles").list() {
            let value = percentileIgnoringNaN(
                try row.at(0).numbers(), try row.at(1).number())
            #expect(isClose(value, try row.at(2).number(), relative: 1e-15), "\(row)")
        }
        #expect(percentileIgnoringNaN([.nan, 3, .nan], 50) == 3)
        #expect(percentileIgnoringNaN([.nan], 50).isNaN)
    }

    @Test func `Hyperband's brackets follow from name and number`() {
        let budgets = [9, 5, 3]
        let brackets = (0..<8).map { number -> Int in
            var rest = Int(crc32("hb_\(number)")) % 17
            for (place, budget) in budgets.enumerated() {
                rest -= budget
                if rest < 0 { return place }
            }
            return -1
        }
        #expect(brackets == [0, 0, 2, 2, 1, 1, 1, 2])
        #expect(crc32("123456789") == 0xcbf4_3926)
    }

    @Test func `arguments that make no pruner are refused in Optuna's words`() {
        func message(_ make: () throws -> any Pruner) -> String {
            do { _ = try make() } catch { return "\(error)" }
            return "no error"
        }
        #expect(
            message { try PercentilePruner(101) }
                == "Percentile must be between 0 and 100 inclusive, but got percentile=101.0.")
        #expect(
            message { try MedianPruner(nStartupTrials: -1) }
                == "Number of startup trials cannot be negative, but got n_startup_trials=-1.")
        #expect(
            message { try MedianPruner(intervalSteps: 0) }
                == "Pruning interval steps must be at least 1, but got interval_steps=0.")
        #expect(
            message { try ThresholdPruner() } == "Either lower or upper must be specified.")
        #expect(
            message { try PatientPruner(nil, patience: -1) }
                == "patience cannot be negative but got -1.")
        #expect(
            message { try SuccessiveHalvingPruner(reductionFactor: 1) }
                == "The value of `reduction_factor` is 1, but must be `reduction_factor >= 2`")
        #expect(
            message { try HyperbandPruner(bootstrapCount: 1) }
                == "bootstrap_count > 0 and max_resource == 'auto' are mutually incompatible, "
                + "bootstrap_count is 1")
    }
}
