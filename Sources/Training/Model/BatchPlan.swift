// How one batch is cut into pieces of work, and the numbers every kernel needs about it.

/// Whole sentences that go through all layers together.
package struct Chunk {
    package let sentences: Range<Int>
    package let tokens: Range<Int>
}

/// A batch checked against a model, with its chunks. Chunk boundaries depend on the batch alone.
package struct BatchPlan {
    let batch: PackedBatch
    /// Place of each token in its sentence.
    let positions: [Int32]
    package let chunks: [Chunk]
    let longestSentence: Int
    let longestChunk: Int

    package var tokenCount: Int { batch.tokenCount }
    var sentenceCount: Int { batch.sentenceCount }

    /// - Throws: `TrainingError.data` for a sentence that is empty or longer than the model's
    ///   position table, and for a token id outside the vocabulary.
    package init(_ batch: PackedBatch, config: TransformerConfig) throws {
        self.batch = batch
        var positions = [Int32](repeating: 0, count: batch.tokenCount)
        var longest = 0
        for sentence in 0..<batch.sentenceCount {
            let length = batch.length(sentence)
            guard length > 0 else {
                throw TrainingError.data(
                    problem: "sentence \(sentence) of the batch has no tokens")
            }
            guard length <= config.maxPositionEmbeddings else {
                throw TrainingError.data(
                    problem: "a sentence of \(length) tokens is longer than the model's "
                        + "\(config.maxPositionEmbeddings) positions",
                    hint: "lower max_seq_length")
            }
            longest = max(longest, length)
            let start = batch.offsets[sentence]
            for place in 0..<length { positions[start + place] = Int32(place) }
        }
        let limit = Int32(config.vocabSize)
        if let id = batch.tokenIDs.first(where: { $0 < 0 || $0 >= limit }) {
            throw TrainingError.data(
                problem: "token id \(id) is outside the model's vocabulary of \(limit)",
                hint: "check that the tokenizer belongs to this model")
        }
        self.positions = positions
        longestSentence = longest
        chunks = Self.cut(batch)
        longestChunk = chunks.map(\.tokens.count).max() ?? 0
    }

    /// Neighbouring chunks in groups of at most `limit` tokens, one chunk at least: what goes through
    /// a backward pass together.
    ///
    /// All but the first are as large as they may be, because the activations of the last are kept;
    /// the first still has an eighth of the limit, a chunk or more for each of two threads.
    package func segments(limit: Int) -> [Range<Int>] {
        guard tokenCount > limit else { return [chunks.indices] }
        var segments: [Range<Int>] = []
        var end = chunks.count
        while end > 0 {
            var first = end - 1
            while first > 0, tokens(of: first - 1..<end).count <= limit { first -= 1 }
            while first > 0, first < end - 1, chunks[first].tokens.lowerBound < limit / 8 {
                first += 1
            }
            segments.append(first..<end)
            end = first
        }
        return segments.reversed()
    }

    /// Neighbouring chunks of a segment in groups of about equal size with at most `limit` tokens,
    /// one chunk at least: what shares the memory for inputs of weights.
    package func groups(of segment: Range<Int>, limit: Int) -> [Range<Int>] {
        let all = tokens(of: segment)
        let count = max(1, (all.count - 1) / max(limit, 1) + 1)
        var groups: [Range<Int>] = []
        var first = segment.lowerBound
        for index in segment where index > first {
            let chunk = chunks[index].tokens
            let goal = all.lowerBound + all.count * (groups.count + 1) / count
            if (chunk.lowerBound + chunk.upperBound) / 2 > goal
                || chunk.upperBound - chunks[first].tokens.lowerBound > limit
            {
                groups.append(first..<index)
                first = index
            }
        }
        groups.append(first..<segment.upperBound)
        return groups
    }

    /// The tokens of neighbouring chunks.
    package func tokens(of segment: Range<Int>) -> Range<Int> {
        guard let first = segment.first, let last = segment.last else { return 0..<0 }
        return chunks[first].tokens.lowerBound..<chunks[last].tokens.upperBound
    }

    /// Pieces of about equal size, 256 to 384 tokens where there are enough, their number a
    /// multiple of 8 for large batches so that 2, 4 or 8 threads finish together.
    private static func cut(_ batch: PackedBatch) -> [Chunk] {
        let tokens = batch.tokenCount
        let pieces: Int
        switch tokens {
        case ..<128: pieces = 1
        case ..<640: pieces = 2
        case ..<1536: pieces = 4
        default: pieces = 8 * ((tokens + 3071) / 3072)
        }
        var chunks: [Chunk] = []
        var first = 0
        for piece in 1...pieces {
            let goal = tokens * piece / pieces
            var last = first
            while last < batch.sentenceCount {
                // A sentence goes where most of it lies.
                let middle = (batch.offsets[last] + batch.offsets[last + 1]) / 2
                if piece < pieces && middle >= goal { break }
                last += 1
            }
            if last > first {
                chunks.append(
                    Chunk(
                        sentences: first..<last,
                        tokens: batch.offsets[first]..<batch.offsets[last]))
            }
            first = last
        }
        return chunks
    }
}
