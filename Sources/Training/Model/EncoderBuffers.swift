// Memory of the encoder's activations: what a backward pass needs of all tokens, and one chunk's
// worth per thread of everything else.

/// Rows that the backward pass needs, [T, columns]: in mixed precision as bfloat16.
enum KeptRows {
    case floats(Floats)
    case halves(Halves)

    /// The same from row `row` on.
    func from(row: Int, columns: Int) -> KeptRows {
        switch self {
        case .floats(let values): .floats(values + row * columns)
        case .halves(let values): .halves(values + row * columns)
        }
    }

    /// As what a product multiplies.
    var operand: Operand {
        switch self {
        case .floats(let values): .floats(values)
        case .halves(let values): .halves(values)
        }
    }
}

/// What one layer keeps for the backward pass; all rows are tokens.
///
/// No more than products and x̂: outputs of norms and activation functions cost one pass over them to
/// make again, attention's a small product. The backward pass replaces what it has used:
/// `queryKeyValue`, `product`, `attentionNormal` and `outputNormal` end as the gradients of the
/// products they belong to.
struct LayerBuffers {
    /// [T, 3H].
    var queryKeyValue: KeptRows
    /// [T, H], x̂ of the first norm.
    var attentionNormal: Floats
    /// [T]; nil when nothing is kept.
    var attentionRstd: Floats?
    /// [T, I], product of the first feed-forward matrix; with its bias where it is rounded.
    var product: KeptRows
    /// [T, H], x̂ of the second norm.
    var outputNormal: Floats
    var outputRstd: Floats?
    /// [T, heads, 2]; nil when nothing is kept.
    var statistics: Floats?

    /// The same for the tokens from `row` on.
    func from(row: Int, hidden: Int, intermediate: Int, heads: Int) -> LayerBuffers {
        LayerBuffers(
            queryKeyValue: queryKeyValue.from(row: row, columns: 3 * hidden),
            attentionNormal: attentionNormal + row * hidden,
            attentionRstd: attentionRstd.map { $0 + row },
            product: product.from(row: row, columns: intermediate),
            outputNormal: outputNormal + row * hidden, outputRstd: outputRstd.map { $0 + row },
            statistics: statistics.map { $0 + row * heads * 2 })
    }
}

/// Activations of all layers for the tokens of a batch, or of one segment of it.
///
/// Memory is set aside for `capacity` tokens; pages that no pass has needed yet cost nothing.
final class TrainingBuffers {
    let capacity: Int
    /// The tokens whose activations are here now: row 0 is the first of them.
    private(set) var tokens = 0..<0
    private(set) var layers: [LayerBuffers] = []
    /// [T, H], x̂ of the embeddings' norm, then the gradient of the embedding sum.
    private(set) var embeddingNormal: Floats
    private(set) var embeddingRstd: Floats

    // The layer that the backward pass is at.
    /// [T, H], gradient of its output, then of its input.
    private(set) var gradient: Floats
    /// Inputs of its weights, made again for a group of G tokens: [G, H] of query, key and value,
    /// [G, H] of attention's output, [G, H] and [G, I] of the two feed-forward products.
    private(set) var input: KeptRows
    private(set) var context: KeptRows
    private(set) var middle: KeptRows
    private(set) var activated: KeptRows
    private let config: TransformerConfig
    private let region: MemoryRegion

    init(config: TransformerConfig, capacity: Int) throws {
        let perLayer =
            5 * config.hiddenSize + config.intermediateSize + 2 + 2 * config.headCount
        let perToken =
            config.layerCount * perLayer + 5 * config.hiddenSize + config.intermediateSize + 1
        // Room to round each of the buffers up to a cache line, and for products that read past
        // rounded rows, 32 at most.
        let slack =
            16 * (config.layerCount * 7 + 7)
            + 16 * max(3 * config.hiddenSize, config.intermediateSize)
        let (product, overflow) = perToken.multipliedReportingOverflow(by: capacity)
        guard !overflow, product < Int.max - slack else {
            throw TrainingError.model(problem: "activations of \(capacity) tokens fit no memory")
        }
        region = try MemoryRegion.zeroed(floats: product + slack, hugePages: true)
        self.capacity = capacity
        self.config = config
        let start = region.floats
        (embeddingNormal, embeddingRstd, gradient) = (start, start, start)
        input = .floats(start)
        (context, middle, activated) = (input, input, input)
    }

    /// Lays the buffers out for these tokens, `capacity` of them at most, and for groups of up to
    /// `groupSize`; with `rounded` for passes in mixed precision. Their content is kept if all three
    /// were the same before.
    func hold(_ tokens: Range<Int>, groupSize: Int, rounded: Bool) {
        precondition(tokens.count <= capacity && groupSize <= tokens.count)
        self.tokens = tokens
        let (hidden, intermediate) = (config.hiddenSize, config.intermediateSize)
        var next = region.floats
        func carve(_ columns: Int, rows: Int? = nil) -> Floats {
            defer { next += ((rows ?? tokens.count) * columns + 15) & ~15 }
            return next
        }
        func carveRows(_ columns: Int, rows: Int? = nil) -> KeptRows {
            guard rounded else { return .floats(carve(columns, rows: rows)) }
            let values = UnsafeMutableRawPointer(carve(columns / 2, rows: rows))
            return .halves(values.assumingMemoryBound(to: UInt16.self))
        }
        embeddingNormal = carve(hidden)
        embeddingRstd = carve(1)
        gradient = carve(hidden)
        input = carveRows(hidden, rows: groupSize)
        context = carveRows(hidden, rows: groupSize)
        middle = carveRows(hidden, rows: groupSize)
        activated = carveRows(intermediate, rows: groupSize)
        layers = (0..<config.layerCount).map { _ in
            LayerBuffers(
                queryKeyValue: carveRows(3 * hidden), attentionNormal: carve(hidden),
                attentionRstd: carve(1), product: carveRows(intermediate),
                outputNormal: carve(hidden), outputRstd: carve(1),
                statistics: carve(2 * config.headCount))
        }
    }
}

/// One thread's memory: a chunk's activations in evaluation, gradients in flight in a backward
/// pass, and attention's scratch.
final class WorkerBuffers {
    let tokens: Int
    let sentenceLength: Int
    /// Three of [tokens, H]; the first holds what goes from layer to layer forwards.
    let hidden: [Floats]
    let queryKeyValue: Floats
    /// [tokens, I].
    let intermediate: Floats
    let attention: Floats
    /// One product's rows in bfloat16.
    let bfloat16: Halves
    /// The operands of one ``WeightTile`` in bfloat16.
    let bfloat16Weights: Halves
    private let region: MemoryRegion

    init(config: TransformerConfig, tokens: Int, sentenceLength: Int) throws {
        let size = tokens * config.hiddenSize
        let scratch = AttentionShape.scratchCount(
            length: sentenceLength, headSize: config.headSize)
        let halves = BFloat16.scratchCount(
            rows: tokens, columns: max(3 * config.hiddenSize, config.intermediateSize))
        let wide = max(config.hiddenSize, config.intermediateSize)
        let weightHalves = BFloat16.weightScratchCount(inputs: wide, outputs: WeightTile.rows)
        // Memory of which nothing is touched where nothing is rounded.
        let count =
            6 * size + tokens * config.intermediateSize + scratch + (halves + 1) / 2
            + (weightHalves + 1) / 2 + 16 * 8
        region = try MemoryRegion.zeroed(floats: count, hugePages: true)
        self.tokens = tokens
        self.sentenceLength = sentenceLength
        var next = region.floats
        func carve(_ count: Int) -> Floats {
            defer { next += (count + 15) & ~15 }
            return next
        }
        hidden = (0..<3).map { _ in carve(size) }
        queryKeyValue = carve(3 * size)
        intermediate = carve(tokens * config.intermediateSize)
        attention = carve(scratch)
        func carveHalves(_ count: Int) -> Halves {
            UnsafeMutableRawPointer(carve((count + 1) / 2)).assumingMemoryBound(to: UInt16.self)
        }
        bfloat16 = carveHalves(halves)
        bfloat16Weights = carveHalves(weightHalves)
    }

    /// Buffers of a layer of which nothing is kept.
    var evaluationLayer: LayerBuffers {
        LayerBuffers(
            queryKeyValue: .floats(queryKeyValue), attentionNormal: hidden[2],
            attentionRstd: nil, product: .floats(intermediate), outputNormal: hidden[2],
            outputRstd: nil, statistics: nil)
    }
}
