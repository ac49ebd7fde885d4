/// How often a sentence is closer to its translation than to any other, in both directions.
///
/// - sourceSentences, targetSentences: translations of each other.
/// - name (""), batchSize (16), writeCSV (true), truncateDim (the model's).
///
/// A sentence that occurs more than once is right wherever it is found. Metrics: src2trg_accuracy,
/// trg2src_accuracy, mean_accuracy.
/// Source: sentence-transformers' evaluator of that name. Checked by `PairEvaluatorTests`.
/// Lua: `st.evaluation.TranslationEvaluator{ source_sentences = ..., target_sentences = ... }`.
public final class TranslationEvaluator: Evaluator {
    public let name: String
    private let source: [String]
    private let target: [String]
    private let texts: SentenceEmbeddings
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?

    public init(
        sourceSentences: [String], targetSentences: [String], name: String = "",
        batchSize: Int = 16, writeCSV: Bool = true, truncateDim: Int? = nil
    ) throws {
        let owner = "TranslationEvaluator"
        try checkPairs(owner, sourceSentences, targetSentences)
        try checkEvaluator(
            owner, "source_sentences", count: sourceSentences.count, batchSize, truncateDim)
        self.name = name
        source = sourceSentences
        target = targetSentences
        texts = SentenceEmbeddings(sourceSentences + targetSentences)
        self.batchSize = max(batchSize, 64)
        writesCSV = writeCSV
        self.truncateDim = truncateDim
    }

    public var primaryMetric: String? {
        name.isEmpty ? "mean_accuracy" : "\(name)_mean_accuracy"
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        let all = try texts.matrix(
            model, truncateDim: truncateDim, batchSize: batchSize,
            cancellation: context.cancellation)
        let metrics = try Self.metrics(
            all.rows(0..<source.count), all.rows(source.count..<all.rows), source: source,
            target: target)
        if let folder = context.outputPath, writesCSV {
            try appendCSV(
                folder: folder,
                file: "translation_evaluation\(name.isEmpty ? "" : "_\(name)")_results.csv",
                header: ["src2trg", "trg2src"], context: context,
                values: metrics.entries.prefix(2).map(\.value))
        }
        return metrics.named(name)
    }

    /// - first, second: [n, C], embeddings of `source` and `target`.
    package static func metrics(
        _ first: Matrix, _ second: Matrix, source: [String], target: [String]
    ) throws -> Metrics {
        let similarity = try SimilarityFunction.cosine.matrix(first, second)
        let count = source.count
        func hits(_ texts: [String], _ value: (_ own: Int, _ other: Int) -> Float) -> Double {
            Double(
                (0..<count).count { own in
                    var best = 0
                    for other in 1..<max(count, 1) where value(own, other) > value(own, best) {
                        best = other
                    }
                    // Byte by byte, as Python: an accent may be a character of its own or none.
                    return texts[own].utf8.elementsEqual(texts[best].utf8)
                }) / Double(count)
        }
        let there = hits(target) { similarity.storage[$0 * count + $1] }
        let back = hits(source) { similarity.storage[$1 * count + $0] }
        return [
            "src2trg_accuracy": there, "trg2src_accuracy": back,
            "mean_accuracy": (there + back) / 2,
        ]
    }
}

/// Refuses lists of different lengths.
func checkPairs(_ owner: String, _ source: [String], _ target: [String]) throws {
    guard source.count == target.count else {
        throw TrainingError.argument(
            owner: owner, name: "target_sentences",
            problem: "source_sentences has \(source.count) entries, target_sentences "
                + "\(target.count)",
            hint: "give them the same length")
    }
}
