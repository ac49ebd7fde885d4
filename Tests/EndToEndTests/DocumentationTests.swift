// Every Lua example of the README and of docs/ runs: the blocks of a page one after the other, as one
// script, on small data and a tiny model.

import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct DocumentationTests {
    private static let docs = Repository.root.appending(path: "docs")

    /// Pages with Lua, without those that are generated.
    private static let pages: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: docs.path)) ?? []
        return names.filter { $0.hasSuffix(".md") && $0 != "lua-reference.md" }
            .filter { (try? blocks($0).isEmpty) == false }.sorted()
    }()

    private static func blocks(_ page: String) throws -> [String] {
        let text = try String(contentsOf: docs.appending(path: page), encoding: .utf8)
        return text.matches(of: /```lua\n((?:.|\n)*?)```/).map { String($0.1) }
    }

    /// What a page takes as given: a model, data, names of earlier pages.
    private static let given = """
        local st, datasets = require "sentence_transformers", require "datasets"
        local model = st.SentenceTransformer("tiny")
        local train = datasets.load_dataset("json", { data_files = "pairs.jsonl", split = "train" })
        local dev_evaluator = st.evaluation.EmbeddingSimilarityEvaluator{ name = "sts-dev",
          sentences1 = { "a", "b", "c" }, sentences2 = { "b", "c", "a" }, scores = { 1, 0, 0.5 } }

        """

    @Test func `the pages with examples are found`() {
        #expect(Self.pages.count >= 6, "\(Self.pages)")
        #expect(Self.pages.contains("tour.md") && Self.pages.contains("from-python.md"))
    }

    @Test(arguments: pages) func `the examples of a page run`(page: String) throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        try FileManager.default.copyItem(
            at: Repository.root.appending(path: "Tests/TrainingTests/Golden/model/bert"),
            to: work.url.appending(path: "tiny"))
        var rows = ""
        for i in 1...40 {
            rows += "{\"anchor\": \"a big cat \(i)\", \"positive\": \"the cat is big\"}\n"
        }
        try Data(rows.utf8).write(to: work.url.appending(path: "pairs.jsonl"))

        // A page about fixtures is one, and the tour makes everything itself.
        let isFixture = page == "testing.md"
        let blocks = try Self.blocks(page).map(Self.runnable)
        let script =
            (isFixture || page == "tour.md" ? "" : Self.given)
            + blocks.joined(separator: "\n")
        let file = isFixture ? "page_test.lua" : "page.lua"
        try script.write(
            to: work.url.appending(path: file), atomically: true, encoding: .utf8)
        let outcome = try Subprocess(
            Subprocess.host, (isFixture ? ["test"] : []) + [file], in: work.url
        ).run()
        #expect(outcome.status == 0, "\(page): \(outcome.errors)\(outcome.output)")
        if page == "tour.md" {
            #expect(outcome.output.contains("TrainOutput(global_step=2, training_loss="))
            #expect(outcome.output.contains("BestRun(run_id='"))
        }
    }

    /// The lines of docs/*.md that a user could type, one after the other in a folder with what
    /// they name.
    @Test func `the command lines run`() throws {
        let work = try TemporaryFolder()
        defer { work.remove() }
        let files = [
            "script.lua": "return 1",
            "study.lua": """
            local optuna = require "optuna"
            local function objective(trial) return trial:suggest_float("x", 0, 1) end
            for _, place in ipairs{ { "q", "study.db" }, { "tour", "out/study.db" } } do
              optuna.create_study{ study_name = place[1], storage = "sqlite:///" .. place[2] }
                :optimize(objective, { n_trials = 2 })
            end
            """,
            "a_test.lua": "it('works', function() end)",
        ]
        for name in [
            "data", "out", "docs", ".zfunc", ".config/fish/completions",
            ".local/share/bash-completion/completions",
        ] {
            try FileManager.default.createDirectory(
                at: work.url.appending(path: name), withIntermediateDirectories: true)
        }
        for (name, text) in files {
            try Data(text.utf8).write(to: work.url.appending(path: name))
        }
        #expect(try Subprocess(Subprocess.host, ["study.lua"], in: work.url).run().status == 0)
        var count = 0
        for page in try FileManager.default.contentsOfDirectory(atPath: Self.docs.path).sorted()
        where page.hasSuffix(".md") {
            let text = try String(contentsOf: Self.docs.appending(path: page), encoding: .utf8)
            let lines =
                text.matches(of: /(?m)^ {4}(st-host .*)$/).map { String($0.1) }
                + text.matches(of: /`(st-host [^`A-Z]*[a-z0-9'])`/).map { String($0.1) }
            for line in lines where !line.contains("scripts/") {
                var process = Subprocess(
                    URL(filePath: "/bin/bash"), ["-ec", line], in: work.url)
                let folder = Subprocess.host.deletingLastPathComponent().path
                process.environment = ["PATH": "\(folder):/usr/bin:/bin", "HOME": work.url.path]
                let outcome = try process.run()
                // `st-host study` and its like show what they take.
                let isBare = line.split(separator: " ").count < 4 && outcome.status == 2
                #expect(outcome.status == 0 || isBare, "\(page): \(line): \(outcome.errors)")
                count += 1
            }
        }
        #expect(count >= 15)
    }

    /// Names of the hub become the tiny model and small files; a line that only shows values, as the
    /// REPL takes it, is computed.
    private static func runnable(_ block: String) -> String {
        var text = block
        for name in ["sentence-transformers/all-MiniLM-L6-v2", "distilbert-base-uncased"] {
            text = text.replacing("\"\(name)\"", with: "\"tiny\"")
        }
        text = text.replacing(
            "load_dataset(\"sentence-transformers/all-nli\", \"triplet\", { split",
            with: "load_dataset(\"json\", { data_files = \"pairs.jsonl\", split")
        // { ... } stands for texts.
        text = text.replacing("{ ... }", with: "{ \"a\", \"b\" }").replacing(", ... }", with: " }")
        text = text.replacing("n_trials = 20", with: "n_trials = 2")
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.wholeMatch(of: /(m[ .:].*?|datasets\.Dataset.*?)( +--.*)?/).map {
                "do local _ = { \($0.1) } end"
            } ?? String(line)
        }.joined(separator: "\n")
    }
}
