// Patterns in `data_files`, by the rules that Python's datasets has for them.
import Glibc

/// The files that a pattern matches: `*`, `?` and `[...]` within a name, and `**` as a whole part for
/// any number of folders (at the end, for all files below).
///
/// Hidden files and folders, and folders that start with "__", are left out unless the pattern names
/// them so; so are files that describe a dataset and hold no rows. Links to folders are followed only
/// where the pattern names them: they may lead in circles.
package struct FileGlob {
    private let parts: [String]
    private var found = Set<UTF8Key>()

    private static let ignored: Set<String> = [
        "README.md", "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip",
        "dataset_dict.json",
    ]

    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { "*?[".utf8.contains($0) }
    }

    /// Paths as the pattern begins them, in the order of their bytes.
    package static func files(_ pattern: String) throws -> [String] {
        var glob = FileGlob(pattern)
        if glob.parts.contains(where: { $0 != "**" && $0.contains("**") }) {
            throw TrainingError.file(
                path: pattern, problem: "'**' is only a part of a name here",
                hint: "put it between slashes, as in data/**/*.jsonl, or use one '*'")
        }
        glob.walk(pattern.hasPrefix("/") ? "/" : "", glob.parts[...])
        return glob.found.map(\.text).sorted { $0.precedesInUTF8($1) }
    }

    private init(_ pattern: String) {
        parts = pattern.split(separator: "/").map(String.init)
    }

    /// - folder: empty, or a path that ends with a slash.
    private mutating func walk(_ folder: String, _ rest: ArraySlice<String>) {
        guard let part = rest.first else { return }
        let next = rest.dropFirst()
        if part == "**" {
            // No folder at all, then each below.
            walk(folder, next.isEmpty ? ["*"] : next)
            for name in Self.names(folder) where !name.hasPrefix(".") && !name.hasPrefix("__") {
                if Self.isOwnFolder(folder + name) { walk(folder + name + "/", rest) }
            }
        } else if !Self.isPattern(part) {
            if !next.isEmpty {
                if ModelFiles.isFolder(folder + part) { walk(folder + part + "/", next) }
            } else if ModelFiles.isFile(folder + part) {
                found.insert(UTF8Key(folder + part))
            }
        } else {
            for name in Self.names(folder) where Self.matches(name, part) {
                if !next.isEmpty {
                    if part.hasPrefix("__") || !name.hasPrefix("__"),
                        Self.isOwnFolder(folder + name)
                    {
                        walk(folder + name + "/", next)
                    }
                } else if !Self.ignored.contains(name), ModelFiles.isFile(folder + name) {
                    found.insert(UTF8Key(folder + name))
                }
            }
        }
    }

    /// A leading dot must be in the pattern.
    private static func matches(_ name: String, _ part: String) -> Bool {
        fnmatch(part, name, FNM_PERIOD | FNM_NOESCAPE) == 0
    }

    private static func isOwnFolder(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private static func names(_ folder: String) -> [String] {
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
