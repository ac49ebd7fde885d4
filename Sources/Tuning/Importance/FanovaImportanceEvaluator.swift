// fANOVA and mean decrease impurity: importance by a random forest.

/// The share of the objective's variance over the whole search space that a parameter explains by
/// itself, as a random forest sees it.
///
/// - nTrees, maxDepth: of the forest. - seed: 0 ..< 2³², or `nil`; with a seed the forest is
///   scikit-learn's.
/// Source: Hutter, Hoos and Leyton-Brown 2014 (ICML). Checked by `ImportanceTests` against Optuna.
public struct FanovaImportanceEvaluator: ImportanceEvaluator {
    private let forest: ForestOptions

    public init(nTrees: Int = 64, maxDepth: Int = 64, seed: Int? = nil) throws {
        forest = try ForestOptions("FanovaImportanceEvaluator", nTrees, maxDepth, seed)
    }

    public func evaluate(
        _ study: Study, params: [String]?, target: ((FrozenTrial) throws -> Double)?
    ) throws -> NamedValues<Double> {
        try refuseSeveralObjectivesWithoutTarget(study, target)
        let distributions = try assessedDistributions(study, params: params)
        let varied = distributions.filter { !$1.isSingle }
        var importances = NamedValues(varied.names.map { ($0, 0.0) })
        for name in distributions.names where importances[name] == nil { importances[name] = 0 }
        if varied.isEmpty { return importances }
        guard
            let input = try ForestInput(
                study, varied, params: params ?? distributions.names, target: target)
        else { return importances }
        let trees = forest.grow(input).map { FanovaTree($0, bounds: input.bounds) }
        let telling = trees.filter { $0.variance > 0 }
        if telling.isEmpty {
            throw TuningError.importance(problem: "Encountered zero total variance in all trees.")
        }
        for (name, columns) in zip(varied.names, input.columns) {
            let shares = telling.map { max($0.marginalVariance(of: columns), 0) / $0.variance }
            importances[name] = shares.reduce(0, +) / Double(shares.count)
        }
        return sortedByImportance(importances)
    }
}

/// How much the splits on a parameter lower the variance within the nodes of a random forest.
///
/// The parameters are those of ``FanovaImportanceEvaluator``. Source: Breiman 2001. Checked by
/// `ImportanceTests` against Optuna.
public struct MeanDecreaseImpurityImportanceEvaluator: ImportanceEvaluator {
    private let forest: ForestOptions

    public init(nTrees: Int = 64, maxDepth: Int = 64, seed: Int? = nil) throws {
        forest = try ForestOptions(
            "MeanDecreaseImpurityImportanceEvaluator", nTrees, maxDepth, seed)
    }

    public func evaluate(
        _ study: Study, params: [String]?, target: ((FrozenTrial) throws -> Double)?
    ) throws -> NamedValues<Double> {
        try refuseSeveralObjectivesWithoutTarget(study, target)
        let distributions = try assessedDistributions(study, params: params)
        var importances = NamedValues(distributions.names.map { ($0, 0.0) })
        guard
            let input = try ForestInput(
                study, distributions, params: params ?? distributions.names, target: target)
        else { return importances }
        let trees = forest.grow(input).compactMap { $0.featureImportances(input.bounds.count) }
        if trees.isEmpty { return importances }
        var byColumn = [Double](repeating: 0, count: input.bounds.count)
        for tree in trees {
            for column in byColumn.indices { byColumn[column] += tree[column] }
        }
        let sum = byColumn.reduce(0, +)
        for (name, columns) in zip(distributions.names, input.columns) {
            importances[name] = sum > 0 ? byColumn[columns].reduce(0, +) / sum : 0
        }
        return sortedByImportance(importances)
    }
}

/// Checked arguments of both.
private struct ForestOptions: Sendable {
    let treeCount: Int
    let maxDepth: Int
    let seed: UInt32?

    init(_ owner: String, _ treeCount: Int, _ maxDepth: Int, _ seed: Int?) throws {
        for (name, value) in [("n_trees", treeCount), ("max_depth", maxDepth)]
        where !(1...100_000).contains(value) {
            throw TuningError.argument(
                owner: owner, name: name, problem: "must be between 1 and 100000, but got \(value)")
        }
        self.treeCount = treeCount
        self.maxDepth = maxDepth
        self.seed = try checkedSeed(seed, owner: owner)
    }

    func grow(_ input: ForestInput) -> [RegressionTree] {
        randomForest(
            input.points, input.targets, treeCount: treeCount, maxDepth: maxDepth, seed: seed)
    }
}
