// The transformer encoder over packed tokens: BERT and DistilBERT, forward and backward.
//
// Work is cut into chunks of sentences. In both directions a chunk goes through all layers by
// itself, so threads meet only at the end; what is left then, the products for the weight
// gradients, is cut into tiles over all tokens. Nothing depends on who computes what.

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

    /// Embeddings and all layers for one chunk; returns its tokens' last hidden states.
    ///
    /// With `training` everything that ``backward`` needs stays there, without it in `worker` only
    /// the result, until the worker's next chunk.
    func forward(
        _ chunk: Chunk, plan: BatchPlan, worker: WorkerBuffers, training: TrainingBuffers?,
        dropout: DropoutPlan
    ) -> Floats {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - (training?.tokens.lowerBound ?? 0)
        let output = training.map { $0.embeddings + kept * hidden } ?? worker.hidden[0]
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
            bias: weights.embeddingNorm.bias, epsilon: epsilon, output: output,
            rstd: training.map { $0.embeddingRstd + kept })
        if let site = dropout.embeddings() {
            applyDropout(rows: rows, columns: hidden, firstRow: first, site: site, values: output)
        }
        var result = output
        for (index, layer) in weights.layers.enumerated() {
            let buffers =
                training.map { rowsOf($0, index, kept) } ?? worker.evaluationLayer
            forward(layer, index, chunk, plan, buffers, worker, dropout)
            result = buffers.output
        }
        return result
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

    private func forward(
        _ layer: LayerWeights, _ index: Int, _ chunk: Chunk, _ plan: BatchPlan,
        _ buffers: LayerBuffers, _ worker: WorkerBuffers, _ dropout: DropoutPlan
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let low = mixedPrecision?.layers[index]
        multiply(
            rows, layer.queryKeyValue, low?.queryKeyValue, buffers.input,
            into: buffers.queryKeyValue, worker)
        if let bias = layer.queryKeyValue.bias {
            addBias(rows: rows, columns: 3 * hidden, bias: bias, values: buffers.queryKeyValue)
        }
        let site = dropout.attentionProbabilities(index)
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - first
            attentionForward(
                shape(sentence, plan, dropout),
                queryKeyValue: buffers.queryKeyValue + row * 3 * hidden, dropout: site,
                context: buffers.context + row * hidden,
                statistics: buffers.statistics.map { $0 + row * config.headCount * 2 },
                scratch: worker.attention)
        }
        multiply(
            rows, layer.attentionOutput, low?.attentionOutput, buffers.context,
            into: buffers.attentionNormal, worker)
        layerNormForward(
            rows: rows, columns: hidden, firstRow: first, product: buffers.attentionNormal,
            productBias: layer.attentionOutput.bias, dropout: dropout.attentionOutput(index),
            residual: buffers.input, weight: layer.attentionNorm.weight,
            bias: layer.attentionNorm.bias, epsilon: epsilon, output: buffers.middle,
            rstd: buffers.attentionRstd)
        multiply(rows, layer.up, low?.up, buffers.middle, into: buffers.slope, worker)
        activationForward(
            config.activation, rows: rows, columns: config.intermediateSize, bias: layer.up.bias,
            product: buffers.slope, output: buffers.activated,
            keepSlope: buffers.statistics != nil)
        multiply(
            rows, layer.down, low?.down, buffers.activated, into: buffers.outputNormal, worker)
        layerNormForward(
            rows: rows, columns: hidden, firstRow: first, product: buffers.outputNormal,
            productBias: layer.down.bias, dropout: dropout.feedForwardOutput(index),
            residual: buffers.middle, weight: layer.outputNorm.weight,
            bias: layer.outputNorm.bias, epsilon: epsilon, output: buffers.output,
            rstd: buffers.outputRstd)
    }

    private func multiply(
        _ rows: Int, _ layer: LinearWeights, _ low: BFloat16Weight?, _ input: ConstFloats,
        into output: Floats, _ worker: WorkerBuffers
    ) {
        if let low {
            bfloat16Forward(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, input: input,
                weight: low, output: output, scratch: worker.bfloat16)
            return
        }
        linearForward(
            rows: rows, inputs: layer.inputs, outputs: layer.outputs, input: input,
            weight: layer.weight, output: output)
    }

    /// Gradients of one chunk's activations, from the last layer down to the embedding sums.
    ///
    /// `worker.hidden[0]` holds the gradient of the last hidden states. Vectors (biases, norms)
    /// are summed into `sums`, one chunk's block of ``PartialSums``; `training` ends up holding
    /// what ``weightTiles`` multiplies.
    func backward(
        _ chunk: Chunk, plan: BatchPlan, worker: WorkerBuffers, training: TrainingBuffers,
        dropout: DropoutPlan, sums: Floats
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let kept = first - training.tokens.lowerBound
        for (index, layer) in weights.layers.enumerated().reversed() {
            backward(
                layer, index, chunk, plan, rowsOf(training, index, kept), worker, dropout, sums)
        }
        let gradient = worker.hidden[0]
        if let site = dropout.embeddings() {
            applyDropout(
                rows: rows, columns: hidden, firstRow: first, site: site, values: gradient)
        }
        let normal = training.embeddingNormal + kept * hidden
        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: gradient, normal: normal,
            rstd: training.embeddingRstd + kept, weight: weights.embeddingNorm.weight,
            dropout: nil, dResidual: nil, dWeight: sums + weights.embeddingNorm.dWeight,
            dBias: sums + weights.embeddingNorm.dBias,
            dProductBias: weights.type.map { sums + $0.gradient })
    }

    /// `worker.hidden[0]`: gradient of the layer's output, then of its input.
    private func backward(
        _ layer: LayerWeights, _ index: Int, _ chunk: Chunk, _ plan: BatchPlan,
        _ buffers: LayerBuffers, _ worker: WorkerBuffers, _ dropout: DropoutPlan, _ sums: Floats
    ) {
        let rows = chunk.tokens.count
        let first = chunk.tokens.lowerBound
        let gradient = worker.hidden[0]
        let middle = worker.hidden[1]
        guard let outputRstd = buffers.outputRstd, let attentionRstd = buffers.attentionRstd,
            let statistics = buffers.statistics
        else { return }

        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: gradient,
            normal: buffers.outputNormal, rstd: outputRstd, weight: layer.outputNorm.weight,
            dropout: dropout.feedForwardOutput(index), dResidual: middle,
            dWeight: sums + layer.outputNorm.dWeight, dBias: sums + layer.outputNorm.dBias,
            dProductBias: layer.down.dBias.map { sums + $0 })
        let low = mixedPrecision?.layers[index]
        multiplyBack(
            rows, layer.down, low?.down, buffers.outputNormal, into: worker.intermediate, worker)
        activationBackward(
            rows: rows, columns: config.intermediateSize, slope: buffers.slope,
            dOutput: worker.intermediate, dBias: layer.up.dBias.map { sums + $0 })
        multiplyBack(
            rows, layer.up, low?.up, buffers.slope, into: middle, worker, accumulate: true)

        layerNormBackward(
            rows: rows, columns: hidden, firstRow: first, dOutput: middle,
            normal: buffers.attentionNormal, rstd: attentionRstd,
            weight: layer.attentionNorm.weight, dropout: dropout.attentionOutput(index),
            dResidual: gradient, dWeight: sums + layer.attentionNorm.dWeight,
            dBias: sums + layer.attentionNorm.dBias,
            dProductBias: layer.attentionOutput.dBias.map { sums + $0 })
        let dContext = worker.hidden[2]
        multiplyBack(
            rows, layer.attentionOutput, low?.attentionOutput, buffers.attentionNormal,
            into: dContext, worker)
        let site = dropout.attentionProbabilities(index)
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - first
            attentionBackward(
                shape(sentence, plan, dropout),
                queryKeyValue: buffers.queryKeyValue + row * 3 * hidden, dropout: site,
                dContext: dContext + row * hidden,
                statistics: statistics + row * config.headCount * 2, scratch: worker.attention)
        }
        if let offset = layer.queryKeyValue.dBias {
            addBiasBackward(
                rows: rows, columns: 3 * hidden, dValues: buffers.queryKeyValue,
                dBias: sums + offset)
        }
        multiplyBack(
            rows, layer.queryKeyValue, low?.queryKeyValue, buffers.queryKeyValue, into: gradient,
            worker, accumulate: true)
    }

    private func multiplyBack(
        _ rows: Int, _ layer: LinearWeights, _ low: BFloat16Weight?, _ dOutput: ConstFloats,
        into dInput: Floats, _ worker: WorkerBuffers, accumulate: Bool = false
    ) {
        if let low {
            bfloat16BackwardInput(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, dOutput: dOutput,
                weight: low, dInput: dInput, accumulate: accumulate, scratch: worker.bfloat16)
            return
        }
        linearBackwardInput(
            rows: rows, inputs: layer.inputs, outputs: layer.outputs, dOutput: dOutput,
            weight: layer.weight, dInput: dInput, accumulate: accumulate)
    }

    /// The products that give the weight gradients, after ``backward`` has run for all chunks.
    func weightTiles(_ training: TrainingBuffers) -> [WeightTile] {
        let tokens = training.tokens.count
        var tiles: [WeightTile] = []
        for (layer, buffers) in zip(weights.layers, training.layers).reversed() {
            tiles += WeightTile.cut(layer.down, tokens, buffers.outputNormal, buffers.activated)
            tiles += WeightTile.cut(layer.up, tokens, buffers.slope, buffers.middle)
            tiles += WeightTile.cut(
                layer.attentionOutput, tokens, buffers.attentionNormal, buffers.context)
            tiles += WeightTile.cut(
                layer.queryKeyValue, tokens, buffers.queryKeyValue, buffers.input)
        }
        for index in tiles.indices { tiles[index].isBFloat16 = mixedPrecision != nil }
        return tiles
    }
}

/// Some rows of one weight's gradient: dWeight += dOutputᵀ · input over all rows of a batch.
struct WeightTile {
    let layer: LinearWeights
    let rows: Int
    let range: Range<Int>
    let dOutput: ConstFloats
    let input: ConstFloats
    var isBFloat16 = false

    func run() {
        if isBFloat16 {
            bfloat16BackwardWeight(
                rows: rows, inputs: layer.inputs, outputs: layer.outputs, range: range,
                dOutput: dOutput, input: input, dWeight: layer.dWeight)
            return
        }
        linearBackwardWeight(
            rows: rows, inputs: layer.inputs, outputs: layer.outputs, range: range,
            dOutput: dOutput, input: input, dWeight: layer.dWeight)
    }

    /// Tiles of 512 rows: enough of them for several threads, and large because BLAS copies the
    /// whole of `input` once per tile.
    static func cut(
        _ layer: LinearWeights, _ rows: Int, _ dOutput: ConstFloats, _ input: ConstFloats
    ) -> [WeightTile] {
        stride(from: 0, to: layer.outputs, by: 512).map { start in
            WeightTile(
                layer: layer, rows: rows, range: start..<min(start + 512, layer.outputs),
                dOutput: dOutput, input: input)
        }
    }
}
