// The states of a trial and the directions of an objective, with Optuna's numbers and names.

/// Where a trial stands. Raw values are Optuna's (journal files hold them).
public enum TrialState: Int, Sendable, Hashable, CaseIterable {
    case running = 0
    case complete = 1
    case pruned = 2
    case fail = 3
    case waiting = 4

    /// COMPLETE, PRUNED and FAIL are final: storages refuse to change such a trial.
    public var isFinished: Bool { self != .running && self != .waiting }

    /// Optuna's name, as the databases store it: "COMPLETE".
    public var name: String {
        switch self {
        case .running: "RUNNING"
        case .complete: "COMPLETE"
        case .pruned: "PRUNED"
        case .fail: "FAIL"
        case .waiting: "WAITING"
        }
    }

    /// The state of that name, in capitals; `nil` for any other word.
    public init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }
}

extension TrialState: CustomStringConvertible {
    public var description: String { "TrialState.\(name)" }
}

/// A set of trial states, for queries.
public struct TrialStates: OptionSet, Sendable, Hashable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }
    public init(_ state: TrialState) { self.rawValue = 1 << state.rawValue }

    public static let running = TrialStates(.running)
    public static let complete = TrialStates(.complete)
    public static let pruned = TrialStates(.pruned)
    public static let fail = TrialStates(.fail)
    public static let waiting = TrialStates(.waiting)
    public static let all: TrialStates = [.running, .complete, .pruned, .fail, .waiting]

    public func contains(_ state: TrialState) -> Bool { rawValue & (1 << state.rawValue) != 0 }
}

/// Whether smaller or larger objective values are better. Raw values are Optuna's.
public enum StudyDirection: Int, Sendable, Hashable {
    case minimize = 1
    case maximize = 2

    /// "minimize" or "maximize".
    public var word: String { self == .minimize ? "minimize" : "maximize" }

    /// The direction of exactly that word.
    public init?(word: String) {
        switch word {
        case "minimize": self = .minimize
        case "maximize": self = .maximize
        default: return nil
        }
    }
}

extension StudyDirection: CustomStringConvertible {
    public var description: String { word }
}
