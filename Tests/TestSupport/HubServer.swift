// A hub on loopback for one test: Server/hub_server.py in a process of its own, which ends with the
// test. What it serves, which faults it has and what it was asked are files in `folder`.
package import Foundation

package final class HubServer {
    /// Holds models/, datasets/, faults.json and requests.jsonl.
    package let folder: URL
    package let endpoint: String
    private let temporary: TemporaryFolder
    private let process = Process()
    private let input = Pipe()

    package struct NotStarted: Error {}

    package init() throws {
        temporary = try TemporaryFolder()
        folder = temporary.url.appending(path: "hub")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3",
            Repository.root.appending(path: "Tests/TestSupport/Server/hub_server.py").path,
            folder.path,
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = line.split(separator: " ").first.flatMap({ Int($0) }) else {
            throw NotStarted()
        }
        endpoint = "http://127.0.0.1:\(port)"
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.terminate()
        process.waitUntilExit()
        temporary.remove()
    }

    /// A file of a repository, such as "models/org/name/main/config.json".
    package func put(_ path: String, _ content: Data) throws {
        let file = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: file)
    }

    package func put(_ path: String, _ content: String) throws {
        try put(path, Data(content.utf8))
    }

    /// A folder of files, as a revision of a repository.
    package func put(_ path: String, folder source: URL) throws {
        let target = folder.appending(path: path)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: source, to: target)
    }

    /// What goes wrong from now on; the server's head lists the names.
    package func setFaults(_ json: String) throws {
        try Data(json.utf8).write(to: folder.appending(path: "faults.json"), options: .atomic)
    }

    package struct Request: Decodable {
        package let method: String
        package let path: String
        /// Whether the storage server was asked, and not the hub.
        package let storage: Bool
        package let token: String
        package let range: String
    }

    package func requests() throws -> [Request] {
        let file = folder.appending(path: "requests.jsonl")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode(Request.self, from: Data($0.utf8))
        }
    }

    package func forgetRequests() throws {
        try Data().write(to: folder.appending(path: "requests.jsonl"))
    }
}
