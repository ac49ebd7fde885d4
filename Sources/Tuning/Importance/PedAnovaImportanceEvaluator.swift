// PED-ANOVA: importance for getting among the best trials.

/// Compares, parameter by parameter, where the best trials lie with where all of them lie.
///
/// Takes parameters with conditions and changing ranges: each range a parameter has had is assessed
/// by itself. Deterministic; with several objectives the best trials are those that TPE would take.
///
/// Source: Watanabe, Bansal and Hutter 2023, arXiv:2304.10255; with conditions: arXiv:2601.20800.
/// Checked by `ImportanceTests` against Optuna.
public struct PedAnovaImportanceEvaluator: ImportanceEvaluator {
    private let targetQuantile: Double
    private let regionQuantile: Double
    private let evaluatesOnLocal: Bool

    private static let gridSize = 50
    private static let smallestRegime = 2

    /// - targetQuantile: the share of the trials that counts as good.
    /// - regionQuantile: the share that they are compared with.
    /// - evaluatesOnLocal: compare with the trials there were; otherwise with the whole range.
    public init(
        targetQuantile: Double = 0.1, regionQuantile: Double = 1, evaluatesOnLocal: Bool = true
    ) throws {
        guard targetQuantile > 0, targetQuantile < regionQuantile, regionQuantile <= 1 else {
            throw TuningError.importance(
                problem: "condition 0.0 < `target_quantile` < `region_quantile` <= 1.0 must be "
                    + "satisfied")
        }
        self.targetQuantile = targetQuantile
        self.regionQuantile = regionQuantile
        self.evaluatesOnLocal = evaluatesOnLocal
    }

    public func evaluate(
        _ study: Study, params: [String]?, target: ((FrozenTrial) throws -> Double)?
    ) throws -> NamedValues<Double> {
        let complete = try study.trials(.complete)
        let params = try resolved(params, complete)
        var importances = NamedValues(params.map { ($0, 0.0) })
        let trials = try complete.filter { trial in
            if let target { return try target(trial).isFinite }
            return (trial.values ?? []).allSatisfy(\.isFinite)
        }
        if trials.count <= 1 {
            study.warn(
                "The number of trials is too small to compute importances. Parameter importances "
                    + "will be equal.")
            return importances
        }
        let region = try best(regionQuantile, of: trials, study, target)
        let good = try best(targetQuantile, of: trials, study, target)
        if good.count == region.count {
            study.warn(
                "Target and region quantiles select the same set of trials. Parameter importances "
                    + "will be equal.")
        }
        let goodNumbers = Set(good.map(\.number))
        let quantile = Double(good.count) / Double(region.count)
        for name in params {
            var importance = 0.0
            for (distribution, members) in regimes(name, region, study) {
                let goodMembers = members.filter { goodNumbers.contains($0.number) }
                if distribution.isSingle || goodMembers.isEmpty { continue }
                let goodShare = Double(goodMembers.count) / Double(good.count)
                let share = Double(members.count) / Double(region.count)
                importance +=
                    goodShare * goodShare / share
                    * (try divergence(name, distribution, goodMembers, members))
            }
            importances[name] = importance * quantile * quantile
        }
        return sortedByImportance(importances)
    }

    private func resolved(_ params: [String]?, _ trials: [FrozenTrial]) throws -> [String] {
        var all = NamedValues<Bool>()
        for trial in trials {
            for name in trial.distributions.names { all[name] = true }
        }
        guard let params else { return all.sortedByName().names }
        let missing = params.filter { !all.contains($0) }
        if !missing.isEmpty {
            throw TuningError.importance(
                problem: "Study must contain at least one completed trial for each specified "
                    + "parameter. Missing parameters: ["
                    + missing.map { pythonRepr($0) }.joined(separator: ", ") + "].")
        }
        return params
    }

    // MARK: Good trials

    private func best(
        _ quantile: Double, of trials: [FrozenTrial], _ study: Study,
        _ target: ((FrozenTrial) throws -> Double)?
    ) throws -> [FrozenTrial] {
        if quantile == 1 { return trials }
        let count = clampedInt((quantile * Double(trials.count)).rounded(.up))
        if study.directions.count > 1 && target == nil {
            let places = bestByDominance(
                trials.enumerated().map { ($0.offset, $0.element.values ?? []) },
                directions: study.directions, count: count, tieOrder: .native)
            return places.sorted().map { trials[$0] }
        }
        if target != nil {
            study.warn(
                "PedAnovaImportanceEvaluator computes the importances of params to achieve low "
                    + "`target` values. If this is not what you want, please modify target, e.g., "
                    + "by multiplying the output by -1.")
        }
        let sign: Double = target == nil && study.directions[0] == .maximize ? -1 : 1
        let losses = try trials.map { sign * (try target?($0) ?? $0.values?.first ?? .infinity) }
        // All trials as good as the last one that is wanted.
        let cutoff = losses.sorted()[max(count - 1, 0)]
        return zip(trials, losses).filter { $0.1 <= cutoff }.map(\.0)
    }

    /// The trials by the range that the parameter had in them; trials without it don't count.
    private func regimes(
        _ name: String, _ trials: [FrozenTrial], _ study: Study
    ) -> [(Distribution, [FrozenTrial])] {
        var regimes: [(distribution: Distribution?, trials: [FrozenTrial])] = []
        for trial in trials {
            let distribution = trial.distributions[name]
            if let place = regimes.firstIndex(where: { $0.distribution == distribution }) {
                regimes[place].trials.append(trial)
            } else {
                regimes.append((distribution, [trial]))
            }
        }
        if regimes.contains(where: { $0.trials.count < Self.smallestRegime }) {
            study.warn(
                "Some regimes for parameter `\(name)` have less than \(Self.smallestRegime) "
                    + "trials. The importance of the parameter may be inaccurate.")
        }
        return regimes.compactMap { regime in
            guard let distribution = regime.distribution,
                regime.trials.count >= Self.smallestRegime
            else { return nil }
            return (distribution, regime.trials)
        }
    }

    // MARK: Divergence

    /// Pearson's divergence of the good trials' density from the others'.
    private func divergence(
        _ name: String, _ distribution: Distribution, _ good: [FrozenTrial],
        _ region: [FrozenTrial]
    ) throws -> Double {
        let goodDensity = try density(name, distribution, good)
        let density =
            try evaluatesOnLocal
            ? density(name, distribution, region)
            : goodDensity.map { _ in 1 / Double(goodDensity.count) }
        return zip(goodDensity, density).reduce(0) { sum, pair in
            let ratio = pair.0 / pair.1 - 1
            return sum + pair.1 * ratio * ratio
        }
    }

    /// The probability of each place of a grid over the range, or of each choice.
    private func density(
        _ name: String, _ distribution: Distribution, _ trials: [FrozenTrial]
    ) throws -> [Double] {
        let values = try trials.compactMap { trial in
            try trial.params[name].map { try distribution.internalValue(of: $0) }
        }
        let counts = gridCounts(values, distribution)
        let places = counts.indices.filter { counts[$0] > 0 }
        let weights = places.map { Double(counts[$0]) }
        let sum = weights.reduce(0, +) + 1
        let smooth =
            distribution.isCategorical
            ? choiceDensity(places, weights, sum, counts.count)
            : numericalDensity(places, weights, sum, counts.count)
        return smooth.map { $0 + 1e-12 }
    }

    private func gridCounts(_ values: [Double], _ distribution: Distribution) -> [Int] {
        var low = 0.0
        var high = 0.0
        var size = Self.gridSize
        var isLog = false
        switch distribution {
        case .categorical(let it):
            var counts = [Int](repeating: 0, count: it.choices.count)
            for value in values { counts[min(max(clampedInt(value), 0), counts.count - 1)] += 1 }
            return counts
        case .float(let it):
            (low, high, isLog) = (it.low, it.high, it.log)
            if let step = it.step {
                let count = ((high - low) / step).rounded(.toNearestOrEven)
                size = min(clampedInt(count) + 1, size)
            }
        case .int(let it):
            (low, high, isLog) = (Double(it.low), Double(it.high), it.log)
            let count =
                isLog
                ? (logarithm(high - low + 1) / logarithm(2)).rounded(.up)
                : ((high - low) / Double(it.step)).rounded(.toNearestOrEven)
            size = min(clampedInt(min(count, 1e6)) + 1, size)
        }
        if isLog { (low, high) = (logarithm(low), logarithm(high)) }
        let stepSize = (high - low) / Double(size - 1)
        var counts = [Int](repeating: 0, count: size)
        for value in values {
            let place = ((isLog ? logarithm(value) : value) - low) / stepSize - 0.5
            counts[min(max(clampedInt(place.rounded(.up)), 0), size - 1)] += 1
        }
        return counts
    }

    private func choiceDensity(
        _ places: [Int], _ weights: [Double], _ sum: Double, _ count: Int
    ) -> [Double] {
        let base = 1 / Double(places.count + 1)
        let rowSum = base * Double(count) + 1
        let prior = 1 / sum / Double(count)
        return (0..<count).map { choice in
            zip(places, weights).reduce(prior) { total, kernel in
                total + kernel.1 / sum * (base + (kernel.0 == choice ? 1 : 0)) / rowSum
            }
        }
    }

    /// Normal kernels of one width, by Scott's rule, on the grid, and a wide one for the prior.
    private func numericalDensity(
        _ places: [Int], _ weights: [Double], _ sum: Double, _ count: Int
    ) -> [Double] {
        let total = sum - 1
        let values = places.map(Double.init)
        let mean = zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / total
        let variance =
            zip(values, weights).reduce(0) { $0 + ($1.0 - mean) * ($1.0 - mean) * $1.1 }
            / max(1, total - 1)
        var cumulative: [Double] = []
        for weight in weights { cumulative.append((cumulative.last ?? 0) + weight) }
        let first = cumulative.partitioningIndex { $0 >= (total / 4).rounded(.down) }
        let third = cumulative.partitioningIndex { $0 > (total * 3 / 4).rounded(.down) }
        let spread = values[min(third, values.count - 1)] - values[min(first, values.count - 1)]
        let scott =
            1.059 * min(spread / 1.34, variance.squareRoot())
            * exponential(-0.2 * logarithm(total))
        // 90% of a kernel within its place of the grid.
        let width = max(scott, 0.5 / 1.64)
        let upper = Double(count - 1) + 0.5
        var kernels: [(centre: Double, width: Double, weight: Double)] = []
        for (value, weight) in zip(values, weights) { kernels.append((value, width, weight)) }
        kernels.append((Double(count - 1) / 2, Double(count), 1))
        let norms = kernels.map {
            logNormalMass((-0.5 - $0.centre) / $0.width, (upper - $0.centre) / $0.width)
        }
        return (0..<count).map { place in
            zip(kernels, norms).reduce(0) { total, entry in
                let (kernel, norm) = entry
                let offset = Double(place) - kernel.centre
                let mass = logNormalMass(
                    (offset - 0.5) / kernel.width, (offset + 0.5) / kernel.width)
                return total + kernel.weight / sum * exponential(mass - norm)
            }
        }
    }
}
