// Files of text that a command writes where its user says.
import Glibc

package enum TextFile {
    /// Writes a file in one piece, as models are written; what has that name and is no file, a pipe or a
    /// terminal for one, is written as it is.
    ///
    /// - Throws: `TrainingError.file`; then a file that was there before is whole.
    package static func write(_ text: String, to path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else {
            return try ModelFiles.write(text, to: path)
        }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileError(path, "can't be written", errno) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        try bytes.withUnsafeBytes {
            try FileWriter(path: path, descriptor: descriptor).write($0)
        }
    }

    /// Makes a folder and those above it.
    package static func makeFolder(_ path: String) throws { try ModelFiles.makeFolder(path) }
}
