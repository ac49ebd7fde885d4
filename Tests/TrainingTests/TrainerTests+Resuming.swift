import Foundation
import OrderedJSON
import Testing
import Training

/// Going on from a checkpoint, whole or damaged.
extension TrainerTests {
    @Test(arguments: ["linear", "greedy"], [1, 3])
    func `a resumed run ends with the same bits`(schedule: String, accumulation: Int) throws {
        let values: JSONObject = [
            "save_strategy": "steps", "save_steps": 3, "eval_strategy": "steps", "eval_steps": 2,
            "metric_for_best_model": "score", "lr_scheduler_type": JSONValue(schedule),
            "batch_sampler": "no_duplicates", "weight_decay": 0.01, "warmup_steps": 2,
            "dropout_rng": accumulation == 1 ? "torch" : "counter",
            "per_device_train_batch_size": 4,
            "gradient_accumulation_steps": JSONValue(accumulation),
            "lr_scheduler_kwargs": schedule == "greedy" ? ["patience": 0, "min_lr": 0] : .null,
        ]
        let whole = try make(values, loss: ranking(), evaluator: Counter([1]))
        let output = try whole.train()
        #expect(folder.exists("checkpoint-3/model.safetensors"))
        let resumed = try make(values, loss: ranking(), evaluator: Counter([1]))
        let again = try resumed.train(
            resumeFrom: .checkpoint(path: folder.file("checkpoint-3")))
        #expect(again.globalStep == output.globalStep)
        #expect(weights(resumed) == weights(whole))
        func losses(_ trainer: SentenceTransformerTrainer) -> [Double] {
            trainer.state.logHistory.filter { $0["loss"] != nil && $0["step"]?.intValue ?? 0 > 4 }
                .compactMap { $0["loss"]?.doubleValue }
        }
        #expect(losses(resumed) == losses(whole))
    }

    @Test func `an evaluation at the start does not move a resumed run's dropout`() throws {
        let values: JSONObject = [
            "save_strategy": "steps", "save_steps": 3, "eval_strategy": "epoch",
            "eval_on_start": true, "dropout_rng": "torch",
        ]
        let whole = try make(values, loss: ranking(), evaluator: Counter([1]))
        _ = try whole.train()
        let resumed = try make(values, loss: ranking(), evaluator: Counter([1]))
        _ = try resumed.train(resumeFrom: .checkpoint(path: folder.file("checkpoint-3")))
        #expect(weights(resumed) == weights(whole))
    }

    /// Checkpoint 2 of a short run.
    private func checkpoint(_ values: JSONObject = [:]) throws -> String {
        var values = values
        values["save_strategy"] = "steps"
        values["save_steps"] = 2
        values["max_steps"] = 2
        _ = try make(values).train()
        return folder.file("checkpoint-2")
    }

    /// What resuming says after one member of one of the checkpoint's files was changed.
    private func resuming(_ checkpoint: String, _ name: String, _ key: String, _ value: JSONValue)
        throws -> String
    {
        let path = checkpoint + "/" + name
        let text = try String(contentsOfFile: path, encoding: .utf8)
        var json = try #require(JSONValue.parse(text).objectValue)
        json[key] = value
        try JSONValue(json).json().write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? text.write(toFile: path, atomically: true, encoding: .utf8) }
        return message { _ = try make().train(resumeFrom: .checkpoint(path: checkpoint)) }
    }

    @Test func `numbers of a damaged checkpoint are refused by file, field and value`() throws {
        let checkpoint = try checkpoint()
        let most = JSONValue(Int.max)
        for (name, key, value, limit) in [
            ("trainer_state.json", "global_step", most, 2),
            ("trainer_state.json", "global_step", -1, 2),
            ("trainer_state.json", "global_step", "2", 2),
            ("trainer_state.json", "epoch_index", most, 2),
            ("trainer_state.json", "epoch_index", "a", 2),
            ("trainer_state.json", "batches_in_epoch", 1_000_000_000, 32),
            ("trainer_state.json", "batches_in_epoch", -1, 32),
            ("scheduler.json", "optimizer_steps", most, 2),
            ("rng_state.json", "batches_trained", most, 1 << 53),
        ] as [(String, String, JSONValue, Int)] {
            #expect(
                try resuming(checkpoint, name, key, value)
                    == "'\(checkpoint)/\(name)': \(key) is \(value.json()), expected a whole number "
                    + "from 0 to \(limit); use a checkpoint that a trainer wrote")
        }
        #expect(
            try resuming(checkpoint, "trainer_state.json", "log_history", [1])
                == "'\(checkpoint)/trainer_state.json': log_history holds 1, no log entry; use a "
                + "checkpoint that a trainer wrote")
        #expect(
            message { _ = try make().train(resumeFrom: .checkpoint(path: checkpoint)) }.isEmpty)
    }

    @Test func `a checkpoint of another optimizer is refused`() throws {
        let checkpoint = try checkpoint()
        let resume = ResumePoint.checkpoint(path: checkpoint)
        #expect(
            message { _ = try make(["optim": "sgd"]).train(resumeFrom: resume) }
                == "'\(checkpoint)/scheduler.json': was made with optim 'adamw_torch_fused', and this "
                + "run has optim 'sgd'; resume with optim 'adamw_torch_fused', or train from the "
                + "checkpoint's model")
        #expect(
            message { _ = try make(["optim": "adamw_torch"]).train(resumeFrom: resume) }.isEmpty)
    }

    @Test func `a training that can't begin leaves the history of the one before`() throws {
        let trainer = try make()
        _ = try trainer.train()
        let history = trainer.state.logHistory
        #expect(
            message { _ = try trainer.train(resumeFrom: .lastCheckpoint) }
                .contains("holds no checkpoint to resume from"))
        #expect(!history.isEmpty && trainer.state.logHistory == history)
        #expect(trainer.state.globalStep == 8)
    }

    @Test func `save_total_limit counts from the oldest, which an earlier run may have written`()
        throws
    {
        let values: JSONObject = ["save_strategy": "steps", "save_total_limit": 2]
        _ = try make(values.merging(["save_steps": 8])).train()
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)],
            ofItemAtPath: folder.file("checkpoint-8"))
        _ = try make(values.merging(["save_steps": 2, "max_steps": 6])).train()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(
            names.filter { $0.contains("checkpoint") }.sorted() == ["checkpoint-4", "checkpoint-6"])
    }
}

extension JSONObject {
    fileprivate func merging(_ others: JSONObject) -> JSONObject {
        var merged = self
        for (name, value) in others { merged[name] = value }
        return merged
    }
}
