// Several successive halvings with different patience, side by side.

import OrderedJSON
import Synchronization

/// Assigns every trial to a bracket; each bracket is a successive halving with a first rung of its
/// own. The bracket follows from study name and trial number, so a fixed name makes a search
/// reproducible.
///
/// - minResource: step of the first rung of the most eager bracket. - maxResource: steps of a full
///   trial; `nil` takes the longest finished trial plus one and prunes nothing before.
/// - reductionFactor, bootstrapCount: see ``SuccessiveHalvingPruner``.
/// Source: Li et al. 2018 (JMLR 18). Checked by `TraceReplayTests`.
public final class HyperbandPruner: Pruner {
    private let minResource: Int
    private let maxResource: Int?
    private let reductionFactor: Int
    private let bootstrapCount: Int
    private let brackets = Mutex<[Bracket]>([])

    private struct Bracket: Sendable {
        let pruner: SuccessiveHalvingPruner
        /// Share of the trials.
        let budget: Int
    }

    public init(
        minResource: Int = 1, maxResource: Int? = nil, reductionFactor: Int = 3,
        bootstrapCount: Int = 0
    ) throws {
        if bootstrapCount > 0 && maxResource == nil {
            throw TuningError.pruner(
                problem: "bootstrap_count > 0 and max_resource == 'auto' are mutually "
                    + "incompatible, bootstrap_count is \(bootstrapCount)")
        }
        // Checks the rest of the arguments.
        _ = try SuccessiveHalvingPruner(
            minResource: minResource, reductionFactor: reductionFactor,
            bootstrapCount: bootstrapCount)
        if let maxResource, maxResource < minResource {
            throw TuningError.pruner(
                problem: "The value of `max_resource` is \(maxResource), but must be at least "
                    + "`min_resource`, which is \(minResource)")
        }
        self.minResource = minResource
        self.maxResource = maxResource
        self.reductionFactor = reductionFactor
        self.bootstrapCount = bootstrapCount
    }

    public func prune(_ study: StudyContext, trial: FrozenTrial) throws -> Bool {
        guard let brackets = try readyBrackets(study) else { return false }
        let place = Self.place(trial.number, study.studyName, brackets)
        return try brackets[place].pruner.prune(
            Self.narrowed(study, to: place, brackets), trial: trial)
    }

    public func context(_ study: StudyContext, trial: FrozenTrial) -> StudyContext {
        let brackets = brackets.withLock { $0 }
        if brackets.isEmpty { return study }
        return Self.narrowed(
            study, to: Self.place(trial.number, study.studyName, brackets), brackets)
    }

    private static func narrowed(
        _ study: StudyContext, to place: Int, _ brackets: [Bracket]
    ) -> StudyContext {
        let name = study.studyName
        return study.narrowed { Self.place($0.number, name, brackets) == place }
    }

    /// The bracket of a trial, by a checksum spread over the budgets.
    private static func place(_ number: Int, _ studyName: String, _ brackets: [Bracket]) -> Int {
        let total = brackets.reduce(0) { $0 + $1.budget }
        guard total > 0 else { return 0 }
        var rest = Int(crc32("\(studyName)_\(number)")) % total
        for (place, bracket) in brackets.enumerated() {
            rest -= bracket.budget
            if rest < 0 { return place }
        }
        return brackets.count - 1
    }

    private func readyBrackets(_ study: StudyContext) throws -> [Bracket]? {
        let known = brackets.withLock { $0 }
        if !known.isEmpty { return known }
        var longest = maxResource
        if longest == nil {
            longest = try study.trials(.complete).compactMap(\.lastStep).max().map { $0 &+ 1 }
        }
        guard let longest else { return nil }
        let made = try makeBrackets(longest)
        if made.isEmpty { return nil }
        return brackets.withLock { brackets in
            if brackets.isEmpty { brackets = made }
            return brackets
        }
    }

    private func makeBrackets(_ longest: Int) throws -> [Bracket] {
        let ratio = Double(longest) / Double(minResource)
        let depth = clampedInt(
            (logarithm(ratio) / logarithm(Double(reductionFactor))).rounded(.down))
        let count = depth + 1
        guard count >= 1 else { return [] }
        return try (0..<count).map { place in
            let rest = count - 1 - place
            var power = 1.0
            for _ in 0..<rest { power *= Double(reductionFactor) }
            // Bounded, so that their sum can't overflow.
            let budget = min((Double(count) * power / Double(rest + 1)).rounded(.up), 1e15)
            return Bracket(
                pruner: try SuccessiveHalvingPruner(
                    minResource: minResource, reductionFactor: reductionFactor,
                    minEarlyStoppingRate: place, bootstrapCount: bootstrapCount),
                budget: Int(budget))
        }
    }
}

/// The checksum of zlib and PNG.
package func crc32(_ text: String) -> UInt32 {
    var sum: UInt32 = 0xffff_ffff
    for byte in text.utf8 {
        sum ^= UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xedb8_8320 : sum >> 1 }
    }
    return ~sum
}
