// Memory of the encoder's activations: everything for a pass that will be followed by a backward
// pass, one chunk's worth per thread otherwise.

/// Where one layer finds and leaves its activations; all rows are tokens.
///
/// The backward pass replaces what it has used: `queryKeyValue`, `slope`, `attentionNormal` and
/// `outputNormal` end as the gradients of the products they belong to.
struct LayerBuffers {
    /// [T, H], the layer below's output.
    var input: Floats
    /// [T, 3H].
    var queryKeyValue: Floats
    /// [T, H], attention before its output product.
    var context: Floats
    /// [T, H], x̂ of the first norm.
    var attentionNormal: Floats
    /// [T]; nil when nothing is kept.
    var attentionRstd: Floats?
    /// [T, H], output of the first norm.
    var middle: Floats
    /// [T, I], product of the first feed-forward matrix, then the activation's slope.
    var slope: Floats
    /// [T, I].
    var activated: Floats
    /// [T, H], x̂ of the second norm.
    var outputNormal: Floats
    var outputRstd: Floats?
    /// [T, H].
    var output: Floats
    /// [T, heads, 2]; nil when nothing is kept.
    var statistics: Floats?

    /// The same for the tokens from `row` on.
    func from(row: Int, hidden: Int, intermediate: Int, heads: Int) -> LayerBuffers {
        LayerBuffers(
            input: input + row * hidden, queryKeyValue: queryKeyValue + row * 3 * hidden,
            context: context + row * hidden, attentionNormal: attentionNormal + row * hidden,
            attentionRstd: attentionRstd.map { $0 + row }, middle: middle + row * hidden,
            slope: slope + row * intermediate, activated: activated + row * intermediate,
            outputNormal: outputNormal + row * hidden, outputRstd: outputRstd.map { $0 + row },
            output: output + row * hidden, statistics: statistics.map { $0 + row * heads * 2 })
    }
}

/// Activations of all layers for the tokens of a batch, or of one segment of it.
final class TrainingBuffers {
    let capacity: Int
    /// The tokens whose activations are here now: row 0 is the first of them.
    var tokens = 0..<0
    private(set) var layers: [LayerBuffers] = []
    /// [T, H], x̂ of the embeddings' norm, then the gradient of the embedding sum.
    let embeddingNormal: Floats
    let embeddingRstd: Floats
    /// [T, H], what the layers start from.
    let embeddings: Floats
    private let region: MemoryRegion

    /// The last layer's output.
    var output: Floats { layers.last?.output ?? embeddings }

    init(config: TransformerConfig, tokens: Int) throws {
        let hidden = config.hiddenSize
        let intermediate = config.intermediateSize
        let perLayer = 8 * hidden + 2 * intermediate + 2 + 2 * config.headCount
        let perToken = config.layerCount * perLayer + 2 * hidden + 1
        // Room to round each of the buffers up to a cache line.
        let slack = 16 * (config.layerCount * 11 + 3)
        let (product, overflow) = perToken.multipliedReportingOverflow(by: tokens)
        guard !overflow, product < Int.max - slack else {
            throw TrainingError.model(problem: "activations of \(tokens) tokens fit no memory")
        }
        region = try MemoryRegion.zeroed(floats: product + slack, hugePages: true)
        capacity = tokens
        var next = region.floats
        func carve(_ columns: Int) -> Floats {
            defer { next += (tokens * columns + 15) & ~15 }
            return next
        }
        embeddingNormal = carve(hidden)
        embeddingRstd = carve(1)
        embeddings = carve(hidden)
        var input = embeddings
        for _ in 0..<config.layerCount {
            let layer = LayerBuffers(
                input: input, queryKeyValue: carve(3 * hidden), context: carve(hidden),
                attentionNormal: carve(hidden), attentionRstd: carve(1), middle: carve(hidden),
                slope: carve(intermediate), activated: carve(intermediate),
                outputNormal: carve(hidden), outputRstd: carve(1), output: carve(hidden),
                statistics: carve(2 * config.headCount))
            layers.append(layer)
            input = layer.output
        }
    }
}

/// One thread's memory: a chunk's activations in evaluation, gradients in flight in a backward
/// pass, and attention's scratch.
final class WorkerBuffers {
    let tokens: Int
    let sentenceLength: Int
    /// Four of [tokens, H].
    let hidden: [Floats]
    let queryKeyValue: Floats
    /// [tokens, I].
    let intermediate: Floats
    let attention: Floats
    /// One product's rows in bfloat16.
    let bfloat16: Halves
    private let region: MemoryRegion

    init(config: TransformerConfig, tokens: Int, sentenceLength: Int) throws {
        let size = tokens * config.hiddenSize
        let scratch = AttentionShape.scratchCount(
            length: sentenceLength, headSize: config.headSize)
        let halves = BFloat16.scratchCount(
            rows: tokens, columns: max(3 * config.hiddenSize, config.intermediateSize))
        let count =
            7 * size + tokens * config.intermediateSize + scratch + (halves + 1) / 2 + 16 * 9
        region = try MemoryRegion.zeroed(floats: count, hugePages: true)
        self.tokens = tokens
        self.sentenceLength = sentenceLength
        var next = region.floats
        func carve(_ count: Int) -> Floats {
            defer { next += (count + 15) & ~15 }
            return next
        }
        hidden = (0..<4).map { _ in carve(size) }
        queryKeyValue = carve(3 * size)
        intermediate = carve(tokens * config.intermediateSize)
        attention = carve(scratch)
        bfloat16 = UnsafeMutableRawPointer(carve((halves + 1) / 2))
            .assumingMemoryBound(to: UInt16.self)
    }

    /// Buffers of an evaluation layer, which keeps nothing: outputs replace inputs.
    var evaluationLayer: LayerBuffers {
        LayerBuffers(
            input: hidden[0], queryKeyValue: queryKeyValue, context: hidden[1],
            attentionNormal: hidden[2], attentionRstd: nil, middle: hidden[0],
            slope: intermediate, activated: intermediate, outputNormal: hidden[2],
            outputRstd: nil, output: hidden[0], statistics: nil)
    }
}
