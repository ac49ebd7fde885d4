/// Everything that can go wrong in fine-tuning because of input, files or the machine.
///
/// Cases hold data; `description` is the one place that makes the sentence a user reads: what
/// happened with which value, then what to do next. A `problem` is a clause without a full stop
/// ("expected 384 columns, found 512"), a `hint` an imperative ("save the model again").
public enum TrainingError: Error, Sendable, Equatable {
    /// A file or folder could not be read or written, or does not hold what it should.
    case file(path: String, problem: String, hint: String? = nil)
    /// An argument of a public function or constructor has a value that can't be used.
    case argument(owner: String, name: String, problem: String, hint: String? = nil)
    /// A dataset does not fit what the loss, evaluator or sampler needs.
    case data(problem: String, hint: String? = nil)
    /// A model's parts do not fit together, or a part is of a kind that is not supported.
    case model(problem: String, hint: String? = nil)
    /// Training produced NaN or infinity.
    case nonFinite(what: String, step: Int, hint: String? = nil)
    /// The work was stopped from outside (Ctrl-C, a caller's cancellation).
    case cancelled
    /// A broken invariant of our own.
    case internalError(String)
}

extension TrainingError: CustomStringConvertible {
    public var description: String {
        func sentence(_ text: String, _ hint: String?) -> String {
            hint.map { "\(text); \($0)" } ?? text
        }
        switch self {
        case .file(let path, let problem, let hint):
            return sentence("'\(path)': \(problem)", hint)
        case .argument(let owner, let name, let problem, let hint):
            return sentence("\(owner): \(name): \(problem)", hint)
        case .data(let problem, let hint), .model(let problem, let hint):
            return sentence(problem, hint)
        case .nonFinite(let what, let step, let hint):
            return sentence("\(what) is not finite at step \(step)", hint)
        case .cancelled:
            return "interrupted"
        case .internalError(let text):
            return "st-host internal error: \(text); please report"
        }
    }
}
