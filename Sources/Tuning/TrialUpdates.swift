// Reading a study bit by bit: what a reader has seen of it and what is new.

/// Which finished trials of a study a reader has seen. They never change again, so that each needs
/// to be read once.
public struct SeenTrials: Sendable {
    /// One bit per number.
    private var words: [UInt64] = []
    /// How many trials were seen.
    public private(set) var count = 0

    public init() {}

    public func contains(_ number: Int) -> Bool {
        guard number >= 0, number / 64 < words.count else { return false }
        return words[number / 64] >> UInt64(number % 64) & 1 == 1
    }

    /// Returns whether the number is new.
    @discardableResult
    public mutating func insert(_ number: Int) -> Bool {
        guard number >= 0, !contains(number) else { return false }
        let word = number / 64
        if word >= words.count {
            words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
        }
        words[word] |= 1 << UInt64(number % 64)
        count += 1
        return true
    }
}

/// The difference between what a reader has seen of a study and the study as it is now.
public struct TrialUpdates: Sendable {
    /// Trials that finished (COMPLETE, PRUNED, FAIL) and were not seen. A reader notes all of them
    /// as seen before it asks again.
    public var finished: [FrozenTrial]
    /// Trials that run now, ascending by number.
    public var running: [FrozenTrial]

    public init(finished: [FrozenTrial], running: [FrozenTrial]) {
        self.finished = finished
        self.running = running
    }
}
