// Several trials at the same time, on threads of one process.

import Glibc
import Synchronization

extension Study {
    /// As `optimize(_:objective:)` with up to `jobs` trials at the same time.
    ///
    /// Trials begin one at a time: asking and `prepare`, in the order of their numbers. So a sampler
    /// that does not look back suggests the same for any number of jobs, when its parameters are
    /// suggested there. Only the objective runs side by side; the closures of the options are
    /// called one at a time, from the workers' threads. The first error that is not caught is
    /// thrown when the trials that run have ended; no other begins.
    ///
    /// - jobs: 1...1024, or -1 for as many as there are processors. 1 is the loop of
    ///   `optimize(_:objective:)`, on the calling thread.
    /// - prepare: an error of it counts as one of the objective.
    public func optimize<Prepared: Sendable>(
        _ options: OptimizeOptions, jobs: Int,
        prepare: @escaping @Sendable (Trial) throws -> Prepared,
        objective: @escaping @Sendable (Trial, Prepared) throws -> ObjectiveResult
    ) throws {
        let jobs = try Self.jobCount(jobs)
        if jobs == 1 {
            return try optimize(options) { trial in try objective(trial, try prepare(trial)) }
        }
        try enterLoop()
        defer { leaveLoop() }
        let search = ParallelSearch(self, options, prepare, objective)
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

    /// As ``optimize(_:jobs:prepare:objective:)`` with nothing to prepare.
    public func optimize(
        _ options: OptimizeOptions, jobs: Int,
        objective: @escaping @Sendable (Trial) throws -> ObjectiveResult
    ) throws {
        try optimize(
            options, jobs: jobs, prepare: { _ in }, objective: { trial, _ in try objective(trial) })
    }

    /// Trials at the same time for an `n_jobs`; -1 stands for the number of processors.
    public static func jobCount(_ jobs: Int) throws -> Int {
        if jobs == -1 { return min(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1024) }
        guard jobs >= 1 && jobs <= 1024 else {
            throw TuningError.argument(
                owner: "optimize", name: "n_jobs",
                problem: "must be between 1 and 1024, or -1 for one a processor, but got \(jobs)")
        }
        return jobs
    }
}

/// What the workers of one `optimize` share.
///
/// Unchecked: the closures of the options are not sendable, but are only called with `lock` held,
/// while the thread that made them waits.
private final class ParallelSearch<Prepared: Sendable>: @unchecked Sendable {
    private let study: Study
    private let options: OptimizeOptions
    private let prepare: @Sendable (Trial) throws -> Prepared
    private let objective: @Sendable (Trial, Prepared) throws -> ObjectiveResult
    private let start = ContinuousClock.now
    private let lock = Mutex(Progress())
    /// Held while a trial begins.
    private let beginning = Mutex(())

    private struct Progress {
        var begun = 0
        var failure: (any Error)?
    }

    init(
        _ study: Study, _ options: OptimizeOptions,
        _ prepare: @escaping @Sendable (Trial) throws -> Prepared,
        _ objective: @escaping @Sendable (Trial, Prepared) throws -> ObjectiveResult
    ) {
        self.study = study
        self.options = options
        self.prepare = prepare
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
            while let (trial, prepared) = try beginTrial() {
                try study.run(trial, serialized) { try objective(trial, try prepared.get()) }
                if options.callbacks.isEmpty { continue }
                let record = try study.storage.trial(trial.trialID)
                try lock.withLock { _ in
                    for callback in options.callbacks { try callback(study, record) }
                }
            }
        } catch {
            fail(error)
        }
    }

    /// The next trial and what was prepared for it; nil when there is to be none.
    private func beginTrial() throws -> (Trial, Result<Prepared, any Error>)? {
        try beginning.withLock { _ in
            guard try beginsAnother() else { return nil }
            let trial = try study.begin()
            return (trial, Result { try prepare(trial) })
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
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body))
    var thread = pthread_t()
    // Signals belong to the program's own threads.
    var blocked = sigset_t()
    var previous = sigset_t()
    sigfillset(&blocked)
    pthread_sigmask(SIG_SETMASK, &blocked, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
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
