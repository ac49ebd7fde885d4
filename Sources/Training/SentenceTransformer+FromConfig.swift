// New models without a folder: weights as transformers draws them, and a WordPiece vocabulary. For
// fixtures, and for training from nothing.

public import OrderedJSON

/// What a new model is made of.
public struct NewModelOptions: Sendable {
    public var architecture = TransformerConfig.Architecture.bert
    /// Members of config.json under BERT's names; both architectures take them.
    public var config: JSONObject = [:]
    /// WordPiece tokens in the order of their ids; special tokens that are missing are put first.
    public var vocabulary: [String] = []
    public var lowercases = true
    /// torch.manual_seed before the model is made.
    public var seed: UInt64 = 0
    public var pooling = PoolingMode.mean
    /// Whether embeddings get length 1.
    public var normalizes = false

    public init() {}

    /// The vocabulary made of the words of texts; see the documentation of ``vocabulary``.
    public mutating func setVocabulary(corpus: [String], size: Int = 30522) {
        vocabulary = WordPieceTokenizer.vocabulary(
            corpus: corpus, size: size, lowercases: lowercases)
    }
}

extension SentenceTransformer {
    /// A model with new weights.
    ///
    /// Sizes are transformers' defaults, but for num_attention_heads where 12 heads do not divide
    /// hidden_size (then one for every 16 numbers, or the next smaller number that does), and for
    /// intermediate_size (4 · hidden_size).
    ///
    /// - Throws: `TrainingError.file` under the name "from_config" for a value that can't be used,
    ///   `TrainingError.argument` for a vocabulary with repeated tokens.
    /// Checked against transformers by `ModelFromConfigTests`.
    public convenience init(
        new model: NewModelOptions, options: Options = Options()
    ) throws {
        let tokens = try Self.completed(model.vocabulary)
        let config = try TransformerConfig(
            json: try NewWeights.json(model, tokens: tokens), path: "from_config")
        guard config.layerCount <= 1000 else {
            throw TrainingError.argument(
                owner: "from_config", name: "num_hidden_layers",
                problem: "must be at most 1000, got \(config.layerCount)")
        }
        // The tokenizer's identity: the same for the same vocabulary.
        let name = "\(model.architecture.rawValue)-\(Self.fingerprint(tokens, model.lowercases))"
        let tokenizer = try WordPieceTokenizer(
            files: TokenizerFiles(name: name, tokens: tokens, lowercases: model.lowercases))
        let store = try ParameterStore(
            file: SafetensorsFile(
                path: name, region: NewWeights(config, seed: model.seed).region()),
            prefixes: [""], qualifier: "model.0.model.")
        var sums = PartialSums()
        let weights = try EncoderWeights(config: config, store: store, sums: &sums)
        let width = config.hiddenSize
        var modules = [
            SentenceModule(
                kind: .pooling(Pooling(modes: [model.pooling])), inputs: width, outputs: width)
        ]
        if model.normalizes {
            modules.append(SentenceModule(kind: .normalize, inputs: width, outputs: width))
        }
        let parts = LoadedParts(
            encoder: Encoder(config: config, weights: weights), modules: modules,
            parameters: store.parameters, partialSums: sums, settings: ModelSettings(),
            tokenizer: tokenizer, maxSeqLength: config.maxPositionEmbeddings,
            checkpoint: Checkpoint(
                transformerFolder: name, storedTypes: store.storedTypes, moduleParameters: [:],
                encoderParameters: store.parameters, lowercasesFirst: false,
                isSentenceModel: false))
        try self.init(path: name, parts: parts, options: options)
    }

    private static func completed(_ vocabulary: [String]) throws -> [String] {
        var seen: Set<[UInt8]> = []
        for (place, token) in vocabulary.enumerated()
        where !seen.insert(Array(token.utf8)).inserted || token.isEmpty {
            throw TrainingError.argument(
                owner: "from_config", name: "vocab",
                problem: token.isEmpty
                    ? "token \(place + 1) is empty" : "token '\(token)' is listed twice")
        }
        return WordPieceTokenizer.specialTokens.filter { !seen.contains(Array($0.utf8)) }
            + vocabulary
    }

    /// FNV-1a of all tokens.
    private static func fingerprint(_ tokens: [String], _ lowercases: Bool) -> String {
        var hash: UInt64 = lowercases ? 0xcbf2_9ce4_8422_2325 : 0x8422_2325_cbf2_9ce4
        for token in tokens {
            for byte in token.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0x1ff) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}

/// The tensors of a new encoder in the order in which torch makes them.
private struct NewWeights {
    private enum Kind { case embedding, linear, ones, zeros }
    private struct Tensor {
        let name: String
        let shape: [Int]
        let kind: Kind
        var count: Int { shape.reduce(1, *) }
    }
    private let config: TransformerConfig
    private let seed: UInt64
    private var tensors: [Tensor] = []

    /// BERT's names of config.json, and DistilBERT's.
    private static let names = [
        "hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim", "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout", "hidden_act": "activation",
    ]

    static func json(_ model: NewModelOptions, tokens: [String]) throws -> JSONObject {
        var json = model.config
        let pad = tokens.firstIndex(of: "[PAD]") ?? 0
        json["vocab_size"] = JSONValue(tokens.count)
        json["pad_token_id"] = JSONValue(pad)
        let hidden = json["hidden_size"]?.intValue ?? 768
        // What is larger is refused when the configuration is read.
        if json["num_attention_heads"] == nil, hidden > 0, hidden <= 1 << 24 {
            let most = hidden % 12 == 0 ? 12 : max(1, hidden / 16)
            let heads = (1...most).last { hidden % $0 == 0 } ?? 1
            json["num_attention_heads"] = JSONValue(heads)
        }
        if json["intermediate_size"] == nil, hidden > 0, hidden <= 1 << 24 {
            json["intermediate_size"] = JSONValue(4 * hidden)
        }
        if model.architecture == .distilbert {
            for (old, new) in names {
                guard let value = json[old] else { continue }
                json[old] = nil
                json[new] = value
            }
        }
        json["model_type"] = .string(model.architecture.rawValue)
        return json
    }

    init(_ config: TransformerConfig, seed: UInt64) {
        self.config = config
        self.seed = seed
        let hidden = config.hiddenSize
        func embedding(_ name: String, _ rows: Int) {
            add("embeddings.\(name)_embeddings.weight", [rows, hidden], .embedding)
        }
        func linear(_ name: String, _ inputs: Int, _ outputs: Int) {
            add(name + ".weight", [outputs, inputs], .linear)
            add(name + ".bias", [outputs], .zeros)
        }
        func norm(_ name: String) {
            add(name + ".weight", [hidden], .ones)
            add(name + ".bias", [hidden], .zeros)
        }
        func add(_ name: String, _ shape: [Int], _ kind: Kind) {
            made.append(Tensor(name: name, shape: shape, kind: kind))
        }
        var made: [Tensor] = []
        let isBert = config.architecture == .bert
        embedding("word", config.vocabSize)
        embedding("position", config.maxPositionEmbeddings)
        if config.typeVocabSize > 0 { embedding("token_type", config.typeVocabSize) }
        norm("embeddings.LayerNorm")
        for index in 0..<config.layerCount {
            let base = isBert ? "encoder.layer.\(index)." : "transformer.layer.\(index)."
            let attention =
                isBert
                ? ["self.query", "self.key", "self.value", "output.dense"]
                : ["q_lin", "k_lin", "v_lin", "out_lin"]
            for name in attention { linear("\(base)attention.\(name)", hidden, hidden) }
            norm(base + (isBert ? "attention.output.LayerNorm" : "sa_layer_norm"))
            linear(
                base + (isBert ? "intermediate.dense" : "ffn.lin1"), hidden,
                config.intermediateSize)
            linear(
                base + (isBert ? "output.dense" : "ffn.lin2"), config.intermediateSize, hidden)
            norm(base + (isBert ? "output.LayerNorm" : "output_layer_norm"))
        }
        if isBert { linear("pooler.dense", hidden, hidden) }
        tensors = made
    }

    /// The tensors as the bytes of a safetensors file.
    ///
    /// torch first gives every layer its own default weights, then transformers draws all of them
    /// anew from a normal distribution; the first round only moves the generator on.
    func region() throws -> MemoryRegion {
        // Each size is below 2^24, so products of two fit; so many layers may still not.
        let count = tensors.reduce(0.0) { $0 + Double($1.count) }
        guard count <= Double(Int32.max) else {
            throw TrainingError.argument(
                owner: "from_config", name: "hidden_size",
                problem: "a model of \(Int(count)) numbers is too large",
                hint: "make hidden_size, intermediate_size or the number of layers smaller")
        }
        // The values and the file that is made of them.
        try MemoryAdmission.check(Int(count), of: 2 * MemoryLayout<Float>.stride)
        let generator = TorchGenerator(seed: seed)
        for tensor in tensors {
            switch tensor.kind {
            case .embedding: generator.skipNormal(count: tensor.count)
            // Weight and bias of a linear layer.
            case .linear: generator.skipUniform(count: tensor.count + tensor.shape[0])
            case .ones, .zeros: break
            }
        }
        let deviation = Float(config.json["initializer_range"]?.doubleValue ?? 0.02)
        let values = tensors.map { tensor in
            let matrix = Matrix(rows: 1, columns: tensor.count)
            switch tensor.kind {
            case .embedding, .linear:
                generator.fillNormal(matrix.storage, count: tensor.count, deviation: deviation)
            case .ones: matrix.storage.update(repeating: 1, count: tensor.count)
            case .zeros: break
            }
            return matrix
        }
        // The embedding of padding stays zero.
        if let pad = config.padTokenID, pad < config.vocabSize, let words = values.first {
            (words.storage + pad * config.hiddenSize).update(
                repeating: 0, count: config.hiddenSize)
        }
        // What is written points into the matrices, which nothing else keeps alive.
        return try withExtendedLifetime(values) {
            try safetensorsRegion(
                zip(tensors, values).map { tensor, matrix in
                    TensorToWrite(
                        name: tensor.name, type: .float32, shape: tensor.shape,
                        values: matrix.storage)
                })
        }
    }
}
