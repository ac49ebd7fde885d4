/// The anchor should be nearer to its positive than to its negative by a margin.
///
///     loss = mean_i( max(0, d(a_i, p_i) − d(a_i, n_i) + margin) )
///
/// - `distance_metric` (EUCLIDEAN): EUCLIDEAN ‖x − y‖₂, MANHATTAN Σ|x − y|, COSINE 1 − cos.
/// - `triplet_margin` (5): in units of the distance; cosine distances reach 2 at most.
///
/// Input columns: (anchor, positive, negative), exactly three. No label.
/// Source: Hermans et al. 2017, arXiv:1703.07737. Checked by `LossGoldenTests`.
/// Lua: `st.losses.TripletLoss(model, { distance_metric = st.losses.TripletDistanceMetric.COSINE })`.
public final class TripletLoss: Loss {
    public enum DistanceMetric: String, Sendable, CaseIterable {
        case cosine = "COSINE"
        case euclidean = "EUCLIDEAN"
        case manhattan = "MANHATTAN"

        /// The row function, and the constant and sign that turn its value into a distance.
        var function: (PairwiseFunction, offset: Float, sign: Float) {
            switch self {
            case .cosine: (.cosine(epsilon: 1e-12), 1, -1)
            case .euclidean: (.euclidean(epsilon: 0), 0, 1)
            case .manhattan: (.manhattan(epsilon: 0), 0, 1)
            }
        }
    }

    public let distanceMetric: DistanceMetric
    public let tripletMargin: Double

    public var name: String { "TripletLoss" }
    public var textColumns: LossColumns { LossColumns(3, 3, "(anchor, positive, negative)") }
    public var labels: LossLabelUse { .ignored }
    public var configuration: [(name: String, value: String)] {
        [
            ("distance_metric", "TripletDistanceMetric.\(distanceMetric.rawValue)"),
            ("triplet_margin", "\(tripletMargin)"),
        ]
    }

    public init(
        distanceMetric: DistanceMetric = .euclidean, tripletMargin: Double = 5
    ) throws {
        guard tripletMargin.isFinite else {
            throw TrainingError.argument(
                owner: "TripletLoss", name: "triplet_margin",
                problem: "must be a finite number, got \(tripletMargin)")
        }
        self.distanceMetric = distanceMetric
        self.tripletMargin = tripletMargin
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        guard batch.columns == 3 else {
            throw TrainingError.data(
                problem: "TripletLoss needs 3 columns of embeddings, got \(batch.columns)")
        }
        let (function, _, sign) = distanceMetric.function
        let positive = batch.pairScores(function, 0, 1)
        let negative = batch.pairScores(function, 0, 2)
        let margin = Float(tripletMargin)
        let weight = sign / Float(batch.rows)
        var total = 0.0
        var dPositive = [Float](repeating: 0, count: batch.rows)
        for row in 0..<batch.rows {
            // The offset of the distances cancels in their difference.
            let violation = sign * (positive.values[row] - negative.values[row]) + margin
            // NaN must reach the sum: only a violation that is surely negative counts as none.
            if violation <= 0 { continue }
            total += Double(violation)
            dPositive[row] = weight
        }
        return LossResult(
            value: total / Double(batch.rows),
            gradient: batch.gradient {
                positive.backward(dPositive, intoU: $0(0), intoV: $0(1))
                negative.backward(dPositive.map { -$0 }, intoU: $0(0), intoV: $0(2))
            })
    }
}
