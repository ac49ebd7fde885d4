// Which rows make up which batch: the samplers of `batch_sampler`, in torch's order for the same
// seed. Called by the trainer's loaders, once per epoch; nothing here looks at texts but value keys.

/// Rows of one epoch, cut into batches.
package protocol BatchSampler: AnyObject {
    /// Batches of an epoch by Python's `len`: what step counts are computed from. The real number can
    /// differ for ``NoDuplicatesBatchSampler``.
    var count: Int { get }
    /// Batches of epoch `epoch` (from 0). Random numbers are drawn when a batch is asked for, which
    /// matters where several samplers share one generator.
    func batches(epoch: Int) -> any BatchIterator
}

package protocol BatchIterator: AnyObject {
    /// Row numbers of the next batch; `nil` after the last one.
    func next() -> [Int]?
}

extension BatchSampler {
    /// All batches of an epoch.
    package func allBatches(epoch: Int) -> [[Int]] {
        let iterator = batches(epoch: epoch)
        var result: [[Int]] = []
        while let batch = iterator.next() { result.append(batch) }
        return result
    }
}

/// Values of `batch_sampler`.
public enum BatchSamplers: String, Sendable, CaseIterable {
    case batchSampler = "batch_sampler"
    case noDuplicates = "no_duplicates"
    /// Python's variant with precomputed hashes: the same batches, so the same sampler here.
    case noDuplicatesHashed = "no_duplicates_hashed"
    case groupByLabel = "group_by_label"
}

/// What the samplers of one loader share.
package struct SamplerOptions {
    package var batchSize: Int
    package var dropLast: Bool
    /// `args.seed`, to which the epoch is added.
    package var seed: UInt64
    /// One generator for all samplers of a loader.
    package var generator: TorchGenerator

    package init(batchSize: Int, dropLast: Bool, seed: UInt64) {
        self.batchSize = max(batchSize, 1)
        self.dropLast = dropLast
        self.seed = seed
        generator = TorchGenerator(seed: seed)
    }

    func reseed(_ epoch: Int) {
        generator.manualSeed(seed &+ UInt64(truncatingIfNeeded: epoch))
    }

    /// Batches of `rows` rows when none is held back.
    func plainCount(_ rows: Int) -> Int {
        dropLast ? rows / batchSize : (rows + batchSize - 1) / batchSize
    }
}

/// A plain shuffle: `randperm` cut into batches.
///
/// Alone in a loader it has its own seed (`data_seed`, else the seed), to which the epoch is added.
/// Below a multi-dataset sampler it draws from the shared generator instead.
package final class ShuffledBatchSampler: BatchSampler {
    private let rows: Int
    private let options: SamplerOptions
    private let reseeds: Bool

    package init(rows: Int, options: SamplerOptions, isOnlySampler: Bool = true) {
        self.rows = rows
        self.options = options
        reseeds = isOnlySampler
    }

    package var count: Int { options.plainCount(rows) }

    package func batches(epoch: Int) -> any BatchIterator { Iterator(self, epoch) }

    private final class Iterator: BatchIterator {
        private let sampler: ShuffledBatchSampler
        private let epoch: Int
        private var order: [Int]?
        private var position = 0

        init(_ sampler: ShuffledBatchSampler, _ epoch: Int) {
            self.sampler = sampler
            self.epoch = epoch
        }

        func next() -> [Int]? {
            let options = sampler.options
            if order == nil {
                if sampler.reseeds { options.reseed(epoch) }
                order = options.generator.permutation(sampler.rows)
            }
            guard let order, position < order.count || position == 0 else { return nil }
            let end = position + options.batchSize
            // torch's RandomSampler draws a second permutation when it runs dry, of which it uses
            // nothing; samplers that share the generator see the difference.
            if end > order.count, !sampler.reseeds {
                _ = options.generator.permutation(sampler.rows)
            }
            if end > order.count, options.dropLast || position >= order.count {
                position = max(order.count, 1)
                return nil
            }
            defer { position = end }
            return Array(order[position..<min(end, order.count)])
        }
    }
}

/// Batches in which no value occurs in two rows, whatever the column.
///
/// One pass over a permutation: each batch takes, from the front, the rows that share no value with
/// those it already has; the others stay in place for later batches. Short batches in the middle of
/// an epoch are possible. When a pass makes fewer batches than `count`, up to two more follow.
/// Source: sentence-transformers' NoDuplicatesBatchSampler. Checked by `BatchSamplerTests`.
package final class NoDuplicatesBatchSampler: BatchSampler {
    /// [rows · columns] keys: equal values have equal keys, 0 ..< keyCount.
    private let keys: ValueKeys
    private let options: SamplerOptions
    private static let extraPasses = 2

    package init(keys: ValueKeys, options: SamplerOptions) {
        self.keys = keys
        self.options = options
    }

    package var count: Int { options.plainCount(keys.rows) }

    package func batches(epoch: Int) -> any BatchIterator { Iterator(self, epoch) }

    private final class Iterator: BatchIterator {
        private let sampler: NoDuplicatesBatchSampler
        private let epoch: Int
        private var started = false
        private var passes = 0
        private var yielded = 0
        private var order: [Int] = []
        /// Next position in the list of unused rows, −1 at its end.
        private var following: [Int] = []
        private var head = -1
        /// The last batch in which a key was seen.
        private var seen: [Int]
        private var stamp = 0

        init(_ sampler: NoDuplicatesBatchSampler, _ epoch: Int) {
            self.sampler = sampler
            self.epoch = epoch
            seen = [Int](repeating: 0, count: sampler.keys.count)
        }

        func next() -> [Int]? {
            if !started {
                started = true
                sampler.options.reseed(epoch)
                startPass()
            }
            while true {
                if passes > 1, yielded >= sampler.count { return nil }
                while head != -1 {
                    let batch = takeBatch()
                    if batch.count == sampler.options.batchSize || !sampler.options.dropLast {
                        yielded += 1
                        return batch
                    }
                }
                guard yielded > 0, yielded < sampler.count,
                    passes <= NoDuplicatesBatchSampler.extraPasses
                else { return nil }
                startPass()
            }
        }

        private func startPass() {
            passes += 1
            let rows = sampler.keys.rows
            guard rows > 0 else { return }
            order = sampler.options.generator.permutation(rows)
            following = Array(1...rows)
            following[rows - 1] = -1
            head = 0
        }

        private func takeBatch() -> [Int] {
            stamp += 1
            var batch: [Int] = []
            var current = head
            var previous = -1
            while current != -1 {
                let next = following[current]
                let keys = sampler.keys[row: order[current]]
                if keys.contains(where: { seen[Int($0)] == stamp }) {
                    previous = current
                } else {
                    batch.append(order[current])
                    if previous == -1 { head = next } else { following[previous] = next }
                    if batch.count == sampler.options.batchSize { break }
                    for key in keys { seen[Int(key)] = stamp }
                }
                current = next
            }
            return batch
        }
    }
}

/// Batches in which every label occurs at least twice and at least two labels occur.
///
/// Labels with fewer than two rows are dropped, odd rows too. In rounds, every label that is left
/// emits two rows, in an order drawn anew; batches are cut as they fill.
/// Source: sentence-transformers' GroupByLabelBatchSampler. Checked by `BatchSamplerTests`.
package final class GroupByLabelBatchSampler: BatchSampler {
    /// Rows of every label with two or more, labels in the order of their first row.
    private let groups: [[Int]]
    private let options: SamplerOptions

    /// - labels: one key per row, from ``ValueKeys`` over the label column.
    package init(labels: ValueKeys, options: SamplerOptions) throws {
        guard options.batchSize >= 4, options.batchSize % 2 == 0 else {
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainingArguments", name: "per_device_train_batch_size",
                problem:
                    "batch_sampler 'group_by_label' needs an even number of 4 or more, got "
                    + "\(options.batchSize)")
        }
        var rows = [[Int]](repeating: [], count: labels.count)
        for row in 0..<labels.rows {
            for key in labels[row: row] { rows[Int(key)].append(row) }
        }
        groups = rows.filter { $0.count >= 2 }
        guard groups.count >= 2 else {
            throw TrainingError.data(
                problem:
                    "batch_sampler 'group_by_label' needs 2 labels with 2 rows or more each, and "
                    + "\(groups.count) of \(rows.count) labels have that many",
                hint: "use another batch_sampler")
        }
        self.options = options
    }

    package var count: Int {
        let pairs = groups.map { $0.count / 2 }.sorted(by: >)
        let stream = 2 * pairs.reduce(0) { $0 + min($1, pairs[1]) }
        let rest = stream % options.batchSize
        return stream / options.batchSize + (!options.dropLast && rest >= 4 ? 1 : 0)
    }

    package func batches(epoch: Int) -> any BatchIterator { Iterator(self, epoch) }

    private final class Iterator: BatchIterator {
        private let sampler: GroupByLabelBatchSampler
        private let epoch: Int
        private var started = false
        /// Rows left per label, in reverse: the next one is last.
        private var queues: [[Int]] = []
        private var labels: [Int] = []
        /// Labels of the current round that still have to emit.
        private var round: ArraySlice<Int> = []
        private var lastLabel: Int?
        private var batch: [Int] = []

        init(_ sampler: GroupByLabelBatchSampler, _ epoch: Int) {
            self.sampler = sampler
            self.epoch = epoch
        }

        func next() -> [Int]? {
            let generator = sampler.options.generator
            if !started {
                started = true
                sampler.options.reseed(epoch)
                queues = sampler.groups.map { rows in
                    generator.permutation(rows.count).prefix(rows.count / 2 * 2)
                        .map { rows[$0] }.reversed()
                }
                labels = Array(queues.indices)
            }
            while true {
                while let label = round.popFirst() {
                    for _ in 0..<2 {
                        if let row = queues[label].popLast() { batch.append(row) }
                    }
                    if round.isEmpty {
                        lastLabel = label
                        labels.removeAll { queues[$0].isEmpty }
                    }
                    if batch.count >= sampler.options.batchSize {
                        let full = Array(batch.prefix(sampler.options.batchSize))
                        batch.removeFirst(full.count)
                        return full
                    }
                }
                guard labels.count >= 2 else {
                    labels = []
                    defer { batch = [] }
                    return !sampler.options.dropLast && batch.count >= 4 ? batch : nil
                }
                labels = generator.permutation(labels.count).map { labels[$0] }
                if !batch.isEmpty, labels[0] == lastLabel { labels.swapAt(0, 1) }
                round = labels[...]
            }
        }
    }
}
