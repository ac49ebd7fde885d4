// The default sampler: tree-structured Parzen estimators.

import Logging
import OrderedJSON
import Synchronization

/// Suggests points that are likely under the good trials and unlikely under the others.
///
/// The finished trials are split into the best few and the rest; a density is estimated for each
/// (``ParzenEstimator``); candidates are drawn from the first, and the one with the largest ratio
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

    /// System attributes with the relative values of a trial as JSON, in pieces that databases
    /// with short columns can hold.
    private static let relativeParamsKey = "tpe:relative_params"
    private static let attributeLimit = 2045

    private let options: Options
    private let randomSampler: RandomSampler
    private let state: Mutex<State>

    private struct State {
        var generator: NumpyRandomState
        var space = IntersectionSearchSpace()
        var groups = GroupDecomposedSearchSpace()
        /// Search spaces remember one study's history.
        var studyID: Int?
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
        let trials = try study.knownTrials(options.group ? [.complete, .pruned] : .all)
        return try state.withLock { state in
            if state.studyID == nil { state.studyID = study.studyID }
            guard state.studyID == study.studyID else {
                throw TuningError.multipleStudies(owner: "TPESampler")
            }
            if options.group {
                state.groups.update(with: trials)
                var space = NamedValues<Distribution>()
                for part in state.groups.parts {
                    for (name, distribution) in part.sortedByName() where !distribution.isSingle {
                        space[name] = distribution
                    }
                }
                return space
            }
            return state.space.update(with: trials).filter { !$1.isSingle }
        }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        var values = NamedValues<ParameterValue>()
        if options.group {
            for part in state.withLock({ $0.groups.parts }) {
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
        if !values.isEmpty && options.constantLiar { try share(values, study, trial) }
        return values
    }

    private func sampleTogether(
        _ study: StudyContext, _ trial: FrozenTrial, _ space: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        if space.isEmpty { return [:] }
        let finished = try study.knownTrials([.complete, .pruned])
        return finished.count < options.nStartupTrials ? [:] : try draw(study, trial, space)
    }

    /// Notes the values for other workers, to whom this trial is a running one.
    private func share(
        _ values: NamedValues<ParameterValue>, _ study: StudyContext, _ trial: FrozenTrial
    ) throws {
        let members = JSONObject(values.map { ($0.name, $0.value.jsonValue) })
        let text = Array(JSONValue(members).json().utf8)
        for (index, start) in stride(from: 0, to: text.count, by: Self.attributeLimit).enumerated()
        {
            let piece = text[start..<min(start + Self.attributeLimit, text.count)]
            try study.storage.setTrialSystemAttribute(
                trial.trialID, "\(Self.relativeParamsKey):\(index)",
                .string(String(decoding: piece, as: UTF8.self)))
        }
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
        let finished = try study.knownTrials([.complete, .pruned])
        if finished.count < options.nStartupTrials {
            return try randomSampler.sampleIndependent(
                study, trial: trial, name: name, distribution: distribution)
        }
        if options.warnIndependentSampling && isMultivariate(study)
            && finished.contains(where: { $0.params.contains(name) })
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

    // MARK: One draw

    /// Splits the history, estimates both densities, draws candidates and takes the best.
    private func draw(
        _ study: StudyContext, _ trial: FrozenTrial, _ space: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        let history: [FrozenTrial]
        if options.constantLiar {
            // As it is now, and whole: Hyperband's brackets don't narrow it.
            history = try study.storage
                .trials(study.studyID, states: [.complete, .pruned, .running])
                .filter { $0.number != trial.number }
        } else {
            history = try study.knownTrials([.complete, .pruned])
        }
        let finishedCount = history.count { $0.state != .running }
        let split = splitTrials(
            history, directions: study.directions,
            belowCount: try belowCount(finishedCount, study.directions),
            tieOrder: options.tieOrder)
        let usesRelativeParams = isMultivariate(study)
        var parameters = ParzenEstimatorParameters(tieOrder: options.tieOrder)
        parameters.priorWeight = options.priorWeight
        parameters.considerMagicClip = options.considerMagicClip
        parameters.considerEndpoints = options.considerEndpoints
        parameters.weights = options.weights
        let good = try observations(split.below, space, usesRelativeParams)
        let below = try ParzenEstimator(
            observations: good, distributions: space.values, parameters: parameters,
            predeterminedWeights: study.isMultiObjective
                ? Array(repeating: 1, count: good.first?.count ?? 0) : nil)
        let above = try ParzenEstimator(
            observations: try observations(split.above, space, usesRelativeParams),
            distributions: space.values, parameters: parameters)
        let candidates = state.withLock { state in
            below.sample(&state.generator, count: options.nEICandidates)
        }
        let best = indexOfMaximum(
            zip(below.logDensities(candidates), above.logDensities(candidates)).map { $0 - $1 })
        return NamedValues(
            space.indices.map { index in
                (space.names[index], space.values[index].drawnValue(candidates[index][best]))
            })
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

    /// Internal values of the trials that have all parameters of the space, one array for each.
    private func observations(
        _ trials: [FrozenTrial], _ space: NamedValues<Distribution>, _ usesRelativeParams: Bool
    ) throws -> [[Double]] {
        var columns = [[Double]](repeating: [], count: space.count)
        for index in columns.indices { columns[index].reserveCapacity(trials.count) }
        for trial in trials {
            let params =
                trial.state.isFinished || !usesRelativeParams
                ? trial.params : plannedParams(of: trial)
            guard space.names.allSatisfy(params.contains) else { continue }
            for (index, name) in space.names.enumerated() {
                guard let value = params[name] else { continue }
                columns[index].append(try space.values[index].internalValue(of: value))
            }
        }
        return columns
    }

    /// What a running trial has suggested so far, on top of what its worker drew for it. A note
    /// that can't be read (another worker may be writing it) is ignored.
    private func plannedParams(of trial: FrozenTrial) -> NamedValues<ParameterValue> {
        var text = ""
        for index in 0... {
            let key = "\(Self.relativeParamsKey):\(index)"
            guard let piece = trial.systemAttrs[key]?.stringValue, !piece.isEmpty else { break }
            text += piece
        }
        guard !text.isEmpty, let members = (try? JSONValue.parse(text))?.objectValue else {
            return trial.params
        }
        var params = NamedValues<ParameterValue>()
        for (name, value) in members { params[name] = ParameterValue(value) }
        for (name, value) in trial.params { params[name] = value }
        return params
    }

    // MARK: Constraints

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        guard let constraints = options.constraints, state == .complete || state == .pruned else {
            return
        }
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
