import Synchronization

/// How well similar pairs can be told from dissimilar ones by a threshold on their similarity.
///
/// - sentences1, sentences2: pairs.   - labels: 1 (similar) or 0.
/// - name (""), batchSize (32), writeCSV (true), truncateDim (the model's).
/// - similarityFnNames (the model's own).
///
/// Metrics for each function: <function>_accuracy, _accuracy_threshold, _f1, _f1_threshold,
/// _precision, _recall (both at the threshold of F1), _ap, _mcc; with several functions
/// max_<metric>, too. Thresholds of euclidean and manhattan are distances: smaller is similar.
/// Source: sentence-transformers' evaluator of that name. Checked by `PairEvaluatorTests`.
/// Lua: `st.evaluation.BinaryClassificationEvaluator{ sentences1 = ..., labels = ... }`.
public final class BinaryClassificationEvaluator: Evaluator {
    public let name: String
    private let texts: SentenceEmbeddings
    private let labels: [Bool]
    private let batchSize: Int
    private let writesCSV: Bool
    private let truncateDim: Int?
    private let functions: Mutex<[SimilarityFunction]>

    public init(
        sentences1: [String], sentences2: [String], labels: [Double], name: String = "",
        batchSize: Int = 32, writeCSV: Bool = true, truncateDim: Int? = nil,
        similarityFnNames: [SimilarityFunction] = []
    ) throws {
        let owner = "BinaryClassificationEvaluator"
        guard sentences1.count == sentences2.count, sentences1.count == labels.count else {
            throw TrainingError.argument(
                owner: owner, name: "labels",
                problem: "sentences1, sentences2 and labels have \(sentences1.count), "
                    + "\(sentences2.count) and \(labels.count) entries",
                hint: "give them the same length")
        }
        try checkEvaluator(owner, "sentences1", count: labels.count, batchSize, truncateDim)
        if let bad = labels.first(where: { $0 != 0 && $0 != 1 }) {
            throw TrainingError.argument(
                owner: owner, name: "labels", problem: "must be 0 or 1, got \(bad)")
        }
        self.name = name
        texts = SentenceEmbeddings(sentences1 + sentences2)
        self.labels = labels.map { $0 == 1 }
        self.batchSize = max(batchSize, 64)
        writesCSV = writeCSV
        self.truncateDim = truncateDim
        functions = Mutex(similarityFnNames)
    }

    public var primaryMetric: String? {
        let functions = functions.withLock { $0 }
        guard let first = functions.first else { return nil }
        let metric = functions.count > 1 ? "max_ap" : "\(first.rawValue)_ap"
        return name.isEmpty ? metric : "\(name)_\(metric)"
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        let functions = self.functions.withLock {
            if $0.isEmpty { $0 = [model.similarityFnName] }
            return $0
        }
        let all = try texts.matrix(
            model, truncateDim: truncateDim, batchSize: batchSize,
            cancellation: context.cancellation)
        let metrics = try Self.metrics(
            all.rows(0..<labels.count), all.rows(labels.count..<2 * labels.count), labels: labels,
            functions: functions)
        if let folder = context.outputPath, writesCSV {
            let order = [
                "accuracy", "accuracy_threshold", "f1", "precision", "recall", "f1_threshold", "ap",
                "mcc",
            ]
            let keys = functions.flatMap { function in
                order.map { "\(function.rawValue)_\($0)" }
            }
            try appendCSV(
                folder: folder,
                file:
                    "binary_classification_evaluation\(name.isEmpty ? "" : "_\(name)")_results.csv",
                header: keys, context: context, values: keys.map { metrics[$0] ?? .nan })
        }
        return metrics.named(name)
    }

    // MARK: Metrics

    /// - first, second: [n, C]   - labels: n
    package static func metrics(
        _ first: Matrix, _ second: Matrix, labels: [Bool], functions: [SimilarityFunction]
    ) throws -> Metrics {
        var metrics = Metrics()
        var largest: [(name: String, value: Double)] = []
        for function in functions {
            let similarities = try function.pairwise(first, second)
            let isDistance = function == .euclidean || function == .manhattan
            let measured = metricsOf(similarities, labels, isDistance: isDistance)
            for (place, (name, value)) in measured.enumerated() {
                metrics["\(function.rawValue)_\(name)"] = value
                if place < largest.count {
                    largest[place].value = max(largest[place].value, value)
                } else {
                    largest.append((name, value))
                }
            }
        }
        if functions.count > 1 {
            for (name, value) in largest { metrics["max_\(name)"] = value }
        }
        return metrics
    }

    /// - similarities: larger is closer; the thresholds of distances are turned back.
    private static func metricsOf(
        _ similarities: [Float], _ labels: [Bool], isDistance: Bool
    ) -> [(String, Double)] {
        let order = similarities.indices.sorted { similarities[$0] > similarities[$1] }
        let scores = order.map { similarities[$0] }
        let isSimilar = order.map { labels[$0] }
        let count = Double(labels.count)
        let positives = Double(labels.count { $0 })

        // Everything is dissimilar until a threshold does better.
        var accuracy = (best: (count - positives) / count, threshold: scores[0].nextUp)
        var f1 = (best: 0.0, precision: 0.0, recall: 0.0, threshold: Float(0))
        var averagePrecision = 0.0
        var right = 0.0
        var rightBefore = 0.0
        for (place, score) in scores.enumerated() {
            if isSimilar[place] { right += 1 }
            let next = place + 1 < scores.count ? scores[place + 1] : nil
            // Equal scores fall on one side of every threshold.
            if score == next { continue }
            var threshold = next.map { (score + $0) / 2 } ?? score
            if threshold == next { threshold = score }
            let above = Double(place + 1)
            let correct = (right + count - positives - (above - right)) / count
            if correct > accuracy.best { accuracy = (correct, threshold) }
            let precision = right / above
            if right > 0 {
                let recall = right / positives
                let mean = 2 * precision * recall / (precision + recall)
                if mean > f1.best { f1 = (mean, precision, recall, threshold) }
                averagePrecision += (right - rightBefore) / positives * precision
            }
            rightBefore = right
        }
        let found = zip(scores, isSimilar).filter { $0.0 >= f1.threshold }
        let sign: Float = isDistance ? -1 : 1
        return [
            ("accuracy", accuracy.best), ("accuracy_threshold", Double(sign * accuracy.threshold)),
            ("f1", f1.best), ("f1_threshold", Double(sign * f1.threshold)),
            ("precision", f1.precision), ("recall", f1.recall), ("ap", averagePrecision),
            (
                "mcc",
                correlation(
                    truePositives: Double(found.count { $0.1 }), predicted: Double(found.count),
                    positives: positives, count: count)
            ),
        ]
    }

    /// Matthews' correlation coefficient; 0 where all predictions, or all labels, are the same.
    private static func correlation(
        truePositives: Double, predicted: Double, positives: Double, count: Double
    ) -> Double {
        let scale =
            (predicted * (count - predicted)).squareRoot()
            * (positives * (count - positives)).squareRoot()
        return scale == 0 ? 0 : (truePositives * count - predicted * positives) / scale
    }
}

extension Matrix {
    /// A copy of some rows.
    func rows(_ range: Range<Int>) -> Matrix {
        let part = Matrix(rows: range.count, columns: columns)
        if !range.isEmpty {
            part.storage.update(from: rowPointer(range.lowerBound), count: range.count * columns)
        }
        return part
    }
}
