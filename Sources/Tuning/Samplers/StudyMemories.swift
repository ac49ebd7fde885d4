// What a sampler remembers of its studies, each study's apart from the others'.

/// A memory for each study that a sampler works for, made when it is first asked for.
///
/// A memory only saves reading the study again: those of studies that have not been asked for in a
/// while are dropped.
struct StudyMemories<Memory: Sendable>: Sendable {
    private struct Entry {
        /// Identifiers alone don't tell studies apart: they count from 0 or 1 in every storage. Weak,
        /// so that a sampler keeps no storage alive, and so that a new storage at the address of one
        /// that is gone is not taken for it.
        private(set) weak var storage: (any Storage)?
        private let studyID: Int
        /// Databases may give the identifier of a deleted study to a new one.
        private let name: String
        var memory: Memory

        init(_ study: StudyContext, _ memory: Memory) {
            storage = study.storage
            studyID = study.studyID
            name = study.studyName
            self.memory = memory
        }

        func isOf(_ study: StudyContext) -> Bool {
            studyID == study.studyID && storage === study.storage && name == study.studyName
        }
    }

    /// Used last stands last.
    private var entries: [Entry] = []
    private let make: @Sendable () -> Memory
    private let limit = 8

    init(_ make: @escaping @Sendable () -> Memory) { self.make = make }

    subscript(study: StudyContext) -> Memory {
        mutating get {
            let place = place(of: study)
            return entries[place].memory
        }
        _modify {
            let place = place(of: study)
            yield &entries[place].memory
        }
    }

    private mutating func place(of study: StudyContext) -> Int {
        if let place = entries.lastIndex(where: { $0.isOf(study) }) {
            if place < entries.count - 1 { entries.append(entries.remove(at: place)) }
        } else {
            entries.removeAll { $0.storage == nil }
            if entries.count == limit { entries.removeFirst() }
            entries.append(Entry(study, make()))
        }
        return entries.count - 1
    }
}
