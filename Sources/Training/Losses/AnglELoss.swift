/// CoSENT's ranking loss over AnglE's similarity in complex space, which keeps a gradient where the
/// cosine saturates.
///
///     s = |cos(u, v) + Σ(u₂ v₁ − u₁ v₂)|          unit vectors, u₁ and u₂ the halves of u
///
/// - `scale` (20): inverse temperature.
///
/// Input columns: (sentence1, sentence2) with a score, or (anchor, positive, negative...) with an
/// optional label (1 without): the anchor is paired with every other column, positives carry the
/// label, negatives 1 − label.
/// Source: Li and Li 2023, arXiv:2309.12871. Checked by `LossGoldenTests`.
/// Lua: `st.losses.AnglELoss(model)`.
public final class AnglELoss: Loss {
    public let scale: Double

    public var name: String { "AnglELoss" }
    public var textColumns: LossColumns { LossColumns(2, nil, "(sentence1, sentence2)") }
    public var labels: LossLabelUse { .optional }
    public var configuration: [(name: String, value: String)] {
        [("scale", "\(scale)"), ("similarity_fct", "pairwise_angle_sim")]
    }

    public init(scale: Double = 20) throws {
        try checkScale(scale, owner: "AnglELoss")
        self.scale = scale
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let positives: [Float]
        if batch.columns > 2, batch.labels == nil {
            positives = [Float](repeating: 1, count: batch.rows)
        } else {
            positives = try rowLabels(batch)
        }
        let negatives = positives.map { 1 - $0 }
        let pairs = (1..<batch.columns).map { batch.pairScores(.angle, 0, $0) }
        let labels = pairs.indices.flatMap { $0 == 0 ? positives : negatives }
        let (value, dScores) = orderingLoss(
            pairs.flatMap(\.values), labels: labels, scale: scale)
        return LossResult(
            value: value,
            gradient: batch.gradient { column in
                for (index, scores) in pairs.enumerated() {
                    let part = Array(dScores[index * batch.rows..<(index + 1) * batch.rows])
                    scores.backward(part, intoU: column(0), intoV: column(index + 1))
                }
            })
    }
}
