// `optim` and `optim_args`: which optimizers there are, what options each takes, and how it is made.

/// The options that `optim_args` gives an optimizer, checked.
struct OptimizerOptions {
    /// What an option may be.
    private enum Kind {
        case number(ArgumentKind.Limit)
        case flag
    }

    /// Every optimizer, with the names that its `optim_args` may hold.
    private static let optimizers: [(name: String, options: [(name: String, kind: Kind)])] = [
        ("adamw_torch", []),
        ("adamw_torch_fused", []),
        (
            "sgd",
            [
                ("momentum", .number(.atLeast(0))), ("dampening", .number(.any)),
                ("nesterov", .flag),
            ]
        ),
        ("adagrad", [("lr_decay", .number(.atLeast(0))), ("eps", .number(.above(0)))]),
        (
            "rmsprop",
            [
                ("momentum", .number(.atLeast(0))), ("alpha", .number(.within(0, below: 1))),
                ("eps", .number(.above(0))), ("centered", .flag),
            ]
        ),
        ("adafactor", []),
    ]

    /// The values of `optim`.
    static let optimizerNames = optimizers.map(\.name)

    private var numbers: [String: Double] = [:]
    private var flags: [String: Bool] = [:]

    /// - text: "name=value,name=value"; names that the optimizer does not take are refused.
    init(optim: String, text: String) throws {
        func refuse(_ problem: String, _ hint: String? = nil) -> TrainingError {
            SentenceTransformerTrainingArguments.refusal("optim_args", problem, hint)
        }
        let options = Self.optimizers.first { $0.name == optim }?.options ?? []
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1).map { part in
                part.filter { $0 != " " }
            }
            guard parts.count == 2 else { throw refuse("'\(pair)' is not name=value") }
            let (name, value) = (parts[0], parts[1])
            guard let kind = options.first(where: { $0.name == name })?.kind else {
                let known = options.map(\.name).joined(separator: ", ")
                throw refuse(
                    "'\(optim)' has no option '\(name)'",
                    known.isEmpty ? "it takes none" : "it takes \(known)")
            }
            switch kind {
            case .number(let limit):
                guard let number = Double(value) else {
                    throw refuse("\(name) is '\(value)', not a number")
                }
                if let problem = limit.problem(number) { throw refuse("\(name) \(problem)") }
                numbers[name] = number
            case .flag:
                switch value.lowercased() {
                case "true", "1", "yes": flags[name] = true
                case "false", "0", "no": flags[name] = false
                default: throw refuse("\(name) is '\(value)'", "use true or false")
                }
            }
        }
        if flag("nesterov"), number("momentum", 0) == 0 || number("dampening", 0) != 0 {
            throw refuse("nesterov needs a momentum and no dampening")
        }
    }

    func number(_ name: String, _ fallback: Double) -> Double { numbers[name] ?? fallback }
    func flag(_ name: String) -> Bool { flags[name] ?? false }
}

extension SentenceTransformerTrainingArguments {
    /// `optim_args`, checked.
    func optimizerOptions() throws -> OptimizerOptions {
        try OptimizerOptions(optim: optim, text: optimArgs)
    }

    /// The optimizer that `optim` names.
    func makeOptimizer(_ groups: [ParameterGroup]) throws -> any Optimizer {
        let options = try optimizerOptions()
        switch optim {
        case "sgd":
            return try SGD(
                groups: groups, momentum: options.number("momentum", 0),
                dampening: options.number("dampening", 0), nesterov: options.flag("nesterov"))
        case "adagrad":
            return try Adagrad(
                groups: groups, lrDecay: options.number("lr_decay", 0),
                epsilon: options.number("eps", 1e-10))
        case "rmsprop":
            return try RMSprop(
                groups: groups, alpha: options.number("alpha", 0.99),
                epsilon: options.number("eps", 1e-8), momentum: options.number("momentum", 0),
                centered: options.flag("centered"))
        case "adafactor":
            return try Adafactor(groups: groups)
        default:
            return try AdamW(
                groups: groups, beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon)
        }
    }
}
