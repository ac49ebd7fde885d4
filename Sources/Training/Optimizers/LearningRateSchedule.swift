// Learning rate schedules by the names and formulas of transformers: a factor for every update, which
// multiplies the base learning rate of each parameter group. The two metric-driven kinds,
// reduce_lr_on_plateau and greedy, live in MetricDrivenSchedule.swift.

import Glibc

/// The values of `lr_scheduler_type`.
public enum SchedulerType: String, Sendable, CaseIterable {
    case linear
    case cosine
    case cosineWithRestarts = "cosine_with_restarts"
    case polynomial
    case constant
    case constantWithWarmup = "constant_with_warmup"
    case inverseSqrt = "inverse_sqrt"
    case reduceLROnPlateau = "reduce_lr_on_plateau"
    case cosineWithMinLR = "cosine_with_min_lr"
    case cosineWarmupWithMinLR = "cosine_warmup_with_min_lr"
    case warmupStableDecay = "warmup_stable_decay"
    case greedy

    /// Whether the learning rate follows evaluation metrics instead of the step count.
    public var followsMetric: Bool { self == .reduceLROnPlateau || self == .greedy }

    /// The names that `lr_scheduler_kwargs` may hold.
    public var keywords: [String] {
        switch self {
        case .linear, .constant, .constantWithWarmup: []
        case .cosine, .cosineWithRestarts: ["num_cycles"]
        case .polynomial: ["lr_end", "power"]
        case .inverseSqrt: ["timescale"]
        case .cosineWithMinLR: ["num_cycles", "min_lr", "min_lr_rate"]
        case .cosineWarmupWithMinLR: ["num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate"]
        case .warmupStableDecay:
            [
                "num_decay_steps", "num_stable_steps", "warmup_type", "decay_type",
                "min_lr_ratio", "num_cycles",
            ]
        case .reduceLROnPlateau:
            [
                "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr",
                "eps",
            ]
        case .greedy:
            [
                "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "warmup",
                "min_lr", "max_lr", "eps", "verbose", "smooth", "window_size", "reset_start",
            ]
        }
    }
}

/// A schedule that knows the factor of every update in advance.
///
/// With N updates in all, W of them warm-up, and s counting updates from 0, the factor is
/// s / max(1, W) while s < W unless the kind says otherwise: the first update of a warm-up has
/// learning rate 0. Factors and kwargs per kind: section of the same name in transformers'
/// optimization.py. Checked by `LearningRateScheduleTests` against transformers.
public struct LearningRateSchedule: Sendable {
    public let type: SchedulerType
    public let warmupSteps: Int
    public let trainingSteps: Int
    private let baseLearningRate: Double
    private let options: SchedulerOptions

    /// - keywords: `lr_scheduler_kwargs`; unknown names and impossible values are refused.
    public init(
        type: SchedulerType, warmupSteps: Int, trainingSteps: Int, baseLearningRate: Double,
        keywords: [String: SchedulerOptions.Value] = [:]
    ) throws {
        self.type = type
        self.warmupSteps = max(warmupSteps, 0)
        self.trainingSteps = max(trainingSteps, 0)
        self.baseLearningRate = baseLearningRate
        options = try SchedulerOptions(type, keywords, baseLearningRate: baseLearningRate)
    }

    /// The factor of update `step` (from 0).
    public func factor(_ step: Int) -> Double {
        switch type {
        case .constant, .reduceLROnPlateau, .greedy:
            return 1
        case .cosineWarmupWithMinLR:
            return cosineWarmupFactor(step)
        case .warmupStableDecay:
            return warmupStableDecayFactor(step)
        default:
            if step < warmupSteps { return Double(step) / Double(max(1, warmupSteps)) }
            return afterWarmup(step)
        }
    }

    private func afterWarmup(_ step: Int) -> Double {
        let since = Double(step - warmupSteps)
        let span = Double(max(1, trainingSteps - warmupSteps))
        let progress = since / span
        switch type {
        case .linear:
            return max(0, Double(trainingSteps - step) / span)
        case .cosine:
            return max(0, 0.5 * (1 + cos(.pi * options.number("num_cycles", 0.5) * 2 * progress)))
        case .cosineWithRestarts:
            if progress >= 1 { return 0 }
            let cycle = options.number("num_cycles", 1) * progress
            return max(0, 0.5 * (1 + cos(.pi * (cycle - cycle.rounded(.down)))))
        case .polynomial:
            let end = options.number("lr_end", 1e-7)
            if step > trainingSteps { return end / baseLearningRate }
            let remaining = 1 - since / Double(trainingSteps - warmupSteps)
            let rate =
                (baseLearningRate - end) * pow(remaining, options.number("power", 1)) + end
            return trainingSteps == warmupSteps ? end / baseLearningRate : rate / baseLearningRate
        case .inverseSqrt:
            let scale = timescale
            return 1 / ((Double(step - warmupSteps) + scale) / scale).squareRoot()
        case .cosineWithMinLR:
            let factor =
                0.5 * (1 + cos(.pi * options.number("num_cycles", 0.5) * 2 * progress))
            return max(0, factor * (1 - options.minimumRate) + options.minimumRate)
        default:
            return 1
        }
    }

    private var timescale: Double {
        options.number("timescale", Double(warmupSteps > 0 ? warmupSteps : 10_000))
    }

    private func cosineWarmupFactor(_ step: Int) -> Double {
        let warmup = Double(warmupSteps)
        if step < warmupSteps {
            guard let start = options.number("warmup_lr_rate") else {
                return (Double(step) + 1) / max(1, warmup)
            }
            return start + (1 - start) * Double(step) / max(1, warmup - 1)
        }
        let progress =
            (Double(step) - warmup + 1) / max(1, Double(trainingSteps) - warmup)
        let factor = 0.5 * (1 + cos(.pi * options.number("num_cycles", 0.5) * 2 * progress))
        return max(0, factor * (1 - options.minimumRate) + options.minimumRate)
    }

    private func warmupStableDecayFactor(_ step: Int) -> Double {
        let decaySteps = Int(options.number("num_decay_steps", 0))
        let stableSteps =
            options.number("num_stable_steps").map { Int($0) }
            ?? (trainingSteps - warmupSteps - decaySteps)
        let floor = options.number("min_lr_ratio", 0)
        func scaled(_ factor: Double) -> Double { max(0, factor * (1 - floor) + floor) }
        if step < warmupSteps {
            let progress = Double(step) / Double(max(1, warmupSteps))
            switch options.text("warmup_type", "linear") {
            case "cosine": return scaled(0.5 * (1 - cos(.pi * progress)))
            case "1-sqrt": return scaled(1 - (1 - progress).squareRoot())
            default: return scaled(progress)
            }
        }
        if step < warmupSteps + stableSteps { return 1 }
        if step < warmupSteps + stableSteps + decaySteps {
            let progress =
                Double(step - warmupSteps - stableSteps) / Double(max(1, decaySteps))
            switch options.text("decay_type", "cosine") {
            case "linear": return scaled(1 - progress)
            case "1-sqrt": return scaled(1 - progress.squareRoot())
            default:
                let cycles = options.number("num_cycles", 0.5)
                return scaled(0.5 * (1 + cos(.pi * cycles * 2 * progress)))
            }
        }
        return floor
    }
}

/// `lr_scheduler_kwargs`, checked against what the kind of schedule takes.
public struct SchedulerOptions: Sendable, Equatable {
    public enum Value: Sendable, Equatable {
        case number(Double)
        case text(String)
        case flag(Bool)
    }

    private let values: [String: Value]
    /// `min_lr_rate`, or `min_lr` over the base learning rate.
    let minimumRate: Double

    public init(
        _ type: SchedulerType, _ values: [String: Value], baseLearningRate: Double
    ) throws {
        func refuse(_ problem: String, _ hint: String? = nil) -> TrainingError {
            .argument(
                owner: "SentenceTransformerTrainingArguments", name: "lr_scheduler_kwargs",
                problem: problem, hint: hint)
        }
        let texts: [String: [String]] = [
            "warmup_type": ["linear", "cosine", "1-sqrt"],
            "decay_type": ["linear", "cosine", "1-sqrt"],
            "mode": ["min", "max"], "threshold_mode": ["rel", "abs"],
        ]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard type.keywords.contains(name) else {
                let known = type.keywords.joined(separator: ", ")
                throw refuse(
                    "'\(type.rawValue)' has no option '\(name)'",
                    known.isEmpty ? "it takes none" : "it takes \(known)")
            }
            switch (value, texts[name], name == "verbose" || name == "smooth") {
            case (.text(let text), .some(let choices), _):
                guard choices.contains(text) else {
                    throw refuse(
                        "\(name) is '\(text)'", "use one of \(choices.joined(separator: ", "))")
                }
            case (.flag, nil, true):
                break
            case (.number(let number), nil, false):
                guard number.isFinite, number.magnitude < 1e15 else {
                    throw refuse("\(name) is \(number), not a finite number")
                }
            case (_, .some, _):
                throw refuse("\(name) must be a string")
            case (_, nil, true):
                throw refuse("\(name) must be true or false")
            default:
                throw refuse("\(name) must be a number")
            }
        }
        self.values = values
        var minimumRate = 0.0
        func number(_ name: String) -> Double? {
            if case .number(let number)? = values[name] { return number }
            return nil
        }
        switch type {
        case .cosineWithMinLR, .cosineWarmupWithMinLR:
            switch (number("min_lr"), number("min_lr_rate")) {
            case (.some, .some):
                throw refuse("min_lr and min_lr_rate are both set", "keep one of them")
            case (let rate?, nil):
                guard baseLearningRate > 0 else {
                    throw refuse("min_lr needs a learning_rate above 0", "use min_lr_rate")
                }
                minimumRate = rate / baseLearningRate
            case (nil, let ratio?): minimumRate = ratio
            case (nil, nil):
                throw refuse("'\(type.rawValue)' needs min_lr or min_lr_rate", "set one of them")
            }
        case .warmupStableDecay:
            guard let decay = number("num_decay_steps"), decay >= 0 else {
                throw refuse("'warmup_stable_decay' needs num_decay_steps, 0 or more", "set it")
            }
        case .polynomial:
            guard baseLearningRate > 0, number("lr_end") ?? 1e-7 < baseLearningRate else {
                throw refuse(
                    "lr_end (\(number("lr_end") ?? 1e-7)) must be smaller than learning_rate "
                        + "(\(baseLearningRate)), which must be above 0")
            }
        case .inverseSqrt:
            guard number("timescale") ?? 1 > 0 else { throw refuse("timescale must be positive") }
        case .reduceLROnPlateau, .greedy:
            guard number("factor") ?? 0.5 < 1 else {
                throw refuse("factor must be smaller than 1, got \(number("factor") ?? 1)")
            }
        default:
            break
        }
        self.minimumRate = minimumRate
    }

    func number(_ name: String) -> Double? {
        if case .number(let number)? = values[name] { return number }
        return nil
    }
    func number(_ name: String, _ fallback: Double) -> Double { number(name) ?? fallback }
    func text(_ name: String, _ fallback: String) -> String {
        if case .text(let text)? = values[name] { return text }
        return fallback
    }
    func flag(_ name: String) -> Bool { values[name] == .flag(true) }
}
