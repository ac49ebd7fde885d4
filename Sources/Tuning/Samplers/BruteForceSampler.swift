// Every combination of a finite search space, found while the objective runs.

import Synchronization

/// Tries all combinations of the parameters that the objective asks for, conditions included, and
/// then stops the study.
///
/// - seed: 0 ..< 2³², or `nil` for an order that differs from run to run.
/// - avoidPrematureStop: count running trials as not yet tried, so that none is missed when several
///   workers share a study; some points may then be tried twice.
///
/// With a seed the order is Optuna's. Checked by `TraceReplayTests`.
public final class BruteForceSampler: Sampler {
    private let generator: Mutex<NumpyRandomState>
    private let excludesRunning: Bool

    public init(seed: Int? = nil, avoidPrematureStop: Bool = false) throws {
        generator = Mutex(.make(seed: try checkedSeed(seed, owner: "BruteForceSampler")))
        excludesRunning = !avoidPrematureStop
    }

    public func reseed() { generator.withLock { $0 = .fromEntropy() } }

    public func sampleIndependent(
        _ study: StudyContext, trial: FrozenTrial, name: String, distribution: Distribution
    ) throws -> ParameterValue {
        let others = try begunTrials(study).filter { $0.number != trial.number }
        let range = try CandidateRange(distribution)
        let tree = CandidateTree()
        try tree.expand(name, range)
        try tree.add(others, fixed: trial.params)
        let place = generator.withLock { generator in
            tree.isExpandable(excludingRunning: excludesRunning)
                ? tree.draw(&generator, excludingRunning: excludesRunning)
                : generator.choice(range.candidates.count)
        }
        return distribution.value(ofInternal: range.candidates[place])
    }

    public func afterTrial(
        _ study: StudyContext, trial: FrozenTrial, state: TrialState, values: [Double]?
    ) throws {
        let trials = try begunTrials(study).map { other in
            guard other.number == trial.number else { return other }
            var finished = trial
            finished.state = state
            return finished
        }
        // Whether anything is left under the trial's own values but the last one, but the last
        // two, and so on: the first of these trees are small, and the search mostly ends there.
        var fixed = trial.params
        for name in trial.params.names.reversed() {
            fixed[name] = nil
            let tree = CandidateTree()
            try tree.add(trials, fixed: fixed)
            if tree.isExpandable(excludingRunning: excludesRunning) { return }
        }
        try study.stop()
    }

    private func begunTrials(_ study: StudyContext) throws -> [FrozenTrial] {
        // Whole: Hyperband's brackets don't narrow it.
        try study.storage.trials(study.studyID, states: [.complete, .pruned, .running, .fail])
    }
}

/// The values of a finite range, in internal form.
private struct CandidateRange: Equatable {
    private let low: Double
    private let high: Double
    private let step: Double
    let candidates: [Double]

    private static let largest = 10_000_000

    init(_ distribution: Distribution) throws {
        guard let count = distribution.valueCount else {
            throw TuningError.sampler(
                problem: "FloatDistribution.step must be given for BruteForceSampler (otherwise, "
                    + "the search space will be infinite).")
        }
        guard count <= Self.largest else {
            throw TuningError.sampler(
                problem: "BruteForceSampler: \(distribution) has \(count) values; use a range with "
                    + "at most \(Self.largest)")
        }
        switch distribution {
        case .categorical:
            (low, high, step) = (0, Double(count - 1), 1)
            candidates = (0..<count).map(Double.init)
        case .int(let it):
            (low, high, step) = (Double(it.low), Double(it.high), Double(it.step))
            candidates = (0..<count).map { Double(it.low + $0 * it.step) }
        case .float(let it):
            (low, high, step) = (it.low, it.high, it.step ?? 0)
            // On decimal forms: 0.1, 0.2, 0.3 and not 0.30000000000000004.
            guard let start = ExactDecimal(it.low), let stride = ExactDecimal(it.step ?? 0) else {
                throw TuningError.tooManySteps(low: it.low, high: it.high, step: it.step ?? 0)
            }
            candidates = try (0..<count).map { index in
                guard
                    let value = stride.multiplied(by: Int128(index))?.adding(start)?.doubleValue
                else {
                    throw TuningError.tooManySteps(low: it.low, high: it.high, step: it.step ?? 0)
                }
                return value
            }
        }
    }

    static func == (left: Self, right: Self) -> Bool {
        left.low == right.low && left.high == right.high && left.step == right.step
    }

    func place(of value: Double) -> Int? {
        // Where it should be, give or take a rounding.
        let guess = clampedInt(((value - low) / (step == 0 ? 1 : step)).rounded())
        return candidates.indices.contains(guess) && candidates[guess] == value ? guess : nil
    }
}

/// What has been tried: a node asks for one parameter, with a branch for each of its values.
private final class CandidateTree {
    private var name: String?
    private var range: CandidateRange?
    /// `nil` before anything is known of what follows here; empty at the end of a finished trial.
    private var children: [CandidateTree?]?
    private var isRunning = false

    func expand(_ name: String, _ range: CandidateRange) throws {
        guard children != nil else {
            self.name = name
            self.range = range
            children = Array(repeating: nil, count: range.candidates.count)
            return
        }
        try check(name, range)
    }

    private func check(_ name: String?, _ range: CandidateRange?) throws {
        if self.name != name {
            throw TuningError.sampler(
                problem: "param_name mismatch: \(self.name ?? "None") != \(name ?? "None")")
        }
        if self.range != range {
            throw TuningError.sampler(
                problem: "search_space mismatch in \(name ?? "None"): "
                    + "\(pythonRepr(self.range?.candidates ?? [])) != "
                    + "\(pythonRepr(range?.candidates ?? []))")
        }
    }

    /// Takes in the trials that have the fixed parameters with those values.
    func add(_ trials: [FrozenTrial], fixed: NamedValues<ParameterValue>) throws {
        for trial in trials {
            let params = trial.params
            let agrees = fixed.allSatisfy { name, value in
                params[name].map { $0.isPythonEqual(to: value) } ?? false
            }
            guard agrees, let leaf = try leaf(of: trial, params, fixed) else { continue }
            if trial.state.isFinished {
                if leaf.children != nil { try leaf.check(nil, nil) }
                leaf.children = []
            } else {
                leaf.isRunning = true
            }
        }
    }

    /// The node at the end of a trial's path; `nil` if one of its values is not on the grid.
    private func leaf(
        of trial: FrozenTrial, _ params: NamedValues<ParameterValue>,
        _ fixed: NamedValues<ParameterValue>
    ) throws -> CandidateTree? {
        var node = self
        for (name, distribution) in trial.distributions where !fixed.contains(name) {
            guard let value = params[name] else { return nil }
            let range = try CandidateRange(distribution)
            try node.expand(name, range)
            guard let children = node.children, !children.isEmpty,
                let place = range.place(of: try distribution.internalValue(of: value))
            else { return nil }
            let next = children[place] ?? CandidateTree()
            node.children?[place] = next
            node = next
        }
        return node
    }

    func isExpandable(excludingRunning: Bool) -> Bool {
        guard let children else { return !excludingRunning || !isRunning }
        return children.contains { $0?.isExpandable(excludingRunning: excludingRunning) ?? true }
    }

    private func openCount(excludingRunning: Bool) -> Double {
        guard let children else { return excludingRunning && isRunning ? 0 : 1 }
        return children.reduce(0) {
            $0 + ($1?.openCount(excludingRunning: excludingRunning) ?? 1)
        }
    }

    /// A child with something open under it: half by how much, half each the same. Those that a
    /// worker is at right now only if there are no others.
    func draw(_ generator: inout NumpyRandomState, excludingRunning: Bool) -> Int {
        let children = children ?? []
        let counts = children.map { $0?.openCount(excludingRunning: excludingRunning) ?? 1 }
        let total = pairwiseSum(counts)
        let openChildren = Double(counts.count { $0 > 0 })
        var weights = counts.map { count in
            0.5 * (count / total) + 0.5 * (count > 0 ? 1 / openChildren : 0)
        }
        let isFree = children.map { !($0?.isRunning ?? false) }
        if zip(weights, isFree).contains(where: { $0 > 0 && $1 }) {
            for index in weights.indices where !isFree[index] { weights[index] = 0 }
        }
        let sum = pairwiseSum(weights)
        return generator.choices(weights: weights.map { $0 / sum }, count: 1)[0]
    }
}
