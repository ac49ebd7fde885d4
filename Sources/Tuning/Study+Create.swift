// Making, finding, copying and deleting studies.

public import Logging

extension Study {
    /// Makes a study, or opens the one of that name if `loadIfExists`.
    ///
    /// - storage: a new ``InMemoryStorage`` if `nil`.
    /// - sampler: ``TPESampler`` if `nil`. - pruner: ``MedianPruner`` if `nil`.
    /// - name: "no-name-" and a UUID if `nil`.
    /// - directions: one per objective. A study that exists keeps its own.
    public static func create(
        storage: (any Storage)? = nil, sampler: (any Sampler)? = nil, pruner: (any Pruner)? = nil,
        name: String? = nil, directions: [StudyDirection] = [.minimize],
        loadIfExists: Bool = false, logger: Logger = OptunaLog.shared.logger
    ) throws -> Study {
        if directions.isEmpty { throw TuningError.noDirections }
        let storage = storage ?? InMemoryStorage()
        var studyID: Int
        do {
            studyID = try storage.createStudy(directions: directions, name: name)
            let name = try storage.study(studyID).name
            logger.info("A new study created in \(storage.mediumName) with name: \(name)")
        } catch TuningError.duplicatedStudy(let name) where loadIfExists {
            logger.info(
                """
                Using an existing study with `study_name=\(pythonRepr(name))` instead of creating \
                a new one.
                """)
            studyID = try storage.studyID(named: name)
        }
        return try Study(
            opening: studyID, in: storage, sampler: sampler, pruner: pruner, logger: logger)
    }

    /// As ``create(storage:sampler:pruner:name:directions:loadIfExists:logger:)``, with directions
    /// as the words that scripts write.
    public static func directions(words: [String]) throws -> [StudyDirection] {
        if words.isEmpty { throw TuningError.noDirections }
        let directions = words.compactMap(StudyDirection.init(word:))
        guard directions.count == words.count else {
            throw TuningError.invalidDirections(
                shown: "[" + words.map { pythonRepr($0) }.joined(separator: ", ") + "]")
        }
        return directions
    }

    /// Opens a study that exists.
    ///
    /// - name: may be `nil` where the storage holds exactly one study.
    public static func load(
        name: String?, storage: any Storage, sampler: (any Sampler)? = nil,
        pruner: (any Pruner)? = nil, logger: Logger = OptunaLog.shared.logger
    ) throws -> Study {
        let chosen: String
        if let name {
            chosen = name
        } else {
            let names = try allNames(in: storage)
            guard let only = names.first, names.count == 1 else {
                throw TuningError.studyNameNeeded(storage: storage.mediumName, names: names)
            }
            logger.info(
                """
                Study name was omitted but trying to load `study_name=\(pythonRepr(only))` because \
                that was the only study found in the storage.
                """)
            chosen = only
        }
        return try Study(
            opening: try storage.studyID(named: chosen), in: storage, sampler: sampler,
            pruner: pruner, logger: logger)
    }

    public static func delete(name: String, storage: any Storage) throws {
        try storage.deleteStudy(try storage.studyID(named: name))
    }

    /// Names of all studies in the order of creation.
    public static func allNames(in storage: any Storage) throws -> [String] {
        try storage.allStudies().map(\.name)
    }

    /// Copies a study with attributes and trials.
    ///
    /// - newName: the old one if `nil`.
    public static func copy(
        name: String, from source: any Storage, to target: any Storage, newName: String? = nil,
        logger: Logger = OptunaLog.shared.logger
    ) throws {
        let original = try source.study(try source.studyID(named: name))
        let copy = try create(
            storage: target, name: newName ?? name, directions: original.directions,
            logger: logger)
        for (key, value) in original.systemAttrs {
            try target.setStudySystemAttribute(copy.studyID, key, value)
        }
        for (key, value) in original.userAttrs {
            try target.setStudyUserAttribute(copy.studyID, key, value)
        }
        for trial in try source.trials(original.studyID, states: .all) {
            _ = try target.createTrial(copy.studyID, template: trial)
        }
    }
}
