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
/// what was offered and not settled is settled then. May be used by several trials at once.
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
        try restore()
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
        // The folder is this trial's own, so others need not wait.
        let unfinished = unsettled(number)
        try? FileManager.default.removeItem(atPath: unfinished)
        state.withLock { $0.offered[number] = nil }
        try model.save(to: unfinished)
        try Owner(study: study.name, number: number).write(to: unfinished)
        state.withLock { $0.offered[number] = entry }
    }

    /// When the study has the result of a trial: keeps the model that the trial has offered last, if
    /// it is among the best.
    func settle(_ trial: FrozenTrial) throws {
        let number = trial.number
        guard isFeasible(trial), let entry = state.withLock({ $0.offered[number] }) else { return }
        // Other workers may have found better ones.
        let best = try bestNumbers()
        try state.withLock { state in
            state.known.append(entry)
            guard best.contains(number) else { return }
            state.offered[number] = nil
            try put(unsettled(number), into: path(of: number))
        }
        if directions.count > 1 { removeModels(except: best) }
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
                !best.contains(number), Owner(of: "\(folder)/\(name)")?.study == study.name
            else { continue }
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    /// At the end of any trial: removes what it has offered and nobody wants.
    func forget(_ number: Int) {
        guard state.withLock({ $0.offered.removeValue(forKey: number) }) != nil else { return }
        try? FileManager.default.removeItem(atPath: unsettled(number))
    }

    /// Where the model of a trial is, nil when it is not kept.
    func folder(of number: Int) -> String? {
        let owner = Owner(of: path(of: number))
        return isKept && owner?.number == number && owner?.study == study.name
            ? path(of: number) : nil
    }

    func state(of number: Int) -> TrainerState? {
        state.withLock { $0.known.last { $0.number == number }?.state }
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
            let owner = Owner(of: path)
            // Of another worker, which is in the middle of it.
            if let owner, owner.isAtWork { continue }
            if let owner, owner.study == study.name, best.contains(owner.number) {
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

/// Whose model a folder holds: a small file in it.
private struct Owner {
    let study: String
    let number: Int
    /// The process that wrote it.
    private let process: Int

    private static let file = "search_trial.json"

    init(study: String, number: Int) {
        self.study = study
        self.number = number
        process = Int(getpid())
    }

    /// nil if the folder is not there or does not say.
    init?(of folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.file)"),
            let json = try? JSONValue.parse(String(decoding: data, as: UTF8.self)),
            let study = json["study_name"]?.stringValue, let number = json["number"]?.intValue,
            let process = json["process"]?.intValue
        else { return nil }
        self.study = study
        self.number = number
        self.process = process
    }

    /// Whether another process that is alive on this machine wrote it.
    var isAtWork: Bool {
        guard process != Int(getpid()), let id = pid_t(exactly: process), id > 0 else {
            return false
        }
        return kill(id, 0) == 0
    }

    func write(to folder: String) throws {
        let json: JSONObject = [
            "study_name": .string(study), "number": JSONValue(number),
            "process": JSONValue(process),
        ]
        let path = "\(folder)/\(Self.file)"
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data((JSONValue(json).json() + "\n").utf8))
        else {
            throw TrainingError.file(
                path: path, problem: "cannot be written (\(String(cString: strerror(errno))))")
        }
    }
}
