// What a recorded study was made with: sampler, pruner and told values out of a golden file.

import OrderedJSON
import Testing

import Tuning

func recordedResult(_ json: JSONValue) throws -> ObjectiveResult {
    if json.isNull { return .none }
    if let list = json.arrayValue {
        return .sequence(try list.map { try #require(ParameterValue($0)) })
    }
    return .single(try #require(ParameterValue(json)))
}

func recordedPruner(_ trace: JSONValue) throws -> any Pruner {
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
    case "wilcoxon":
        return try WilcoxonPruner(
            pThreshold: arguments["p_threshold"]?.doubleValue ?? 0.1,
            nStartupSteps: integer("n_startup_steps", 2))
    default: throw UnknownName()
    }
}

private struct UnknownName: Error {}

func recordedSampler(_ trace: JSONValue) throws -> any Sampler {
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
    if trace["sampler"]?.stringValue == "nsgaii" { return try nsgaiiSampler(arguments) }
    if trace["sampler"]?.stringValue == "qmc" {
        return try QMCSampler(
            arguments["qmc_type"]?.stringValue == "halton" ? .halton : .sobol,
            isScrambled: arguments["scramble"]?.boolValue ?? false,
            seed: arguments["seed"]?.intValue)
    }
    if trace["sampler"]?.stringValue == "bruteforce" {
        return try BruteForceSampler(
            seed: arguments["seed"]?.intValue,
            avoidPrematureStop: arguments["avoid_premature_stop"]?.boolValue ?? false)
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

private func nsgaiiSampler(_ arguments: JSONObject) throws -> any Sampler {
    var options = try NSGAIISampler.Options(seed: arguments["seed"]?.intValue)
    options.populationSize = arguments["population_size"]?.intValue ?? 50
    options.mutationProb = arguments["mutation_prob"]?.doubleValue
    options.crossoverProb = arguments["crossover_prob"]?.doubleValue ?? 0.9
    if arguments["mutation"]?.boolValue == true { options.mutation = try PolynomialMutation() }
    switch arguments["crossover"]?.stringValue {
    case nil, "Uniform": break
    case "BLXAlpha": options.crossover = BLXAlphaCrossover()
    case "SPX": options.crossover = SPXCrossover()
    case "SBX": options.crossover = try SBXCrossover()
    case "VSBX": options.crossover = try VSBXCrossover()
    case "UNDX": options.crossover = UNDXCrossover()
    default: throw UnknownName()
    }
    return try NSGAIISampler(options)
}
