// bfloat16 copies of the encoder's weights. The parameters stay float32: the copies are made from
// them again whenever they may have changed.

/// The layers' weights rounded to bfloat16, laid out for the products that use them.
final class MixedPrecisionWeights {
    struct Layer {
        let queryKeyValue: BFloat16Weight
        let attentionOutput: BFloat16Weight
        let up: BFloat16Weight
        let down: BFloat16Weight
    }
    private(set) var layers: [Layer] = []
    let unit: BFloat16.Unit
    private let weights: [BFloat16Weight]
    private let region: MemoryRegion
    private var forwardIsCurrent = false
    private var backwardIsCurrent = false

    init(_ encoder: EncoderWeights, unit: BFloat16.Unit) throws {
        self.unit = unit
        let linears = encoder.layers.flatMap {
            [$0.queryKeyValue, $0.attentionOutput, $0.up, $0.down]
        }
        func copies(_ linear: LinearWeights) -> Int {
            BFloat16Weight.copiesCount(
                inputs: linear.inputs, outputs: linear.outputs, unit: unit)
        }
        // Two bytes a value.
        let count = linears.reduce(0) { $0 + copies($1) }
        let region = try MemoryRegion.zeroed(floats: max((count + 1) / 2, 1), hugePages: true)
        var next = region.base.assumingMemoryBound(to: UInt16.self)
        weights = linears.map { linear in
            defer { next += copies(linear) }
            return BFloat16Weight(
                linear.weight, inputs: linear.inputs, outputs: linear.outputs, unit: unit,
                copies: next)
        }
        self.region = region
        layers = stride(from: 0, to: weights.count, by: 4).map { first in
            Layer(
                queryKeyValue: weights[first], attentionOutput: weights[first + 1],
                up: weights[first + 2], down: weights[first + 3])
        }
    }

    /// The parameters may have changed.
    func expire() {
        forwardIsCurrent = false
        backwardIsCurrent = false
    }

    /// Makes the copies that a pass needs, if they are out of date.
    func refresh(forTraining: Bool, _ pool: WorkerPool) {
        if !forwardIsCurrent {
            pool.run(weights.count) { task, _ in weights[task].packForward() }
            forwardIsCurrent = true
        }
        if forTraining, !backwardIsCurrent {
            pool.run(weights.count) { task, _ in weights[task].packBackward() }
            backwardIsCurrent = true
        }
    }
}

extension SentenceTransformer {
    /// Whether mixed precision works for this model on this machine, or why not.
    package var mixedPrecisionProblem: String? {
        guard bfloat16Unit != nil else {
            return "this processor has no bfloat16 instructions (AMX or AVX512_BF16)"
        }
        guard BFloat16.fits(transformerConfig.hiddenSize, transformerConfig.intermediateSize) else {
            return "the model's sizes \(transformerConfig.hiddenSize) and "
                + "\(transformerConfig.intermediateSize) are not multiples of 32"
        }
        return nil
    }

    /// Runs `body` with the encoder's products in bfloat16, as Python's autocast does. Without
    /// effect where ``mixedPrecisionProblem`` names a reason. Calls may be nested: passes of an
    /// inner one see the parameters as they are at its start.
    package func withMixedPrecision<T>(_ isOn: Bool, _ body: () throws -> T) throws -> T {
        guard isOn, let unit = bfloat16Unit, mixedPrecisionProblem == nil else {
            return try body()
        }
        if let copies = encoder.mixedPrecision {
            copies.expire()
            return try body()
        }
        let copies =
            try mixedPrecisionWeights ?? MixedPrecisionWeights(encoder.weights, unit: unit)
        mixedPrecisionWeights = copies
        copies.expire()
        encoder.mixedPrecision = copies
        defer { encoder.mixedPrecision = nil }
        return try body()
    }
}
