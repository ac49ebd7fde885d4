// Keeps the model of the best trial on disk while a search runs, so that it outlives the trial, the
// search and the process. Used by HyperparameterSearch.

import FoundationEssentials
import Glibc
import Synchronization
import Training
import Tuning

/// One objective: the model of the best trial in `folder`. Several: the models of all trials that no
/// other one dominates, in `folder/run-<number>`.
///
/// A trial offers its model whenever it may be the best so far, which writes it beside the kept
/// ones; `settle` puts it in their place when the trial has come to its end, so that one that is
/// pruned or fails leaves nothing. May be used by several trials at once.
final class BestModelKeeper: Sendable {
    private let folder: String
    private let directions: [StudyDirection]
    private let isKept: Bool
    private let state = Mutex(State())

    private struct State {
        /// Trials whose models are on disk, or were there before this search.
        var kept: [Entry] = []
        /// What running trials have offered.
        var offered: [Int: Entry] = [:]
    }

    private struct Entry {
        let number: Int
        let values: [Double]
        /// nil for trials that an earlier run of the study made.
        var state: TrainerState?
    }

    /// Fails now, and not after hours of training, when the folder can't be written.
    init(_ study: Study, folder: String, isKept: Bool) throws {
        self.folder = folder
        self.isKept = isKept
        directions = study.directions
        guard isKept else { return }
        restore()
        try makeFolder(directions.count > 1 ? folder : parent(of: folder))
        let earlier = try study.trials(.complete).compactMap { trial in
            trial.values.map { Entry(number: trial.number, values: $0) }
        }
        state.withLock { $0.kept = earlier }
    }

    /// Writes the model of a running trial when no other trial is better. With objective_from =
    /// "best" a trial offers several; the best of them counts, the first among equals.
    func offer(
        _ number: Int, _ values: [Double], model: SentenceTransformer, state trainer: TrainerState
    ) throws {
        guard isKept, values.allSatisfy({ !$0.isNaN }), values.count == directions.count else {
            return
        }
        let entry = Entry(number: number, values: values, state: trainer)
        let isWanted = state.withLock { state in
            if let own = state.offered[number], isAtLeastAsGood(own.values, values) { return false }
            return !state.kept.contains { beats($0, entry) }
        }
        guard isWanted else { return }
        // The folder is this trial's own, so others need not wait.
        let unfinished = unsettled(number)
        try? FileManager.default.removeItem(atPath: unfinished)
        state.withLock { $0.offered[number] = nil }
        try model.save(to: unfinished)
        state.withLock { $0.offered[number] = entry }
    }

    /// At the end of a complete trial: keeps the model it has offered last, if it still is among
    /// the best.
    func settle(_ number: Int) throws {
        try state.withLock { state in
            guard let entry = state.offered[number],
                !state.kept.contains(where: { beats($0, entry) })
            else { return }
            state.offered[number] = nil
            try put(unsettled(number), into: path(of: number))
            let losers = state.kept.filter { beats(entry, $0) }
            state.kept.removeAll { beats(entry, $0) }
            state.kept.append(entry)
            guard directions.count > 1 else { return }
            for loser in losers {
                try? FileManager.default.removeItem(atPath: path(of: loser.number))
            }
        }
    }

    /// At the end of any trial: removes what it has offered and nobody wants.
    func forget(_ number: Int) {
        guard state.withLock({ $0.offered.removeValue(forKey: number) }) != nil else { return }
        try? FileManager.default.removeItem(atPath: unsettled(number))
    }

    /// Where the model of a trial is, nil when it is not kept.
    func folder(of number: Int) -> String? {
        state(of: number) == nil ? nil : path(of: number)
    }

    func state(of number: Int) -> TrainerState? {
        state.withLock { $0.kept.first { $0.number == number }?.state }
    }

    private func path(of number: Int) -> String {
        directions.count > 1 ? "\(folder)/run-\(number)" : folder
    }

    /// Where the model of a running trial waits.
    private func unsettled(_ number: Int) -> String { "\(folder)\(Self.unsettledMark)\(number)" }

    private static let unsettledMark = ".unsettled-"

    /// Whether `second` is not to be kept because of `first`: as `best_trial`, the first trial
    /// among equals; as `best_trials`, all that are not dominated.
    private func beats(_ first: Entry, _ second: Entry) -> Bool {
        guard isAtLeastAsGood(first.values, second.values) else { return false }
        if first.values != second.values { return true }
        return directions.count == 1 && first.number < second.number
    }

    private func isAtLeastAsGood(_ first: [Double], _ second: [Double]) -> Bool {
        zip(zip(first, second), directions).allSatisfy { values, direction in
            direction == .maximize ? values.0 >= values.1 : values.0 <= values.1
        }
    }

    // MARK: - Files

    /// Puts a written model in the old one's place. A kill between the two renames leaves the old
    /// model as `<path>.previous`, which `restore` brings back.
    private func put(_ written: String, into path: String) throws {
        let previous = "\(path).previous"
        let files = FileManager.default
        try? files.removeItem(atPath: previous)
        if files.fileExists(atPath: path), rename(path, previous) != 0 { throw failure(path) }
        guard rename(written, path) == 0 else { throw failure(path) }
        try? files.removeItem(atPath: previous)
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// Undoes what a search that was killed has left behind.
    private func restore() {
        let files = FileManager.default
        if !files.fileExists(atPath: folder) { _ = rename("\(folder).previous", folder) }
        let place = parent(of: folder)
        let prefix = folder.dropFirst(place == "." ? 0 : place.utf8.count + 1) + Self.unsettledMark
        for name in (try? files.contentsOfDirectory(atPath: place)) ?? []
        where name.hasPrefix(prefix) {
            try? files.removeItem(atPath: "\(place)/\(name)")
        }
    }

    private func failure(_ path: String) -> TrainingError {
        .file(path: path, problem: "the best model cannot be kept (\(systemError()))")
    }

    private func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw TrainingError.file(
                path: path, problem: "cannot be written (\(systemError()))",
                hint: "choose another output_dir")
        }
        guard access(path, W_OK) == 0 else {
            throw TrainingError.file(
                path: path, problem: "cannot be written (\(systemError()))",
                hint: "choose another output_dir")
        }
    }

    private func systemError() -> String { String(cString: strerror(errno)) }
}
