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
    private let weights: [(linear: LinearWeights, copy: BFloat16Weight)]
    private let region: MemoryRegion
    private var forwardIsCurrent = false
    private var backwardIsCurrent = false

    init(_ encoder: EncoderWeights, unit: BFloat16.Unit) throws {
        self.unit = unit
        let linears = encoder.layers.flatMap {
            [$0.queryKeyValue, $0.attentionOutput, $0.up, $0.down]
        }
        let count = linears.reduce(0) { $0 + $1.inputs * $1.outputs }
        // Two copies of two bytes a value.
        let region = try MemoryRegion.zeroed(floats: count, hugePages: true)
        var next = region.base.assumingMemoryBound(to: UInt16.self)
        func carve(_ count: Int) -> Halves {
            defer { next += count }
            return next
        }
        weights = linears.map { linear in
            let size = linear.inputs * linear.outputs
            return (
                linear, BFloat16Weight(forward: carve(size), backward: carve(size), unit: unit)
            )
        }
        self.region = region
        layers = stride(from: 0, to: weights.count, by: 4).map { first in
            Layer(
                queryKeyValue: weights[first].copy, attentionOutput: weights[first + 1].copy,
                up: weights[first + 2].copy, down: weights[first + 3].copy)
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
            pool.run(weights.count) { task, _ in
                let (linear, copy) = weights[task]
                copy.packForward(
                    inputs: linear.inputs, outputs: linear.outputs, weight: linear.weight)
            }
            forwardIsCurrent = true
        }
        if forTraining, !backwardIsCurrent {
            pool.run(weights.count) { task, _ in
                let (linear, copy) = weights[task]
                copy.packBackward(
                    inputs: linear.inputs, outputs: linear.outputs, weight: linear.weight)
            }
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
