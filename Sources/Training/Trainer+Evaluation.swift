import Glibc
public import OrderedJSON

/// What a caller wants to hear and decide while a trainer works. All are called on its thread.
public struct TrainerHooks {
    public enum Progress: Sendable {
        case trainBegin(step: Int, maxSteps: Int)
        case step(Int, maxSteps: Int, epoch: Double)
        case evaluationBatch(Int, of: Int)
        /// A logged entry, as it is in the history; ``consoleLine(_:)`` prints it as Python does.
        case log(JSONObject)
        case trainEnd
    }
    public enum EvaluationDecision: Sendable { case goOn, stop }

    public var progress: ((Progress) -> Void)?
    /// After every evaluation of a run, with its metrics and the updates made: `stop` ends the run
    /// at once, a thrown error ends it with that error.
    public var evaluation: ((Metrics, _ globalStep: Int) throws -> EvaluationDecision)?
    /// Looked at before every batch.
    public var cancellation: Cancellation?
    /// Asked before every batch and every evaluation: threads to use from then on. No number
    /// depends on them.
    public var threads: (() -> Int)?
    /// The clock of run times, in seconds; nil is the system's.
    public var seconds: (() -> Double)?
    /// Asked before a folder that a checkpoint names is read.
    public var checkPath: ((String) throws -> Void)?

    public init() {}

    /// `{'loss': '0.1916', 'epoch': '0.5'}`: four significant digits, without total_flos and step.
    public static func consoleLine(_ logs: JSONObject) -> String {
        let parts = logs.filter { $0.key != "total_flos" && $0.key != "step" }.map { key, value in
            if case .double(let number) = value { return "'\(key)': '\(fourDigits(number))'" }
            return "'\(key)': \(value.json())"
        }
        return "{\(parts.joined(separator: ", "))}"
    }
}

extension SentenceTransformerTrainer {
    /// Loss over the evaluation data and metrics of the evaluator, keys with eval_ before them.
    ///
    /// With several named datasets: eval_<name>_loss for each. During training the evaluator runs once,
    /// with the first of them; otherwise for each, its metrics under eval_<name>_.
    ///
    /// - dataset: evaluated in place of ``evalDataset``.
    /// - prefix: what the keys have before them in place of "eval".
    public func evaluate(
        _ dataset: TrainerDataset? = nil, prefix: String = "eval"
    ) throws -> Metrics {
        try model.withMixedPrecision(args.bf16 || args.bf16FullEval) {
            try evaluateAll(dataset ?? evalDataset, stem: prefix)
        }
    }

    private func evaluateAll(_ dataset: TrainerDataset?, stem: String) throws -> Metrics {
        switch dataset {
        case .named(let datasets):
            var all = Metrics()
            for (index, entry) in datasets.enumerated() {
                let prefix = "\(stem)_\(entry.name)"
                var evaluatorPrefix: String? = prefix
                if isInTrain { evaluatorPrefix = index == 0 ? stem : nil }
                all.merge(
                    try evaluate(entry.name, entry.dataset, prefix: prefix, evaluatorPrefix))
            }
            return all
        case .one(let dataset):
            return try evaluate(nil, dataset, prefix: stem, stem)
        case nil:
            guard evaluator != nil else {
                throw TrainingError.argument(
                    owner: "SentenceTransformerTrainer", name: "eval_dataset",
                    problem: "is missing, and there is no evaluator",
                    hint: "give the trainer one of the two")
            }
            return try evaluate(nil, nil, prefix: stem, stem)
        }
    }

    /// What the caller may want to change or stop.
    func beforeBatch() throws {
        try hooks.cancellation?.check()
        if let threads = hooks.threads?() { model.threads = threads }
    }

    private func evaluate(
        _ name: String?, _ dataset: Dataset?, prefix: String, _ evaluatorPrefix: String?
    ) throws -> Metrics {
        let start = seconds()
        var metrics = Metrics()
        var components = LossComponents()
        drawLoaderSeed()
        var rows = 0
        if let dataset {
            let loader = try evalLoader(name, dataset)
            rows = loader.rows
            if let loss = try evaluationLoss(loader, &components) {
                metrics["\(prefix)_loss"] = loss
            }
        }
        if let evaluator, let evaluatorPrefix {
            try beforeBatch()
            let context = EvaluationContext(
                outputPath: ModelFiles.join(args.outputDir, "eval"), epoch: state.epoch,
                steps: state.globalStep, cancellation: hooks.cancellation)
            metrics.merge(try evaluator.evaluate(model, context).prefixed(evaluatorPrefix))
        }
        let batches = (rows + args.evalBatchSize - 1) / args.evalBatchSize
        metrics.merge(
            speedMetrics(
                prefix, seconds: seconds() - start, samples: Double(rows), steps: Double(batches)))
        var entry = metrics.json
        for (key, value) in components.take() { entry["eval_\(key)"] = .double(value) }
        try log(entry)
        // Python's metrics carry the epoch only when there is no eval_loss.
        if metrics["eval_loss"] == nil { metrics["epoch"] = state.epoch }
        control.shouldEvaluate = false
        try fire(.evaluate, metrics: metrics)
        return metrics
    }

    /// Mean of the batch losses: each counts as a full batch, the last one by what is left of the rows
    /// after full batches, as in Python also where that rest is dropped. `nil` when there is no batch.
    private func evaluationLoss(
        _ loader: TrainerLoader, _ components: inout LossComponents
    ) throws -> Double? {
        let size = args.evalBatchSize
        let batches = loader.sampler.allBatches(epoch: 0)
        var total = 0.0
        var weights = 0.0
        for (index, batch) in batches.enumerated() {
            try beforeBatch()
            guard let (table, rows) = loader.locate(batch) else { continue }
            let embeddings = try model.embed(table.batch(rows))
            let result = try table.loss.evaluate(
                LossBatch(
                    embeddings: embeddings, columns: table.columns.count,
                    labels: table.labels(rows), wantsGradient: false))
            components.add(result.components)
            let rest = loader.rows % size
            let isLast = index == batches.count - 1
            let weight = Double(isLast && rest > 0 ? rest : size)
            total += result.value * weight
            weights += weight
            hooks.progress?(.evaluationBatch(index + 1, of: batches.count))
            try fire(.predictionStep)
        }
        if weights == 0 { return nil }
        let mean = total / weights
        guard mean.isFinite else {
            throw TrainingError.nonFinite(
                what: "the evaluation loss (\(shown(mean)))", step: state.globalStep,
                hint: "lower learning_rate")
        }
        return mean
    }

    func logTraining(_ run: inout Run) throws {
        let updates = Double(state.globalStep - run.lastLogged)
        var entry: JSONObject = ["loss": .double(run.loss / updates)]
        if let norm = run.gradNorm { entry["grad_norm"] = .double(norm) }
        entry["learning_rate"] = .double(run.learningRate)
        for (key, value) in run.components.take() { entry[key] = .double(value) }
        run.totalLoss += run.loss
        run.loss = 0
        run.lastLogged = state.globalStep
        try log(entry)
    }

    /// Adds epoch and step to an entry, keeps it, and tells callbacks and hooks.
    func log(_ entry: JSONObject) throws {
        var logs = entry
        logs["epoch"] = .double(state.epoch)
        var kept = logs
        kept["step"] = JSONValue(state.globalStep)
        state.logHistory.append(kept)
        control.shouldLog = false
        try fire(.log, logs: logs)
        hooks.progress?(.log(kept))
    }
}

/// Named parts of losses, averaged between two logs.
struct LossComponents {
    private var names: [String] = []
    private var sums: [String: Double] = [:]
    private var count = 0

    mutating func add(_ components: [(name: String, value: Double)]) {
        guard !components.isEmpty else { return }
        for (name, value) in components {
            if sums[name] == nil { names.append(name) }
            sums[name, default: 0] += value
        }
        count += 1
    }

    /// The means so far, rounded to 4 decimals as in Python; starts over.
    mutating func take() -> [(String, Double)] {
        defer { self = LossComponents() }
        return names.map { name in
            (name, ((sums[name] ?? 0) / Double(max(count, 1)) * 1e4).rounded() / 1e4)
        }
    }
}

/// A number in a message; NaN has a sign that differs from machine to machine.
func shown(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }

/// C's "%.4g".
private func fourDigits(_ value: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.4g", $0) }
    return String(
        decoding: buffer.prefix(max(Int(length), 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
