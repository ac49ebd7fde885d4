// The table of training arguments: what each is called, takes, defaults to and does. Order and
// defaults are Python's; `TrainingArgumentsTests` compares them with a list written from there.

import OrderedJSON

extension SentenceTransformerTrainingArguments {
    /// All arguments, supported or not.
    public static let table: [TrainingArgument] =
        runArguments + optimizerArguments + eventArguments + dataArguments + otherArguments

    /// A page of help, one paragraph per supported argument.
    public static var help: String {
        table.compactMap { argument in
            guard case .supported = argument.support else { return nil }
            let fallback = argument.defaultValue.isNull ? "nil" : argument.defaultValue.json()
            return "\(argument.name) (\(fallback)): \(argument.help)"
        }.joined(separator: "\n")
    }

    private static func argument(
        _ name: String, _ kind: ArgumentKind, _ fallback: JSONValue, _ help: String,
        _ support: TrainingArgument.Support = .supported
    ) -> TrainingArgument {
        TrainingArgument(
            name: name, kind: kind, defaultValue: fallback, support: support, help: help)
    }

    /// Accepted, and does nothing in Python's trainer either.
    private static func ignored(
        _ name: String, _ fallback: JSONValue, _ reason: String, harmless: [JSONValue] = []
    ) -> TrainingArgument {
        let kind: ArgumentKind =
            switch fallback {
            case .bool: .bool
            case .int: .int(atLeast: -1)
            case .double: .number(.atLeast(0))
            case .string: .text
            default: .anything
            }
        return TrainingArgument(
            name: name, kind: kind, defaultValue: fallback, support: .withoutEffect(reason),
            help: reason, harmless: harmless)
    }

    private static func refused(
        _ name: String, _ fallback: JSONValue, _ reason: String, hint: String? = "leave it out",
        harmless: [JSONValue] = [false, "", [:], []]
    ) -> TrainingArgument {
        TrainingArgument(
            name: name, kind: .anything, defaultValue: fallback,
            support: .refused(reason, hint: hint), help: reason, harmless: harmless)
    }

    // MARK: - Length and randomness of a run

    private static let runArguments: [TrainingArgument] = [
        argument(
            "output_dir", .text, .null,
            "folder of checkpoints and evaluation files; \"trainer_output\" when left out"),
        argument(
            "per_device_train_batch_size", .int(atLeast: 1, atMost: 1_000_000), 8,
            "rows of a training batch"),
        argument(
            "num_train_epochs", .number(.upTo(1e9, atLeast: 0)), 3.0,
            "passes over the training data; may have a fraction"),
        argument(
            "max_steps", .int(atLeast: -1, atMost: 1 << 40), -1,
            "updates to make, whatever num_train_epochs says; -1: as many as the epochs have"),
        argument(
            "gradient_accumulation_steps", .int(atLeast: 1, atMost: 1_000_000), 1,
            "batches per update"),
        argument(
            "seed", .int(atLeast: 0, atMost: 4_294_967_295), 42,
            "seed of dropout and of the order of batches"),
        argument(
            "data_seed", .int(atLeast: 0), .null,
            "seed of the order of batches with batch_sampler 'batch_sampler'; seed when left out"),
        argument(
            "full_determinism", .bool, false,
            "nothing to switch on: a run is always the same for the same seed"),
        argument(
            "dropout_rng", .choice(["counter", "torch"]), "counter",
            "where dropout masks come from: 'counter', fast and independent of the number of "
                + "threads, or 'torch', the masks of PyTorch on a CPU for the same seed"),
    ]

    // MARK: - Optimizer and schedule

    private static let optimizerArguments: [TrainingArgument] = [
        argument(
            "learning_rate", .number(.atLeast(0)), 5e-5, "the rate that the schedule multiplies"),
        argument(
            "lr_scheduler_type", .choice(SchedulerType.allCases.map(\.rawValue)), "linear",
            "course of the learning rate"),
        argument(
            "lr_scheduler_kwargs", .table, .null,
            "options of that course, for example { num_cycles = 2 }"),
        argument(
            "warmup_steps", .number(.atLeast(0)), 0.0,
            "updates of warm-up; below 1, the fraction of all updates (1 is one update)"),
        argument(
            "warmup_ratio", .number(.upTo(1, atLeast: 0)), .null,
            "fraction of all updates, used when warmup_steps is 0; warmup_steps says the same"),
        argument(
            "optim", .choice(OptimizerOptions.optimizerNames), "adamw_torch_fused",
            "the optimizer; adamw_torch and adamw_torch_fused are the same here"),
        argument(
            "optim_args", .text, .null,
            "options of the optimizer as \"name=value,name=value\": sgd takes momentum, dampening "
                + "and nesterov, adagrad lr_decay and eps, rmsprop momentum, alpha, eps and "
                + "centered"),
        argument(
            "weight_decay", .number(.atLeast(0)), 0.0,
            "decoupled decay of all weights but biases and normalisation"),
        argument("adam_beta1", .number(.within(0, below: 1)), 0.9, "decay of the first moment"),
        argument("adam_beta2", .number(.within(0, below: 1)), 0.999, "decay of the second moment"),
        argument(
            "adam_epsilon", .number(.atLeast(0)), 1e-8, "added to the root of the second moment"),
        argument(
            "max_grad_norm", .number(.any), 1.0,
            "gradients are scaled down to this norm; 0 or less: never"),
        argument(
            "learning_rate_mapping", .table, [:],
            "regular expression over parameter names -> learning rate of those that match"),
        refused("optim_target_modules", .null, "GaLore optimizers are not available"),
        ignored(
            "label_smoothing_factor", 0.0,
            "losses over embeddings have no labels to smooth"),
        refused(
            "fp16", false, "float16 training needs a GPU", hint: "use bf16 = true on a CPU"),
        argument(
            "bf16", .bool, false,
            "the encoder's products in bfloat16, with float32 weights, sums and loss"),
        refused(
            "fp16_full_eval", false, "float16 evaluation needs a GPU", hint: "leave it out"),
        argument(
            "bf16_full_eval", .bool, false,
            "the encoder's products in bfloat16 in evaluations, also where bf16 = false"),
        refused("tf32", .null, "TF32 is a mode of GPUs"),
        argument(
            "activation_checkpointing", .bool, .null,
            "whether activations of large batches are computed again instead of kept: less memory,"
                + " up to a third more time"),
        ignored("activation_checkpointing_kwargs", .null, "for PyTorch's implementation only"),
        argument(
            "gradient_checkpointing", .bool, .null, "an older name of activation_checkpointing"),
        ignored("gradient_checkpointing_kwargs", .null, "for PyTorch's implementation only"),
        refused("neftune_noise_alpha", .null, "NEFTune noise is not available"),
        refused("auto_find_batch_size", false, "batch sizes are not searched for on a CPU"),
    ]

    // MARK: - Logging, evaluation, saving

    private static let strategies = ["no", "steps", "epoch"]

    private static let eventArguments: [TrainingArgument] = [
        argument("logging_strategy", .choice(strategies), "steps", "when to log"),
        argument(
            "logging_steps", .number(.atLeast(0)), 500.0,
            "updates between logs; below 1, a fraction of all updates"),
        argument("logging_first_step", .bool, false, "also log the first update"),
        argument(
            "logging_nan_inf_filter", .bool, true,
            "kept for scripts from Python: a loss that is not finite stops the run with an error",
            .withoutEffect("a loss that is not finite stops the run with an error")),
        argument(
            "eval_strategy", .choice(strategies), "no",
            "when to evaluate; needs an eval_dataset or an evaluator"),
        argument(
            "eval_steps", .number(.atLeast(0)), .null,
            "updates between evaluations, logging_steps when left out; below 1, a fraction"),
        argument(
            "eval_delay", .number(.atLeast(0)), 0.0,
            "updates (strategy steps) or epochs (strategy epoch) before the first evaluation"),
        argument("eval_on_start", .bool, false, "evaluate before the first update"),
        argument(
            "per_device_eval_batch_size", .int(atLeast: 1, atMost: 1_000_000), 8,
            "rows of an evaluation batch"),
        argument(
            "save_strategy", .choice(strategies + ["best"]), "steps",
            "when to save a checkpoint; best: when metric_for_best_model improves"),
        argument(
            "save_steps", .number(.atLeast(0)), 500.0,
            "updates between checkpoints; below 1, a fraction of all updates"),
        argument(
            "save_total_limit", .int(atLeast: 0), .null,
            "checkpoints to keep; the newest and the best always stay"),
        argument(
            "save_only_model", .bool, false, "leave out what only resuming needs"),
        argument(
            "load_best_model_at_end", .bool, false, "end with the weights of the best checkpoint"),
        argument(
            "metric_for_best_model", .text, .null,
            "metric that decides what is best, with or without eval_; \"loss\" when one is needed"),
        argument(
            "greater_is_better", .bool, .null,
            "direction of that metric; by default it should grow unless its name ends in loss"),
        argument("disable_tqdm", .bool, .null, "show no progress bar"),
        argument("run_name", .text, .null, "a name of the run, kept for scripts that read it"),
        refused(
            "report_to", "none", "experiment trackers are not available",
            hint: "use \"none\"; trainer.state.log_history has every logged value",
            harmless: ["none", [], ["none"]]),
        argument(
            "log_level", .anything, "passive", "verbosity",
            .withoutEffect("set the level of the program instead")),
        refused(
            "include_num_input_tokens_seen", "no", "tokens are not counted",
            harmless: [false, "no"]),
        refused("skip_memory_metrics", true, "memory is not measured", harmless: [true]),
        refused("debug", "", "there is nothing to debug here"),
        refused(
            "push_to_hub", false, "uploading is not available",
            hint: "save the model and upload the folder with another tool"),
    ]

    // MARK: - Data

    private static let dataArguments: [TrainingArgument] = [
        argument("dataloader_drop_last", .bool, false, "leave out a short last batch"),
        argument(
            "batch_sampler", .choice(BatchSamplers.allCases.map(\.rawValue)), "batch_sampler",
            "which rows make up a batch"),
        argument(
            "multi_dataset_batch_sampler",
            .choice(MultiDatasetBatchSamplers.allCases.map(\.rawValue)), "proportional",
            "how batches of several datasets follow each other"),
        argument(
            "prompts", .prompts, .null,
            "text put before every text: one string, { column = prompt }, { dataset = prompt } or "
                + "{ dataset = { column = prompt } }"),
        refused("router_mapping", [:], "models with a Router are not available"),
        argument(
            "dataloader_num_workers", .int(atLeast: 0), 0, "loader processes",
            .withoutEffect("texts are tokenized once, before the first step")),
        argument(
            "dataloader_prefetch_factor", .int(atLeast: 0), .null, "batches per loader process",
            .withoutEffect("there are no loader processes")),
        argument(
            "dataloader_persistent_workers", .bool, false, "keep loader processes",
            .withoutEffect("there are no loader processes")),
        argument(
            "eval_accumulation_steps", .int(atLeast: 0), .null, "moves results off a device",
            .withoutEffect("results are in memory already")),
        ignored("dataloader_pin_memory", true, "for GPUs"),
        ignored("dataloader_multiprocessing_context", .null, "for loader processes"),
        ignored("dataloader_in_order", true, "for loader processes"),
        ignored(
            "remove_unused_columns", true, "no column is ever dropped", harmless: [false]),
        ignored("train_sampling_strategy", "random", "batch_sampler decides"),
        ignored("length_column_name", "length", "batch_sampler decides"),
        ignored("label_names", .null, "columns label, labels, score and scores are labels"),
        argument(
            "ignore_data_skip", .bool, false,
            "resume with the first batch of the epoch instead of the next one"),
    ]

    // MARK: - Accepted without effect, or refused

    private static let unused: [(reason: String, arguments: [(String, JSONValue)])] = [
        (
            "there is one process",
            [
                ("average_tokens_across_devices", true), ("log_on_each_node", true),
                ("log_level_replica", "warning"), ("save_on_each_node", false),
                ("accelerator_config", .null), ("ddp_find_unused_parameters", .null),
                ("ddp_bucket_cap_mb", .null), ("ddp_broadcast_buffers", .null),
                ("ddp_static_graph", .null), ("ddp_backend", .null), ("ddp_timeout", 1800),
                ("local_rank", -1), ("fsdp_config", .null),
            ]
        ),
        (
            "experiment trackers are not available",
            [
                ("project", "huggingface"), ("trackio_space_id", .null),
                ("trackio_bucket_id", .null), ("trackio_static_space_id", .null),
            ]
        ),
        (
            "nothing is uploaded",
            [
                ("hub_token", .null), ("hub_private_repo", .null), ("hub_model_id", .null),
                ("hub_strategy", "every_save"), ("hub_always_push", false),
                ("hub_revision", .null),
            ]
        ),
        (
            "losses and evaluators make the metrics",
            [
                ("eval_do_concat_batches", true), ("eval_use_gather_object", false),
                ("include_for_metrics", []), ("batch_eval_metrics", false),
            ]
        ),
        (
            "it is for GPUs, or for models that generate text",
            [
                ("use_cache", false), ("torch_empty_cache_steps", .null),
                ("liger_kernel_config", .null),
            ]
        ),
    ]

    private static let otherArguments: [TrainingArgument] =
        unused.flatMap { reason, arguments in
            arguments.map { ignored($0.0, $0.1, reason) }
        } + [
            ignored(
                "prediction_loss_only", false, "it is always so here", harmless: [true]),
            ignored("use_cpu", false, "there is nothing but the CPU", harmless: [true]),
            ignored("do_train", false, "call trainer:train()", harmless: [true]),
            ignored("do_eval", false, "call trainer:evaluate()", harmless: [true]),
            ignored("do_predict", false, "there is no prediction", harmless: [true]),
            ignored(
                "resume_from_checkpoint", .null,
                "give it to trainer:train{ resume_from_checkpoint = ... }"),
            refused("torch_compile", false, "there is no torch to compile"),
            refused("torch_compile_backend", .null, "there is no torch to compile"),
            refused("torch_compile_mode", .null, "there is no torch to compile"),
            refused("use_liger_kernel", false, "Liger kernels are for GPUs"),
            refused("enable_jit_checkpoint", false, "checkpoints on a signal are not available"),
            refused(
                "restore_callback_states_from_checkpoint", false,
                "states of callbacks are not restored"),
            refused("parallelism_config", .null, "there is one process"),
            refused("fsdp", .null, "there is one process"),
            refused("deepspeed", .null, "DeepSpeed is not available"),
        ]
}
