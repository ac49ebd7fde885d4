// Typed access to the arguments, the values that follow from others, and the checks that need more
// than one of them. Called by the trainer.

import Glibc
import OrderedJSON

public enum IntervalStrategy: String, Sendable {
    case no, steps, epoch
    /// Saving only: when the metric improves.
    case best
}

extension SentenceTransformerTrainingArguments {
    /// "~" at the start stands for the home folder.
    public var outputDir: String {
        let path = text("output_dir") ?? "trainer_output"
        guard path == "~" || path.hasPrefix("~/"), let home = getenv("HOME") else { return path }
        return String(cString: home) + path.dropFirst()
    }
    public var trainBatchSize: Int { int("per_device_train_batch_size") }
    public var evalBatchSize: Int { int("per_device_eval_batch_size") }
    public var numTrainEpochs: Double { number("num_train_epochs") }
    public var maxSteps: Int { int("max_steps") }
    public var gradientAccumulationSteps: Int { int("gradient_accumulation_steps") }
    public var seed: UInt64 { UInt64(int("seed")) }
    public var dataSeed: UInt64? { optional("data_seed")?.intValue.map { UInt64($0) } }
    public var usesTorchDropout: Bool { text("dropout_rng") == "torch" }
    /// Either name switches it on.
    public var activationCheckpointing: Bool {
        ["activation_checkpointing", "gradient_checkpointing"].contains {
            optional($0)?.boolValue == true
        }
    }

    public var learningRate: Double { number("learning_rate") }
    public var lrSchedulerType: SchedulerType {
        text("lr_scheduler_type").flatMap(SchedulerType.init) ?? .linear
    }
    public var optim: String { text("optim") ?? "adamw_torch_fused" }
    public var optimArgs: String { text("optim_args") ?? "" }
    public var weightDecay: Double { number("weight_decay") }
    public var adamBeta1: Double { number("adam_beta1") }
    public var adamBeta2: Double { number("adam_beta2") }
    public var adamEpsilon: Double { number("adam_epsilon") }
    public var bf16: Bool { flag("bf16") }
    public var bf16FullEval: Bool { flag("bf16_full_eval") }
    public var maxGradNorm: Double { number("max_grad_norm") }

    public var loggingStrategy: IntervalStrategy { strategy("logging_strategy") }
    public var evalStrategy: IntervalStrategy { strategy("eval_strategy") }
    public var saveStrategy: IntervalStrategy { strategy("save_strategy") }
    public var loggingFirstStep: Bool { flag("logging_first_step") }
    public var evalDelay: Double { number("eval_delay") }
    public var evalOnStart: Bool { flag("eval_on_start") }
    public var saveTotalLimit: Int? { optional("save_total_limit")?.intValue }
    public var saveOnlyModel: Bool { flag("save_only_model") }
    public var loadBestModelAtEnd: Bool { flag("load_best_model_at_end") }
    public var ignoreDataSkip: Bool { flag("ignore_data_skip") }
    public var dataloaderDropLast: Bool { flag("dataloader_drop_last") }
    public var disableTqdm: Bool? { optional("disable_tqdm")?.boolValue }
    public var runName: String? { text("run_name") }
    public var batchSampler: BatchSamplers {
        text("batch_sampler").flatMap(BatchSamplers.init) ?? .batchSampler
    }
    public var multiDatasetBatchSampler: MultiDatasetBatchSamplers {
        text("multi_dataset_batch_sampler").flatMap(MultiDatasetBatchSamplers.init) ?? .proportional
    }

    /// "loss" when something needs a metric and none is named.
    public var metricForBestModel: String? {
        if let name = text("metric_for_best_model") { return name }
        return loadBestModelAtEnd || lrSchedulerType.followsMetric ? "loss" : nil
    }

    /// The metric's key among evaluation metrics.
    var bestMetricKey: String? {
        metricForBestModel.map { $0.hasPrefix("eval_") ? $0 : "eval_\($0)" }
    }

    public var greaterIsBetter: Bool {
        optional("greater_is_better")?.boolValue ?? !(metricForBestModel ?? "loss").hasSuffix(
            "loss")
    }

    /// Updates between two logs, evaluations or checkpoints, given the updates of the whole run.
    public func loggingSteps(of total: Int) -> Int { interval(number("logging_steps"), total) }
    public func evalSteps(of total: Int) -> Int { interval(evalInterval, total) }
    public func saveSteps(of total: Int) -> Int { interval(number("save_steps"), total) }

    /// Updates of warm-up: `warmup_steps` from 1 on, otherwise that fraction of `total`, rounded up;
    /// `warmup_ratio` when it is 0.
    public func warmupSteps(of total: Int) -> Int {
        var steps = number("warmup_steps")
        if steps == 0, let ratio = optional("warmup_ratio")?.doubleValue { steps = ratio }
        let updates = steps >= 1 ? steps.rounded(.down) : (Double(total) * steps).rounded(.up)
        return Int(exactly: updates) ?? .max
    }

    /// The prompt of one column; `dataset` is the name of the column's dataset among several.
    public func prompt(column: String, dataset: String?) -> String? {
        guard let prompts = optional("prompts") else { return nil }
        if let text = prompts.stringValue { return text }
        if let dataset, let own = prompts[dataset] {
            return own.stringValue ?? own[column]?.stringValue
        }
        return prompts[column]?.stringValue
    }

    /// Refuses prompts that none of these datasets would use.
    func checkPrompts(_ datasets: [TrainerDataset]) throws {
        guard let prompts = optional("prompts")?.objectValue, !datasets.isEmpty else { return }
        let entries = datasets.flatMap(\.entries)
        let names = entries.compactMap(\.name)
        let columns = entries.flatMap(\.dataset.columnNames)
        for (key, value) in prompts {
            let isNested = value.objectValue != nil
            let known = isNested ? names : columns + names
            guard !known.contains(key) else { continue }
            if isNested, names.isEmpty {
                throw Self.refusal(
                    "prompts", "'\(key)' has a table, and the datasets have no names",
                    "give { column = prompt }")
            }
            let near = nearestArgumentName(key, among: known).map { "did you mean '\($0)'?" }
            throw Self.refusal(
                "prompts", "'\(key)' is no \(isNested ? "" : "column or ")dataset",
                near ?? "there are \(Set(known).sorted().joined(separator: ", "))")
        }
    }

    /// `lr_scheduler_kwargs`, from a table or JSON text.
    func schedulerKeywords() throws -> [String: SchedulerOptions.Value] {
        guard var value = optional("lr_scheduler_kwargs") else { return [:] }
        if let text = value.stringValue {
            do {
                value = try JSONValue.parse(text)
            } catch {
                throw Self.refusal("lr_scheduler_kwargs", "is not JSON (\(error))", "use a table")
            }
        }
        guard let members = value.objectValue else {
            throw Self.refusal("lr_scheduler_kwargs", "expected a table of options")
        }
        var result: [String: SchedulerOptions.Value] = [:]
        for (name, option) in members {
            switch option {
            case .string(let text): result[name] = .text(text)
            case .bool(let flag): result[name] = .flag(flag)
            case .int, .double: result[name] = .number(option.doubleValue ?? 0)
            case .null: continue
            default:
                throw Self.refusal("lr_scheduler_kwargs", "\(name) must be a number or a string")
            }
        }
        return result
    }

    /// `learning_rate_mapping` in the order given.
    func learningRates() throws -> [(pattern: String, rate: Double)] {
        guard let mapping = optional("learning_rate_mapping"), mapping != [:] else { return [] }
        guard let members = mapping.objectValue else {
            throw Self.refusal("learning_rate_mapping", "expected a table of pattern = rate")
        }
        return try members.map { pattern, rate in
            guard let number = rate.doubleValue, number >= 0, number.isFinite else {
                throw Self.refusal(
                    "learning_rate_mapping", "the rate of '\(pattern)' is not a number of 0 or more"
                )
            }
            return (pattern, number)
        }
    }

    // MARK: - Checks

    func validate() throws {
        if text("output_dir") == "" {
            throw Self.refusal(
                "output_dir", "is empty", "name a folder; \".\" is the current one")
        }
        try checkOptimizer()
        try checkIntervals()
        if number("warmup_steps") > 1e15 {
            throw Self.refusal("warmup_steps", "is too large: \(number("warmup_steps"))")
        }
        if lrSchedulerType.followsMetric, evalStrategy == .no {
            throw Self.refusal(
                "lr_scheduler_type", "'\(lrSchedulerType.rawValue)' needs evaluations",
                "set eval_strategy to 'steps' or 'epoch'")
        }
        if loadBestModelAtEnd, saveStrategy != .best { try checkBestModel() }
    }

    private func checkOptimizer() throws {
        _ = try optimizerOptions()
        _ = try learningRates()
        _ = try SchedulerOptions(
            lrSchedulerType, schedulerKeywords(), baseLearningRate: learningRate)
    }

    private func checkIntervals() throws {
        let intervals = [
            ("logging_steps", loggingStrategy, number("logging_steps")),
            ("eval_steps", evalStrategy, evalInterval),
            ("save_steps", saveStrategy, number("save_steps")),
        ]
        for (name, strategy, value) in intervals where strategy == .steps {
            if value == 0, name != "save_steps" {
                throw Self.refusal(name, "must not be 0 with strategy 'steps'")
            }
            if value > 1, value != value.rounded(.down) || value > 1e15 {
                throw Self.refusal(name, "must be a whole number above 1, got \(value)")
            }
        }
    }

    private func checkBestModel() throws {
        guard evalStrategy == saveStrategy else {
            throw Self.refusal(
                "load_best_model_at_end",
                "eval_strategy is '\(evalStrategy.rawValue)' and save_strategy is "
                    + "'\(saveStrategy.rawValue)'",
                "make them the same, or set save_strategy to 'best'")
        }
        guard evalStrategy == .steps else { return }
        let save = number("save_steps")
        let every = evalInterval
        let ratio = save / every
        let mixed = (save < 1) != (every < 1)
        guard !mixed, (ratio - ratio.rounded()).magnitude < 1e-9 else {
            throw Self.refusal(
                "load_best_model_at_end",
                "save_steps (\(save)) is not a multiple of eval_steps (\(every))",
                "save at every evaluation, or set save_strategy to 'best'")
        }
    }

    // MARK: - Access by name

    /// Values that Python fills in after construction.
    func derived(_ name: String) -> JSONValue? {
        switch name {
        case "output_dir": return .string(outputDir)
        case "metric_for_best_model": return metricForBestModel.map(JSONValue.string)
        case "greater_is_better":
            return metricForBestModel == nil && given[name] == nil ? nil : .bool(greaterIsBetter)
        case "eval_steps":
            return evalStrategy == .steps ? .double(evalInterval) : nil
        case "do_eval":
            return evalStrategy == .no ? nil : true
        default:
            return nil
        }
    }

    private var evalInterval: Double {
        let own = optional("eval_steps")?.doubleValue ?? 0
        return own == 0 ? number("logging_steps") : own
    }

    private func interval(_ value: Double, _ total: Int) -> Int {
        let steps = value < 1 ? (Double(total) * value).rounded(.up) : value.rounded(.down)
        return max(Int(exactly: steps) ?? .max, 0)
    }

    private func optional(_ name: String) -> JSONValue? {
        let value = given[name] ?? Self.arguments[name]?.defaultValue
        return value?.isNull == true ? nil : value
    }
    private func number(_ name: String) -> Double { optional(name)?.doubleValue ?? 0 }
    private func int(_ name: String) -> Int { optional(name)?.intValue ?? 0 }
    private func flag(_ name: String) -> Bool { optional(name)?.boolValue ?? false }
    private func text(_ name: String) -> String? { optional(name)?.stringValue }
    private func strategy(_ name: String) -> IntervalStrategy {
        text(name).flatMap(IntervalStrategy.init) ?? .no
    }
}
