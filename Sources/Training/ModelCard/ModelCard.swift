// README.md of a saved model: what is known of the model and of its training. The trainer fills it in
// (Trainer+ModelCard.swift); ModelCard+Markdown.swift writes it down.

/// What a trained model's README.md tells.
///
/// Only what is known is written: a part without content is left out.
public struct ModelCard: Sendable, Equatable {
    /// A name and a text, as it is shown.
    public struct Entry: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// One evaluator's last result.
    public struct Evaluation: Sendable, Equatable {
        public struct Metric: Sendable, Equatable {
            public var name: String
            public var value: Double

            public init(_ name: String, _ value: Double) {
                self.name = name
                self.value = value
            }
        }

        /// "sts-dev"; empty for an evaluator without a name.
        public var name: String
        /// "EmbeddingSimilarityEvaluator".
        public var evaluator: String
        /// In the order to show, names without the evaluator's own.
        public var metrics: [Metric]
        /// The name among `metrics` to show in bold.
        public var primaryMetric: String?

        public init(
            name: String, evaluator: String, metrics: [Metric], primaryMetric: String? = nil
        ) {
            self.name = name
            self.evaluator = evaluator
            self.metrics = metrics
            self.primaryMetric = primaryMetric
        }
    }

    /// A data set that was trained or evaluated on.
    public struct TrainingData: Sendable, Equatable {
        public struct Column: Sendable, Equatable {
            public var name: String
            /// "string", "float", ...
            public var type: String
            /// "min: 8 tokens", "mean: 11.84 tokens", "max: 18 tokens", over the first 100 rows.
            public var statistics: [String]
            /// The first three values.
            public var samples: [String]

            public init(
                name: String, type: String, statistics: [String] = [], samples: [String] = []
            ) {
                self.name = name
                self.type = type
                self.statistics = statistics
                self.samples = samples
            }
        }

        /// Empty for a data set without a name.
        public var name: String
        /// Rows.
        public var size: Int
        public var columns: [Column]
        /// Python's class name.
        public var loss: String
        /// The loss's arguments.
        public var lossArguments: [Entry]

        public init(
            name: String, size: Int, columns: [Column], loss: String, lossArguments: [Entry] = []
        ) {
            self.name = name
            self.size = size
            self.columns = columns
            self.loss = loss
            self.lossArguments = lossArguments
        }
    }

    /// One row of the table of training logs.
    public struct LogRow: Sendable, Equatable {
        public var epoch: Double
        public var step: Int
        public var trainingLoss: Double?
        /// By column: "Validation Loss", "sts-dev_spearman_cosine", ...
        public var evaluations: [String: Double]

        public init(
            epoch: Double, step: Int, trainingLoss: Double? = nil,
            evaluations: [String: Double] = [:]
        ) {
            self.epoch = epoch
            self.step = step
            self.trainingLoss = trainingLoss
            self.evaluations = evaluations
        }
    }

    /// A question of the hub's widget: a sentence and others to compare it with.
    public struct WidgetExample: Sendable, Equatable {
        public var source: String
        public var sentences: [String]

        public init(source: String, sentences: [String]) {
            self.source = source
            self.sentences = sentences
        }
    }

    /// The hub's name of the model that training started from, "org/name".
    public var baseModel: String?
    public var language: String?
    public var license: String?
    public var widget: [WidgetExample] = []
    public var trainingData: [TrainingData] = []
    public var evaluationData: [TrainingData] = []
    public var evaluations: [Evaluation] = []
    /// Arguments that differ from their defaults, as Python names them.
    public var hyperparameters: [Entry] = []
    public var logs: [LogRow] = []
    /// Columns of `logs` after the training loss, in the order to show.
    public var logColumns: [String] = []
    /// Seconds spent in training, evaluations left out.
    public var trainingSeconds: Double?
    public var evaluationSeconds: Double?
    /// Whole text of a README.md to write instead of all the rest.
    public var verbatim: String?

    public init(baseModel: String? = nil, verbatim: String? = nil) {
        self.baseModel = baseModel
        self.verbatim = verbatim
    }
}
