/// A sentence-embedding model: tokenizer, encoder and the modules after it.
///
/// START HERE for the model side: `init` loads a folder (SentenceTransformer+Loading.swift),
/// `encode(_:options:)` embeds, ``save(to:)`` writes a folder that Python loads;
/// `forward(_:dropout:keeping:)` and `backward(_:)` serve the trainer.
///
/// One instance is used by one caller at a time: a pass keeps its activations here. Several
/// instances may work side by side; those loaded from the same file share the pages of all weights
/// that nobody has changed yet.
public final class SentenceTransformer: @unchecked Sendable {
    /// The folder it was loaded from.
    public let path: String
    public let transformerConfig: TransformerConfig
    /// All trainable tensors, in the order of Python's `model.parameters()`.
    package let parameters: [Parameter]

    /// Texts by name that go before every sentence (`prompts` in Python).
    public var prompts: [String: String]
    /// The prompt used when none is asked for.
    public var defaultPromptName: String?
    /// How embeddings of this model are compared.
    public var similarityFnName: SimilarityFunction
    /// Embeddings are cut to this many dimensions by `encode(_:options:)`; nil for all.
    public var truncateDim: Int?
    /// Longest sentence in tokens, special ones included; see ``setMaxSeqLength(_:)``.
    public internal(set) var maxSeqLength: Int
    /// Processors of this machine.
    public static var processorCount: Int { WorkerPool.processorCount }
    /// Threads of one pass, the caller's included; the numbers do not depend on it.
    public var threads: Int {
        didSet { if max(threads, 1) != max(oldValue, 1) { pool = nil } }
    }
    /// What ``save(to:)`` writes into README.md; nil keeps the loaded one, or makes a short one.
    public var modelCard: ModelCard?

    let tokenizer: (any TextTokenizer)?
    let encoder: Encoder
    let head: SentenceHead
    let checkpoint: Checkpoint
    let partialSums: PartialSums

    var pool: WorkerPool?
    var workers: [WorkerBuffers] = []
    var training: TrainingBuffers?
    var sentences: SentenceBuffers?
    var sums: MemoryRegion?
    /// What multiplies in mixed precision; without it there is none. The processor's best, until a
    /// test chooses, which it does before the first use.
    package var bfloat16Unit = BFloat16.bestUnit
    /// Made at the first use of mixed precision.
    var mixedPrecisionWeights: MixedPrecisionWeights?
    /// Set by `forward(_:dropout:keeping:)`, used up by `backward(_:)`.
    var pending: PendingPass?

    init(
        path: String, parts: LoadedParts, options: Options
    ) throws {
        self.path = path
        transformerConfig = parts.encoder.config
        parameters = parts.parameters
        prompts = options.prompts ?? parts.settings.prompts
        defaultPromptName = options.defaultPromptName ?? parts.settings.defaultPromptName
        similarityFnName = options.similarityFnName ?? parts.settings.similarity
        truncateDim = options.truncateDim ?? parts.settings.truncateDim
        maxSeqLength = parts.maxSeqLength
        threads = options.threads ?? WorkerPool.processorCount
        tokenizer = parts.tokenizer
        encoder = parts.encoder
        head = SentenceHead(modules: parts.modules)
        checkpoint = parts.checkpoint
        partialSums = parts.partialSums
        if let length = options.maxSeqLength { try setMaxSeqLength(length) }
        if let dimension = truncateDim, dimension < 1 {
            throw TrainingError.argument(
                owner: "SentenceTransformer", name: "truncate_dim",
                problem: "expected a positive integer, found \(dimension)")
        }
        if let name = defaultPromptName, prompts[name] == nil {
            throw TrainingError.argument(
                owner: "SentenceTransformer", name: "default_prompt_name",
                problem: "'\(name)' is not among the prompts \(prompts.keys.sorted())")
        }
    }

    /// Keyword arguments of Python's constructor; nil takes what the folder says.
    public struct Options: Sendable {
        public var maxSeqLength: Int?
        public var truncateDim: Int?
        public var prompts: [String: String]?
        public var defaultPromptName: String?
        public var similarityFnName: SimilarityFunction?
        /// nil: as many as there are processors.
        public var threads: Int?

        public init() {}
    }

    /// Sets the longest sentence in tokens.
    ///
    /// - Throws: `TrainingError.argument` unless 2 ≤ length ≤ rows of the position table.
    public func setMaxSeqLength(_ length: Int) throws {
        let limit = transformerConfig.maxPositionEmbeddings
        guard length >= 2, length <= limit else {
            throw TrainingError.argument(
                owner: "SentenceTransformer", name: "max_seq_length",
                problem: "expected 2 to \(limit) tokens, found \(length)",
                hint: length > limit ? "the model has positions for \(limit) tokens" : nil)
        }
        maxSeqLength = length
    }

    /// Width of what the last module gives, before `truncateDim`.
    package var outputDimension: Int { head.modules.last?.outputs ?? transformerConfig.hiddenSize }

    /// Width of an embedding, `truncateDim` taken into account.
    public var embeddingDimension: Int { min(truncateDim ?? outputDimension, outputDimension) }

    /// Settings of the Pooling module.
    public var pooling: Pooling {
        if case .pooling(let pooling) = head.modules.first?.kind { pooling } else { Pooling() }
    }
}

/// What the model asks of a tokenizer.
package protocol TextTokenizer: AnyObject, Sendable {
    /// The same for tokenizers that make the same tokens, as far as can be told without reading them.
    var identity: String { get }
    /// One above the largest token id.
    var vocabularySize: Int { get }
    /// Ids with special tokens, at most `maxLength` of them per text.
    func tokenize(_ texts: [String], maxLength: Int) throws -> TokenizedTexts
    /// Tokens that `prompt` puts before a sentence, [CLS] counted.
    func promptLength(_ prompt: String, maxLength: Int) throws -> Int
    /// Writes tokenizer.json and tokenizer_config.json with `model_max_length`.
    func save(to folder: String, modelMaxLength: Int) throws
}
