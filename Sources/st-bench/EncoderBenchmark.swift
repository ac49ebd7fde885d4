// Whole passes of a real model over one batch of natural language inference triplets.
import Training

/// Token counts of the first 64 triplets of an NLI development set (anchors, positives, negatives)
/// under the BERT vocabulary: 2,401 tokens in 192 sentences.
private let sentenceLengths = [
    12, 36, 21, 19, 22, 29, 21, 11, 13, 16, 26, 13, 9, 17, 9, 13, 20, 30, 28, 21, 24, 23, 27,
    21, 22, 15, 16, 13, 30, 15, 10, 14, 25, 17, 17, 19, 14, 14, 18, 30, 13, 13, 13, 22, 13,
    25, 16, 12, 13, 10, 19, 14, 10, 13, 12, 14, 16, 11, 15, 14, 13, 12, 28, 21, 8, 11, 11, 5,
    9, 14, 10, 7, 5, 11, 7, 9, 7, 11, 8, 14, 8, 13, 13, 10, 13, 7, 9, 10, 10, 8, 10, 10, 9, 7,
    8, 6, 5, 10, 7, 7, 7, 9, 9, 10, 9, 12, 6, 22, 8, 11, 9, 9, 7, 10, 10, 11, 10, 6, 10, 11,
    10, 11, 10, 9, 11, 8, 21, 7, 11, 10, 12, 7, 9, 10, 9, 9, 5, 12, 6, 9, 8, 12, 14, 15, 8,
    13, 7, 9, 18, 7, 9, 8, 7, 9, 9, 11, 10, 13, 9, 10, 5, 12, 20, 8, 7, 10, 8, 10, 11, 11, 9,
    12, 10, 15, 7, 8, 8, 9, 16, 12, 11, 7, 12, 11, 9, 13, 11, 18, 7, 11, 18, 8,
]

func runEncoderBenchmark(_ options: BenchmarkOptions) throws {
    guard let folder = options.model else { fail("give --model FOLDER or set ST_HOST_MODEL") }
    var modelOptions = SentenceTransformer.Options()
    modelOptions.threads = options.threads
    let model = try SentenceTransformer(path: folder, options: modelOptions)
    let config = model.transformerConfig

    var batch = PackedBatch()
    var state: UInt32 = 1
    for length in sentenceLengths {
        let ids = (0..<length).map { _ -> Int32 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Int32(state >> 8) % Int32(config.vocabSize)
        }
        batch.append(ids)
    }
    let perToken =
        2.0 * Double(config.layerCount)
        * Double(
            4 * config.hiddenSize * config.hiddenSize
                + 2 * config.hiddenSize * config.intermediateSize)
    let forwardWork = perToken * Double(batch.tokenCount)
    let shape = "\(batch.sentenceCount) x \(batch.tokenCount) tokens"
    let rate = sgemmRate(model.workerPool(), options, config)

    let gradient = Matrix(rows: batch.sentenceCount, columns: model.outputDimension)
    for index in 0..<gradient.rows * gradient.columns {
        gradient.storage[index] = Float(index % 17 - 8) * 1e-4
    }
    var step: UInt64 = 0
    func report(_ name: String, _ work: Double, _ body: () throws -> Void) rethrows {
        // The passes can't fail once one has succeeded.
        try body()
        let measurement = Measurement(repetitions: options.repetitions) { try? body() }
        let share = work / measurement.median / rate
        let tokens = Double(batch.tokenCount) / measurement.median
        BenchmarkLine(
            name: name, shape: shape, threads: options.threads, measurement: measurement,
            operations: work,
            remark: "\(Int(tokens)) tokens/s, \(Int((share * 100).rounded()))% of sgemm"
        ).print(json: options.json)
    }
    if options.bf16, let problem = model.mixedPrecisionProblem { fail("--bf16: \(problem)") }
    try model.withMixedPrecision(options.bf16) {
        try report("embed", forwardWork) { _ = try model.embed(batch) }
        try report("forward", forwardWork) { _ = try model.forward(batch, dropout: .off) }
        try report("forward, dropout", forwardWork) {
            step += 1
            _ = try model.forward(batch, dropout: .counter(seed: 1, step: step))
        }
        try report("forward + backward", 3 * forwardWork) {
            _ = try model.forward(batch, dropout: .off)
            try model.backward(gradient)
        }
        try report("forward + backward, dropout", 3 * forwardWork) {
            step += 1
            _ = try model.forward(batch, dropout: .counter(seed: 1, step: step))
            try model.backward(gradient)
        }
    }
}

/// The rate that all others are a share of.
func runSgemmBenchmark(_ options: BenchmarkOptions) throws {
    guard let folder = options.model else { fail("give --model FOLDER or set ST_HOST_MODEL") }
    let model = try SentenceTransformer(path: folder)
    _ = sgemmRate(WorkerPool(threads: options.threads), options, model.transformerConfig)
}

/// What the BLAS library reaches on this machine now: one large product per thread.
private func sgemmRate(
    _ pool: WorkerPool, _ options: BenchmarkOptions, _ config: TransformerConfig
) -> Double {
    let rows = 1024
    let inputs = config.hiddenSize
    let outputs = config.intermediateSize
    let operands = (0..<pool.threads).map { _ in
        (Numbers(rows * inputs), Numbers(outputs * inputs), Numbers(rows * outputs))
    }
    let measurement = Measurement(repetitions: options.repetitions) {
        pool.run(4 * pool.threads) { _, worker in
            let (x, w, y) = operands[worker]
            blasForward(rows, inputs, outputs, x.pointer, w.pointer, y.pointer)
        }
    }
    let work = 8.0 * Double(pool.threads) * Double(rows * inputs * outputs)
    BenchmarkLine(
        name: "sgemm", shape: "\(rows)x\(inputs)x\(outputs)", threads: pool.threads,
        measurement: measurement, operations: work
    ).print(json: options.json)
    return work / measurement.median
}
