import Glibc
import Synchronization

/// Correlation of embedding similarity with gold scores: how STS benchmarks are measured.
///
/// - sentences1, sentences2, scores: equally long; only the order of scores and their spacing count.
/// - batchSize (16): least number of sentences per pass; results do not depend on it.
/// - mainSimilarity (none): the function that is computed, if `similarityFnNames` names no others,
///   and that `primary_metric` is about.
/// - similarityFnNames (the model's own function): functions to compute.
/// - name (""): goes before every metric.   - writeCSV (true), in the folder the trainer gives.
/// - precision (none): embeddings are normalised first and then quantised: "float32" (not at all),
///   "int8", "uint8" (per dimension, over both columns), "binary", "ubinary".
/// - truncateDim (the model's): leading dimensions to use.
///
/// Metrics: pearson_<function>, spearman_<function>, and with several functions pearson_max and
/// spearman_max. Distances count negative.
/// Source: sentence-transformers' evaluator of that name. Checked by `EvaluatorTests`.
/// Lua: `st.evaluation.EmbeddingSimilarityEvaluator{ sentences1 = ..., sentences2 = ..., scores = ... }`.
public final class EmbeddingSimilarityEvaluator: Evaluator {
    public enum Precision: String, Sendable, CaseIterable {
        case float32, int8, uint8, binary, ubinary
    }

    public let name: String
    public let scores: [Double]
    public let mainSimilarity: SimilarityFunction?
    public let precision: Precision?
    private let sentences: SentenceEmbeddings
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?
    /// Settled at the first call when it depends on the model.
    private let functions: Mutex<[SimilarityFunction]>

    public init(
        sentences1: [String], sentences2: [String], scores: [Double], batchSize: Int = 16,
        mainSimilarity: SimilarityFunction? = nil, similarityFnNames: [SimilarityFunction] = [],
        name: String = "", writeCSV: Bool = true, precision: Precision? = nil,
        truncateDim: Int? = nil
    ) throws {
        let owner = "EmbeddingSimilarityEvaluator"
        guard sentences1.count == sentences2.count, sentences1.count == scores.count else {
            throw TrainingError.argument(
                owner: owner, name: "scores",
                problem: "sentences1, sentences2 and scores have \(sentences1.count), "
                    + "\(sentences2.count) and \(scores.count) entries",
                hint: "give them the same length")
        }
        try checkEvaluator(
            owner, "sentences1", count: sentences1.count, batchSize, truncateDim)
        if let bad = scores.firstIndex(where: { !$0.isFinite }) {
            throw TrainingError.argument(
                owner: owner, name: "scores",
                problem: "entry \(bad + 1) is \(scores[bad]), not a finite number")
        }
        self.scores = scores
        self.name = name
        self.mainSimilarity = mainSimilarity
        self.precision = precision
        self.batchSize = max(batchSize, 64)
        self.truncateDim = truncateDim
        writesCSV = writeCSV
        sentences = SentenceEmbeddings(sentences1 + sentences2)
        functions = Mutex(
            similarityFnNames.isEmpty ? mainSimilarity.map { [$0] } ?? [] : similarityFnNames)
    }

    public var primaryMetric: String? {
        let functions = functions.withLock { $0 }
        guard !functions.isEmpty else { return nil }
        let function =
            mainSimilarity?.rawValue ?? (functions.count > 1 ? "max" : functions[0].rawValue)
        return prefix + "spearman_\(function)"
    }

    private var prefix: String { name.isEmpty ? "" : "\(name)_" }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        let functions = self.functions.withLock {
            if $0.isEmpty { $0 = [model.similarityFnName] }
            return $0
        }
        let embeddings = try sentences.matrix(
            model, truncateDim: truncateDim, batchSize: batchSize,
            cancellation: context.cancellation)
        if let precision { quantize(embeddings, precision) }
        let metrics = try Self.metrics(embeddings, scores: scores, functions: functions)
        if let folder = context.outputPath, writesCSV {
            let label = [name, precision?.rawValue ?? ""].filter { !$0.isEmpty }
            try appendCSV(
                folder: folder,
                file: (["similarity_evaluation"] + label + ["results.csv"]).joined(separator: "_"),
                header: functions.flatMap {
                    ["\($0.rawValue)_pearson", "\($0.rawValue)_spearman"]
                },
                context: context, values: metrics.entries.map(\.value))
        }
        return Self.withMaxima(metrics, functions).named(name)
    }

    /// Correlations of the first half of the rows with the second half.
    package static func metrics(
        _ embeddings: Matrix, scores: [Double], functions: [SimilarityFunction]
    ) throws -> Metrics {
        let half = embeddings.rows / 2
        let sides = [0, half].map { start in
            let side = Matrix(rows: half, columns: embeddings.columns)
            side.storage.update(
                from: embeddings.rowPointer(start), count: half * embeddings.columns)
            return side
        }
        var metrics = Metrics()
        for function in functions {
            let similarities = try function.pairwise(sides[0], sides[1]).map(Double.init)
            metrics["pearson_\(function.rawValue)"] = pearsonCorrelation(scores, similarities)
            metrics["spearman_\(function.rawValue)"] = spearmanCorrelation(scores, similarities)
        }
        return metrics
    }

    package static func withMaxima(
        _ metrics: Metrics, _ functions: [SimilarityFunction]
    ) -> Metrics {
        guard functions.count > 1 else { return metrics }
        var result = metrics
        for kind in ["pearson", "spearman"] {
            let values = functions.compactMap { metrics["\(kind)_\($0.rawValue)"] }
            // From the first value on, as Python's max: one that is no number stays first.
            result["\(kind)_max"] = values.dropFirst().reduce(values.first ?? .nan) {
                $1 > $0 ? $1 : $0
            }
        }
        return result
    }
}

/// Normalises rows and replaces them by what a quantised index would hold, as floats.
func quantize(_ embeddings: Matrix, _ precision: EmbeddingSimilarityEvaluator.Precision) {
    let columns = embeddings.columns
    let unit = NormalizedRows(embeddings.storage, rows: embeddings.rows, columns: columns).unit
    embeddings.storage.update(from: unit.storage, count: embeddings.rows * columns)
    switch precision {
    case .float32:
        return
    case .binary, .ubinary:
        // Bits compare as bits in either packing.
        for index in 0..<embeddings.rows * columns {
            embeddings.storage[index] = embeddings.storage[index] > 0 ? 1 : 0
        }
    case .int8, .uint8:
        for column in 0..<columns {
            var low = Float.infinity
            var high = -Float.infinity
            for row in 0..<embeddings.rows {
                let value = embeddings.storage[row * columns + column]
                low = min(low, value)
                high = max(high, value)
            }
            let step = (high - low) / 255
            for row in 0..<embeddings.rows {
                let index = row * columns + column
                let level = step > 0 ? floorf((embeddings.storage[index] - low) / step) : 0
                let clipped = min(max(level, 0), 255)
                embeddings.storage[index] = precision == .int8 ? clipped - 128 : clipped
            }
        }
    }
}

/// The checks that all evaluators share.
func checkEvaluator(
    _ owner: String, _ argument: String, count: Int, _ batchSize: Int, _ truncateDim: Int?
) throws {
    func refuse(_ name: String, _ problem: String) -> TrainingError {
        .argument(owner: owner, name: name, problem: problem)
    }
    guard count > 0 else { throw refuse(argument, "is empty") }
    guard batchSize > 0 else { throw refuse("batch_size", "must be 1 or more, got \(batchSize)") }
    guard truncateDim ?? 1 > 0 else {
        throw refuse("truncate_dim", "must be 1 or more, got \(truncateDim ?? 0)")
    }
}
