import Glibc
import Logging
import OrderedJSON

/// The numbers that follow from the size of the data and the arguments.
struct RunPlan {
    let batchesPerEpoch: Int
    let updatesPerEpoch: Int
    /// Batches of the last update of an epoch.
    let lastUpdateBatches: Int
    let epochs: Int
    let maxSteps: Int
    /// Rows the whole run is meant to see, for samples per second.
    let samples: Double
    /// Rows of the training data.
    let rows: Int
    /// Where a resumed run goes on.
    var epochsTrained = 0
    var batchesToSkip = 0
    var randomState: SentenceTransformerTrainer.RandomState?

    init(_ loader: TrainerLoader, _ args: SentenceTransformerTrainingArguments) throws {
        let accumulation = args.gradientAccumulationSteps
        rows = loader.rows
        batchesPerEpoch = loader.sampler.count
        guard batchesPerEpoch > 0 else {
            throw TrainingError.data(
                problem:
                    "there is no batch: \(loader.rows) rows, per_device_train_batch_size "
                    + "\(args.trainBatchSize), dataloader_drop_last \(args.dataloaderDropLast)",
                hint: "use smaller batches or keep the last one")
        }
        let updates = (batchesPerEpoch + accumulation - 1) / accumulation
        updatesPerEpoch = updates
        let rest = batchesPerEpoch % accumulation
        lastUpdateBatches = rest == 0 ? accumulation : rest
        let rowsPerUpdate = Double(args.trainBatchSize * accumulation)
        if args.maxSteps > 0 {
            maxSteps = args.maxSteps
            epochs = (args.maxSteps + updates - 1) / updates
            samples = Double(args.maxSteps) * rowsPerUpdate
        } else {
            let steps =
                args.maxSteps == 0 ? 0 : (args.numTrainEpochs * Double(updates)).rounded(.up)
            guard let whole = Int(exactly: steps), steps < 1e15 else {
                throw SentenceTransformerTrainingArguments.refusal(
                    "num_train_epochs", "makes \(steps) updates, which is too many")
            }
            maxSteps = whole
            epochs = Int(args.numTrainEpochs.rounded(.up))
            samples = Double(loader.rows) * args.numTrainEpochs
        }
    }
}

extension SentenceTransformerTrainer {
    /// The optimizer over Python's parameter groups: decayed, not decayed, then those of
    /// `learning_rate_mapping`.
    func makeOptimizer() throws -> any Optimizer {
        var groups = [true, false].map { decays in
            ParameterGroup(
                parameters: model.parameters.filter { hasWeightDecay($0.qualifiedName) == decays },
                learningRate: args.learningRate, weightDecay: decays ? args.weightDecay : 0)
        }
        for (pattern, rate) in try args.learningRates() {
            let matching = try matchingParameters(pattern)
            for index in groups.indices.prefix(2) {
                let moved = groups[index].parameters.filter { matching.contains($0.qualifiedName) }
                guard !moved.isEmpty else { continue }
                groups[index].parameters.removeAll { matching.contains($0.qualifiedName) }
                groups.append(
                    ParameterGroup(
                        parameters: moved, learningRate: rate,
                        weightDecay: groups[index].weightDecay))
            }
        }
        return try args.makeOptimizer(groups)
    }

    private func matchingParameters(_ pattern: String) throws -> Set<String> {
        let names = model.parameters.map(\.qualifiedName)
        let expression: Regex<AnyRegexOutput>
        do {
            expression = try Regex(pattern)
        } catch {
            throw SentenceTransformerTrainingArguments.refusal(
                "learning_rate_mapping", "'\(pattern)' is not a regular expression")
        }
        let matching = names.filter { $0.firstMatch(of: expression) != nil }
        guard !matching.isEmpty else {
            throw SentenceTransformerTrainingArguments.refusal(
                "learning_rate_mapping", "no parameter matches '\(pattern)'",
                "names look like '\(names.first ?? "")'")
        }
        return Set(matching)
    }

    func makeMetricSchedule(_ optimizer: any Optimizer) throws -> MetricDrivenSchedule? {
        guard args.lrSchedulerType.followsMetric else { return nil }
        let keywords = try args.schedulerKeywords()
        if args.greaterIsBetter, keywords["mode"] == nil {
            logger.warning(
                """
                \(args.lrSchedulerType.rawValue) treats \(args.bestMetricKey ?? "") as something that \
                should fall; set lr_scheduler_kwargs = { mode = "max" } if it should grow
                """)
        }
        return try MetricDrivenSchedule(
            type: args.lrSchedulerType, initialRates: optimizer.groups.map(\.initialLearningRate),
            keywords: keywords)
    }
}

extension SentenceTransformerTrainer {
    /// Seconds of a clock that never goes back.
    func seconds() -> Double {
        if let clock = hooks.seconds { return clock() }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// Runtime in seconds (4 decimals) and rates (3 decimals), under Python's names.
func speedMetrics(
    _ prefix: String, seconds: Double, samples: Double, steps: Double
) -> Metrics {
    func rounded(_ value: Double, _ unit: Double) -> Double { (value * unit).rounded() / unit }
    var metrics: Metrics = ["\(prefix)_runtime": rounded(seconds, 1e4)]
    guard seconds > 0 else { return metrics }
    metrics["\(prefix)_samples_per_second"] = rounded(samples / seconds, 1e3)
    metrics["\(prefix)_steps_per_second"] = rounded(steps / seconds, 1e3)
    return metrics
}
