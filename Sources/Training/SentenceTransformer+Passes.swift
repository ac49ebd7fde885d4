// Passes over one batch: forward with activations kept, backward, and embedding without either.

extension SentenceTransformer {
    /// Embeds a batch and keeps what ``backward(_:)`` needs.
    ///
    /// - Returns: [sentences, ``outputDimension``], after all modules; `truncateDim` has no effect.
    /// - Throws: `TrainingError.data` for sentences that do not fit the model.
    package func forward(_ batch: PackedBatch, dropout: DropoutMode) throws -> Matrix {
        pending = nil
        encoder.mixedPrecision?.expire()
        let plan = try BatchPlan(batch, config: transformerConfig)
        let masks = try DropoutPlan(
            dropout, plan: plan, config: transformerConfig, modules: dropoutModules)
        if training.map({ $0.capacity < plan.tokenCount }) ?? true {
            training = nil
            training = try TrainingBuffers(
                config: transformerConfig, tokens: max(plan.tokenCount, 64) * 5 / 4)
        }
        let result = try run(plan, training, masks)
        pending = (plan, masks)
        return result
    }

    /// Embeds a batch in evaluation mode. Ends the claim of an earlier ``forward(_:dropout:)`` to
    /// a backward pass.
    ///
    /// - Returns: [sentences, ``outputDimension``].
    package func embed(_ batch: PackedBatch) throws -> Matrix {
        pending = nil
        let plan = try BatchPlan(batch, config: transformerConfig)
        let masks = try DropoutPlan(.off, plan: plan, config: transformerConfig, modules: [])
        return try run(plan, nil, masks)
    }

    /// Adds the gradients of the last ``forward(_:dropout:)`` to the parameters' gradients.
    ///
    /// - gradient: of the loss with respect to what forward returned, same shape. Once per forward
    ///   pass: the activations are used up.
    package func backward(_ gradient: Matrix) throws {
        guard let (plan, masks) = pending else {
            throw TrainingError.internalError("backward without a forward pass before it")
        }
        pending = nil
        guard gradient.rows == plan.sentenceCount, gradient.columns == outputDimension else {
            throw TrainingError.internalError(
                "a gradient of \(gradient.rows) x \(gradient.columns) for embeddings of "
                    + "\(plan.sentenceCount) x \(outputDimension)")
        }
        guard plan.sentenceCount > 0, let training, let sentences,
            let last = sentences.stages.last
        else { return }
        last.gradient.update(from: gradient.storage, count: gradient.rows * gradient.columns)

        let block = partialSums.count
        let sums = try sumBlocks(plan.chunks.count * block)
        let pool = workerPool()
        pool.run(plan.chunks.count) { task, worker in
            let chunk = plan.chunks[task]
            let own = sums + task * block
            own.update(repeating: 0, count: block)
            head.backward(
                chunk, plan: plan, dTokens: workers[worker].hidden[0], buffers: sentences,
                dropout: masks, sums: own)
            encoder.backward(
                chunk, plan: plan, worker: workers[worker], training: training, dropout: masks,
                sums: own)
        }

        let words = EmbeddingLookups(
            ids: plan.batch.tokenIDs,
            skip: transformerConfig.padTokenID.flatMap(Int32.init(exactly:)))
        let positions = EmbeddingLookups(ids: plan.positions)
        let tasks =
            (encoder.weightTiles(training, tokens: plan.tokenCount)
            + head.weightTiles(sentences, sentences: plan.sentenceCount)).map(GradientTask.weights)
            + GradientTask.rows(encoder.weights.words, words, by: 64)
            + GradientTask.rows(encoder.weights.positions, positions, by: 8)
            + partialSums.entries.map(GradientTask.vector)
        pool.run(tasks.count) { task, _ in
            switch tasks[task] {
            case .weights(let tile): tile.run()
            case .rows(let table, let lookups, let groups):
                guard let gradient = table.gradient else { return }
                embeddingBackward(
                    columns: transformerConfig.hiddenSize, lookups: lookups, groups: groups,
                    dOutput: training.embeddingNormal, dTable: gradient)
            case .vector(let entry):
                for chunk in plan.chunks.indices {
                    accumulate(
                        count: entry.count, source: sums + (chunk * block + entry.offset),
                        into: entry.gradient)
                }
            }
        }
        encoder.weights.words.touch(words.rows)
        encoder.weights.positions.touch(positions.rows)
    }

    private var dropoutModules: [(probability: Double, columns: Int)] {
        head.modules.compactMap { module in
            guard case .dropout(let probability, _) = module.kind else { return nil }
            return (probability, module.outputs)
        }
    }

    private func run(
        _ plan: BatchPlan, _ training: TrainingBuffers?, _ masks: DropoutPlan
    ) throws -> Matrix {
        let result = Matrix(rows: plan.sentenceCount, columns: outputDimension)
        guard plan.sentenceCount > 0 else { return result }
        let pool = workerPool()
        try growWorkers(pool.threads, plan)
        let sentences = try sentenceBuffers(plan.sentenceCount)
        encoder.mixedPrecision?.refresh(forTraining: training != nil, pool)
        guard let last = sentences.stages.last else { return result }
        pool.run(plan.chunks.count) { task, worker in
            let chunk = plan.chunks[task]
            let tokens = encoder.forward(
                chunk, plan: plan, worker: workers[worker], training: training, dropout: masks)
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
                config: transformerConfig, tokens: tokens * 5 / 4, sentenceLength: length)
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

/// One piece of the last phase of a backward pass; no two write to the same place.
private enum GradientTask {
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
