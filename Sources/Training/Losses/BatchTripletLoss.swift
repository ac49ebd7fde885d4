import Glibc

/// Triplets found within a batch by class labels: sentences of one label should be nearer to each
/// other than to those of other labels, by a margin. With d the distance, a the anchor, p another
/// sentence of its label, n one of another label:
///
///     all          Σ max(0, d_ap − d_an + margin) / number of triplets above 0
///     hard         mean_a( max(0, max_p d_ap − min_n d_an + margin) )
///     softMargin   mean_a( log(1 + exp(max_p d_ap − min_n d_an)) )
///     semiHard     mean_(a,p)( max(0, d_ap − d_an + margin) ), n the nearest with d_an > d_ap, or
///                  the farthest one of all where there is none
///
/// - `distance_metric` (euclidean_distance): also cosine_distance, which reaches 2 at most.
/// - `margin` (5): in units of the distance; not for softMargin.
///
/// A batch needs labels that occur at least twice (`batch_sampler = GROUP_BY_LABEL`). An anchor
/// without positives has 0 for their distance, one without negatives its farthest row, as in Python.
/// Input columns: (sentence). Label: a class.
/// Source: Hermans et al. 2017, arXiv:1703.07737; Schroff et al. 2015, arXiv:1503.03832 (semiHard).
/// Checked by `LossGoldenTests`.
/// Lua: `st.losses.BatchAllTripletLoss(model)`, BatchHardTripletLoss, BatchSemiHardTripletLoss,
/// BatchHardSoftMarginTripletLoss.
public final class BatchTripletLoss: Loss {
    public enum Mining: String, Sendable, CaseIterable {
        case all = "BatchAllTripletLoss"
        case hard = "BatchHardTripletLoss"
        case semiHard = "BatchSemiHardTripletLoss"
        case softMargin = "BatchHardSoftMarginTripletLoss"
    }

    public let mining: Mining
    public let distanceMetric: BatchDistanceMetric
    public let margin: Double

    public var name: String { mining.rawValue }
    public var textColumns: LossColumns { LossColumns(1, 1, "(sentence)") }
    public var labels: LossLabelUse { .required("the class of each sentence") }
    public var configuration: [(name: String, value: String)] {
        let metric = (
            name: "distance_metric",
            value: "BatchHardTripletLossDistanceFunction.\(distanceMetric.rawValue)"
        )
        return mining == .softMargin ? [metric] : [metric, ("margin", "\(margin)")]
    }

    public init(
        _ mining: Mining, distanceMetric: BatchDistanceMetric = .euclidean, margin: Double = 5
    ) throws {
        try checkMargin(margin, owner: mining.rawValue)
        self.mining = mining
        self.distanceMetric = distanceMetric
        self.margin = margin
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let labels = try rowLabels(batch)
        guard batch.columns == 1, batch.rows > 0 else {
            throw TrainingError.data(
                problem: "\(name) needs 1 column of embeddings, got \(batch.columns)")
        }
        let distances = LabelledDistances(distanceMetric, batch.embeddings)
        var slopes = [Float](repeating: 0, count: batch.rows * batch.rows)
        var value =
            switch mining {
            case .all: all(distances, labels, &slopes)
            case .hard, .softMargin: hardest(distances, labels, &slopes)
            case .semiHard: try semiHard(distances, labels, &slopes)
            }
        // Comparisons drop NaN distances; the trainer must still hear of them.
        if !distances.values.allSatisfy(\.isFinite) { value = .nan }
        return LossResult(
            value: value, gradient: batch.gradient { distances.backward(slopes, into: $0(0)) })
    }

    // MARK: Mining

    private func all(
        _ distances: LabelledDistances, _ labels: [Float], _ slopes: inout [Float]
    ) -> Double {
        let n = distances.count
        var total = 0.0
        var count = 0
        for a in 0..<n {
            for p in 0..<n where p != a && labels[p] == labels[a] {
                for other in 0..<n where labels[other] != labels[a] {
                    let violation = distances[a, p] - distances[a, other] + Float(margin)
                    guard violation > 0 else { continue }
                    total += Double(violation)
                    slopes[a * n + p] += 1
                    slopes[a * n + other] -= 1
                    if violation > 1e-16 { count += 1 }
                }
            }
        }
        let weight = 1 / (Double(count) + 1e-16)
        for i in slopes.indices where slopes[i] != 0 { slopes[i] *= Float(weight) }
        return total * weight
    }

    private func hardest(
        _ distances: LabelledDistances, _ labels: [Float], _ slopes: inout [Float]
    ) -> Double {
        let n = distances.count
        let weight = 1 / Float(n)
        var total = 0.0
        for a in 0..<n {
            let positive = (0..<n).filter { $0 != a && labels[$0] == labels[a] }
                .max { distances[a, $0] < distances[a, $1] }
            // Python adds the row's largest distance to all that are no negatives.
            let farthest = (0..<n).max { distances[a, $0] < distances[a, $1] } ?? a
            func shifted(_ j: Int) -> Float {
                distances[a, j] + (labels[j] == labels[a] ? distances[a, farthest] : 0)
            }
            let nearest = (0..<n).min { shifted($0) < shifted($1) } ?? a
            let difference = (positive.map { distances[a, $0] } ?? 0) - shifted(nearest)
            var slope = weight
            if mining == .softMargin {
                let x = Double(difference)
                total += max(x, 0) + log1p(exp(-x.magnitude))
                slope *= Float(1 / (1 + exp(-x)))
            } else {
                let violation = difference + Float(margin)
                guard violation > 0 else { continue }
                total += Double(violation)
            }
            if let positive { slopes[a * n + positive] += slope }
            slopes[a * n + nearest] -= slope
            if labels[nearest] == labels[a] { slopes[a * n + farthest] -= slope }
        }
        return total / Double(n)
    }

    private func semiHard(
        _ distances: LabelledDistances, _ labels: [Float], _ slopes: inout [Float]
    ) throws -> Double {
        let n = distances.count
        var total = 0.0
        var count = 0
        for a in 0..<n {
            let negatives = (0..<n).filter { labels[$0] != labels[a] }
            let farthest = negatives.max { distances[a, $0] < distances[a, $1] }
            for p in 0..<n where p != a && labels[p] == labels[a] {
                count += 1
                let chosen =
                    negatives.filter { distances[a, $0] > distances[a, p] }
                    .min { distances[a, $0] < distances[a, $1] } ?? farthest
                let nearest = (0..<n).map { distances[a, $0] }.min() ?? 0
                let violation =
                    distances[a, p] - (chosen.map { distances[a, $0] } ?? nearest) + Float(margin)
                guard violation > 0 else { continue }
                total += Double(violation)
                slopes[a * n + p] += 1
                if let chosen { slopes[a * n + chosen] -= 1 }
            }
        }
        guard count > 0 else {
            throw TrainingError.data(
                problem: "\(name): no two sentences of the batch have the same label",
                hint: "use batch_sampler = st.BatchSamplers.GROUP_BY_LABEL")
        }
        for i in slopes.indices where slopes[i] != 0 { slopes[i] /= Float(count) }
        return total / Double(count)
    }
}
