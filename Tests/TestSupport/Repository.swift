// Where tests find what is not Swift: scripts, golden files, the real model, larger data.
// Used by the test targets alone.
package import Foundation

package enum Repository {
    /// The folder that holds Package.swift.
    package static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of the real all-MiniLM-L6-v2, which `make test` brings and names.
    package static let model: URL? = folder(ProcessInfo.processInfo.environment["ST_HOST_MODEL"])

    /// Larger real data beside the repository; not part of it.
    package static let sharedData: URL? = folder(
        root.deletingLastPathComponent().appending(path: "shared/data").path)

    /// A Python interpreter with the libraries that st-host follows, which `make test` names.
    package static let python: URL? = ProcessInfo.processInfo.environment["ST_HOST_PYTHON"]
        .flatMap { FileManager.default.isExecutableFile(atPath: $0) ? URL(filePath: $0) : nil }

    private static func folder(_ path: String?) -> URL? {
        var isFolder: ObjCBool = false
        guard let path, !path.isEmpty,
            FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        else { return nil }
        return URL(filePath: path, directoryHint: .isDirectory)
    }
}

/// A folder of a test's own; `remove()` takes it away with all that is in it.
package struct TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory
            .appending(path: "st-host-test-\(UUID().uuidString)", directoryHint: .isDirectory)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    package func remove() {
        try? FileManager.default.removeItem(at: url)
    }
}
