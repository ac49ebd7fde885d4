// A PostgreSQL server that the tests start for themselves; Server/postgresql.sh does the work.
import Foundation

package struct PostgreSQLServer: Sendable {
    private let folder: URL
    private let port: Int

    /// One for all tests of this process; nil where no server is installed.
    package static let shared: PostgreSQLServer? = try? PostgreSQLServer()

    /// A further one, for a test that stops it.
    package init() throws {
        // A short path: that of a socket lies in it.
        folder = URL(filePath: "/tmp/st-pg-\(UUID().uuidString.prefix(8))")
        var lastError: (any Error)?
        for _ in 0..<5 {
            let port = Int.random(in: 20_000..<60_000)
            do {
                try Self.run(["start", folder.path, "\(port)", "\(getpid())"])
                self.port = port
                return
            } catch {
                // The port may be somebody's.
                lastError = error
                try? FileManager.default.removeItem(at: folder)
            }
        }
        throw lastError ?? CocoaError(.featureUnsupported)
    }

    /// Makes an empty database and returns its URL, with a password that needs encoding.
    package func makeDatabase() throws -> String {
        let name = "t" + UUID().uuidString.lowercased().prefix(8)
        try Self.run(["createdb", folder.path, "\(port)", name])
        return "postgresql://st:secret%2Fp%40ss@127.0.0.1:\(port)/\(name)"
    }

    /// Stops the server as a crash would, and starts it again.
    package func restart() throws { try Self.run(["restart", folder.path]) }

    package func stop() throws { try Self.run(["stop", folder.path]) }

    private static func run(_ arguments: [String]) throws {
        let script = Repository.root.appending(path: "Tests/TestSupport/Server/postgresql.sh")
        let outcome = try Subprocess(
            script, arguments, in: FileManager.default.temporaryDirectory
        ).run()
        guard outcome.status == 0 else {
            throw Subprocess.TimedOut(description: "\(arguments): \(outcome.errors)")
        }
    }
}
