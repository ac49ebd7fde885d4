// README.md of a saved model: what the hub reads (front matter) and what people read.
import OrderedJSON

/// What a trained model's README.md tells; the trainer fills it in.
///
/// Only what is known is written: a part without content is left out.
public struct ModelCard: Sendable, Equatable {
    /// One evaluator's last result.
    public struct Evaluation: Sendable, Equatable {
        /// "sts-dev".
        public var name: String
        /// "EmbeddingSimilarityEvaluator".
        public var evaluator: String
        /// Metric name and value, in the order to show.
        public var metrics: [(name: String, value: Double)]
        /// The name among `metrics` to show in bold.
        public var primaryMetric: String?

        public init(
            name: String, evaluator: String, metrics: [(name: String, value: Double)],
            primaryMetric: String? = nil
        ) {
            self.name = name
            self.evaluator = evaluator
            self.metrics = metrics
            self.primaryMetric = primaryMetric
        }

        public static func == (left: Evaluation, right: Evaluation) -> Bool {
            left.name == right.name && left.evaluator == right.evaluator
                && left.primaryMetric == right.primaryMetric
                && left.metrics.elementsEqual(right.metrics) { $0 == $1 }
        }
    }

    /// A data set that was trained on.
    public struct TrainingData: Sendable, Equatable {
        public var name: String
        /// Rows.
        public var size: Int
        public var columns: [String]
        /// Python's class name.
        public var loss: String

        public init(name: String, size: Int, columns: [String], loss: String) {
            self.name = name
            self.size = size
            self.columns = columns
            self.loss = loss
        }
    }

    /// One row of the table of training logs.
    public struct LogRow: Sendable, Equatable {
        public var epoch: Double
        public var step: Int
        public var trainingLoss: Double?
        public var evaluationLoss: Double?

        public init(
            epoch: Double, step: Int, trainingLoss: Double? = nil, evaluationLoss: Double? = nil
        ) {
            self.epoch = epoch
            self.step = step
            self.trainingLoss = trainingLoss
            self.evaluationLoss = evaluationLoss
        }
    }

    /// Name or folder of the model that training started from.
    public var baseModel: String?
    public var language: String?
    public var license: String?
    public var trainingData: [TrainingData] = []
    public var evaluations: [Evaluation] = []
    /// Arguments that differ from their defaults, as Python names them.
    public var hyperparameters: [(name: String, value: String)] = []
    public var logs: [LogRow] = []
    /// Whole text of a README.md to write instead of all the rest.
    public var verbatim: String?

    public init(baseModel: String? = nil, verbatim: String? = nil) {
        self.baseModel = baseModel
        self.verbatim = verbatim
    }

    public static func == (left: ModelCard, right: ModelCard) -> Bool {
        left.baseModel == right.baseModel && left.language == right.language
            && left.license == right.license && left.trainingData == right.trainingData
            && left.evaluations == right.evaluations && left.logs == right.logs
            && left.verbatim == right.verbatim
            && left.hyperparameters.elementsEqual(right.hyperparameters) { $0 == $1 }
    }
}

extension ModelCard {
    func markdown(for model: SentenceTransformer) -> String {
        if let verbatim { return verbatim }
        let dimension = model.embeddingDimension
        var text = frontMatter()
        text += """

            # Sentence Transformer model

            This is a [sentence-transformers](https://www.sbert.net) model\(origin). It maps texts \
            to vectors of \(dimension) dimensions, for semantic search, clustering, classification \
            and other comparisons of meaning.

            ## Model Details

            - **Model Type:** Sentence Transformer
            \(baseModel.map { "- **Base model:** \(link($0))\n" } ?? "")\
            - **Maximum Sequence Length:** \(model.maxSeqLength) tokens
            - **Output Dimensionality:** \(dimension) dimensions
            - **Similarity Function:** \(model.similarityFnName.title)

            ### Full Model Architecture

            ```
            \(model.architectureText)
            ```

            ## Usage

            ```python
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer("path/to/this/folder")
            embeddings = model.encode(["The weather is lovely today.", "It is sunny outside."])
            print(model.similarity(embeddings, embeddings))
            ```

            """
        text += evaluationSection() + trainingSection()
        return text
    }

    private var origin: String { baseModel.map { " fine-tuned from \(link($0))" } ?? "" }

    /// Names of the hub become links, folders do not.
    private func link(_ name: String) -> String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isHubName =
            parts.count <= 2 && !name.isEmpty
            && parts.allSatisfy { part in
                !part.isEmpty && part.first != "."
                    && part.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
            }
        return isHubName && parts.count == 2
            ? "[\(name)](https://huggingface.co/\(name))" : "`\(name)`"
    }

    private func frontMatter() -> String {
        func quoted(_ text: String) -> String { JSONValue(text).json() }
        var lines = ["---"]
        if let language { lines.append("language: \(quoted(language))") }
        if let license { lines.append("license: \(quoted(license))") }
        lines += ["tags:", "- sentence-transformers", "- sentence-similarity"]
        lines += ["- feature-extraction", "- dense"]
        if !trainingData.isEmpty {
            lines.append("- generated_from_trainer")
            lines.append("- dataset_size:\(trainingData.reduce(0) { $0 + $1.size })")
            var losses: [String] = []
            for data in trainingData where !losses.contains(data.loss) { losses.append(data.loss) }
            lines += losses.map { "- \(quoted("loss:" + $0))" }
        }
        if let baseModel { lines.append("base_model: \(quoted(baseModel))") }
        lines += ["pipeline_tag: sentence-similarity", "library_name: sentence-transformers"]
        lines.append("---")
        return lines.joined(separator: "\n") + "\n"
    }

    private func evaluationSection() -> String {
        guard !evaluations.isEmpty else { return "" }
        var text = "\n## Evaluation\n"
        for evaluation in evaluations {
            text += "\n### \(evaluation.name)\n\nEvaluated with `\(evaluation.evaluator)`.\n\n"
            text += "| Metric | Value |\n|:--|:--|\n"
            for (name, value) in evaluation.metrics {
                let mark = name == evaluation.primaryMetric ? "**" : ""
                text += "| \(mark)\(name)\(mark) | \(mark)\(rounded(value))\(mark) |\n"
            }
        }
        return text
    }

    private func trainingSection() -> String {
        guard !trainingData.isEmpty || !hyperparameters.isEmpty || !logs.isEmpty else { return "" }
        var text = "\n## Training Details\n"
        for data in trainingData {
            text += "\n### \(data.name)\n\n- Size: \(data.size) training samples\n"
            text += "- Columns: \(data.columns.map { "`\($0)`" }.joined(separator: ", "))\n"
            text += "- Loss: `\(data.loss)`\n"
        }
        if !hyperparameters.isEmpty {
            text += "\n### Non-Default Hyperparameters\n\n"
            for (name, value) in hyperparameters { text += "- `\(name)`: \(value)\n" }
        }
        if !logs.isEmpty {
            text += "\n### Training Logs\n\n| Epoch | Step | Training Loss | Validation Loss |\n"
            text += "|:--|:--|:--|:--|\n"
            for row in logs {
                let losses = [row.trainingLoss, row.evaluationLoss].map { $0.map(rounded) ?? "-" }
                text += "| \(rounded(row.epoch)) | \(row.step) | \(losses[0]) | \(losses[1]) |\n"
            }
        }
        return text
    }

    /// Four decimals.
    private func rounded(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        return "\((value * 10_000).rounded() / 10_000)"
    }
}

extension SimilarityFunction {
    /// "Cosine Similarity", as in Python's cards.
    var title: String {
        switch self {
        case .cosine: "Cosine Similarity"
        case .dot: "Dot Product"
        case .euclidean: "Euclidean Distance"
        case .manhattan: "Manhattan Distance"
        }
    }
}
