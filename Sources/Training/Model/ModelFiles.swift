// Small files of a model folder: JSON configurations read whole, everything written atomically.
import Glibc
import OrderedJSON

enum ModelFiles {
    /// `folder/name`, or the one when the other is empty: no folder is the current one, not "/".
    static func join(_ folder: String, _ name: String) -> String {
        if name.isEmpty { return folder }
        if folder.isEmpty { return name }
        return folder.hasSuffix("/") ? folder + name : folder + "/" + name
    }

    static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fileError(path, "can't be opened", errno) }
        defer { close(descriptor) }
        var status = stat()
        let size = fstat(descriptor, &status) == 0 ? max(Int(status.st_size), 0) : 0
        var failure: Int32 = 0
        // Most files have the size that the system says; one byte more shows that it was all.
        var bytes = [UInt8](unsafeUninitializedCapacity: min(size, 1 << 32) + 1) { buffer, count in
            while count < buffer.count {
                let more = Glibc.read(
                    descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                if more < 0, errno == EINTR { continue }
                if more < 0 { failure = errno }
                guard more > 0 else { return }
                count += more
            }
        }
        if failure != 0 { throw fileError(path, "can't be read", failure) }
        guard bytes.count > size else { return bytes }
        // A pipe, a device, or a file that grows.
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw fileError(path, "can't be read", errno)
            }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    static func readJSON(_ path: String) throws -> JSONValue {
        do {
            return try JSONValue.parse(utf8: read(path))
        } catch let error as JSONError {
            throw TrainingError.file(path: path, problem: "is not valid JSON (\(error))")
        }
    }

    /// The object in a JSON file.
    static func readObject(_ path: String) throws -> JSONObject {
        let value = try readJSON(path)
        guard let object = value.objectValue else {
            throw TrainingError.file(path: path, problem: "expected an object, found \(value.kind)")
        }
        return object
    }

    static func readText(_ path: String) throws -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String) throws {
        if path.isEmpty || isFolder(path) { return }
        let parent = path.split(separator: "/", omittingEmptySubsequences: true).dropLast()
        if !parent.isEmpty {
            try makeFolder((path.hasPrefix("/") ? "/" : "") + parent.joined(separator: "/"))
        }
        if mkdir(path, 0o777) != 0 && !isFolder(path) {
            throw fileError(path, "can't be made", errno)
        }
    }

    static func write(_ text: String, to path: String) throws {
        let bytes = Array(text.utf8)
        try writeAtomically(path) { writer in
            try bytes.withUnsafeBytes { try writer.write($0) }
        }
    }

    static func write(
        _ value: JSONValue, to path: String, indent: Int, sortsKeys: Bool = false,
        finalNewline: Bool = false
    ) throws {
        let text = value.json(.init(indent: indent, sortsKeys: sortsKeys))
        try write(text + (finalNewline ? "\n" : ""), to: path)
    }

    /// Writes beside the target, brings the bytes to the disk, then renames: a reader sees the old
    /// file or the new one, never half of one, and files mapped by running programs stay whole.
    static func writeAtomically(_ path: String, _ body: (FileWriter) throws -> Void) throws {
        let temporary = "\(path).tmp-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fileError(path, "can't be written", errno) }
        do {
            let writer = FileWriter(path: path, descriptor: descriptor)
            try body(writer)
            guard fsync(descriptor) == 0 else { throw fileError(path, "can't be written", errno) }
        } catch {
            close(descriptor)
            unlink(temporary)
            throw error
        }
        guard close(descriptor) == 0, rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw fileError(path, "can't be written", number)
        }
    }
}

/// An open file being written.
struct FileWriter {
    let path: String
    let descriptor: Int32

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let count = Glibc.write(descriptor, start, min(rest.count, 1 << 30))
            if count < 0 {
                if errno == EINTR { continue }
                throw fileError(path, "can't be written", errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
