import Glibc
import Synchronization
import Testing
import Training

struct TaskGraphTests {
    /// Runs a graph and returns, for every task, when it began and when it ended.
    private static func times(
        _ graph: TaskGraph, threads: Int, pauses: Int = 0
    ) -> (began: [Int], ended: [Int], workers: Set<Int>) {
        let clock = Atomic<Int>(0)
        let records = Mutex(
            (
                began: [Int](repeating: -1, count: graph.count),
                ended: [Int](repeating: -1, count: graph.count), workers: Set<Int>()
            ))
        WorkerPool(threads: threads).run(graph) { task, worker in
            let began = clock.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            for _ in 0..<pauses { sched_yield() }
            records.withLock {
                #expect($0.began[task] == -1, "task \(task) ran twice")
                $0.began[task] = began
                $0.workers.insert(worker)
            }
            let ended = clock.wrappingAdd(1, ordering: .sequentiallyConsistent).newValue
            records.withLock { $0.ended[task] = ended }
        }
        return records.withLock { ($0.began, $0.ended, $0.workers) }
    }

    @Test(arguments: [1, 2, 5])
    func `every task runs once and after those it waits for`(threads: Int) {
        var graph = TaskGraph()
        var waits: [(Range<Int>, [Range<Int>])] = []
        var earlier: [Range<Int>] = [graph.add(3)]
        waits.append((earlier[0], []))
        for layer in 0..<40 {
            // Half of the groups wait for one group before them, half for two.
            let awaited = layer.isMultiple(of: 2) ? [earlier[earlier.count - 1]] : earlier.suffix(2)
            let added = graph.add(1 + layer % 7, after: Array(awaited))
            waits.append((added, Array(awaited)))
            earlier.append(added)
        }
        let (began, ended, workers) = Self.times(graph, threads: threads, pauses: 20)
        for (group, awaited) in waits {
            for task in group {
                #expect(ended[task] > began[task])
                for before in awaited.joined() { #expect(ended[before] < began[task]) }
            }
        }
        #expect(workers.isSubset(of: Set(0..<threads)))
    }

    @Test func `one thread takes the tasks by number as they become ready`() {
        var graph = TaskGraph()
        let first = graph.add(2)
        let second = graph.add(2, after: [first])
        let free = graph.add(1)
        _ = graph.add(1, after: [free, second])
        let (began, _, _) = Self.times(graph, threads: 1)
        #expect(began == began.sorted())
    }

    @Test func `a graph may be empty, and so may its groups`() {
        #expect(Self.times(TaskGraph(), threads: 2).began.isEmpty)
        var graph = TaskGraph()
        let none = graph.add(0)
        let one = graph.add(1, after: [none])
        _ = graph.add(0, after: [one])
        let (began, ended, _) = Self.times(graph, threads: 3)
        #expect(began == [1])
        #expect(ended == [2])
    }
}
