/// Pulls pairs with label 1 together and pushes pairs with label 0 apart, up to a margin.
///
///     loss = mean_i( ½ · (y_i · d_i² + (1 − y_i) · max(0, margin − d_i)²) )
///
/// - `distance_metric` (COSINE_DISTANCE): also EUCLIDEAN, MANHATTAN.
/// - `margin` (0.5): the distance negatives should reach.
/// - `size_average` (true): mean over the batch; the sum otherwise.
///
/// Input columns: (sentence1, sentence2). Label: 1 (similar) or 0 (not).
/// Source: Hadsell et al. 2006, doi:10.1109/CVPR.2006.100. Checked by `LossGoldenTests`.
/// Lua: `st.losses.ContrastiveLoss(model, { margin = 0.5 })`.
public final class ContrastiveLoss: Loss {
    public let distanceMetric: SiameseDistanceMetric
    public let margin: Double
    public let sizeAverage: Bool

    public var name: String { "ContrastiveLoss" }
    public var textColumns: LossColumns { LossColumns(2, 2, "(sentence1, sentence2)") }
    public var labels: LossLabelUse { .required("1 (similar) or 0 (not)") }
    public var configuration: [(name: String, value: String)] {
        [
            ("distance_metric", "SiameseDistanceMetric.\(distanceMetric.rawValue)"),
            ("margin", "\(margin)"), ("size_average", "\(sizeAverage)"),
        ]
    }

    public init(
        distanceMetric: SiameseDistanceMetric = .cosine, margin: Double = 0.5,
        sizeAverage: Bool = true
    ) throws {
        try checkMargin(margin, owner: "ContrastiveLoss")
        self.distanceMetric = distanceMetric
        self.margin = margin
        self.sizeAverage = sizeAverage
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let labels = try rowLabels(batch)
        let distances = SiameseDistances(distanceMetric, batch)
        let weight = sizeAverage ? 1 / Float(batch.rows) : 1
        var total = 0.0
        var dDistances = [Float](repeating: 0, count: batch.rows)
        for (row, label) in labels.enumerated() {
            let d = distances.values[row]
            let short = Float(margin) - d <= 0 ? 0 : Float(margin) - d
            total += 0.5 * Double(label * d * d + (1 - label) * short * short)
            dDistances[row] = weight * (label * d - (1 - label) * short)
        }
        return LossResult(
            value: total * Double(weight),
            gradient: batch.gradient { distances.backward(dDistances, $0(0), $0(1)) })
    }
}

/// The distances of ContrastiveLoss and OnlineContrastiveLoss.
public enum SiameseDistanceMetric: String, Sendable, CaseIterable {
    case cosine = "COSINE_DISTANCE"
    case euclidean = "EUCLIDEAN"
    case manhattan = "MANHATTAN"
}

/// Distances of the two columns of a batch; the norms add 1e-6 to differences, as
/// torch.nn.functional.pairwise_distance does.
struct SiameseDistances {
    let values: [Float]
    private let scores: PairwiseScores
    private let isCosine: Bool

    init(_ metric: SiameseDistanceMetric, _ batch: LossBatch) {
        let function: PairwiseFunction
        switch metric {
        case .cosine: function = .cosine(epsilon: 1e-8)
        case .euclidean: function = .euclidean(epsilon: 1e-6)
        case .manhattan: function = .manhattan(epsilon: 1e-6)
        }
        let scores = batch.pairScores(function, 0, 1)
        isCosine = metric == .cosine
        values = metric == .cosine ? scores.values.map { 1 - $0 } : scores.values
        self.scores = scores
    }

    func backward(
        _ dDistances: [Float], _ dU: UnsafeMutablePointer<Float>, _ dV: UnsafeMutablePointer<Float>
    ) {
        scores.backward(isCosine ? dDistances.map { -$0 } : dDistances, intoU: dU, intoV: dV)
    }
}

func checkMargin(_ margin: Double, owner: String) throws {
    guard margin.isFinite else {
        throw TrainingError.argument(
            owner: owner, name: "margin", problem: "must be a finite number, got \(margin)")
    }
}
