// A fixed set of threads that share the tasks of one numbered loop at a time.
//
// Which thread runs a task is left to chance; what a task computes must depend on its number
// alone. Then the result is the same bits for any number of threads.
import Glibc
import Synchronization

/// Runs numbered tasks on `threads` threads, the caller's included.
///
/// Not reentrant: one loop at a time, and tasks may not start loops of the same pool.
package final class WorkerPool: @unchecked Sendable {
    package let threads: Int
    private let shared: Shared
    private var handles: [pthread_t] = []

    /// As many threads as the machine has processors online.
    package static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Starts `threads - 1` threads; fewer if the system refuses.
    package init(threads: Int) {
        BLAS.prepare()
        shared = Shared()
        // Signals belong to the program's own threads.
        var blocked = sigset_t()
        var previous = sigset_t()
        sigfillset(&blocked)
        pthread_sigmask(SIG_SETMASK, &blocked, &previous)
        for worker in 1..<max(threads, 1) {
            var handle = pthread_t()
            let start = Unmanaged.passRetained(Start(shared: shared, worker: worker))
            let status = pthread_create(
                &handle, nil,
                { argument in
                    guard let argument else { return nil }
                    let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                    start.shared.serve(worker: start.worker)
                    return nil
                }, start.toOpaque())
            guard status == 0 else {
                start.release()
                break
            }
            handles.append(handle)
        }
        pthread_sigmask(SIG_SETMASK, &previous, nil)
        self.threads = handles.count + 1
    }

    deinit {
        shared.stop()
        for handle in handles { pthread_join(handle, nil) }
    }

    /// Calls `body(task, worker)` once for every task in `0 ..< count` and returns when all are
    /// done. `worker` is in `0 ..< threads`, distinct among tasks that run at the same time.
    package func run(_ count: Int, _ body: (_ task: Int, _ worker: Int) -> Void) {
        guard count > 0 else { return }
        if count == 1 || handles.isEmpty {
            for task in 0..<count { body(task, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            shared.start(count: count, helpers: handles.count, body: body)
            shared.work(worker: 0, count: count, body: body)
            shared.finish()
        }
    }

    private final class Start {
        let shared: Shared
        let worker: Int
        init(shared: Shared, worker: Int) {
            self.shared = shared
            self.worker = worker
        }
    }

    /// What the threads know of each other. They hold this object and not the pool, so that the
    /// pool's end can stop them.
    private final class Shared: @unchecked Sendable {
        private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        private let begun = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        private let next = Atomic<Int>(0)
        private var generation = 0
        private var stopped = false
        private var busy = 0
        private var count = 0
        private var body: ((Int, Int) -> Void)?

        init() {
            pthread_mutex_init(mutex, nil)
            pthread_cond_init(begun, nil)
            pthread_cond_init(ended, nil)
        }

        deinit {
            pthread_mutex_destroy(mutex)
            pthread_cond_destroy(begun)
            pthread_cond_destroy(ended)
            mutex.deallocate()
            begun.deallocate()
            ended.deallocate()
        }

        func start(count: Int, helpers: Int, body: @escaping (Int, Int) -> Void) {
            pthread_mutex_lock(mutex)
            self.body = body
            self.count = count
            next.store(0, ordering: .relaxed)
            busy = helpers
            generation += 1
            pthread_cond_broadcast(begun)
            pthread_mutex_unlock(mutex)
        }

        func work(worker: Int, count: Int, body: (Int, Int) -> Void) {
            while true {
                let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if task >= count { return }
                body(task, worker)
            }
        }

        func finish() {
            pthread_mutex_lock(mutex)
            while busy > 0 { pthread_cond_wait(ended, mutex) }
            body = nil
            pthread_mutex_unlock(mutex)
        }

        func stop() {
            pthread_mutex_lock(mutex)
            stopped = true
            pthread_cond_broadcast(begun)
            pthread_mutex_unlock(mutex)
        }

        func serve(worker: Int) {
            var seen = 0
            while true {
                pthread_mutex_lock(mutex)
                while generation == seen && !stopped { pthread_cond_wait(begun, mutex) }
                if stopped {
                    pthread_mutex_unlock(mutex)
                    return
                }
                seen = generation
                let count = self.count
                var body = self.body
                pthread_mutex_unlock(mutex)
                if let body { work(worker: worker, count: count, body: body) }
                // Let go before reporting: the closure must not outlive the caller's `run`.
                body = nil
                pthread_mutex_lock(mutex)
                busy -= 1
                if busy == 0 { pthread_cond_signal(ended) }
                pthread_mutex_unlock(mutex)
            }
        }
    }
}
