import Glibc

/// Ranking loss over scored pairs: wherever one pair has a lower label than another, its similarity
/// should be lower too. The default loss of the trainer.
///
///     loss = log(1 + Σ_{y_i < y_j} exp(scale · (s_i − s_j)))          s = sim(u, v), row by row
///
/// - `scale` (20): inverse temperature.
/// - `similarity_fct` ("pairwise_cos_sim"): also pairwise_dot_score, pairwise_euclidean_sim,
///   pairwise_manhattan_sim, pairwise_angle_sim.
///
/// Input columns: (sentence1, sentence2). Label: a score; only the order of labels matters, ties
/// contribute nothing. The sum is not averaged: larger batches give larger losses.
/// Source: Su Jianlin 2022, kexue.fm/archives/8847. Checked by `LossGoldenTests`.
/// Lua: `st.losses.CoSENTLoss(model, { scale = 20 })`.
public final class CoSENTLoss: Loss {
    public enum Similarity: String, Sendable, CaseIterable {
        case cosine = "pairwise_cos_sim"
        case dot = "pairwise_dot_score"
        case euclidean = "pairwise_euclidean_sim"
        case manhattan = "pairwise_manhattan_sim"
        case angle = "pairwise_angle_sim"

        /// The function, and −1 where a distance is turned into a similarity.
        var function: (PairwiseFunction, sign: Float) {
            switch self {
            case .cosine: (.cosine(epsilon: 1e-12), 1)
            case .dot: (.dot, 1)
            case .euclidean: (.euclidean(epsilon: 0), -1)
            case .manhattan: (.manhattan(epsilon: 0), -1)
            case .angle: (.angle, 1)
            }
        }
    }

    public let scale: Double
    public let similarity: Similarity

    public var name: String { "CoSENTLoss" }
    public var textColumns: LossColumns { LossColumns(2, 2, "(sentence1, sentence2)") }
    public var labels: LossLabelUse { .required("a similarity score") }
    public var configuration: [(name: String, value: String)] {
        [("scale", "\(scale)"), ("similarity_fct", similarity.rawValue)]
    }

    public init(scale: Double = 20, similarityFct: Similarity = .cosine) throws {
        try checkScale(scale, owner: "CoSENTLoss")
        self.scale = scale
        similarity = similarityFct
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let labels = try rowLabels(batch)
        let (function, sign) = similarity.function
        let scores = batch.pairScores(function, 0, 1)
        let (value, dScores) = orderingLoss(
            scores.values.map { $0 * sign }, labels: labels, scale: scale)
        return LossResult(
            value: value,
            gradient: batch.gradient {
                scores.backward(dScores.map { $0 * sign }, intoU: $0(0), intoV: $0(1))
            })
    }
}

func checkScale(_ scale: Double, owner: String) throws {
    guard scale.isFinite, scale > 0 else {
        throw TrainingError.argument(
            owner: owner, name: "scale", problem: "must be a positive number, got \(scale)")
    }
}

/// log(1 + Σ_{y_i < y_j} exp(scale (s_i − s_j))) and its gradient for every score.
///
/// The sum runs over all pairs, B² of them, with the largest exponent taken out.
func orderingLoss(
    _ scores: [Float], labels: [Float], scale: Double
) -> (value: Double, dScores: [Float]) {
    let logits = scores.map { Double($0) * scale }
    var largest = 0.0
    for i in logits.indices {
        for j in logits.indices where labels[i] < labels[j] {
            largest = max(largest, logits[i] - logits[j])
        }
    }
    var sum = exp(-largest)
    var gradient = [Double](repeating: 0, count: scores.count)
    for i in logits.indices {
        for j in logits.indices where labels[i] < labels[j] {
            let term = exp(logits[i] - logits[j] - largest)
            sum += term
            gradient[i] += term
            gradient[j] -= term
        }
    }
    // A NaN score would vanish in max and comparisons with labels alone would not show it.
    let value = logits.allSatisfy(\.isFinite) ? largest + log(sum) : .nan
    return (value, gradient.map { Float($0 * scale / sum) })
}
