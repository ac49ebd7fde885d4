import Synchronization

/// A flag that asks running work to stop; set from a signal handler's thread, a pruner or an
/// embedding program, read by loops between steps.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    public func cancel() { flag.store(true, ordering: .relaxed) }
    public func reset() { flag.store(false, ordering: .relaxed) }
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }

    /// Throws ``TrainingError/cancelled`` when ``cancel()`` was called.
    public func check() throws {
        if isCancelled { throw TrainingError.cancelled }
    }
}
