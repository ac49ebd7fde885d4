// What an untrusted script may do: its folders and its limits. HostSession takes it, the files
// beside this one enforce it.

import LuaBridge
import Training
import TuningStorage

/// The bounds of a script that is not trusted. It opens no files but those in `folders`, starts no
/// processes, has no network, loads no bytecode and no native code, and stops at the limits.
///
///     let session = try HostSession(sandbox: Sandbox(folders: ["data", "out"]))
///
/// Bounds Lua and what the host does for it. What training takes beside the model, and files that
/// are read, are not part of the memory limit.
public struct Sandbox: Sendable {
    /// Folders the script may read and write, with everything below them.
    public var folders: [String]
    /// Bytes of Lua's own values, matrices, datasets and models together.
    public var memoryLimit: Int
    /// Instructions of Lua from the session's beginning; library functions count what they do.
    public var instructionLimit: UInt64

    public init(
        folders: [String] = [], memoryLimit: Int = 1 << 30,
        instructionLimit: UInt64 = 10_000_000_000
    ) {
        self.folders = folders
        self.memoryLimit = memoryLimit
        self.instructionLimit = instructionLimit
    }
}

extension HostSession {
    /// Makes the memory limit that of matrices, datasets and models, too. They are counted when the
    /// script gets them; what could be far too large asks before it is made.
    func boundObjects() {
        lua.limitsObjects = true
        let admission = MemoryAdmission { [unowned lua] in try lua.ensureMemory(for: $0) }
        lua.aroundCalls = { try admission.while($0) }
    }

    /// - Throws: when the script may not use `path`, or the system would read only a part of it.
    func checkPath(_ path: String) throws {
        try allowedFolders?.check(path)
        if path.utf8.contains(0) {
            let shown = path.replacing("\0", with: "\\0")
            throw HostError.path("'\(shown)' holds a zero byte, which no path can")
        }
    }

    /// The same for a folder whose files are opened by name; none of them may lead out of it.
    func checkFolder(_ path: String) throws { try allowedFolders?.check(contentsOf: path) }

    func checkStorage(_ url: String) throws {
        guard let allowedFolders else { return }
        switch try StorageLocation(url) {
        case .sqlite(nil, _): break
        case .sqlite(let path?, _): try allowedFolders.check(path)
        case .postgresql: throw HostError.sandbox("there is no network for PostgreSQL")
        }
    }
}

extension LuaArguments {
    /// The session whose script made the call.
    var session: HostSession? { state.owner as? HostSession }

    /// A path that the script may use.
    func path(_ name: String) throws -> String {
        let path: String = try self[name]
        try session?.checkPath(path)
        return path
    }

    func path(_ name: String) throws -> String? {
        let path: String? = try self[name]
        if let path { try session?.checkPath(path) }
        return path
    }
}
