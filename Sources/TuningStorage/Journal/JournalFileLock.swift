// The lock beside a journal file that keeps its writers apart, on network file systems as well.

import FoundationEssentials
import Glibc
import Tuning

/// A lock that is there while the file `<journal>.lock` is: Optuna's, so that its workers and ours
/// wait for each other.
public struct JournalFileLock: Sendable {
    /// How the lock file is made so that only one succeeds.
    public enum Kind: Sendable {
        /// By symlink(2): works on every version of NFS. Optuna's `JournalFileSymlinkLock`.
        case symlink
        /// By open(2) with O_EXCL: from NFSv3 on. Optuna's `JournalFileOpenLock`.
        case open
    }

    public let kind: Kind
    let target: String
    /// Seconds after which the lock of a writer that is gone is broken; `nil` for never.
    public let gracePeriod: Int?

    private var path: String { target + ".lock" }

    /// - path: of the journal file. - gracePeriod: positive.
    public init(_ path: String, kind: Kind = .symlink, gracePeriod: Int? = 30) throws {
        if let gracePeriod, gracePeriod <= 0 {
            throw TuningError.argument(
                owner: kind == .symlink ? "JournalFileSymlinkLock" : "JournalFileOpenLock",
                name: "grace_period",
                problem: "The value of `grace_period` should be a positive integer.")
        }
        target = path
        self.kind = kind
        self.gracePeriod = gracePeriod
    }

    /// Runs `body` while nobody else holds the lock.
    func withLock<Result>(_ body: () throws -> Result) throws -> Result {
        try acquire()
        defer { release() }
        return try body()
    }

    private func acquire() throws {
        var pause = 0.001
        var lastChange = monotonicSeconds()
        var lastTime: Double?
        while !tryOnce() {
            guard errno == EEXIST else {
                throw TuningError.storage(
                    url: target, problem: "can't make the lock file '\(path)': \(systemError())")
            }
            // A symlink's time is that of the journal, which other writers move on.
            var info = stat()
            if stat(path, &info) == 0 {
                let time = Double(info.st_mtim.tv_sec) + Double(info.st_mtim.tv_nsec) * 1e-9
                if time != lastTime {
                    lastTime = time
                    lastChange = monotonicSeconds()
                }
            }
            if let gracePeriod, monotonicSeconds() - lastChange > Double(gracePeriod) {
                release()
                lastChange = monotonicSeconds()
                pause = 0.001
                continue
            }
            usleep(UInt32(pause * 1e6))
            pause = min(pause * 2, 1)
        }
    }

    private func tryOnce() -> Bool {
        switch kind {
        case .symlink: return Glibc.symlink(target, path) == 0
        case .open:
            let descriptor = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o666)
            if descriptor >= 0 { Glibc.close(descriptor) }
            return descriptor >= 0
        }
    }

    /// Renamed first: of several that break a lock one wins.
    private func release() {
        let aside = path + UUID().uuidString.lowercased() + ".rename"
        if rename(path, aside) == 0 { unlink(aside) }
    }
}

func systemError() -> String { String(cString: strerror(errno)) }
