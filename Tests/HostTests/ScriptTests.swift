// Runs every script of Scripts/ through the built st-host, each in a folder of its own that holds
// the model and data files of ScriptFixtures.
//
//   Scripts/ok/X.lua        checks itself with assert and must exit 0; X.stdout, where there is
//                           one, is what it must print
//   Scripts/refused/X.lua   must exit 1 with the one line of X.stderr, which names the place
//
// RECORD_SNAPSHOTS=1 writes the .stderr and .stdout files anew: read them before they are committed.
import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct ScriptTests {
    private static let scripts = Repository.root.appending(path: "Tests/HostTests/Scripts")
    private static let isRecording = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1"

    @Test(arguments: try names(in: "ok"))
    func `a right script exits with 0`(name: String) throws {
        let outcome = try run(name, in: "ok")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let snapshot = Self.scripts.appending(path: "ok/\(name).stdout")
        if FileManager.default.fileExists(atPath: snapshot.path) {
            try compare(outcome.output, with: snapshot)
        }
    }

    @Test(arguments: try names(in: "refused"))
    func `a wrong script is refused in one line that names its place`(name: String) throws {
        let outcome = try run(name, in: "refused")
        #expect(outcome.status == 1, "it must fail with status 1, not crash: \(outcome.errors)")
        let message = try #require(
            Self.message(outcome.errors), "nothing on standard error")
        #expect(
            message.contains(try Regex(#"\b\#(name)\.lua:\d+: "#)),
            "the line does not name the script's place: \(outcome.errors)")
        try compare(message + "\n", with: Self.scripts.appending(path: "refused/\(name).stderr"))
    }

    @Test func `at least 100 wrong scripts are kept`() throws {
        #expect(try Self.names(in: "refused").count >= 100)
    }

    @Test func `every wrong script leaves the REPL alive, with the same message`() throws {
        let names = try Self.names(in: "refused")
        let work = try TemporaryFolder()
        defer { work.remove() }
        var lines = ""
        for name in names {
            let script = try String(
                contentsOf: Self.scripts.appending(path: "refused/\(name).lua"), encoding: .utf8)
            let folder = work.url.appending(path: name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // Scripts name their files relative to where they are; the REPL stays where it is.
            let moved = script.replacing(/"(data|models|out)([\/"])/) {
                "\"\(name)/\($0.1)\($0.2)"
            }
            try ScriptFixtures.write(to: folder, for: script)
            try moved.write(
                to: work.url.appending(path: "\(name).lua"), atomically: true, encoding: .utf8)
            lines += "dofile('\(name).lua')\nio.stderr:write('== \(name)\\n')\n"
        }
        lines += "print('alive')\n"
        var process = Subprocess(Subprocess.host, ["-i"], in: work.url)
        process.environment = ["HF_HUB_OFFLINE": "1", "HF_HOME": "hf", "HF_HUB_CACHE": ""]
        process.input = lines
        let outcome = try process.run()
        #expect(outcome.status == 0)
        #expect(outcome.output.hasSuffix("alive\n"))
        var rest = outcome.errors[...]
        for name in names {
            let end = try #require(rest.range(of: "== \(name)\n"), "\(name) ended the REPL")
            let part = String(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
            let kept = try String(
                contentsOf: Self.scripts.appending(path: "refused/\(name).stderr"),
                encoding: .utf8)
            let message = part.replacing("\(name)/", with: "")
            #expect(
                message.contains(kept.trimmingCharacters(in: .newlines)),
                "\(name) says in the REPL: \(part)")
        }
    }

    /// The line that stands before the last traceback (the log of a failed trial has one, too), or
    /// the last line where there is none.
    private static func message(_ errors: String) -> String? {
        let lines = errors.split(separator: "\n", omittingEmptySubsequences: false)
        if let traceback = lines.lastIndex(of: "stack traceback:"), traceback > 0 {
            return String(lines[traceback - 1])
        }
        return lines.last { !$0.isEmpty }.map(String.init)
    }

    private static func names(in folder: String) throws -> [String] {
        try FileManager.default
            .contentsOfDirectory(atPath: scripts.appending(path: folder).path)
            .filter { $0.hasSuffix(".lua") }
            .map { String($0.dropLast(".lua".count)) }
            .sorted()
    }

    private func run(_ name: String, in folder: String) throws -> Subprocess.Outcome {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let script = try String(
            contentsOf: Self.scripts.appending(path: "\(folder)/\(name).lua"), encoding: .utf8)
        try ScriptFixtures.write(to: work.url, for: script)
        // Beside the fixtures, so that messages name 'X.lua' and not a machine's path.
        try script.write(
            to: work.url.appending(path: "\(name).lua"), atomically: true, encoding: .utf8)
        var process = Subprocess(Subprocess.host, ["\(name).lua"], in: work.url)
        // Without network, and with a cache of its own.
        process.environment = ["HF_HUB_OFFLINE": "1", "HF_HOME": "hf", "HF_HUB_CACHE": ""]
        return try process.run()
    }

    private func compare(_ text: String, with snapshot: URL) throws {
        if Self.isRecording {
            try text.write(to: snapshot, atomically: true, encoding: .utf8)
            return
        }
        let expected = try #require(
            try? String(contentsOf: snapshot, encoding: .utf8),
            "no \(snapshot.lastPathComponent); RECORD_SNAPSHOTS=1 writes it")
        #expect(text == expected)
    }
}
