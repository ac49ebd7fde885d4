// The encoder's weights as the kernels want them: pointers, query, key and value side by side.

/// Gradient vectors (biases, norms) that every chunk of sentences sums for itself; the sums of all
/// chunks are then added in the order of the chunks, so that no result depends on threads.
struct PartialSums {
    struct Entry {
        let offset: Int
        let count: Int
        let gradient: Floats
    }
    private(set) var entries: [Entry] = []
    private(set) var count = 0

    /// Place of a vector's sums within one chunk's block.
    mutating func add(_ gradient: Floats, count: Int) -> Int {
        entries.append(Entry(offset: self.count, count: count, gradient: gradient))
        defer { self.count += (count + 15) & ~15 }
        return self.count
    }
}

/// y = x Wᵀ + b.
struct LinearWeights {
    let inputs: Int
    let outputs: Int
    let weight: Floats
    let dWeight: Floats
    let bias: Floats?
    /// Place in ``PartialSums``.
    let dBias: Int?
}

struct NormWeights {
    let weight: Floats
    let bias: Floats
    let dWeight: Int
    let dBias: Int
}

struct LayerWeights {
    let queryKeyValue: LinearWeights
    let attentionOutput: LinearWeights
    let attentionNorm: NormWeights
    let up: LinearWeights
    let down: LinearWeights
    let outputNorm: NormWeights
}

struct EncoderWeights {
    let words: Parameter
    let positions: Parameter
    /// Row 0 of the token type table and the place of its gradient's sums.
    let type: (row: Floats, gradient: Int)?
    let embeddingNorm: NormWeights
    let layers: [LayerWeights]

    /// Takes the parameters in the order of Python's `model.parameters()`.
    init(config: TransformerConfig, store: ParameterStore, sums: inout PartialSums) throws {
        let hidden = config.hiddenSize
        let names = LayerNames(config.architecture)
        let builder = WeightBuilder(store: store)
        words = try store.take(
            "embeddings.word_embeddings.weight", [config.vocabSize, hidden])
        positions = try store.take(
            "embeddings.position_embeddings.weight", [config.maxPositionEmbeddings, hidden])
        words.touchedRows = []
        positions.touchedRows = []
        if config.typeVocabSize > 0 {
            let table = try store.take(
                "embeddings.token_type_embeddings.weight", [config.typeVocabSize, hidden])
            guard let gradient = table.gradient else {
                throw TrainingError.internalError("token types without a gradient")
            }
            type = (table.value, sums.add(gradient, count: hidden))
        } else {
            type = nil
        }
        embeddingNorm = try builder.norm("embeddings.LayerNorm", hidden, &sums)
        var layers: [LayerWeights] = []
        for index in 0..<config.layerCount {
            let base = "\(names.prefix)\(index)."
            layers.append(
                LayerWeights(
                    queryKeyValue: try builder.stacked(
                        names.queryKeyValue.map { base + $0 }, hidden, &sums),
                    attentionOutput: try builder.linear(
                        base + names.attentionOutput, hidden, hidden, &sums),
                    attentionNorm: try builder.norm(base + names.attentionNorm, hidden, &sums),
                    up: try builder.linear(
                        base + names.up, hidden, config.intermediateSize, &sums),
                    down: try builder.linear(
                        base + names.down, config.intermediateSize, hidden, &sums),
                    outputNorm: try builder.norm(base + names.outputNorm, hidden, &sums)))
        }
        self.layers = layers
        // BERT's pooler takes no part in sentence embeddings: kept for saving, never trained.
        if config.architecture == .bert, store.contains("pooler.dense.weight") {
            _ = try store.take("pooler.dense.weight", [hidden, hidden], trained: false)
            if store.contains("pooler.dense.bias") {
                _ = try store.take("pooler.dense.bias", [hidden], trained: false)
            }
        }
    }
}

/// What the checkpoints call the tensors of a layer.
private struct LayerNames {
    let prefix: String
    let queryKeyValue: [String]
    let attentionOutput: String
    let attentionNorm: String
    let up: String
    let down: String
    let outputNorm: String

    init(_ architecture: TransformerConfig.Architecture) {
        switch architecture {
        case .bert:
            prefix = "encoder.layer."
            queryKeyValue = [
                "attention.self.query", "attention.self.key", "attention.self.value",
            ]
            attentionOutput = "attention.output.dense"
            attentionNorm = "attention.output.LayerNorm"
            up = "intermediate.dense"
            down = "output.dense"
            outputNorm = "output.LayerNorm"
        case .distilbert:
            prefix = "transformer.layer."
            queryKeyValue = ["attention.q_lin", "attention.k_lin", "attention.v_lin"]
            attentionOutput = "attention.out_lin"
            attentionNorm = "sa_layer_norm"
            up = "ffn.lin1"
            down = "ffn.lin2"
            outputNorm = "output_layer_norm"
        }
    }
}

/// Takes the parameters of one kind of layer from a store.
struct WeightBuilder {
    let store: ParameterStore

    func linear(
        _ name: String, _ inputs: Int, _ outputs: Int, bias: Bool = true, _ sums: inout PartialSums
    ) throws -> LinearWeights {
        let weight = try store.take(name + ".weight", [outputs, inputs])
        let offset = bias ? try store.take(name + ".bias", [outputs]) : nil
        return LinearWeights(
            inputs: inputs, outputs: outputs, weight: weight.value,
            dWeight: try trained(weight), bias: offset?.value,
            dBias: try offset.map { sums.add(try trained($0), count: outputs) })
    }

    func stacked(
        _ names: [String], _ size: Int, _ sums: inout PartialSums
    ) throws -> LinearWeights {
        let weights = try store.takeStacked(names.map { $0 + ".weight" }, [size, size])
        let biases = try store.takeStacked(names.map { $0 + ".bias" }, [size])
        for place in names.indices {
            store.list(weights, place)
            store.list(biases, place)
        }
        return LinearWeights(
            inputs: size, outputs: names.count * size, weight: weights.value,
            dWeight: weights.gradient, bias: biases.value,
            dBias: sums.add(biases.gradient, count: names.count * size))
    }

    func norm(
        _ name: String, _ size: Int, _ sums: inout PartialSums
    ) throws -> NormWeights {
        let weight = try store.take(name + ".weight", [size])
        let bias = try store.take(name + ".bias", [size])
        return NormWeights(
            weight: weight.value, bias: bias.value,
            dWeight: sums.add(try trained(weight), count: size),
            dBias: sums.add(try trained(bias), count: size))
    }

    private func trained(_ parameter: Parameter) throws -> Floats {
        guard let gradient = parameter.gradient else {
            throw TrainingError.internalError("'\(parameter.name)' has no gradient")
        }
        return gradient
    }
}
