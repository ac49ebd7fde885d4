// Distributions as texts: Python's, of all releases.

import Testing
import Tuning

struct DistributionJSONTests {
    @Test(arguments: [
        #"{"name": "FloatDistribution", "attributes": "#
            + #"{"step": null, "low": 0.0, "high": 0.3, "log": false}}"#,
        #"{"name": "FloatDistribution", "attributes": "#
            + #"{"step": 0.1, "low": -1.0, "high": 1e-05, "log": false}}"#,
        #"{"name": "IntDistribution", "attributes": "#
            + #"{"log": true, "step": 1, "low": 1, "high": 1024}}"#,
        #"{"name": "CategoricalDistribution", "attributes": "#
            + #"{"choices": ["\u00e9", null, true, 1, 1.5, NaN]}}"#,
    ])
    func `what Optuna writes is read and written again letter for letter`(json: String) throws {
        // Lowering a range that its step does not divide changes it.
        let distribution = try Distribution(json: json)
        #expect(
            try Distribution(json: distribution.json).json == distribution.json)
        if !json.contains("1e-05") { #expect(distribution.json == json) }
    }

    @Test func `classes of older releases and the short form are read`() throws {
        func read(_ name: String, _ attributes: String) throws -> Distribution {
            try Distribution(json: #"{"name": "\#(name)", "attributes": {\#(attributes)}}"#)
        }
        #expect(
            try read("UniformDistribution", #""low": 0.0, "high": 1.0"#)
                == .float(FloatDistribution(low: 0, high: 1)))
        #expect(
            try read("LogUniformDistribution", #""low": 0.1, "high": 1.0"#)
                == .float(FloatDistribution(low: 0.1, high: 1, log: true)))
        #expect(
            try read("DiscreteUniformDistribution", #""low": 0, "high": 1, "q": 0.25"#)
                == .float(FloatDistribution(low: 0, high: 1, step: 0.25)))
        #expect(
            try read("IntUniformDistribution", #""low": 0, "high": 9, "step": 3"#)
                == .int(IntDistribution(low: 0, high: 9, step: 3)))
        #expect(
            try read("IntLogUniformDistribution", #""low": 1, "high": 8, "step": 1"#)
                == .int(IntDistribution(low: 1, high: 8, log: true)))
        #expect(
            try Distribution(json: #"{"type": "int", "low": 1, "high": 5.0}"#)
                == .int(IntDistribution(low: 1, high: 5)))
        #expect(
            try Distribution(json: #"{"type": "categorical", "choices": [1]}"#)
                == .categorical(CategoricalDistribution(choices: [1])))
    }

    @Test(arguments: [
        "", "{", "null", "[]", "{}", #"{"name": "X", "attributes": {}}"#, #"{"name": 1}"#,
        #"{"name": "FloatDistribution"}"#, #"{"type": "float", "low": 1}"#,
        #"{"type": "float", "low": "a", "high": 1}"#, #"{"type": "int", "low": 0.5, "high": 1}"#,
        #"{"type": "int", "low": 1e300, "high": 2}"#, #"{"type": "float", "low": 2, "high": 1}"#,
        #"{"type": "float", "low": 0, "high": Infinity}"#,
        #"{"type": "categorical", "choices": []}"#, #"{"type": "categorical", "choices": [[1]]}"#,
        #"{"type": "int", "low": 1, "high": 2, "log": "yes"}"#,
    ])
    func `a text that is none is an error`(json: String) {
        #expect(throws: TuningError.self) { try Distribution(json: json) }
    }
}
