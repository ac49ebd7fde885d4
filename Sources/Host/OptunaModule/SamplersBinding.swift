// `optuna.samplers`: constructors of the engine's samplers.

public import LuaBridge
import Logging
import OrderedJSON
public import Tuning

extension TPESampler: LuaObject {}
extension RandomSampler: LuaObject {}
extension GridSampler: LuaObject {}
extension PartialFixedSampler: LuaObject {}

func samplersModule(_ log: OptunaLog) -> LuaModule {
    let module = LuaModule("optuna.samplers")
        .class(tpeSamplerClass(log))
        .class(
            LuaClass<RandomSampler>("RandomSampler", doc: "Uniform draws.", conforms: ["Sampler"])
                .constructor([seed]) { args in try RandomSampler(seed: args.seed()) }
                .tostring { _ in "RandomSampler()" }
        )
        .class(gridSamplerClass())
        .class(
            LuaClass<PartialFixedSampler>(
                "PartialFixedSampler", doc: "Some parameters held, the others sampled.",
                conforms: ["Sampler"]
            )
            .constructor([
                .required("fixed_params", .map(.any)),
                .required("base_sampler", .object("Sampler")),
            ]) { args in
                let base: (any Sampler)? = try args.object("base_sampler")
                guard let base else { throw LuaError.missing(name: "base_sampler") }
                return PartialFixedSampler(try args.parameters("fixed_params"), base: base)
            }
            .tostring { _ in "PartialFixedSampler()" }
        )
    addSearchSamplers(to: module, log)
    addUnsupported(
        "NSGAIIISampler", to: module,
        hint: "use TPESampler, GPSampler, CmaEsSampler, NSGAIISampler, QMCSampler, RandomSampler, "
            + "GridSampler, BruteForceSampler or PartialFixedSampler")
    return module
}

/// A function that says that it is not there yet and what is.
func addUnsupported(_ name: String, to module: LuaModule, hint: String) {
    // Whatever it is called with.
    let arguments = (1...8).map { place in
        LuaParameter("argument\(place)", .any, default: .nil, kind: .positionalOnly)
    }
    module.function(
        name, arguments, doc: "Not supported yet: \(hint)."
    ) { _ -> LuaValue in
        throw TuningError.unsupported(what: "optuna's \(name)", hint: hint)
    }
}

private let seed = LuaParameter.optional(
    "seed", .integer, .nil, "0 ..< 2^32; nil differs from run to run.")

private func tpeSamplerClass(_ log: OptunaLog) -> LuaClass<TPESampler> {
    LuaClass<TPESampler>(
        "TPESampler", doc: "Tree-structured Parzen estimators; the default.", conforms: ["Sampler"]
    )
    .constructor([
        .keyword("consider_prior", .boolean, true, "Without effect, as in Optuna 5."),
        .keyword("prior_weight", .number, 1.0, range: .atLeast(0)),
        .keyword("consider_magic_clip", .boolean, true),
        .keyword("consider_endpoints", .boolean, false),
        .keyword("n_startup_trials", .integer, 10, range: .atLeast(0), "Random trials at first."),
        .keyword("n_ei_candidates", .integer, 24, range: .atLeast(1), "Candidates per draw."),
        .keyword("gamma", .function, .nil, "Number of good ones among n trials."),
        .keyword("weights", .function, .nil, "Sequence of n weights, oldest first."),
        .keyword("seed", .integer, .nil, "0 ..< 2^32; nil differs from run to run."),
        .keyword("multivariate", .boolean, .nil, "Draw all parameters together."),
        .keyword("group", .boolean, false, "Draw together what occurs together."),
        .keyword("warn_independent_sampling", .boolean, false),
        .keyword("constant_liar", .boolean, true, "Running trials count as bad ones."),
        .keyword("constraints_func", .function, .nil, "Constraint values of a finished trial."),
        .keyword(
            "tie_order", .oneOf(["simd", "scalar"]), .computed("the processor's"),
            "Whose order of tied observations; st-host's own."),
    ]) { args in
        var options = TPESampler.Options(
            seed: try args.seed(), multivariate: try args["multivariate"])
        if try args["consider_prior"] == false {
            log.logger.warning(
                "TPESampler: `consider_prior` is ignored: the prior always counts.")
        }
        options.priorWeight = try args["prior_weight"]
        options.considerMagicClip = try args["consider_magic_clip"]
        options.considerEndpoints = try args["consider_endpoints"]
        options.nStartupTrials = try args["n_startup_trials"]
        options.nEICandidates = try args["n_ei_candidates"]
        options.group = try args["group"]
        options.warnIndependentSampling = try args["warn_independent_sampling"]
        options.constantLiar = try args["constant_liar"]
        if let name: String = try args["tie_order"] {
            options.tieOrder = name == "simd" ? .simd : .scalar
        }
        if let function: LuaFunction = try args["gamma"] {
            options.gamma = { count in
                try named("gamma") { try function.call(count, returning: Int.self) }
            }
        }
        if let function: LuaFunction = try args["weights"] {
            options.weights = { count in
                try named("weights") { try function.call(count, returning: [Double].self) }
            }
        }
        options.constraints = try constraintsFunction(args)
        return try TPESampler(options)
    }
    .tostring { _ in "TPESampler()" }
}

/// The argument `constraints_func`.
func constraintsFunction(
    _ args: LuaArguments
) throws -> (@Sendable (FrozenTrial) throws -> [Double])? {
    guard let function: LuaFunction = try args["constraints_func"] else { return nil }
    return { trial in
        try named("constraints_func") {
            try function.call(FrozenTrialObject(trial), returning: [Double].self)
        }
    }
}

/// Says whose result was of the wrong type.
private func named<R>(_ name: String, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as LuaError {
        throw error.within(name)
    }
}

private func gridSamplerClass() -> LuaClass<GridSampler> {
    LuaClass<GridSampler>(
        "GridSampler", doc: "Every combination of listed values, once.", conforms: ["Sampler"]
    )
    .constructor([
        .required("search_space", .map(.sequence(.any)), "Values by parameter name."), seed,
    ]) { args in
        let table: LuaTable = try args["search_space"]
        let space = try NamedValues<[ParameterValue]>.fromLua(table, path: "search_space") {
            value in
            guard let values = value.table else {
                throw LuaError.mismatch(path: "", expected: "sequence", got: value.typeName)
            }
            return try (0..<values.count).map { try values.get($0 + 1) as ParameterValue }
        }
        return try GridSampler(space, seed: args.seed())
    }
    .tostring { _ in "GridSampler()" }
}
