// The genetic algorithm NSGA-II, for several objectives.

import OrderedJSON
import Synchronization

/// Breeds the next trials from the best of the last generations: non-dominated ones first, among
/// equals those in sparse regions.
///
/// The first `populationSize` trials are random. A trial's generation is a system attribute of the
/// trial, the parents of a generation one of the study, so that several workers breed together.
/// Parameters that not all trials have are drawn at random.
///
/// With a seed the suggestions are Optuna's. Source: Deb et al. 2002, doi:10.1109/4235.996017.
/// Checked by `TraceReplayTests`.
public final class NSGAIISampler: Sampler {
    public struct Options: Sendable {
        /// Trials of a generation; at least 2 and at least the crossover's number of parents.
        public var populationSize = 50
        /// What happens to a parameter that mutates; `nil` draws it anew.
        public var mutation: PolynomialMutation?
        /// Probability of a parameter to mutate; `nil` is one over the number of parameters.
        public var mutationProb: Double?
        /// How numbers of a child come from its parents.
        public var crossover: any Crossover
        /// Probability that a child has several parents.
        public var crossoverProb = 0.9
        /// Probability of a choice to come from the other parent.
        public var swappingProb = 0.5
        /// 0 ..< 2³², or `nil` for values that differ from run to run.
        public var seed: Int?
        /// Constraint values of a finished trial; above 0 is violated. Prefer
        /// ``Trial/setConstraint(_:_:)``.
        public var constraints: (@Sendable (FrozenTrial) throws -> [Double])?

        public init(seed: Int? = nil, swappingProb: Double = 0.5) throws {
            self.seed = seed
            self.swappingProb = swappingProb
            crossover = try UniformCrossover(swappingProb: swappingProb)
        }
    }

    private static let generationKey = "NSGAIISampler:generation"
    private static let parentKey = "NSGAIISampler:parent:"

    private let options: Options
    private let randomSampler: RandomSampler
    private let state: Mutex<State>

    private struct State {
        var generator: NumpyRandomState
        var spaces = StudyMemories { StudySearchSpace(states: .complete) }
    }

    public init(_ options: Options) throws {
        func refuse(_ problem: String) -> TuningError { .sampler(problem: problem) }
        func isProbability(_ value: Double) -> Bool { value >= 0 && value <= 1 }
        if options.populationSize < 2 {
            throw refuse("`population_size` must be greater than or equal to 2.")
        }
        if let probability = options.mutationProb, !isProbability(probability) {
            throw refuse(
                "`mutation_prob` must be None or a float value within the range [0.0, 1.0].")
        }
        if !isProbability(options.crossoverProb) {
            throw refuse("`crossover_prob` must be a float value within the range [0.0, 1.0].")
        }
        if !isProbability(options.swappingProb) {
            throw refuse("`swapping_prob` must be a float value within the range [0.0, 1.0].")
        }
        let parents = options.crossover.parentCount
        if options.populationSize < parents {
            throw refuse(
                "Using \(options.crossover), the population size should be greater than or equal "
                    + "to \(parents). The specified `population_size` is "
                    + "\(options.populationSize).")
        }
        self.options = options
        let seed = try checkedSeed(options.seed, owner: "NSGAIISampler")
        // Two generators from one seed: what is drawn anew does not use up the other's numbers.
        randomSampler = try RandomSampler(seed: options.seed)
        state = Mutex(State(generator: .make(seed: seed)))
    }

    public convenience init(seed: Int? = nil) throws { try self.init(Options(seed: seed)) }

    public func reseed() {
        randomSampler.reseed()
        state.withLock { $0.generator = .fromEntropy() }
    }

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        try state.withLock { try $0.spaces[study].current(study) }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        let generation = try generation(study, trial)
        let parents = try parents(study, generation)
        if parents.isEmpty { return [:] }
        return try state.withLock { state in
            try child(of: parents, study, searchSpace, &state.generator)
        }
    }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        try randomSampler.sampleIndependent(
            study, trial: trial, name: name, distribution: distribution)
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        try noteConstraints(options.constraints, study, trial, state)
    }

    // MARK: Generations

    /// The trial's generation: the last one, or the next if that is complete.
    private func generation(_ study: StudyContext, _ trial: FrozenTrial) throws -> Int {
        if let known = trial.systemAttrs[Self.generationKey]?.intValue { return known }
        var last = 0
        var count = 0
        for other in try study.knownTrials(.complete).reversed() {
            let generation = other.systemAttrs[Self.generationKey]?.intValue ?? -1
            if generation > last {
                last = generation
                count = 1
            } else if generation == last {
                count += 1
            }
        }
        let generation = count < options.populationSize ? last : last + 1
        try study.storage.setTrialSystemAttribute(
            trial.trialID, Self.generationKey, .int(Int64(generation)))
        return generation
    }

    /// The trials that a generation is bred from, chosen once and then kept with the study.
    private func parents(_ study: StudyContext, _ generation: Int) throws -> [FrozenTrial] {
        if generation <= 0 { return [] }
        let key = Self.parentKey + String(generation)
        if let kept = try study.storage.study(study.studyID).systemAttrs[key]?.arrayValue {
            let chosen = Set(kept.compactMap(\.intValue))
            return try study.storage.trials(study.studyID, states: .all)
                .filter { chosen.contains($0.trialID) }
        }
        let population = try study.knownTrials(.complete).filter {
            $0.systemAttrs[Self.generationKey]?.intValue == generation - 1
        }
        let elite = elitePopulation(
            population + (try parents(study, generation - 1)), directions: study.directions,
            count: options.populationSize)
        try study.storage.setStudySystemAttribute(
            study.studyID, key, .array(elite.map { .int(Int64($0.trialID)) }))
        return elite
    }

    // MARK: Children

    private func child(
        of parents: [FrozenTrial], _ study: StudyContext, _ space: NamedValues<Distribution>,
        _ generator: inout NumpyRandomState
    ) throws -> NamedValues<ParameterValue> {
        var inherited = NamedValues<ParameterValue>()
        if generator.double() < options.crossoverProb {
            inherited = try crossed(parents, study, space, &generator)
        } else {
            let parent = parents[generator.choice(parents.count)]
            for name in space.names { inherited[name] = parent.params[name] }
        }
        let mutationProb = options.mutationProb ?? 1 / max(1, Double(inherited.count))
        var result = NamedValues<ParameterValue>()
        for (name, value) in inherited {
            if generator.double() >= mutationProb {
                result[name] = value
            } else if let mutation = options.mutation, let distribution = space[name] {
                // Without a mutation, and for choices, the value is left out and drawn anew.
                result[name] = try mutated(value, distribution, mutation, &generator)
            }
        }
        return result
    }

    /// Chooses parents and crosses them until the child lies in the search space.
    private func crossed(
        _ population: [FrozenTrial], _ study: StudyContext, _ space: NamedValues<Distribution>,
        _ generator: inout NumpyRandomState
    ) throws -> NamedValues<ParameterValue> {
        let isConstrained = population.contains { !$0.constraints.isEmpty }
        let categorical = space.filter { $1.isCategorical }
        let numerical = space.filter { !$1.isCategorical }
        let transforms = numerical.values.map { SearchSpaceTransform($0) }
        let bounds = transforms.map { $0.bounds[0] }
        while true {
            var parents: [FrozenTrial] = []
            for _ in 0..<options.crossover.parentCount {
                let candidates = population.filter { candidate in
                    !parents.contains { $0.number == candidate.number }
                }
                guard !candidates.isEmpty else {
                    throw TuningError.sampler(
                        problem: "NSGAIISampler: there are fewer parents than the crossover needs")
                }
                let first = candidates[generator.choice(candidates.count)]
                let second = candidates[generator.choice(candidates.count)]
                let isFirstBetter =
                    isConstrained
                    ? dominatesConstrained(first, second, study.directions)
                    : dominates(
                        losses(of: first, study.directions), losses(of: second, study.directions))
                parents.append(isFirstBetter ? first : second)
            }
            var child = NamedValues<ParameterValue>()
            if !categorical.isEmpty {
                let isSwapped = generator.doubles(categorical.count)
                    .map { $0 >= options.swappingProb }
                for (name, isSwapped) in zip(categorical.names, isSwapped) {
                    child[name] = parents[isSwapped ? parents.count - 1 : 0].params[name]
                }
            }
            if !numerical.isEmpty {
                let points = try parents.map { parent in
                    try zip(numerical, transforms).map { member, transform in
                        guard let value = parent.params[member.name] else { return Double.nan }
                        return transform.point(of: try member.value.internalValue(of: value))[0]
                    }
                }
                let point = options.crossover.cross(
                    points, bounds: bounds, isMultiObjective: study.isMultiObjective, &generator)
                for (index, name) in numerical.names.enumerated() {
                    child[name] = transforms[index].value(at: [point[index]])
                }
            }
            let isContained = try child.allSatisfy { name, value in
                guard let distribution = space[name] else { return false }
                return distribution.contains(try distribution.internalValue(of: value))
            }
            if isContained { return child }
        }
    }

    /// `nil` for a choice, which has no neighbours.
    private func mutated(
        _ value: ParameterValue, _ distribution: Distribution, _ mutation: PolynomialMutation,
        _ generator: inout NumpyRandomState
    ) throws -> ParameterValue? {
        if distribution.isCategorical { return nil }
        let transform = SearchSpaceTransform(distribution)
        let (low, high) = transform.bounds[0]
        let point = transform.point(of: try distribution.internalValue(of: value))[0]
        let moved = mutation.mutate(point, low: low, high: high, &generator)
        return transform.value(at: [min(max(moved, low), high)])
    }
}

extension Distribution {
    var isCategorical: Bool {
        if case .categorical = self { true } else { false }
    }
}
