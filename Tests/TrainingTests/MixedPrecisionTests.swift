import Foundation
import Logging
import OrderedJSON
import Testing
import Training

/// The encoder's passes in bfloat16, by plain C on any processor and by what this one has.
struct MixedPrecisionTests {
    private static let units = BFloat16.units
    private let folder: TemporaryFolder
    private let rows: [JSONObject]

    init() throws {
        folder = try TemporaryFolder()
        rows = try TrainingPeer.tiny.rows("nli-triplets", 48)
    }

    private func model(size: Int = 32, threads: Int = 2) throws -> SentenceTransformer {
        var options = NewModelOptions()
        options.config = [
            "hidden_size": JSONValue(size), "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 2,
        ]
        options.setVocabulary(
            corpus: rows.flatMap { row in row.compactMap { $0.value.stringValue } })
        var passes = SentenceTransformer.Options()
        passes.threads = threads
        return try SentenceTransformer(new: options, options: passes)
    }

    private func trainer(
        _ model: SentenceTransformer, _ values: JSONObject, _ logger: Logger
    ) throws -> SentenceTransformerTrainer {
        var arguments: JSONObject = ["output_dir": JSONValue(folder.path)]
        for (name, value) in values { arguments[name] = value }
        return try SentenceTransformerTrainer(
            model: model, args: SentenceTransformerTrainingArguments(arguments),
            evalDataset: .one(Dataset(rows: rows)),
            loss: .one(MultipleNegativesRankingLoss()), logger: logger)
    }

    /// The loss of an evaluation, and the warnings given.
    private func evaluate(
        _ values: JSONObject, unit: BFloat16.Unit?, size: Int = 32
    ) throws -> (loss: Double, warnings: [String]) {
        let log = LogRecorder()
        let model = try model(size: size)
        model.bfloat16Unit = unit
        let metrics = try trainer(model, values, log.logger).evaluate()
        return (try #require(metrics["eval_loss"]), log.messages)
    }

    @Test(arguments: units)
    func `bf16_full_eval moves an evaluation by bfloat16's rounding`(_ unit: BFloat16.Unit) throws {
        let exact = try evaluate([:], unit: unit)
        let rounded = try evaluate(["bf16_full_eval": true], unit: unit)
        #expect(isClose(rounded.loss, exact.loss, relative: 0.02), "\(rounded), \(exact)")
        #expect(rounded.loss != exact.loss)
        #expect(try evaluate(["bf16": true], unit: unit).loss == rounded.loss, "bf16 does, too")
        #expect(exact.warnings == [] && rounded.warnings == [])
    }

    @Test func `without the instructions there is a warning and float32`() throws {
        let exact = try evaluate([:], unit: nil)
        let rounded = try evaluate(["bf16": true], unit: nil)
        #expect(rounded.loss == exact.loss)
        #expect(
            rounded.warnings == [
                "bf16 has no effect: this processor has no bfloat16 instructions (AMX or "
                    + "AVX512_BF16); training runs in float32"
            ])
    }

    @Test func `a model whose sizes do not fit gives a warning, too`() throws {
        let exact = try evaluate([:], unit: .plain, size: 24)
        let rounded = try evaluate(["bf16_full_eval": true], unit: .plain, size: 24)
        #expect(rounded.loss == exact.loss)
        #expect(
            rounded.warnings == [
                "bf16_full_eval has no effect: the model's sizes 24 and 64 are not multiples of 32; "
                    + "evaluations run in float32"
            ])
    }

    /// A batch that is kept as a whole, and one that is cut into segments and groups.
    @Test(arguments: units, [48, 800])
    func `gradients follow float32's and are the same bits for any number of threads`(
        _ unit: BFloat16.Unit, _ sentences: Int
    ) throws {
        func gradients(_ unit: BFloat16.Unit?, threads: Int) throws -> [[Float]] {
            let model = try model(threads: threads)
            model.bfloat16Unit = unit
            let texts = (0..<sentences).map {
                rows[$0 % rows.count]["anchor"]?.stringValue ?? ""
            }
            let (tokens, _) = try model.tokens(texts, prompt: "")
            var batch = PackedBatch()
            for index in texts.indices { batch.append(tokens[index]) }
            return try model.withMixedPrecision(unit != nil) {
                let embeddings = try model.forward(batch, dropout: .counter(seed: 1, step: 0))
                try model.backward(embeddings)
                return [embeddings.values] + model.parameters.compactMap(\.gradientValues)
            }
        }
        let exact = try gradients(nil, threads: 2)
        let rounded = try gradients(unit, threads: 2)
        #expect(try gradients(unit, threads: 1) == rounded)
        #expect(try gradients(unit, threads: 3) == rounded)
        #expect(exact.count == rounded.count && exact.count > 30)
        let largest = exact.dropFirst().map(Self.norm).max() ?? 0
        for (a, b) in zip(exact, rounded) {
            let difference = Self.norm(zip(a, b).map { $0 - $1 })
            #expect(difference < 0.02 * Self.norm(a) + 1e-4 * largest)
        }
        #expect(exact != rounded)
    }

    @Test func `a backward pass in another precision than its forward pass is refused`() throws {
        let model = try model(threads: 1)
        model.bfloat16Unit = .plain
        let (tokens, _) = try model.tokens(["a text", "another one"], prompt: "")
        var batch = PackedBatch()
        for index in 0..<2 { batch.append(tokens[index]) }
        let embeddings = try model.withMixedPrecision(true) {
            try model.forward(batch, dropout: .off)
        }
        #expect(throws: TrainingError.self) { try model.backward(embeddings) }
        // The next step is one of float32, and works.
        let exact = try model.forward(batch, dropout: .off)
        try model.backward(exact)
        #expect(exact.values != embeddings.values)
    }

    private static func norm(_ values: [Float]) -> Float {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }
}

/// Keeps the warnings of a logger.
private final class LogRecorder: @unchecked Sendable {
    private let lock = NSLock()
    private var texts: [String] = []
    var messages: [String] { lock.withLock { texts } }
    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }

    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .warning

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            recorder.lock.withLock { recorder.texts.append("\(event.message)") }
        }
    }
}
