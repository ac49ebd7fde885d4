import Foundation
import OrderedJSON
import Testing
import Training

/// Runs against numbers that sentence-transformers wrote (scripts/golden/training.py): on the tiny model
/// everywhere, on all-MiniLM-L6-v2 where ST_HOST_MODEL and shared/data are given.
@Suite(.serialized)
struct TrainerParityTests {
    private static let reason: Comment = "needs ST_HOST_MODEL and ../shared/data"

    @Test func `gradients of every parameter equal torch's on the tiny model`() throws {
        try checkGradients(.tiny)
    }

    @Test(.enabled(if: TrainingPeer.real != nil, reason))
    func `gradients of every parameter equal torch's on MiniLM`() throws {
        try checkGradients(#require(TrainingPeer.real))
    }

    @Test func `thirty updates follow Python's on the tiny model`() throws {
        try checkSteps(.tiny)
    }

    @Test(.enabled(if: TrainingPeer.real != nil, reason))
    func `thirty updates follow Python's on MiniLM`() throws {
        try checkSteps(#require(TrainingPeer.real))
    }

    /// Python rounds the results of products and attention to bfloat16 as well, we the operands of
    /// products alone: losses agree to a few of bfloat16's steps of 0.8 %, not to float's.
    @Test(
        .enabled(if: TrainingPeer.real != nil, reason),
        arguments: BFloat16.units.isEmpty ? [.plain] : BFloat16.units)
    func `updates in bfloat16 follow Python's on MiniLM`(_ unit: BFloat16.Unit) throws {
        try checkSteps(
            #require(TrainingPeer.real), "bf16", loss: 0.03, norm: 0.06, bfloat16Unit: unit)
    }

    @Test func `an epoch with torch's dropout follows Python's on the tiny model`() throws {
        try checkEpoch(.tiny)
    }

    @Test(.enabled(if: TrainingPeer.real != nil, reason))
    func `an epoch with torch's dropout follows Python's on MiniLM`() throws {
        try checkEpoch(#require(TrainingPeer.real))
    }

    // MARK: - Gradients

    private func checkGradients(_ peer: TrainingPeer) throws {
        let model = try peer.load()
        let golden = try peer.golden("gradients")
        let rows = try #require(golden["rows"]?.intValue)
        let triplets = try peer.rows("nli-triplets", rows)
        let pairs = try peer.rows("stsb-train", rows)
        for entry in try #require(golden["cases"]?.arrayValue) {
            let name = try #require(entry["name"]?.stringValue)
            let loss = try makeLoss(name)
            let isPair = name == "cosine" || name == "cosent"
            let columns = isPair ? ["sentence1", "sentence2"] : ["anchor", "positive", "negative"]
            let used = columns.prefix(try #require(entry["columns"]?.intValue))
            let table = isPair ? pairs : triplets
            var batch = PackedBatch()
            for column in used {
                let texts = table.compactMap { $0[column]?.stringValue }
                let (tokens, _) = try model.tokens(texts, prompt: "")
                for index in texts.indices { batch.append(tokens[index]) }
            }
            for parameter in model.parameters { parameter.zeroGradient() }
            let embeddings = try model.forward(batch, dropout: .off)
            let labels = LossLabels(pairs.compactMap { $0["score"]?.doubleValue.map { Float($0) } })
            let result = try loss.evaluate(
                LossBatch(
                    embeddings: embeddings, columns: used.count, labels: isPair ? labels : nil))
            let value = try #require(entry["loss"]?.doubleValue)
            #expect(
                isClose(result.value, value, relative: 1e-4, absolute: 1e-6),
                "\(name): \(result.value), Python has \(value)")
            try model.backward(#require(result.gradient))
            try compare(model.parameters, entry, name)
        }
    }

    private func compare(_ parameters: [Parameter], _ entry: JSONValue, _ name: String) throws {
        let tensors = try #require(entry["tensors"]?.arrayValue)
        #expect(tensors.count == parameters.count)
        let byName = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0) })
        // Tensors whose gradient is zero up to rounding (key biases) are measured against the rest.
        let largest = tensors.compactMap { $0["norm"]?.doubleValue }.max() ?? 0
        for tensor in tensors {
            let key = try #require(tensor["name"]?.stringValue)
            let parameter = try #require(byName[key], "\(key)")
            guard let norm = tensor["norm"]?.doubleValue else {
                #expect(parameter.gradient == nil || GradientNorm([parameter]).total == 0, "\(key)")
                continue
            }
            let own = GradientNorm([parameter]).total
            let tolerance = 1e-4 * norm + 1e-6 * largest
            #expect(
                (own - norm).magnitude <= tolerance, "\(name) \(key): norm \(own), Python \(norm)")
            for probe in tensor["probes"]?.arrayValue ?? [] {
                let index = try #require(probe[0]?.intValue)
                let wanted = try #require(probe[1]?.doubleValue)
                let value = Double(try #require(parameter.gradient)[index])
                #expect(
                    (value - wanted).magnitude <= tolerance,
                    "\(name) \(key)[\(index)]: \(value), Python \(wanted)")
            }
        }
    }

    private func makeLoss(_ name: String) throws -> any Loss {
        switch name {
        case "mnrl-triplets", "mnrl-pairs": try MultipleNegativesRankingLoss()
        case "mnrl-four-directions":
            try MultipleNegativesRankingLoss(
                directions: MultipleNegativesRankingLoss.Direction.allCases,
                hardnessMode: .hardNegatives, hardnessStrength: 5)
        case "cosine": try CosineSimilarityLoss()
        case "cosent": try CoSENTLoss()
        case "triplet-euclidean": try TripletLoss()
        case "triplet-cosine": try TripletLoss(distanceMetric: .cosine, tripletMargin: 0.5)
        default: throw TrainingError.internalError("no case \(name)")
        }
    }

    // MARK: - Runs

    private func checkSteps(
        _ peer: TrainingPeer, _ part: String = "steps", loss: Double = 1e-3, norm: Double = 1e-3,
        bfloat16Unit: BFloat16.Unit? = nil
    ) throws {
        let folder = try TemporaryFolder()
        let golden = try peer.golden(part)
        var values: JSONObject = [
            "output_dir": JSONValue(folder.path), "save_strategy": "no", "logging_steps": 1,
            "seed": 42,
        ]
        for (name, value) in golden["arguments"]?.objectValue ?? [:] { values[name] = value }
        let model = try peer.load(folder.withoutDropout(peer.model))
        model.bfloat16Unit = bfloat16Unit
        let trainer = try SentenceTransformerTrainer(
            model: model, args: SentenceTransformerTrainingArguments(values),
            trainDataset: .one(peer.dataset("nli-triplets", golden["rows"]?.intValue)),
            loss: .one(MultipleNegativesRankingLoss()))
        let output = try trainer.train()
        #expect(output.globalStep == golden["global_step"]?.intValue)
        try compareLogs(trainer.state.logHistory, golden, loss: loss, norm: norm)
    }

    private func checkEpoch(_ peer: TrainingPeer) throws {
        let golden = try peer.golden("epoch")
        for run in try #require(golden["runs"]?.arrayValue) {
            let folder = try TemporaryFolder()
            let args = try SentenceTransformerTrainingArguments([
                "output_dir": JSONValue(folder.path), "save_strategy": "no", "logging_steps": 1,
                "seed": 42, "num_train_epochs": 1, "eval_strategy": "epoch",
                "per_device_train_batch_size": #require(golden["batch"]),
                "batch_sampler": #require(run["batch_sampler"]), "dropout_rng": "torch",
            ])
            let trainer = try SentenceTransformerTrainer(
                model: peer.load(), args: args,
                trainDataset: .one(peer.dataset("nli-triplets", golden["rows"]?.intValue)),
                loss: .one(MultipleNegativesRankingLoss()), evaluator: peer.evaluator())
            _ = try trainer.train()
            try compareLogs(trainer.state.logHistory, run)
        }
    }

    /// Every logged entry: keys in order, losses and norms within their relative tolerance, other
    /// numbers within 1e-3, scores within 3e-4.
    private func compareLogs(
        _ own: [JSONObject], _ golden: JSONValue, loss: Double = 1e-3, norm: Double = 1e-3
    ) throws {
        let expected = try #require(golden["log_history"]?.arrayValue).compactMap { $0.objectValue }
        #expect(own.count == expected.count)
        for (entry, wanted) in zip(own, expected) {
            let kept = entry.filter {
                !$0.key.contains("runtime") && !$0.key.contains("per_second")
            }
            #expect(kept.map(\.key) == wanted.map(\.key))
            for (key, value) in wanted {
                let number = try #require(value.doubleValue)
                let mine = try #require(entry[key]?.doubleValue, "\(key)")
                let isScore = key.hasPrefix("eval_")
                let relative = key.hasSuffix("loss") ? loss : key == "grad_norm" ? norm : 1e-3
                #expect(
                    isClose(
                        mine, number, relative: isScore ? 0 : relative,
                        absolute: isScore ? 3e-4 : 1e-9),
                    "step \(wanted["step"] ?? .null) \(key): \(mine), Python \(number)")
            }
        }
    }
}
