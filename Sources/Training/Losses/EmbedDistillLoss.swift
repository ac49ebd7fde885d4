/// Distillation of embeddings: the student's should be the teacher's, which the label column holds.
///
///     mse      mean over columns of mean((s − t)²)
///     l2       mean over columns of mean_i ‖s_i − t_i‖₂
///     cosine   mean over columns of mean_i (1 − cos(s_i, t_i))
///
/// - `distance_metric` ("cosine"): also "mse", "l2". MSELoss is the one with "mse".
///
/// Python's `projection_dim`, a layer of the loss's own, is not available.
/// Input columns: (sentence...), each of which has the same teacher embedding. Label: a list as long
/// as the student's embeddings.
/// Source: Reimers, Gurevych 2020, arXiv:2004.09813 (MSELoss). Checked by `LossGoldenTests`.
/// Lua: `st.losses.EmbedDistillLoss(model, { distance_metric = "l2" })`, `st.losses.MSELoss(model)`.
public final class EmbedDistillLoss: Loss {
    public enum DistanceMetric: String, Sendable, CaseIterable { case mse, l2, cosine }

    public let distanceMetric: DistanceMetric
    public let name: String

    public var textColumns: LossColumns { LossColumns(1, nil, "(sentence...)") }
    public var labels: LossLabelUse { .required("the teacher's embeddings") }
    public var configuration: [(name: String, value: String)] {
        name == "MSELoss" ? [] : [("distance_metric", distanceMetric.rawValue)]
    }

    public init(distanceMetric: DistanceMetric = .cosine, name: String = "EmbedDistillLoss") {
        self.distanceMetric = distanceMetric
        self.name = name
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let dimension = batch.embeddings.columns
        guard let labels = batch.labels, labels.values.count == batch.rows * labels.width else {
            throw TrainingError.data(problem: "\(name) needs one teacher embedding per row")
        }
        guard labels.width == dimension else {
            throw TrainingError.data(
                problem:
                    "\(name): the teacher's embeddings have \(labels.width) dimensions, the"
                    + " model's \(dimension)",
                hint: "take a teacher with as many dimensions, or truncate its embeddings")
        }
        let teacher = Matrix(rows: batch.rows, columns: dimension)
        for (i, value) in labels.values.enumerated() { teacher.storage[i] = value }
        if distanceMetric == .mse { return squaredErrors(batch, teacher) }
        let function: PairwiseFunction =
            distanceMetric == .l2 ? .euclidean(epsilon: 0) : .cosine(epsilon: 1e-8)
        let scores = (0..<batch.columns).map {
            PairwiseScores(
                function, batch.column($0), teacher.storage, rows: batch.rows, columns: dimension)
        }
        let count = Double(batch.rows * batch.columns)
        let total = scores.reduce(0.0) { $0 + $1.values.reduce(0.0) { $0 + Double($1) } } / count
        let slope = (distanceMetric == .l2 ? 1 : -1) / Float(count)
        return LossResult(
            value: distanceMetric == .l2 ? total : 1 - total,
            gradient: batch.gradient { column in
                // The teacher's own gradient goes nowhere.
                let unused = Matrix(rows: batch.rows, columns: dimension)
                let slopes = [Float](repeating: slope, count: batch.rows)
                for (place, score) in scores.enumerated() {
                    score.backward(slopes, intoU: column(place), intoV: unused.storage)
                }
            })
    }

    private func squaredErrors(_ batch: LossBatch, _ teacher: Matrix) -> LossResult {
        let size = batch.rows * batch.embeddings.columns
        let count = Double(size * batch.columns)
        var total = 0.0
        for place in 0..<batch.columns {
            let student = batch.column(place)
            for i in 0..<size {
                let error = Double(student[i] - teacher.storage[i])
                total += error * error
            }
        }
        return LossResult(
            value: total / count,
            gradient: batch.gradient { column in
                for place in 0..<batch.columns {
                    let (student, gradient) = (batch.column(place), column(place))
                    for i in 0..<size {
                        gradient[i] += Float(2 / count) * (student[i] - teacher.storage[i])
                    }
                }
            })
    }
}
