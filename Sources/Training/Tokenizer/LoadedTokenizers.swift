import Glibc
import Synchronization

/// The tokenizers of model folders that were read before, so that the models of a search's trials
/// share one. A folder whose files have changed since is read again.
///
/// A tokenizer is kept as long as a model uses it, and the last one beyond that.
package enum LoadedTokenizers {
    private struct Key: Hashable {
        let folder: String
        let lowercasesFirst: Bool
    }

    private struct Entry {
        let stamps: [Stamp?]
        weak var tokenizer: WordPieceTokenizer?
    }

    private struct Known {
        var entries: [Key: Entry] = [:]
        var last: WordPieceTokenizer?
    }

    /// What tells one state of a file from another.
    private struct Stamp: Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        let seconds: Int
        let nanoseconds: Int

        /// `nil` where there is no such file.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }

        /// Whether a later change is sure to make another stamp: the clock of a file system may
        /// stand still for some milliseconds.
        func isSettled(at now: Int) -> Bool { seconds < now - 1 }
    }

    private static let known = Mutex(Known())

    /// The tokenizer of a folder, as ``WordPieceTokenizer/init(folder:lowercasesFirst:)`` reads it.
    package static func tokenizer(
        folder: String, lowercasesFirst: Bool
    ) throws -> WordPieceTokenizer {
        let key = Key(folder: folder, lowercasesFirst: lowercasesFirst)
        // Before reading: a file that changes meanwhile is read again the next time.
        let stamps = TokenizerFiles.names.map { Stamp(ModelFiles.join(folder, $0)) }
        let found = known.withLock { known -> WordPieceTokenizer? in
            guard let entry = known.entries[key], entry.stamps == stamps else { return nil }
            return entry.tokenizer
        }
        if let found { return found }
        let made = try WordPieceTokenizer(
            files: TokenizerFiles(folder: folder), lowercasesFirst: lowercasesFirst,
            identity: "\(key) \(stamps)")
        let now = time(nil)
        guard stamps.allSatisfy({ $0?.isSettled(at: now) ?? true }) else { return made }
        known.withLock { known in
            known.entries = known.entries.filter { $0.value.tokenizer != nil }
            known.entries[key] = Entry(stamps: stamps, tokenizer: made)
            known.last = made
        }
        return made
    }
}
