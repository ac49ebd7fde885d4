// The scripts that users run first, through the built st-host, on a tiny model: scripts/sweep.lua,
// scripts/hpo_nli.lua, and the one in the README.
import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct ShippedScriptTests {
    private static let tinyModel = Repository.root
        .appending(path: "Tests/TrainingTests/Golden/model/bert").path
    private static let data = Repository.root.appending(path: "scripts/data")

    @Test func `a sweep prints its scores and leaves the best model, the same each time`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        func sweep(_ output: String) throws -> [Substring] {
            let text = try run(
                script("sweep.lua"),
                ["--model", Self.tinyModel, "--n_trials", "2", "--output", output], in: work)
            return text.replacing(output, with: "OUTPUT").split(separator: "\n")
        }
        let lines = try sweep("first")
        try #require(lines.count == 5, "\(lines)")
        #expect(lines[0].hasPrefix("untouched "))
        #expect(lines[1].hasPrefix("default arguments "))
        #expect(lines[2].hasPrefix("BestRun(run_id='"))
        #expect(lines[3].hasPrefix("best trial "))
        // The model that was saved scores what its trial scored.
        let objective = try #require(
            lines[2].firstMatch(of: /objective=(-?[0-9.]+)/).flatMap { Double($0.1) })
        let reloaded = try #require(
            lines[3].firstMatch(of: /spearman_cosine (-?[0-9.]+)/).flatMap { Double($0.1) })
        #expect(abs(objective - reloaded) <= 0.5e-4)
        #expect(try sweep("second") == lines)
    }

    @Test func `the documentation's example runs on files`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let text = try run(
            script("hpo_nli.lua"),
            [
                "--model", Self.tinyModel, "--train", Self.data.appending(path: "train.jsonl").path,
                "--sts", Self.data.appending(path: "dev.jsonl").path, "--rows", "200",
                "--n_trials", "2",
            ], in: work)
        #expect(text.hasPrefix("BestRun(run_id='"))
        for name in [
            "num_train_epochs", "per_device_train_batch_size", "warmup_steps", "learning_rate",
        ] {
            #expect(text.contains("'\(name)': "))
        }
    }

    @Test func `the README's script runs`() throws {
        let readme = try String(
            contentsOf: Repository.root.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(readme.firstMatch(of: /```lua\n((?:.|\n)*?)```/)).1
        let work = try TemporaryFolder()
        defer { work.remove() }
        let file = work.url.appending(path: "readme.lua")
        try String(block)
            .replacing("scripts/data/", with: Self.data.path + "/")
            .replacing(".models/all-MiniLM-L6-v2", with: Self.tinyModel)
            .write(to: file, atomically: true, encoding: .utf8)
        #expect(try run(file, [], in: work).hasPrefix("BestRun(run_id='"))
        #expect(
            FileManager.default.fileExists(
                atPath: work.url.appending(path: "out/best/modules.json").path))
    }

    private func script(_ name: String) -> URL {
        Repository.root.appending(path: "scripts/\(name)")
    }

    /// What the script prints; it must end with status 0.
    private func run(
        _ script: URL, _ arguments: [String], in work: TemporaryFolder
    ) throws -> String {
        let outcome = try Subprocess(
            Subprocess.host, [script.path] + arguments, in: work.url
        ).run()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }
}
