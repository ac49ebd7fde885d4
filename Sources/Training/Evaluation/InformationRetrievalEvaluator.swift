import Glibc
import Synchronization

/// How well queries find their documents in a corpus.
///
/// - queries, corpus: texts by id.   - relevantDocs: ids of the right documents by query id; queries
///   without any are left out.
/// - corpusChunkSize (50,000): documents scored at a time.
/// - mrrAtK, ndcgAtK ([10]), accuracyAtK, precisionRecallAtK ([1, 3, 5, 10]), mapAtK ([100]).
/// - name (""), batchSize (32), writeCSV (true), truncateDim (the model's).
/// - scoreFunctions (the model's own), mainScoreFunction (the one with the best NDCG in the first
///   evaluation).
///
/// Queries get the model's "query" prompt, documents "document" (or "passage", "corpus"), where it
/// has them. Equal scores rank by id. Metrics: <function>_accuracy@k, precision@k, recall@k, ndcg@k,
/// mrr@k, map@k.
/// Source: sentence-transformers' evaluator of that name. Checked by `RetrievalEvaluatorTests`.
public final class InformationRetrievalEvaluator: Evaluator {
    /// At which ranks metrics are taken; all 1 or more, none empty.
    public struct Ranks: Sendable {
        public var mrr = [10]
        public var ndcg = [10]
        public var accuracy = [1, 3, 5, 10]
        public var precisionRecall = [1, 3, 5, 10]
        public var map = [100]

        public init() {}

        fileprivate var all: [(name: String, values: [Int])] {
            [
                ("mrr_at_k", mrr), ("ndcg_at_k", ndcg), ("accuracy_at_k", accuracy),
                ("precision_recall_at_k", precisionRecall), ("map_at_k", map),
            ]
        }
    }

    public let name: String
    public let mainScoreFunction: SimilarityFunction?
    private let queries: SentenceEmbeddings
    private let corpus: SentenceEmbeddings
    /// Rows of the corpus that are right for each query.
    private let relevant: [Set<Int>]
    private let ranks: Ranks
    private let scoreFunctions: [SimilarityFunction]
    private let corpusChunkSize: Int
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?
    /// The functions of the last evaluation, and which of them stands for all.
    private let settled = Mutex<Settled?>(nil)

    private struct Settled {
        let functions: [SimilarityFunction]
        let main: SimilarityFunction
    }

    public init(
        queries: [String: String], corpus: [String: String], relevantDocs: [String: Set<String>],
        corpusChunkSize: Int = 50_000, ranks: Ranks = Ranks(), batchSize: Int = 32,
        name: String = "", writeCSV: Bool = true, truncateDim: Int? = nil,
        scoreFunctions: [SimilarityFunction] = [], mainScoreFunction: SimilarityFunction? = nil
    ) throws {
        let owner = "InformationRetrievalEvaluator"
        func refuse(_ argument: String, _ problem: String, _ hint: String? = nil) -> TrainingError {
            .argument(owner: owner, name: argument, problem: problem, hint: hint)
        }
        // In the order of ids, so that equal scores rank by id.
        let documents = corpus.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        let asked = queries.filter { relevantDocs[$0.key]?.isEmpty == false }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        try checkEvaluator(owner, "corpus", count: documents.count, batchSize, truncateDim)
        guard !asked.isEmpty else {
            throw refuse(
                "relevant_docs", "names no document for any query",
                "give a table of query ids with sequences of document ids")
        }
        guard corpusChunkSize > 0 else {
            throw refuse("corpus_chunk_size", "must be 1 or more, got \(corpusChunkSize)")
        }
        for (argument, values) in ranks.all
        where values.isEmpty || values.contains(where: { $0 < 1 }) {
            throw refuse(argument, "must hold ranks from 1, got \(values)")
        }
        if let main = mainScoreFunction, !scoreFunctions.isEmpty, !scoreFunctions.contains(main) {
            throw refuse("main_score_function", "'\(main.rawValue)' is not among score_functions")
        }
        let places = Dictionary(
            uniqueKeysWithValues: documents.enumerated().map { ($1.key, $0) })
        // An id that is not in the corpus can't be found; it counts among the right ones.
        relevant = asked.map { query in
            let ids = (relevantDocs[query.key] ?? []).sorted()
            return Set(ids.enumerated().map { places[$1] ?? -1 - $0 })
        }
        self.queries = SentenceEmbeddings(asked.map(\.value))
        self.corpus = SentenceEmbeddings(documents.map(\.value))
        self.ranks = ranks
        self.scoreFunctions = scoreFunctions
        self.mainScoreFunction = mainScoreFunction
        self.corpusChunkSize = corpusChunkSize
        self.batchSize = batchSize
        self.name = name
        writesCSV = writeCSV
        self.truncateDim = truncateDim
    }

    /// Known in advance when one function is computed, or one is the main one.
    public var primaryMetric: String? {
        let known = mainScoreFunction ?? (scoreFunctions.count == 1 ? scoreFunctions[0] : nil)
        guard let function = known ?? settled.withLock({ $0?.main }) else { return nil }
        let metric = ndcgKey(function)
        return name.isEmpty ? metric : "\(name)_\(metric)"
    }

    private func ndcgKey(_ function: SimilarityFunction) -> String {
        "\(function.rawValue)_ndcg@\(ranks.ndcg.max() ?? 10)"
    }

    /// Python's rule: the best function of the first evaluation, the first by name of equal ones;
    /// it is looked for again when a model brings another function.
    private func settle(_ functions: [SimilarityFunction], _ metrics: Metrics) {
        let names = functions.sorted { $0.rawValue < $1.rawValue }
        func gain(_ function: SimilarityFunction) -> Double { metrics[ndcgKey(function)] ?? 0 }
        guard let best = names.max(by: { gain($0) < gain($1) }) else { return }
        settled.withLock {
            if $0?.functions != functions { $0 = Settled(functions: functions, main: best) }
        }
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        func embeddings(_ texts: SentenceEmbeddings, _ names: [String]) throws -> Matrix {
            try texts.matrix(
                model, prompt: names.lazy.compactMap { model.prompts[$0] }.first,
                truncateDim: truncateDim, batchSize: max(batchSize, 64),
                cancellation: context.cancellation)
        }
        let functions = scoreFunctions.isEmpty ? [model.similarityFnName] : scoreFunctions
        let metrics = try Self.metrics(
            queries: embeddings(queries, ["query"]),
            corpus: embeddings(corpus, ["document", "passage", "corpus"]), relevant: relevant,
            functions: functions, ranks: ranks, corpusChunkSize: corpusChunkSize)
        if let folder = context.outputPath, writesCSV {
            try write(metrics, functions, to: folder, context)
        }
        settle(functions, metrics)
        return metrics.named(name)
    }

    private func write(
        _ metrics: Metrics, _ functions: [SimilarityFunction], to folder: String,
        _ context: EvaluationContext
    ) throws {
        var header: [String] = []
        var values: [Double] = []
        for function in functions.map(\.rawValue).sorted() {
            func add(_ title: String, _ key: String, _ k: Int) {
                header.append("\(function)-\(title)@\(k)")
                values.append(metrics["\(function)_\(key)@\(k)"] ?? .nan)
            }
            for k in ranks.accuracy { add("Accuracy", "accuracy", k) }
            for k in ranks.precisionRecall {
                add("Precision", "precision", k)
                add("Recall", "recall", k)
            }
            for k in ranks.mrr { add("MRR", "mrr", k) }
            for k in ranks.ndcg { add("NDCG", "ndcg", k) }
            for k in ranks.map { add("MAP", "map", k) }
        }
        try appendCSV(
            folder: folder,
            file: "Information-Retrieval_evaluation\(name.isEmpty ? "" : "_\(name)")_results.csv",
            header: header, context: context, values: values, lineEnd: "\n")
    }

    /// - queries: [n, C]   - corpus: [m, C]   - relevant: rows of the corpus for each query, not
    ///   empty; negative ones stand for documents that are not there.
    package static func metrics(
        queries: Matrix, corpus: Matrix, relevant: [Set<Int>], functions: [SimilarityFunction],
        ranks: Ranks = Ranks(), corpusChunkSize: Int = 50_000
    ) throws -> Metrics {
        let deepest = ranks.all.flatMap(\.values).max() ?? 1
        var metrics = Metrics()
        for function in functions {
            let found = try semanticSearch(
                queries, corpus, corpusChunkSize: corpusChunkSize, topK: deepest
            ) { try function.matrix($0, $1) }
            let isRight = zip(found, relevant).map { hits, right in
                hits.map { right.contains($0.corpusID) }
            }
            func add(_ key: String, _ depths: [Int], _ score: ([Bool], Int, Int) -> Double) {
                for k in depths {
                    let scores = zip(isRight, relevant).map { hits, right in
                        score(Array(hits.prefix(k)), right.count, k)
                    }
                    metrics["\(function.rawValue)_\(key)@\(k)"] =
                        scores.reduce(0, +) / Double(scores.count)
                }
            }
            func count(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) }
            add("accuracy", ranks.accuracy) { hits, _, _ in hits.contains(true) ? 1 : 0 }
            add("precision", ranks.precisionRecall) { hits, _, k in count(hits) / Double(k) }
            add("recall", ranks.precisionRecall) { hits, right, _ in count(hits) / Double(right) }
            add("ndcg", ranks.ndcg) { hits, right, k in
                gain(hits) / gain([Bool](repeating: true, count: min(right, k)))
            }
            add("mrr", ranks.mrr) { hits, _, _ in
                hits.firstIndex(of: true).map { 1 / Double($0 + 1) } ?? 0
            }
            add("map", ranks.map) { hits, right, k in
                var correct = 0.0
                var total = 0.0
                for (rank, isRight) in hits.enumerated() where isRight {
                    correct += 1
                    total += correct / Double(rank + 1)
                }
                return total / Double(min(k, right))
            }
        }
        return metrics
    }

    /// Σ 1 / log2(rank + 1) of the right ones.
    private static func gain(_ hits: [Bool]) -> Double {
        hits.enumerated().reduce(0) { $1.element ? $0 + 1 / log2(Double($1.offset + 2)) : $0 }
    }
}
