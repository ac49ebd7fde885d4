// The transformer encoder over packed tokens: BERT and DistilBERT, forward and backward.
//
// Work is cut into chunks of sentences. Forwards a chunk goes through all layers by itself. Backwards
// the layers follow each other, because the inputs of a layer's weights, which are made again, have
// one place for all layers: see ``GradientGraph``. Nothing depends on who computes what.

final class Encoder {
    let config: TransformerConfig
    let weights: EncoderWeights
    /// Set while products run in bfloat16.
    var mixedPrecision: MixedPrecisionWeights?

    init(config: TransformerConfig, weights: EncoderWeights) {
        self.config = config
        self.weights = weights
    }

    private var hidden: Int { config.hiddenSize }
    private var epsilon: Float { Float(config.layerNormEpsilon) }

    /// Embeddings and all layers for one chunk; returns its tokens' last hidden states, which stay in
    /// `worker` until its next chunk.
    ///
    /// With `training` everything that the backward pass needs stays there.
    func forward(
        _ chunk: Chunk, plan: BatchPlan, worker: WorkerBuffers, training: TrainingBuffers?,
        dropout: DropoutPlan
    ) -> Floats {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - (training?.tokens.lowerBound ?? 0)
        let embeddings = worker.hidden[0]
        let normal = training.map { $0.embeddingNormal + kept * hidden } ?? worker.hidden[2]
        plan.batch.tokenIDs.withUnsafeBufferPointer { ids in
            plan.positions.withUnsafeBufferPointer { positions in
                guard let ids = ids.baseAddress, let positions = positions.baseAddress else {
                    return
                }
                embeddingForward(
                    rows: rows, columns: hidden, ids: ids + first, positions: positions + first,
                    words: weights.words.value, positionTable: weights.positions.value,
                    type: weights.type?.row, output: normal)
            }
        }
        layerNormForward(
            rows: rows, columns: hidden, firstRow: first, product: normal, productBias: nil,
            dropout: nil, residual: nil, weight: weights.embeddingNorm.weight,
            bias: weights.embeddingNorm.bias, epsilon: epsilon, output: embeddings,
            rstd: training.map { $0.embeddingRstd + kept })
        if let site = dropout.embeddings() {
            applyDropout(
                rows: rows, columns: hidden, firstRow: first, site: site, values: embeddings)
        }
        for (index, layer) in weights.layers.enumerated() {
            let buffers =
                training.map { rowsOf($0, index, kept) } ?? worker.evaluationLayer
            forward(layer, index, chunk, plan, buffers, worker, dropout)
        }
        return worker.hidden[0]
    }

    private func rowsOf(_ training: TrainingBuffers, _ layer: Int, _ row: Int) -> LayerBuffers {
        training.layers[layer].from(
            row: row, hidden: hidden, intermediate: config.intermediateSize,
            heads: config.headCount)
    }

    private func shape(_ sentence: Int, _ plan: BatchPlan, _ dropout: DropoutPlan) -> AttentionShape
    {
        AttentionShape(
            length: plan.batch.length(sentence), heads: config.headCount,
            headSize: config.headSize, rowNumber: plan.batch.offsets[sentence],
            wordOffset: dropout.attentionOffset(sentence))
    }

    /// `worker.hidden[0]`: the layer's input, then its output.
    private func forward(
        _ layer: LayerWeights, _ index: Int, _ chunk: Chunk, _ plan: BatchPlan,
        _ buffers: LayerBuffers, _ worker: WorkerBuffers, _ dropout: DropoutPlan
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let low = mixedPrecision?.layers[index]
        let state = worker.hidden[0]
        let context = worker.hidden[1]
        let queryKeyValue: Floats
        switch buffers.queryKeyValue {
        case .floats(let values): queryKeyValue = values
        case .halves: queryKeyValue = worker.queryKeyValue
        }
        multiply(
            rows, layer.queryKeyValue, low?.queryKeyValue, .floats(state), into: queryKeyValue,
            worker)
        let site = dropout.attentionProbabilities(index)
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - first
            let own = queryKeyValue + row * 3 * hidden
            addQueryKeyValueBias(
                layer, rows: plan.batch.length(sentence), values: own,
                kept: buffers.queryKeyValue.from(row: row, columns: 3 * hidden))
            attentionForward(
                shape(sentence, plan, dropout), queryKeyValue: own, dropout: site,
                context: context + row * hidden,
                statistics: buffers.statistics.map { $0 + row * config.headCount * 2 },
                scratch: worker.attention)
        }
        multiply(
            rows, layer.attentionOutput, low?.attentionOutput, .floats(context),
            into: buffers.attentionNormal, worker)
        layerNormForward(
            rows: rows, columns: hidden, firstRow: first, product: buffers.attentionNormal,
            productBias: layer.attentionOutput.bias, dropout: dropout.attentionOutput(index),
            residual: state, weight: layer.attentionNorm.weight, bias: layer.attentionNorm.bias,
            epsilon: epsilon, output: state, rstd: buffers.attentionRstd)
        let activated = feedForward(rows, layer, low, buffers.product, worker)
        multiply(
            rows, layer.down, low?.down, activated, into: buffers.outputNormal, worker)
        layerNormForward(
            rows: rows, columns: hidden, firstRow: first, product: buffers.outputNormal,
            productBias: layer.down.bias, dropout: dropout.feedForwardOutput(index),
            residual: state, weight: layer.outputNorm.weight, bias: layer.outputNorm.bias,
            epsilon: epsilon, output: state, rstd: buffers.outputRstd)
    }

    /// In mixed precision the sums are rounded, and kept if there is a place for them.
    private func addQueryKeyValueBias(
        _ layer: LayerWeights, rows: Int, values: Floats, kept: KeptRows
    ) {
        let bias = layer.queryKeyValue.bias
        if mixedPrecision != nil {
            var place: Halves?
            if case .halves(let halves) = kept { place = halves }
            addBiasRounded(
                rows: rows, columns: 3 * hidden, bias: bias.map { ConstFloats($0) },
                values: values, kept: place)
        } else if let bias {
            addBias(rows: rows, columns: 3 * hidden, bias: bias, values: values)
        }
    }

    /// The first feed-forward product of `worker.hidden[0]` into `kept`, and the activation function of
    /// it: in `worker` until its next product.
    private func feedForward(
        _ rows: Int, _ layer: LayerWeights, _ low: MixedPrecisionWeights.Layer?,
        _ kept: KeptRows, _ worker: WorkerBuffers
    ) -> Operand {
        let product: Floats
        var place: Halves?
        switch kept {
        case .floats(let values): product = values
        case .halves(let values): (product, place) = (worker.intermediate, values)
        }
        multiply(rows, layer.up, low?.up, .floats(worker.hidden[0]), into: product, worker)
        guard low != nil else {
            activationForward(
                config.activation, rows: rows, columns: config.intermediateSize,
                bias: layer.up.bias, product: product, output: worker.intermediate)
            return .floats(worker.intermediate)
        }
        activationForwardRounded(
            config.activation, rows: rows, columns: config.intermediateSize,
            bias: layer.up.bias.map { ConstFloats($0) }, product: product, kept: place,
            output: worker.bfloat16)
        return .halves(worker.bfloat16)
    }

    /// Only mixed precision has halves to multiply.
    private func multiply(
        _ rows: Int, _ layer: LinearWeights, _ low: BFloat16Weight?, _ input: Operand,
        into output: Floats, _ worker: WorkerBuffers
    ) {
        if let low {
            bfloat16Forward(
                rows: rows, input: input, weight: low, output: output, scratch: worker.bfloat16)
        } else if case .floats(let values) = input {
            linearForward(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, input: values,
                weight: layer.weight, output: output)
        }
    }

    /// The backward pass of a layer's second half for one chunk, from its output to the product of
    /// attention's output.
    ///
    /// `training.gradient`: gradient of the layer's output, then that of attention's residual.
    /// Vectors (biases, norms) are summed into `sums`, one chunk's block of ``PartialSums``;
    /// `training` ends up holding what ``feedForwardTiles(_:_:_:)`` multiplies. `group`: the tokens
    /// whose inputs of weights are made together.
    func backwardFeedForward(
        _ index: Int, _ chunk: Chunk, of group: Range<Int>, worker: WorkerBuffers,
        training: TrainingBuffers, dropout: DropoutPlan, sums: Floats
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - training.tokens.lowerBound
        let place = first - group.lowerBound
        let layer = weights.layers[index]
        let buffers = rowsOf(training, index, kept)
        let gradient = training.gradient + kept * hidden
        let dMiddle = worker.hidden[1]
        guard let outputRstd = buffers.outputRstd, let attentionRstd = buffers.attentionRstd
        else { return }

        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: gradient,
            normal: buffers.outputNormal, rstd: outputRstd, weight: layer.outputNorm.weight,
            dropout: dropout.feedForwardOutput(index), dResidual: dMiddle,
            dWeight: sums + layer.outputNorm.dWeight, dBias: sums + layer.outputNorm.dBias,
            dProductBias: layer.down.dBias.map { sums + $0 })
        let low = mixedPrecision?.layers[index]
        multiplyBack(
            rows, layer.down, low?.down, .floats(buffers.outputNormal),
            into: worker.intermediate, worker)
        let activated = training.activated.from(row: place, columns: config.intermediateSize)
        let dBias = layer.up.dBias.map { sums + $0 }
        if case .halves(let kept) = buffers.product, case .halves(let output) = activated {
            activationBackwardRounded(
                config.activation, rows: rows, columns: config.intermediateSize, kept: kept,
                dOutput: worker.intermediate, output: output, dBias: dBias)
        } else if case .floats(let product) = buffers.product, case .floats(let output) = activated
        {
            activationBackward(
                config.activation, rows: rows, columns: config.intermediateSize,
                bias: layer.up.bias, product: product, dOutput: worker.intermediate,
                output: output, dBias: dBias)
        }
        multiplyBack(
            rows, layer.up, low?.up, buffers.product.operand, into: dMiddle, worker,
            accumulate: true)

        outputAgain(
            layer.attentionNorm, rows, buffers.attentionNormal,
            into: training.middle.from(row: place, columns: hidden))
        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: dMiddle,
            normal: buffers.attentionNormal, rstd: attentionRstd,
            weight: layer.attentionNorm.weight, dropout: dropout.attentionOutput(index),
            dResidual: gradient, dWeight: sums + layer.attentionNorm.dWeight,
            dBias: sums + layer.attentionNorm.dBias,
            dProductBias: layer.attentionOutput.dBias.map { sums + $0 })
    }

    /// The rest of the layer's backward pass: `training.gradient` becomes that of its input,
    /// `training` holds what ``attentionTiles(_:_:_:)`` multiplies.
    func backwardAttention(
        _ index: Int, _ chunk: Chunk, of group: Range<Int>, plan: BatchPlan,
        worker: WorkerBuffers, training: TrainingBuffers, dropout: DropoutPlan, sums: Floats
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - training.tokens.lowerBound
        let place = first - group.lowerBound
        let layer = weights.layers[index]
        let low = mixedPrecision?.layers[index]
        let buffers = rowsOf(training, index, kept)
        let dContext = worker.hidden[2]
        guard let statistics = buffers.statistics else { return }

        makeInput(
            of: index, chunk, training, dropout, worker,
            into: training.input.from(row: place, columns: hidden))
        multiplyBack(
            rows, layer.attentionOutput, low?.attentionOutput, .floats(buffers.attentionNormal),
            into: dContext, worker)
        let site = dropout.attentionProbabilities(index)
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - first
            let kept = buffers.queryKeyValue.from(row: row, columns: 3 * hidden)
            let values: Floats
            switch kept {
            case .floats(let own): values = own
            case .halves(let own):
                values = worker.queryKeyValue
                widen(count: plan.batch.length(sentence) * 3 * hidden, kept: own, into: values)
            }
            let keptContext = training.context.from(row: place + row, columns: hidden)
            let context: Floats
            switch keptContext {
            case .floats(let own): context = own
            case .halves: context = worker.hidden[1]
            }
            attentionBackward(
                shape(sentence, plan, dropout), queryKeyValue: values, dropout: site,
                dContext: dContext + row * hidden,
                statistics: statistics + row * config.headCount * 2, context: context,
                scratch: worker.attention)
            let length = plan.batch.length(sentence)
            if case .halves(let own) = keptContext {
                round(count: length * hidden, values: context, into: own)
            }
            if case .halves(let own) = kept {
                addBiasRoundedBackward(
                    rows: length, columns: 3 * hidden, dValues: values, kept: own,
                    dBias: layer.queryKeyValue.dBias.map { sums + $0 })
            }
        }
        if case .floats(let dValues) = buffers.queryKeyValue,
            let offset = layer.queryKeyValue.dBias
        {
            addBiasBackward(
                rows: rows, columns: 3 * hidden, dValues: dValues, dBias: sums + offset)
        }
        multiplyBack(
            rows, layer.queryKeyValue, low?.queryKeyValue, buffers.queryKeyValue.operand,
            into: training.gradient + kept * hidden, worker, accumulate: true)
    }

    /// What a layer got in the forward pass, from x̂ of the norm below it.
    private func makeInput(
        of layer: Int, _ chunk: Chunk, _ training: TrainingBuffers, _ dropout: DropoutPlan,
        _ worker: WorkerBuffers, into input: KeptRows
    ) {
        let rows = chunk.tokens.count
        let kept = chunk.tokens.lowerBound - training.tokens.lowerBound
        let (norm, normal) =
            layer > 0
            ? (weights.layers[layer - 1].outputNorm, rowsOf(training, layer - 1, kept).outputNormal)
            : (weights.embeddingNorm, training.embeddingNormal + kept * hidden)
        guard layer == 0, let site = dropout.embeddings() else {
            outputAgain(norm, rows, normal, into: input)
            return
        }
        let values: Floats
        switch input {
        case .floats(let own): values = own
        case .halves: values = worker.hidden[1]
        }
        outputAgain(norm, rows, normal, into: .floats(values))
        applyDropout(
            rows: rows, columns: hidden, firstRow: chunk.tokens.lowerBound, site: site,
            values: values)
        if case .halves(let own) = input {
            round(count: rows * hidden, values: values, into: own)
        }
    }

    /// What a norm returned in the forward pass, from x̂.
    private func outputAgain(
        _ norm: NormWeights, _ rows: Int, _ normal: ConstFloats, into output: KeptRows
    ) {
        switch output {
        case .floats(let output):
            layerNormOutput(
                rows: rows, columns: hidden, normal: normal, weight: norm.weight,
                bias: norm.bias, output: output)
        case .halves(let output):
            layerNormOutputRounded(
                rows: rows, columns: hidden, normal: normal, weight: norm.weight,
                bias: norm.bias, output: output)
        }
    }

    /// The backward pass of one chunk's embeddings; `training.embeddingNormal` ends as the gradient
    /// of the embedding sums.
    func backwardEmbeddings(
        _ chunk: Chunk, training: TrainingBuffers, dropout: DropoutPlan, sums: Floats
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - training.tokens.lowerBound
        let gradient = training.gradient + kept * hidden
        if let site = dropout.embeddings() {
            applyDropout(
                rows: rows, columns: hidden, firstRow: first, site: site, values: gradient)
        }
        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: gradient,
            normal: training.embeddingNormal + kept * hidden,
            rstd: training.embeddingRstd + kept, weight: weights.embeddingNorm.weight,
            dropout: nil, dResidual: nil, dWeight: sums + weights.embeddingNorm.dWeight,
            dBias: sums + weights.embeddingNorm.dBias,
            dProductBias: weights.type.map { sums + $0.gradient })
    }

    private func multiplyBack(
        _ rows: Int, _ layer: LinearWeights, _ low: BFloat16Weight?, _ dOutput: Operand,
        into dInput: Floats, _ worker: WorkerBuffers, accumulate: Bool = false
    ) {
        if let low {
            bfloat16BackwardInput(
                rows: rows, dOutput: dOutput, weight: low, dInput: dInput,
                accumulate: accumulate, scratch: worker.bfloat16)
        } else if case .floats(let values) = dOutput {
            linearBackwardInput(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, dOutput: values,
                weight: layer.weight, dInput: dInput, accumulate: accumulate)
        }
    }

    /// The products for the weight gradients of a layer's second half and a group of tokens, after
    /// ``backwardFeedForward(_:_:of:worker:training:dropout:sums:)`` has run for its chunks.
    func feedForwardTiles(
        _ index: Int, _ training: TrainingBuffers, _ group: Range<Int>
    ) -> [WeightTile] {
        let layer = weights.layers[index]
        let buffers = rowsOf(training, index, group.lowerBound - training.tokens.lowerBound)
        return inPrecision(
            WeightTile.cut(
                layer.down, group.count, .floats(buffers.outputNormal),
                training.activated.operand)
                + WeightTile.cut(
                    layer.up, group.count, buffers.product.operand, training.middle.operand))
    }

    /// Those of its first half, after
    /// ``backwardAttention(_:_:of:plan:worker:training:dropout:sums:)``.
    func attentionTiles(
        _ index: Int, _ training: TrainingBuffers, _ group: Range<Int>
    ) -> [WeightTile] {
        let layer = weights.layers[index]
        let buffers = rowsOf(training, index, group.lowerBound - training.tokens.lowerBound)
        return inPrecision(
            WeightTile.cut(
                layer.queryKeyValue, group.count, buffers.queryKeyValue.operand,
                training.input.operand)
                + WeightTile.cut(
                    layer.attentionOutput, group.count, .floats(buffers.attentionNormal),
                    training.context.operand))
    }

    private func inPrecision(_ tiles: [WeightTile]) -> [WeightTile] {
        var tiles = tiles
        for index in tiles.indices { tiles[index].unit = mixedPrecision?.unit }
        return tiles
    }
}

/// Some rows of one weight's gradient: dWeight += dOutputᵀ · input over all rows of a batch.
struct WeightTile {
    let layer: LinearWeights
    let rows: Int
    let range: Range<Int>
    let dOutput: Operand
    let input: Operand
    /// What multiplies in bfloat16, if the product is one.
    var unit: BFloat16.Unit?

    /// - scratch: ``WorkerBuffers/bfloat16Weights`` of who runs it
    func run(scratch: Halves) {
        if let unit, case .halves(let input) = input {
            bfloat16BackwardWeight(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, range: range,
                dOutput: dOutput, input: input, dWeight: layer.dWeight, unit: unit,
                scratch: scratch)
        } else if case .floats(let dOutput) = dOutput, case .floats(let input) = input {
            linearBackwardWeight(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, range: range,
                dOutput: dOutput, input: input, dWeight: layer.dWeight)
        }
    }

    /// Rows of a tile: few enough that there are tiles for several threads, and many because the whole
    /// of `input` is laid out once per tile.
    static let rows = 512

    static func cut(
        _ layer: LinearWeights, _ rows: Int, _ dOutput: Operand, _ input: Operand
    ) -> [WeightTile] {
        stride(from: 0, to: layer.outputs, by: Self.rows).map { start in
            WeightTile(
                layer: layer, rows: rows, range: start..<min(start + Self.rows, layer.outputs),
                dOutput: dOutput, input: input)
        }
    }
}
