// `st-host test`: finds test files, runs them here or in processes of their own, reports.

import ArgumentParser
import FoundationEssentials
import Glibc
import LuaBridge
import OrderedJSON
import Training

struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "st-host test",
        abstract: "Runs the tests in files named *_test.lua.",
        discussion: """
            Each file runs in a fresh Lua state with describe, it, before_each, after_each, \
            pending, assert_equal(expected, actual), assert_close(expected, actual, { atol, rtol }) \
            and assert_error(function, text). The last line says how many passed and failed; the \
            exit status is 1 when a test failed.
            """)

    @Argument(
        help: "Files, or folders to look through; the current one by default.",
        completion: .file(extensions: ["lua"]))
    var paths: [String] = []

    @Option(help: ArgumentHelp("Only tests whose name matches.", valueName: "LUA-PATTERN"))
    var filter: String?

    @Option(help: "Files that run side by side, each in a process of its own.")
    var jobs = 1

    @Option(help: "plain, tap or junit.", completion: .list(["plain", "tap", "junit"]))
    var format = "plain"

    @Option(
        help: ArgumentHelp("Write the report there, plain lines here.", valueName: "FILE"),
        completion: .file())
    var output: String?

    @Option(help: "Seed before each test: of math.random, samplers and shuffles.")
    var seed = 0

    @Flag(help: "Also fix times, clocks and log lines, and run trials one at a time.")
    var deterministic = false

    /// What a child process is asked to do: write results there, print no report.
    @Option(help: .hidden)
    var results: String?

    mutating func validate() throws {
        guard jobs >= 1, jobs <= 256 else { throw ValidationError("--jobs: must be 1 to 256") }
        guard TestReport.Format(rawValue: format) != nil else {
            throw ValidationError("--format: expected plain, tap or junit, got '\(format)'")
        }
    }

    static func main(_ words: [String]) -> ExitStatus {
        do {
            return try parse(words).execute()
        } catch let error as HostError {
            Program.writeError("\(error)")
            return .usage
        } catch let error as TrainingError {
            // A report that can't be written.
            Program.writeError("test: \(error)")
            return .failure
        } catch {
            let message = fullMessage(for: error)
            guard exitCode(for: error).isSuccess else {
                Program.writeError(message)
                return .usage
            }
            print(message)
            return .done
        }
    }

    private func execute() throws -> ExitStatus {
        var settings = TestSettings()
        settings.seed = seed
        settings.filter = filter
        settings.isDeterministic = deterministic
        if deterministic { HostSession.fixTimeZone() }
        if let filter { try check(filter) }
        let files = try findFiles()
        if let results {
            let run = TestFile.runAll(files, settings)
            let text = JSONValue.array(run.results.map(\.json)).json()
            try TextFile.write(text, to: results)
            return run.isInterrupted ? .interrupted : .done
        }
        // A report for programs stands alone in standard output.
        let isMixed = output == nil && TestReport.Format(rawValue: format) != .plain
        let (found, isInterrupted) = try Streams.redirectingOutput(isMixed) {
            jobs == 1 || files.count < 2
                ? TestFile.runAll(files, settings) : (try runInProcesses(files), false)
        }
        try report(found)
        if isInterrupted { return .interrupted }
        return found.contains { $0.outcome == .failed } ? .failure : .done
    }

    private func report(_ results: [TestResult]) throws {
        let format = TestReport.Format(rawValue: format) ?? .plain
        var shown = format
        if let output {
            try TextFile.write(TestReport.text(results, format), to: output)
            shown = .plain
        }
        Streams.writeOutput(TestReport.text(results, shown))
        let last = TestReport.lastLine(results)
        // XML ends where it ends.
        if shown == .junit { Program.writeError(last) } else { Streams.writeOutput(last + "\n") }
    }

    /// A pattern that is none would fail every test.
    private func check(_ filter: String) throws {
        do {
            let find: LuaFunction = try LuaState().run("return string.find")
            _ = try find.call("", filter)
        } catch let error as LuaError {
            throw HostError.usage("test: --filter '\(filter)': \(error)")
        }
    }

    // MARK: - Files

    private func findFiles() throws -> [String] {
        var files: [String] = []
        for path in paths.isEmpty ? ["."] : paths {
            var isFolder = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw HostError.usage("test: there is no '\(path)'")
            }
            guard isFolder else {
                files.append(path)
                continue
            }
            let inside = try FileManager.default.subpathsOfDirectory(atPath: path)
                .filter { name in
                    name.hasSuffix("_test.lua")
                        && !name.split(separator: "/").contains { $0.hasPrefix(".") }
                }.sorted()
            files += inside.map {
                path == "." ? $0 : path.hasSuffix("/") ? path + $0 : "\(path)/\($0)"
            }
        }
        guard !files.isEmpty else {
            throw HostError.usage(
                "test: no file named *_test.lua in \(paths.isEmpty ? "." : paths.joined(separator: ", "))"
            )
        }
        var seen: Set<String> = []
        return files.filter { seen.insert($0).inserted }
    }

    // MARK: - Processes

    /// A crash or an `os.exit` of one file ends only its process. What it printed appears when it is
    /// done, in the order of the files.
    private func runInProcesses(_ files: [String]) throws -> [TestResult] {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "st-host-test-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var running: [pid_t: Int] = [:]
        var ended: [Int: Int32] = [:]
        var next = 0
        while next < files.count || !running.isEmpty {
            while next < files.count, running.count < jobs {
                running[try start(files[next], number: next, in: folder)] = next
                next += 1
            }
            var status: Int32 = 0
            let child = waitpid(-1, &status, 0)
            if let number = running.removeValue(forKey: child) {
                ended[number] = status
            } else if child < 0, errno != EINTR {
                break
            }
        }
        return files.indices.flatMap { i -> [TestResult] in
            let printed = try? String(
                contentsOf: folder.appending(path: "\(i).out"), encoding: .utf8)
            Streams.writeOutput(printed ?? "")
            if let data = try? Data(contentsOf: folder.appending(path: "\(i).json")),
                case .array(let list)? = try? JSONValue.parse(utf8: [UInt8](data))
            {
                return list.compactMap(TestResult.init)
            }
            let status = ended[i] ?? 0
            let signal = status & 0x7f
            let reason =
                signal != 0
                ? "the process was ended by signal \(signal)"
                : "the process ended with status \(status >> 8 & 0xff) before its tests did"
            return [
                TestResult(
                    file: files[i], name: files[i], outcome: .failed, message: reason, seconds: 0)
            ]
        }
    }

    private func start(_ file: String, number: Int, in folder: URL) throws -> pid_t {
        var words = ["st-host", "test", "--seed=\(seed)"]
        if let filter { words.append("--filter=\(filter)") }
        if deterministic { words.append("--deterministic") }
        words.append("--results=\(folder.appending(path: "\(number).json").path)")
        words += ["--", file]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let output = folder.appending(path: "\(number).out").path
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        let status = posix_spawn(&child, "/proc/self/exe", &actions, nil, arguments, environ)
        guard status == 0 else {
            throw HostError.usage(
                "test: no process for \(file): \(String(cString: strerror(status)))")
        }
        return child
    }
}
