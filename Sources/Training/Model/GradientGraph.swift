// The tasks of a backward pass and their order.

/// One piece of a backward pass. Tasks that may run at the same time write to different places.
enum GradientTask {
    /// The modules after the encoder for a chunk; before them the chunk's forward pass if its
    /// activations were not kept.
    case begin(chunk: Int)
    case feedForward(layer: Int, chunk: Int)
    case attention(layer: Int, chunk: Int)
    case embeddings(chunk: Int)
    case weights(WeightTile)
    case rows(Parameter, EmbeddingLookups, Range<Int>)
    case vector(PartialSums.Entry)

    static func rows(
        _ table: Parameter, _ lookups: EmbeddingLookups, by size: Int
    ) -> [GradientTask] {
        stride(from: 0, to: lookups.rows.count, by: size).map {
            .rows(table, lookups, $0..<min($0 + size, lookups.rows.count))
        }
    }
}

/// A backward pass as a graph of tasks.
///
/// Each layer is two halves, and each half is the chunks' part, then tiles of the weight gradients
/// over all tokens. The tiles read ``TrainingBuffers`` that the same half of the next layer fills
/// again, so that waits for them; meanwhile there is the other half. A gradient is summed by one
/// task, or by tasks in the order of their chunks: the result is the same for any number of threads.
struct GradientGraph {
    private(set) var tasks: [GradientTask] = []
    private(set) var order = TaskGraph()

    /// - chunks: how many of them the pass has   - last: what follows when all chunks are through
    init(_ encoder: Encoder, _ training: TrainingBuffers, chunks: Int, last: [GradientTask]) {
        var before = (0..<chunks).map { chunk in
            add([.begin(chunk: chunk)], after: [])
        }
        var feedForwardTiles = 0..<0
        var attentionTiles = 0..<0
        for layer in encoder.weights.layers.indices.reversed() {
            before = before.enumerated().map { chunk, earlier in
                add([.feedForward(layer: layer, chunk: chunk)], after: [earlier, feedForwardTiles])
            }
            feedForwardTiles = add(
                encoder.feedForwardTiles(layer, training).map(GradientTask.weights), after: before)
            before = before.enumerated().map { chunk, earlier in
                add([.attention(layer: layer, chunk: chunk)], after: [earlier, attentionTiles])
            }
            attentionTiles = add(
                encoder.attentionTiles(layer, training).map(GradientTask.weights), after: before)
        }
        before = before.enumerated().map { chunk, earlier in
            add([.embeddings(chunk: chunk)], after: [earlier])
        }
        _ = add(last, after: before)
    }

    private mutating func add(_ added: [GradientTask], after earlier: [Range<Int>]) -> Range<Int> {
        tasks += added
        return order.add(added.count, after: earlier)
    }
}
