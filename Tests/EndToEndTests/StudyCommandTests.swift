// `st-host study` beside Optuna's own command line: the same rows from the same database.

import Foundation
import TestSupport
import Testing

struct StudyCommandTests {
    private let work: TemporaryFolder
    private var url: String { "sqlite:///" + work.url.appending(path: "study.db").path }

    init() throws { work = try TemporaryFolder() }

    private func host(_ arguments: [String]) throws -> Subprocess.Outcome {
        try Subprocess(Subprocess.host, arguments, in: work.url).run()
    }

    private func study(_ arguments: [String]) throws -> String {
        let outcome = try host(["study"] + arguments)
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome.output
    }

    private func optuna(_ arguments: [String]) throws -> String {
        let python = try #require(Repository.python)
        let outcome = try Subprocess(
            python, ["-W", "ignore", "-c", "from optuna.cli import main; main()"] + arguments,
            in: work.url
        ).run()
        try #require(outcome.status == 0, "\(arguments): \(outcome.errors)")
        return outcome.output
    }

    /// Two studies of our own: with one objective, pruned, failed and queued trials; with two.
    private func makeStudies() throws {
        let script = """
            local optuna = require "optuna"
            optuna.logging.set_verbosity(optuna.logging.CRITICAL)
            local study = optuna.create_study{ study_name = "one", storage = "\(url)",
              sampler = optuna.samplers.RandomSampler(1) }
            study:optimize(function(trial)
              local x = trial:suggest_float("x", -1, 1)
              local c = trial:suggest_categorical("c", { "a", true, 2.5, "é" })
              trial:set_user_attr("note", { 1, "two" })
              if trial.number == 1 then error("no") end
              if trial.number == 2 then trial:report(0.5, 1) optuna.prune() end
              return x
            end, { n_trials = 6, catch = true })
            study:enqueue_trial{ x = 0 }
            local two = optuna.create_study{ study_name = "two", storage = "\(url)",
              directions = { "minimize", "maximize" }, sampler = optuna.samplers.RandomSampler(2) }
            two:optimize(function(trial)
              local x = trial:suggest_int("x", 0, 9)
              if trial.number == 1 then error("no") end
              return x, -x * x
            end, { n_trials = 5, catch = true })
            """
        let outcome = try host(["-e", script])
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    /// What the commands say in both programs.
    private func compare(names: [String], several: Set<String>) throws {
        for format in ["table", "json"] {
            #expect(
                try study(["list", "--storage", url, "--format", format])
                    == optuna(["studies", "--storage", url, "--format", format]))
            for name in names {
                let place = ["--storage", url, "--study-name", name, "--format", format]
                #expect(try study(["trials"] + place) == optuna(["trials"] + place))
                let best = several.contains(name) ? "best-trials" : "best-trial"
                #expect(try study(["best"] + place) == optuna([best] + place))
            }
        }
    }

    @Test(
        .enabled(
            if: Repository.python != nil,
            "needs ST_HOST_PYTHON: a Python with Optuna, which `make test` makes"))
    func `lists are those of Optuna's command line`() throws {
        try makeStudies()
        try compare(names: ["one", "two"], several: ["two"])
        // With names of the objectives.
        let python = try #require(Repository.python)
        let outcome = try Subprocess(
            python,
            [
                "-c",
                """
                import optuna
                for name, metrics in ("one", ["loss"]), ("two", ["size", "speed"]):
                    optuna.load_study(study_name=name, storage="\(url)").set_metric_names(metrics)
                """,
            ], in: work.url
        ).run()
        try #require(outcome.status == 0, "\(outcome.errors)")
        try compare(names: ["one", "two"], several: ["two"])
    }

    @Test func `CSV, export, importance and delete`() throws {
        try makeStudies()
        let place = ["--storage", url, "--study-name", "one"]
        let rows = try study(["trials", "--format", "csv"] + place).components(separatedBy: "\r\n")
        let header =
            "number,value,datetime_start,datetime_complete,duration,params_c,params_x,"
            + "user_attrs_note,state"
        try #require(rows.count == 9)
        #expect(rows[0] == header)
        #expect(rows[7] == "6,,,,,,,,WAITING")
        #expect(rows[8] == "")
        let exported = try study(["export"] + place)
        let parts = [
            "\"intermediate_values\": {\"1\": 0.5}", "\"fixed_params\": {\"x\": 0}",
            "\"CategoricalDistribution\"", "\"fail_reason\"",
        ]
        for text in parts { #expect(exported.contains(text), "\(text)") }
        let shown = try study(["show"] + place)
        #expect(shown.contains("n_waiting"))
        let importance = try study(["importance"] + place)
        #expect(importance.contains("| x     |"))
        _ = try study(["delete"] + place)
        let left = try study(["list", "--storage", url])
        #expect(!left.contains("one"))
    }

    @Test func `what goes wrong is one line, without passwords`() throws {
        let missing = try host(["study", "list", "--storage", "sqlite:///none.db"])
        #expect(missing.status == 1)
        #expect(missing.errors == "st-host: storage 'sqlite:///none.db': there is no such file\n")
        for arguments in [
            ["list", "--storage", "postgresql://u:hunter2@127.0.0.1:1/d"],
            ["list", "--storage", "postgresql:/u:hunter2@127.0.0.1:1/d"],
            ["trials", "--storage", "mysql://u:hunter2@h/d", "--study-name", "q"],
            ["list", "--storge=postgresql://u:hunter2@127.0.0.1:1/d"],
            ["list", "postgresql://u:hunter2@127.0.0.1:1/d"],
            ["list", "--format=postgresql://u:hunter2@127.0.0.1:1/d"],
        ] {
            let outcome = try host(["study"] + arguments)
            #expect(outcome.status != 0)
            #expect(!(outcome.output + outcome.errors).contains("hunter2"), "\(outcome.errors)")
        }
    }
}
