// `optuna.pruners`: constructors of the engine's pruners.

public import LuaBridge
public import Tuning

extension NopPruner: LuaObject {}
extension MedianPruner: LuaObject {}
extension PercentilePruner: LuaObject {}
extension ThresholdPruner: LuaObject {}
extension PatientPruner: LuaObject {}
extension SuccessiveHalvingPruner: LuaObject {}
extension HyperbandPruner: LuaObject {}
extension WilcoxonPruner: LuaObject {}

func prunersModule() -> LuaModule {
    let module = LuaModule("optuna.pruners")
    addPercentilePruners(to: module)
    addHalvingPruners(to: module)
    module
        .class(
            pruner(NopPruner.self, "NopPruner", "Prunes nothing.")
                .constructor { _ in NopPruner() }
        )
        .class(
            pruner(ThresholdPruner.self, "ThresholdPruner", "Prunes by fixed bounds.")
                .constructor([
                    .optional("lower", .number), .optional("upper", .number), warmup, interval,
                ]) { args in
                    try ThresholdPruner(
                        lower: args["lower"], upper: args["upper"],
                        nWarmupSteps: args["n_warmup_steps"], intervalSteps: args["interval_steps"])
                }
        )
        .class(
            pruner(PatientPruner.self, "PatientPruner", "Waits before another pruner decides.")
                .constructor([
                    .optional("wrapped_pruner", .object("Pruner")),
                    .required("patience", .integer, "Reports without improvement."),
                    .optional("min_delta", .number, 0.0),
                ]) { args in
                    try PatientPruner(
                        args.object("wrapped_pruner"), patience: args["patience"],
                        minDelta: args["min_delta"])
                }
        )
        .class(
            pruner(WilcoxonPruner.self, "WilcoxonPruner", "A paired test against the best trial.")
                .constructor([
                    .keyword("p_threshold", .number, 0.1, "The larger, the more is pruned."),
                    .keyword("n_startup_steps", .integer, 2, "Common steps before that."),
                ]) { args in
                    try WilcoxonPruner(
                        pThreshold: args["p_threshold"], nStartupSteps: args["n_startup_steps"])
                }
        )
    return module
}

private let startup = LuaParameter.optional(
    "n_startup_trials", .integer, 5, "Finished trials before anything is pruned.")
private let warmup = LuaParameter.optional(
    "n_warmup_steps", .integer, 0, "Steps of a trial before it can be pruned.")
private let interval = LuaParameter.optional(
    "interval_steps", .integer, 1, "Checks once per so many steps.")
private let minimum = LuaParameter.keyword(
    "n_min_trials", .integer, 1, "Reports at a step that a decision needs.")

private func pruner<T: AnyObject>(_: T.Type, _ name: String, _ doc: String) -> LuaClass<T> {
    LuaClass<T>(name, doc: doc, conforms: ["Pruner"]).tostring { _ in "\(name)()" }
}

private func addPercentilePruners(to module: LuaModule) {
    module
        .class(
            pruner(MedianPruner.self, "MedianPruner", "Prunes what is worse than the median.")
                .constructor([startup, warmup, interval, minimum]) { args in
                    try MedianPruner(
                        nStartupTrials: args["n_startup_trials"],
                        nWarmupSteps: args["n_warmup_steps"],
                        intervalSteps: args["interval_steps"], nMinTrials: args["n_min_trials"])
                }
        )
        .class(
            pruner(
                PercentilePruner.self, "PercentilePruner", "Keeps the best percentile of trials."
            )
            .constructor([.required("percentile", .number), startup, warmup, interval, minimum]) {
                args in
                try PercentilePruner(
                    args["percentile"], nStartupTrials: args["n_startup_trials"],
                    nWarmupSteps: args["n_warmup_steps"],
                    intervalSteps: args["interval_steps"], nMinTrials: args["n_min_trials"])
            }
        )
}

private func addHalvingPruners(to module: LuaModule) {
    /// A number of steps, or "auto" (nil).
    func resource(_ args: LuaArguments, _ name: String) throws -> Int? {
        let value = try args[name] as LuaValue
        if let number = value.integer { return number }
        if value.isNil || value.string == "auto" { return nil }
        throw args.invalid(name, "expected an integer or \"auto\"")
    }
    let number = LuaType.union([.integer, .string])
    module
        .class(
            pruner(
                SuccessiveHalvingPruner.self, "SuccessiveHalvingPruner",
                "Lets a fraction of the trials pass each rung."
            )
            .constructor([
                .optional("min_resource", number, "auto", "Steps to the first rung."),
                .optional("reduction_factor", .integer, 4),
                .optional("min_early_stopping_rate", .integer, 0),
                .optional("bootstrap_count", .integer, 0),
            ]) { args in
                try SuccessiveHalvingPruner(
                    minResource: resource(args, "min_resource"),
                    reductionFactor: args["reduction_factor"],
                    minEarlyStoppingRate: args["min_early_stopping_rate"],
                    bootstrapCount: args["bootstrap_count"])
            }
        )
        .class(
            pruner(
                HyperbandPruner.self, "HyperbandPruner",
                "Several successive halvings side by side."
            )
            .constructor([
                .optional("min_resource", .integer, 1),
                .optional("max_resource", number, "auto", "Steps of a full trial."),
                .optional("reduction_factor", .integer, 3),
                .optional("bootstrap_count", .integer, 0),
            ]) { args in
                try HyperbandPruner(
                    minResource: args["min_resource"],
                    maxResource: resource(args, "max_resource"),
                    reductionFactor: args["reduction_factor"],
                    bootstrapCount: args["bootstrap_count"])
            }
        )
}
