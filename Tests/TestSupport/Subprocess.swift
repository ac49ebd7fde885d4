// Runs the built st-host, or another program, as a user would: a process of its own, its output
// collected, its end classified. Used by ScriptTests and the end-to-end tests.
package import Foundation

package struct Subprocess {
    package struct Outcome {
        /// The exit status, or nil when a signal ended the process: a crash.
        package let status: Int32?
        package let output: String
        package let errors: String
    }

    package struct TimedOut: Error, CustomStringConvertible {
        package let description: String
    }

    package var program: URL
    package var arguments: [String] = []
    package var folder: URL
    /// Added to this process's environment, or put in place of its values.
    package var environment: [String: String] = [:]
    package var input = ""
    /// Seconds after which the process is ended and the test fails.
    package var limit: TimeInterval = 120

    package init(_ program: URL, _ arguments: [String] = [], in folder: URL) {
        self.program = program
        self.arguments = arguments
        self.folder = folder
    }

    /// The st-host that was built together with these tests.
    package static let host: URL = {
        let besideTests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "st-host")
        return FileManager.default.isExecutableFile(atPath: besideTests.path)
            ? besideTests : Repository.root.appending(path: ".build/release/st-host")
    }()

    package func run() throws -> Outcome {
        let files = try TemporaryFolder()
        defer { files.remove() }
        // Files and not pipes: a full pipe would stop the process for good.
        let inputFile = files.url.appending(path: "input")
        let outputFile = files.url.appending(path: "output")
        let errorFile = files.url.appending(path: "errors")
        try Data(input.utf8).write(to: inputFile)
        try Data().write(to: outputFile)
        try Data().write(to: errorFile)

        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment
            .merging(environment) { _, own in own }
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        process.standardError = try FileHandle(forWritingTo: errorFile)

        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let inTime = ended.wait(timeout: .now() + limit) == .success
        if !inTime {
            process.terminate()
            _ = ended.wait(timeout: .now() + 5)
        }
        let errors = String(decoding: try Data(contentsOf: errorFile), as: UTF8.self)
        guard inTime else {
            throw TimedOut(
                description: "\(program.lastPathComponent) \(arguments.joined(separator: " ")): "
                    + "ran longer than \(limit) s; standard error:\n\(errors)")
        }
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : nil,
            output: String(decoding: try Data(contentsOf: outputFile), as: UTF8.self),
            errors: errors)
    }
}
