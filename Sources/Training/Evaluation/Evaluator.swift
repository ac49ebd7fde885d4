// The contract of evaluators: a model in, named numbers out. Called by the trainer (with the output
// folder, the epoch and the step) and by scripts (without).

import Glibc

/// Where and when an evaluation takes place.
public struct EvaluationContext: Sendable {
    /// Folder for CSV files; `nil` writes none.
    public var outputPath: String?
    /// −1: outside of training.
    public var epoch: Double
    public var steps: Int
    /// Looked at between batches.
    public var cancellation: Cancellation?

    public init(
        outputPath: String? = nil, epoch: Double = -1, steps: Int = -1,
        cancellation: Cancellation? = nil
    ) {
        self.outputPath = outputPath
        self.epoch = epoch
        self.steps = steps
        self.cancellation = cancellation
    }
}

/// Scores a model. Evaluators hold their texts, never a model: one serves all trials of a search,
/// also at the same time.
public protocol Evaluator: AnyObject, Sendable {
    /// Goes before the metrics' names; empty for none.
    var name: String { get }
    /// The metric that stands for all, as it is called among the results; `nil` until it is known,
    /// for evaluators that take the model's similarity function.
    var primaryMetric: String? { get }
    /// Metrics under their Python names, `name_` before them when the evaluator has a name.
    func evaluate(_ model: SentenceTransformer, _ context: EvaluationContext) throws -> Metrics
}

extension Evaluator {
    public var name: String { "" }
}

/// An evaluator that is a function, a script's for one.
public final class FunctionEvaluator: Evaluator {
    private let body: @Sendable (SentenceTransformer, EvaluationContext) throws -> Metrics
    public let primaryMetric: String?

    public init(
        primaryMetric: String? = nil,
        _ body: @escaping @Sendable (SentenceTransformer, EvaluationContext) throws -> Metrics
    ) {
        self.primaryMetric = primaryMetric
        self.body = body
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        try body(model, context)
    }
}

/// Runs evaluators one after the other and adds `sequential_score`, made of their primary metrics.
///
/// - mainScore: primary metrics in order -> the score; by default the last one.
/// Lua: a sequence of evaluators where one is expected, or `st.evaluation.SequentialEvaluator`.
public final class SequentialEvaluator: Evaluator {
    public let evaluators: [any Evaluator]
    private let mainScore: @Sendable ([Double]) throws -> Double

    public var primaryMetric: String? { "sequential_score" }

    public init(
        _ evaluators: [any Evaluator],
        mainScore: (@Sendable ([Double]) throws -> Double)? = nil
    ) {
        self.evaluators = evaluators
        self.mainScore = mainScore ?? { $0.last ?? .nan }
    }

    public func evaluate(
        _ model: SentenceTransformer, _ context: EvaluationContext
    ) throws -> Metrics {
        var all = Metrics()
        var scores: [Double] = []
        for evaluator in evaluators {
            let metrics = try evaluator.evaluate(model, context)
            let primary = evaluator.primaryMetric ?? metrics.keys.first
            scores.append(primary.flatMap { metrics[$0] } ?? .nan)
            all.merge(metrics)
        }
        all["sequential_score"] = try mainScore(scores)
        return all
    }
}

/// Appends one row to a CSV file as Python's csv module writes it, with a header if the file is new.
func appendCSV(
    folder: String, file: String, header: [String], context: EvaluationContext, values: [Double],
    lineEnd: String = "\r\n"
) throws {
    try ModelFiles.makeFolder(folder)
    let path = ModelFiles.join(folder, file)
    let isNew = !ModelFiles.isFile(path)
    // Whole numbers in Python: outside of a training, and before its first update.
    let epoch = [-1, 0].contains(context.epoch) ? "\(Int(context.epoch))" : "\(context.epoch)"
    var text = isNew ? (["epoch", "steps"] + header).joined(separator: ",") + lineEnd : ""
    text += ([epoch, "\(context.steps)"] + values.map { "\($0)" }).joined(separator: ",") + lineEnd
    try appendText(text, to: path)
}

private func appendText(_ text: String, to path: String) throws {
    guard let file = fopen(path, "a") else {
        throw TrainingError.file(path: path, problem: "cannot be written (\(lastSystemError()))")
    }
    let written = text.utf8.withContiguousStorageIfAvailable {
        fwrite($0.baseAddress, 1, $0.count, file)
    }
    let closed = fclose(file)
    guard written == text.utf8.count, closed == 0 else {
        throw TrainingError.file(
            path: path, problem: "could not be written completely (\(lastSystemError()))")
    }
}

func lastSystemError() -> String {
    String(cString: strerror(errno))
}
