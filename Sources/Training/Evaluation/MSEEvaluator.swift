/// How far a student's embeddings are from a teacher's.
///
/// - sourceSentences: what the teacher embeds, once, when the evaluator is made.
/// - targetSentences: what the student embeds; the same texts, or their translations.
/// - name (""), batchSize (32), writeCSV (true), truncateDim (the models').
///
/// Metric: negative_mse, minus a hundred times the mean squared difference of all numbers.
/// Source: sentence-transformers' evaluator of that name. Checked by `PairEvaluatorTests`.
/// Lua: `st.evaluation.MSEEvaluator{ source_sentences = ..., teacher_model = teacher }`.
public final class MSEEvaluator: Evaluator {
    public let name: String
    private let teacher: Matrix
    private let texts: SentenceEmbeddings
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?

    public init(
        sourceSentences: [String], targetSentences: [String], teacherModel: SentenceTransformer,
        batchSize: Int = 32, name: String = "", writeCSV: Bool = true, truncateDim: Int? = nil
    ) throws {
        let owner = "MSEEvaluator"
        try checkPairs(owner, sourceSentences, targetSentences)
        try checkEvaluator(
            owner, "source_sentences", count: sourceSentences.count, batchSize, truncateDim)
        self.name = name
        self.batchSize = max(batchSize, 64)
        writesCSV = writeCSV
        self.truncateDim = truncateDim
        texts = SentenceEmbeddings(targetSentences)
        teacher = try SentenceEmbeddings(sourceSentences).matrix(
            teacherModel, truncateDim: truncateDim, batchSize: self.batchSize, cancellation: nil)
    }

    public var primaryMetric: String? { name.isEmpty ? "negative_mse" : "\(name)_negative_mse" }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        let student = try texts.matrix(
            model, truncateDim: truncateDim, batchSize: batchSize,
            cancellation: context.cancellation)
        let error = try Self.error(teacher, student)
        if let folder = context.outputPath, writesCSV {
            try appendCSV(
                folder: folder, file: "mse_evaluation_\(name)_results.csv", header: ["MSE"],
                context: context, values: [error])
        }
        return (["negative_mse": -error] as Metrics).named(name)
    }

    /// - teacher, student: [n, C]
    package static func error(_ teacher: Matrix, _ student: Matrix) throws -> Double {
        guard teacher.columns == student.columns, teacher.rows == student.rows else {
            throw TrainingError.model(
                problem: "MSEEvaluator: the teacher's embeddings have \(teacher.columns)"
                    + " dimensions, the model's \(student.columns)",
                hint: "set truncate_dim to what both have")
        }
        let count = teacher.rows * teacher.columns
        var sum = 0.0
        for i in 0..<count {
            let difference = Double(teacher.storage[i] - student.storage[i])
            sum += difference * difference
        }
        return 100 * sum / Double(max(count, 1))
    }
}
