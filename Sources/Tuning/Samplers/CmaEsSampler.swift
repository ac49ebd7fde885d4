// CMA-ES as a sampler: for numbers, where evaluations are many and parameters interact.

import Logging
import OrderedJSON
import Synchronization

/// Draws generations of trials from a normal distribution over the unit cube that adapts to the
/// results.
///
/// Numbers that all complete trials have are drawn together; choices and other parameters by the
/// independent sampler. One objective. The state is not stored: it follows from the trials and their
/// generation (a system attribute), so that any worker, and a later run, goes on from the history.
///
/// Random numbers are used as Optuna uses them, so that the first generation is Python's value for
/// value; later ones differ, as eigenvectors have no fixed sign.
/// Checked by `SamplerBenchmarkTests` against the results of Optuna.
public final class CmaEsSampler: Sampler {
    public struct Options: Sendable {
        /// Where to begin, by name; `nil` is the middle of the ranges.
        public var x0: NamedValues<ParameterValue>?
        /// Step size to begin with, in parts of the ranges; `nil` is 1/6.
        public var sigma0: Double?
        /// Complete trials before the first generation.
        public var nStartupTrials = 1
        /// For choices and other parameters; ``RandomSampler`` if `nil`.
        public var independentSampler: (any Sampler)?
        public var warnIndependentSampling = true
        /// 0 ..< 2³², or `nil` for values that differ from run to run.
        public var seed: Int?
        /// Let pruned trials count with their last report.
        public var considerPrunedTrials = false
        /// Trials of a generation, at least 2; `nil` is 4 + ⌊3 ln n⌋.
        public var populationSize: Int?
        /// A diagonal covariance: for many parameters that don't interact.
        public var useSeparableCMA = false
        /// Keep stepped parameters from getting stuck.
        public var withMargin = false
        /// Learning rates for noisy and multimodal objectives.
        public var lrAdapt = false
        /// Trials of a related study, of which the best tenth says where to begin.
        public var sourceTrials: [FrozenTrial]?

        public init(seed: Int? = nil) { self.seed = seed }
    }

    private let options: Options
    private let prefix: String
    private let independentSampler: any Sampler
    private let state: Mutex<State>

    private struct State {
        var generator: NumpyRandomState
        var memories = StudyMemories { Memory() }
    }

    /// Of one study.
    private struct Memory: Sendable {
        var space = StudySearchSpace(states: .complete)
        var optimizer: Optimizer?
    }

    private struct Optimizer: Sendable {
        var names: [String]
        var evolution: CMAEvolution
        var margin: CMAMargin?
    }

    public init(_ options: Options = Options()) throws {
        func refuse(_ problem: String) -> TuningError { .sampler(problem: problem) }
        if options.sourceTrials != nil && (options.x0 != nil || options.sigma0 != nil) {
            throw refuse(
                "It is prohibited to pass `source_trials` argument when x0 or sigma0 is specified.")
        }
        if options.sourceTrials != nil && options.useSeparableCMA {
            throw refuse(
                "It is prohibited to pass `source_trials` argument when using separable CMA-ES.")
        }
        if options.lrAdapt && (options.useSeparableCMA || options.withMargin) {
            throw refuse(
                "It is prohibited to pass `use_separable_cma` or `with_margin` argument when using "
                    + "`lr_adapt`.")
        }
        if options.useSeparableCMA && options.withMargin {
            throw refuse(
                "Currently, we do not support `use_separable_cma=True` and `with_margin=True`.")
        }
        if let size = options.populationSize, !(2...100_000).contains(size) {
            throw TuningError.argument(
                owner: "CmaEsSampler", name: "popsize",
                problem: "must be between 2 and 100000, but got \(size)")
        }
        if let sigma0 = options.sigma0, !(sigma0 > 0 && sigma0.isFinite) {
            throw TuningError.argument(
                owner: "CmaEsSampler", name: "sigma0",
                problem: "must be positive and finite, but got \(sigma0)")
        }
        self.options = options
        prefix = options.useSeparableCMA ? "sepcma:" : options.withMargin ? "cmawm:" : "cma:"
        let seed = try checkedSeed(options.seed, owner: "CmaEsSampler")
        independentSampler = try options.independentSampler ?? RandomSampler(seed: options.seed)
        state = Mutex(State(generator: .make(seed: seed)))
    }

    public convenience init(seed: Int?) throws { try self.init(Options(seed: seed)) }

    public func reseed() {
        independentSampler.reseed()
        state.withLock { $0.generator = .fromEntropy() }
    }

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        let space = try state.withLock { try $0.memories[study].space.current(study) }
        return space.filter { !$1.isCategorical }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        try refuseSeveralObjectives(study)
        if searchSpace.isEmpty { return [:] }
        let trials = try countedTrials(study)
        if trials.count < options.nStartupTrials { return [:] }
        let cube = UnitCube(searchSpace, hasStepMargins: !options.withMargin)
        let drawn = try state.withLock { state -> (point: [Double], noted: [Double]?, Int)? in
            var optimizer = try state.memories[study].optimizer ?? makeOptimizer(cube, study)
            guard optimizer.names == searchSpace.names else { return nil }
            // Until a generation is complete Optuna makes a new optimizer each time, with a seed
            // that it then replaces.
            let isFirst = optimizer.evolution.generation == 0
            let solutions = try tellAll(&optimizer, trials, cube, study)
            if isFirst && !solutions { _ = state.generator.integer(1, (1 << 31) - 2) }
            state.memories[study].optimizer = optimizer
            let seed = state.generator.integer(1, 1 << 16) + trial.number
            var generator = NumpyRandomState(seed: UInt32(truncatingIfNeeded: seed))
            let evolution = optimizer.evolution
            guard let margin = optimizer.margin else {
                return (
                    optimizer.evolution.draw(&generator), nil, evolution.generation
                )
            }
            let point = optimizer.evolution.draw(&generator, isInside: margin.isInside)
            return (margin.encoded(point, mean: evolution.mean), point, evolution.generation)
        }
        guard let (point, noted, generation) = drawn else {
            if options.warnIndependentSampling {
                study.warn(
                    "`CmaEsSampler` does not support dynamic search space. "
                        + "`\(type(of: independentSampler))` is used instead of `CmaEsSampler`.")
            }
            return [:]
        }
        if let noted {
            try study.storage.setTrialSystemAttribute(
                trial.trialID, "x_for_tell", .array(noted.map(JSONValue.double)))
        }
        try study.storage.setTrialSystemAttribute(
            trial.trialID, prefix + "generation", .int(Int64(generation)))
        return cube.values(at: point)
    }

    // MARK: The optimizer

    private func makeOptimizer(_ cube: UnitCube, _ study: StudyContext) throws -> Optimizer {
        var evolutionOptions = CMAEvolution.Options()
        evolutionOptions.populationSize = options.populationSize
        evolutionOptions.isSeparable = options.useSeparableCMA
        evolutionOptions.adaptsLearningRates = options.lrAdapt
        var mean = [Double](repeating: 0.5, count: cube.names.count)
        var sigma = options.sigma0 ?? 1.0 / 6
        if let x0 = options.x0 {
            guard let point = try cube.point(of: x0) else {
                throw TuningError.argument(
                    owner: "CmaEsSampler", name: "x0",
                    problem: "must have a value for each of "
                        + cube.names.map { pythonRepr($0) }.joined(separator: ", "))
            }
            mean = point.map { min(max($0, 0), 1) }
        }
        if let source = options.sourceTrials {
            let sign: Double = study.directions.first == .maximize ? -1 : 1
            let solutions = try source.compactMap { trial -> (point: [Double], loss: Double)? in
                guard
                    trial.state == .complete
                        || (options.considerPrunedTrials && trial.state == .pruned),
                    Set(trial.distributions.names) == Set(cube.names),
                    let value = trial.values?.first, let point = try cube.point(of: trial.params)
                else { return nil }
                return (point, sign * value)
            }
            if solutions.isEmpty {
                throw TuningError.sampler(problem: "No compatible source_trials")
            }
            let start = try warmStart(solutions)
            mean = start.mean.map { min(max($0, 0), 1) }
            sigma = start.sigma
            evolutionOptions.covariance = start.covariance
        }
        let evolution = CMAEvolution(mean: mean, sigma: sigma, evolutionOptions)
        let margin =
            options.withMargin
            ? CMAMargin(steps: cube.steps, populationSize: evolution.populationSize) : nil
        return Optimizer(names: cube.names, evolution: evolution, margin: margin)
    }

    /// Hands over every generation that is complete; whether there was one.
    private func tellAll(
        _ optimizer: inout Optimizer, _ trials: [FrozenTrial], _ cube: UnitCube,
        _ study: StudyContext
    ) throws -> Bool {
        let sign: Double = study.directions.first == .maximize ? -1 : 1
        var hasTold = false
        while true {
            let generation = optimizer.evolution.generation
            let size = optimizer.evolution.populationSize
            let members = trials.filter {
                $0.systemAttrs[prefix + "generation"]?.intValue == generation
            }
            if members.count < size { return hasTold }
            let solutions = try members.prefix(size).map {
                trial -> (point: [Double], loss: Double) in
                var point = try cube.point(of: trial.params)
                if optimizer.margin != nil {
                    point = trial.systemAttrs["x_for_tell"]?.arrayValue?.compactMap(\.doubleValue)
                }
                guard let point, point.count == cube.names.count,
                    let value = trial.values?.first
                else {
                    throw TuningError.sampler(
                        problem: "CmaEsSampler: trial \(trial.number) of generation \(generation) "
                            + "lacks a parameter")
                }
                return (point, sign * value)
            }
            optimizer.evolution.tell(solutions)
            if var margin = optimizer.margin {
                margin.correct(&optimizer.evolution)
                optimizer.margin = margin
            }
            hasTold = true
        }
    }

    /// Complete trials, and pruned ones with their last report if asked for.
    private func countedTrials(_ study: StudyContext) throws -> [FrozenTrial] {
        if !options.considerPrunedTrials { return try study.knownTrials(.complete) }
        return try study.knownTrials([.complete, .pruned]).compactMap { trial in
            guard trial.state == .pruned else { return trial }
            guard let step = trial.lastStep, let value = trial.intermediateValues[step],
                !value.isNaN
            else { return nil }
            var counted = trial
            counted.values = [value]
            return counted
        }
    }

    // MARK: One by one

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        try refuseSeveralObjectives(study)
        if try options.warnIndependentSampling
            && countedTrials(study).count >= options.nStartupTrials
        {
            study.logger.warning(
                """
                The parameter `\(name)` in Trial#\(trial.number) is sampled independently using \
                `\(type(of: independentSampler))` instead of `CmaEsSampler`, potentially degrading \
                the optimization performance. This fallback happened because dynamic search space \
                and `CategoricalDistribution` are not supported by `CmaEsSampler`. You can \
                suppress this warning by setting `warn_independent_sampling` to `False` in the \
                constructor of `CmaEsSampler` if this independent sampling is intended behavior.
                """)
        }
        return try independentSampler.sampleIndependent(
            study, trial: trial, name: name, distribution: distribution)
    }

    private func refuseSeveralObjectives(_ study: StudyContext) throws {
        if study.isMultiObjective {
            throw TuningError.sampler(
                problem: "If the study is being used for multi-objective optimization, "
                    + "CmaEsSampler cannot be used.")
        }
    }

    public func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws {
        try independentSampler.beforeTrial(study, trial: trial)
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        if !trial.constraints.isEmpty {
            study.warn(
                "Constraints have been set, but CmaEsSampler will not use them for optimization.")
        }
        try independentSampler.afterTrial(study, trial: trial, state: state, values: values)
    }
}

/// Numbers of a search space as points of the unit cube.
struct UnitCube {
    let names: [String]
    private let transforms: [SearchSpaceTransform]
    private let bounds: [(low: Double, high: Double)]
    /// Distance of neighbouring values by axis, 0 for a continuous or logarithmic one.
    let steps: [Double]

    /// - hasStepMargins: ranges with steps reach half a step further on both sides.
    init(_ space: NamedValues<Distribution>, hasStepMargins: Bool) {
        names = space.names
        transforms = space.values.map { SearchSpaceTransform($0) }
        bounds = zip(space.values, transforms).map { distribution, transform in
            if hasStepMargins { return transform.bounds[0] }
            switch distribution {
            case .float(let it) where it.step != nil: return (it.low, it.high)
            case .int(let it):
                let (low, high) = (Double(it.low), Double(it.high))
                return it.log ? (logarithm(low), logarithm(high)) : (low, high)
            default: return transform.bounds[0]
            }
        }
        steps = space.values.map { distribution in
            switch distribution {
            case .float(let it): return (it.step ?? 0) / (it.high - it.low)
            case .int(let it) where !it.log:
                return Double(it.step) / (Double(it.high) - Double(it.low))
            default: return 0
            }
        }
    }

    /// `nil` if a parameter is missing.
    func point(of params: NamedValues<ParameterValue>) throws -> [Double]? {
        var point: [Double] = []
        for (index, name) in names.enumerated() {
            guard let value = params[name] else { return nil }
            let transform = transforms[index]
            let internalValue = try transform.distribution.internalValue(of: value)
            let (low, high) = bounds[index]
            let place = transform.point(of: internalValue)[0]
            point.append(low == high ? 0.5 : (place - low) / (high - low))
        }
        return point
    }

    func values(at point: [Double]) -> NamedValues<ParameterValue> {
        NamedValues(
            names.indices.map { index in
                let (low, high) = bounds[index]
                let value = transforms[index].value(at: [low + point[index] * (high - low)])
                return (names[index], clamped(value, transforms[index].distribution))
            })
    }

    /// Floats have no lower guard of their own.
    private func clamped(_ value: ParameterValue, _ distribution: Distribution) -> ParameterValue {
        guard case .float(let it) = distribution, case .double(let number) = value else {
            return value
        }
        return .double(max(number, it.low))
    }
}
