/// Distillation of score margins: the student's score difference between the positive and each
/// negative should equal the teacher's.
///
///     loss = mean( (sim(q, p) − sim(q, n_k) − label_k)² )          over rows and negatives k
///
/// - `similarity_fct` ("pairwise_dot_score"): also pairwise_cos_sim.
///
/// Input columns: (query, positive, negative...). Label: one margin per row, one per negative, or
/// the scores of positive and negatives, from which margins are made.
/// Source: Hofstätter et al. 2020, arXiv:2010.02666. Checked by `LossGoldenTests`.
/// Lua: `st.losses.MarginMSELoss(model)`.
public final class MarginMSELoss: Loss {
    public let similarity: CoSENTLoss.Similarity

    public var name: String { "MarginMSELoss" }
    public var textColumns: LossColumns { LossColumns(3, nil, "(query, positive, negative...)") }
    public var labels: LossLabelUse { .required("the teacher's margins or scores") }
    public var configuration: [(name: String, value: String)] {
        [("similarity_fct", similarity.rawValue)]
    }

    public init(similarityFct: CoSENTLoss.Similarity = .dot) { similarity = similarityFct }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let negatives = batch.columns - 2
        let margins = try self.margins(batch, negatives)
        let (function, sign) = similarity.function
        let scores = (1..<batch.columns).map { batch.pairScores(function, 0, $0) }
        let count = Float(batch.rows * negatives)
        var total = 0.0
        var dScores = [[Float]](
            repeating: [Float](repeating: 0, count: batch.rows), count: scores.count)
        for row in 0..<batch.rows {
            for negative in 0..<negatives {
                let margin = sign * (scores[0].values[row] - scores[negative + 1].values[row])
                let error = margin - margins[row * negatives + negative]
                total += Double(error) * Double(error)
                let slope = 2 * error * sign / count
                dScores[0][row] += slope
                dScores[negative + 1][row] -= slope
            }
        }
        return LossResult(
            value: total / Double(count),
            gradient: batch.gradient { column in
                for (index, score) in scores.enumerated() {
                    score.backward(dScores[index], intoU: column(0), intoV: column(index + 1))
                }
            })
    }

    /// [rows, negatives] margins from whatever the label column holds.
    private func margins(_ batch: LossBatch, _ negatives: Int) throws -> [Float] {
        guard let labels = batch.labels, labels.values.count == batch.rows * labels.width else {
            throw TrainingError.data(problem: "\(name) needs one label per row")
        }
        if labels.width == negatives { return labels.values }
        guard labels.width == negatives + 1 else {
            throw TrainingError.data(
                problem:
                    "\(name): labels have \(labels.width) values per row, and the dataset has "
                    + "\(negatives) negative columns",
                hint: "give one margin per negative, or the scores of positive and negatives")
        }
        return (0..<batch.rows).flatMap { row in
            let scores = labels.values[row * labels.width..<(row + 1) * labels.width]
            return scores.dropFirst().map { scores[scores.startIndex] - $0 }
        }
    }
}
