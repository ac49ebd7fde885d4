// The end of a trial: checks what was found and stores it.

import Logging
import OrderedJSON

/// What an objective gave back, before it is checked.
public enum ObjectiveResult: Sendable, Equatable {
    /// Nothing: None in Python, nil in Lua.
    case none
    case single(ParameterValue)
    /// A sequence, one value per objective.
    case sequence([ParameterValue])
}

extension ObjectiveResult: ExpressibleByFloatLiteral, ExpressibleByArrayLiteral {
    public init(floatLiteral value: Double) { self = .single(.double(value)) }
    public init(arrayLiteral elements: Double...) { self.init(elements) }
    public init(_ value: Double) { self = .single(.double(value)) }
    public init(_ values: [Double]) { self = .sequence(values.map { .double($0) }) }

    /// Python's `repr` of the result.
    var pythonRepr: String {
        switch self {
        case .none: "None"
        case .single(let value): Tuning.pythonRepr(value)
        case .sequence(let values):
            "[" + values.map { Tuning.pythonRepr($0) }.joined(separator: ", ") + "]"
        }
    }

    private var list: [ParameterValue]? {
        switch self {
        case .none: nil
        case .single(let value): [value]
        case .sequence(let values): values
        }
    }

    /// The numbers, or why they can't be one result of so many objectives.
    func checked(objectives: Int) -> Result<[Double], InfeasibleValues> {
        guard let list else {
            return .failure(InfeasibleValues("The value None could not be cast to float."))
        }
        var problems: [String] = []
        var numbers: [Double] = []
        for value in list {
            guard let number = value.doubleValue else {
                problems.append(
                    "The value \(Tuning.pythonRepr(value)) could not be cast to float")
                continue
            }
            if number.isNaN { problems.append("The value \(value) is not acceptable") }
            numbers.append(number)
        }
        if !problems.isEmpty {
            return .failure(InfeasibleValues(problems.joined(separator: "; ")))
        }
        if list.count != objectives {
            return .failure(
                InfeasibleValues(
                    "The number of the values \(list.count) did not match the number of the "
                        + "objectives \(objectives)"))
        }
        return .success(numbers)
    }
}

/// Why values can't be the result of a trial.
struct InfeasibleValues: Error {
    let problem: String

    init(_ problem: String) { self.problem = problem }
}

/// How `tell` left a trial.
struct ToldTrial {
    var state: TrialState
    var values: [Double]?
    /// Why values that should have completed the trial made it fail.
    var problem: String?
}

extension Study {
    /// Finishes a running trial and returns its record.
    ///
    /// - number: of a trial that ``ask(_:)`` gave out.
    /// - state: `nil` decides by the values: COMPLETE, or FAIL with a warning if they can't be
    ///   used. COMPLETE needs usable values, PRUNED and FAIL take none.
    /// - skipIfFinished: log instead of throwing when the trial is finished already.
    @discardableResult
    public func tell(
        _ number: Int, _ result: ObjectiveResult = .none, state: TrialState? = nil,
        skipIfFinished: Bool = false
    ) throws -> FrozenTrial {
        let trialID: Int
        do {
            trialID = try storage.trialID(studyID, number: number)
        } catch TuningError.unknownTrialNumber {
            throw TuningError.tellUnknownTrial(number: number)
        }
        let told = try finish(
            trialID, result, state: state, skipIfFinished: skipIfFinished)
        if let problem = told.problem { warn(problem) }
        return try storage.trial(trialID)
    }

    @discardableResult
    public func tell(
        _ trial: Trial, _ result: ObjectiveResult = .none, state: TrialState? = nil,
        skipIfFinished: Bool = false
    ) throws -> FrozenTrial {
        try tell(trial.number, result, state: state, skipIfFinished: skipIfFinished)
    }

    /// Checks and stores. Values that can't be used make the trial FAIL where no state was asked
    /// for.
    func finish(
        _ trialID: Int, _ result: ObjectiveResult, state: TrialState?, skipIfFinished: Bool
    ) throws -> ToldTrial {
        forgetSnapshot()
        let record = try storage.trial(trialID)
        if record.state.isFinished && skipIfFinished {
            logger.info(
                """
                Skipped telling trial \(record.number) with values \(result.pythonRepr) and state \
                \(state?.description ?? "None") since trial was already finished. Finished trial \
                has values \(record.values.map { pythonRepr($0) } ?? "None") and state \
                \(record.state).
                """)
            return ToldTrial(state: record.state, values: record.values)
        }
        guard record.state == .running else {
            throw TuningError.tellOfTrialIn(state: record.state)
        }
        let told = try outcome(of: record, result, state: state)
        if let problem = told.problem {
            try storage.setTrialSystemAttribute(trialID, failReasonKey, .string(problem))
        }
        // The result is stored even if the sampler fails.
        let afterTrial = Result {
            try sampler.afterTrial(
                try context(for: record), trial: record, state: told.state, values: told.values)
        }
        try storage.setTrialState(trialID, told.state, values: told.values)
        try afterTrial.get()
        return told
    }

    /// State and values to store.
    private func outcome(
        of record: FrozenTrial, _ result: ObjectiveResult, state: TrialState?
    ) throws -> ToldTrial {
        switch state {
        case .complete:
            if result == .none { throw TuningError.tellWithoutValues }
            switch result.checked(objectives: directions.count) {
            case .success(let values): return ToldTrial(state: .complete, values: values)
            case .failure(let error): throw TuningError.infeasibleValues(problem: error.problem)
            }
        case .pruned:
            if result != .none { throw TuningError.tellWithUnexpectedValues }
            // The last report stands for the value.
            guard directions.count == 1, let step = record.lastStep,
                let value = record.intermediateValues[step], !value.isNaN
            else { return ToldTrial(state: .pruned) }
            return ToldTrial(state: .pruned, values: [value])
        case .fail:
            if result != .none { throw TuningError.tellWithUnexpectedValues }
            return ToldTrial(state: .fail)
        case nil:
            switch result.checked(objectives: directions.count) {
            case .success(let values): return ToldTrial(state: .complete, values: values)
            case .failure(let error): return ToldTrial(state: .fail, problem: error.problem)
            }
        case .running, .waiting:
            throw TuningError.tellState(state ?? .running)
        }
    }
}
