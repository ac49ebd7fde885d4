// config.json of the encoder: what this package computes, and a clear refusal of the rest.
package import OrderedJSON

/// The shape and the settings of a BERT or DistilBERT encoder.
public struct TransformerConfig: Sendable {
    /// `model_type`.
    public enum Architecture: String, Sendable, CaseIterable { case bert, distilbert }

    public let architecture: Architecture
    public let vocabSize: Int
    public let hiddenSize: Int
    public let layerCount: Int
    public let headCount: Int
    public let intermediateSize: Int
    /// Rows of the position table: the longest sentence in tokens.
    public let maxPositionEmbeddings: Int
    /// 0 for DistilBERT, which has no token types.
    public let typeVocabSize: Int
    public let layerNormEpsilon: Double
    /// Of embeddings, attention outputs and feed-forward outputs; 0...1.
    public let hiddenDropout: Double
    /// Of attention probabilities; 0...1.
    public let attentionDropout: Double
    /// Whose embedding gets no gradient, as in torch.
    public let padTokenID: Int?
    let activation: Activation
    /// The file as it was, for saving.
    package let json: JSONObject

    public var headSize: Int { hiddenSize / headCount }

    package init(path: String) throws {
        try self.init(json: ModelFiles.readObject(path), path: path)
    }

    /// `path` is for error messages.
    package init(json: JSONObject, path: String) throws {
        let reader = ConfigReader(json: json, path: path)
        let name = try reader.text("model_type") ?? "none"
        guard let architecture = Architecture(rawValue: name) else {
            throw TrainingError.file(
                path: path, problem: "model_type '\(name)' is not supported",
                hint: "supported are 'bert' and 'distilbert'")
        }
        self.json = json
        self.architecture = architecture
        try reader.refuse("is_decoder", "a decoder's causal attention")
        try reader.refuse("add_cross_attention", "cross attention")
        try reader.refuse("sinusoidal_pos_embds", "sinusoidal position embeddings")
        if let kind = try reader.text("position_embedding_type"), kind != "absolute" {
            throw TrainingError.file(
                path: path, problem: "position_embedding_type '\(kind)' is not supported",
                hint: "supported is 'absolute'")
        }
        vocabSize = try reader.size("vocab_size", default: 30522)
        maxPositionEmbeddings = try reader.size("max_position_embeddings", default: 512)
        padTokenID = try reader.tokenID("pad_token_id", default: 0)
        let activationKey: String
        switch architecture {
        case .bert:
            hiddenSize = try reader.size("hidden_size", default: 768)
            layerCount = try reader.size("num_hidden_layers", default: 12, minimum: 0)
            headCount = try reader.size("num_attention_heads", default: 12)
            intermediateSize = try reader.size("intermediate_size", default: 3072)
            typeVocabSize = try reader.size("type_vocab_size", default: 2)
            layerNormEpsilon = try reader.number("layer_norm_eps", default: 1e-12, in: 0...1)
            hiddenDropout = try reader.number("hidden_dropout_prob", default: 0.1, in: 0...1)
            attentionDropout = try reader.number(
                "attention_probs_dropout_prob", default: 0.1, in: 0...1)
            activationKey = "hidden_act"
        case .distilbert:
            hiddenSize = try reader.size("dim", default: 768)
            layerCount = try reader.size("n_layers", default: 6, minimum: 0)
            headCount = try reader.size("n_heads", default: 12)
            intermediateSize = try reader.size("hidden_dim", default: 3072)
            typeVocabSize = 0
            layerNormEpsilon = 1e-12
            hiddenDropout = try reader.number("dropout", default: 0.1, in: 0...1)
            attentionDropout = try reader.number("attention_dropout", default: 0.1, in: 0...1)
            activationKey = "activation"
        }
        let activationName = try reader.text(activationKey) ?? "gelu"
        guard let activation = Activation(hiddenAct: activationName) else {
            throw TrainingError.file(
                path: path, problem: "\(activationKey) '\(activationName)' is not supported",
                hint: "supported are gelu, gelu_new, gelu_pytorch_tanh, relu, silu, swish, tanh, "
                    + "sigmoid and linear")
        }
        self.activation = activation
        guard hiddenSize % headCount == 0 else {
            throw TrainingError.file(
                path: path,
                problem: "\(headCount) attention heads do not divide the hidden size \(hiddenSize)")
        }
    }
}

/// Typed members of a configuration file.
struct ConfigReader {
    let json: JSONObject
    let path: String

    private func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> TrainingError {
        .file(path: path, problem: "\(key): expected \(expected), found \(value)")
    }

    private func member(_ key: String) -> JSONValue? {
        guard let value = json[key], !value.isNull else { return nil }
        return value
    }

    func text(_ key: String) throws -> String? {
        guard let value = member(key) else { return nil }
        guard let text = value.stringValue else { throw wrong(key, "a string", value) }
        return text
    }

    func flag(_ key: String) throws -> Bool? {
        guard let value = member(key) else { return nil }
        guard let flag = value.boolValue else { throw wrong(key, "true or false", value) }
        return flag
    }

    func refuse(_ key: String, _ what: String) throws {
        if try flag(key) == true {
            throw TrainingError.file(
                path: path, problem: "\(key) is true, but \(what) is not supported")
        }
    }

    /// A count; the upper bound keeps products of a few sizes far from overflow.
    func size(_ key: String, default preset: Int, minimum: Int = 1) throws -> Int {
        guard let value = member(key) else { return preset }
        guard let size = value.intValue, (minimum...(1 << 24)).contains(size) else {
            throw wrong(key, "an integer from \(minimum) to \(1 << 24)", value)
        }
        return size
    }

    func tokenID(_ key: String, default preset: Int) throws -> Int? {
        guard let value = json[key] else { return preset }
        if value.isNull { return nil }
        guard let id = value.intValue else { throw wrong(key, "a token id", value) }
        return id
    }

    func number(
        _ key: String, default preset: Double, in range: ClosedRange<Double>
    ) throws -> Double {
        guard let value = member(key) else { return preset }
        guard let number = value.doubleValue, range.contains(number) else {
            throw wrong(
                key, "a number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return number
    }
}
