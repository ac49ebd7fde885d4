// What there is to say about a study without opening it.

public import FoundationEssentials
public import OrderedJSON

/// One line of a list of studies.
public struct StudySummary: Sendable {
    public let studyID: Int
    public let name: String
    public let directions: [StudyDirection]
    /// Of a study with one objective; `nil` before the first COMPLETE trial.
    public let bestTrial: FrozenTrial?
    public let userAttrs: JSONObject
    public let systemAttrs: JSONObject
    public let trialCount: Int
    /// When the first trial began.
    public let datetimeStart: Date?
}

extension StudySummary {
    /// Reads one study's.
    ///
    /// - includeBestTrial: leaves ``bestTrial`` `nil` if false.
    public init(
        _ study: FrozenStudy, in storage: any Storage, includeBestTrial: Bool = true
    ) throws {
        let trials = try storage.trials(study.studyID, states: .all)
        studyID = study.studyID
        name = study.name
        directions = study.directions
        bestTrial =
            includeBestTrial && study.directions.count == 1
            ? bestOf(
                trials.filter { $0.state == .complete && $0.isFeasible }, study.directions[0])
            : nil
        userAttrs = study.userAttrs
        systemAttrs = study.systemAttrs
        trialCount = trials.count
        datetimeStart = trials.lazy.compactMap(\.datetimeStart).min()
    }
}

extension Study {
    /// All studies of a storage in the order of creation.
    public static func allSummaries(
        in storage: any Storage, includeBestTrial: Bool = true
    ) throws -> [StudySummary] {
        try storage.allStudies().map {
            try StudySummary($0, in: storage, includeBestTrial: includeBestTrial)
        }
    }
}
