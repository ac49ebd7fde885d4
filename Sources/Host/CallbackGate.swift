// Trials train side by side, Lua callbacks run one at a time: how the threads of a search share the
// script's Lua state, and the processors.

import LuaBridge
import Synchronization
import Training

extension HostSession {
    /// Runs `body`, which starts workers that call into the script and waits for them. With one job
    /// there are none, and the calling thread keeps the state.
    func lendingScript<R>(jobs: Int, _ body: () throws -> R) throws -> R {
        if jobs == 1 { return try body() }
        guard !lua.isLent else {
            throw LuaError.message(
                "n_jobs: a trial that runs beside others can't start trials side by side itself;"
                    + " use n_jobs = 1 here")
        }
        return try lua.lend(body)
    }

    /// Calls the script's functions, from any thread, as soon as no other one does. What they print
    /// does not land in a progress bar.
    func inScript<R>(_ body: () throws -> R) throws -> R {
        try lua.borrow { try progress.suspended(body) }
    }
}

/// How trials that run at the same time share the processors: evenly, and the last one that runs
/// has all of them. No result depends on it.
final class ProcessorShares: Sendable {
    /// The model of each running trial.
    private let running = Mutex<[Int: ObjectIdentifier]>([:])
    private let processors: Int

    init(processors: Int = SentenceTransformer.processorCount) { self.processors = processors }

    /// Threads for each of the trials that run now.
    var threads: Int { max(1, processors / max(1, running.withLock { $0.count })) }

    /// Counts a trial among the running ones until its turn ends.
    ///
    /// - Throws: for a model that another one of them trains, which would be trained by both.
    func begin(_ number: Int, _ model: SentenceTransformer) throws -> Turn {
        try running.withLock { running in
            if let other = running.first(where: { $0.value == ObjectIdentifier(model) })?.key {
                throw LuaError.message(
                    "model_init: returned the model that trial \(other) is training; load a new one"
                        + " for each trial")
            }
            running[number] = ObjectIdentifier(model)
        }
        return Turn(number, of: self)
    }

    /// The time in which a trial runs; ends with ``end()`` or when it is let go of.
    final class Turn: Sendable {
        private let number: Int
        private let shares: ProcessorShares

        fileprivate init(_ number: Int, of shares: ProcessorShares) {
            self.number = number
            self.shares = shares
        }

        deinit { end() }

        func end() { shares.running.withLock { $0[number] = nil } }
    }
}
