// Memory straight from the kernel: file mappings for weights, zero pages for gradients, optimizer
// state and activations.
import CKernels
import Glibc

/// A block of memory made by mmap and given back when the object goes.
package final class MemoryRegion: @unchecked Sendable {
    package let base: UnsafeMutableRawPointer
    package let count: Int
    private let isFile: Bool

    private init(base: UnsafeMutableRawPointer, count: Int, isFile: Bool) {
        self.base = base
        self.count = count
        self.isFile = isFile
    }

    deinit { munmap(base, count) }

    /// Zero bytes; a page that is never touched costs nothing.
    ///
    /// `hugePages` asks for large pages, which suits buffers that are used as a whole.
    package static func zeroed(bytes: Int, hugePages: Bool = false) throws -> MemoryRegion {
        let count = max(bytes, 1)
        let address = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let base = address, base != MAP_FAILED else {
            throw TrainingError.model(
                problem: "no memory for \(count) bytes (\(systemErrorText(errno)))",
                hint: "use a smaller batch size, a smaller max_seq_length or fewer jobs")
        }
        if hugePages { madvise(base, count, MADV_HUGEPAGE) }
        return MemoryRegion(base: base, count: count, isFile: false)
    }

    /// Zeros for `count` floats.
    package static func zeroed(floats count: Int, hugePages: Bool = false) throws -> MemoryRegion {
        let (bytes, overflow) = max(count, 0).multipliedReportingOverflow(by: 4)
        guard !overflow else {
            throw TrainingError.model(problem: "a buffer of \(count) numbers is too large")
        }
        return try zeroed(bytes: bytes, hugePages: hugePages)
    }

    /// The content of a file. Writing changes this mapping alone, page by page, never the file:
    /// everybody who maps the file shares the pages nobody has written to.
    ///
    /// The file may be replaced by renaming while it is mapped, but not cut short in place.
    package static func mappedFile(_ path: String) throws -> MemoryRegion {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileError(path, "can't be opened", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw fileError(path, "can't be examined", errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TrainingError.file(path: path, problem: "is not a regular file")
        }
        guard let count = Int(exactly: status.st_size), count > 0 else {
            throw TrainingError.file(path: path, problem: "is empty", hint: "fetch it again")
        }
        let address = mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor, 0)
        guard let base = address, base != MAP_FAILED else {
            throw fileError(path, "can't be mapped", errno)
        }
        return MemoryRegion(base: base, count: count, isFile: true)
    }

    /// Lets go of a file's bytes that were read and not written to: they no longer count as this
    /// process's memory, and are read from the file again should somebody look. Does nothing to
    /// memory that is no file.
    package func letGo(_ bytes: Range<Int>) {
        guard isFile else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (bytes.lowerBound + page - 1) / page * page
        let end = bytes.upperBound / page * page
        // Neighbours on the first and the last page may be written to.
        guard start < end else { return }
        madvise(base + start, end - start, MADV_DONTNEED)
    }

    /// Gives memory back that freed objects have left between those that stay.
    package static func returnFreed() { st_return_freed() }

    package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}

/// The C library's words for an error number.
func systemErrorText(_ number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    return String(cString: text)
}

/// "'path': can't be opened (No such file or directory)".
func fileError(_ path: String, _ what: String, _ number: Int32) -> TrainingError {
    .file(path: path, problem: "\(what) (\(systemErrorText(number)))")
}
