/// Learning rates that follow evaluation metrics: torch's ReduceLROnPlateau and transformers'
/// GreedyLR. Stepped by the trainer after each evaluation, never by the step count.
///
/// - reduce_lr_on_plateau: after more than `patience` (10) evaluations without improvement by
///   `threshold` (1e-4, "rel"), lr ← max(lr · `factor` (0.1), `min_lr` (0)); changes below `eps` (1e-8)
///   are not made; then `cooldown` (0) evaluations are not counted.
/// - greedy: also raises the rate, lr ← min(lr / `factor` (0.95), `max_lr` (1)) after more than
///   `patience` (10) improvements in a row (`threshold` 1e-6, "abs"; `min_lr` 1e-3). With `smooth` the
///   metric is averaged over `window_size` (50) evaluations; after `reset_start` (500) reductions at
///   the minimum everything starts over.
/// `mode` is "min" unless given, also for metrics that should grow, as in Python. Source: torch.optim.lr_scheduler, GreedyLR
/// arXiv:2512.14527. Checked by `LearningRateScheduleTests` against both.
public struct MetricDrivenSchedule: Sendable, Equatable {
    public let type: SchedulerType
    private let options: SchedulerOptions
    private let greaterIsBetter: Bool
    private let initialRates: [Double]

    /// What a checkpoint keeps.
    package struct State: Sendable, Equatable {
        package var best: Double
        package var badEvaluations = 0
        package var goodEvaluations = 0
        package var cooldown = 0
        package var warmup = 0
        package var resetStart: Int
        package var window: [Double] = []
        package var windowSum = 0.0
    }
    package var state: State

    public init(
        type: SchedulerType, initialRates: [Double],
        keywords: [String: SchedulerOptions.Value] = [:]
    ) throws {
        self.type = type
        options = try SchedulerOptions(
            type, keywords, baseLearningRate: initialRates.first ?? 1)
        greaterIsBetter = options.text("mode", "min") == "max"
        self.initialRates = initialRates
        state = State(best: 0, resetStart: 0)
        reset()
    }

    /// Takes one metric value and changes the learning rates of the groups where it has to.
    package mutating func step(_ metric: Double, rates: inout [Double]) {
        if type == .greedy { greedyStep(metric, &rates) } else { plateauStep(metric, &rates) }
    }

    private mutating func plateauStep(_ metric: Double, _ rates: inout [Double]) {
        if isBetter(metric, relativeByDefault: true, threshold: 1e-4) {
            state.best = metric
            state.badEvaluations = 0
        } else {
            state.badEvaluations += 1
        }
        if state.cooldown > 0 {
            state.cooldown -= 1
            state.badEvaluations = 0
        }
        if Double(state.badEvaluations) > options.number("patience", 10) {
            for index in rates.indices {
                let reduced = max(
                    rates[index] * options.number("factor", 0.1), options.number("min_lr", 0))
                if rates[index] - reduced > options.number("eps", 1e-8) { rates[index] = reduced }
            }
            state.cooldown = count("cooldown", 0)
            state.badEvaluations = 0
        }
    }

    private mutating func greedyStep(_ metric: Double, _ rates: inout [Double]) {
        let current = options.flag("smooth") ? averaged(metric) : metric
        if state.cooldown > 0 || state.warmup > 0 {
            if state.cooldown > 0 { state.cooldown -= 1 } else { state.warmup -= 1 }
            state.badEvaluations = 0
            state.goodEvaluations = 0
            return
        }
        if isBetter(current, relativeByDefault: false, threshold: 1e-6) {
            state.best = current
            state.badEvaluations = 0
            state.goodEvaluations += 1
        } else {
            state.badEvaluations += 1
            state.goodEvaluations = 0
        }
        let patience = options.number("patience", 10)
        if Double(state.goodEvaluations) > patience {
            raise(&rates)
            state.warmup = count("warmup", 0)
            state.goodEvaluations = 0
        } else if Double(state.badEvaluations) > patience {
            let cooldown = count("cooldown", 0)
            lower(&rates)
            state.cooldown = cooldown
            state.badEvaluations = 0
        }
    }

    private mutating func lower(_ rates: inout [Double]) {
        let minimum = options.number("min_lr", 1e-3)
        for index in rates.indices {
            let reduced = max(rates[index] * options.number("factor", 0.95), minimum)
            if rates[index] - reduced > options.number("eps", 1e-8) { rates[index] = reduced }
        }
        if rates.allSatisfy({ $0 <= minimum }) {
            state.resetStart -= 1
            if state.resetStart <= 0 {
                rates = initialRates
                reset()
            }
        }
    }

    private mutating func raise(_ rates: inout [Double]) {
        for index in rates.indices {
            let raised = min(
                rates[index] / options.number("factor", 0.95), options.number("max_lr", 1))
            if raised - rates[index] > options.number("eps", 1e-8) { rates[index] = raised }
        }
        state.resetStart = count("reset_start", 500)
    }

    private mutating func reset() {
        state = State(
            best: greaterIsBetter ? -.infinity : .infinity, resetStart: count("reset_start", 500))
    }

    private mutating func averaged(_ metric: Double) -> Double {
        state.window.append(metric)
        state.windowSum += metric
        if Double(state.window.count) > options.number("window_size", 50) {
            state.windowSum -= state.window.removeFirst()
        }
        return state.windowSum / Double(max(state.window.count, 1))
    }

    private func isBetter(
        _ value: Double, relativeByDefault: Bool, threshold fallback: Double
    ) -> Bool {
        let threshold = options.number("threshold", fallback)
        let relative =
            options.text("threshold_mode", relativeByDefault ? "rel" : "abs") == "rel"
        if greaterIsBetter {
            return value > (relative ? state.best * (1 + threshold) : state.best + threshold)
        }
        return value < (relative ? state.best * (1 - threshold) : state.best - threshold)
    }

    /// SchedulerOptions holds finite numbers below 1e15 only.
    private func count(_ name: String, _ fallback: Int) -> Int {
        options.number(name).map { Int($0) } ?? fallback
    }
}
