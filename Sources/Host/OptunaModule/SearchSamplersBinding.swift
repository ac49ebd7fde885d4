// `optuna.samplers`: BruteForceSampler, QMCSampler, CmaEsSampler, GPSampler and NSGAIISampler with its
// parts in `optuna.samplers.nsgaii`.

public import LuaBridge
public import Tuning

extension BruteForceSampler: LuaObject {}
extension QMCSampler: LuaObject {}
extension CmaEsSampler: LuaObject {}
extension GPSampler: LuaObject {}
extension NSGAIISampler: LuaObject {}

private let seed = LuaParameter.keyword(
    "seed", .integer, .nil, "0 ..< 2^32; nil differs from run to run.")
private let independentSampler = LuaParameter.keyword(
    "independent_sampler", .object("Sampler"), .computed("RandomSampler{ seed = seed }"),
    "For parameters that are not drawn together.")
private let warnIndependent = LuaParameter.keyword("warn_independent_sampling", .boolean, true)

func addSearchSamplers(to module: LuaModule, _ log: OptunaLog) {
    module
        .class(
            LuaClass<BruteForceSampler>(
                "BruteForceSampler", doc: "Every combination of a finite space, once.",
                conforms: ["Sampler"]
            )
            .constructor([
                .optional("seed", .integer, .nil, "0 ..< 2^32; nil differs from run to run."),
                .optional(
                    "avoid_premature_stop", .boolean, false, "Running trials count as not tried."),
            ]) { args in
                try BruteForceSampler(
                    seed: args.seed(), avoidPrematureStop: args["avoid_premature_stop"])
            }
            .tostring { _ in "BruteForceSampler()" }
        )
        .class(qmcSamplerClass(log))
        .class(cmaEsSamplerClass())
        .class(gpSamplerClass())
        .class(nsgaiiSamplerClass())
        .submodule("nsgaii", nsgaiiModule())
}

private func qmcSamplerClass(_ log: OptunaLog) -> LuaClass<QMCSampler> {
    LuaClass<QMCSampler>(
        "QMCSampler", doc: "Points of a low-discrepancy sequence.", conforms: ["Sampler"]
    )
    .constructor([
        .keyword("qmc_type", .oneOf(["sobol", "halton"]), "sobol"),
        .keyword("scramble", .boolean, false, "Randomise the sequence by the seed."),
        seed, independentSampler,
        .keyword("warn_asynchronous_seeding", .boolean, true),
        warnIndependent,
    ]) { args in
        let kind: String = try args["qmc_type"]
        return try QMCSampler(
            kind == "halton" ? .halton : .sobol, isScrambled: args["scramble"],
            seed: args.seed(), independentSampler: args.object("independent_sampler"),
            warnsAsynchronousSeeding: args["warn_asynchronous_seeding"],
            warnsIndependentSampling: args["warn_independent_sampling"], logger: log.logger)
    }
    .tostring { _ in "QMCSampler()" }
}

private func cmaEsSamplerClass() -> LuaClass<CmaEsSampler> {
    LuaClass<CmaEsSampler>(
        "CmaEsSampler", doc: "Covariance matrix adaptation, for numbers.", conforms: ["Sampler"]
    )
    .constructor([
        .keyword("x0", .map(.any), .nil, "Where to begin; nil is the middle."),
        .keyword("sigma0", .number, .nil, "First step size, in parts of the ranges; nil is 1/6."),
        .keyword("n_startup_trials", .integer, 1, range: .atLeast(0)),
        independentSampler, warnIndependent, seed,
        .keyword("consider_pruned_trials", .boolean, false),
        .keyword("popsize", .integer, .nil, "Trials of a generation; nil is 4 + 3 ln n."),
        .keyword("use_separable_cma", .boolean, false, "For many parameters."),
        .keyword("with_margin", .boolean, false, "For integers and steps."),
        .keyword("lr_adapt", .boolean, false, "For noisy objectives."),
        .keyword(
            "source_trials", .sequence(.object("FrozenTrial")), .nil, "Of a related study."),
    ]) { args in
        var options = CmaEsSampler.Options(seed: try args.seed())
        if args.isGiven("x0") { options.x0 = try args.parameters("x0") }
        options.sigma0 = try args["sigma0"]
        options.nStartupTrials = try args["n_startup_trials"]
        options.independentSampler = try args.object("independent_sampler")
        options.warnIndependentSampling = try args["warn_independent_sampling"]
        options.considerPrunedTrials = try args["consider_pruned_trials"]
        options.populationSize = try args["popsize"]
        options.useSeparableCMA = try args["use_separable_cma"]
        options.withMargin = try args["with_margin"]
        options.lrAdapt = try args["lr_adapt"]
        if args.isGiven("source_trials") {
            let objects: [FrozenTrialObject] = try args["source_trials"]
            options.sourceTrials = objects.map(\.trial)
        }
        return try CmaEsSampler(options)
    }
    .tostring { _ in "CmaEsSampler()" }
}

private func gpSamplerClass() -> LuaClass<GPSampler> {
    LuaClass<GPSampler>(
        "GPSampler", doc: "Gaussian processes, for few and expensive trials.",
        conforms: ["Sampler"]
    )
    .constructor([
        seed, independentSampler,
        .keyword(
            "n_startup_trials", .integer, 10, range: .atLeast(0), "Trials of the other sampler."),
        .keyword("deterministic_objective", .boolean, false, "The objective has no noise."),
        .keyword("constraints_func", .function, .nil, "Constraint values of a finished trial."),
        warnIndependent,
    ]) { args in
        var options = GPSampler.Options(seed: try args.seed())
        options.independentSampler = try args.object("independent_sampler")
        options.nStartupTrials = try args["n_startup_trials"]
        options.deterministicObjective = try args["deterministic_objective"]
        options.warnIndependentSampling = try args["warn_independent_sampling"]
        options.constraints = try constraintsFunction(args)
        return try GPSampler(options)
    }
    .tostring { _ in "GPSampler()" }
}

// MARK: - NSGA-II

/// A crossover as scripts hold it.
final class CrossoverObject: LuaObject, Sendable {
    let crossover: any Crossover

    init(_ crossover: any Crossover) { self.crossover = crossover }
}

/// A mutation as scripts hold it.
final class MutationObject: LuaObject, Sendable {
    let mutation: PolynomialMutation

    init(_ mutation: PolynomialMutation) { self.mutation = mutation }
}

func crossoverClass() -> LuaClass<CrossoverObject> {
    LuaClass<CrossoverObject>("Crossover", doc: "How a child's numbers come from its parents'.")
        .tostring { "\($0.crossover)" }
}

func mutationClass() -> LuaClass<MutationObject> {
    LuaClass<MutationObject>("Mutation", doc: "How a number of a child changes.")
        .tostring { _ in "PolynomialMutation" }
}

private func nsgaiiSamplerClass() -> LuaClass<NSGAIISampler> {
    LuaClass<NSGAIISampler>(
        "NSGAIISampler", doc: "A genetic algorithm for several objectives.", conforms: ["Sampler"]
    )
    .constructor([
        .keyword("population_size", .integer, 50, "Trials of a generation."),
        .keyword("mutation", .object("Mutation"), .nil, "nil draws a mutating parameter anew."),
        .keyword("mutation_prob", .number, .nil, "nil is one over the number of parameters."),
        .keyword("crossover", .object("Crossover"), .computed("nsgaii.UniformCrossover()")),
        .keyword("crossover_prob", .number, 0.9),
        .keyword("swapping_prob", .number, 0.5),
        seed,
        .keyword("constraints_func", .function, .nil, "Constraint values of a finished trial."),
    ]) { args in
        var options = try NSGAIISampler.Options(
            seed: args.seed(), swappingProb: args["swapping_prob"])
        options.populationSize = try args["population_size"]
        options.mutation = try args.object("mutation", as: MutationObject.self)?.mutation
        options.mutationProb = try args["mutation_prob"]
        if let object = try args.object("crossover", as: CrossoverObject.self) {
            options.crossover = object.crossover
        }
        options.crossoverProb = try args["crossover_prob"]
        options.constraints = try constraintsFunction(args)
        return try NSGAIISampler(options)
    }
    .tostring { _ in "NSGAIISampler()" }
}

private func nsgaiiModule() -> LuaModule {
    let eta = LuaParameter.optional("eta", .number, .nil, "nil is 2; 20 with several objectives.")
    let exchange = LuaParameter.optional("uniform_crossover_prob", .number, 0.5)
    let child = LuaParameter.optional("use_child_gene_prob", .number, 0.5)
    return LuaModule("optuna.samplers.nsgaii")
        .function("UniformCrossover", [.optional("swapping_prob", .number, 0.5)]) {
            args -> CrossoverObject in
            CrossoverObject(try UniformCrossover(swappingProb: args["swapping_prob"]))
        }
        .function("BLXAlphaCrossover", [.optional("alpha", .number, 0.5)]) {
            args -> CrossoverObject in
            CrossoverObject(BLXAlphaCrossover(alpha: try args["alpha"]))
        }
        .function("SPXCrossover", [.optional("epsilon", .number)]) { args -> CrossoverObject in
            CrossoverObject(SPXCrossover(epsilon: try args["epsilon"]))
        }
        .function("SBXCrossover", [eta, exchange, child]) { args -> CrossoverObject in
            CrossoverObject(try binaryCrossover(args, SBXCrossover.init))
        }
        .function("VSBXCrossover", [eta, exchange, child]) { args -> CrossoverObject in
            CrossoverObject(try binaryCrossover(args, VSBXCrossover.init))
        }
        .function(
            "UNDXCrossover", [.optional("sigma_xi", .number, 0.5), .optional("sigma_eta", .number)]
        ) { args -> CrossoverObject in
            CrossoverObject(
                UNDXCrossover(sigmaXi: try args["sigma_xi"], sigmaEta: try args["sigma_eta"]))
        }
        .function("PolynomialMutation", [.optional("eta", .number, 20.0)]) {
            args -> MutationObject in
            MutationObject(try PolynomialMutation(eta: args["eta"]))
        }
}

/// SBX and vSBX take the same arguments.
private func binaryCrossover<Made>(
    _ args: LuaArguments, _ make: (Double?, Double, Double) throws -> Made
) throws -> Made {
    try make(args["eta"], args["uniform_crossover_prob"], args["use_child_gene_prob"])
}
