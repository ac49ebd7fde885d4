import Glibc

/// Distillation of rankings: the student's distribution over the candidates of a query should be the
/// teacher's.
///
///     loss = T_s² · mean_i Σ_k p_ik (log p_ik − log q_ik)
///     p = softmax(label / T_t)      q = softmax(sim(query, candidate_k) / T_s)
///
/// - `similarity_fct` ("pairwise_dot_score"): also pairwise_cos_sim.
/// - `temperature` (1): of both; `student_temperature`, `teacher_temperature` name one.
///
/// Input columns: (query, candidate, candidate...), at least two candidates. Label: the teacher's
/// scores of the candidates.
/// Source: Lin et al. 2020, arXiv:2010.11386. Checked by `LossGoldenTests`.
/// Lua: `st.losses.DistillKLDivLoss(model, { temperature = 2 })`.
public final class DistillKLDivLoss: Loss {
    public let similarity: CoSENTLoss.Similarity
    public let studentTemperature: Double
    public let teacherTemperature: Double

    public var name: String { "DistillKLDivLoss" }
    public var textColumns: LossColumns { LossColumns(3, nil, "(query, candidate, candidate...)") }
    public var labels: LossLabelUse { .required("the teacher's scores of the candidates") }
    public var configuration: [(name: String, value: String)] {
        [
            ("similarity_fct", similarity.rawValue),
            ("student_temperature", "\(studentTemperature)"),
            ("teacher_temperature", "\(teacherTemperature)"),
        ]
    }

    public init(
        similarityFct: CoSENTLoss.Similarity = .dot, temperature: Double = 1,
        studentTemperature: Double? = nil, teacherTemperature: Double? = nil
    ) throws {
        similarity = similarityFct
        self.studentTemperature = studentTemperature ?? temperature
        self.teacherTemperature = teacherTemperature ?? temperature
        for (name, value) in [
            ("student_temperature", self.studentTemperature),
            ("teacher_temperature", self.teacherTemperature),
        ] where !(value > 0 && value.isFinite) {
            throw TrainingError.argument(
                owner: "DistillKLDivLoss", name: name, problem: "must be above 0, got \(value)")
        }
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let candidates = batch.columns - 1
        guard candidates >= 2, let labels = batch.labels, labels.width == candidates,
            labels.values.count == batch.rows * candidates
        else {
            throw TrainingError.data(
                problem:
                    "\(name): labels have \(batch.labels?.width ?? 0) values per row, and the"
                    + " dataset has \(candidates) candidate columns",
                hint: "give one score of the teacher for each candidate")
        }
        let (function, sign) = similarity.function
        let scores = (1...candidates).map { batch.pairScores(function, 0, $0) }
        var total = 0.0
        var dScores = [[Float]](
            repeating: [Float](repeating: 0, count: batch.rows), count: candidates)
        for row in 0..<batch.rows {
            let student = Self.logSoftmax(
                scores.map { Double(sign * $0.values[row]) / studentTemperature })
            let teacher = Self.logSoftmax(
                (0..<candidates).map {
                    Double(labels.values[row * candidates + $0]) / teacherTemperature
                })
            for k in 0..<candidates {
                let (p, q) = (exp(teacher[k]), exp(student[k]))
                // 0 · log 0 is 0.
                if p > 0 { total += p * (teacher[k] - student[k]) }
                dScores[k][row] =
                    sign * Float((q - p) * studentTemperature / Double(batch.rows))
            }
        }
        return LossResult(
            value: total * studentTemperature * studentTemperature / Double(batch.rows),
            gradient: batch.gradient { column in
                for (k, score) in scores.enumerated() {
                    score.backward(dScores[k], intoU: column(0), intoV: column(k + 1))
                }
            })
    }

    private static func logSoftmax(_ values: [Double]) -> [Double] {
        let largest = values.max() ?? 0
        let sum = values.reduce(0) { $0 + exp($1 - largest) }
        return values.map { $0 - largest - log(sum) }
    }
}
