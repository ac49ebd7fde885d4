// Quasi-random search: Sobol's or Halton's sequence over the search space.

public import Logging
import OrderedJSON
import Synchronization

/// Takes the points of a low-discrepancy sequence, one a trial.
///
/// The first trial is drawn by the independent sampler and fixes the search space; parameters that
/// it did not have are drawn independently. Which point comes next is noted with the study, so that
/// workers and later runs share one sequence (those with equal arguments).
///
/// With a seed, or without scrambling, the values are Optuna's: scipy's sequences. Checked by
/// `TraceReplayTests` and `QuasiRandomSequenceTests`.
public final class QMCSampler: Sampler {
    public enum Kind: String, Sendable {
        case sobol
        case halton
    }

    private let kind: Kind
    private let isScrambled: Bool
    private let seed: UInt64
    private let independentSampler: any Sampler
    private let warnsIndependentSampling: Bool
    /// The sequence of the last search space: making one is the larger part of the work.
    private let sequence = Mutex<(dimension: Int, points: any QuasiRandomSequence)?>(nil)

    /// - isScrambled: randomise the sequence by the seed.
    /// - independentSampler: for the first trial and other parameters; ``RandomSampler`` if `nil`.
    /// - warnsAsynchronousSeeding: warn that workers without a common seed don't share a sequence.
    public init(
        _ kind: Kind = .sobol, isScrambled: Bool = false, seed: Int? = nil,
        independentSampler: (any Sampler)? = nil, warnsAsynchronousSeeding: Bool = true,
        warnsIndependentSampling: Bool = true, logger: Logger = OptunaLog.shared.logger
    ) throws {
        self.kind = kind
        self.isScrambled = isScrambled
        self.warnsIndependentSampling = warnsIndependentSampling
        self.independentSampler = try independentSampler ?? RandomSampler(seed: seed)
        if let checked = try checkedSeed(seed, owner: "QMCSampler") {
            self.seed = UInt64(checked)
        } else {
            // Within what JSON numbers of every reader hold.
            self.seed = UInt64.random(in: 0..<(1 << 53))
            if isScrambled && warnsAsynchronousSeeding {
                logger.warning(
                    """
                    No seed is provided for `QMCSampler` and the seed is set randomly. If you are \
                    running multiple `QMCSampler`s in parallel and/or distributed  environment, \
                    the same seed must be used in all samplers to ensure that resulting samples \
                    are taken from the same QMC sequence. 
                    """)
            }
        }
    }

    public func reseed() { independentSampler.reseed() }

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        let trials = try study.knownTrials([.complete, .pruned, .running])
        if let first = trials.first(where: { $0.state.isFinished }) { return first.distributions }
        // Nothing has finished: what the running trials have asked for so far.
        var space = NamedValues<Distribution>()
        for other in trials {
            for (name, distribution) in other.distributions { space[name] = distribution }
        }
        return space
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        if searchSpace.isEmpty { return [:] }
        guard kind == .halton || searchSpace.count <= SobolSequence.largestDimension else {
            throw TuningError.sampler(
                problem: "QMCSampler: Sobol's sequence has at most "
                    + "\(SobolSequence.largestDimension) dimensions here, but there are "
                    + "\(searchSpace.count) parameters; use qmc_type = \"halton\"")
        }
        let index = try nextIndex(study, searchSpace)
        // A scipy engine of 30 bits has no more points.
        guard index < 1 << 30 else {
            throw TuningError.sampler(problem: "QMCSampler: all 2**30 points have been used.")
        }
        let point = points(searchSpace.count).point(index)
        return NamedValues(
            searchSpace.indices.map { place in
                (
                    searchSpace.names[place],
                    searchSpace.values[place].value(atShare: point[place])
                )
            })
    }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        if try warnsIndependentSampling && !study.knownTrials([.complete, .pruned]).isEmpty {
            study.logger.warning(
                """
                The parameter `\(name)` in Trial#\(trial.number) is sampled independently using \
                `\(type(of: independentSampler))` instead of `QMCSampler`, potentially degrading \
                the optimization performance. This fallback happened because dynamic search space \
                is not supported by `QMCSampler`. You can suppress this warning by setting \
                `warn_independent_sampling` to `False` in the constructor of `QMCSampler` if this \
                independent sampling is intended behavior.
                """)
        }
        return try independentSampler.sampleIndependent(
            study, trial: trial, name: name, distribution: distribution)
    }

    public func beforeTrial(_ study: StudyContext, trial: FrozenTrial) throws {
        try independentSampler.beforeTrial(study, trial: trial)
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        try independentSampler.afterTrial(study, trial: trial, state: state, values: values)
    }

    private func points(_ dimension: Int) -> any QuasiRandomSequence {
        sequence.withLock { sequence in
            if let known = sequence, known.dimension == dimension { return known.points }
            let seed = isScrambled ? seed : nil
            let made: any QuasiRandomSequence =
                switch kind {
                case .sobol: SobolSequence(dimension: dimension, seed: seed)
                case .halton: HaltonSequence(dimension: dimension, seed: seed)
                }
            sequence = (dimension, made)
            return made
        }
    }

    /// Counts the points taken, under the name that Optuna gives to such a sequence.
    private func nextIndex(_ study: StudyContext, _ space: NamedValues<Distribution>) throws -> Int
    {
        let shown = JSONObject(
            space.sortedByName().map { ($0.name, .string($0.value.description)) })
        var description = JSONObject()
        description["qmc_type"] = .string(kind.rawValue)
        description["search_space"] = .object(shown)
        description["scramble"] = .bool(isScrambled)
        if isScrambled { description["seed"] = .int(Int64(seed)) }
        let key = "qmc:" + sha256(JSONValue(description).json())
        let known = try study.storage.study(study.studyID).systemAttrs[key]?.intValue ?? -1
        guard known >= -1, known < Int.max else {
            throw TuningError.sampler(problem: "QMCSampler: the study holds the place \(known)")
        }
        try study.storage.setStudySystemAttribute(study.studyID, key, .int(Int64(known + 1)))
        return known + 1
    }
}

extension Distribution {
    /// The value that stands at a share, 0 ..< 1, of the way through the range.
    func value(atShare share: Double) -> ParameterValue {
        if case .categorical(let it) = self {
            return it.choices[
                min(clampedInt(share * Double(it.choices.count)), it.choices.count - 1)]
        }
        let transform = SearchSpaceTransform(self)
        let (low, high) = transform.bounds[0]
        return transform.value(at: [low + share * (high - low)])
    }
}
