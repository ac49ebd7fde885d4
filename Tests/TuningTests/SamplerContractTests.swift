// What every sampler must do. A new sampler adds a case to `Kind`.

import OrderedJSON
import Testing

import Tuning

struct SamplerContractTests {
    enum Kind: CaseIterable {
        case random, tpe, tpeOneByOne, tpeGroup, partialFixed, partialFixedTPE, nsgaii, cmaes
        case cmaesMargin, qmc, gp

        func make(seed: Int?) throws -> any Sampler {
            var options = TPESampler.Options(seed: seed)
            switch self {
            case .random: return try RandomSampler(seed: seed)
            case .tpe: return try TPESampler(options)
            case .tpeOneByOne:
                options.multivariate = false
                return try TPESampler(options)
            case .tpeGroup:
                options.group = true
                return try TPESampler(options)
            case .partialFixed:
                return PartialFixedSampler(["i": 4], base: try RandomSampler(seed: seed))
            case .partialFixedTPE:
                return PartialFixedSampler(["i": 4], base: try TPESampler(options))
            case .nsgaii:
                var options = try NSGAIISampler.Options(seed: seed)
                options.populationSize = 10
                return try NSGAIISampler(options)
            case .cmaes: return try CmaEsSampler(seed: seed)
            case .cmaesMargin:
                var options = CmaEsSampler.Options(seed: seed)
                options.withMargin = true
                return try CmaEsSampler(options)
            case .gp: return try GPSampler(seed: seed)
            case .qmc: return try QMCSampler(.halton, isScrambled: true, seed: seed)
            }
        }
    }

    private func suggestAll(_ trial: Trial) throws -> Double {
        let x = try trial.suggestFloat("x", low: -2, high: 3)
        let l = try trial.suggestFloat("l", low: 1e-9, high: 1e3, log: true)
        let s = try trial.suggestFloat("s", low: 0.1, high: 1, step: 0.3)
        let i = try trial.suggestInt("i", low: -5, high: 5)
        let j = try trial.suggestInt("j", low: 10, high: 100, step: 30)
        let k = try trial.suggestInt("k", low: 1, high: 1000, log: true)
        let c = try trial.suggestCategorical("c", choices: ["a", .null, 3])
        #expect((-2...3).contains(x) && (1e-9...1e3).contains(l) && (-5...5).contains(i))
        #expect([0.1, 0.4, 0.7, 1].contains { abs($0 - s) < 1e-9 })
        #expect([10, 40, 70, 100].contains(j) && (1...1000).contains(k))
        #expect(["a", .null, 3].contains(c))
        if c == "a" { _ = try trial.suggestFloat("only a", low: 0, high: 1) }
        return x * x + s + Double(i * i + j + k) + (c == 3 ? 5 : 0)
    }

    @Test(arguments: Kind.allCases)
    func `values lie in their ranges`(_ kind: Kind) throws {
        let study = try Study.create(sampler: try kind.make(seed: 3), logger: silent)
        try study.optimize(nTrials: 40) { try suggestAll($0) }
        #expect(try study.trials(.complete).count == 40)
    }

    @Test(arguments: Kind.allCases)
    func `a seed gives the same study twice, none gives another`(_ kind: Kind) throws {
        func run(_ seed: Int?) throws -> [NamedValues<ParameterValue>] {
            let study = try Study.create(sampler: try kind.make(seed: seed), logger: silent)
            try study.optimize(nTrials: 25) { try suggestAll($0) }
            return try study.trials().map(\.params)
        }
        #expect(try run(7) == run(7))
        #expect(try run(nil) != run(nil))
    }

    @Test(arguments: Kind.allCases)
    func `reseeding leaves the seed's stream`(_ kind: Kind) throws {
        let samplers = try (0..<2).map { _ in try kind.make(seed: 7) }
        samplers[1].reseed()
        let values = try samplers.map { sampler in
            try Study.create(sampler: sampler, logger: silent).ask()
                .suggestFloat("x", low: 0, high: 1)
        }
        #expect(values[0] != values[1])
    }

    @Test(arguments: Kind.allCases)
    func `a study of another's making can be continued`(_ kind: Kind) throws {
        let storage = InMemoryStorage()
        let first = try Study.create(
            storage: storage, sampler: try RandomSampler(seed: 1), name: "s", logger: silent)
        try first.optimize(nTrials: 20) { try suggestAll($0) }
        let second = try Study.load(
            name: "s", storage: storage, sampler: try kind.make(seed: 2), logger: silent)
        try second.optimize(nTrials: 5) { try suggestAll($0) }
        #expect(try second.trials(.complete).count == 25)
    }

    @Test(arguments: Kind.allCases)
    func `a study goes on when the range of a parameter is narrowed`(_ kind: Kind) throws {
        let study = try Study.create(sampler: try kind.make(seed: 1), logger: silent)
        for (high, count) in [(10.0, 20), (1.0, 5)] {
            // The best values lie outside of the second range.
            try study.optimize(nTrials: count) { trial in
                let x = try trial.suggestFloat("x", low: 0, high: high)
                let n = try trial.suggestInt("n", low: 0, high: Int(high))
                #expect((0...high).contains(x) && (0...Int(high)).contains(n))
                return -x - Double(n)
            }
        }
        #expect(try study.trials(.complete).count == 25)
    }

    @Test func `a step too fine for the numbers of a range does not end a study`() throws {
        let study = try Study.create(sampler: try TPESampler(seed: 1), logger: silent)
        try study.optimize(nTrials: 20) {
            try $0.suggestFloat("a", low: 0, high: 1e8, step: 0.1)
        }
        #expect(try study.trials(.complete).count == 20)
    }

    @Test func `fixed parameters are fixed and the others vary`() throws {
        let study = try Study.create(
            sampler: try Kind.partialFixedTPE.make(seed: 3), logger: silent)
        try study.optimize(nTrials: 20) { try suggestAll($0) }
        let trials = try study.trials()
        #expect(trials.allSatisfy { $0.params["i"] == 4 })
        #expect(Set(trials.map { "\($0.params["x"] ?? .null)" }).count == 20)
    }

    @Test func `a grid is tried once, in numpy's order, and ends the study`() throws {
        for (seed, wanted) in [
            (nil, "z2 y1 x2 y2 x1 z1"), (0, "z2 y1 x2 y2 x1 z1"), (42, "x1 x2 z2 y1 z1 y2"),
        ] as [(Int?, String)] {
            let study = try Study.create(
                sampler: try GridSampler(["b": [1, 2], "a": ["x", "y", "z"]], seed: seed),
                logger: silent)
            try study.optimize(nTrials: 100) { trial in
                Double(try trial.suggestInt("b", low: 1, high: 2))
                    + (try trial.suggestCategorical("a", choices: ["x", "y", "z"]) == "x" ? 1 : 0)
            }
            let order = try study.trials().map {
                "\($0.params["a"] ?? .null)\($0.params["b"] ?? .null)"
            }
            #expect(order.joined(separator: " ") == wanted)
        }
    }

    @Test func `a grid knows its parameters`() throws {
        let study = try Study.create(sampler: try GridSampler(["a": [1]]), logger: silent)
        #expect {
            try study.ask().suggestFloat("b", low: 0, high: 1)
        } throws: {
            "\($0)" == "The parameter name, b, is not found in the given grid."
        }
        #expect(throws: TuningError.self) { try GridSampler(["a": []]) }
        let many = (0..<1000).map { ParameterValue.int($0) }
        #expect(throws: TuningError.self) {
            try GridSampler(["a": many, "b": many, "c": many])
        }
    }

    @Test func `arguments that make no sampler are refused`() throws {
        func message(_ change: (inout TPESampler.Options) -> Void) -> String {
            var options = TPESampler.Options()
            change(&options)
            do { _ = try TPESampler(options) } catch { return "\(error)" }
            return "no error"
        }
        #expect(
            message { $0.nEICandidates = 0 }
                == "TPESampler: n_ei_candidates: must be at least 1, but got 0")
        #expect(
            message { $0.priorWeight = -1 }
                == "A non-negative value must be specified for prior_weight, but got -1.0.")
        #expect(
            message { $0.seed = -1 }
                == "TPESampler: seed: must be between 0 and 2**32 - 1, but got -1")
        #expect(
            message {
                $0.group = true
                $0.multivariate = false
            } == "``group`` option can only be enabled when ``multivariate`` is enabled.")
    }

    @Test(arguments: Kind.allCases, [true, false])
    func `studies that share a sampler don't see each other's trials`(
        _ kind: Kind, isOneStorage: Bool
    ) throws {
        let sampler = try kind.make(seed: 3)
        let storage = InMemoryStorage()
        func make(_ direction: StudyDirection) throws -> Study {
            try Study.create(
                storage: isOneStorage ? storage : nil, sampler: sampler, directions: [direction],
                logger: silent)
        }
        // The second has one parameter in common with the first, in another range.
        let first = try make(.minimize)
        let second = try make(.maximize)
        for _ in 0..<3 {
            try first.optimize(nTrials: 12) { try suggestAll($0) }
            try second.optimize(nTrials: 12) { trial in
                let x = try trial.suggestFloat("x", low: 100, high: 200)
                let other = try trial.suggestInt("only b", low: 0, high: 9)
                #expect((100...200).contains(x))
                #expect(Set(try trial.relativeParams().names).isSubset(of: ["x", "only b", "i"]))
                return x + Double(other)
            }
        }
        for study in [first, second] { #expect(try study.trials(.complete).count == 36) }
    }

    @Test func `a study's suggestions are the same with a second study in between`() throws {
        // Before the last trial the sampler works for another study, which uses no random numbers.
        func last(_ isInterrupted: Bool) throws -> NamedValues<ParameterValue>? {
            let sampler = try TPESampler(seed: 1)
            let study = try Study.create(sampler: sampler, logger: silent)
            func objective(_ trial: Trial) throws -> Double {
                try trial.suggestFloat("x", low: 0, high: 1)
            }
            try study.optimize(nTrials: 20) { try objective($0) }
            if isInterrupted {
                let other = try Study.create(sampler: sampler, logger: silent)
                try other.enqueueTrial(["x": 0.5])
                try other.optimize(nTrials: 1) { -(try objective($0)) }
            }
            try study.optimize(nTrials: 1) { try objective($0) }
            return try study.trials().last?.params
        }
        #expect(try last(true) == last(false))
    }

    @Test func `constraints found after a trial keep it out of the good ones`() throws {
        var options = TPESampler.Options(seed: 1)
        options.constraints = { [($0.params["x"]?.doubleValue ?? 0) - 0.5] }
        let study = try Study.create(sampler: try TPESampler(options), logger: silent)
        try study.optimize(nTrials: 60) { -(try $0.suggestFloat("x", low: 0, high: 1)) }
        let best = try #require(try study.bestParams()["x"]?.doubleValue)
        #expect(best <= 0.5 && best > 0.45)
    }
}
