import OrderedJSON
import Testing
import Training

/// What an evaluation's numbers are made of, and where nothing may be written.
extension TrainerTests {
    @Test func `a dropped rest of the rows still weighs the last evaluation batch`() throws {
        let table = try TrainingPeer.tiny.dataset("stsb-train", 10)
        let args = try SentenceTransformerTrainingArguments([
            "output_dir": JSONValue(folder.path), "per_device_eval_batch_size": 3,
            "dataloader_drop_last": true,
        ])
        let trainer = try SentenceTransformerTrainer(
            model: TrainingPeer.tiny.load(), args: args, evalDataset: .one(table),
            loss: .one(CosineSimilarityLoss()))
        let batches = try makeBatchSampler([table], args, batchSize: 3, isMulti: false).allBatches(
            epoch: 0)
        let losses = try batches.map { rows in
            try #require(trainer.evaluate(.one(table.select(rows)))["eval_loss"])
        }
        #expect(losses.count == 3)
        // 10 rows make three batches of 3, and 1 is left.
        let expected = (losses[0] * 3 + losses[1] * 3 + losses[2]) / 7
        let loss = try #require(trainer.evaluate()["eval_loss"])
        #expect((loss - expected).magnitude < 1e-5 * expected)
    }

    @Test func `an evaluation without a batch has no loss`() throws {
        let trainer = try make(
            ["per_device_eval_batch_size": 33, "dataloader_drop_last": true],
            evaluator: Counter([7]), evaluates: true)
        let metrics = try trainer.evaluate()
        #expect(metrics["eval_loss"] == nil && metrics["eval_score"] == 7)
    }

    @Test func `an empty path is no folder`() throws {
        let trainer = try make()
        #expect(
            message { try trainer.saveModel(to: "") }
                == "SentenceTransformerTrainer: output_dir: is empty; name the folder to write, or "
                + "leave it out for the arguments' output_dir")
        #expect(
            message { try trainer.model.save(to: "") }
                == "SentenceTransformer: path: is empty; name the folder to write; \".\" is the "
                + "current one")
        #expect(
            message { _ = try make(["output_dir": ""]) }
                == "SentenceTransformerTrainingArguments: output_dir: is empty; name a folder; "
                + "\".\" is the current one")
    }
}
