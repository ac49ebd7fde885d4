// Ranges: their rules, their refusals, their values in internal form.

import OrderedJSON
import Testing

import Tuning

struct DistributionTests {
    @Test func `the upper end moves to the last step, counted in decimals`() throws {
        for row in try golden("functions.json").at("adjusted").list() {
            var warnings: [String] = []
            let high = try row.at("high").number()
            let distribution = try FloatDistribution(
                low: try row.at("low").number(), high: high, step: try row.at("step").number(),
                warn: { warnings.append($0) })
            #expect(distribution.high == (try row.at("adjusted").number()), "\(row)")
            if distribution.high != high { #expect(warnings.count == 1) }
            #expect(Distribution.float(distribution).isSingle == row["single"]?.boolValue)
            for probe in try row.at("probes").list() {
                let x = try probe.at(0).number()
                #expect(
                    Distribution.float(distribution).contains(x) == probe[1]?.boolValue,
                    "\(x) in \(row)")
            }
        }
    }

    @Test func `an adjusted range warns in Optuna's words`() throws {
        var warnings: [String] = []
        _ = try FloatDistribution(low: 0, high: 1, step: 0.3) { warnings.append($0) }
        let ints = try IntDistribution(low: 1, high: 10, step: 4) { warnings.append($0) }
        #expect(ints.high == 9)
        #expect(
            warnings == [
                "The distribution is specified by [0.0, 1.0] and step=0.3, but the range is not "
                    + "divisible by `step`. It will be replaced with [0.0, 0.9].",
                "The distribution is specified by [1, 10] and step=4, but the range is not "
                    + "divisible by `step`. It will be replaced with [1, 9].",
            ])
    }

    @Test func `what makes no range is refused in Optuna's words`() {
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "no error"
        }
        let cases: [(String, () throws -> Void)] = [
            (
                "The parameter `step` is not supported when `log` is true.",
                { _ = try FloatDistribution(low: 1, high: 2, log: true, step: 0.1) }
            ),
            (
                "`low <= high` must hold, but got (low=2.0, high=1.0).",
                { _ = try FloatDistribution(low: 2, high: 1) }
            ),
            (
                "`low > 0` must hold for `log=True`, but got (low=0.0, high=1.0).",
                { _ = try FloatDistribution(low: 0, high: 1, log: true) }
            ),
            (
                "`step > 0` must hold, but got step=0.0.",
                { _ = try FloatDistribution(low: 0, high: 1, step: 0) }
            ),
            (
                "`low` must be a finite number, but got low=nan.",
                { _ = try FloatDistribution(low: .nan, high: 1) }
            ),
            (
                "`high` must be a finite number, but got high=inf.",
                { _ = try FloatDistribution(low: 0, high: .infinity) }
            ),
            (
                "`high - low` must be a finite number, but got high - low=inf.",
                { _ = try FloatDistribution(low: -1e308, high: 1e308) }
            ),
            (
                "The range [0.0, 1e+300] holds too many steps of 1e-300 to count; use a larger "
                    + "step or none.",
                { _ = try FloatDistribution(low: 0, high: 1e300, step: 1e-300) }
            ),
            (
                "`low <= high` must hold, but got (low=2, high=1).",
                { _ = try IntDistribution(low: 2, high: 1) }
            ),
            (
                "`low >= 1` must hold for `log=True`, but got (low=0, high=1).",
                { _ = try IntDistribution(low: 0, high: 1, log: true) }
            ),
            (
                "Samplers and other components in Optuna only accept step is 1 when `log` "
                    + "argument is True, but got step=2.",
                { _ = try IntDistribution(low: 1, high: 9, log: true, step: 2) }
            ),
            (
                "`step > 0` must hold, but got step=-1.",
                { _ = try IntDistribution(low: 0, high: 1, step: -1) }
            ),
            (
                "The `choices` must contain one or more elements.",
                { _ = try CategoricalDistribution(choices: []) }
            ),
        ]
        for (wanted, body) in cases { #expect(message(body) == wanted) }
    }

    @Test func `the widest integer range does not overflow`() throws {
        let full = try IntDistribution(low: .min, high: .max)
        #expect(full.high == .max)
        let steps = try IntDistribution(low: .min, high: .max, step: .max)
        #expect(steps.high == .max - 1)
        let study = try Study.create(sampler: try TPESampler(seed: 1), logger: silent)
        try study.optimize(nTrials: 30) { trial in
            let x = try trial.suggestInt("x", low: .min, high: .max)
            let y = try trial.suggestInt("y", low: .min, high: .max, step: .max)
            let z = try trial.suggestInt("z", low: 1, high: .max, log: true)
            _ = try trial.suggestFloat("f", low: -8e307, high: 8e307)
            #expect(y <= .max - 1)
            return Double(x) + Double(z)
        }
        #expect(try study.trials(.complete).count == 30)
    }

    @Test func `choices are told apart as Python does`() throws {
        let distribution = try CategoricalDistribution(choices: [
            "a", .null, true, 2.5, .double(.nan),
        ])
        #expect(distribution.index(of: 1) == 2)
        #expect(distribution.index(of: 1.0) == 2)
        #expect(distribution.index(of: .double(.nan)) == 4)
        #expect(distribution.index(of: "b") == nil)
        #expect(ParameterValue.int(.max).isPythonEqual(to: .double(9.3e18)) == false)
        #expect(throws: TuningError.self) {
            try Distribution.categorical(distribution).internalValue(of: 3)
        }
    }

    @Test func `an unknown choice is named with the choices`() throws {
        let distribution = Distribution.categorical(
            try CategoricalDistribution(choices: ["a", 1, .null]))
        #expect {
            try distribution.internalValue(of: "z")
        } throws: {
            "\($0)" == "'z' not in ('a', 1, None)."
        }
    }

    @Test func `a distribution prints as in Python`() throws {
        let float = Distribution.float(try FloatDistribution(low: 0, high: 1))
        let int = Distribution.int(try IntDistribution(low: 1, high: 5, log: true))
        let categorical = Distribution.categorical(try CategoricalDistribution(choices: ["a"]))
        #expect("\(float)" == "FloatDistribution(high=1.0, log=False, low=0.0, step=None)")
        #expect("\(int)" == "IntDistribution(high=5, log=True, low=1, step=1)")
        #expect("\(categorical)" == "CategoricalDistribution(choices=('a',))")
    }

    @Test func `ranges may change under a name, kinds may not`() throws {
        let narrow = Distribution.float(try FloatDistribution(low: 0, high: 1))
        let wide = Distribution.float(try FloatDistribution(low: 0, high: 9, step: 1))
        let log = Distribution.float(try FloatDistribution(low: 1, high: 9, log: true))
        let int = Distribution.int(try IntDistribution(low: 0, high: 1))
        let choices = Distribution.categorical(try CategoricalDistribution(choices: [1, 2]))
        let equal = Distribution.categorical(try CategoricalDistribution(choices: [true, 2.0]))
        let reordered = Distribution.categorical(try CategoricalDistribution(choices: [2, 1]))
        try narrow.checkCompatibility(with: wide)
        try choices.checkCompatibility(with: equal)
        #expect(throws: TuningError.differentLog) { try narrow.checkCompatibility(with: log) }
        #expect(throws: TuningError.differentKind) { try narrow.checkCompatibility(with: int) }
        #expect(throws: TuningError.dynamicChoices) {
            try choices.checkCompatibility(with: reordered)
        }
    }
}
