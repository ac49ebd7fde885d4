// Small file operations with errors that name the path.
import Glibc

enum LocalFile {
    static func isFile(_ path: String) -> Bool { mode(path) == S_IFREG }
    static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

    private static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    /// The text of a small file, or nil when there is none that can be read.
    static func readSmall(_ path: String, limit: Int) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= limit {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes.count <= limit ? String(validating: bytes, as: UTF8.self) : nil
    }

    static func makeFolder(_ path: String) throws(HubError) {
        if path.isEmpty || isFolder(path) { return }
        if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        if mkdir(path, 0o777) != 0, !isFolder(path) { throw error(path, "can't be made", errno) }
    }

    /// Writes beside the target and renames, so that no reader sees half a file.
    static func writeSmall(_ text: String, to path: String) throws(HubError) {
        let temporary = "\(path).\(uniqueSuffix()).tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw error(path, "can't be written", errno) }
        var text = text
        let failure: Int32? = text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let count = write(descriptor, start, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return nil
        }
        let closed = close(descriptor)
        if let failure {
            unlink(temporary)
            throw error(path, "can't be written", failure)
        }
        guard closed == 0, rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw error(path, "can't be written", number)
        }
    }

    /// Eight hexadecimal digits.
    static func uniqueSuffix() -> String {
        let text = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    /// Names in a folder without "." and "..", sorted; nil when it can't be read.
    static func list(_ folder: String) -> [String]? {
        guard let stream = opendir(folder) else { return nil }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The paths of all files below a folder, relative to it; links to files count, those to
    /// folders are not followed. `limit` bounds what a wrong path (such as "/") costs.
    static func files(below folder: String, limit: Int = 1_000_000) -> [String] {
        var result: [String] = []
        var pending = [""]
        while let relative = pending.popLast(), result.count < limit {
            let path = relative.isEmpty ? folder : "\(folder)/\(relative)"
            var folders: [String] = []
            for name in list(path) ?? [] {
                let inner = relative.isEmpty ? name : "\(relative)/\(name)"
                var status = stat()
                guard lstat("\(folder)/\(inner)", &status) == 0 else { continue }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: folders.append(inner)
                case S_IFREG: result.append(inner)
                case S_IFLNK where isFile("\(folder)/\(inner)"): result.append(inner)
                default: break
                }
            }
            pending += folders.reversed()
        }
        return result.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    static func error(_ path: String, _ problem: String, _ number: Int32) -> HubError {
        if number == ENOSPC || number == EDQUOT {
            return .diskFull(path: path, needed: nil, free: freeSpace(path))
        }
        let hint =
            number == EACCES || number == EROFS || number == EPERM
            ? "choose another cache with HF_HOME or cache_folder" : nil
        return .file(
            path: path, problem: "\(problem): \(String(cString: strerror(number)))", hint: hint)
    }

    /// Bytes that a user may still write below the nearest folder that exists.
    static func freeSpace(_ path: String) -> Int? {
        var path = path
        while true {
            var status = statvfs()
            if statvfs(path.isEmpty ? "/" : path, &status) == 0 {
                let (bytes, overflow) = UInt(status.f_bavail)
                    .multipliedReportingOverflow(by: UInt(status.f_frsize))
                return overflow ? nil : Int(exactly: bytes)
            }
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
            path = String(path[..<slash])
        }
    }
}
