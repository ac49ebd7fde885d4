import Foundation
import OrderedJSON
import Testing
import Training

/// Losses that work in mini-batches, and activations that are computed again: less memory, the same
/// numbers. Golden values: scripts/golden/cached_losses.py.
@Suite(.serialized)
struct CachedLossTests {
    @Test(arguments: 0..<4)
    func `training with dropout follows Python's`(place: Int) throws {
        let run = try #require(Golden.json("cached-losses.json")["runs"]?.arrayValue?[place])
        let folder = try TemporaryFolder()
        let columns = run["columns"]?.arrayValue?.compactMap(\.stringValue) ?? []
        let trainer = try SentenceTransformerTrainer(
            model: TrainingPeer.tiny.load(),
            args: SentenceTransformerTrainingArguments([
                "output_dir": JSONValue(folder.path), "save_strategy": "no", "logging_steps": 1,
                "seed": 42, "per_device_train_batch_size": 16, "num_train_epochs": 2,
                "learning_rate": 1e-3, "dropout_rng": "torch",
            ]),
            trainDataset: .one(TrainingPeer.tiny.dataset("nli-triplets").selectColumns(columns)),
            loss: .one(makeLoss(run)))
        _ = try trainer.train()
        let wanted = try #require(run["log_history"]?.arrayValue)
        let log = trainer.state.logHistory.filter { $0["loss"] != nil }
        #expect(log.count == wanted.count && log.count == 8)
        for (entry, expected) in zip(log, wanted) {
            for key in ["loss", "grad_norm", "learning_rate"] {
                let (own, python) = (entry[key]?.doubleValue, expected[key]?.doubleValue)
                #expect(
                    isClose(
                        try #require(own), try #require(python), relative: 1e-3, absolute: 1e-9),
                    "step \(entry["step"] ?? .null) \(key): \(own ?? .nan), Python \(python ?? .nan)"
                )
            }
        }
    }

    private func makeLoss(_ run: JSONValue) throws -> any Loss {
        typealias Ranking = MultipleNegativesRankingLoss
        let keywords = run["keywords"]
        let size = keywords?["mini_batch_size"]?.intValue ?? 32
        if run["loss"]?.stringValue == "CachedMultipleNegativesSymmetricRankingLoss" {
            return try Ranking.symmetric(miniBatches: MiniBatches(owner: "test", size: size))
        }
        let directions = keywords?["directions"]?.arrayValue?.compactMap {
            $0.stringValue.flatMap(Ranking.Direction.init)
        }
        return try Ranking.cached(
            miniBatchSize: size, miniBatchTokens: keywords?["mini_batch_num_tokens"]?.intValue,
            directions: directions ?? [.queryToDoc],
            hardnessMode: keywords?["hardness_mode"]?.stringValue.flatMap(
                Ranking.HardnessMode.init),
            hardnessStrength: keywords?["hardness_strength"]?.doubleValue ?? 0)
    }

    @Test(arguments: ["bert", "distilbert", "modules"])
    func `activations computed again give the gradients of kept ones`(name: String) throws {
        let batch = Self.batch(sentences: 260)
        func pass(_ limit: Int) throws -> (Matrix, [Parameter]) {
            let model = try ModelGolden.model(name)
            let mode = DropoutMode.counter(seed: 3, step: 5)
            let embeddings = try model.forward(batch, dropout: mode, keeping: limit)
            let gradient = Matrix(rows: embeddings.rows, columns: embeddings.columns)
            for place in 0..<gradient.rows * gradient.columns {
                gradient.storage[place] = Float(place % 7) - 3
            }
            try model.backward(gradient)
            return (embeddings, model.parameters)
        }
        let (whole, kept) = try pass(.max)
        for limit in [1, 900, 2000] {
            let (embeddings, again) = try pass(limit)
            #expect(embeddings.values == whole.values)
            for (one, other) in zip(kept, again) {
                guard let wanted = one.gradientValues, let found = other.gradientValues else {
                    continue
                }
                let size = wanted.map(\.magnitude).max() ?? 0
                expectClose(found, wanted, absolute: 2e-5 * size, relative: 1e-4, one.name)
                #expect(one.touchedRows == other.touchedRows)
            }
        }
    }

    @Test func `segments cover the chunks in order and keep to the limit`() throws {
        let config = try ModelGolden.model("bert").transformerConfig
        for sentences in [0, 1, 3, 50, 260, 700] {
            let plan = try BatchPlan(Self.batch(sentences: sentences), config: config)
            for limit in [1, 700, 1024, 2560, 100_000] {
                let segments = plan.segments(limit: limit)
                #expect(segments.flatMap(Array.init) == Array(plan.chunks.indices))
                for segment in segments where segment.count > 1 {
                    #expect(plan.tokens(of: segment).count <= limit)
                }
                if plan.tokenCount <= limit { #expect(segments.count == 1) }
                // Only the first may be small, and not smaller than a quarter by much.
                for segment in segments.dropFirst() {
                    #expect(2 * plan.tokens(of: segment).count >= min(limit, 700))
                }
                for size in [1, 800, 2560] {
                    for segment in segments {
                        let groups = plan.groups(of: segment, limit: size)
                        #expect(groups.flatMap(Array.init) == Array(segment))
                        for group in groups where group.count > 1 {
                            #expect(plan.tokens(of: group).count <= size)
                        }
                        if plan.tokens(of: segment).count <= size { #expect(groups.count == 1) }
                    }
                }
            }
        }
    }

    @Test func `mini-batches hold some texts, or some tokens and one text at least`() throws {
        let bySize = try MiniBatches(owner: "test", size: 2)
        #expect(bySize.ranges([5, 5, 5]) == [0..<2, 2..<3])
        let byTokens = try MiniBatches(owner: "test", size: 2, tokens: 10)
        #expect(byTokens.ranges([4, 6, 1, 30, 2, 2]) == [0..<2, 2..<3, 3..<4, 4..<6])
        #expect(byTokens.ranges([]).isEmpty)
        #expect(throws: TrainingError.self) { try MiniBatches(owner: "test", size: 0) }
        #expect(throws: TrainingError.self) { try MiniBatches(owner: "test", size: 1, tokens: 0) }
    }

    @Test func `the ranking loss of many rows, in parts, is the sum over single rows`() throws {
        // 2,100 rows: similarities of 16 MB and more are computed in parts.
        let rows = 2100
        let embeddings = Matrix(rows: 2 * rows, columns: 4)
        var state: UInt32 = 9
        for place in 0..<embeddings.rows * 4 {
            state = state &* 1_664_525 &+ 1_013_904_223
            embeddings.storage[place] = Float(state >> 8) / Float(1 << 23) - 1
        }
        let loss = try MultipleNegativesRankingLoss(scale: 1, similarityFct: .dot)
        let result = try loss.evaluate(LossBatch(embeddings: embeddings, columns: 2))
        func dot(_ row: Int, _ other: Int) -> Double {
            (0..<4).reduce(0) { $0 + Double(embeddings[row, $1]) * Double(embeddings[other, $1]) }
        }
        var total = 0.0
        var first = [Double](repeating: 0, count: 4)
        for row in 0..<rows {
            let exponentials = (0..<rows).map { exp(dot(row, rows + $0)) }
            let sum = exponentials.reduce(0, +)
            total += log(sum) - dot(row, rows + row)
            // d loss / d first document.
            let share = (exponentials[0] / sum - (row == 0 ? 1 : 0)) / Double(rows)
            for column in 0..<4 { first[column] += share * Double(embeddings[row, column]) }
        }
        #expect(isClose(result.value, total / Double(rows), relative: 1e-5, absolute: 0))
        let gradient = try #require(result.gradient)
        for column in 0..<4 {
            #expect((Double(gradient[rows, column]) - first[column]).magnitude < 1e-7)
        }
    }

    @Test func `gradient_checkpointing changes no number beyond rounding`() throws {
        func log(_ value: JSONValue) throws -> [JSONObject] {
            let folder = try TemporaryFolder()
            let trainer = try SentenceTransformerTrainer(
                model: TrainingPeer.tiny.load(),
                args: SentenceTransformerTrainingArguments([
                    "output_dir": JSONValue(folder.path), "save_strategy": "no",
                    "logging_steps": 1, "num_train_epochs": 1, "per_device_train_batch_size": 64,
                    "gradient_checkpointing": value,
                ]),
                trainDataset: .one(TrainingPeer.tiny.dataset("nli-triplets")),
                loss: .one(MultipleNegativesRankingLoss()))
            _ = try trainer.train()
            return trainer.state.logHistory.filter { $0["loss"] != nil }
        }
        for (entry, other) in zip(try log(false), try log(true)) {
            for key in ["loss", "grad_norm"] {
                let (one, two) = (entry[key]?.doubleValue ?? .nan, other[key]?.doubleValue ?? .nan)
                #expect(isClose(one, two, relative: 1e-5, absolute: 0), "\(key): \(one), \(two)")
            }
        }
    }

    private static func batch(sentences: Int) -> PackedBatch {
        var batch = PackedBatch()
        var state: UInt32 = 5
        for sentence in 0..<sentences {
            batch.append(
                (0..<5 + sentence % 23).map { _ -> Int32 in
                    state = state &* 1_664_525 &+ 1_013_904_223
                    return Int32(state >> 8) % 39
                })
        }
        return batch
    }
}
