// The dropout masks of one training pass over a batch.

/// Gives each place of the network its mask: none, counter-based, or recorded from torch's stream.
struct DropoutPlan {
    /// Places within a layer; the numbers are part of the counter generator's key.
    enum Place: Int {
        case embeddings = 0, attentionProbabilities, attentionOutput, feedForwardOutput, module
    }

    private let mode: DropoutMode
    private let config: TransformerConfig
    private let recorded: TorchMasks?

    var isOff: Bool { if case .off = mode { true } else { false } }

    /// `modules`: probability and width of each Dropout module after the encoder.
    init(
        _ mode: DropoutMode, plan: BatchPlan, config: TransformerConfig,
        modules: [(probability: Double, columns: Int)]
    ) throws {
        self.mode = mode
        self.config = config
        if case .torch(let generator) = mode {
            recorded = try TorchMasks(
                generator, plan: plan, config: config, modules: modules)
        } else {
            recorded = nil
        }
    }

    func embeddings() -> DropoutSite? { site(.embeddings, 0, config.hiddenDropout) }
    func attentionProbabilities(_ layer: Int) -> DropoutSite? {
        site(.attentionProbabilities, layer, config.attentionDropout)
    }
    /// DistilBERT has none here.
    func attentionOutput(_ layer: Int) -> DropoutSite? {
        guard config.architecture == .bert else { return nil }
        return site(.attentionOutput, layer, config.hiddenDropout)
    }
    func feedForwardOutput(_ layer: Int) -> DropoutSite? {
        site(.feedForwardOutput, layer, config.hiddenDropout)
    }
    /// The `index`-th Dropout module.
    func module(_ index: Int, probability: Double) -> DropoutSite? {
        site(.module, index, probability)
    }

    /// Where a sentence's recorded attention words start; 0 when there are none.
    func attentionOffset(_ sentence: Int) -> Int { recorded?.attentionOffsets[sentence] ?? 0 }

    private func site(_ place: Place, _ index: Int, _ probability: Double) -> DropoutSite? {
        guard probability > 0 else { return nil }
        switch mode {
        case .off: return nil
        case .counter(let seed, let step):
            return DropoutSite(
                probability: probability,
                key: DropoutSite.key(seed: seed, step: step, layer: index, site: place.rawValue))
        case .torch:
            return DropoutSite(
                probability: probability, key: 0, words: recorded?.words(place, index))
        }
    }
}

/// Masks drawn from torch's CPU stream in torch's order: for each forward pass the embeddings, then
/// layer by layer attention probabilities, attention output (BERT) and feed-forward output, then
/// the Dropout modules; each over the padded shape, two words per element, row-major.
///
/// Kept are the elements of real tokens: all ones where torch keeps, 0 where it drops.
private final class TorchMasks {
    /// By sentence: heads · n² words each, the same for every layer.
    private(set) var attentionOffsets: [Int] = []
    private var regions: [Int: MemoryRegion] = [:]

    init(
        _ generator: TorchGenerator, plan: BatchPlan, config: TransformerConfig,
        modules: [(probability: Double, columns: Int)]
    ) throws {
        let batch = plan.batch
        var attentionCount = 0
        for sentence in 0..<batch.sentenceCount {
            attentionOffsets.append(attentionCount)
            attentionCount += config.headCount * batch.length(sentence) * batch.length(sentence)
        }
        var passes = batch.passes
        if passes.isEmpty { passes = [0..<batch.sentenceCount] }
        var place = 0
        for pass in passes {
            guard pass.lowerBound == place, pass.upperBound <= batch.sentenceCount else {
                throw TrainingError.internalError("passes do not follow each other")
            }
            place = pass.upperBound
        }
        guard place == batch.sentenceCount else {
            throw TrainingError.internalError("passes do not cover the batch")
        }
        for pass in passes where !pass.isEmpty {
            try drawTokens(generator, .embeddings, 0, config.hiddenDropout, pass, plan, config)
            for layer in 0..<config.layerCount {
                try drawAttention(generator, layer, pass, plan, config, attentionCount)
                if config.architecture == .bert {
                    try drawTokens(
                        generator, .attentionOutput, layer, config.hiddenDropout, pass, plan,
                        config)
                }
                try drawTokens(
                    generator, .feedForwardOutput, layer, config.hiddenDropout, pass, plan, config)
            }
            for (index, module) in modules.enumerated() where Self.draws(module.probability) {
                let words = try region(
                    .module, index, count: batch.sentenceCount * module.columns)
                for element in 0..<pass.count * module.columns {
                    words[pass.lowerBound * module.columns + element] = Self.draw(
                        generator, module.probability)
                }
            }
        }
    }

    func words(_ place: DropoutPlan.Place, _ index: Int) -> UnsafePointer<UInt32>? {
        regions[key(place, index)].map {
            UnsafePointer($0.base.assumingMemoryBound(to: UInt32.self))
        }
    }

    /// At 0 and 1 torch draws nothing.
    private static func draws(_ probability: Double) -> Bool { probability > 0 && probability < 1 }

    /// torch's bernoulli_(1 − p): 53 random bits as a double in 0 ..< 1, compared in doubles.
    @inline(__always)
    private static func draw(_ generator: TorchGenerator, _ probability: Double) -> UInt32 {
        let bits = generator.next64() & ((1 << 53) - 1)
        return Double(bits) * 0x1p-53 < 1 - probability ? .max : 0
    }

    private func drawTokens(
        _ generator: TorchGenerator, _ place: DropoutPlan.Place, _ layer: Int,
        _ probability: Double, _ pass: Range<Int>, _ plan: BatchPlan, _ config: TransformerConfig
    ) throws {
        guard Self.draws(probability) else { return }
        let hidden = config.hiddenSize
        let words = try region(place, layer, count: plan.tokenCount * hidden)
        let padded = pass.map(plan.batch.length).max() ?? 0
        for sentence in pass {
            let length = plan.batch.length(sentence)
            var target = words + plan.batch.offsets[sentence] * hidden
            for _ in 0..<length * hidden {
                target.pointee = Self.draw(generator, probability)
                target += 1
            }
            for _ in 0..<(padded - length) * hidden { _ = generator.next64() }
        }
    }

    private func drawAttention(
        _ generator: TorchGenerator, _ layer: Int, _ pass: Range<Int>, _ plan: BatchPlan,
        _ config: TransformerConfig, _ count: Int
    ) throws {
        let probability = config.attentionDropout
        guard Self.draws(probability) else { return }
        let words = try region(.attentionProbabilities, layer, count: count)
        let padded = pass.map(plan.batch.length).max() ?? 0
        for sentence in pass {
            let length = plan.batch.length(sentence)
            var target = words + attentionOffsets[sentence]
            for _ in 0..<config.headCount {
                for _ in 0..<length {
                    for _ in 0..<length {
                        target.pointee = Self.draw(generator, probability)
                        target += 1
                    }
                    for _ in 0..<padded - length { _ = generator.next64() }
                }
                for _ in 0..<(padded - length) * padded { _ = generator.next64() }
            }
        }
    }

    private func key(_ place: DropoutPlan.Place, _ index: Int) -> Int {
        index * 8 + place.rawValue
    }

    private func region(
        _ place: DropoutPlan.Place, _ index: Int, count: Int
    ) throws -> UnsafeMutablePointer<UInt32> {
        let key = key(place, index)
        if let region = regions[key] { return region.base.assumingMemoryBound(to: UInt32.self) }
        // 16 words past the end are read with the last vector.
        let region = try MemoryRegion.zeroed(floats: count + laneCount)
        regions[key] = region
        return region.base.assumingMemoryBound(to: UInt32.self)
    }
}
