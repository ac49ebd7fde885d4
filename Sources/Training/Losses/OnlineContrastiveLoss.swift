/// Contrastive loss over the hard pairs of a batch only: negatives nearer than the farthest
/// positive, positives farther than the nearest negative.
///
///     loss = Σ_{hard positives} d² + Σ_{hard negatives} max(0, margin − d)²
///
/// - `distance_metric` (COSINE_DISTANCE): also EUCLIDEAN, MANHATTAN.   - `margin` (0.5).
///
/// A batch without positives (negatives) takes the mean distance of its negatives (positives) as
/// the limit. Labels other than 0 and 1 are neither. The sum is not averaged.
/// Input columns: (sentence1, sentence2). Label: 1 (similar) or 0 (not).
/// Checked by `LossGoldenTests`. Lua: `st.losses.OnlineContrastiveLoss(model)`.
public final class OnlineContrastiveLoss: Loss {
    public let distanceMetric: SiameseDistanceMetric
    public let margin: Double

    public var name: String { "OnlineContrastiveLoss" }
    public var textColumns: LossColumns { LossColumns(2, 2, "(sentence1, sentence2)") }
    public var labels: LossLabelUse { .required("1 (similar) or 0 (not)") }
    public var configuration: [(name: String, value: String)] {
        [
            ("distance_metric", "SiameseDistanceMetric.\(distanceMetric.rawValue)"),
            ("margin", "\(margin)"),
        ]
    }

    public init(distanceMetric: SiameseDistanceMetric = .cosine, margin: Double = 0.5) throws {
        try checkMargin(margin, owner: "OnlineContrastiveLoss")
        self.distanceMetric = distanceMetric
        self.margin = margin
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let labels = try rowLabels(batch)
        let distances = SiameseDistances(distanceMetric, batch)
        let d = distances.values
        let positives = labels.indices.filter { labels[$0] == 1 }
        let negatives = labels.indices.filter { labels[$0] == 0 }
        func mean(_ rows: [Int]) -> Float {
            rows.reduce(Float(0)) { $0 + d[$1] } / Float(rows.count)
        }
        let farthest = positives.map { d[$0] }.max() ?? mean(negatives)
        let nearest = negatives.map { d[$0] }.min() ?? mean(positives)

        var total = 0.0
        var dDistances = [Float](repeating: 0, count: batch.rows)
        for row in positives where d[row] > nearest {
            total += Double(d[row] * d[row])
            dDistances[row] = 2 * d[row]
        }
        for row in negatives where d[row] < farthest {
            let short = max(0, Float(margin) - d[row])
            total += Double(short * short)
            dDistances[row] = -2 * short
        }
        // Comparisons drop NaN distances; the trainer must still hear of them.
        if !d.allSatisfy(\.isFinite) { total = .nan }
        return LossResult(
            value: total,
            gradient: batch.gradient { distances.backward(dDistances, $0(0), $0(1)) })
    }
}
