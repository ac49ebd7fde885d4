// Lines of a journal file: appended under the lock, read from where the last reading ended.

import Glibc
import OrderedJSON
import Tuning

/// A file with one JSON object a line; Optuna's `JournalFileBackend`.
public final class JournalFileBackend: Sendable {
    public let path: String
    private let lock: JournalFileLock

    /// - path: made if it is not there, unless `creates` is false.
    public init(_ path: String, lock: JournalFileLock? = nil, creates: Bool = true) throws {
        self.path = path
        self.lock = try lock ?? JournalFileLock(path)
        let descriptor = try open(creates ? O_RDONLY | O_CREAT : O_RDONLY)
        Glibc.close(descriptor)
    }

    /// Appends a line; it is on the disk when this returns.
    func append(_ log: JSONObject) throws {
        let text = JSONValue.object(log).json(
            .init(itemSeparator: ",", keySeparator: ":", escapesNonASCII: true))
        try lock.withLock {
            let descriptor = try open(O_RDWR | O_APPEND)
            defer { Glibc.close(descriptor) }
            try removeTornLine(descriptor)
            try write(Array((text + "\n").utf8), descriptor)
            if fsync(descriptor) != 0 { throw failed("sync") }
        }
    }

    /// The complete lines from a byte offset on.
    func read(from offset: Int) throws -> [UInt8] {
        let descriptor = try open(O_RDONLY)
        defer { Glibc.close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        if size < offset {
            throw TuningError.storage(url: path, problem: "the journal has become shorter")
        }
        var bytes = [UInt8](repeating: 0, count: size - offset)
        try read(&bytes, descriptor, at: offset)
        // A line that is being written, or whose writer was killed, does not count.
        let end = bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0
        bytes.removeLast(bytes.count - end)
        return bytes
    }

    private let newline = UInt8(ascii: "\n")

    private func open(_ flags: Int32) throws -> Int32 {
        // Nonblocking, as a pipe would wait for somebody at its other end.
        let descriptor = Glibc.open(path, flags | O_CLOEXEC | O_NONBLOCK, 0o666)
        if descriptor < 0 { throw failed("open") }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            Glibc.close(descriptor)
            throw TuningError.storage(url: path, problem: "the journal is no regular file")
        }
        return descriptor
    }

    /// Takes away what a killed writer left of its line: appended to, it would spoil the next one.
    private func removeTornLine(_ descriptor: Int32) throws {
        var size = Int(lseek(descriptor, 0, SEEK_END))
        let whole = size
        var byte: [UInt8] = [0]
        while size > 0 {
            try read(&byte, descriptor, at: size - 1)
            if byte[0] == newline { break }
            size -= 1
        }
        if size < whole, ftruncate(descriptor, size) != 0 { throw failed("repair") }
    }

    private func read(_ bytes: inout [UInt8], _ descriptor: Int32, at offset: Int) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                    offset + done)
            }
            if count == 0 { break }
            if count < 0 && errno != EINTR { throw failed("read") }
            done += max(count, 0)
        }
        bytes.removeLast(bytes.count - done)
    }

    private func write(_ bytes: [UInt8], _ descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            }
            if count < 0 && errno != EINTR { throw failed("write") }
            done += max(count, 0)
        }
    }

    private func failed(_ what: String) -> TuningError {
        .storage(url: path, problem: "can't \(what) the journal: \(systemError())")
    }
}
