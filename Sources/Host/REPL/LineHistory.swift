// The lines typed before, kept between runs in the user's state folder.

import FoundationEssentials
import Glibc

/// A file of lines, the newest last. A line is appended when it is entered, so that a killed session
/// loses nothing and several sessions share the file.
package struct LineHistory {
    /// Lines that are kept.
    package static let limit = 1000

    private let path: String

    /// $XDG_STATE_HOME/st-host/history, which is ~/.local/state/st-host/history where it isn't set.
    package static var standard: LineHistory? {
        func variable(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        guard
            let folder = variable("XDG_STATE_HOME")
                ?? variable("HOME").map({ $0 + "/.local/state" })
        else { return nil }
        return LineHistory(path: folder + "/st-host/history")
    }

    package init(path: String) { self.path = path }

    /// The newest lines, oldest first. Shortens a file that has grown to twice the limit.
    package func load() -> [String] {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
        let lines = text.split(separator: "\n").map(String.init)
        let kept = Array(lines.suffix(Self.limit))
        if lines.count > 2 * Self.limit {
            let shorter = Data((kept.joined(separator: "\n") + "\n").utf8)
            try? shorter.write(to: URL(filePath: path), options: .atomic)
            chmod(path, 0o600)
        }
        return kept
    }

    /// Adds a line; one that begins with a space is not kept, as in shells. What can't be written
    /// is forgotten at the end of the session.
    package func append(_ line: String) {
        guard !line.hasPrefix(" "), !line.contains("\n") else { return }
        let folder = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
        try? FileManager.default.createDirectory(
            atPath: String(folder), withIntermediateDirectories: true)
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
}
