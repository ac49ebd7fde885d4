// Every kind of storage, each test's in a place of its own.

import Foundation
import TestSupport
import Testing
import Tuning
import TuningStorage

enum StorageKind: CaseIterable, Sendable {
    case inMemory
    case sqlite
    case sqliteInMemory
    case postgresql
    case journal
    case journalOpenLock

    /// PostgreSQL where the server's programs are installed, which `make test` sees to.
    static let available = allCases.filter {
        $0 != .postgresql || PostgreSQLServer.shared != nil
    }

    /// Kinds that several processes can share.
    static let shared = available.filter { [.sqlite, .postgresql, .journal].contains($0) }

    func place() throws -> StoragePlace { try StoragePlace(self) }
}

/// A storage of a test's own; `remove()` takes it away.
struct StoragePlace {
    let kind: StorageKind
    let folder: TemporaryFolder
    /// What `optuna.load_study(storage=...)` takes.
    let url: String

    init(_ kind: StorageKind) throws {
        self.kind = kind
        folder = try TemporaryFolder()
        switch kind {
        case .inMemory, .sqliteInMemory: url = "sqlite://"
        case .sqlite: url = "sqlite:///" + folder.url.appending(path: "study.db").path
        case .journal, .journalOpenLock:
            url = "journal:" + folder.url.appending(path: "journal.log").path
        case .postgresql: url = try #require(PostgreSQLServer.shared).makeDatabase()
        }
    }

    private var path: String { String(url.dropFirst("journal:".count)) }

    /// A further connection to the same storage, where the kind has such a thing.
    func open() throws -> any Storage {
        switch kind {
        case .inMemory: InMemoryStorage()
        case .journal, .journalOpenLock:
            try JournalStorage(
                JournalFileBackend(
                    path, lock: JournalFileLock(path, kind: kind == .journal ? .symlink : .open)))
        case .sqlite, .sqliteInMemory, .postgresql: try RDBStorage(url)
        }
    }

    func remove() { folder.remove() }
}
