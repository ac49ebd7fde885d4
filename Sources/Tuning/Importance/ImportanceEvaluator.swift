// How much each parameter matters for the objective: the contract, and what evaluators share.

/// Finds out how much each parameter matters, from the COMPLETE trials of a study.
public protocol ImportanceEvaluator: Sendable {
    /// Importances, the largest first; not normalised.
    ///
    /// - params: those to assess; `nil` for all. - target: the number to explain; `nil` for the
    ///   value of the only objective.
    func evaluate(
        _ study: Study, params: [String]?, target: ((FrozenTrial) throws -> Double)?
    ) throws -> NamedValues<Double>
}

extension Study {
    /// Importances of the parameters, the largest first.
    ///
    /// - evaluator: ``PedAnovaImportanceEvaluator`` if `nil`.
    /// - normalize: scale them to a sum of 1; all equal if they are 0.
    public func paramImportances(
        evaluator: (any ImportanceEvaluator)? = nil, params: [String]? = nil,
        target: ((FrozenTrial) throws -> Double)? = nil, normalize: Bool = true
    ) throws -> NamedValues<Double> {
        let evaluator = try evaluator ?? PedAnovaImportanceEvaluator()
        let importances = try evaluator.evaluate(self, params: params, target: target)
        if !normalize { return importances }
        let sum = importances.values.reduce(0, +)
        return importances.mapValues { sum == 0 ? 1 / Double(importances.count) : $0 / sum }
    }
}

/// Largest first; of equal ones the later name first, as Python's reversed sort leaves them.
func sortedByImportance(_ importances: NamedValues<Double>) -> NamedValues<Double> {
    let order = Array(importances.indices).stablySorted {
        importances.values[$0] < importances.values[$1]
    }
    return NamedValues(
        order.reversed().map { (importances.names[$0], importances.values[$0]) })
}

/// What the evaluators with a forest work on.
struct ForestInput {
    let distributions: NamedValues<Distribution>
    /// [trial][column]; a column per number and per choice.
    let points: [[Double]]
    let targets: [Double]
    /// Columns of each parameter.
    let columns: [Range<Int>]
    let bounds: [(low: Double, high: Double)]

    /// `nil` if there are fewer than two trials.
    ///
    /// - distributions: of the parameters to look at.
    init?(
        _ study: Study, _ distributions: NamedValues<Distribution>, params: [String],
        target: ((FrozenTrial) throws -> Double)?
    ) throws {
        var points: [[Double]] = []
        var targets: [Double] = []
        for trial in try study.trials(.complete) where params.allSatisfy(trial.params.contains) {
            let number = try target?(trial) ?? trial.values?.first ?? .nan
            guard number.isFinite else { continue }
            var point: [Double] = []
            for (name, distribution) in distributions {
                guard let value = trial.params[name] else { continue }
                let number = try distribution.internalValue(of: value)
                if case .categorical(let it) = distribution {
                    point += it.choices.indices.map { Double($0) == number ? 1 : 0 }
                } else {
                    point.append(number)
                }
            }
            points.append(point)
            targets.append(number)
        }
        if points.count <= 1 { return nil }
        self.points = points
        self.targets = targets
        self.distributions = distributions
        var columns: [Range<Int>] = []
        var bounds: [(low: Double, high: Double)] = []
        for distribution in distributions.values {
            let start = bounds.count
            switch distribution {
            case .categorical(let it):
                bounds += Array(repeating: (0, 1), count: it.choices.count)
            case .float(let it): bounds.append((it.low, it.high))
            case .int(let it): bounds.append((Double(it.low), Double(it.high)))
            }
            columns.append(start..<bounds.count)
        }
        self.columns = columns
        self.bounds = bounds
    }
}

/// The parameters, ascending by name: those that all COMPLETE trials share, or the given ones.
func assessedDistributions(
    _ study: Study, params: [String]?
) throws -> NamedValues<Distribution> {
    let trials = try study.trials(.complete)
    guard let params else {
        var space = IntersectionSearchSpace()
        space.update(with: trials)
        return space.names
    }
    let shown = "[" + params.map { pythonRepr($0) }.joined(separator: ", ") + "]"
    var result: NamedValues<Distribution>?
    for trial in trials where params.allSatisfy(trial.distributions.contains) {
        let own = trial.distributions.filter { name, _ in params.contains(name) }
        if let result, result != own {
            throw TuningError.importance(
                problem: "Parameters importances cannot be assessed with dynamic search spaces if "
                    + "parameters are specified. Specified parameters: \(shown).")
        }
        result = own
    }
    guard let result else {
        throw TuningError.importance(
            problem: "Study must contain completed trials with all specified parameters. "
                + "Specified parameters: \(shown).")
    }
    return result.sortedByName()
}

func refuseSeveralObjectivesWithoutTarget(
    _ study: Study, _ target: ((FrozenTrial) throws -> Double)?
) throws {
    if target == nil && study.directions.count > 1 {
        throw TuningError.importance(
            problem: "If the `study` is being used for multi-objective optimization, please "
                + "specify the `target`. For example, use `target=lambda t: t.values[0]` for the "
                + "first objective value.")
    }
}
