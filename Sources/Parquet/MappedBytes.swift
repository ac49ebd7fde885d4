import Glibc

/// The bytes of a file mapped into memory, or of an array; they do not change.
final class MappedBytes: Sendable {
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    /// Maps a file.
    init(path: String) throws(ParquetError) {
        func problem(_ text: String, _ code: Int32) -> ParquetError {
            ParquetError(path: path, problem: "\(text): \(String(cString: strerror(code)))")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw problem("can't be opened", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw problem("can't be read", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw ParquetError(path: path, problem: "is not a file")
        }
        guard let size = Int(exactly: status.st_size), size > 0 else {
            throw ParquetError(
                path: path, problem: "the file is empty",
                hint: "check that it was written completely")
        }
        guard let memory = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
            memory != MAP_FAILED
        else { throw problem("can't be mapped", errno) }
        bytes = UnsafeRawBufferPointer(start: memory, count: size)
    }

    /// Maps memory of its own with a copy of `contents`.
    init(contents: UnsafeRawBufferPointer) throws(ParquetError) {
        let size = max(contents.count, 1)
        guard
            let memory = mmap(
                nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            memory != MAP_FAILED
        else { throw ParquetError(path: "memory", problem: "no memory for \(size) bytes") }
        if let source = contents.baseAddress {
            memory.copyMemory(from: source, byteCount: contents.count)
        }
        bytes = UnsafeRawBufferPointer(start: memory, count: contents.count)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), max(bytes.count, 1))
    }
}
