// Whether a path lies in one of some folders, as the kernel would resolve it: through `..` and
// symbolic links, also where the file does not exist yet. Like the kernel it looks at bytes: of
// characters, a slash and a combining accent after it are one, and letters have several spellings.

import FoundationEssentials
import Glibc

/// The folders of a ``Sandbox``.
struct AllowedFolders: Sendable {
    /// Without links, "/" at the end.
    private let folders: [String]
    private let shown: String

    /// - Throws: for a folder that does not exist: it could become a link to anywhere.
    init(_ folders: [String]) throws {
        self.folders = try folders.map { folder in
            guard let real = Self.resolve(folder), Self.kind(of: real) == S_IFDIR else {
                throw HostError.sandbox("there is no folder '\(folder)' to allow")
            }
            return real == "/" ? real : real + "/"
        }
        shown = folders.map { "'\($0)'" }.joined(separator: ", ")
    }

    /// - Throws: for a path that leads out of the folders.
    func check(_ path: String) throws {
        guard let real = Self.resolve(path), contains(real) else {
            throw HostError.sandbox(
                "'\(path)' is out of reach: "
                    + (folders.isEmpty
                        ? "no files are allowed" : "only files in \(shown) are allowed"))
        }
    }

    /// The same for everything in a folder: a file in it may be a link to elsewhere.
    func check(contentsOf folder: String) throws {
        try check(folder)
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? [] {
            let path = "\(folder)/\(name)"
            if Self.kind(of: path) == S_IFLNK { try check(path) }
        }
    }

    private func contains(_ real: String) -> Bool {
        folders.contains { (real + "/").utf8.starts(with: $0.utf8) }
    }

    // MARK: - Paths

    private static let mostLinks = 40

    /// The path without `.`, `..` and links. What does not exist stays as it is written; nil where
    /// no file can be there: too many links, `..` out of a folder that does not exist, a zero byte.
    static func resolve(_ path: String) -> String? {
        guard !path.isEmpty, !path.utf8.contains(0) else { return nil }
        let start =
            isAbsolute(path) ? path : FileManager.default.currentDirectoryPath + "/" + path
        // The next name last.
        var names = Array(self.names(in: start).reversed())
        var real: [Substring] = []
        var links = 0
        var isMissing = false
        while let name = names.popLast() {
            if name == "." { continue }
            if name == ".." {
                if isMissing { return nil }
                _ = real.popLast()
                continue
            }
            let place = "/" + (real + [name]).joined(separator: "/")
            switch isMissing ? nil : kind(of: place) {
            case S_IFLNK?:
                links += 1
                guard links <= mostLinks, let target = link(at: place) else { return nil }
                if isAbsolute(target) { real = [] }
                names += self.names(in: target).reversed()
            case nil:
                isMissing = true
                real.append(name)
            default:
                real.append(name)
            }
        }
        return "/" + real.joined(separator: "/")
    }

    private static let slash = UInt8(ascii: "/")

    private static func isAbsolute(_ path: String) -> Bool { path.utf8.first == slash }

    private static func names(in path: String) -> [Substring] {
        path.utf8.split(separator: slash).map { Substring($0) }
    }

    /// S_IFDIR and so on, of the link itself; nil where nothing can be seen.
    private static func kind(of path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func link(at path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(validating: buffer[..<count], as: UTF8.self)
    }
}
