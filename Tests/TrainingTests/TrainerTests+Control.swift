import OrderedJSON
import Testing
import Training

/// What ends a run or an epoch, what changes between two, and what is refused before the first.
extension TrainerTests {
    /// Updates of a run of twice 8 batches, 3 of them for an update, in which a callback sets a flag
    /// once, after the first update.
    private func updates(
        _ event: TrainerEvent, _ flag: WritableKeyPath<TrainerControl, Bool>
    ) throws -> Int {
        var isDone = false
        let boss = FunctionCallback { seen, context, control in
            guard seen == event, context.state.globalStep == 1, !isDone else { return }
            isDone = true
            control[keyPath: flag] = true
        }
        let trainer = try make(
            ["per_device_train_batch_size": 4, "gradient_accumulation_steps": 3],
            callbacks: [boss])
        return try trainer.train().globalStep
    }

    @Test func `flags are heard between two updates`() throws {
        #expect(try updates(.substepEnd, \.shouldTrainingStop) == 1)
        #expect(try updates(.stepBegin, \.shouldTrainingStop) == 1)
        #expect(try updates(.substepEnd, \.shouldEpochStop) == 1 + 3)
        #expect(try updates(.stepEnd, \.shouldEpochStop) == 1 + 3)
    }

    @Test func `changed arguments leave the history and the place in the run`() throws {
        let trainer = try make(evaluates: true)
        _ = try trainer.train()
        let entries = trainer.state.logHistory.count
        var values: JSONObject = ["output_dir": JSONValue(folder.path)]
        values["per_device_eval_batch_size"] = 16
        try trainer.setArguments(SentenceTransformerTrainingArguments(values))
        #expect(trainer.state.logHistory.count == entries)
        var batches = 0
        trainer.hooks.progress = { event in
            if case .evaluationBatch(_, let count) = event { batches = count }
        }
        _ = try trainer.evaluate()
        #expect(batches == 2)
        #expect(trainer.state.logHistory.last?["epoch"] == 2.0)
        values["eval_strategy"] = "epoch"
        values["save_strategy"] = "best"
        #expect(
            message { try trainer.setArguments(SentenceTransformerTrainingArguments(values)) }
                == "SentenceTransformerTrainingArguments: metric_for_best_model: is needed with "
                + "save_strategy 'best'; name the metric that decides, for example \"loss\"")
    }

    @Test func `arguments of a running training don't change`() throws {
        let trainer = try make()
        var refused = ""
        trainer.addCallback(
            FunctionCallback { [unowned trainer] event, context, _ in
                guard event == .trainBegin else { return }
                refused = message { try trainer.setArguments(context.args) }
            })
        _ = try trainer.train()
        #expect(refused.contains("args: can't change during a training"))
    }

    @Test func `a dataset without a loss is refused before training`() throws {
        let table = try TrainingPeer.tiny.dataset("stsb-train", 8)
        func trainer(_ names: [String], evaluating: [String]) -> String {
            message {
                _ = try SentenceTransformerTrainer(
                    model: TrainingPeer.tiny.load(),
                    trainDataset: .named(names.map { ($0, table) }),
                    evalDataset: .named(evaluating.map { ($0, table) }),
                    loss: .named([("a", CoSENTLoss()), ("b", CoSENTLoss())]))
            }
        }
        #expect(trainer(["a"], evaluating: ["a", "b"]).isEmpty)
        #expect(
            trainer(["a", "b"], evaluating: ["a", "c"])
                == "SentenceTransformerTrainer: loss: there is no loss for dataset 'c'; use the same "
                + "names for losses and datasets")
        #expect(trainer(["d"], evaluating: ["a"]).contains("there is no loss for dataset 'd'"))
    }
}
