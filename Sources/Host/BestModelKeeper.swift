// Keeps the model of the best trial on disk while a search runs, so that it outlives the trial, the
// search and the process. Used by HyperparameterSearch.

import FoundationEssentials
import Glibc
import Training
import Tuning

/// One objective: the model of the best trial in `folder`. Several: the models of all trials that no
/// other one dominates, in `folder/run-<number>`.
final class BestModelKeeper {
    private let folder: String
    private let directions: [StudyDirection]
    private let isKept: Bool
    /// Trials whose models are on disk, or were there before this search.
    private var kept: [Entry] = []

    private struct Entry {
        let number: Int
        let values: [Double]
        /// nil for trials that an earlier run of the study made.
        let state: TrainerState?

        init(_ number: Int, _ values: [Double], _ state: TrainerState? = nil) {
            self.number = number
            self.values = values
            self.state = state
        }
    }

    /// Fails now, and not after hours of training, when the folder can't be written.
    init(_ study: Study, folder: String, isKept: Bool) throws {
        self.folder = folder
        self.isKept = isKept
        directions = study.directions
        guard isKept else { return }
        restore(folder)
        try makeFolder(directions.count > 1 ? folder : parent(of: folder))
        for trial in try study.trials(.complete) {
            if let values = trial.values { kept.append(Entry(trial.number, values)) }
        }
    }

    /// Keeps the model when no other trial is at least as good.
    func offer(
        _ number: Int, _ values: [Double], model: SentenceTransformer, state: TrainerState
    ) throws {
        guard isKept, values.allSatisfy({ !$0.isNaN }), values.count == directions.count else {
            return
        }
        // An earlier offer of the same trial: with objective_from = "best" the last one wins.
        let others = kept.filter { $0.number != number }
        guard !others.contains(where: { isAtLeastAsGood($0.values, values) }) else { return }
        if kept.contains(where: { $0.number == number && isBetter($0.values, values) }) { return }
        if kept.contains(where: { $0.number == number && $0.values == values }),
            FileManager.default.fileExists(atPath: path(of: number))
        {
            return
        }
        try save(model, to: path(of: number))
        let losers = others.filter { isAtLeastAsGood(values, $0.values) }
        kept = others.filter { !isAtLeastAsGood(values, $0.values) }
        kept.append(Entry(number, values, state))
        if directions.count > 1 {
            for loser in losers {
                try? FileManager.default.removeItem(atPath: path(of: loser.number))
            }
        }
    }

    /// Where the model of a trial is, nil when it is not kept.
    func folder(of number: Int) -> String? {
        guard isKept, kept.contains(where: { $0.number == number && $0.state != nil }) else {
            return nil
        }
        return path(of: number)
    }

    func state(of number: Int) -> TrainerState? {
        kept.first { $0.number == number }?.state
    }

    private func path(of number: Int) -> String {
        directions.count > 1 ? "\(folder)/run-\(number)" : folder
    }

    private func isAtLeastAsGood(_ first: [Double], _ second: [Double]) -> Bool {
        zip(zip(first, second), directions).allSatisfy { values, direction in
            direction == .maximize ? values.0 >= values.1 : values.0 <= values.1
        }
    }

    private func isBetter(_ first: [Double], _ second: [Double]) -> Bool {
        isAtLeastAsGood(first, second) && first != second
    }

    // MARK: - Files

    /// Writes beside the old model, then puts it in the old one's place. A kill between the two
    /// renames leaves the old model as `<path>.previous`, which `restore` brings back.
    private func save(_ model: SentenceTransformer, to path: String) throws {
        let unfinished = "\(path).saving"
        let previous = "\(path).previous"
        let files = FileManager.default
        try? files.removeItem(atPath: unfinished)
        try model.save(to: unfinished)
        try? files.removeItem(atPath: previous)
        if files.fileExists(atPath: path), rename(path, previous) != 0 { throw failure(path) }
        guard rename(unfinished, path) == 0 else { throw failure(path) }
        try? files.removeItem(atPath: previous)
    }

    private func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    private func restore(_ path: String) {
        let files = FileManager.default
        if !files.fileExists(atPath: path) { _ = rename("\(path).previous", path) }
        try? files.removeItem(atPath: "\(path).saving")
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
