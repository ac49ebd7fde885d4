// Who may use a state: one thread at a time, handed over explicitly.

internal import Glibc
internal import Synchronization

extension LuaState {
    /// Gives the state away while `body` runs, so that other threads can use it through
    /// ``borrow(_:)``, one at a time. The owner gets it back when `body` has returned and the
    /// last borrower is done.
    ///
    /// For a Swift function that was called by Lua and runs Lua callbacks on worker threads: it
    /// lends the state while it waits for them. `body` itself must not touch the state, except
    /// through `borrow`. A borrower can't lend the state further (see ``isLent``): two of them
    /// would return to Lua in an order that its one stack does not allow.
    public func lend<R>(_ body: () throws -> R) throws -> R {
        guard !isClosed else { throw LuaError.closed }
        guard ownership.isMine else { throw LuaError.wrongThread }
        guard !ownership.isLent else {
            throw LuaError.internalError("a borrowed Lua state can't be lent")
        }
        ownership.isLent = true
        ownership.release()
        defer {
            ownership.acquire()
            ownership.isLent = false
            updatePolling()
        }
        return try body()
    }

    /// Whether the state is lent now, so that who uses it has borrowed it. For the owner alone.
    public var isLent: Bool { ownership.isLent }

    /// Runs `body` as the owner of the state: at once when the calling thread owns it already,
    /// otherwise as soon as it is lent and nobody else has borrowed it.
    public func borrow<R>(_ body: () throws -> R) throws -> R {
        if ownership.isMine { return try body() }
        ownership.acquire()
        defer { ownership.release() }
        guard !isClosed else { throw LuaError.closed }
        return try body()
    }
}

/// A lock that knows its thread. The mutex orders the memory of successive owners.
final class LuaOwnership: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let owner = Atomic<UInt>(0)
    /// Touched by the owner alone.
    var isLent = false

    /// Owned by the calling thread.
    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
        owner.store(UInt(pthread_self()), ordering: .relaxed)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Only the owner itself can have stored its own id, so a relaxed load is enough.
    @inline(__always)
    var isMine: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    func acquire() {
        pthread_mutex_lock(mutex)
        while owner.load(ordering: .relaxed) != 0 { pthread_cond_wait(changed, mutex) }
        owner.store(UInt(pthread_self()), ordering: .relaxed)
        pthread_mutex_unlock(mutex)
    }

    func release() {
        pthread_mutex_lock(mutex)
        owner.store(0, ordering: .relaxed)
        pthread_cond_signal(changed)
        pthread_mutex_unlock(mutex)
    }
}
