// The YAML before a card's text, which the hub reads: tags, widget, results.

import OrderedJSON

extension ModelCard {
    func frontMatter() -> String {
        var lines = ["---"]
        if let language { lines.append("language: \(Self.quoted(language))") }
        if let license { lines.append("license: \(Self.quoted(license))") }
        lines += ["tags:", "- sentence-transformers", "- sentence-similarity"]
        lines += ["- feature-extraction", "- dense"]
        if !trainingData.isEmpty {
            lines.append("- generated_from_trainer")
            let size = trainingData.reduce(0) { $0.addingReportingOverflow($1.size).partialValue }
            lines.append("- dataset_size:\(size)")
            lines += losses.map { "- \(Self.quoted("loss:" + $0))" }
        }
        if let baseModel { lines.append("base_model: \(Self.quoted(baseModel))") }
        if !widget.isEmpty {
            lines.append("widget:")
            for example in widget {
                lines.append("- source_sentence: \(Self.quoted(example.source))")
                lines.append("  sentences:")
                lines += example.sentences.map { "  - \(Self.quoted($0))" }
            }
        }
        lines += ["pipeline_tag: sentence-similarity", "library_name: sentence-transformers"]
        lines += results()
        lines.append("---")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The losses of all training data, each once.
    var losses: [String] {
        var names: [String] = []
        for data in trainingData where !names.contains(data.loss) { names.append(data.loss) }
        return names
    }

    /// The hub's task of an evaluator's metrics, and what it is called.
    static func task(of evaluator: String) -> (type: String, name: String) {
        switch evaluator {
        case "EmbeddingSimilarityEvaluator": ("semantic-similarity", "Semantic Similarity")
        case "TripletEvaluator": ("triplet", "Triplet")
        case "BinaryClassificationEvaluator": ("binary-classification", "Binary Classification")
        case "InformationRetrievalEvaluator": ("information-retrieval", "Information Retrieval")
        case "ParaphraseMiningEvaluator": ("paraphrase-mining", "Paraphrase Mining")
        case "RerankingEvaluator": ("reranking", "Reranking")
        case "TranslationEvaluator": ("translation", "Translation")
        case "MSEEvaluator": ("knowledge-distillation", "Knowledge Distillation")
        default: ("custom", "Custom")
        }
    }

    private func results() -> [String] {
        guard !evaluations.isEmpty else { return [] }
        var names: [String] = []
        for metric in evaluations.flatMap(\.metrics) where !names.contains(metric.name) {
            names.append(metric.name)
        }
        var lines = ["metrics:"] + names.map { "- \(Self.quoted($0))" }
        lines += ["model-index:", "- name: \"Sentence Transformer model\"", "  results:"]
        for evaluation in evaluations {
            let task = Self.task(of: evaluation.evaluator)
            let name = evaluation.name.isEmpty ? "Unknown" : evaluation.name
            lines += ["  - task:", "      type: \(task.type)", "      name: \(task.name)"]
            lines += ["    dataset:", "      name: \(Self.quoted(name))"]
            lines += ["      type: \(Self.quoted(name))", "    metrics:"]
            for metric in evaluation.metrics {
                lines.append("    - type: \(Self.quoted(metric.name))")
                lines.append("      value: \(Self.yaml(metric.value))")
                lines.append("      name: \(Self.quoted(Self.title(metric.name)))")
            }
        }
        return lines
    }

    /// JSON's notation of a text is YAML's, too.
    private static func quoted(_ text: String) -> String { JSONValue(text).json() }

    private static func yaml(_ value: Double) -> String {
        if value.isNaN { return ".nan" }
        return value.isFinite ? "\(value)" : value < 0 ? "-.inf" : ".inf"
    }

    /// "spearman_cosine" -> "Spearman Cosine"
    private static func title(_ name: String) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
            .joined(separator: " ")
    }
}
