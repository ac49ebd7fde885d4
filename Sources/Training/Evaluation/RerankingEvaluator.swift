import Glibc

/// How well a query's right documents are ranked among a few candidates.
///
/// - samples: a query with its right and wrong documents; those without either are left out.
/// - atK (10), name (""), batchSize (64), writeCSV (true), truncateDim (the model's).
/// - similarity (cosine).
///
/// Queries get the model's "query" prompt, documents "document" (or "passage", "corpus"), where it
/// has them. Metrics: map (over all candidates), mrr@k, ndcg@k (equal scores share their ranks).
/// Source: sentence-transformers' evaluator of that name. Checked by `PairEvaluatorTests`.
/// Lua: `st.evaluation.RerankingEvaluator{ samples = { { query = ..., positive = ... } } }`.
public final class RerankingEvaluator: Evaluator {
    public struct Sample: Sendable {
        public var query: String
        public var positive: [String]
        public var negative: [String]

        public init(query: String, positive: [String], negative: [String]) {
            self.query = query
            self.positive = positive
            self.negative = negative
        }
    }

    public let name: String
    private let queries: SentenceEmbeddings
    private let documents: SentenceEmbeddings
    /// Number of right and wrong documents of each query.
    private let counts: [(right: Int, wrong: Int)]
    private let atK: Int
    private let similarity: SimilarityFunction
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?

    public init(
        samples: [Sample], atK: Int = 10, name: String = "", writeCSV: Bool = true,
        similarity: SimilarityFunction = .cosine, batchSize: Int = 64, truncateDim: Int? = nil
    ) throws {
        let owner = "RerankingEvaluator"
        let used = samples.filter { !$0.positive.isEmpty && !$0.negative.isEmpty }
        guard !used.isEmpty else {
            throw TrainingError.argument(
                owner: owner, name: "samples",
                problem: "none of the \(samples.count) has positive and negative documents")
        }
        try checkEvaluator(owner, "samples", count: used.count, batchSize, truncateDim)
        guard atK >= 1 else {
            throw TrainingError.argument(
                owner: owner, name: "at_k", problem: "must be 1 or more, got \(atK)")
        }
        queries = SentenceEmbeddings(used.map(\.query))
        documents = SentenceEmbeddings(used.flatMap { $0.positive + $0.negative })
        counts = used.map { ($0.positive.count, $0.negative.count) }
        self.atK = atK
        self.name = name
        self.similarity = similarity
        self.batchSize = batchSize
        writesCSV = writeCSV
        self.truncateDim = truncateDim
    }

    public var primaryMetric: String? { name.isEmpty ? "ndcg@\(atK)" : "\(name)_ndcg@\(atK)" }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        func embeddings(_ texts: SentenceEmbeddings, _ names: [String]) throws -> Matrix {
            try texts.matrix(
                model, prompt: names.lazy.compactMap { model.prompts[$0] }.first,
                truncateDim: truncateDim, batchSize: batchSize,
                cancellation: context.cancellation)
        }
        let metrics = try Self.metrics(
            queries: embeddings(queries, ["query"]),
            documents: embeddings(documents, ["document", "passage", "corpus"]), counts: counts,
            atK: atK, similarity: similarity)
        if let folder = context.outputPath, writesCSV {
            try appendCSV(
                folder: folder,
                file: "RerankingEvaluator\(name.isEmpty ? "" : "_\(name)")_results_@\(atK).csv",
                header: ["MAP", "MRR@\(atK)", "NDCG@\(atK)"], context: context,
                values: metrics.entries.map(\.value))
        }
        return metrics.named(name)
    }

    /// - queries: [n, C]   - documents: one query's after the other's, its right ones first.
    package static func metrics(
        queries: Matrix, documents: Matrix, counts: [(right: Int, wrong: Int)], atK: Int,
        similarity: SimilarityFunction
    ) throws -> Metrics {
        var (precision, reciprocal, gain) = (0.0, 0.0, 0.0)
        var start = 0
        for (query, count) in counts.enumerated() {
            let candidates = documents.rows(start..<start + count.right + count.wrong)
            start += candidates.rows
            let scores = try similarity.matrix(queries.rows(query..<query + 1), candidates).values
            let order = scores.indices.sorted {
                scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1]
            }
            let first = order.prefix(atK).firstIndex { $0 < count.right }
            reciprocal += first.map { 1 / Double($0 + 1) } ?? 0
            // Groups of equal scores, from the best: how many they hold, and how many right ones.
            var groups: [(size: Int, right: Int)] = []
            for (rank, document) in order.enumerated() {
                if rank == 0 || scores[document] != scores[order[rank - 1]] {
                    groups.append((0, 0))
                }
                groups[groups.count - 1].size += 1
                if document < count.right { groups[groups.count - 1].right += 1 }
            }
            precision += averagePrecision(groups, right: count.right)
            let ideal = (0..<min(atK, count.right)).reduce(0) { $0 + discount($1, atK) }
            gain += discountedGain(groups, atK) / ideal
        }
        let count = Double(counts.count)
        return [
            "map": precision / count, "mrr@\(atK)": reciprocal / count, "ndcg@\(atK)": gain / count,
        ]
    }

    /// Σ (recall gained) · precision over thresholds, as scikit-learn has it.
    private static func averagePrecision(
        _ groups: [(size: Int, right: Int)], right: Int
    ) -> Double {
        var (seen, found, sum) = (0, 0, 0.0)
        for group in groups {
            seen += group.size
            found += group.right
            sum += Double(group.right) / Double(right) * Double(found) / Double(seen)
        }
        return sum
    }

    /// Equal scores share the mean of their gains.
    private static func discountedGain(
        _ groups: [(size: Int, right: Int)], _ atK: Int
    ) -> Double {
        var (rank, sum) = (0, 0.0)
        for group in groups {
            let discounts = (rank..<rank + group.size).reduce(0) { $0 + discount($1, atK) }
            sum += discounts * Double(group.right) / Double(group.size)
            rank += group.size
        }
        return sum
    }

    private static func discount(_ rank: Int, _ atK: Int) -> Double {
        rank < atK ? 1 / log2(Double(rank + 2)) : 0
    }
}
