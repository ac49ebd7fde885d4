// Files that rows are read from: as they are, packed by gzip, zstd, bzip2 or xz, or in a zip archive.
import Compression
import Glibc

/// A data file by its path, or `ARCHIVE.zip::MEMBER` for one inside an archive.
enum DataFile {
    /// All bytes, unpacked: what a file is follows from its first bytes and not from its name.
    static func read(_ path: String) throws -> [UInt8] {
        do {
            if let (archive, member) = parts(path) {
                return try ZipArchive(path: archive).read(member, limit: limit)
            }
            let bytes = try ModelFiles.read(path)
            guard let format = CompressedData(firstBytes: bytes.prefix(8)) else { return bytes }
            return try format.unpack(bytes, limit: limit)
        } catch let error as CompressionError {
            throw TrainingError.file(path: path, problem: "\(error)")
        }
    }

    /// The files that a path stands for: those in an archive, otherwise itself.
    static func expand(_ path: String) throws -> [String] {
        guard ModelFiles.isFile(path), ZipArchive.isArchive(firstBytes: try firstBytes(path)) else {
            return [path]
        }
        return try members(path).map { "\(path)::\($0)" }
    }

    /// The names of the files in an archive, without hidden ones and what macOS adds, sorted; none
    /// for a file that is no archive.
    package static func members(_ path: String) throws -> [String] {
        guard ModelFiles.isFile(path), ZipArchive.isArchive(firstBytes: try firstBytes(path)) else {
            return []
        }
        do {
            return try ZipArchive(path: path).names().filter { name in
                !name.split(separator: "/").contains { $0.hasPrefix(".") || $0.hasPrefix("__") }
            }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch let error as CompressionError {
            throw TrainingError.file(path: path, problem: "\(error)")
        }
    }

    /// The file on the disk that a path leads to.
    static func onDisk(_ path: String) -> String { parts(path)?.archive ?? path }

    private static func parts(_ path: String) -> (archive: String, member: String)? {
        guard !ModelFiles.isFile(path), let separator = path.firstRange(of: "::") else {
            return nil
        }
        return (String(path[..<separator.lowerBound]), String(path[separator.upperBound...]))
    }

    private static func firstBytes(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileError(path, "can't be opened", errno) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return Array(bytes.prefix(max(count, 0)))
    }

    /// Half of the machine's memory: what unpacks to more could not be held as rows, either.
    private static let limit: Int = {
        let (bytes, overflow) = sysconf(Int32(_SC_PHYS_PAGES))
            .multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
        return overflow || bytes <= 0 ? 1 << 32 : bytes / 2
    }()
}

/// The names of the files in a zip archive; none for a file that is no archive.
public func archiveMembers(_ path: String) throws -> [String] { try DataFile.members(path) }
