// Bayesian optimisation with Gaussian processes: few, expensive trials.

import Logging
import OrderedJSON
import Synchronization

/// Fits a Gaussian process to the objective and suggests the point that promises most.
///
/// What "promises" means: the logarithm of the expected improvement over the best value; with
/// several objectives of the expected gain in dominated volume; with constraints times the
/// probability that they hold, each with a process of its own; with running trials the average over
/// what those may turn out to be. The largest value is searched from 2,048 quasi-random points and
/// the best trials (`AcquisitionSearch`).
///
/// Parameters that all complete trials have are drawn together, others and the first trials by the
/// independent sampler. Random numbers are used as Optuna uses them; its values agree only roughly,
/// as both end their fits at a tolerance.
///
/// Source: Jones, Schonlau and Welch 1998, doi:10.1023/A:1008306431147; Ament et al. 2023,
/// arXiv:2310.20708; Gardner et al. 2014 (constraints). Checked by `GaussianProcessTests` against
/// Optuna's functions and by `SamplerBenchmarkTests` against its results.
public final class GPSampler: Sampler {
    public struct Options: Sendable {
        /// 0 ..< 2³², or `nil` for values that differ from run to run.
        public var seed: Int?
        /// For the first trials and other parameters; ``RandomSampler`` if `nil`.
        public var independentSampler: (any Sampler)?
        /// Complete trials before the first fit.
        public var nStartupTrials = 10
        /// The objective has no noise.
        public var deterministicObjective = false
        /// Constraint values of a finished trial; above 0 is violated. Prefer
        /// ``Trial/setConstraint(_:_:)``.
        public var constraints: (@Sendable (FrozenTrial) throws -> [Double])?
        public var warnIndependentSampling = true

        public init(seed: Int? = nil) { self.seed = seed }
    }

    private static let relativeParamsKey = "gp:relative_params"
    private static let preliminaryCount = 2048
    private static let localSearchCount = 10
    private static let drawCount = 128
    private static let largestSequenceSeed = 1 << 30

    private let options: Options
    private let independentSampler: any Sampler
    private let state: Mutex<State>

    private struct State {
        var generator: NumpyRandomState
        var memories = StudyMemories { Memory() }
    }

    /// Of one study.
    private struct Memory: Sendable {
        var space = StudySearchSpace(states: .complete)
        /// Of the last fits, from which the next ones begin.
        var objectives: [GaussianProcess.Parameters] = []
        var constraints: [GaussianProcess.Parameters] = []
    }

    public init(_ options: Options = Options()) throws {
        let seed = try checkedSeed(options.seed, owner: "GPSampler")
        self.options = options
        independentSampler = try options.independentSampler ?? RandomSampler(seed: options.seed)
        state = Mutex(State(generator: .make(seed: seed)))
    }

    public convenience init(seed: Int?) throws { try self.init(Options(seed: seed)) }

    public func reseed() {
        state.withLock { $0.generator = .fromEntropy() }
        independentSampler.reseed()
    }

    public func inferRelativeSearchSpace(
        _ study: StudyContext, trial: FrozenTrial
    ) throws -> NamedValues<Distribution> {
        try state.withLock { try $0.memories[study].space.current(study) }
    }

    public func sampleRelative(
        _ study: StudyContext, trial: FrozenTrial, searchSpace: NamedValues<Distribution>
    ) throws -> NamedValues<ParameterValue> {
        if searchSpace.isEmpty { return [:] }
        // Whole: Hyperband's brackets don't narrow it.
        let trials = try study.storage.trials(study.studyID, states: [.complete, .running])
        let space = UnitSearchSpace(searchSpace)
        var history = History(trials: [], points: [])
        for trial in trials where trial.state == .complete {
            guard let point = try space.point(of: trial.params) else { continue }
            history.trials.append(trial)
            history.points.append(point)
        }
        if history.trials.count < max(options.nStartupTrials, 1) { return [:] }
        let running = try trials.filter { $0.state == .running }.compactMap {
            try space.point(of: plannedParams(of: $0, key: Self.relativeParamsKey))
        }
        guard let (function, best) = try acquisition(study, space, history, running) else {
            return [:]
        }
        let values = space.values(at: largest(function, space, best, study))
        try shareRelativeParams(values, key: Self.relativeParamsKey, study, trial)
        return values
    }

    /// Complete trials and their points.
    private struct History {
        var trials: [FrozenTrial]
        var points: [[Double]]
    }

    // MARK: The acquisition function

    /// The function to maximise and points of good trials to begin from; `nil` if nothing can be
    /// fitted.
    private func acquisition(
        _ study: StudyContext, _ space: UnitSearchSpace, _ history: History, _ running: [[Double]]
    ) throws -> (AcquisitionFunction, [[Double]])? {
        let scores = try scores(study, history)
        let objectives = fit(scores, space, history, study, \.objectives)
        guard let objectives else { return nil }
        let constraintNames = history.trials.first { !$0.constraints.isEmpty }
        var constraints: [(GaussianProcess, threshold: Double)] = []
        var isFeasible = history.trials.map { _ in true }
        if constraintNames != nil {
            let values = try constraintValues(history)
            isFeasible = values.map { row in row.allSatisfy { $0 <= 0 } }
            // To be maximised, as everything here.
            let standardized = standardize(values.map { $0.map { -$0 } }, study)
            let fitted = fit(standardized.values, space, history, study, \.constraints)
            guard let fitted else { return nil }
            constraints = zip(fitted, zip(standardized.means, standardized.deviations)).map {
                ($0, threshold: -$1.0 / max($1.1, Self.smallestDeviation))
            }
        }
        let feasible = isFeasible.indices.filter { isFeasible[$0] }
        let candidates = Candidates(
            scores: feasible.map { scores[$0] }, points: feasible.map { history.points[$0] },
            running: running)
        let terms =
            study.isMultiObjective
            ? volumeTerms(objectives, constraints, candidates)
            : improvementTerms(objectives[0], constraints, candidates)
        guard let terms else { return nil }
        let lengthScales = space.axes.indices.map { axis in
            objectives.reduce(0) { $0 + $1.lengthScales[axis] } / Double(objectives.count)
        }
        let best =
            study.isMultiObjective ? frontPoints(candidates) : bestPoint(candidates)
        return (AcquisitionFunction(terms, lengthScales: lengthScales), best)
    }

    /// Feasible trials, and the points of the running ones.
    private struct Candidates {
        var scores: [[Double]]
        var points: [[Double]]
        var running: [[Double]]
    }

    private func improvementTerms(
        _ objective: GaussianProcess, _ constraints: [(GaussianProcess, threshold: Double)],
        _ candidates: Candidates
    ) -> [any AcquisitionTerm]? {
        let threshold = candidates.scores.map { $0[0] }.max()
        guard !candidates.running.isEmpty else {
            let gain = threshold.map { LogExpectedImprovement(objective, threshold: $0) }
            return (gain.map { [$0] } ?? []) + feasibilities(constraints)
        }
        let seed = sequenceSeed()
        guard let posterior = sampled(objective, candidates.running, seed: seed),
            let conditions = sampled(constraints, candidates.running, seed: seed + 1)
        else { return nil }
        return [
            LogAverageImprovement(
                objectives: [posterior], gain: .improvement(threshold: threshold),
                constraints: conditions)
        ]
    }

    private func volumeTerms(
        _ objectives: [GaussianProcess], _ constraints: [(GaussianProcess, threshold: Double)],
        _ candidates: Candidates
    ) -> [any AcquisitionTerm]? {
        let seed = sequenceSeed()
        if candidates.scores.isEmpty { return feasibilities(constraints) }
        let reference = BoxDecomposition.referencePoint(candidates.scores)
        if candidates.running.isEmpty {
            let normals = normals(objectives.count, seed: seed)
            let posteriors = objectives.indices.compactMap { objective in
                SampledPosterior(objectives[objective], normals: normals.map { [$0[objective]] })
            }
            let boxes = BoxDecomposition(candidates.scores, reference: reference)
            let gain = LogAverageImprovement(objectives: posteriors, gain: .hypervolume([boxes]))
            return [gain] + feasibilities(constraints)
        }
        let posteriors = objectives.enumerated().compactMap { index, process in
            sampled(process, candidates.running, seed: seed + index)
        }
        guard posteriors.count == objectives.count,
            let conditions = sampled(
                constraints, candidates.running, seed: seed + objectives.count)
        else { return nil }
        // A draw in which a running trial turns out feasible has that much less to gain.
        let boxes = (0..<Self.drawCount).map { draw in
            let fantasies = candidates.running.indices.filter { place in
                conditions.allSatisfy { $0.posterior.fantasies[place][draw] >= $0.threshold }
            }.map { place in posteriors.map { $0.fantasies[place][draw] } }
            return BoxDecomposition(candidates.scores + fantasies, reference: reference)
        }
        return [
            LogAverageImprovement(
                objectives: posteriors, gain: .hypervolume(boxes), constraints: conditions)
        ]
    }

    private func feasibilities(
        _ constraints: [(GaussianProcess, threshold: Double)]
    ) -> [any AcquisitionTerm] {
        constraints.map { LogProbabilityOfFeasibility($0.0, threshold: $0.threshold) }
    }

    private func sampled(
        _ process: GaussianProcess, _ running: [[Double]], seed: Int
    ) -> SampledPosterior? {
        SampledPosterior(process, normals: normals(running.count + 1, seed: seed), running: running)
    }

    private func sampled(
        _ constraints: [(GaussianProcess, threshold: Double)], _ running: [[Double]], seed: Int
    ) -> [(posterior: SampledPosterior, threshold: Double)]? {
        var result: [(posterior: SampledPosterior, threshold: Double)] = []
        for (index, (process, threshold)) in constraints.enumerated() {
            guard let posterior = sampled(process, running, seed: seed + index) else { return nil }
            result.append((posterior, threshold))
        }
        return result
    }

    private func sequenceSeed() -> Int {
        state.withLock { $0.generator.integer(0, Self.largestSequenceSeed) }
    }

    /// Quasi-random standard normal numbers; [drawCount][dimension].
    private func normals(_ dimension: Int, seed: Int) -> [[Double]] {
        let sequence: any QuasiRandomSequence =
            dimension <= SobolSequence.largestDimension
            ? SobolSequence(dimension: dimension, seed: UInt64(seed))
            : HaltonSequence(dimension: dimension, seed: UInt64(seed))
        return (0..<Self.drawCount).map { index in
            // The ends have no quantile.
            let shares = sequence.point(index).map { min(max($0, 0x1p-31), 1 - 0x1p-31) }
            return inverseLogNormalCDF(shares.map { logarithm($0) })
        }
    }

    // MARK: Values

    private static let smallestDeviation = 1e-10

    /// Standardised and to be maximised; [trials][objectives].
    private func scores(_ study: StudyContext, _ history: History) throws -> [[Double]] {
        let values = try history.trials.map { trial in
            guard let values = trial.values, values.count == study.directions.count else {
                throw TuningError.sampler(
                    problem: "GPSampler: trial \(trial.number) has "
                        + "\(trial.values?.count ?? 0) values, but the study has "
                        + "\(study.directions.count) objectives")
            }
            return zip(values, study.directions).map { $1 == .maximize ? $0 : -$0 }
        }
        return standardize(values, study).values
    }

    /// [trials][constraints]
    private func constraintValues(_ history: History) throws -> [[Double]] {
        let values = history.trials.map(\.constraints.values)
        guard values.allSatisfy({ $0.count == values.first?.count }) else {
            throw TuningError.sampler(
                problem: "The number of constraints must be the same for all trials.")
        }
        return values
    }

    /// Mean 0 and deviation 1 by column; infinite values become the largest or smallest finite one.
    private func standardize(
        _ values: [[Double]], _ study: StudyContext
    ) -> (values: [[Double]], means: [Double], deviations: [Double]) {
        var result = values
        var (means, deviations): ([Double], [Double]) = ([], [])
        if values.contains(where: { $0.contains { !$0.isFinite } }) {
            study.warn("Clip non-finite values to the min/max finite values for GP fittings.")
        }
        for column in values.first?.indices ?? 0..<0 {
            let finite = values.map { $0[column] }.filter(\.isFinite)
            let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
            let clipped = values.map { min(max($0[column], low), high) }
            let count = Double(clipped.count)
            // Halved and in parts, so that huge values can't overflow.
            let mean = clipped.reduce(0) { $0 + $1 / count }
            let scale = max(abs(high - mean), abs(low - mean), .leastNormalMagnitude)
            let variance = clipped.reduce(0) {
                $0 + ($1 - mean) / scale * (($1 - mean) / scale) / count
            }
            let deviation = variance.squareRoot() * scale
            for row in result.indices {
                result[row][column] =
                    (clipped[row] - mean) / max(deviation, Self.smallestDeviation)
            }
            means.append(mean)
            deviations.append(deviation)
        }
        return (result, means, deviations)
    }

    /// A process for each column, begun where the last fit ended.
    private func fit(
        _ values: [[Double]], _ space: UnitSearchSpace, _ history: History,
        _ study: StudyContext,
        _ remembered: any WritableKeyPath<Memory, [GaussianProcess.Parameters]> & Sendable
    ) -> [GaussianProcess]? {
        let columns = values.first?.count ?? 0
        let starts = state.withLock { $0.memories[study][keyPath: remembered] }.filter {
            $0.inverseSquaredLengthScales.count == space.axes.count
        }
        var processes: [GaussianProcess] = []
        for column in 0..<columns {
            let process = GaussianProcess.fit(
                history.points, values.map { $0[column] }, isCategorical: space.isCategorical,
                start: starts.count == columns ? starts[column] : nil,
                isDeterministic: options.deterministicObjective)
            guard let process else { return nil }
            processes.append(process)
        }
        state.withLock { $0.memories[study][keyPath: remembered] = processes.map(\.parameters) }
        return processes
    }

    // MARK: The search

    private func bestPoint(_ candidates: Candidates) -> [[Double]] {
        if candidates.scores.isEmpty { return [] }
        return [candidates.points[indexOfMaximum(candidates.scores.map { $0[0] })]]
    }

    /// Some points of the front.
    private func frontPoints(_ candidates: Candidates) -> [[Double]] {
        if candidates.scores.isEmpty { return [] }
        let losses = candidates.scores.map { $0.map { -$0 } }
        let ranks = nonDominationRanks(losses, enough: 1)
        let front = ranks.indices.filter { ranks[$0] == 0 }
        let chosen = state.withLock { $0.generator.permutation(front.count) }
            .prefix(Self.localSearchCount / 2)
        return chosen.map { candidates.points[front[$0]] }
    }

    /// The point where the function is largest.
    private func largest(
        _ function: AcquisitionFunction, _ space: UnitSearchSpace, _ best: [[Double]],
        _ study: StudyContext
    ) -> [Double] {
        let seed = state.withLock { $0.generator.integer(0, Int(Int32.max)) }
        let points = space.sample(Self.preliminaryCount, seed: seed)
        let values = function.values(points).map { $0.isNaN ? -.infinity : $0 }
        let first = indexOfMaximum(values)
        // A roulette by value for the other beginnings.
        var weights = values.map { value in
            values[first].isFinite ? exponential(value - values[first]) : 0
        }
        weights[first] = 0
        let total = pairwiseSum(weights)
        let possible = total > 0 ? weights.count { $0 / total > 0 } : 0
        let count = min(Self.localSearchCount - best.count - 1, possible)
        if count == possible {
            study.logger.warning(
                "Study already converged, so the number of local search is reduced.")
        }
        var starts = [points[first]]
        if count > 0 {
            let chosen = state.withLock {
                $0.generator.distinctChoices(weights: weights.map { $0 / total }, count: count)
            }
            starts += chosen.map { points[$0] }
        }
        let search = AcquisitionSearch(function, space)
        let found = (starts + best).map(search.climb)
        if found.contains(where: { !$0.isConverged }) {
            study.logger.warning("local_search_mixed: Local search did not converge.")
        }
        return found[indexOfMaximum(found.map(\.value))].point
    }

    // MARK: One by one

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        if try options.warnIndependentSampling
            && study.knownTrials(.complete).count >= options.nStartupTrials
        {
            study.logger.warning(
                """
                The parameter `\(name)` in Trial#\(trial.number) is sampled independently using \
                `\(type(of: independentSampler))` instead of `GPSampler`, potentially degrading \
                the optimization performance. This fallback happened because dynamic search space \
                is not supported by GPSampler. You can suppress this warning by setting \
                `warn_independent_sampling` to `False` in the constructor of `GPSampler` if this \
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
        try noteConstraints(options.constraints, study, trial, state)
        try independentSampler.afterTrial(study, trial: trial, state: state, values: values)
    }
}
