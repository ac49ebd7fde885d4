import RandomGenerators

/// Values of `stopping_strategy`: when a mixture of datasets ends.
public enum StoppingStrategy: String, Sendable, CaseIterable {
    /// As soon as one dataset has no more rows.
    case firstExhausted = "first_exhausted"
    /// When every dataset has given all its rows; those that end earlier start again.
    case allExhausted = "all_exhausted"
    /// When every dataset has given each of its rows once.
    case allExhaustedWithoutReplacement = "all_exhausted_without_replacement"
}

extension Dataset {
    /// Rows of several datasets in turn, or drawn with probabilities: the rows that Python's
    /// `datasets.interleave_datasets` gives for a seed.
    /// - probabilities: one for each dataset, together 1; `nil` takes one row of each in turn.
    /// - seed: of the draws; `nil` takes one from the system.
    public static func interleaved(
        _ datasets: [Dataset], probabilities: [Double]? = nil, seed: UInt64? = nil,
        stoppingStrategy: StoppingStrategy = .firstExhausted
    ) throws -> Dataset {
        guard !datasets.isEmpty else { throw interleaving("datasets", "no dataset is given") }
        let lengths = datasets.map(\.numRows)
        let draws: [(dataset: Int, row: Int)]
        if let probabilities {
            try check(probabilities, lengths, stoppingStrategy)
            var sources = RandomSources(
                probabilities, seed: seed ?? UInt64.random(in: .min ... .max))
            draws = try drawn(lengths, probabilities, stoppingStrategy) { sources.next() }
        } else {
            draws = try inTurn(lengths, stoppingStrategy)
        }
        var start = 0
        let starts = lengths.map { length in
            defer { start += length }
            return start
        }
        return try concatenated(datasets).view(draws.map { starts[$0.dataset] + $0.row })
    }

    /// Bytes of a row's draw and of its number.
    private static let drawSize = 24

    private static func inTurn(
        _ lengths: [Int], _ strategy: StoppingStrategy
    ) throws -> [(dataset: Int, row: Int)] {
        let rounds = (strategy == .firstExhausted ? lengths.min() : lengths.max()) ?? 0
        let (count, overflow) = rounds.multipliedReportingOverflow(by: lengths.count)
        try MemoryAdmission.check(overflow ? .max : count, of: drawSize)
        if strategy == .allExhausted, rounds > 0, let empty = lengths.firstIndex(of: 0) {
            throw interleaving(
                "datasets", "dataset \(empty + 1) has no rows to repeat",
                hint: "leave it out, or choose another stopping_strategy")
        }
        var draws: [(dataset: Int, row: Int)] = []
        for round in 0..<rounds {
            for (dataset, length) in lengths.enumerated() {
                if round < length {
                    draws.append((dataset, round))
                } else if strategy == .allExhausted {
                    draws.append((dataset, round % length))
                }
            }
        }
        return draws
    }

    private static func drawn(
        _ lengths: [Int], _ probabilities: [Double], _ strategy: StoppingStrategy,
        _ next: () -> Int
    ) throws -> [(dataset: Int, row: Int)] {
        var counts = [Int](repeating: 0, count: lengths.count)
        var left = probabilities.count { $0 > 0 }
        var draws: [(dataset: Int, row: Int)] = []
        while left > 0 {
            if draws.count % 65536 == 65535 {
                try MemoryAdmission.check(draws.count, of: drawSize)
            }
            let dataset = next()
            let isSpent = counts[dataset] >= lengths[dataset]
            if isSpent, strategy == .allExhaustedWithoutReplacement { continue }
            draws.append((dataset, counts[dataset] % lengths[dataset]))
            counts[dataset] += 1
            if counts[dataset] == lengths[dataset] {
                left = strategy == .firstExhausted ? 0 : left - 1
            }
        }
        return draws
    }

    private static func check(
        _ probabilities: [Double], _ lengths: [Int], _ strategy: StoppingStrategy
    ) throws {
        guard probabilities.count == lengths.count else {
            throw interleaving(
                "probabilities", "\(probabilities.count) values for \(lengths.count) datasets")
        }
        if let wrong = probabilities.first(where: { !($0 >= 0) }) {
            throw interleaving("probabilities", "\(wrong) is no probability")
        }
        let sum = probabilities.reduce(0, +)
        guard abs(sum - 1) <= 1.5e-8 else {
            throw interleaving("probabilities", "their sum is \(sum)", hint: "it must be 1")
        }
        for (index, (probability, length)) in zip(probabilities, lengths).enumerated() {
            if probability > 0, length == 0 {
                throw interleaving(
                    "probabilities", "dataset \(index + 1) has no rows",
                    hint: "leave it out, or give it the probability 0")
            }
            if probability == 0, strategy != .firstExhausted, length > 0 {
                throw interleaving(
                    "probabilities",
                    "dataset \(index + 1) has the probability 0 and would never end",
                    hint: "leave it out, or use stopping_strategy = \"first_exhausted\"")
            }
        }
    }

    private static func interleaving(
        _ name: String, _ problem: String, hint: String? = nil
    ) -> TrainingError {
        .argument(owner: "interleave_datasets", name: name, problem: problem, hint: hint)
    }
}

/// Numbers of datasets as numpy's `Generator.choice(n, p=probabilities)` draws them.
private struct RandomSources {
    private var generator: PCG64
    /// Sums of the probabilities up to and with each.
    private let sums: [Double]

    init(_ probabilities: [Double], seed: UInt64) {
        generator = PCG64(seed: seed)
        var sum = 0.0
        let sums = probabilities.map { probability in
            sum += probability
            return sum
        }
        self.sums = sums.map { $0 / sum }
    }

    mutating func next() -> Int {
        let draw = generator.nextDouble()
        return sums.firstIndex { $0 > draw } ?? sums.count - 1
    }
}
