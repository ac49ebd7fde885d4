// `optuna.distributions`: the ranges of parameters.

import LuaBridge
import Tuning

/// A range as scripts hold it.
final class DistributionObject: LuaObject, Sendable {
    let distribution: Distribution

    init(_ distribution: Distribution) { self.distribution = distribution }
}

func distributionClass() -> LuaClass<DistributionObject> {
    LuaClass<DistributionObject>("Distribution", doc: "Where a parameter's values come from.")
        .index { object, key in
            switch (object.distribution, key.string) {
            case (.float(let it), "low"): return it.low
            case (.float(let it), "high"): return it.high
            case (.float(let it), "log"): return it.log
            case (.float(let it), "step"): return it.step.map(LuaValue.number) ?? LuaValue.nil
            case (.int(let it), "low"): return it.low
            case (.int(let it), "high"): return it.high
            case (.int(let it), "log"): return it.log
            case (.int(let it), "step"): return it.step
            case (.categorical(let it), "choices"): return it.choices
            default: return nil
            }
        }
        .operator(.eq) { left, right in
            left.object(as: DistributionObject.self)?.distribution
                == right.object(as: DistributionObject.self)?.distribution
        }
        .tostring { "\($0.distribution)" }
}

/// `optuna.distributions`
func distributionsModule(warn: @escaping (String) -> Void) -> LuaModule {
    LuaModule("optuna.distributions")
        .function(
            "FloatDistribution",
            [
                .required("low", .number), .required("high", .number),
                .optional("log", .boolean, false), .optional("step", .number),
            ]
        ) { args in
            DistributionObject(
                .float(
                    try FloatDistribution(
                        low: args["low"], high: args["high"], log: args["log"],
                        step: args["step"], warn: warn)))
        }
        .function(
            "IntDistribution",
            [
                .required("low", .integer), .required("high", .integer),
                .optional("log", .boolean, false), .optional("step", .integer, 1),
            ]
        ) { args in
            DistributionObject(
                .int(
                    try IntDistribution(
                        low: args["low"], high: args["high"], log: args["log"],
                        step: args["step"], warn: warn)))
        }
        .function("CategoricalDistribution", [.required("choices", .sequence(.any))]) { args in
            DistributionObject(
                .categorical(try CategoricalDistribution(choices: args["choices"])))
        }
}
