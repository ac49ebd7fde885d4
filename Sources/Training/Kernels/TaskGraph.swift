// Tasks of which some need others to be done first, shared by the threads of a pool without a
// point at which all of them wait.
import Glibc

/// Numbered tasks and what each of them waits for.
///
/// Of the tasks that are ready the one with the lowest number runs next, so the numbers are an
/// order for a single thread, and the tasks of one group fill the gaps another leaves at its end.
package struct TaskGraph {
    fileprivate private(set) var waitingFor: [Int] = []
    fileprivate private(set) var followers: [[Range<Int>]] = []

    package init() {}

    package var count: Int { waitingFor.count }

    /// Adds `count` tasks that may begin when all of `earlier` are done.
    ///
    /// - Returns: their numbers.
    package mutating func add(_ count: Int, after earlier: [Range<Int>] = []) -> Range<Int> {
        let added = waitingFor.count..<waitingFor.count + max(count, 0)
        guard !added.isEmpty else { return added }
        let awaited = earlier.reduce(0) { $0 + $1.count }
        waitingFor += repeatElement(awaited, count: added.count)
        followers += repeatElement([], count: added.count)
        for task in earlier.joined() { followers[task].append(added) }
        return added
    }
}

extension WorkerPool {
    /// Calls `body(task, worker)` once for every task of a graph, each after those it waits for,
    /// and returns when all are done.
    package func run(_ graph: TaskGraph, _ body: (_ task: Int, _ worker: Int) -> Void) {
        let progress = GraphProgress(graph)
        run(threads) { _, worker in
            while let task = progress.next() {
                body(task, worker)
                progress.finish(task)
            }
        }
    }
}

/// How far the threads have come with a graph. Tasks take milliseconds, so one lock does.
private final class GraphProgress: @unchecked Sendable {
    private let followers: [[Range<Int>]]
    private var waitingFor: [Int]
    /// Highest number first.
    private var ready: [Int]
    private var untaken: Int
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ graph: TaskGraph) {
        followers = graph.followers
        waitingFor = graph.waitingFor
        untaken = graph.count
        ready = graph.waitingFor.indices.reversed().filter { graph.waitingFor[$0] == 0 }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(changed)
        mutex.deallocate()
        changed.deallocate()
    }

    /// The next task, after waiting for one to become ready; nil when all are taken.
    func next() -> Int? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        // A task waits for lower numbers alone, so one that is running will make another ready.
        while ready.isEmpty && untaken > 0 { pthread_cond_wait(changed, mutex) }
        guard let task = ready.popLast() else { return nil }
        untaken -= 1
        if untaken == 0 { pthread_cond_broadcast(changed) }
        return task
    }

    func finish(_ task: Int) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var isNew = false
        for follower in followers[task].joined() {
            waitingFor[follower] -= 1
            guard waitingFor[follower] == 0 else { continue }
            ready.insert(follower, at: ready.firstIndex { $0 < follower } ?? ready.endIndex)
            isNew = true
        }
        if isNew { pthread_cond_broadcast(changed) }
    }
}
