// The files by which searches tell whose a kept model is, and keep out of each other's way.

import FoundationEssentials
import Glibc
import OrderedJSON
import Training

/// Whose model a folder holds: a small file in it.
struct ModelOwner: Equatable {
    let study: String
    let number: Int

    private static let file = "search_trial.json"

    static func path(in folder: String) -> String { "\(folder)/\(file)" }

    init(study: String, number: Int) {
        self.study = study
        self.number = number
    }

    /// nil if the folder is not there or does not say.
    init?(of folder: String) {
        guard let data = FileManager.default.contents(atPath: Self.path(in: folder)),
            let json = try? JSONValue.parse(String(decoding: data, as: UTF8.self)),
            let study = json["study_name"]?.stringValue, let number = json["number"]?.intValue
        else { return nil }
        self.study = study
        self.number = number
    }

    var json: String {
        let json: JSONObject = ["study_name": .string(study), "number": JSONValue(number)]
        return JSONValue(json).json() + "\n"
    }
}

/// A folder in which the model of a running trial waits. Its owner's file is locked as long as this
/// is held, on this machine or another: what no lock holds was left behind.
final class UnsettledFolder: Sendable {
    let path: String
    private let lock: FileLock

    /// Makes the folder; nil if the name is taken, by a trial of the same number in another study.
    init?(making path: String, owner: ModelOwner) throws {
        let file = ModelOwner.path(in: path)
        if mkdir(path, 0o777) != 0 {
            if errno == EEXIST { return nil }
            throw TrainingError.file(
                path: path, problem: "cannot be written (\(String(cString: strerror(errno))))")
        }
        guard let lock = try FileLock.ifFree(file, makes: true) else { return nil }
        try lock.write(owner.json)
        self.path = path
        self.lock = lock
    }

    /// Whether somebody holds the folder. One without an owner was left behind: owners are written
    /// while the folders' lock is held.
    static func isHeld(_ path: String) -> Bool {
        do {
            return try FileLock.ifFree(ModelOwner.path(in: path), makes: false) == nil
        } catch {
            return FileManager.default.fileExists(atPath: ModelOwner.path(in: path))
        }
    }
}

/// A lock between threads and processes: flock on a file.
final class FileLock: Sendable {
    private let descriptor: Int32
    private let path: String

    private init(_ path: String, flags: Int32, mode: Int32) throws {
        descriptor = open(path, O_RDWR | O_CLOEXEC | flags, 0o644)
        self.path = path
        guard descriptor >= 0 else { throw Self.error(path) }
        while flock(descriptor, mode) != 0 {
            if errno == EINTR { continue }
            // Otherwise a file system without locks: as if nobody else worked there.
            if errno == EWOULDBLOCK { throw Taken() }
            break
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private struct Taken: Error {}

    /// Waits for it.
    static func waiting(_ path: String) throws -> FileLock {
        try FileLock(path, flags: O_CREAT, mode: LOCK_EX)
    }

    /// nil if somebody else has it.
    static func ifFree(_ path: String, makes: Bool) throws -> FileLock? {
        do {
            return try FileLock(path, flags: makes ? O_CREAT : 0, mode: LOCK_EX | LOCK_NB)
        } catch is Taken {
            return nil
        }
    }

    func write(_ text: String) throws {
        let bytes = Array(text.utf8)
        guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw Self.error(path)
        }
    }

    private static func error(_ path: String) -> TrainingError {
        .file(
            path: path, problem: "cannot be written (\(String(cString: strerror(errno))))",
            hint: "choose another output_dir")
    }
}

/// The model of a search's best trial, where it is kept. A later search with the same output_dir
/// puts its own there.
struct KeptModel {
    let folder: String
    let owner: ModelOwner
    /// See ``BestModelKeeper``.
    let lockPath: String

    func load() throws -> SentenceTransformer {
        // Nobody replaces the folder while it is read. Without the right to write there is no lock.
        let lock = try? FileLock.waiting(lockPath)
        defer { withExtendedLifetime(lock) {} }
        let found = ModelOwner(of: folder)
        guard found == owner else {
            let now =
                found.map { "that of trial \($0.number) of the study '\($0.study)' is there now" }
                ?? "it was taken away"
            throw TrainingError.file(
                path: folder,
                problem: "the model of trial \(owner.number) of the study '\(owner.study)' is not"
                    + " kept any more: \(now)",
                hint: "give each search an output_dir of its own, or read best.model before the"
                    + " next search")
        }
        return try SentenceTransformer(path: folder)
    }
}
