/// Regression of the cosine similarity of a pair onto its label.
///
///     loss = mean_i( (cos(u_i, v_i) − y_i)² )
///
/// - `loss_fct` ("MSELoss"): the only one available; others are refused by name.
/// - `cos_score_transformation` ("Identity"): likewise.
///
/// Input columns: (sentence1, sentence2). Label: a similarity score, usually 0...1.
/// Lua: `st.losses.CosineSimilarityLoss(model)`.
/// Source: torch.cosine_similarity, torch.nn.MSELoss. Checked by `LossGoldenTests`.
public final class CosineSimilarityLoss: Loss {
    public var name: String { "CosineSimilarityLoss" }
    public var textColumns: LossColumns { LossColumns(2, 2, "(sentence1, sentence2)") }
    public var labels: LossLabelUse { .required("a similarity score") }
    public var configuration: [(name: String, value: String)] {
        [
            ("loss_fct", "torch.nn.modules.loss.MSELoss"),
            ("cos_score_transformation", "torch.nn.modules.linear.Identity"),
        ]
    }

    public init(lossFct: String = "MSELoss", cosScoreTransformation: String = "Identity") throws {
        let known = [
            ("loss_fct", lossFct, "MSELoss"),
            ("cos_score_transformation", cosScoreTransformation, "Identity"),
        ]
        for (argument, given, only) in known where given != only {
            throw TrainingError.argument(
                owner: "CosineSimilarityLoss", name: argument,
                problem: "'\(given)' is not available", hint: "use '\(only)' or leave it out")
        }
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let labels = try rowLabels(batch)
        let scores = batch.pairScores(.cosine(epsilon: 1e-8), 0, 1)
        var total = 0.0
        var dScores = [Float](repeating: 0, count: batch.rows)
        for (row, label) in labels.enumerated() {
            let error = scores.values[row] - label
            total += Double(error) * Double(error)
            dScores[row] = 2 * error / Float(batch.rows)
        }
        return LossResult(
            value: total / Double(batch.rows),
            gradient: batch.gradient { scores.backward(dScores, intoU: $0(0), intoV: $0(1)) })
    }
}

extension LossBatch {
    /// Row-by-row scores of two columns.
    package func pairScores(
        _ function: PairwiseFunction, _ first: Int, _ second: Int
    ) -> PairwiseScores {
        PairwiseScores(
            function, column(first), column(second), rows: rows, columns: embeddings.columns)
    }

    /// A zeroed gradient of the embeddings handed to `fill` column by column; `nil` in evaluation.
    package func gradient(
        _ fill: ((Int) -> UnsafeMutablePointer<Float>) -> Void
    ) -> Matrix? {
        guard wantsGradient else { return nil }
        let gradient = Matrix(rows: embeddings.rows, columns: embeddings.columns)
        fill { gradient.rowPointer($0 * rows) }
        return gradient
    }
}
