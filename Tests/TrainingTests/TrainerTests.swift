import Foundation
import OrderedJSON
import Testing
import Training

/// The loop's behaviour on the tiny model; its numbers are checked by TrainerParityTests.
struct TrainerTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func make(
        _ values: JSONObject = [:], rows: Int = 32, loss: TrainerLoss? = nil,
        evaluator: (any Evaluator)? = nil, evaluates: Bool = false,
        callbacks: [any TrainerCallback] = [], threads: Int = 1
    ) throws -> SentenceTransformerTrainer {
        var arguments: JSONObject = [
            "output_dir": JSONValue(folder.path), "save_strategy": "no", "logging_steps": 2,
            "per_device_train_batch_size": 8, "num_train_epochs": 2,
        ]
        for (name, value) in values { arguments[name] = value }
        var peer = TrainingPeer.tiny
        peer.threads = threads
        let isDefault = loss == nil
        let table = try peer.dataset(isDefault ? "stsb-train" : "nli-triplets", rows)
        return try SentenceTransformerTrainer(
            model: peer.load(), args: SentenceTransformerTrainingArguments(arguments),
            trainDataset: .one(table), evalDataset: evaluates ? .one(table) : nil, loss: loss,
            evaluator: evaluator, callbacks: callbacks)
    }

    func weights(_ trainer: SentenceTransformerTrainer) -> [Float] {
        trainer.model.parameters.flatMap(\.values)
    }

    func ranking() throws -> TrainerLoss { .one(try MultipleNegativesRankingLoss()) }

    /// An evaluator that says 1, 2, 3 and so on, or what it is given.
    final class Counter: Evaluator, @unchecked Sendable {
        var scores: [Double]
        var calls = 0
        init(_ scores: [Double]) { self.scores = scores }
        var primaryMetric: String? { "score" }
        func evaluate(_ model: SentenceTransformer, _ context: EvaluationContext) -> Metrics {
            defer { calls += 1 }
            return ["score": scores[min(calls, scores.count - 1)]]
        }
    }

    // MARK: - The model card

    @Test func `the README of a trained model tells what it was trained on and how`() throws {
        let trainer = try make(
            ["eval_strategy": "epoch", "learning_rate": 1e-4], loss: ranking(),
            evaluator: Counter([0.25, 0.5]), evaluates: true)
        _ = try trainer.train()
        try trainer.saveModel(to: folder.file("model"))
        let card = try String(contentsOfFile: folder.file("model/README.md"), encoding: .utf8)
        for line in [
            "- generated_from_trainer", "- dataset_size:32",
            "- \"loss:MultipleNegativesRankingLoss\"", "- source_sentence: \"",
            "    - type: \"score\"\n      value: 0.5\n", "| **score** | **0.5** |",
            "* Size: 32 training samples", "* Size: 32 evaluation samples",
            "<code>anchor</code>, <code>positive</code>, <code>negative</code>", " tokens</li>",
            "    - `scale`: 20.0", "- `learning_rate`: 0.0001",
            "- `num_train_epochs`: 2",
            "| Epoch | Step | Training Loss | Validation Loss | score |",
            "#### MultipleNegativesRankingLoss\n```bibtex", "- **Training**: ",
        ] {
            #expect(card.contains(line), "\(line)")
        }
        #expect(!card.contains(folder.path), "no path of this machine")
    }

    // MARK: - The loop

    @Test func `memory of activations lasts as long as training`() throws {
        let trainer = try make(["max_steps": 2])
        let model = trainer.model
        var seen: [Bool] = []
        trainer.addCallback(
            FunctionCallback { event, _, _ in
                if event == .stepEnd { seen.append(model.holdsActivations) }
            })
        _ = try trainer.train()
        #expect(seen == [true, true])
        #expect(!model.holdsActivations)
    }

    @Test func `without a loss CoSENTLoss is used`() throws {
        let trainer = try make(["logging_steps": 1, "max_steps": 1])
        let output = try trainer.train()
        #expect(output.globalStep == 1)
        let loss = try #require(trainer.state.logHistory.first?["loss"]?.doubleValue)
        #expect(loss > 0 && output.trainingLoss == loss)
    }

    @Test func `logs have Python's keys and the last entry sums up`() throws {
        let trainer = try make(["logging_first_step": true], evaluator: Counter([1]))
        let output = try trainer.train()
        let history = trainer.state.logHistory
        #expect(history.map { $0["step"]?.intValue } == [1, 2, 4, 6, 8, 8])
        #expect(
            history[1].map(\.key) == ["loss", "grad_norm", "learning_rate", "epoch", "step"])
        #expect(
            history[5].map(\.key) == [
                "train_runtime", "train_samples_per_second", "train_steps_per_second",
                "total_flos", "train_loss", "epoch", "step",
            ])
        #expect(output.metrics["epoch"] == 2)
        #expect(output.metrics["train_loss"] == output.trainingLoss)
    }

    @Test func `max_steps overrides epochs and repeats the data`() throws {
        let trainer = try make(["max_steps": 11])
        #expect(try trainer.train().globalStep == 11)
        #expect(trainer.state.epoch == 2.75)
        #expect(trainer.state.numTrainEpochs == 3)
    }

    @Test func `accumulated batches give the update of one large batch`() throws {
        let path = try folder.withoutDropout(TrainingPeer.tiny.model)
        func run(_ batch: Int, _ accumulation: Int) throws -> [Float] {
            let trainer = try SentenceTransformerTrainer(
                model: TrainingPeer.tiny.load(path),
                args: SentenceTransformerTrainingArguments([
                    "output_dir": JSONValue(folder.path), "save_strategy": "no",
                    "per_device_train_batch_size": JSONValue(batch), "optim": "sgd",
                    "gradient_accumulation_steps": JSONValue(accumulation), "max_steps": 3,
                    "learning_rate": 0.1,
                ]), trainDataset: .one(TrainingPeer.tiny.dataset("stsb-train", 32)),
                loss: .one(CosineSimilarityLoss()))
            _ = try trainer.train()
            return weights(trainer)
        }
        let (whole, parts) = (try run(16, 1), try run(4, 4))
        #expect(firstDifference(parts, whole, relative: 1e-4, absolute: 1e-5) == nil)
    }

    @Test func `the same seed gives the same bits for any number of threads`() throws {
        func run(seed: Int, threads: Int) throws -> [Float] {
            let trainer = try make(
                ["seed": JSONValue(seed), "weight_decay": 0.1], loss: ranking(), threads: threads)
            _ = try trainer.train()
            return weights(trainer)
        }
        let first = try run(seed: 1, threads: 1)
        #expect(try run(seed: 1, threads: 1) == first)
        #expect(try run(seed: 1, threads: 3) == first)
        #expect(try run(seed: 2, threads: 1) != first)
    }

    @Test func `several datasets train with their own losses`() throws {
        let peer = TrainingPeer.tiny
        let triplets = try peer.dataset("nli-triplets", 24)
        let pairs = try peer.dataset("stsb-train", 16)
        let trainer = try SentenceTransformerTrainer(
            model: peer.load(),
            args: SentenceTransformerTrainingArguments([
                "output_dir": JSONValue(folder.path), "save_strategy": "no",
                "num_train_epochs": 1, "eval_strategy": "epoch",
            ]), trainDataset: .named([("nli", triplets), ("sts", pairs)]),
            evalDataset: .named([("nli", triplets), ("sts", pairs)]),
            loss: .named([
                ("sts", CosineSimilarityLoss()), ("nli", MultipleNegativesRankingLoss()),
            ]), evaluator: Counter([1]))
        #expect(try trainer.train().globalStep == 5)
        let keys = Set(trainer.state.logHistory.flatMap { $0.map(\.key) })
        #expect(keys.isSuperset(of: ["eval_nli_loss", "eval_sts_loss", "eval_score"]))
        #expect(!keys.contains("eval_sts_score"))
        let outside = try trainer.evaluate()
        #expect(outside["eval_nli_score"] == 1 && outside["eval_sts_score"] == 1)
    }

    @Test func `learning rates can be mapped to parameters`() throws {
        let trainer = try make(
            ["learning_rate_mapping": ["embeddings": 0.0], "max_steps": 2], loss: ranking())
        let before = Dictionary(
            uniqueKeysWithValues: trainer.model.parameters.map { ($0.name, $0.values) })
        _ = try trainer.train()
        for parameter in trainer.model.parameters where parameter.gradient != nil {
            let isFixed = parameter.name.contains("embeddings")
            #expect((parameter.values == before[parameter.name]) == isFixed, "\(parameter.name)")
        }
    }

    // MARK: - Evaluation, callbacks, hooks

    @Test func `evaluation gives the mean loss and the evaluator's metrics`() throws {
        let trainer = try make(
            ["per_device_eval_batch_size": 5], evaluator: Counter([7]), evaluates: true)
        let metrics = try trainer.evaluate()
        #expect(
            metrics.keys == [
                "eval_loss", "eval_score", "eval_runtime", "eval_samples_per_second",
                "eval_steps_per_second",
            ])
        #expect(metrics["eval_score"] == 7)
        #expect(trainer.state.logHistory.count == 1)
    }

    @Test func `strategies decide when events happen`() throws {
        var seen: [String] = []
        let spy = FunctionCallback { event, context, _ in
            seen.append("\(event.rawValue) \(context.state.globalStep)")
        }
        let trainer = try make(
            ["eval_strategy": "steps", "eval_steps": 3, "eval_delay": 4, "eval_on_start": true],
            evaluator: Counter([1]), callbacks: [spy])
        _ = try trainer.train()
        #expect(
            seen.filter { $0.hasPrefix("on_evaluate") } == [
                "on_evaluate 0", "on_evaluate 6", "on_evaluate 8",
            ])
        #expect(
            seen.filter { $0.hasPrefix("on_epoch") } == [
                "on_epoch_begin 0", "on_epoch_end 4", "on_epoch_begin 4", "on_epoch_end 8",
            ])
        #expect(seen.first == "on_init_end 0" && seen.last == "on_train_end 8")
    }

    @Test func `callbacks can stop, evaluate and log`() throws {
        let boss = FunctionCallback { event, context, control in
            guard event == .stepEnd else { return }
            control.shouldLog = context.state.globalStep == 3
            control.shouldEvaluate = context.state.globalStep == 1
            control.shouldTrainingStop = context.state.globalStep == 5
        }
        let trainer = try make(evaluator: Counter([1]), callbacks: [boss])
        #expect(try trainer.train().globalStep == 5)
        let steps = trainer.state.logHistory.map { entry in
            "\(entry["step"]?.intValue ?? -1) \(entry.first?.key ?? "")"
        }
        #expect(steps == ["1 eval_score", "3 loss", "5 train_runtime"])
    }

    @Test func `early stopping waits for its patience`() throws {
        let trainer = try make(
            [
                "eval_strategy": "steps", "eval_steps": 1, "num_train_epochs": 5,
                "metric_for_best_model": "score", "greater_is_better": true,
            ], evaluator: Counter([1, 3, 2, 3, 3.05, 4]),
            callbacks: [try EarlyStoppingCallback(patience: 3, threshold: 0.1)])
        #expect(try trainer.train().globalStep == 5)
        #expect(trainer.state.bestMetric == 3.05)
    }

    @Test func `the evaluation hook can end a run`() throws {
        let trainer = try make(
            ["eval_strategy": "steps", "eval_steps": 2], evaluator: Counter([1, 2, 3]))
        var heard: [Int] = []
        trainer.hooks.evaluation = { metrics, step in
            heard.append(step)
            return metrics["eval_score"] == 2 ? .stop : .goOn
        }
        let output = try trainer.train()
        #expect(output.stoppedByEvaluation && output.globalStep == 4)
        #expect(heard == [2, 4])
    }

    @Test func `a cancelled run throws`() throws {
        let cancellation = Cancellation()
        let stopper = FunctionCallback { event, context, _ in
            if event == .stepEnd, context.state.globalStep == 3 { cancellation.cancel() }
        }
        let trainer = try make(callbacks: [stopper])
        trainer.hooks.cancellation = cancellation
        #expect(throws: TrainingError.cancelled) { try trainer.train() }
        #expect(trainer.state.globalStep == 3)
    }

    @Test func `metric-driven rates follow evaluations`() throws {
        let trainer = try make(
            [
                "eval_strategy": "steps", "eval_steps": 1,
                "lr_scheduler_type":
                    "reduce_lr_on_plateau", "lr_scheduler_kwargs": ["patience": 1, "factor": 0.5],
                "metric_for_best_model": "score", "logging_steps": 1,
            ], evaluator: Counter([1]))
        _ = try trainer.train()
        let rates = trainer.state.logHistory.compactMap { $0["learning_rate"]?.doubleValue }
        #expect(rates == [5e-5, 5e-5, 5e-5, 2.5e-5, 2.5e-5, 1.25e-5, 1.25e-5, 6.25e-6])
    }

    // MARK: - Checkpoints

    @Test func `the best checkpoint is kept and loaded at the end`() throws {
        let trainer = try make(
            [
                "save_strategy": "steps", "save_steps": 2, "eval_strategy": "steps",
                "eval_steps": 2, "load_best_model_at_end": true, "save_total_limit": 1,
                "metric_for_best_model": "eval_score",
            ], loss: ranking(), evaluator: Counter([1, 5, 3, 2]))
        _ = try trainer.train()
        #expect(trainer.state.bestGlobalStep == 4 && trainer.state.bestMetric == 5)
        #expect(trainer.state.bestModelCheckpoint == folder.file("checkpoint-4"))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.filter { $0.contains("checkpoint") } == ["checkpoint-4"])
        let best = try TrainingPeer.tiny.load(folder.file("checkpoint-4"))
        #expect(best.parameters.flatMap(\.values) == weights(trainer))
    }

    @Test func `trainer_state json has Python's keys`() throws {
        let trainer = try make(
            ["save_strategy": "epoch", "num_train_epochs": 1, "save_only_model": true])
        _ = try trainer.train()
        let text = try String(
            contentsOfFile: folder.file("checkpoint-4/trainer_state.json"), encoding: .utf8)
        let json = try #require(JSONValue.parse(text).objectValue)
        #expect(
            Set(json.map(\.key)).isSuperset(of: [
                "best_global_step", "best_metric", "best_model_checkpoint", "epoch", "eval_steps",
                "global_step", "is_hyper_param_search", "is_local_process_zero",
                "is_world_process_zero", "log_history", "logging_steps", "max_steps",
                "num_input_tokens_seen", "num_train_epochs", "save_steps", "stateful_callbacks",
                "total_flos", "train_batch_size", "trial_name", "trial_params",
            ]))
        #expect(json["global_step"] == 4)
        #expect(!folder.exists("checkpoint-4/optimizer.safetensors"))
        #expect(
            throws: TrainingError.file(
                path: folder.file("checkpoint-4"),
                problem: "has no optimizer.safetensors and scheduler.json",
                hint: "resuming needs checkpoints saved with save_only_model = false")
        ) { try make().train(resumeFrom: .lastCheckpoint) }
    }

    // MARK: - Errors

    func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch { return "\(error)" }
    }

    @Test func `a loss that is not a number names the update`() throws {
        let text = message {
            let trainer = try make(["learning_rate": 1e30, "max_grad_norm": 0], loss: ranking())
            _ = try trainer.train()
        }
        #expect(text.contains("is not finite at step 2"), "\(text)")
        #expect(text.contains("lower learning_rate"))
    }

    @Test func `data that does not fit is refused before the first update`() throws {
        func train(_ columns: [(name: String, values: [JSONValue])], _ loss: any Loss) -> String {
            message {
                let trainer = try SentenceTransformerTrainer(
                    model: TrainingPeer.tiny.load(), trainDataset: .one(Dataset(columns: columns)),
                    loss: .one(loss))
                _ = try trainer.train()
            }
        }
        let texts: [JSONValue] = ["a", "b"]
        #expect(
            train([("a", texts), ("b", [1, 2])], try MultipleNegativesRankingLoss())
                == "column 'b' holds an integer in row 1, and a loss needs text; drop the column with "
                + "remove_columns, or the row with filter")
        #expect(
            train([("a", texts), ("b", ["x", .null])], try MultipleNegativesRankingLoss())
                .hasPrefix("column 'b' holds nothing in row 2"))
        #expect(
            train([("a", texts), ("b", texts), ("score", ["x", "y"])], try CoSENTLoss())
                == "label column 'score' holds a string in row 1, and CoSENTLoss needs finite numbers"
        )
        #expect(
            train([("a", []), ("b", [])], try MultipleNegativesRankingLoss())
                == "the dataset has no rows")
        #expect(
            train([("a", texts), ("dataset_name", texts)], try MultipleNegativesRankingLoss())
                == "a column may not be called 'dataset_name'; rename it")
        #expect(
            message { _ = try make(["dataloader_drop_last": true], rows: 5).train() }
                == "there is no batch: 5 rows, per_device_train_batch_size 8, dataloader_drop_last "
                + "true; use smaller batches or keep the last one")
    }

    @Test func `a trainer without data says what is missing`() throws {
        let model = try TrainingPeer.tiny.load()
        #expect(
            message { _ = try SentenceTransformerTrainer(model: model).train() }
                == "SentenceTransformerTrainer: train_dataset: is missing; give the trainer a dataset "
                + "to train on")
        #expect(
            message { _ = try SentenceTransformerTrainer(model: model).evaluate() }
                .contains("eval_dataset: is missing, and there is no evaluator"))
        #expect(
            message { _ = try make(["eval_strategy": "epoch"]) }
                == "SentenceTransformerTrainingArguments: eval_strategy: is 'epoch', and there is "
                + "nothing to evaluate; give the trainer an eval_dataset or an evaluator")
        #expect(
            message {
                _ = try make(loss: .named([("x", CoSENTLoss())])).train()
            }.contains("there are losses for 'x', and the datasets have no names"))
    }

    @Test func `a metric that is not there is named`() throws {
        let text = message {
            _ = try make(
                ["eval_strategy": "epoch", "metric_for_best_model": "f1"], evaluator: Counter([1])
            ).train()
        }
        #expect(
            text
                == "SentenceTransformerTrainingArguments: metric_for_best_model: 'eval_f1' is not among "
                + "the metrics; use one of eval_score, eval_runtime, eval_samples_per_second, "
                + "eval_steps_per_second, epoch")
    }

    @Test func `console lines look like Python's`() {
        #expect(
            TrainerHooks.consoleLine([
                "loss": 0.191563, "learning_rate": 1e-05, "total_flos": 0.0, "epoch": 0.5,
                "step": 1,
            ]) == "{'loss': '0.1916', 'learning_rate': '1e-05', 'epoch': '0.5'}")
    }
}
