// Keeps the model of the best trial on disk while a search runs, so that it outlives the trial, the
// search and the process. Used by HyperparameterSearch.

import FoundationEssentials
import Glibc
import OrderedJSON
import Synchronization
import Training
import Tuning

/// One objective: the model of the best trial in `folder`. Several: the models of all trials that no
/// other one dominates, in `folder/run-<number>`.
///
/// A trial offers its model whenever it may be the best so far, which writes it beside the kept
/// ones. When the study has the trial's result, `settle` puts it in their place, if the study still
/// calls that trial the best; a trial that is pruned or fails leaves nothing. Each model says in a
/// file of its own whose it is, so that a search that is killed at any moment can be gone on with:
/// what was offered and not settled is settled then. May be used by several trials at once, and several
/// processes may share a folder: what is moved is moved with `best.lock` held, and models that wait
/// are locked by their trials (see ``UnsettledFolder``).
final class BestModelKeeper: Sendable {
    private let study: Study
    private let folder: String
    private let directions: [StudyDirection]
    private let isKept: Bool
    private let state = Mutex(State())

    private struct State {
        /// Complete, feasible trials, of this run and of earlier ones.
        var known: [Entry] = []
        /// What running trials have offered.
        var offered: [Int: Entry] = [:]
        /// Where those models wait.
        var folders: [Int: UnsettledFolder] = [:]
    }

    private struct Entry {
        let number: Int
        let values: [Double]
        /// nil for trials that an earlier run of the study made.
        var state: TrainerState?
    }

    /// Fails now, and not after hours of training, when the folder can't be written.
    init(_ study: Study, folder: String, isKept: Bool) throws {
        self.study = study
        self.folder = folder
        self.isKept = isKept
        directions = study.directions
        guard isKept else { return }
        try makeFolder(directions.count > 1 ? folder : parent(of: folder))
        let earlier = try study.trials(.complete).compactMap { trial in
            isFeasible(trial) ? trial.values.map { Entry(number: trial.number, values: $0) } : nil
        }
        state.withLock { $0.known = earlier }
        try withFolders { try restore() }
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
            return !state.known.contains { beats($0, entry) }
        }
        guard isWanted else { return }
        // The folder is this trial's own, so others need not wait. A kill in the middle leaves a
        // trial without a result, whose model nobody takes.
        let unsettled = try unsettledFolder(number)
        state.withLock { $0.offered[number] = nil }
        try model.save(to: unsettled.path)
        state.withLock { $0.offered[number] = entry }
    }

    /// When the study has the result of a trial: keeps the model that the trial has offered last, if
    /// it is among the best.
    func settle(_ trial: FrozenTrial) throws {
        let number = trial.number
        guard isFeasible(trial), let entry = state.withLock({ $0.offered[number] }) else { return }
        try withFolders {
            // Other workers may have found better ones, and put them there.
            let best = try bestNumbers()
            let unsettled = state.withLock { state in
                state.known.append(entry)
                guard best.contains(number) else { return nil as UnsettledFolder? }
                state.offered[number] = nil
                return state.folders.removeValue(forKey: number)
            }
            if let unsettled { try put(unsettled.path, into: path(of: number)) }
            if directions.count > 1 { removeModels(except: best) }
        }
    }

    /// Others are never the best.
    private func isFeasible(_ trial: FrozenTrial) -> Bool {
        trial.constraints.values.allSatisfy { $0 <= 0 }
    }

    private func bestNumbers() throws -> Set<Int> {
        if directions.count > 1 { return Set(try study.bestTrials().map(\.number)) }
        do {
            return [try study.bestTrial().number]
        } catch TuningError.noCompletedTrials {
            return []
        }
    }

    private func removeModels(except best: Set<Int>) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            guard name.hasPrefix("run-"), let number = Int(name.dropFirst(4)),
                !best.contains(number), ModelOwner(of: "\(folder)/\(name)")?.study == study.name
            else { continue }
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// At the end of any trial: removes what it has offered and nobody wants.
    func forget(_ number: Int) {
        let unsettled = state.withLock { state in
            state.offered[number] = nil
            return state.folders.removeValue(forKey: number)
        }
        guard let unsettled else { return }
        try? withFolders { try FileManager.default.removeItem(atPath: unsettled.path) }
    }

    /// The model of a trial, nil when it is not kept.
    func model(of number: Int) throws -> KeptModel? {
        guard isKept else { return nil }
        let owner = ModelOwner(study: study.name, number: number)
        let found = try withFolders { ModelOwner(of: path(of: number)) }
        return found == owner
            ? KeptModel(folder: path(of: number), owner: owner, lockPath: lockPath) : nil
    }

    func state(of number: Int) -> TrainerState? {
        state.withLock { $0.known.last { $0.number == number }?.state }
    }

    private func path(of number: Int) -> String {
        directions.count > 1 ? "\(folder)/run-\(number)" : folder
    }

    /// Where the model of a running trial waits, made when it is first asked for.
    private func unsettledFolder(_ number: Int) throws -> UnsettledFolder {
        if let known = state.withLock({ $0.folders[number] }) { return known }
        let owner = ModelOwner(study: study.name, number: number)
        let made = try withFolders {
            var path = "\(folder)\(Self.unsettledMark)\(number)"
            var count = 1
            while true {
                if let made = try UnsettledFolder(making: path, owner: owner) { return made }
                if !UnsettledFolder.isHeld(path) {
                    guard (try? FileManager.default.removeItem(atPath: path)) != nil else {
                        throw failure(path)
                    }
                } else {
                    // A trial of the same number, in another study with the same output_dir.
                    count += 1
                    path = "\(folder)\(Self.unsettledMark)\(number)-\(count)"
                }
            }
        }
        state.withLock { $0.folders[number] = made }
        return made
    }

    private var lockPath: String { "\(folder).lock" }

    /// With the lock that keeps other threads and processes from the folders. Never taken with the
    /// state held.
    private func withFolders<R>(_ body: () throws -> R) throws -> R {
        let lock = try FileLock.waiting(lockPath)
        defer { withExtendedLifetime(lock) {} }
        return try body()
    }

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
        guard rename(written, path) == 0 else {
            let error = failure(path)
            _ = rename(previous, path)
            throw error
        }
        try? files.removeItem(atPath: previous)
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// Finishes what a search that was killed has left behind.
    private func restore() throws {
        let files = FileManager.default
        if directions.count == 1, !files.fileExists(atPath: folder) {
            _ = rename("\(folder).previous", folder)
        }
        let place = parent(of: folder)
        let prefix = folder.dropFirst(place == "." ? 0 : place.utf8.count + 1) + Self.unsettledMark
        let best = try bestNumbers()
        for name in (try? files.contentsOfDirectory(atPath: place)) ?? []
        where name.hasPrefix(prefix) {
            let path = "\(place)/\(name)"
            // Of another worker, which is in the middle of it.
            if UnsettledFolder.isHeld(path) { continue }
            if let owner = ModelOwner(of: path), owner.study == study.name,
                best.contains(owner.number)
            {
                try put(path, into: self.path(of: owner.number))
            } else {
                try? files.removeItem(atPath: path)
            }
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
