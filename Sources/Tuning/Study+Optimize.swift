// START HERE: how a study runs. ask -> objective -> tell, one trial after the other.
//
// `optimize` is the loop; `ask` makes a trial, whose `suggest` methods (Trial.swift) call the
// sampler (Samplers/); `run` calls the objective; `finish` (Study+Tell.swift) checks and stores the
// result. A script's own loop calls `ask` and `tell` itself. Study+Parallel.swift has the loop of
// several trials at once.

import Logging
import OrderedJSON
import Synchronization

/// How long and how forgivingly a study runs.
public struct OptimizeOptions {
    /// Trials to make, whatever becomes of them; `nil` for no limit.
    public var nTrials: Int?
    /// Seconds after which no new trial begins; a running one is never cut short.
    public var timeout: Double?
    /// Which errors of the objective make the trial FAIL and let the study go on. All others end
    /// it. By default none is caught.
    public var catches: (any Error) -> Bool = { _ in false }
    /// Called after each trial, also failed and pruned ones.
    public var callbacks: [(Study, FrozenTrial) throws -> Void] = []
    /// Whether the work was stopped from outside. Then no new trial begins, and the error that a
    /// running objective ends with is not caught.
    public var isCancelled: () -> Bool = { false }
    /// Text of an error for the log and the trial's record.
    public var describeFailure: (any Error) -> TrialFailure = { TrialFailure("\($0)") }

    public init(nTrials: Int? = nil, timeout: Double? = nil) {
        self.nTrials = nTrials
        self.timeout = timeout
    }
}

/// What is said about an objective's error.
public struct TrialFailure: Sendable, Equatable {
    /// One line: what happened, where.
    public var reason: String
    /// Further lines for the log.
    public var traceback: String?

    public init(_ reason: String, traceback: String? = nil) {
        self.reason = reason
        self.traceback = traceback
    }
}

extension Study {
    /// Runs trials until there are enough, the time is up, ``stop()`` is called, or an error is
    /// not caught.
    ///
    /// An objective that throws ``TrialPruned`` makes its trial PRUNED; one that throws anything
    /// else makes it FAIL, and the error ends the study unless ``OptimizeOptions/catches`` takes
    /// it. Results that are no numbers make the trial FAIL and the study goes on.
    public func optimize(
        _ options: OptimizeOptions, objective: (Trial) throws -> ObjectiveResult
    ) throws {
        try enterLoop()
        defer { leaveLoop() }
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        while !isStopRequested {
            if let nTrials = options.nTrials, count >= nTrials { break }
            count += 1
            if let timeout = options.timeout, start.duration(to: clock.now).seconds >= timeout {
                break
            }
            if options.isCancelled() { throw TuningError.interrupted }
            let trial = try begin()
            try run(trial, options) { try objective(trial) }
            if options.callbacks.isEmpty { continue }
            let record = try storage.trial(trial.trialID)
            for callback in options.callbacks { try callback(self, record) }
        }
    }

    /// As `optimize(_:objective:)` for an objective with one number per objective.
    public func optimize(
        _ options: OptimizeOptions, objective: (Trial) throws -> [Double]
    ) throws {
        try optimize(options) { trial in ObjectiveResult(try objective(trial)) }
    }

    /// As `optimize(_:objective:)` for a single objective.
    public func optimize(nTrials: Int, objective: (Trial) throws -> Double) throws {
        try optimize(OptimizeOptions(nTrials: nTrials)) { trial in
            ObjectiveResult(try objective(trial))
        }
    }

    /// The next trial; those whose process is gone are closed first.
    func begin() throws -> Trial {
        try failStaleTrials()
        return try ask()
    }

    /// One trial from its objective to telling.
    func run(
        _ trial: Trial, _ options: OptimizeOptions, _ objective: () throws -> ObjectiveResult
    ) throws {
        let outcome: Outcome
        do {
            outcome = .returned(try withHeartbeat(of: trial.trialID, objective))
        } catch let pruned as TrialPruned {
            outcome = .pruned(pruned)
        } catch {
            outcome = .threw(error)
        }
        switch outcome {
        case .returned(let result):
            let told = try finish(trial.trialID, result, state: nil, skipIfFinished: false)
            if let values = told.values {
                logCompleted(trial, values)
            } else {
                logFailed(trial, TrialFailure("\(told.problem ?? "")"), result)
            }
        case .pruned(let pruned):
            _ = try finish(trial.trialID, .none, state: .pruned, skipIfFinished: false)
            logger.info("Trial \(trial.number) pruned. \(pruned.message)")
        case .threw(let error):
            let failure = options.describeFailure(error)
            try storage.setTrialSystemAttribute(
                trial.trialID, failReasonKey, .string(failure.reason))
            _ = try finish(trial.trialID, .none, state: .fail, skipIfFinished: false)
            logFailed(trial, failure, .none)
            if options.isCancelled() || !options.catches(error) { throw error }
        }
    }

    /// How an objective ended.
    private enum Outcome {
        case returned(ObjectiveResult)
        case pruned(TrialPruned)
        case threw(any Error)
    }

    // MARK: Ask

    /// Takes a queued trial or makes a new one.
    ///
    /// - fixedDistributions: parameters to suggest right away.
    public func ask(
        _ fixedDistributions: NamedValues<Distribution> = [:]
    ) throws -> Trial {
        forgetSnapshot()
        let record = try takeQueuedTrial() ?? storage.createTrial(studyID, template: nil)
        let trial = try Trial(study: self, record: record)
        for (name, distribution) in fixedDistributions {
            _ = try trial.suggest(name, distribution)
        }
        return trial
    }

    private func takeQueuedTrial() throws -> FrozenTrial? {
        for waiting in try storage.trials(studyID, states: .waiting) {
            do {
                // false: another worker was faster.
                guard try storage.setTrialState(waiting.trialID, .running, values: nil) else {
                    continue
                }
            } catch TuningError.finishedTrial {
                continue
            }
            logger.debug("Trial \(waiting.number) popped from the trial queue.")
            return try storage.trial(waiting.trialID)
        }
        return nil
    }

    // MARK: Stop

    /// Ends the running `optimize` after the current trial; only from an objective or a callback.
    public func stop() throws {
        let thread = currentThread()
        try state.withLock { state in
            guard state.loops.contains(thread) else { throw TuningError.stopOutsideOptimize }
            state.isStopRequested = true
        }
    }

    var isStopRequested: Bool { state.withLock { $0.isStopRequested } }

    func enterLoop() throws {
        let thread = currentThread()
        try state.withLock { state in
            guard state.loops.insert(thread).inserted else { throw TuningError.nestedOptimize }
            state.isStopRequested = false
        }
    }

    /// For a further thread of a loop that has begun.
    func joinLoop() {
        let thread = currentThread()
        state.withLock { _ = $0.loops.insert(thread) }
    }

    func leaveLoop() {
        let thread = currentThread()
        state.withLock { _ = $0.loops.remove(thread) }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
