/// Values of `multi_dataset_batch_sampler`.
public enum MultiDatasetBatchSamplers: String, Sendable, CaseIterable {
    case roundRobin = "round_robin"
    case proportional
}

/// Batches from several datasets, each batch from one of them.
///
/// - proportional: as many batches of each dataset as it has, datasets in shuffled order.
/// - roundRobin: one batch from each in turn, until one has no more.
///
/// Row numbers count on from one dataset to the next. All samplers draw from one generator, lazily,
/// as in Python: a dataset's permutation is drawn when its first batch is asked for.
/// Source: sentence-transformers' ProportionalBatchSampler and RoundRobinBatchSampler.
/// Checked by `BatchSamplerTests`.
package final class MultiDatasetBatchSampler: BatchSampler {
    private let kind: MultiDatasetBatchSamplers
    private let samplers: [any BatchSampler]
    /// First row of each dataset.
    private let starts: [Int]
    private let options: SamplerOptions

    /// - samplers: made with the same `options`, so that they share its generator.
    package init(
        _ kind: MultiDatasetBatchSamplers, samplers: [any BatchSampler], rows: [Int],
        options: SamplerOptions
    ) {
        self.kind = kind
        self.samplers = samplers
        self.options = options
        var starts: [Int] = []
        var start = 0
        for count in rows {
            starts.append(start)
            start += count
        }
        self.starts = starts
    }

    package var count: Int {
        let counts = samplers.map(\.count)
        switch kind {
        case .proportional: return counts.reduce(0, +)
        case .roundRobin: return (counts.min() ?? 0) * counts.count
        }
    }

    package func batches(epoch: Int) -> any BatchIterator { Iterator(self, epoch) }

    private final class Iterator: BatchIterator {
        private let sampler: MultiDatasetBatchSampler
        private let children: [any BatchIterator]
        private let epoch: Int
        private var started = false
        /// proportional: the datasets of the batches to come, in reverse.
        private var datasets: [Int] = []
        /// roundRobin: the batches of the current round, in reverse.
        private var round: [[Int]] = []

        init(_ sampler: MultiDatasetBatchSampler, _ epoch: Int) {
            self.sampler = sampler
            self.epoch = epoch
            children = sampler.samplers.map { $0.batches(epoch: epoch) }
        }

        func next() -> [Int]? {
            if !started {
                started = true
                sampler.options.reseed(epoch)
                if sampler.kind == .proportional {
                    let all = sampler.samplers.enumerated().flatMap { index, child in
                        [Int](repeating: index, count: child.count)
                    }
                    datasets = sampler.options.generator.permutation(all.count).map { all[$0] }
                        .reversed()
                }
            }
            switch sampler.kind {
            case .proportional:
                while let dataset = datasets.popLast() {
                    if let batch = children[dataset].next() {
                        return batch.map { $0 + sampler.starts[dataset] }
                    }
                }
                return nil
            case .roundRobin:
                if round.isEmpty {
                    var batches: [[Int]] = []
                    for (index, child) in children.enumerated() {
                        guard let batch = child.next() else { return nil }
                        batches.append(batch.map { $0 + sampler.starts[index] })
                    }
                    round = batches.reversed()
                }
                return round.popLast()
            }
        }
    }
}
