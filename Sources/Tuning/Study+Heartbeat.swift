// Signs of life of running trials, and what happens to those whose worker is gone.

import Glibc
import OrderedJSON

/// What is done with a trial that was found dead and failed. Gets the trial's record.
public typealias StaleTrialCallback = @Sendable (Study, FrozenTrial) throws -> Void

extension Study {
    /// Fails the trials whose worker has not been heard of for the storage's grace period, and
    /// hands each to the storage's callback. Part of `optimize`, before every trial.
    public func failStaleTrials() throws {
        var failed: [Int] = []
        for trialID in try storage.staleTrials(studyID) {
            do {
                if try storage.setTrialState(trialID, .fail, values: nil) {
                    failed.append(trialID)
                }
            } catch TuningError.finishedTrial {
                // Another worker was faster.
            }
        }
        guard let callback = storage.staleTrialCallback else { return }
        for trialID in failed { try callback(self, try storage.trial(trialID)) }
    }

    /// Runs `body` while a thread tells the storage that the trial lives, at once and then in
    /// the storage's interval.
    func withHeartbeat<Result>(of trialID: Int, _ body: () throws -> Result) throws -> Result {
        guard let interval = storage.heartbeatInterval else { return try body() }
        try storage.recordHeartbeat(trialID)
        let pulse = Pulse()
        let thread = startThread { [storage] in
            while pulse.waits(seconds: interval) {
                // A worker that can't reach its storage will hear so itself.
                try? storage.recordHeartbeat(trialID)
            }
        }
        defer {
            pulse.stop()
            if let thread { pthread_join(thread, nil) }
        }
        return try body()
    }
}

/// A pause that another thread can end.
private final class Pulse: @unchecked Sendable {
    // Unchecked: guarded by the mutex.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isStopped = false

    init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Whether the time passed without a ``stop()``.
    func waits(seconds: Double) -> Bool {
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let whole = Int(min(seconds, 1e9))
        deadline.tv_sec += whole
        deadline.tv_nsec += Int((min(seconds, 1e9) - Double(whole)) * 1e9)
        if deadline.tv_nsec >= 1_000_000_000 {
            deadline.tv_sec += 1
            deadline.tv_nsec -= 1_000_000_000
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isStopped {
            if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { break }
        }
        return !isStopped
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }
}

// MARK: - Trying again

/// Queues a dead worker's trial again: same parameters, attributes and, if wanted, reports.
/// Optuna's `RetryHeartbeatStaleTrialCallback`, which was `RetryFailedTrialCallback` before.
///
/// The new trial notes in system attributes where it comes from: `failed_trial`, the number of the
/// first trial of the row, and `retry_history`, the numbers of all before it.
public struct RetryHeartbeatStaleTrialCallback: Sendable {
    /// How often a trial is tried again; `nil` for no limit.
    public var maxRetry: Int?
    public var inheritsIntermediateValues: Bool

    public init(maxRetry: Int? = nil, inheritsIntermediateValues: Bool = false) {
        self.maxRetry = maxRetry
        self.inheritsIntermediateValues = inheritsIntermediateValues
    }

    /// The callback for a storage.
    public var callback: StaleTrialCallback {
        { study, trial in try self.retry(study, trial) }
    }

    private func retry(_ study: Study, _ trial: FrozenTrial) throws {
        var attributes: JSONObject = [
            Self.failedTrialKey: JSONValue(trial.number), Self.historyKey: [],
        ]
        for (key, value) in trial.systemAttrs { attributes[key] = value }
        let history = (attributes[Self.historyKey]?.arrayValue ?? []) + [JSONValue(trial.number)]
        attributes[Self.historyKey] = .array(history)
        if let maxRetry, maxRetry < history.count { return }
        try study.addTrial(
            try FrozenTrial.create(
                state: .waiting, params: trial.params, distributions: trial.distributions,
                userAttrs: trial.userAttrs, systemAttrs: attributes,
                intermediateValues: inheritsIntermediateValues
                    ? trial.intermediateValues : IntermediateValues()))
    }

    static let failedTrialKey = "failed_trial"
    static let historyKey = "retry_history"

    /// Number of the first trial of a row of retries; `nil` for a trial that is no retry.
    public static func retriedTrialNumber(_ trial: FrozenTrial) -> Int? {
        trial.systemAttrs[failedTrialKey]?.intValue
    }

    /// Numbers of the trials that this one tries again, oldest first.
    public static func retryHistory(_ trial: FrozenTrial) -> [Int] {
        trial.systemAttrs[historyKey]?.arrayValue?.compactMap(\.intValue) ?? []
    }
}
