// START HERE: repositories of a hub as folders on this machine.
//
// `open` finds out which commit a revision is and which files it has (HubConnection asks the
// server), `HubSnapshot.fetch` brings files into the cache (Downloads, HubCache).

import Synchronization

/// What a client tells while it works; from any thread.
public enum HubEvent: Sendable {
    /// A line for the user: a retry, a fallback to the cache.
    case note(String)
    /// A download of so many bytes begins.
    case started(id: Int, label: String, bytes: Int)
    /// Bytes that are there, all together.
    case advanced(id: Int, bytes: Int)
    case finished(id: Int)
}

/// How a call wants a repository.
public struct HubAccess: Sendable {
    /// A branch, a tag or a commit; nil is "main".
    public var revision: String?
    public var token = HubToken.automatic
    /// In place of the configuration's cache.
    public var cacheFolder: String?
    public var localFilesOnly = false

    public init() {}
}

/// A client of a hub: asks once per process for a repository's commit, downloads once per machine.
public final class HubClient: Sendable {
    public let configuration: HubConfiguration
    let isCancelled: @Sendable () -> Bool
    let report: @Sendable (HubEvent) -> Void
    private let known = Mutex<[Key: Known]>([:])

    private struct Key: Hashable {
        let repository: HubRepository
        let revision: String
        let cache: String
        let token: String?
    }

    private struct Known {
        let commit: String
        let files: [String]
    }

    /// - isCancelled: asked often; true ends what runs with `HubError.cancelled`.
    public init(
        configuration: HubConfiguration = HubConfiguration(),
        isCancelled: @escaping @Sendable () -> Bool = { false },
        report: @escaping @Sendable (HubEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.isCancelled = isCancelled
        self.report = report
    }

    /// One commit of a repository: from the hub, from the cache when the hub does not answer or
    /// may not be asked.
    public func open(
        _ repository: HubRepository, _ access: HubAccess = HubAccess()
    ) throws -> HubSnapshot {
        let revision = access.revision ?? "main"
        try HubName.checkRevision(revision)
        let root =
            access.cacheFolder.map { HubConfiguration.expand($0) }
            ?? configuration.cacheFolder
        let cache = HubCache(root: root, repository: repository)
        let isForbidden = configuration.areDatasetsOffline && repository.kind == .dataset
        if access.localFilesOnly || configuration.isOffline || isForbidden {
            return try cached(cache, revision, access, asked: nil)
        }
        let token = try access.token.resolve(configuration)
        let key = Key(repository: repository, revision: revision, cache: root, token: token)
        let connection = try HubConnection(self, repository: repository, token: token)
        func snapshot(_ commit: String, _ files: [String]) -> HubSnapshot {
            HubSnapshot(
                client: self, connection: connection, cache: cache, revision: revision,
                commit: commit, files: files, offlineReason: nil)
        }
        if let known = known.withLock({ $0[key] }) { return snapshot(known.commit, known.files) }
        // A commit never changes.
        if HubName.isCommit(revision), let files = cache.files(of: revision) {
            return snapshot(revision, files)
        }
        // With a copy at hand a hub that can't be reached costs one attempt, not all.
        let hasCopy = cache.commit(of: revision).map { LocalFile.isFolder(cache.snapshot($0)) }
        do {
            let (commit, files) = try connection.information(
                revision: revision, isPatient: hasCopy != true)
            known.withLock { $0[key] = Known(commit: commit, files: files) }
            return snapshot(commit, files)
        } catch let error as HubError where hasCopy == true && error.leavesTheCopyUsable {
            report(.note("hub: \(error); the copy in the cache is used"))
            return try cached(cache, revision, access, asked: error)
        }
    }

    /// What the cache alone knows.
    private func cached(
        _ cache: HubCache, _ revision: String, _ access: HubAccess, asked: HubError?
    ) throws -> HubSnapshot {
        let reason =
            asked.map { "\($0)" }
            ?? (access.localFilesOnly
                ? "local_files_only"
                : configuration.isOffline ? "HF_HUB_OFFLINE=1" : "HF_DATASETS_OFFLINE=1")
            + " forbids to fetch it"
        guard let commit = cache.commit(of: revision), LocalFile.isFolder(cache.snapshot(commit))
        else {
            throw HubError.notCached(
                cache.repository, revision: revision, what: nil, cache: cache.root, reason: reason)
        }
        return HubSnapshot(
            client: self, connection: nil, cache: cache, revision: revision, commit: commit,
            files: cache.files(of: commit) ?? cache.presentFiles(commit), offlineReason: reason)
    }
}

extension HubError {
    /// Whether a copy from before is as good as one can get: no answer, or none for us.
    fileprivate var leavesTheCopyUsable: Bool {
        switch self {
        case .network, .repositoryNotFound, .gated, .unauthorized, .disabled, .protocolBreach: true
        case .response(_, let status, _): status == 403 || status == 408 || status >= 429
        default: false
        }
    }
}

/// One commit of a repository, some of its files on this machine.
public struct HubSnapshot: Sendable {
    let client: HubClient
    /// nil where the cache must do.
    let connection: HubConnection?
    let cache: HubCache
    public let revision: String
    public let commit: String
    /// Every file of the commit; from an old cache without a list, the files that are there.
    public let files: [String]
    let offlineReason: String?

    public var repository: HubRepository { cache.repository }
    /// Where fetched files are, by their names in the repository.
    public var folder: String { cache.snapshot(commit) }

    /// Whether the cache must do.
    public var isOffline: Bool { connection == nil }

    /// Whether a file is in the cache.
    public func isPresent(_ file: String) -> Bool { cache.has(file, commit: commit) }

    public func contains(_ file: String) -> Bool { files.contains(file) }

    /// Brings files into the cache, as far as they are not there, several at a time.
    /// - Returns: their paths, in order.
    /// - Throws: `HubError`; the cache then holds what was complete, and parts to go on with.
    public func fetch(_ names: [String]) throws -> [String] {
        let paths = try bring(names)
        // Only now, when what was asked for is there: an offline run must not lose the copy from
        // before to a download that failed.
        if connection != nil { try? cache.setCommit(commit, of: revision) }
        return paths
    }

    private func bring(_ names: [String]) throws -> [String] {
        for name in names { try HubName.checkFile(name) }
        let missing = names.filter { !cache.has($0, commit: commit) }
        if let first = missing.first {
            guard let connection else {
                throw HubError.notCached(
                    repository, revision: revision, what: "'\(first)'", cache: cache.root,
                    reason: offlineReason ?? "the hub may not be asked")
            }
            try cache.prepare()
            try cache.setFiles(files, of: commit)
            var seen = Set<String>()
            try Downloads(client: client, connection: connection, cache: cache, commit: commit)
                .run(missing.filter { seen.insert($0).inserted })
        }
        return names.map { cache.pointer(commit, $0) }
    }

    /// The path of one file that tells which others are needed, fetched where needed; nil when the
    /// commit has no such file.
    public func file(_ name: String) throws -> String? {
        guard contains(name) else {
            if connection != nil { cache.markMissing(name, commit: commit) }
            return nil
        }
        return try bring([name]).first
    }
}
