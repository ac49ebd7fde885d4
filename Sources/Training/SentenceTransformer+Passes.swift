// Passes over one batch: forward with activations kept, backward, and embedding without either.

extension SentenceTransformer {
    /// Tokens of a batch whose activations are kept by default, 95 kB each in a model like MiniLM:
    /// a batch of 100 triplets of sentences as a whole. What goes beyond is computed again, which
    /// costs a third of a step for its part of the tokens and bounds the memory of large batches.
    package static var keptTokens: Int { 4096 }

    /// Tokens whose inputs of a layer's weights are made again together: enough of them that products
    /// over them are as fast as over more, and work for several threads.
    private static var groupedTokens: Int { 1408 }

    /// Embeds a batch and keeps what ``backward(_:)`` needs.
    ///
    /// A batch with more than `limit` tokens is cut into segments: activations of the last one are
    /// kept, those of the others are computed again in the backward pass, with the same dropout
    /// (Gao et al. 2021, arXiv:2101.06983; Chen et al. 2016, arXiv:1604.06174). Embeddings do not
    /// depend on `limit`; gradients only by rounding.
    ///
    /// - Returns: [sentences, ``outputDimension``], after all modules; `truncateDim` has no effect.
    /// - Throws: `TrainingError.data` for sentences that do not fit the model.
    package func forward(
        _ batch: PackedBatch, dropout: DropoutMode, keeping limit: Int = keptTokens
    ) throws -> Matrix {
        pending = nil
        encoder.mixedPrecision?.expire()
        let plan = try BatchPlan(batch, config: transformerConfig)
        let masks = try DropoutPlan(
            dropout, plan: plan, config: transformerConfig, modules: dropoutModules)
        let segments = plan.segments(limit: limit)
        let longest = segments.map { plan.tokens(of: $0).count }.max() ?? 0
        if training.map({ $0.capacity < longest }) ?? true {
            training = nil
            // Room for later batches is only addresses; a system that counts them may refuse.
            let roomy = max(longest, min(limit, Self.keptTokens))
            training =
                try (try? TrainingBuffers(config: transformerConfig, capacity: roomy))
                ?? TrainingBuffers(config: transformerConfig, capacity: longest)
        }
        let result = try run(plan, training, masks, kept: segments.last ?? 0..<0)
        pending = PendingPass(
            plan: plan, segments: segments, dropout: masks,
            isRounded: encoder.mixedPrecision != nil)
        return result
    }

    /// Embeds a batch in evaluation mode. May come between a ``forward(_:dropout:keeping:)`` and its
    /// backward pass: a loss may ask the model that it trains.
    ///
    /// - Returns: [sentences, ``outputDimension``].
    package func embed(_ batch: PackedBatch) throws -> Matrix {
        // What the modules after the encoder keep of the sentences is the backward pass's, then.
        let claimed = pending == nil ? nil : sentences
        if claimed != nil { sentences = nil }
        defer { if let claimed { sentences = claimed } }
        let plan = try BatchPlan(batch, config: transformerConfig)
        let masks = try DropoutPlan(.off, plan: plan, config: transformerConfig, modules: [])
        return try run(plan, nil, masks, kept: 0..<0)
    }

    /// Adds the gradients of the last ``forward(_:dropout:keeping:)`` to the parameters' gradients.
    ///
    /// - gradient: of the loss with respect to what forward returned, same shape. Once per forward
    ///   pass: the activations are used up.
    package func backward(_ gradient: Matrix) throws {
        guard let pass = pending else {
            throw TrainingError.internalError("backward without a forward pass before it")
        }
        pending = nil
        let plan = pass.plan
        guard gradient.rows == plan.sentenceCount, gradient.columns == outputDimension else {
            throw TrainingError.internalError(
                "a gradient of \(gradient.rows) x \(gradient.columns) for embeddings of "
                    + "\(plan.sentenceCount) x \(outputDimension)")
        }
        guard pass.isRounded == (encoder.mixedPrecision != nil) else {
            throw TrainingError.internalError(
                "a backward pass in another precision than its forward pass")
        }
        guard plan.sentenceCount > 0, let training, let sentences,
            let last = sentences.stages.last
        else { return }
        last.gradient.update(from: gradient.storage, count: gradient.rows * gradient.columns)
        let longest = pass.segments.map(\.count).max() ?? 0
        let sums = try sumBlocks(longest * partialSums.count)
        for (place, segment) in pass.segments.enumerated().reversed() {
            hold(segment, of: plan, in: training)
            backward(
                segment, of: pass, isKept: place == pass.segments.count - 1, training, sentences,
                sums)
        }
        // The modules after the encoder have had all sentences by now.
        let tiles = head.weightTiles(sentences, sentences: plan.sentenceCount)
        workerPool().run(tiles.count) { task, worker in
            tiles[task].run(scratch: workers[worker].bfloat16Weights)
        }
    }

    /// The backward pass of one segment, after its forward pass where that was not kept.
    private func backward(
        _ segment: Range<Int>, of pass: PendingPass, isKept: Bool, _ training: TrainingBuffers,
        _ sentences: SentenceBuffers, _ sums: Floats
    ) {
        let plan = pass.plan
        let block = partialSums.count
        func sumsOf(_ chunk: Int) -> Floats { sums + (chunk - segment.lowerBound) * block }
        let words = EmbeddingLookups(
            ids: Array(plan.batch.tokenIDs[training.tokens]),
            skip: transformerConfig.padTokenID.flatMap(Int32.init(exactly:)))
        let positions = EmbeddingLookups(ids: Array(plan.positions[training.tokens]))
        let graph = GradientGraph(
            encoder, training, plan, groups: plan.groups(of: segment, limit: Self.groupedTokens),
            last: GradientTask.rows(encoder.weights.words, words, by: 64)
                + GradientTask.rows(encoder.weights.positions, positions, by: 8)
                + partialSums.entries.map(GradientTask.vector))
        workerPool().run(graph.order) { number, worker in
            let task = graph.tasks[number]
            let buffers = workers[worker]
            switch task {
            case .begin(let number):
                let chunk = plan.chunks[number]
                if !isKept {
                    _ = encoder.forward(
                        chunk, plan: plan, worker: buffers, training: training,
                        dropout: pass.dropout)
                }
                let own = sumsOf(number)
                own.update(repeating: 0, count: block)
                let kept = chunk.tokens.lowerBound - training.tokens.lowerBound
                head.backward(
                    chunk, plan: plan,
                    dTokens: training.gradient + kept * transformerConfig.hiddenSize,
                    buffers: sentences, dropout: pass.dropout, sums: own)
            case .feedForward(let layer, let number, let group):
                encoder.backwardFeedForward(
                    layer, plan.chunks[number], of: group, worker: buffers, training: training,
                    dropout: pass.dropout, sums: sumsOf(number))
            case .attention(let layer, let number, let group):
                encoder.backwardAttention(
                    layer, plan.chunks[number], of: group, plan: plan, worker: buffers,
                    training: training, dropout: pass.dropout, sums: sumsOf(number))
            case .embeddings(let number):
                encoder.backwardEmbeddings(
                    plan.chunks[number], training: training, dropout: pass.dropout,
                    sums: sumsOf(number))
            case .weights(let tile): tile.run(scratch: buffers.bfloat16Weights)
            case .rows(let table, let lookups, let groups):
                guard let gradient = table.gradient else { return }
                embeddingBackward(
                    columns: transformerConfig.hiddenSize, lookups: lookups, groups: groups,
                    dOutput: training.embeddingNormal, dTable: gradient)
            case .vector(let entry):
                for chunk in 0..<segment.count {
                    accumulate(
                        count: entry.count, source: sums + (chunk * block + entry.offset),
                        into: entry.gradient)
                }
            }
        }
        encoder.weights.words.touch(words.rows)
        encoder.weights.positions.touch(positions.rows)
    }

    private func hold(_ segment: Range<Int>, of plan: BatchPlan, in training: TrainingBuffers) {
        let groups = plan.groups(of: segment, limit: Self.groupedTokens)
        training.hold(
            plan.tokens(of: segment),
            groupSize: groups.map { plan.tokens(of: $0).count }.max() ?? 0,
            rounded: encoder.mixedPrecision != nil)
    }

    private var dropoutModules: [(probability: Double, columns: Int)] {
        head.modules.compactMap { module in
            guard case .dropout(let probability, _) = module.kind else { return nil }
            return (probability, module.outputs)
        }
    }

    /// - kept: the chunks whose activations stay in `training`.
    private func run(
        _ plan: BatchPlan, _ training: TrainingBuffers?, _ masks: DropoutPlan, kept: Range<Int>
    ) throws -> Matrix {
        let result = Matrix(rows: plan.sentenceCount, columns: outputDimension)
        guard plan.sentenceCount > 0 else { return result }
        let pool = workerPool()
        try growWorkers(pool.threads, plan)
        let sentences = try sentenceBuffers(plan.sentenceCount)
        encoder.mixedPrecision?.refresh(forTraining: training != nil, pool)
        guard let last = sentences.stages.last else { return result }
        if let training { hold(kept, of: plan, in: training) }
        pool.run(plan.chunks.count) { task, worker in
            let chunk = plan.chunks[task]
            let tokens = encoder.forward(
                chunk, plan: plan, worker: workers[worker],
                training: kept.contains(task) ? training : nil, dropout: masks)
            head.forward(chunk, plan: plan, tokens: tokens, buffers: sentences, dropout: masks)
            let start = chunk.sentences.lowerBound * outputDimension
            (result.storage + start).update(
                from: last.output + start, count: chunk.sentences.count * outputDimension)
        }
        return result
    }

    /// The threads of this model, started on first use.
    package func workerPool() -> WorkerPool {
        if let pool { return pool }
        let started = WorkerPool(threads: max(threads, 1))
        pool = started
        return started
    }

    /// Whether there is memory for activations, ``forward(_:dropout:keeping:)``'s.
    package var holdsActivations: Bool { training != nil }

    /// Gives that memory back, until its next call.
    package func releaseActivations() {
        pending = nil
        training = nil
        sums = nil
    }

    private func growWorkers(_ count: Int, _ plan: BatchPlan) throws {
        let tokens = max(plan.longestChunk, workers.first?.tokens ?? 0)
        let length = max(plan.longestSentence, workers.first?.sentenceLength ?? 0)
        if workers.count >= count, let first = workers.first, first.tokens >= tokens,
            first.sentenceLength >= length
        {
            return
        }
        workers = []
        workers = try (0..<count).map { _ in
            try WorkerBuffers(
                config: transformerConfig, tokens: tokens * 9 / 8, sentenceLength: length)
        }
    }

    private func sentenceBuffers(_ count: Int) throws -> SentenceBuffers {
        if let sentences, sentences.capacity >= count { return sentences }
        let made = try SentenceBuffers(modules: head.modules, sentences: max(count, 16) * 5 / 4)
        sentences = made
        return made
    }

    private func sumBlocks(_ count: Int) throws -> Floats {
        if let sums, sums.count >= 4 * count { return sums.floats }
        let made = try MemoryRegion.zeroed(floats: count * 5 / 4)
        sums = made
        return made.floats
    }
}

/// What a backward pass needs to know of the forward pass before it.
struct PendingPass {
    let plan: BatchPlan
    /// Ranges of chunks; activations of the last one are kept.
    let segments: [Range<Int>]
    let dropout: DropoutPlan
    /// Whether it is one of mixed precision.
    let isRounded: Bool
}
