// The tasks of a backward pass and their order.

/// One piece of a backward pass. Tasks that may run at the same time write to different places.
enum GradientTask {
    /// The modules after the encoder for a chunk; before them the chunk's forward pass if its
    /// activations were not kept.
    case begin(chunk: Int)
    /// The halves of a layer for a chunk, which belongs to a group of tokens.
    case feedForward(layer: Int, chunk: Int, group: Range<Int>)
    case attention(layer: Int, chunk: Int, group: Range<Int>)
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
/// Each layer is two halves, and each half is a group of chunks, then tiles of the weight gradients
/// over the group's tokens. The tiles read ``TrainingBuffers`` that the same half of the next group
/// or layer fills again, so that waits for them; meanwhile there is the other half. What is added to
/// a gradient is added in the order of the groups: the result is the same for any number of threads.
struct GradientGraph {
    private(set) var tasks: [GradientTask] = []
    private(set) var order = TaskGraph()
    /// Each chunk's last task so far.
    private var latest: [Int: Range<Int>] = [:]

    /// - groups: of the chunks of the pass   - last: what follows when all chunks are through
    init(
        _ encoder: Encoder, _ training: TrainingBuffers, _ plan: BatchPlan, groups: [Range<Int>],
        last: [GradientTask]
    ) {
        for group in groups { _ = add(group) { .begin(chunk: $0) } }
        var feedForwardTiles = 0..<0
        var attentionTiles = 0..<0
        for layer in encoder.weights.layers.indices.reversed() {
            for group in groups {
                let tokens = plan.tokens(of: group)
                let second = add(group, after: feedForwardTiles) {
                    .feedForward(layer: layer, chunk: $0, group: tokens)
                }
                feedForwardTiles = add(
                    encoder.feedForwardTiles(layer, training, tokens).map(GradientTask.weights),
                    after: second)
                let first = add(group, after: attentionTiles) {
                    .attention(layer: layer, chunk: $0, group: tokens)
                }
                attentionTiles = add(
                    encoder.attentionTiles(layer, training, tokens).map(GradientTask.weights),
                    after: first)
            }
        }
        for group in groups { _ = add(group) { .embeddings(chunk: $0) } }
        _ = add(last, after: groups.joined().compactMap { latest[$0] })
    }

    /// A task for each chunk of a group, after the chunk's latest and after `others`.
    private mutating func add(
        _ group: Range<Int>, after others: Range<Int> = 0..<0, _ task: (Int) -> GradientTask
    ) -> [Range<Int>] {
        group.map { chunk in
            let added = add([task(chunk)], after: [latest[chunk] ?? 0..<0, others])
            latest[chunk] = added
            return added
        }
    }

    private mutating func add(_ added: [GradientTask], after earlier: [Range<Int>]) -> Range<Int> {
        tasks += added
        return order.add(added.count, after: earlier)
    }
}
