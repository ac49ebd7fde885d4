import CZip
import Glibc

/// libzip, opened once. Unchecked: a table of functions that never changes.
private struct ZipLibrary: @unchecked Sendable {
    let table: UnsafePointer<st_zip>

    static let shared = Result<ZipLibrary, any Error> {
        let table = UnsafeMutablePointer<st_zip>.allocate(capacity: 1)
        table.initialize(to: st_zip())
        guard st_zip_open(table) else {
            table.deallocate()
            let reason = dlerror().map { String(cString: $0) } ?? "a function is missing"
            throw CompressionError("libzip can't be used: \(reason); install libzip4")
        }
        return ZipLibrary(table: UnsafePointer(table))
    }
}

/// The files in a zip archive. Nothing is written to the disk, so their names can do no harm.
/// Belongs to one thread.
public final class ZipArchive {
    private let zip: UnsafePointer<st_zip>
    private let archive: OpaquePointer

    /// Whether a file starts like a zip archive.
    public static func isArchive(firstBytes bytes: some Collection<UInt8>) -> Bool {
        bytes.starts(with: [0x50, 0x4b, 0x03, 0x04])
            || bytes.starts(with: [0x50, 0x4b, 0x05, 0x06])
    }

    public init(path: String) throws {
        let zip = try ZipLibrary.shared.get().table
        self.zip = zip
        var code: Int32 = 0
        guard let archive = zip.pointee.open(path, ZIP_RDONLY, &code) else {
            var error = zip_error_t()
            zip.pointee.error_init_with_code(&error, code)
            defer { zip.pointee.error_fini(&error) }
            throw CompressionError(
                "is no zip archive that can be read ("
                    + Self.text(zip.pointee.error_strerror(&error)) + ")")
        }
        self.archive = archive
    }

    deinit { zip.pointee.discard(archive) }

    /// The names of the files, without folders, in the archive's order.
    public func names() throws -> [String] {
        try entries().map(\.name)
    }

    private func entries() throws -> [(name: String, index: UInt64)] {
        var result: [(name: String, index: UInt64)] = []
        let count = max(zip.pointee.get_num_entries(archive, 0), 0)
        for index in 0..<UInt64(count) {
            var status = zip_stat_t()
            guard zip.pointee.stat_index(archive, index, 0, &status) == 0, let name = status.name
            else {
                throw CompressionError(
                    "is damaged (\(Self.text(zip.pointee.strerror(archive))))")
            }
            let text = String(cString: name)
            if !text.hasSuffix("/") { result.append((text, index)) }
        }
        return result
    }

    private static func text(_ message: UnsafePointer<CChar>?) -> String {
        message.map { String(cString: $0) } ?? "unknown error"
    }

    /// The content of the file of that name; its checksum is compared.
    public func read(_ name: String, limit: Int) throws -> [UInt8] {
        guard let entry = try entries().first(where: { $0.name == name }) else {
            throw CompressionError("holds no file '\(name)'")
        }
        guard let file = zip.pointee.fopen_index(archive, entry.index, 0) else {
            throw CompressionError(Self.text(zip.pointee.strerror(archive)))
        }
        defer { _ = zip.pointee.fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = zip.pointee.fread(file, &buffer, UInt64(buffer.count))
            if count == 0 { return bytes }
            guard count > 0 else {
                throw CompressionError(
                    "is damaged (\(Self.text(zip.pointee.file_strerror(file))))")
            }
            guard bytes.count + Int(count) <= limit else { throw CompressionError.tooLarge(limit) }
            bytes.append(contentsOf: buffer[..<Int(count)])
        }
    }
}
