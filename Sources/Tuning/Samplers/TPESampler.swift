// The default sampler: tree-structured Parzen estimators.

import Logging
import OrderedJSON
import Synchronization

/// Suggests points that are likely under the good trials and unlikely under the others.
///
/// The finished trials are split into the best few and the rest; a density is estimated for each
/// (`ParzenEstimator`); candidates are drawn from the first, and the one with the largest ratio
/// of the two densities is suggested. Until `nStartupTrials` have finished, values are random.
///
/// With a seed the suggestions are those of Optuna 5.0 on the same history, value for value
/// (docs/tuning.md says how closely and what `tieOrder` is about).
///
/// Source: Bergstra et al. 2011 and 2013; Watanabe 2023, arXiv:2304.11127. Checked by
/// `OptunaCompatibilityTests`.
public final class TPESampler: Sampler {
    /// Everything the algorithm can be told; the defaults are Optuna 5.0's.
    public struct Options: Sendable {
        /// Trials with random values before the first estimate.
        public var nStartupTrials = 10
        /// Candidates per draw.
        public var nEICandidates = 24
        /// 0 ..< 2³², or `nil` for values that differ from run to run.
        public var seed: Int?
        /// Draw all parameters that past trials share together (`true`) or each on its own;
        /// `nil` means together with one objective, apart with several.
        public var multivariate: Bool?
        /// Draw together what occurs together, in spaces with conditions. Needs `multivariate`.
        public var group = false
        /// Count running trials as bad ones, so that parallel workers spread out.
        public var constantLiar = true
        /// Constraint values of a finished trial; above 0 is violated. Prefer
        /// ``Trial/setConstraint(_:_:)``.
        public var constraints: (@Sendable (FrozenTrial) throws -> [Double])?
        /// Number of good trials among n finished ones; `nil` is a tenth of n, at most 25 with
        /// one objective.
        public var gamma: (@Sendable (Int) throws -> Int)?
        /// Weights of n observations, oldest first.
        public var weights: @Sendable (Int) throws -> [Double] = TPESampler.defaultWeights
        /// Weight of the prior against one observation's 1; at least 0.
        public var priorWeight = 1.0
        /// Keep kernels from getting too narrow.
        public var considerMagicClip = true
        /// Let the ends of the range count as neighbours of the outermost observations.
        public var considerEndpoints = false
        /// Warn when a parameter can't be drawn together with the others.
        public var warnIndependentSampling = false
        /// Whose order of tied observations is followed.
        public var tieOrder = TieOrder.native

        public init() {}

        public init(seed: Int?, multivariate: Bool? = nil) {
            self.seed = seed
            self.multivariate = multivariate
        }
    }

    private static let relativeParamsKey = "tpe:relative_params"

    private let options: Options
    private let randomSampler: RandomSampler
    private let state: Mutex<State>

    private struct State {
        var generator: NumpyRandomState
        var memories = StudyMemories { Memory() }
    }

    /// Of one study.
    private struct Memory: Sendable {
        var space = IntersectionSearchSpace()
        var groups = GroupDecomposedSearchSpace()
        var history = TPEHistory()
        /// Tells it from a later one of the same study.
        let identity = Identity()

        final class Identity: Sendable {}
    }

    public init(_ options: Options = Options()) throws {
        func refuse(_ name: String, _ problem: String) -> TuningError {
            .argument(owner: "TPESampler", name: name, problem: problem)
        }
        if options.group && options.multivariate == false {
            throw TuningError.sampler(
                problem: "``group`` option can only be enabled when ``multivariate`` is enabled.")
        }
        if options.nEICandidates < 1 {
            throw refuse("n_ei_candidates", "must be at least 1, but got \(options.nEICandidates)")
        }
        if options.nEICandidates > 1_000_000 {
            throw refuse(
                "n_ei_candidates", "must be at most 1000000, but got \(options.nEICandidates)")
        }
        if options.priorWeight < 0 {
            throw TuningError.sampler(
                problem: "A non-negative value must be specified for prior_weight, but got "
                    + "\(pythonRepr(options.priorWeight)).")
        }
        if !options.priorWeight.isFinite {
            throw refuse(
                "prior_weight", "must be finite, but got \(pythonRepr(options.priorWeight))")
        }
        self.options = options
        let seed = try checkedSeed(options.seed, owner: "TPESampler")
        // Two generators from one seed: the random phase does not use up the other's numbers.
        randomSampler = try RandomSampler(seed: options.seed)
        state = Mutex(State(generator: .make(seed: seed)))
    }

    public convenience init(seed: Int?, multivariate: Bool? = nil) throws {
        try self.init(Options(seed: seed, multivariate: multivariate))
    }

    public func reseed() {
        state.withLock { $0.generator = .fromEntropy() }
        randomSampler.reseed()
    }

    /// 1 for each of up to 24 observations; then the oldest count less, rising linearly from 1/n
    /// to the 25 newest.
    @Sendable public static func defaultWeights(_ count: Int) -> [Double] {
        if count < 25 { return Array(repeating: 1, count: max(count, 0)) }
        let rampCount = count - 25
        let start = 1 / Double(count)
        var ramp: [Double] = []
        if rampCount == 1 {
            ramp = [start]
        } else if rampCount > 1 {
            let step = (1 - start) / Double(rampCount - 1)
            ramp = (0..<rampCount).map { Double($0) * step + start }
            ramp[rampCount - 1] = 1
        }
        return ramp + Array(repeating: 1, count: 25)
    }

    // MARK: Together

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        guard isMultivariate(study) else { return [:] }
        _ = try firstLook(study)
        return withMemory(study) { memory, _ in
            guard options.group else { return memory.space.names.filter { !$1.isSingle } }
            var space = NamedValues<Distribution>()
            for part in memory.groups.parts {
                for (name, distribution) in part.sortedByName() where !distribution.isSingle {
                    space[name] = distribution
                }
            }
            return space
        }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        var values = NamedValues<ParameterValue>()
        if options.group {
            for part in withMemory(study, { memory, _ in memory.groups.parts }) {
                let space = part.sortedByName().filter { name, distribution in
                    !distribution.isSingle && searchSpace.contains(name)
                }
                for (name, value) in try sampleTogether(study, trial, space) {
                    values[name] = value
                }
            }
        } else {
            values = try sampleTogether(study, trial, searchSpace)
        }
        if !values.isEmpty && options.constantLiar {
            try shareRelativeParams(values, key: Self.relativeParamsKey, study, trial)
        }
        return values
    }

    private func sampleTogether(
        _ study: StudyContext, _ trial: FrozenTrial, _ space: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        if space.isEmpty { return [:] }
        let count = try finishedCount(study)
        return count < options.nStartupTrials ? [:] : try draw(study, trial, space)
    }

    private func isMultivariate(_ study: StudyContext) -> Bool {
        if let multivariate = options.multivariate { return multivariate }
        if options.group {
            if study.isMultiObjective {
                study.warn(
                    "``multivariate`` defaults to False for multi-objective optimization, but it "
                        + "is treated as True because ``group`` can only be enabled with the "
                        + "multivariate TPE. Set ``multivariate=True`` explicitly to suppress "
                        + "this warning.")
            }
            return true
        }
        return !study.isMultiObjective
    }

    // MARK: One by one

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        if try finishedCount(study) < options.nStartupTrials {
            return try randomSampler.sampleIndependent(
                study, trial: trial, name: name, distribution: distribution)
        }
        if options.warnIndependentSampling && isMultivariate(study)
            && withMemory(
                study, { memory, _ in memory.history.trials.contains { $0.params.contains(name) } })
        {
            study.logger.warning(
                """
                The parameter '\(name)' in trial#\(trial.number) is sampled independently instead \
                of being sampled by multivariate TPE, because `multivariate=True,group=False` does \
                not support dynamic search space (but `multivariate=True,group=True` works). You \
                can suppress this warning by setting `warn_independent_sampling` to `False`.
                """)
        }
        guard let value = try draw(study, trial, [name: distribution])[name] else {
            throw TuningError.internalError("TPE drew no value for '\(name)'")
        }
        return value
    }

    // MARK: History

    private func withMemory<Result: Sendable>(
        _ study: StudyContext, _ body: (inout Memory, inout NumpyRandomState) throws -> Result
    ) rethrows -> Result {
        try state.withLock { state in
            try body(&state.memories[study], &state.generator)
        }
    }

    /// Takes in what has finished, and returns the trials that run now.
    @discardableResult
    private func refresh(_ study: StudyContext) throws -> [FrozenTrial] {
        let seen = withMemory(study) { memory, _ in memory.history.seen }
        // Whole: Hyperband's brackets don't narrow it.
        let updates = try study.storage.updates(study.studyID, since: seen)
        withMemory(study) { memory, _ in
            let fresh = memory.history.add(updates.finished, directions: study.directions)
            if options.group {
                memory.groups.update(with: fresh)
            } else {
                memory.space.update(with: fresh)
            }
        }
        return updates.running
    }

    /// How many finished trials there were when this thread's current trial first asked.
    private func firstLook(_ study: StudyContext) throws -> Int {
        if let look = study.look { return look }
        try refresh(study)
        let look = withMemory(study) { memory, _ in memory.history.seen.count }
        study.noteLook(look)
        return look
    }

    /// COMPLETE and PRUNED trials at the first look.
    private func finishedCount(_ study: StudyContext) throws -> Int {
        let look = try firstLook(study)
        return withMemory(study) { memory, _ in memory.history.count(within: look) }
    }

    // MARK: One draw

    /// Splits the history, estimates both densities, draws candidates and takes the best.
    private func draw(
        _ study: StudyContext, _ trial: FrozenTrial, _ space: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        var running: [FrozenTrial] = []
        var limit = try finishedCount(study)
        if options.constantLiar {
            // As it is now.
            running = try refresh(study).filter { $0.number != trial.number }
            limit = withMemory(study) { memory, _ in memory.history.trials.count }
        }
        // Functions of the user are called without the lock.
        let belowCount = try belowCount(limit, study.directions)
        let usesRelativeParams = isMultivariate(study)
        var (table, below, above, identity) = try withMemory(study) { memory, _ in
            let isBelow = memory.history.isBelow(
                belowCount, directions: study.directions, limit: limit, tieOrder: options.tieOrder)
            let place = try memory.history.table(for: space)
            let table = memory.history[table: place]
            let planned = try running.compactMap { trial in
                try table.centres(
                    usesRelativeParams
                        ? plannedParams(of: trial, key: Self.relativeParamsKey) : trial.params
                )

                .map { (number: trial.number, centres: $0) }
            }
            return (
                place, table.places({ isBelow[$0] }, history: memory.history),
                table.places(
                    { !isBelow[$0] && $0 < limit }, history: memory.history, running: planned),
                memory.identity
            )
        }
        let goodCount = below.first?.centres.count ?? 0
        let goodWeights =
            try study.isMultiObjective
            ? Array(repeating: 1, count: goodCount)
            : ParzenEstimator.checkedWeights(options.weights, goodCount)
        let otherCount = above.first?.centres.count ?? 0
        let otherWeights = try ParzenEstimator.checkedWeights(options.weights, otherCount)
        return try withMemory(study) { memory, generator in
            // Another worker may have thrown this table out since, or the whole history.
            if memory.identity !== identity || !memory.history.hasTable(table, for: space) {
                table = try memory.history.table(for: space)
                for index in below.indices { below[index].slots = nil }
                for index in above.indices { above[index].slots = nil }
            }
            let good = try memory.history[table: table].estimator(
                below, goodWeights, \.below, parameters)
            let others = try memory.history[table: table].estimator(
                above, otherWeights, \.above, parameters)
            let candidates = good.sample(&generator, count: options.nEICandidates)
            let best = indexOfMaximum(
                zip(good.logDensities(candidates), others.logDensities(candidates)).map { $0 - $1 })
            return NamedValues(
                space.indices.map { index in
                    (space.names[index], space.values[index].drawnValue(candidates[index][best]))
                })
        }
    }

    private var parameters: ParzenEstimatorParameters {
        var parameters = ParzenEstimatorParameters(tieOrder: options.tieOrder)
        parameters.priorWeight = options.priorWeight
        parameters.considerMagicClip = options.considerMagicClip
        parameters.considerEndpoints = options.considerEndpoints
        parameters.weights = options.weights
        return parameters
    }

    private func belowCount(_ finishedCount: Int, _ directions: [StudyDirection]) throws -> Int {
        guard let gamma = options.gamma else {
            let tenth = (finishedCount + 9) / 10
            return directions.count > 1 ? tenth : min(tenth, 25)
        }
        let count = try gamma(finishedCount)
        guard count >= 0 else {
            throw TuningError.argument(
                owner: "TPESampler", name: "gamma",
                problem: "must not return a negative number, but gave \(count) for "
                    + "\(finishedCount) trials")
        }
        return count
    }

    // MARK: Constraints

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        try noteConstraints(options.constraints, study, trial, state)
    }
}

/// Stores what a sampler's constraints function finds about a COMPLETE or PRUNED trial.
func noteConstraints(
    _ constraints: (@Sendable (FrozenTrial) throws -> [Double])?, _ study: StudyContext,
    _ trial: FrozenTrial, _ state: TrialState
) throws {
    guard let constraints, state == .complete || state == .pruned else { return }
    // The attribute is written even if the function fails: null, as Optuna does.
    var noted = JSONValue.null
    defer {
        try? study.storage.setTrialSystemAttribute(trial.trialID, constraintsKey, noted)
    }
    let violations = try constraints(trial)
    if violations.contains(where: \.isNaN) {
        throw TuningError.sampler(problem: "Constraint values cannot be NaN.")
    }
    noted = .array(violations.map(JSONValue.double))
}

extension Distribution {
    /// The value of a drawn number. Integers beyond 2⁵³ are not all doubles; they are kept inside
    /// the range.
    fileprivate func drawnValue(_ number: Double) -> ParameterValue {
        guard case .int(let it) = self else { return value(ofInternal: number) }
        return .int(min(max(clampedInt(number), it.low), it.high))
    }
}

/// numpy's argmax: the first largest, where NaN counts as largest.
func indexOfMaximum(_ values: [Double]) -> Int {
    var best = 0
    for (index, value) in values.enumerated() {
        if value.isNaN { return index }
        if value > values[best] { best = index }
    }
    return best
}
