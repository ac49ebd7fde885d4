import OrderedJSON
import Testing
import Training

private func message(_ values: JSONObject) -> String {
    do {
        _ = try SentenceTransformerTrainingArguments(values)
        return ""
    } catch { return "\(error)" }
}

struct TrainingArgumentsTests {
    @Test func `every argument of Python is in the table with Python's default`() throws {
        let table = Dictionary(
            uniqueKeysWithValues: SentenceTransformerTrainingArguments.table.map { ($0.name, $0) })
        let golden = try #require(Golden.json("arguments.json").arrayValue)
        #expect(golden.count > 100)
        for entry in golden {
            let name = try #require(entry["name"]?.stringValue)
            let argument = try #require(table[name], "\(name)")
            let expected = try #require(entry["default"])
            if let number = expected.doubleValue {
                #expect(argument.defaultValue.doubleValue == number, "\(name)")
            } else {
                #expect(argument.defaultValue == expected, "\(name)")
            }
        }
        let own = Set(table.keys).subtracting(golden.compactMap { $0["name"]?.stringValue })
        #expect(own == ["dropout_rng"])
    }

    @Test func `values are read back with their types`() throws {
        let args = try SentenceTransformerTrainingArguments([
            "output_dir": "out", "per_device_train_batch_size": 32.0, "learning_rate": 2,
            "batch_sampler": "no_duplicates", "eval_strategy": "steps", "logging_steps": 10,
            "num_train_epochs": 2, "run_name": "hpo", "bf16": false, "report_to": "none",
        ])
        #expect(args.outputDir == "out")
        #expect(args.trainBatchSize == 32)
        #expect(args.learningRate == 2)
        #expect(args.batchSampler == .noDuplicates)
        #expect(args.evalStrategy == .steps)
        #expect(args.loggingSteps(of: 100) == 10)
        #expect(args.evalSteps(of: 100) == 10)
        #expect(args["per_device_train_batch_size"] == 32)
        #expect(args["eval_steps"] == 10.0)
        #expect(args["adam_beta2"] == 0.999)
        #expect(args["no_such_thing"] == nil)
    }

    @Test func `warm-up takes updates, fractions and the old ratio`() throws {
        func steps(_ values: JSONObject) throws -> Int {
            try SentenceTransformerTrainingArguments(values).warmupSteps(of: 95)
        }
        #expect(try steps([:]) == 0)
        #expect(try steps(["warmup_steps": 7]) == 7)
        #expect(try steps(["warmup_steps": 0.1]) == 10)
        #expect(try steps(["warmup_steps": 1.0]) == 1)
        #expect(try steps(["warmup_steps": 0.99]) == 95)
        #expect(try steps(["warmup_ratio": 0.2]) == 19)
        #expect(try steps(["warmup_ratio": 0.2, "warmup_steps": 3]) == 3)
    }

    @Test func `ratios of all updates become updates`() throws {
        let args = try SentenceTransformerTrainingArguments([
            "logging_steps": 0.25, "eval_steps": 0.1, "eval_strategy": "steps", "save_steps": 0.3,
        ])
        #expect(args.loggingSteps(of: 10) == 3)
        #expect(args.evalSteps(of: 25) == 3)
        #expect(args.saveSteps(of: 10) == 3)
    }

    @Test func `a search's suggestions take the arguments' own types`() throws {
        let base = try SentenceTransformerTrainingArguments(["output_dir": "o", "seed": 1])
        let args = try base.applying([
            "warmup_steps": 0.1, "per_device_train_batch_size": 64.0, "learning_rate": "3e-5",
            "num_train_epochs": 2, "seed": "7", "lr_scheduler_type": "cosine",
        ])
        #expect(args.warmupSteps(of: 100) == 10)
        #expect(args.trainBatchSize == 64)
        #expect(args.learningRate == 3e-5)
        #expect(args.seed == 7)
        #expect(args.lrSchedulerType == .cosine)
        #expect(base.seed == 1 && base.trainBatchSize == 8)
        #expect(throws: TrainingError.self) {
            try base.applying(["per_device_train_batch_size": 2.7])
        }
        #expect(throws: TrainingError.self) {
            try base.applying(["load_best_model_at_end": "False"])
        }
        #expect(throws: TrainingError.self) { try base.applying(["learning_rat": 0.1]) }
    }

    @Test(
        arguments: [
            (
                ["learning_rat": 0.1],
                "learning_rat: there is no such argument; did you mean 'learning_rate'?"
            ),
            (["warmup": 3], "warmup: there is no such argument"),
            (["learning_rate": "high"], "learning_rate: expected number, got string"),
            (["learning_rate": true], "learning_rate: expected number, got boolean"),
            (["learning_rate": -1], "learning_rate: must be 0.0 or more, got -1.0"),
            (["learning_rate": .double(.nan)], "learning_rate: must be a finite number, got nan"),
            (
                ["per_device_train_batch_size": 0],
                "per_device_train_batch_size: must be between 1 and 1000000, got 0"
            ),
            (
                ["per_device_train_batch_size": 2.5],
                "per_device_train_batch_size: expected a whole number, got 2.5"
            ),
            (
                ["per_device_train_batch_size": 1e300],
                "per_device_train_batch_size: expected a whole "
                    + "number, got 1e+300"
            ),
            (["fp16": true], "fp16: float16 training needs a GPU; use bf16 = true on a CPU"),
            (
                ["eval_strategy": "sometimes"],
                "eval_strategy: 'sometimes' is not a choice; use one of 'no', 'steps', 'epoch'"
            ),
            (["seed": 4_294_967_296], "seed: must be between 0 and 4294967295, got 4294967296"),
            (["adam_beta1": 1], "adam_beta1: must be at least 0.0 and below 1.0, got 1.0"),
            (
                ["optim": "rmsprop", "optim_args": "alpha=1"],
                "optim_args: alpha must be at least 0.0 and below 1.0, got 1.0"
            ),
            (
                ["optim": "adagrad", "optim_args": "eps=small"],
                "optim_args: eps is 'small', not a number"
            ),
            (
                ["optim": "sgd", "optim_args": "nesterov=maybe"],
                "optim_args: nesterov is 'maybe'; use true or false"
            ),
            (
                ["optim": "adafactor", "optim_args": "beta1=0.9"],
                "optim_args: 'adafactor' has no option 'beta1'; it takes none"
            ),
            (
                ["optim": "lion"],
                "optim: 'lion' is not a choice; use one of 'adamw_torch', "
                    + "'adamw_torch_fused', 'sgd', 'adagrad', 'rmsprop', 'adafactor'"
            ),
            (
                ["optim_args": "momentum=1"],
                "optim_args: 'adamw_torch_fused' has no option 'momentum'; it takes none"
            ),
            (
                ["lr_scheduler_type": "greedy"],
                "lr_scheduler_type: 'greedy' needs evaluations; set eval_strategy to 'steps' or 'epoch'"
            ),
            (
                ["load_best_model_at_end": true],
                "load_best_model_at_end: eval_strategy is 'no' and save_strategy is 'steps'; make them the "
                    + "same, or set save_strategy to 'best'"
            ),
            (
                [
                    "load_best_model_at_end": true, "eval_strategy": "steps", "eval_steps": 100,
                    "save_steps": 150,
                ],
                "load_best_model_at_end: save_steps (150.0) is not a multiple of eval_steps (100.0); save "
                    + "at every evaluation, or set save_strategy to 'best'"
            ),
            (["logging_steps": 0], "logging_steps: must not be 0 with strategy 'steps'"),
            (["logging_steps": 2.5], "logging_steps: must be a whole number above 1, got 2.5"),
            (
                ["report_to": "wandb"],
                "report_to: experiment trackers are not available; use \"none\"; trainer.state.log_history "
                    + "has every logged value"
            ),
            (
                ["push_to_hub": true],
                "push_to_hub: uploading is not available; save the model and upload "
                    + "the folder with another tool"
            ),
            (
                ["learning_rate_mapping": ["x": "y"]],
                "learning_rate_mapping: the rate of 'x' is not a "
                    + "number of 0 or more"
            ),
            (["lr_scheduler_kwargs": "{"], "lr_scheduler_kwargs: is not JSON"),
            (
                [
                    "learning_rate": 0, "lr_scheduler_type": "polynomial",
                    "lr_scheduler_kwargs": ["lr_end": -1],
                ],
                "lr_scheduler_kwargs: lr_end (-1.0) must be smaller than learning_rate (0.0), which "
                    + "must be above 0"
            ),
            (
                [
                    "learning_rate": 0, "lr_scheduler_type": "cosine_with_min_lr",
                    "lr_scheduler_kwargs": ["min_lr": 0],
                ],
                "lr_scheduler_kwargs: min_lr needs a learning_rate above 0; use min_lr_rate"
            ),
        ] as [(JSONObject, String)])
    func `wrong arguments are named with the way out`(values: JSONObject, expected: String) {
        let text = message(values)
        #expect(
            text.hasPrefix("SentenceTransformerTrainingArguments: \(expected)"), "\(text)")
    }

    @Test func `nil, false and empty ask for nothing`() throws {
        _ = try SentenceTransformerTrainingArguments([
            "fp16": false, "gradient_checkpointing": false, "report_to": [], "deepspeed": .null,
            "fsdp": "", "router_mapping": [:], "neftune_noise_alpha": .null,
        ])
    }

    @Test func `what does nothing is said`() throws {
        let args = try SentenceTransformerTrainingArguments([
            "dataloader_num_workers": 4, "label_smoothing_factor": 0.1, "use_cpu": true,
            "do_train": true, "resume_from_checkpoint": "old",
        ])
        #expect(
            Set(args.warnings) == [
                "dataloader_num_workers has no effect: texts are tokenized once, before the first step",
                "label_smoothing_factor has no effect: losses over embeddings have no labels to smooth",
                "resume_from_checkpoint has no effect: give it to "
                    + "trainer:train{ resume_from_checkpoint = ... }",
            ])
    }

    @Test func `every argument works, says that it does nothing, or is refused`() throws {
        // A value of the argument's type that is not its default.
        func other(_ argument: TrainingArgument) -> JSONValue {
            switch (argument.defaultValue, argument.kind) {
            case (.bool(let flag), _): .bool(!flag)
            case (.int(let number), _): .int(number + 1)
            case (.double(let number), _): .double(number + 1)
            case (_, .int): 2
            default: "other"
            }
        }
        for argument in SentenceTransformerTrainingArguments.table {
            func made() throws -> SentenceTransformerTrainingArguments {
                try SentenceTransformerTrainingArguments([argument.name: other(argument)])
            }
            switch argument.support {
            case .supported: continue
            case .withoutEffect:
                let warnings = try made().warnings
                #expect(
                    argument.name == "use_cpu" || argument.name.hasPrefix("do_")
                        || ["prediction_loss_only", "remove_unused_columns"].contains(argument.name)
                        || warnings.contains { $0.hasPrefix(argument.name) }, "\(argument.name)")
            case .refused:
                #expect(message([argument.name: other(argument)]).contains(argument.name))
            }
        }
    }

    @Test(
        arguments: [
            (["prompts": 5], "prompts: expected string or table of strings by name, got number"),
            (["prompts": ["a": 5]], "prompts: expected a string or a table of strings for 'a'"),
            (
                ["prompts": ["nli": ["a": 5]]],
                "prompts: expected a string or a table of strings for 'nli'"
            ),
            (["do_train": "yes"], "do_train: expected boolean, got string"),
            (["hub_strategy": 5], "hub_strategy: expected string, got number"),
        ] as [(JSONObject, String)])
    func `types are checked where nothing else is`(values: JSONObject, expected: String) {
        #expect(message(values).hasSuffix(expected), "\(message(values))")
    }

    @Test func `prompts may be JSON`() throws {
        let args = try SentenceTransformerTrainingArguments(["prompts": #"{"a": "q: "}"#])
        #expect(args.prompt(column: "a", dataset: nil) == "q: ")
        #expect(args.prompt(column: "b", dataset: nil) == nil)
        let one = try SentenceTransformerTrainingArguments(["prompts": "{q} "])
        #expect(one.prompt(column: "b", dataset: nil) == "{q} ")
    }

    @Test func `prompts are found by column, by dataset and for all`() throws {
        func args(_ prompts: JSONValue) throws -> SentenceTransformerTrainingArguments {
            try SentenceTransformerTrainingArguments(["prompts": prompts])
        }
        #expect(try args("query: ").prompt(column: "a", dataset: nil) == "query: ")
        let columns = try args(["a": "q: ", "b": "d: "])
        #expect(columns.prompt(column: "b", dataset: nil) == "d: ")
        #expect(columns.prompt(column: "c", dataset: nil) == nil)
        let datasets = try args(["nli": "n: ", "sts": ["a": "s: "]])
        #expect(datasets.prompt(column: "x", dataset: "nli") == "n: ")
        #expect(datasets.prompt(column: "a", dataset: "sts") == "s: ")
        #expect(datasets.prompt(column: "b", dataset: "sts") == nil)
    }

    @Test func `the best metric has a name and a direction`() throws {
        #expect(try SentenceTransformerTrainingArguments().metricForBestModel == nil)
        let loss = try SentenceTransformerTrainingArguments([
            "load_best_model_at_end": true, "save_strategy": "best",
        ])
        #expect(loss.metricForBestModel == "loss" && !loss.greaterIsBetter)
        let score = try SentenceTransformerTrainingArguments([
            "metric_for_best_model": "dev_spearman_cosine"
        ])
        #expect(score.greaterIsBetter)
    }

    @Test func `the help names every supported argument`() {
        let help = SentenceTransformerTrainingArguments.help
        #expect(help.contains("per_device_train_batch_size (8): rows of a training batch"))
        #expect(!help.contains("deepspeed"))
    }
}
