// START HERE for training: the loop of SentenceTransformerTrainer, top to bottom. Batches come from
// TrainerData.swift by Trainer+Loaders.swift, numbers from Losses/ and Optimizers/, evaluation from
// Trainer+Evaluation.swift, files from Trainer+Checkpoints.swift and Trainer+Resuming.swift.

import Glibc
public import Logging
public import OrderedJSON

/// Fine-tunes a model: batches, loss, backward, clip, step, log, evaluate, save, as Python's class of
/// that name does with the same arguments.
///
/// A trainer is used by one thread. Trials of a search get a trainer each and may share datasets, the
/// loss, evaluators and the ``TokenStore``. It knows no scripts and no studies: what they need comes
/// in through ``hooks`` and callbacks.
///
/// Random numbers: everything follows `args.seed`, taken at construction as in Python. Checked against
/// Python by `TrainerParityTests`.
public final class SentenceTransformerTrainer {
    public let model: SentenceTransformer
    public internal(set) var args: SentenceTransformerTrainingArguments
    public let trainDataset: TrainerDataset?
    public let evalDataset: TrainerDataset?
    public let evaluator: (any Evaluator)?
    public internal(set) var state = TrainerState()
    public internal(set) var control = TrainerControl()
    /// What a caller wants to hear and decide while training.
    public var hooks = TrainerHooks()

    let loss: TrainerLoss
    let tokenStore: TokenStore
    var callbacks: [any TrainerCallback]
    /// torch's global generator of this run: seeded once, drawn from by loaders and dropout.
    let generator: TorchGenerator
    /// Batches trained so far, the counter of the counter-based dropout.
    var batchesTrained = 0
    /// Where the run stands: the epoch, and how many of its batches are done.
    var position = (epoch: 0, batches: 0)
    package private(set) var isInTrain = false
    /// Folder of checkpoints: the arguments' output_dir, or a trial's own folder inside it.
    var runDir: String { ownRunDir ?? args.outputDir }
    private let ownRunDir: String?
    let logger: Logger
    var optimizer: (any Optimizer)?
    var metricSchedule: MetricDrivenSchedule?
    /// By the dataset, which the token store keeps alive, and its name.
    var evalLoaders: [EvalLoaderKey: TrainerLoader] = [:]
    /// The card's part on the data, described once.
    var cardData: (training: [ModelCard.TrainingData], evaluation: [ModelCard.TrainingData])?

    /// - loss: ``CoSENTLoss`` when left out, as in Python.
    /// - evaluator: several go into a ``SequentialEvaluator``.
    /// - callbacks: called in this order after the one that follows the arguments' strategies.
    /// - runDir: where checkpoints go; `args.outputDir` when left out.
    /// - tokenStore: hand one store to all trainers of a search.
    public init(
        model: SentenceTransformer,
        args: SentenceTransformerTrainingArguments? = nil,
        trainDataset: TrainerDataset? = nil, evalDataset: TrainerDataset? = nil,
        loss: TrainerLoss? = nil, evaluator: (any Evaluator)? = nil,
        callbacks: [any TrainerCallback] = [], runDir: String? = nil,
        tokenStore: TokenStore = TokenStore(), logger: Logger = Logger(label: "trainer")
    ) throws {
        let args = try args ?? SentenceTransformerTrainingArguments()
        self.model = model
        self.args = args
        self.trainDataset = trainDataset
        self.evalDataset = evalDataset
        self.loss = try loss ?? .one(CoSENTLoss())
        self.evaluator = evaluator
        self.callbacks = [DefaultFlowCallback()] + callbacks
        ownRunDir = runDir
        self.tokenStore = tokenStore
        self.logger = logger
        generator = TorchGenerator(seed: args.seed)
        try checkLosses()
        try check(args)
        try fire(.initEnd)
    }

    public func addCallback(_ callback: any TrainerCallback) { callbacks.append(callback) }

    /// Trains from where the model stands, or from a checkpoint.
    ///
    /// - Throws: ``TrainingError/data(problem:hint:)`` when the data does not fit the loss,
    ///   ``TrainingError/nonFinite(what:step:hint:)`` when the loss or the gradient is not a number,
    ///   ``TrainingError/cancelled``, file errors, and whatever callbacks and hooks throw.
    public func train(resumeFrom: ResumePoint = .start) throws -> TrainOutput {
        if isInTrain {
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainer", name: "train", problem: "is running already",
                hint: "what a training calls may evaluate; train with a trainer of its own")
        }
        return try model.withMixedPrecision(args.bf16) { try runTraining(resumeFrom) }
    }

    private func runTraining(_ resumeFrom: ResumePoint) throws -> TrainOutput {
        isInTrain = true
        defer {
            isInTrain = false
            // An evaluation that follows needs neither.
            optimizer = nil
            model.releaseActivations()
        }
        // Tokenising is part of the time, as it is in Python, where it happens batch by batch.
        let start = seconds()
        let loader = try makeTrainLoader()
        var plan = try RunPlan(loader, args)
        let optimizer = try makeOptimizer()
        self.optimizer = optimizer
        metricSchedule = try makeMetricSchedule(optimizer)
        let schedule = try LearningRateSchedule(
            type: args.lrSchedulerType, warmupSteps: args.warmupSteps(of: plan.maxSteps),
            trainingSteps: plan.maxSteps, baseLearningRate: args.learningRate,
            keywords: args.schedulerKeywords())
        let previous = state
        beginState(plan)
        do {
            try resume(resumeFrom, optimizer, &plan)
        } catch {
            // A training that could not begin leaves the history of the one before.
            state = previous
            throw error
        }

        var run = Run(start: start, initialStep: state.globalStep, lastLogged: state.globalStep)
        let parameters = model.parameters
        for parameter in parameters { parameter.prepareGradient() }
        model.workerPool().run(parameters.count) { task, _ in
            parameters[task].prepareValue()
            parameters[task].zeroGradient()
        }
        control.shouldTrainingStop = false
        try fire(.trainBegin)
        hooks.progress?(.trainBegin(step: state.globalStep, maxSteps: plan.maxSteps))
        if args.evalOnStart { try evaluateInTraining(&run, stepsSchedule: false) }

        var epoch = plan.epochsTrained
        // max_steps = 0 is found out after an update, as in Python.
        while epoch < plan.epochs, state.globalStep < max(plan.maxSteps, 1), !run.isPruned {
            control.shouldEpochStop = false
            try fire(.epochBegin)
            try runEpoch(epoch, loader, plan, schedule, optimizer, &run)
            epoch += 1
            if control.shouldTrainingStop { break }
        }
        return try finish(run, plan)
    }

    /// One pass over the batches of an epoch, `gradient_accumulation_steps` of them per update.
    private func runEpoch(
        _ epoch: Int, _ loader: TrainerLoader, _ plan: RunPlan, _ schedule: LearningRateSchedule,
        _ optimizer: any Optimizer, _ run: inout Run
    ) throws {
        let accumulation = args.gradientAccumulationSteps
        let batches = loader.sampler.batches(epoch: epoch)
        var step = -1
        var firstUpdate = 0
        if epoch == plan.epochsTrained, let saved = plan.randomState {
            // Not before: an evaluation at the start of the run has drawn from the generator.
            generator.restore(saved.generator, initialSeed: saved.initialSeed)
            batchesTrained = saved.batchesTrained
        }
        if epoch == plan.epochsTrained, plan.batchesToSkip > 0 {
            // The generator's saved state already holds this epoch's draw.
            for _ in 0..<plan.batchesToSkip where batches.next() == nil { break }
            step = plan.batchesToSkip - 1
            firstUpdate = plan.batchesToSkip / accumulation
        } else {
            drawLoaderSeed()
        }

        epochLoop: for update in firstUpdate..<max(plan.updatesPerEpoch, firstUpdate) {
            let wanted = update == plan.updatesPerEpoch - 1 ? plan.lastUpdateBatches : accumulation
            let group = (0..<wanted).compactMap { _ in batches.next() }
            for rows in group {
                step += 1
                if step % accumulation == 0 {
                    control.shouldLog = false
                    control.shouldEvaluate = false
                    control.shouldSave = false
                    try fire(.stepBegin)
                }
                run.loss += try trainBatch(rows, loader, share: 1 / Double(group.count), &run)
                if (step + 1) % accumulation == 0 || step + 1 == plan.batchesPerEpoch {
                    try self.update(schedule, optimizer, &run)
                    state.globalStep += 1
                    state.epoch = Double(epoch) + Double(step + 1) / Double(plan.batchesPerEpoch)
                    position = (epoch, step + 1)
                    try fire(.stepEnd)
                    hooks.progress?(
                        .step(state.globalStep, maxSteps: plan.maxSteps, epoch: state.epoch))
                    try logEvaluateSave(&run)
                } else {
                    try fire(.substepEnd)
                }
                if control.shouldEpochStop || control.shouldTrainingStop || run.isPruned {
                    break epochLoop
                }
            }
        }
        if run.isPruned { return }
        if step < 0 { control.shouldTrainingStop = true }
        if !control.shouldTrainingStop { position = (epoch + 1, 0) }
        try fire(.epochEnd)
        try logEvaluateSave(&run)
    }

    /// Forward, loss, backward of one batch; the loss of the batch times `share`.
    private func trainBatch(
        _ rows: [Int], _ loader: TrainerLoader, share: Double, _ run: inout Run
    ) throws -> Double {
        try beforeBatch()
        guard let (table, rows) = loader.locate(rows) else { return 0 }
        let dropout: DropoutMode =
            args.usesTorchDropout
            ? .torch(generator)
            : .counter(seed: args.seed, step: UInt64(batchesTrained))
        batchesTrained += 1
        let batch = table.batch(rows)
        let embeddings = try model.forward(
            batch, dropout: dropout, keeping: table.keptTokens(batch, args))
        let result = try table.loss.evaluate(
            LossBatch(
                embeddings: embeddings, columns: table.columns.count, labels: table.labels(rows)))
        guard result.value.isFinite else {
            throw TrainingError.nonFinite(
                what: "the loss (\(shown(result.value)))", step: state.globalStep + 1,
                hint: "lower learning_rate, or look for empty or broken rows")
        }
        guard let gradient = result.gradient else {
            throw TrainingError.internalError("\(table.loss.name) gave no gradient")
        }
        if share != 1 {
            for index in 0..<gradient.rows * gradient.columns {
                gradient.storage[index] *= Float(share)
            }
        }
        try model.backward(gradient)
        run.components.add(result.components)
        return result.value * share
    }

    /// Clips, sets the rate of this update and makes it.
    private func update(
        _ schedule: LearningRateSchedule, _ optimizer: any Optimizer, _ run: inout Run
    ) throws {
        let pool = model.workerPool()
        let parameters = model.parameters
        let norm = GradientNorm(parameters, pool: pool)
        guard norm.total.isFinite else {
            throw TrainingError.nonFinite(
                what: "the gradient norm (\(shown(norm.total)))", step: state.globalStep + 1,
                hint: "lower learning_rate")
        }
        run.gradNorm = norm.total
        try fire(.preOptimizerStep)
        if metricSchedule == nil {
            let factor = schedule.factor(state.globalStep)
            for index in optimizer.groups.indices {
                let base = optimizer.groups[index].initialLearningRate
                optimizer.groups[index].learningRate = base * factor
            }
        }
        optimizer.step(clip: norm.coefficient(maximum: args.maxGradNorm), pool: pool)
        run.learningRate = optimizer.groups.first?.learningRate ?? 0
        try fire(.optimizerStep)
        pool.run(parameters.count) { task, _ in parameters[task].zeroGradient() }
    }

    private func logEvaluateSave(_ run: inout Run) throws {
        if control.shouldLog, state.globalStep > run.lastLogged { try logTraining(&run) }
        if control.shouldEvaluate {
            let isBest = try evaluateInTraining(&run, stepsSchedule: true)
            if args.saveStrategy == .best { control.shouldSave = isBest }
        }
        if control.shouldSave, !run.isPruned {
            try saveCheckpoint()
            control.shouldSave = false
            try fire(.save)
        }
    }

    /// Evaluates, tells the hook, steps a metric-driven schedule; true when the metric is the best.
    @discardableResult
    private func evaluateInTraining(_ run: inout Run, stepsSchedule: Bool) throws -> Bool {
        let metrics = try evaluate()
        if let decide = hooks.evaluation, try decide(metrics, state.globalStep) == .stop {
            run.isPruned = true
            control.shouldTrainingStop = true
        }
        guard let key = args.bestMetricKey else { return false }
        guard let value = metrics[key] else {
            throw SentenceTransformerTrainingArguments.refusal(
                "metric_for_best_model", "'\(key)' is not among the metrics",
                "use one of \(metrics.keys.joined(separator: ", "))")
        }
        if stepsSchedule, metricSchedule != nil, let optimizer {
            var rates = optimizer.groups.map(\.learningRate)
            metricSchedule?.step(value, rates: &rates)
            for (index, rate) in rates.enumerated() { optimizer.groups[index].learningRate = rate }
        }
        guard stepsSchedule else { return false }
        let worst = args.greaterIsBetter ? -Double.infinity : .infinity
        let best = state.bestMetric ?? worst
        guard args.greaterIsBetter ? value > best : value < best else {
            state.bestMetric = best
            return false
        }
        state.bestMetric = value
        if args.saveStrategy != .no { state.bestGlobalStep = state.globalStep }
        return true
    }

    private func finish(_ run: Run, _ plan: RunPlan) throws -> TrainOutput {
        let steps = state.globalStep - run.initialStep
        let total = run.totalLoss + run.loss
        let mean = total / max(Double(steps), 0.001)
        let samples = plan.samples * Double(steps) / Double(max(plan.maxSteps, 1))
        var metrics = speedMetrics(
            "train", seconds: seconds() - run.start, samples: samples, steps: Double(steps))
        metrics["total_flos"] = 0
        metrics["train_loss"] = mean
        if run.isPruned {
            try describeModel()
            try fire(.trainEnd)
            return TrainOutput(
                globalStep: state.globalStep, trainingLoss: mean, metrics: metrics,
                stoppedByEvaluation: true)
        }
        try log(metrics.json)
        metrics["epoch"] = state.epoch
        if args.loadBestModelAtEnd, let best = state.bestModelCheckpoint {
            try hooks.checkPath?(best)
            try loadWeights(from: best)
        }
        try removeAllButBest()
        try describeModel()
        try fire(.trainEnd)
        hooks.progress?(.trainEnd)
        return TrainOutput(
            globalStep: state.globalStep, trainingLoss: mean, metrics: metrics,
            stoppedByEvaluation: false)
    }
}

extension SentenceTransformerTrainer {
    /// What one call of `train` keeps track of.
    struct Run {
        let start: Double
        let initialStep: Int
        var lastLogged: Int
        /// Sum of update losses since the last log, and of all logged before.
        var loss = 0.0
        var totalLoss = 0.0
        var components = LossComponents()
        var gradNorm: Double?
        var learningRate = 0.0
        var isPruned = false

        init(start: Double, initialStep: Int, lastLogged: Int) {
            self.start = start
            self.initialStep = initialStep
            self.lastLogged = lastLogged
        }
    }

    func fire(
        _ event: TrainerEvent, metrics: Metrics? = nil, logs: JSONObject? = nil
    ) throws {
        let context = TrainerCallbackContext(
            args: args, state: state, model: model, metrics: metrics, logs: logs)
        for callback in callbacks {
            // A callback may evaluate with this trainer, which fires events of its own meanwhile.
            let before = control
            var after = before
            defer { control.take(changesFrom: before, to: after) }
            try callback.handle(event, context, &after)
        }
    }

    /// Making an iterator over a loader draws one 64-bit number from torch's generator.
    func drawLoaderSeed() { _ = generator.next64() }

    private func beginState(_ plan: RunPlan) {
        let previous = state
        state = TrainerState()
        state.isHyperParamSearch = previous.isHyperParamSearch
        state.trialName = previous.trialName
        state.trialParams = previous.trialParams
        position = (0, 0)
        state.maxSteps = plan.maxSteps
        state.numTrainEpochs = plan.epochs
        state.trainBatchSize = args.trainBatchSize
        state.loggingSteps = args.loggingSteps(of: plan.maxSteps)
        state.evalSteps = args.evalSteps(of: plan.maxSteps)
        state.saveSteps = args.saveSteps(of: plan.maxSteps)
    }

    /// Says what trainer_state.json tells about the search that a trial belongs to.
    public func setTrial(name: String?, parameters: JSONObject) {
        state.isHyperParamSearch = true
        state.trialName = name
        state.trialParams = parameters
    }
}
