// The modules after the encoder: Pooling, then any of Dense, Normalize, LayerNorm and Dropout, each
// working on one row per sentence.

/// Pooling's settings.
public struct Pooling: Sendable, Equatable {
    /// Concatenated in this order.
    public var modes: [PoolingMode]
    /// Whether the tokens of a prompt are pooled too.
    public var includePrompt: Bool

    public init(modes: [PoolingMode] = [.mean], includePrompt: Bool = true) {
        self.modes = modes
        self.includePrompt = includePrompt
    }
}

/// y = f(W x + b), plus x or R x with a residual.
struct DenseLayer {
    enum Residual {
        case none, identity
        case projection(LinearWeights)
    }
    let linear: LinearWeights
    let activation: Activation
    /// The activation's Python class, e.g. "torch.nn.modules.activation.Tanh".
    let activationName: String
    let residual: Residual
}

/// One module of a model's list, from Pooling on.
struct SentenceModule {
    enum Kind {
        case pooling(Pooling)
        case dense(DenseLayer)
        case normalize
        case layerNorm(NormWeights)
        /// `index` counts the Dropout modules.
        case dropout(probability: Double, index: Int)
    }
    let kind: Kind
    let inputs: Int
    let outputs: Int

    /// Python's class name; also part of the folder's name.
    var className: String {
        switch kind {
        case .pooling: "Pooling"
        case .dense: "Dense"
        case .normalize: "Normalize"
        case .layerNorm: "LayerNorm"
        case .dropout: "Dropout"
        }
    }
}

/// Rows of every module for the sentences of one batch.
final class SentenceBuffers {
    struct Stage {
        /// [S, outputs], and its gradient.
        var output: Floats
        var gradient: Floats
        /// Dense: [S, outputs], W x, then its gradient. LayerNorm: [S, outputs], x̂.
        var kept: Floats
        /// LayerNorm: [S], 1 / deviation. Normalize: [S], norms.
        var perRow: Floats
        /// Max pooling: [S, inputs], the winning tokens.
        var winners: UnsafeMutablePointer<Int32>
    }
    let capacity: Int
    private(set) var stages: [Stage] = []
    private let region: MemoryRegion

    init(modules: [SentenceModule], sentences: Int) throws {
        let perRow = modules.reduce(0) { $0 + 3 * $1.outputs + $1.inputs + 1 }
        let (count, overflow) = perRow.multipliedReportingOverflow(by: sentences)
        guard !overflow, count < Int.max - 80 * modules.count else {
            throw TrainingError.model(problem: "\(sentences) sentences fit no memory")
        }
        region = try MemoryRegion.zeroed(floats: count + 80 * modules.count)
        capacity = sentences
        var next = region.floats
        func carve(_ columns: Int) -> Floats {
            defer { next += (sentences * columns + 15) & ~15 }
            return next
        }
        for module in modules {
            stages.append(
                Stage(
                    output: carve(module.outputs), gradient: carve(module.outputs),
                    kept: carve(module.outputs), perRow: carve(1),
                    winners: UnsafeMutableRawPointer(carve(module.inputs))
                        .assumingMemoryBound(to: Int32.self)))
        }
    }
}

/// Forward and backward through the modules for the sentences of one chunk.
struct SentenceHead {
    let modules: [SentenceModule]

    /// `tokens`: [tokens of the chunk, H]. The last stage's `output` rows are the result.
    func forward(
        _ chunk: Chunk, plan: BatchPlan, tokens: ConstFloats, buffers: SentenceBuffers,
        dropout: DropoutPlan
    ) {
        let first = chunk.sentences.lowerBound
        let rows = chunk.sentences.count
        for (index, module) in modules.enumerated() {
            let stage = buffers.stages[index]
            let output = stage.output + first * module.outputs
            let input = index == 0 ? tokens : inputRows(index, first, buffers)
            switch module.kind {
            case .pooling(let pooling):
                pool(pooling, module, chunk, plan, tokens, stage)
            case .dense(let dense):
                let product = stage.kept + first * module.outputs
                linearForward(
                    rows: rows, inputs: module.inputs, outputs: module.outputs, input: input,
                    weight: dense.linear.weight, output: product)
                activationForward(
                    dense.activation, rows: rows, columns: module.outputs,
                    bias: dense.linear.bias, product: product, output: output)
                addResidual(dense, rows, input, output)
            case .normalize:
                normalizeForward(
                    rows: rows, columns: module.outputs, input: input, output: output,
                    norms: stage.perRow + first)
            case .layerNorm(let norm):
                let normal = stage.kept + first * module.outputs
                normal.update(from: input, count: rows * module.outputs)
                layerNormForward(
                    rows: rows, columns: module.outputs, firstRow: first, product: normal,
                    productBias: nil, dropout: nil, residual: nil, weight: norm.weight,
                    bias: norm.bias, epsilon: 1e-5, output: output, rstd: stage.perRow + first)
            case .dropout(let probability, let number):
                output.update(from: input, count: rows * module.outputs)
                if let site = dropout.module(number, probability: probability) {
                    applyDropout(
                        rows: rows, columns: module.outputs, firstRow: first, site: site,
                        values: output)
                }
            }
        }
    }

    /// The last stage's `gradient` rows are given; `dTokens` [tokens of the chunk, H] is assigned.
    func backward(
        _ chunk: Chunk, plan: BatchPlan, dTokens: Floats, buffers: SentenceBuffers,
        dropout: DropoutPlan, sums: Floats
    ) {
        let first = chunk.sentences.lowerBound
        let rows = chunk.sentences.count
        for (index, module) in modules.enumerated().reversed() {
            let stage = buffers.stages[index]
            let gradient = stage.gradient + first * module.outputs
            let below = index == 0 ? dTokens : gradientRows(index, first, buffers)
            switch module.kind {
            case .pooling(let pooling):
                poolBackward(pooling, module, chunk, plan, stage, dTokens)
            case .dense(let dense):
                let product = stage.kept + first * module.outputs
                activationBackward(
                    dense.activation, rows: rows, columns: module.outputs,
                    bias: dense.linear.bias, product: product, dOutput: gradient, output: nil,
                    dBias: dense.linear.dBias.map { sums + $0 })
                linearBackwardInput(
                    rows: rows, inputs: module.inputs, outputs: module.outputs, dOutput: product,
                    weight: dense.linear.weight, dInput: below, accumulate: false)
                addResidualBackward(dense, rows, gradient, below)
            case .normalize:
                normalizeBackward(
                    rows: rows, columns: module.outputs,
                    output: stage.output + first * module.outputs, norms: stage.perRow + first,
                    dOutput: gradient, dInput: below)
            case .layerNorm(let norm):
                layerNormBackward(
                    rows: rows, columns: module.outputs, firstRow: first, dOutput: gradient,
                    normal: stage.kept + first * module.outputs, rstd: stage.perRow + first,
                    weight: norm.weight, dropout: nil, dResidual: below,
                    dWeight: sums + norm.dWeight, dBias: sums + norm.dBias, dProductBias: nil)
            case .dropout(let probability, let number):
                below.update(from: gradient, count: rows * module.outputs)
                if let site = dropout.module(number, probability: probability) {
                    applyDropout(
                        rows: rows, columns: module.outputs, firstRow: first, site: site,
                        values: below)
                }
            }
        }
    }

    /// Weight gradients of the Dense modules, over all sentences.
    func weightTiles(_ buffers: SentenceBuffers, sentences: Int) -> [WeightTile] {
        var tiles: [WeightTile] = []
        for (index, module) in modules.enumerated() where index > 0 {
            guard case .dense(let dense) = module.kind else { continue }
            let stage = buffers.stages[index]
            let input = Operand.floats(buffers.stages[index - 1].output)
            tiles += WeightTile.cut(dense.linear, sentences, .floats(stage.kept), input)
            if case .projection(let residual) = dense.residual {
                tiles += WeightTile.cut(
                    residual, sentences, .floats(stage.gradient), input)
            }
        }
        return tiles
    }

    private func inputRows(_ index: Int, _ row: Int, _ buffers: SentenceBuffers) -> ConstFloats {
        ConstFloats(buffers.stages[index - 1].output + row * modules[index].inputs)
    }

    private func gradientRows(_ index: Int, _ row: Int, _ buffers: SentenceBuffers) -> Floats {
        buffers.stages[index - 1].gradient + row * modules[index].inputs
    }

    private func addResidual(
        _ dense: DenseLayer, _ rows: Int, _ input: ConstFloats, _ output: Floats
    ) {
        switch dense.residual {
        case .none: break
        case .identity:
            accumulate(count: rows * dense.linear.outputs, source: input, into: output)
        case .projection(let residual):
            linearForward(
                rows: rows, inputs: residual.inputs, outputs: residual.outputs, input: input,
                weight: residual.weight, output: output, accumulate: true)
        }
    }

    private func addResidualBackward(
        _ dense: DenseLayer, _ rows: Int, _ gradient: ConstFloats, _ below: Floats
    ) {
        switch dense.residual {
        case .none: break
        case .identity:
            accumulate(count: rows * dense.linear.outputs, source: gradient, into: below)
        case .projection(let residual):
            linearBackwardInput(
                rows: rows, inputs: residual.inputs, outputs: residual.outputs,
                dOutput: gradient, weight: residual.weight, dInput: below, accumulate: true)
        }
    }

    private func pool(
        _ pooling: Pooling, _ module: SentenceModule, _ chunk: Chunk, _ plan: BatchPlan,
        _ tokens: ConstFloats, _ stage: SentenceBuffers.Stage
    ) {
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - chunk.tokens.lowerBound
            for (place, mode) in pooling.modes.enumerated() {
                poolingForward(
                    mode, length: plan.batch.length(sentence),
                    first: skipped(pooling, sentence, plan), columns: module.inputs,
                    tokens: tokens + row * module.inputs,
                    output: stage.output + (sentence * module.outputs + place * module.inputs),
                    winners: stage.winners + sentence * module.inputs)
            }
        }
    }

    private func poolBackward(
        _ pooling: Pooling, _ module: SentenceModule, _ chunk: Chunk, _ plan: BatchPlan,
        _ stage: SentenceBuffers.Stage, _ dTokens: Floats
    ) {
        for sentence in chunk.sentences {
            let row = plan.batch.offsets[sentence] - chunk.tokens.lowerBound
            for (place, mode) in pooling.modes.enumerated() {
                poolingBackward(
                    mode, length: plan.batch.length(sentence),
                    first: skipped(pooling, sentence, plan), columns: module.inputs,
                    dOutput: stage.gradient + (sentence * module.outputs + place * module.inputs),
                    winners: stage.winners + sentence * module.inputs,
                    dTokens: dTokens + row * module.inputs, accumulate: place > 0)
            }
        }
    }

    private func skipped(_ pooling: Pooling, _ sentence: Int, _ plan: BatchPlan) -> Int {
        pooling.includePrompt ? 0 : plan.batch.promptLengths[sentence]
    }
}
