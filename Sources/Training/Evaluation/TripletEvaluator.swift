import Synchronization

/// How often the anchor is closer to its positive than to its negative.
///
/// - anchors, positives, negatives: equally long.
/// - mainSimilarityFunction, similarityFnNames: as in ``EmbeddingSimilarityEvaluator``.
/// - margin (0): by how much the positive must be closer, per function; similarities of distances are
///   negative distances.
/// - name (""), batchSize (16), writeCSV (true), truncateDim (the model's).
///
/// Anchors get the model's "query" prompt, the others "document" (or "passage", "corpus"), where it
/// has them. Metrics: <function>_accuracy, and with several functions max_accuracy.
/// Source: sentence-transformers' evaluator of that name. Checked by `EvaluatorTests`.
/// Lua: `st.evaluation.TripletEvaluator{ anchors = ..., positives = ..., negatives = ... }`.
public final class TripletEvaluator: Evaluator {
    public let name: String
    public let mainSimilarityFunction: SimilarityFunction?
    private let anchors: SentenceEmbeddings
    /// Positives, then negatives.
    private let documents: SentenceEmbeddings
    private let count: Int
    private let margins: [SimilarityFunction: Double]
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?
    private let functions: Mutex<[SimilarityFunction]>

    public init(
        anchors: [String], positives: [String], negatives: [String],
        mainSimilarityFunction: SimilarityFunction? = nil,
        margin: [SimilarityFunction: Double] = [:], name: String = "", batchSize: Int = 16,
        writeCSV: Bool = true, truncateDim: Int? = nil,
        similarityFnNames: [SimilarityFunction] = []
    ) throws {
        let owner = "TripletEvaluator"
        guard anchors.count == positives.count, anchors.count == negatives.count else {
            throw TrainingError.argument(
                owner: owner, name: "negatives",
                problem: "anchors, positives and negatives have \(anchors.count), "
                    + "\(positives.count) and \(negatives.count) entries",
                hint: "give them the same length")
        }
        try checkEvaluator(owner, "anchors", count: anchors.count, batchSize, truncateDim)
        if let bad = margin.values.first(where: { !$0.isFinite }) {
            throw TrainingError.argument(
                owner: owner, name: "margin", problem: "must be a finite number, got \(bad)")
        }
        self.name = name
        self.mainSimilarityFunction = mainSimilarityFunction
        self.anchors = SentenceEmbeddings(anchors)
        documents = SentenceEmbeddings(positives + negatives)
        count = anchors.count
        margins = margin
        self.batchSize = max(batchSize, 64)
        writesCSV = writeCSV
        self.truncateDim = truncateDim
        functions = Mutex(
            similarityFnNames.isEmpty
                ? mainSimilarityFunction.map { [$0] } ?? [] : similarityFnNames)
    }

    public var primaryMetric: String? {
        let functions = functions.withLock { $0 }
        guard !functions.isEmpty else { return nil }
        let metric =
            if let main = mainSimilarityFunction {
                "\(main.rawValue)_accuracy"
            } else if functions.count > 1 {
                "max_accuracy"
            } else {
                "\(functions[0].rawValue)_accuracy"
            }
        return name.isEmpty ? metric : "\(name)_\(metric)"
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        let functions = self.functions.withLock {
            if $0.isEmpty { $0 = [model.similarityFnName] }
            return $0
        }
        func prompt(_ names: [String]) -> String? {
            names.lazy.compactMap { model.prompts[$0] }.first
        }
        let queries = try anchors.matrix(
            model, prompt: prompt(["query"]), truncateDim: truncateDim, batchSize: batchSize,
            cancellation: context.cancellation)
        let others = try documents.matrix(
            model, prompt: prompt(["document", "passage", "corpus"]), truncateDim: truncateDim,
            batchSize: batchSize, cancellation: context.cancellation)
        var metrics = try Self.metrics(
            anchors: queries, documents: others, functions: functions, margins: margins)
        if let folder = context.outputPath, writesCSV {
            try appendCSV(
                folder: folder,
                file: "triplet_evaluation\(name.isEmpty ? "" : "_\(name)")_results.csv",
                header: functions.map { "accuracy_\($0.rawValue)" }, context: context,
                values: metrics.entries.map(\.value))
        }
        if functions.count > 1 {
            metrics["max_accuracy"] = metrics.entries.map(\.value).max()
        }
        return metrics.named(name)
    }

    /// - anchors: [n, C]   - documents: [2n, C], positives then negatives.
    package static func metrics(
        anchors: Matrix, documents: Matrix, functions: [SimilarityFunction],
        margins: [SimilarityFunction: Double]
    ) throws -> Metrics {
        let sides = [0, anchors.rows].map { start in
            let side = Matrix(rows: anchors.rows, columns: anchors.columns)
            side.storage.update(
                from: documents.rowPointer(start), count: anchors.rows * anchors.columns)
            return side
        }
        var metrics = Metrics()
        for function in functions {
            let positive = try function.pairwise(anchors, sides[0])
            let negative = try function.pairwise(anchors, sides[1])
            let margin = Float(margins[function] ?? 0)
            let hits = zip(positive, negative).count { $0 > $1 + margin }
            // Python takes the mean in float32.
            metrics["\(function.rawValue)_accuracy"] = Double(
                Float(hits) / Float(anchors.rows))
        }
        return metrics
    }
}
