// Everything that can go wrong in a study because of arguments, scripts or storages.

import OrderedJSON

/// Cases hold data; ``description`` is the one place that makes sentences. Where Optuna has a
/// text for the case, that is the text.
public enum TuningError: Error, Sendable, Equatable {
    // Distributions
    case logWithStep
    case logWithIntegerStep(step: Int)
    case lowAboveHigh(low: String, high: String)
    case lowNotPositiveForLog(minimum: String, low: String, high: String)
    case stepNotPositive(step: String)
    case notFinite(name: String, value: Double)
    case tooManySteps(low: Double, high: Double, step: Double)
    case noChoices
    case notANumber(value: String)
    case invalidValue(value: String, isForLog: Bool)
    case notAChoice(value: String, choices: String)
    case differentKind
    case differentLog
    case dynamicChoices
    case invalidDistribution(json: String, problem: String)

    // Trials
    case finishedTrial(number: Int)
    case negativeStep(Int)
    case multiObjective(feature: String)
    case valueOfMultiObjectiveTrial
    case constraintIsNaN(key: String)
    case relativeParameterWithoutSpace(name: String)
    case invalidTrial(problem: String)

    // Studies
    case bothDirections
    case noDirections
    case directionIsList
    case invalidDirections(shown: String)
    case duplicatedStudy(name: String)
    case unknownStudy(name: String)
    case unknownStudyID(Int)
    case unknownTrialID(Int)
    case unknownTrialNumber(number: Int, studyID: Int)
    case studyNameNeeded(storage: String, names: [String])
    case singleDirectionOfMultiObjectiveStudy
    case bestTrialOfMultiObjectiveStudy
    case noCompletedTrials
    case noFeasibleTrials
    case metricNameCount
    case wrongValueCount(found: Int, expected: Int)
    case stopOutsideOptimize
    case nestedOptimize

    // Tell
    case tellUnknownTrial(number: Int)
    case tellState(TrialState)
    case tellOfTrialIn(state: TrialState)
    case tellWithoutValues
    case tellWithUnexpectedValues
    case infeasibleValues(problem: String)

    // Samplers and pruners
    case argument(owner: String, name: String, problem: String)
    case pruner(problem: String)
    case sampler(problem: String)
    case importance(problem: String)

    // The rest
    case unsupported(what: String, hint: String)
    case storage(url: String, problem: String)
    /// The work was stopped from outside (Ctrl-C, a caller's cancellation).
    case interrupted
    /// A ``FixedTrial`` was asked for a value that it was not made with.
    case fixedTrialLacks(name: String, owner: String)
    /// A broken invariant of our own.
    case internalError(String)
}

extension TuningError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .logWithStep, .logWithIntegerStep, .lowAboveHigh, .lowNotPositiveForLog,
            .stepNotPositive, .notFinite, .tooManySteps, .noChoices, .notANumber, .invalidValue,
            .notAChoice, .differentKind, .differentLog, .dynamicChoices, .invalidDistribution:
            distributionDescription
        case .finishedTrial, .negativeStep, .multiObjective, .valueOfMultiObjectiveTrial,
            .constraintIsNaN, .relativeParameterWithoutSpace, .invalidTrial, .tellUnknownTrial,
            .tellState, .tellOfTrialIn, .tellWithoutValues, .tellWithUnexpectedValues,
            .infeasibleValues:
            trialDescription
        default:
            studyDescription
        }
    }

    private var distributionDescription: String {
        switch self {
        case .logWithStep:
            "The parameter `step` is not supported when `log` is true."
        case .logWithIntegerStep(let step):
            "Samplers and other components in Optuna only accept step is 1 when `log` argument "
                + "is True, but got step=\(step)."
        case .lowAboveHigh(let low, let high):
            "`low <= high` must hold, but got (low=\(low), high=\(high))."
        case .lowNotPositiveForLog(let minimum, let low, let high):
            "`low \(minimum)` must hold for `log=True`, but got (low=\(low), high=\(high))."
        case .stepNotPositive(let step):
            "`step > 0` must hold, but got step=\(step)."
        case .notFinite(let name, let value):
            "`\(name)` must be a finite number, but got \(name)=\(repr(value))."
        case .tooManySteps(let low, let high, let step):
            "The range [\(repr(low)), \(repr(high))] holds too many steps of \(repr(step)) to "
                + "count; use a larger step or none."
        case .noChoices:
            "The `choices` must contain one or more elements."
        case .notANumber(let value):
            "'\(value)' is not a valid type. float-castable value is expected."
        case .invalidValue(let value, let isForLog):
            isForLog
                ? "`\(value)` is invalid value for the case log=True."
                : "`\(value)` is invalid value."
        case .notAChoice(let value, let choices):
            "'\(value)' not in \(choices)."
        case .differentKind:
            "Cannot set different distribution kind to the same parameter name."
        case .differentLog:
            "Cannot set different log configuration to the same parameter name."
        case .dynamicChoices:
            "CategoricalDistribution does not support dynamic value space."
        case .invalidDistribution(let json, let problem):
            "The distribution \(json) can't be read: \(problem)."
        default: ""
        }
    }

    private var trialDescription: String {
        switch self {
        case .finishedTrial(let number):
            "Trial#\(number) has already finished and can not be updated."
        case .negativeStep(let step):
            "`step=\(step)` must be non-negative."
        case .multiObjective(let feature):
            "Trial.\(feature) is not supported for multi-objective optimization."
        case .valueOfMultiObjectiveTrial:
            "This attribute is not available during multi-objective optimization."
        case .constraintIsNaN(let key):
            "Attempted to set a constraint for \(repr(key)), but NaN is not allowed."
        case .relativeParameterWithoutSpace(let name):
            "The parameter \(name) was sampled by `sample_relative` method but it is not "
                + "contained in the relative search space."
        case .invalidTrial(let problem):
            problem
        case .tellUnknownTrial(let number):
            "Cannot tell for trial with number \(number) since it has not been created."
        case .tellState(let state):
            "Cannot tell with state \(state)."
        case .tellOfTrialIn(let state):
            "Cannot tell a \(state.name) trial."
        case .tellWithoutValues:
            "No values were told. Values are required when state is TrialState.COMPLETE."
        case .tellWithUnexpectedValues:
            "Values were told. Values cannot be specified when state is TrialState.PRUNED or "
                + "TrialState.FAIL."
        case .infeasibleValues(let problem):
            problem
        default: ""
        }
    }

    private var studyDescription: String {
        switch self {
        case .bothDirections:
            "Specify only one of `direction` and `directions`."
        case .noDirections:
            "The number of objectives must be greater than 0."
        case .directionIsList:
            "Use `directions` instead of `direction` for multi-objective optimization."
        case .invalidDirections(let shown):
            "`directions` must be a list of `minimize` or `maximize`, but got \(shown). For "
                + "single-objective optimization, please use `direction` instead of `directions`."
        case .duplicatedStudy(let name):
            "Another study with study_name=\(repr(name)) already exists. Please specify a name "
                + "not in the storage, or reuse the existing one by setting `load_if_exists` (for "
                + "Python API) or `--skip-if-exists` flag (for CLI).\n"
                + "Use `optuna.study.get_all_study_names(storage)` to list all the used names."
        case .unknownStudy(let name):
            "No such study \(name)."
        case .unknownStudyID(let studyID):
            "No study with study_id \(studyID) exists."
        case .unknownTrialID(let trialID):
            "No trial with trial_id \(trialID) exists."
        case .unknownTrialNumber(let number, let studyID):
            "No trial with trial number \(number) exists in study with study_id \(studyID)."
        case .studyNameNeeded(let storage, let names):
            "Could not determine the study name since the storage=\(storage) does not contain "
                + "exactly 1 study. Specify `study_name` from study_names=["
                + names.map { repr($0) }.joined(separator: ", ") + "]."
        case .singleDirectionOfMultiObjectiveStudy:
            "A single direction cannot be retrieved from a multi-objective study. Consider using "
                + "Study.directions to retrieve a list containing all directions."
        case .bestTrialOfMultiObjectiveStudy:
            "A single best trial cannot be retrieved from a multi-objective study. Consider using "
                + "Study.best_trials to retrieve a list containing the best trials."
        case .noCompletedTrials:
            "No trials are completed yet."
        case .noFeasibleTrials:
            "No feasible trials are completed yet."
        case .metricNameCount:
            "The number of objectives must match the length of the metric names."
        case .wrongValueCount(let found, let expected):
            "The added trial has \(found) values, which is different from the number of "
                + "objectives \(expected) in the study (determined by Study.directions)."
        case .stopOutsideOptimize:
            "`Study.stop` is supposed to be invoked inside an objective function or a callback."
        case .nestedOptimize:
            "Nested invocation of `Study.optimize` method isn't allowed."
        case .argument(let owner, let name, let problem):
            "\(owner): \(name): \(problem)"
        case .pruner(let problem), .sampler(let problem), .importance(let problem):
            problem
        case .unsupported(let what, let hint):
            "\(what) is not supported yet; \(hint)"
        case .storage(let url, let problem):
            "storage '\(url)': \(problem)"
        case .interrupted:
            "interrupted"
        case .fixedTrialLacks(let name, let owner):
            "The value of the parameter '\(name)' is not found. Please set it at the "
                + "construction of the \(owner) object."
        case .internalError(let text):
            "st-host internal error: \(text); please report"
        default: ""
        }
    }

    private func repr(_ value: Double) -> String { pythonRepr(value) }
    private func repr(_ text: String) -> String { pythonRepr(text) }
}

/// The signal by which an objective gives its trial up; the trial becomes PRUNED, not FAIL.
///
/// Throw it when ``Trial/shouldPrune()`` says so.
public struct TrialPruned: Error, Sendable, Equatable, CustomStringConvertible {
    public let message: String

    public init(_ message: String = "") { self.message = message }

    public var description: String { message.isEmpty ? "TrialPruned" : message }
}
