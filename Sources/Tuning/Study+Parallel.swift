// Several trials at the same time, on threads of one process.

import Glibc
import Synchronization

extension Study {
    /// As ``optimize(_:objective:)`` with up to `jobs` trials at the same time.
    ///
    /// Only the objective runs side by side; the closures of the options are called one at a time,
    /// from the workers' threads. The sampler is seeded from the operating system before each
    /// trial, as in Optuna, so a seed does not make such a search reproducible. The first error
    /// that is not caught is thrown when the trials that run have ended; no other begins.
    ///
    /// - jobs: at least 1. 1 is the loop of ``optimize(_:objective:)``, on the calling thread.
    public func optimize(
        _ options: OptimizeOptions, jobs: Int,
        objective: @escaping @Sendable (Trial) throws -> ObjectiveResult
    ) throws {
        guard jobs >= 1 && jobs <= 1024 else {
            throw TuningError.argument(
                owner: "optimize", name: "n_jobs",
                problem: "must be between 1 and 1024, but got \(jobs)")
        }
        if jobs == 1 { return try optimize(options, objective: objective) }
        try enterLoop()
        defer { leaveLoop() }
        let search = ParallelSearch(self, options, objective)
        let count = options.nTrials.map { min(jobs, max($0, 0)) } ?? jobs
        var threads: [pthread_t] = []
        for _ in 0..<count {
            guard let thread = startThread({ search.work() }) else {
                search.fail(
                    TuningError.internalError("no thread for a trial could be started"))
                break
            }
            threads.append(thread)
        }
        for thread in threads { pthread_join(thread, nil) }
        if let failure = search.failure { throw failure }
    }
}

/// What the workers of one `optimize` share.
///
/// Unchecked: the closures of the options are not sendable, but are only called with `lock` held,
/// while the thread that made them waits.
private final class ParallelSearch: @unchecked Sendable {
    private let study: Study
    private let options: OptimizeOptions
    private let objective: @Sendable (Trial) throws -> ObjectiveResult
    private let start = ContinuousClock.now
    private let lock = Mutex(Progress())

    private struct Progress {
        var begun = 0
        var failure: (any Error)?
    }

    init(
        _ study: Study, _ options: OptimizeOptions,
        _ objective: @escaping @Sendable (Trial) throws -> ObjectiveResult
    ) {
        self.study = study
        self.options = options
        self.objective = objective
    }

    var failure: (any Error)? { lock.withLock { $0.failure } }

    /// Keeps the first error; no further trial begins.
    func fail(_ error: any Error) {
        lock.withLock { progress in
            if progress.failure == nil { progress.failure = error }
        }
    }

    /// One worker: trial after trial.
    func work() {
        study.joinLoop()
        defer { study.leaveLoop() }
        do {
            while try beginsAnother() {
                study.sampler.reseed()
                let trialID = try study.runTrial(serialized, objective)
                if options.callbacks.isEmpty { continue }
                let record = try study.storage.trial(trialID)
                try lock.withLock { _ in
                    for callback in options.callbacks { try callback(study, record) }
                }
            }
        } catch {
            fail(error)
        }
    }

    private func beginsAnother() throws -> Bool {
        try lock.withLock { progress in
            if progress.failure != nil || study.isStopRequested { return false }
            if let nTrials = options.nTrials, progress.begun >= nTrials { return false }
            if let timeout = options.timeout, start.duration(to: .now).seconds >= timeout {
                return false
            }
            if options.isCancelled() { throw TuningError.interrupted }
            progress.begun += 1
            return true
        }
    }

    /// The options with the lock around what one trial calls.
    private var serialized: OptimizeOptions {
        var serialized = OptimizeOptions()
        serialized.catches = { error in self.lock.withLock { _ in self.options.catches(error) } }
        serialized.isCancelled = { self.lock.withLock { _ in self.options.isCancelled() } }
        serialized.describeFailure = { error in
            self.lock.withLock { _ in self.options.describeFailure(error) }
        }
        return serialized
    }
}

/// A thread that runs `body`; `nil` if the system has none left.
private func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread, nil,
        { argument in
            if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, box.toOpaque())
    if status == 0 { return thread }
    box.release()
    return nil
}
