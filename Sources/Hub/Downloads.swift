// Files of one commit into the cache: several at a time, each resumed after a cut, checked, and
// only then given its name.
import Glibc
import Synchronization

/// Unchecked: what changes is in mutexes; the rest is set before the threads start.
final class Downloads: @unchecked Sendable {
    private let client: HubClient
    private let connection: HubConnection
    private let cache: HubCache
    private let commit: String
    private let shared = Mutex(Shared())

    private struct Shared {
        var next = 0
        var failure: (any Error)?
        /// Bytes that are there, by file.
        var done: [String: Int] = [:]
        var lastReport: ContinuousClock.Instant?
    }

    private static let lastID = Atomic<Int>(0)
    private let id = lastID.add(1, ordering: .relaxed).newValue

    init(client: HubClient, connection: HubConnection, cache: HubCache, commit: String) {
        self.client = client
        self.connection = connection
        self.cache = cache
        self.commit = commit
    }

    /// Bytes from which on progress is shown.
    private static let smallestShown = 100_000

    func run(_ files: [String]) throws {
        let metadata = Mutex<[String: HubConnection.Metadata]>([:])
        try inParallel(files) { [connection, commit, cache] file, handle in
            do {
                let found = try connection.metadata(file, commit: commit, handle)
                metadata.withLock { $0[file] = found }
            } catch HubError.fileNotFound(let repository, let name, let commit) {
                cache.markMissing(name, commit: commit)
                throw HubError.fileNotFound(repository, file: name, commit: commit)
            }
        }
        let wanted = metadata.withLock { found in files.compactMap { found[$0] } }
        // What another repository's file of the same content or an earlier run brought.
        let absent = wanted.filter { !LocalFile.isFile(cache.blob($0.etag)) }
        let total = absent.reduce(0) { $0 &+ ($1.size ?? 0) }
        try checkSpace(absent)
        // A few small files are there before a bar could be read.
        let isShown = total >= Self.smallestShown
        if isShown {
            client.report(
                .started(id: id, label: "Downloading \(cache.repository.id)", bytes: total))
        }
        defer { if isShown { client.report(.finished(id: id)) } }
        // Large ones first: they decide when all is done.
        let order = wanted.sorted { ($0.size ?? 0) > ($1.size ?? 0) }
        try inParallel(order) { [self] file, handle in
            try download(file, handle)
            try cache.link(file.file, commit: commit, to: file.etag)
        }
        report(isLast: true)
    }

    private func checkSpace(_ files: [HubConnection.Metadata]) throws {
        let needed = files.reduce(0) { sum, file in
            let have = LocalFile.size(cache.blob(file.etag) + ".incomplete") ?? 0
            return sum &+ max(0, (file.size ?? 0) - have)
        }
        if let free = LocalFile.freeSpace(cache.root), needed > free {
            throw HubError.diskFull(path: cache.root, needed: needed, free: free)
        }
    }

    // MARK: Threads

    /// Calls `body` for each item, on a few threads; the first error ends them all.
    private func inParallel<Item: Sendable>(
        _ items: [Item], _ body: @escaping @Sendable (Item, CurlHandle) throws -> Void
    ) throws {
        shared.withLock { $0.next = 0 }
        let work: @Sendable () -> Void = { [self] in
            do {
                let handle = try CurlHandle(isCancelled: { [self] in isStopped })
                while let item = next(items) { try body(item, handle) }
            } catch {
                // A thread that stops because another failed has nothing to say.
                shared.withLock { if $0.failure == nil { $0.failure = error } }
            }
        }
        let count = min(max(client.configuration.workers, 1), items.count)
        if count <= 1 {
            work()
        } else {
            let threads = (0..<count).compactMap { _ in WorkerThread(work) }
            if threads.isEmpty { work() }
            for thread in threads { thread.join() }
        }
        if client.isCancelled() { throw HubError.cancelled }
        if let failure = shared.withLock({ $0.failure }) { throw failure }
    }

    private func next<Item>(_ items: [Item]) -> Item? {
        let index = shared.withLock { shared in
            defer { shared.next += 1 }
            return shared.failure == nil ? shared.next : items.count
        }
        return index < items.count ? items[index] : nil
    }

    private var isStopped: Bool {
        client.isCancelled() || shared.withLock { $0.failure != nil }
    }

    // MARK: One file

    /// Leaves the whole, checked content at its place among the blobs.
    private func download(_ metadata: HubConnection.Metadata, _ handle: CurlHandle) throws {
        let blob = cache.blob(metadata.etag)
        if LocalFile.isFile(blob) { return }
        let name = metadata.file
        let lock = try FileLock(
            cache.lockPath(metadata.etag), isCancelled: { isStopped },
            waiting: { [client] in
                client.report(.note("hub: \(name): another process downloads it; waiting"))
            })
        defer { withExtendedLifetime(lock) {} }
        if LocalFile.isFile(blob) { return }
        let part = try PartialFile(
            blob + ".incomplete", check: ContentCheck(etag: metadata.etag))
        var download = Download(
            client: client, connection: connection, metadata: metadata, commit: commit,
            part: part, handle: handle,
            progress: { [self] bytes in
                shared.withLock { $0.done[metadata.etag] = bytes }
                report()
            })
        try download.run()
        try part.finish(as: blob)
    }

    private func report(isLast: Bool = false) {
        let now = ContinuousClock.now
        let bytes: Int? = shared.withLock { shared in
            let isDue = shared.lastReport.map { now - $0 > .milliseconds(100) } ?? true
            guard isLast || isDue else { return nil }
            shared.lastReport = now
            return shared.done.values.reduce(0, &+)
        }
        if let bytes { client.report(.advanced(id: id, bytes: bytes)) }
    }
}

/// The bytes of a file that have come so far.
final class PartialFile {
    let path: String
    let check: ContentCheck
    let descriptor: Int32
    private(set) var size = 0

    /// Goes on with what a process before left, where the content can be checked at the end.
    init(_ path: String, check: ContentCheck) throws(HubError) {
        self.path = path
        self.check = check
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
        guard descriptor >= 0 else { throw LocalFile.error(path, "can't be written", errno) }
        size = LocalFile.size(path) ?? 0
        if check == .sizeAlone { try clear() }
    }

    deinit { close(descriptor) }

    func clear() throws(HubError) {
        guard ftruncate(descriptor, 0) == 0 else {
            throw LocalFile.error(path, "can't be written", errno)
        }
        size = 0
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = pwrite(descriptor, start, rest.count, off_t(size))
            if count < 0 {
                if errno == EINTR { continue }
                throw LocalFile.error(path, "can't be written", errno)
            }
            size += count
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Gives the file its name once its bytes are on the disk.
    func finish(as name: String) throws(HubError) {
        guard fsync(descriptor) == 0, rename(path, name) == 0 else {
            throw LocalFile.error(name, "can't be written", errno)
        }
    }
}

/// One file: attempts until all bytes are there and are the right ones.
struct Download {
    let client: HubClient
    let connection: HubConnection
    var metadata: HubConnection.Metadata
    let commit: String
    let part: PartialFile
    let handle: CurlHandle
    let progress: (Int) -> Void

    /// Whole downloads whose content turned out wrong, before giving up.
    private static let wrongContents = 2

    mutating func run() throws {
        var pauses = RetryPauses(client, what: metadata.file, isPatient: true)
        var wrong = 0
        while true {
            if let size = metadata.size, part.size > size { try part.clear() }
            if part.size != metadata.size || part.size == 0 {
                let before = part.size
                let outcome = try attempt()
                if part.size > before { pauses.reset() }
                switch outcome {
                case .complete: break
                case .cut(let failure):
                    guard try pauses.wait(for: failure) else {
                        throw noAnswer(failure.problem, attempts: pauses.failures)
                    }
                    continue
                case .wrong(let problem):
                    guard try pauses.wait(for: problem, retryAfter: nil) else {
                        throw noAnswer(problem, attempts: pauses.failures)
                    }
                    continue
                case .refused(let response, let url):
                    guard
                        try pauses.wait(
                            for: "the server answers \(response.status)",
                            retryAfter: response.retryAfter
                                ?? HubConnection.rateLimitReset(response))
                    else {
                        throw connection.refusal(
                            response, url: url, revision: commit, file: metadata.file)
                    }
                    continue
                }
            }
            guard let problem = try problemOfContent() else { return }
            try part.clear()
            progress(0)
            wrong += 1
            guard wrong <= Self.wrongContents,
                try pauses.wait(for: problem, retryAfter: nil)
            else {
                throw HubError.corrupt(
                    connection.repository, file: metadata.file, problem: problem)
            }
        }
    }

    private func problemOfContent() throws -> String? {
        if let size = metadata.size, part.size != size {
            return "\(part.size) bytes came, \(size) were announced"
        }
        return try part.check.problem(descriptor: part.descriptor, size: part.size)
    }

    private enum Outcome {
        case complete
        /// No whole answer.
        case cut(TransferFailure)
        /// An answer with other bytes than those asked for.
        case wrong(String)
        /// An answer that may be another one next time.
        case refused(HTTPResponse, url: String)
    }

    private func noAnswer(_ problem: String, attempts: Int) -> HubError {
        .network(
            host: HubURL.origin(metadata.location) ?? HubURL.shown(metadata.location),
            problem: "\(metadata.file): \(problem)", attempts: attempts)
    }

    private struct TooLong: Error {}

    /// One request for the bytes that are missing.
    private mutating func attempt() throws -> Outcome {
        var request = HTTPRequest(url: metadata.location)
        request.headers = [("Accept-Encoding", "identity")]
        request.stallTimeout = client.configuration.stallTimeout
        let start = part.size
        if start > 0 { request.headers.append(("Range", "bytes=\(start)-")) }
        let (part, progress, limit) = (part, progress, metadata.size)
        var isChecked = false
        do {
            let (response, url) = try connection.once(
                request, handle,
                receive: { (bytes: UnsafeRawBufferPointer, response: HTTPResponse) in
                    guard response.isSuccess else { return }
                    if !isChecked {
                        isChecked = true
                        // The whole file, or a part of it that is not the one asked for.
                        if start > 0, !Self.continues(response, at: start) {
                            try part.clear()
                            if response.status == 206 { throw TooLong() }
                        }
                    }
                    if let limit, part.size + bytes.count > limit { throw TooLong() }
                    try part.append(bytes)
                    progress(part.size)
                }, follows: { _, _ in true })
            return try judge(response, url)
        } catch let failure as TransferFailure {
            return .cut(failure)
        } catch is TooLong {
            try part.clear()
            return .wrong("the server sends other bytes than it announced")
        }
    }

    /// Whether an answer to a request for a part holds that part.
    private static func continues(_ response: HTTPResponse, at start: Int) -> Bool {
        response.status == 206
            && response.headers["content-range"]?.hasPrefix("bytes \(start)-") == true
    }

    private mutating func judge(_ response: HTTPResponse, _ url: String) throws -> Outcome {
        if response.isSuccess {
            if let size = metadata.size, part.size < size {
                return .wrong("the connection was cut at \(HubError.size(part.size))")
            }
            return .complete
        }
        if response.status == 416 {
            try part.clear()
            return .wrong("the server can't go on there")
        }
        if HubConnection.mayPass(response.status) { return .refused(response, url: url) }
        // An address on a storage host is signed for some minutes: ask the hub for a new one.
        if HubURL.origin(metadata.location) != HubURL.origin(client.configuration.endpoint) {
            let fresh = try connection.metadata(metadata.file, commit: commit, handle)
            guard fresh.etag == metadata.etag else {
                throw HubError.corrupt(
                    connection.repository, file: metadata.file,
                    problem: "changed on the hub during the download")
            }
            metadata.location = fresh.location
            return .refused(response, url: url)
        }
        throw connection.refusal(response, url: url, revision: commit, file: metadata.file)
    }
}
