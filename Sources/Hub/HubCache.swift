import Glibc
import OrderedJSON

/// One repository in a cache folder, laid out as huggingface_hub does:
///
///     models--org--name/refs/main                   the commit that a branch stood for
///     models--org--name/snapshots/COMMIT/FILE       relative links to blobs
///     models--org--name/blobs/ETAG                  contents, named by their digest
///     models--org--name/.no_exist/COMMIT/FILE       files known to be missing
///     .locks/models--org--name/ETAG.lock            who downloads
///
/// Python finds what is put here, and the other way round. One file more than Python's is kept:
/// `.st-host/COMMIT.json`, the names of all files of the commit. Without it a snapshot on disk could
/// not tell a split that was never loaded from one that does not exist.
struct HubCache {
    /// The cache folder.
    let root: String
    let repository: HubRepository

    var folder: String { "\(root)/\(repository.folderName)" }
    func blob(_ etag: String) -> String { "\(folder)/blobs/\(etag)" }
    func snapshot(_ commit: String) -> String { "\(folder)/snapshots/\(commit)" }
    func pointer(_ commit: String, _ file: String) -> String { "\(snapshot(commit))/\(file)" }

    func has(_ file: String, commit: String) -> Bool { LocalFile.isFile(pointer(commit, file)) }

    // MARK: Revisions

    /// The commit that a revision stood for when it was last fetched.
    func commit(of revision: String) -> String? {
        if HubName.isCommit(revision), LocalFile.isFolder(snapshot(revision)) { return revision }
        guard let text = LocalFile.readSmall("\(folder)/refs/\(revision)", limit: 1024) else {
            return nil
        }
        let commit = String(text.drop(while: \.isWhitespace).prefix { !$0.isWhitespace })
        return HubName.isFileName(commit) ? commit : nil
    }

    func setCommit(_ commit: String, of revision: String) throws(HubError) {
        let path = "\(folder)/refs/\(revision)"
        guard revision != commit, LocalFile.readSmall(path, limit: 1024) != commit else { return }
        try LocalFile.makeFolder(parent(path))
        try LocalFile.writeSmall(commit, to: path)
    }

    // MARK: What a commit holds

    private func listing(_ commit: String) -> String { "\(folder)/.st-host/\(commit).json" }

    func setFiles(_ files: [String], of commit: String) throws(HubError) {
        guard !LocalFile.isFile(listing(commit)) else { return }
        try LocalFile.makeFolder(parent(listing(commit)))
        try LocalFile.writeSmall(
            JSONValue.array(files.map { .string($0) }).json(), to: listing(commit))
    }

    /// All files of a commit by our own list or by the one that huggingface_hub's snapshot_download
    /// writes; nil when neither is there.
    func files(of commit: String) -> [String]? {
        if let list = json(listing(commit))?.arrayValue {
            return list.compactMap(\.stringValue).filter(Self.isSafe)
        }
        if let tree = json("\(folder)/trees/\(commit).json")?["files"]?.objectValue {
            return tree.keys.filter(Self.isSafe)
        }
        return nil
    }

    /// The files of a snapshot that are here.
    func presentFiles(_ commit: String) -> [String] {
        LocalFile.files(below: snapshot(commit)).filter(Self.isSafe)
    }

    private func json(_ path: String) -> JSONValue? {
        LocalFile.readSmall(path, limit: 1 << 28).flatMap { try? JSONValue.parse($0) }
    }

    private static func isSafe(_ file: String) -> Bool {
        (try? HubName.checkFile(file)) != nil
    }

    /// Remembers that a commit has no such file, as Python does; only to save Python requests, so
    /// failures don't matter.
    func markMissing(_ file: String, commit: String) {
        let path = "\(folder)/.no_exist/\(commit)/\(file)"
        guard !LocalFile.isFile(path), (try? LocalFile.makeFolder(parent(path))) != nil else {
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        if descriptor >= 0 { close(descriptor) }
    }

    // MARK: Contents

    func prepare() throws(HubError) {
        try LocalFile.makeFolder("\(folder)/blobs")
        try LocalFile.makeFolder("\(root)/.locks/\(repository.folderName)")
        // What tells backup programs that all this can be fetched again.
        let tag = "\(root)/CACHEDIR.TAG"
        if !LocalFile.isFile(tag) {
            try? LocalFile.writeSmall("Signature: 8a477f597d28d172789f06886806bc55\n", to: tag)
        }
    }

    func lockPath(_ etag: String) -> String {
        "\(root)/.locks/\(repository.folderName)/\(etag).lock"
    }

    /// Makes a file of a snapshot: a relative link to its content, so that the cache can be moved.
    func link(_ file: String, commit: String, to etag: String) throws(HubError) {
        let path = pointer(commit, file)
        if LocalFile.isFile(path) { return }
        try LocalFile.makeFolder(parent(path))
        let up = String(repeating: "../", count: 1 + file.split(separator: "/").count)
        for _ in 0..<3 {
            if symlink("\(up)blobs/\(etag)", path) == 0 { return }
            switch errno {
            case EEXIST:
                // Another process was faster, or the link leads nowhere.
                if LocalFile.isFile(path) { return }
                unlink(path)
            case EPERM, ENOTSUP, ENOSYS:
                if Glibc.link(blob(etag), path) == 0 { return }
                throw LocalFile.error(path, "can't be linked", errno)
            default:
                throw LocalFile.error(path, "can't be linked", errno)
            }
        }
        throw .file(path: path, problem: "can't be linked: something else keeps appearing there")
    }

    private func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
