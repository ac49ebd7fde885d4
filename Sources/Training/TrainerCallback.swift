// Callbacks of the training loop: the events of transformers' TrainerCallback, the flags they may set,
// and the two callbacks everybody uses. Called by SentenceTransformerTrainer.

public import OrderedJSON

/// Events in the order in which a run meets them; raw values are Python's method names.
public enum TrainerEvent: String, Sendable, CaseIterable {
    case initEnd = "on_init_end"
    case trainBegin = "on_train_begin"
    case epochBegin = "on_epoch_begin"
    case stepBegin = "on_step_begin"
    case substepEnd = "on_substep_end"
    case preOptimizerStep = "on_pre_optimizer_step"
    case optimizerStep = "on_optimizer_step"
    case stepEnd = "on_step_end"
    case log = "on_log"
    case predictionStep = "on_prediction_step"
    case evaluate = "on_evaluate"
    case save = "on_save"
    case epochEnd = "on_epoch_end"
    case trainEnd = "on_train_end"
}

/// Flags that callbacks may set at any event.
public struct TrainerControl: Sendable, Equatable {
    /// Ends the run after the current update; stays set.
    public var shouldTrainingStop = false
    /// Ends the current epoch.
    public var shouldEpochStop = false
    /// Save, evaluate, log at the end of the current update.
    public var shouldSave = false
    public var shouldEvaluate = false
    public var shouldLog = false

    public init() {}

    /// Sets the flags that differ between two values, and leaves the others.
    mutating func take(changesFrom before: TrainerControl, to after: TrainerControl) {
        func take(_ flag: WritableKeyPath<TrainerControl, Bool>) {
            if before[keyPath: flag] != after[keyPath: flag] {
                self[keyPath: flag] = after[keyPath: flag]
            }
        }
        take(\.shouldTrainingStop)
        take(\.shouldEpochStop)
        take(\.shouldSave)
        take(\.shouldEvaluate)
        take(\.shouldLog)
    }

    var json: JSONValue {
        [
            "args": [
                "should_epoch_stop": .init(shouldEpochStop),
                "should_evaluate": .init(shouldEvaluate), "should_log": .init(shouldLog),
                "should_save": .init(shouldSave),
                "should_training_stop": .init(shouldTrainingStop),
            ],
            "attributes": [:],
        ]
    }
}

/// What a callback sees of the run.
public struct TrainerCallbackContext {
    public let args: SentenceTransformerTrainingArguments
    public let state: TrainerState
    public let model: SentenceTransformer
    /// At `evaluate`: what the evaluation gave.
    public let metrics: Metrics?
    /// At `log`: the logged entry.
    public let logs: JSONObject?
}

/// Looks on and sets flags. Called on the thread that trains; a thrown error ends the run.
public protocol TrainerCallback: AnyObject {
    /// Class name and state for trainer_state.json; `nil` for callbacks without state.
    var exportedState: (name: String, state: JSONValue)? { get }
    func handle(
        _ event: TrainerEvent, _ context: TrainerCallbackContext, _ control: inout TrainerControl
    ) throws
}

extension TrainerCallback {
    public var exportedState: (name: String, state: JSONValue)? { nil }
}

/// A callback that is a function.
public final class FunctionCallback: TrainerCallback {
    public typealias Body = (
        TrainerEvent, TrainerCallbackContext, inout TrainerControl
    ) throws -> Void
    private let body: Body

    public init(_ body: @escaping Body) { self.body = body }

    public func handle(
        _ event: TrainerEvent, _ context: TrainerCallbackContext, _ control: inout TrainerControl
    ) throws {
        try body(event, context, &control)
    }
}

/// Sets the flags that the strategies of the arguments ask for. Always the first callback.
final class DefaultFlowCallback: TrainerCallback {
    func handle(
        _ event: TrainerEvent, _ context: TrainerCallbackContext, _ control: inout TrainerControl
    ) {
        let (args, state) = (context.args, context.state)
        func falls(on interval: Int) -> Bool {
            interval > 0 && state.globalStep % interval == 0
        }
        switch event {
        case .stepEnd:
            let step = state.globalStep
            if step == 1, args.loggingFirstStep { control.shouldLog = true }
            if args.loggingStrategy == .steps, falls(on: state.loggingSteps) {
                control.shouldLog = true
            }
            // The last update is always evaluated and saved under strategy steps.
            let isLast = step >= state.maxSteps
            if args.evalStrategy == .steps, args.evalDelay <= Double(step),
                isLast || falls(on: state.evalSteps)
            {
                control.shouldEvaluate = true
            }
            if args.saveStrategy == .steps, isLast || falls(on: state.saveSteps) {
                control.shouldSave = true
            }
            if isLast { control.shouldTrainingStop = true }
        case .epochEnd:
            if args.loggingStrategy == .epoch { control.shouldLog = true }
            if args.evalStrategy == .epoch, args.evalDelay <= state.epoch {
                control.shouldEvaluate = true
            }
            if args.saveStrategy == .epoch { control.shouldSave = true }
        default:
            break
        }
    }
}

/// Stops when `metric_for_best_model` has not improved for a number of evaluations.
///
/// - patience (1): evaluations without improvement before stopping.
/// - threshold (0): how much better than the best before it a value must be to count.
/// Lua: `st.EarlyStoppingCallback{ early_stopping_patience = 3 }`.
public final class EarlyStoppingCallback: TrainerCallback {
    public let patience: Int
    public let threshold: Double
    /// Evaluations without improvement so far.
    public private(set) var patienceCounter = 0

    public init(patience: Int = 1, threshold: Double = 0) throws {
        guard patience >= 1 else {
            throw TrainingError.argument(
                owner: "EarlyStoppingCallback", name: "early_stopping_patience",
                problem: "must be 1 or more, got \(patience)")
        }
        self.patience = patience
        self.threshold = threshold
    }

    public var exportedState: (name: String, state: JSONValue)? {
        (
            "EarlyStoppingCallback",
            [
                "args": [
                    "early_stopping_patience": .init(patience),
                    "early_stopping_threshold": .init(threshold),
                ],
                "attributes": ["early_stopping_patience_counter": .init(patienceCounter)],
            ]
        )
    }

    public func handle(
        _ event: TrainerEvent, _ context: TrainerCallbackContext, _ control: inout TrainerControl
    ) throws {
        switch event {
        case .trainBegin:
            try check(context.args)
        case .evaluate:
            guard let key = context.args.bestMetricKey, let value = context.metrics?[key] else {
                return
            }
            let best = context.state.bestMetric
            let better =
                context.args.greaterIsBetter ? value > best ?? value : value < best ?? value
            let improved = best.map { better && (value - $0).magnitude > threshold } ?? true
            patienceCounter = improved ? 0 : patienceCounter + 1
            if patienceCounter >= patience { control.shouldTrainingStop = true }
        default:
            break
        }
    }

    private func check(_ args: SentenceTransformerTrainingArguments) throws {
        let needed =
            args.metricForBestModel == nil
            ? ("metric_for_best_model", "name the metric to watch")
            : args.evalStrategy == .no ? ("eval_strategy", "set it to 'steps' or 'epoch'") : nil
        if let (name, hint) = needed {
            throw TrainingError.argument(
                owner: "EarlyStoppingCallback", name: name, problem: "is needed", hint: hint)
        }
    }
}
