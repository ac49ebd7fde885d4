// The built command: switches, streams, exit statuses, Ctrl-C.

import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct CommandLineTests {
    private func host(
        _ arguments: String..., input: String = "", files: [String: String] = [:]
    ) throws -> Subprocess.Outcome {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for (name, text) in files {
            try Data(text.utf8).write(to: folder.url.appending(path: name))
        }
        var process = Subprocess(Subprocess.host, arguments, in: folder.url)
        process.input = input
        return try process.run()
    }

    @Test func `everything after the script is the script's`() throws {
        let outcome = try host(
            "s.lua", "-i", "--version", "-e", "--", "x",
            files: [
                "s.lua": "print(arg[0], #arg, ...) print(arg[-1]:match('[^/]*$'), arg[-2])"
            ])
        #expect(outcome.status == 0)
        #expect(outcome.output == "s.lua\t5\t-i\t--version\t-e\t--\tx\nst-host\tnil\n")
        let dashes = try host("--", "-s.lua", "a", files: ["-s.lua": "print(arg[0], arg[1])"])
        #expect(dashes.output == "-s.lua\ta\n")
    }

    @Test func `switches are those of lua`() throws {
        #expect(try host("-e", "print(1)", "-e", "print(2)").output == "1\n2\n")
        #expect(try host("-e", "x = 1", "s.lua", files: ["s.lua": "print(x)"]).output == "1\n")
        #expect(
            try host("-l", "m", "-e", "print(m.v)", files: ["m.lua": "return { v = 7 }"]).output
                == "7\n")
        #expect(
            try host("-lm", "-eprint(m.v)", files: ["m.lua": "return { v = 7 }"]).output == "7\n")
        #expect(
            try host("-e", "print(arg[0], arg[1])", "s.lua", "a", files: ["s.lua": ""]).output
                == "s.lua\ta\n", "arg is there before the script")
        #expect(try host("-", "a", input: "print(arg[0], ...)").output == "-\ta\n")
        #expect(try host(input: "print('from input')").output == "from input\n")
        #expect(try host(input: "#!/usr/bin/env st-host\nprint(2)").output == "2\n")
        #expect(try host("-e", "os.exit(7)").status == 7)
        #expect(try host("-e", "os.exit(true, true)").status == 0)
        let version = try host("--version")
        #expect(version.status == 0 && version.output.hasPrefix("st-host "))
        let help = try host("--help")
        #expect(help.status == 0 && help.output.contains("USAGE: st-host"))
    }

    @Test func `a zero byte ends no output, and a path that holds one is refused`() throws {
        let printed = try host("-e", "error('a\\0b')")
        #expect(printed.status == 1 && printed.errors.hasPrefix("(command line):1: a\0b\n"))
        let refused = try host(
            "-e", "require('datasets').Dataset.from_dict{ a = { 1 } }:to_json('x.json\\0.tmp')")
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains("'x.json\\0.tmp' holds a zero byte, which no path can"),
            "\(refused.errors)")
    }

    @Test func `output that can't be written is a failure`() throws {
        for code in ["print(1)", "io.write('x')"] {
            let script = "exec '\(Subprocess.host.path)' -e \"\(code)\" > /dev/full"
            let shell = Subprocess(
                URL(filePath: "/bin/sh"), ["-c", script],
                in: FileManager.default.temporaryDirectory)
            let outcome = try shell.run()
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("st-host: standard output can't be written"))
        }
    }

    @Test func `memory that the system does not give is an error`() throws {
        let code = "print(pcall(require('sentence_transformers').Matrix.ones, 1, 2147483647))"
        let shell = Subprocess(
            URL(filePath: "/bin/sh"),
            ["-c", "ulimit -v 6000000; exec '\(Subprocess.host.path)' -e \"\(code)\""],
            in: FileManager.default.temporaryDirectory)
        let outcome = try shell.run()
        #expect(outcome.status == 0 && outcome.output.contains("not enough memory"))
    }

    @Test func `-i goes on after the script, even a failing one`() throws {
        let outcome = try host(
            "-i", "s.lua", input: "x\ny = {\n}\n#y + 2\nerror('again')\n",
            files: [
                "s.lua": "x = 5 error('first')"
            ])
        #expect(outcome.status == 0)
        #expect(outcome.output == "5\n2\n")
        #expect(outcome.errors.contains("s.lua:1: first"))
        #expect(outcome.errors.contains("stdin:1: again"))
    }

    @Test(
        arguments: [
            (["--nosuch"], 2), (["-e"], 2), (["-x", "s.lua"], 2), (["-l"], 2),
            (["nosuch.lua"], 1), (["-e", "error('x')"], 1), (["-e", "x = = 1"], 1),
            (["-e", "error()"], 1), (["-e", "error({})"], 1), (["-l", "nosuch"], 1),
        ] as [([String], Int32)])
    func `a failure has its status and says why on standard error`(
        _ arguments: [String], _ status: Int32
    ) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let outcome = try Subprocess(Subprocess.host, arguments, in: folder.url).run()
        #expect(outcome.status == status)
        #expect(outcome.output == "")
        #expect(outcome.errors.count > 4)
    }

    @Test func `an uncaught error prints its line, then the traceback`() throws {
        let outcome = try host(
            "s.lua", files: ["s.lua": "local function f()\n  error('broken')\nend\nf()\n"])
        #expect(outcome.status == 1)
        #expect(
            outcome.errors == """
                s.lua:2: broken
                stack traceback:
                \t[C]: in function 'error'
                \ts.lua:2: in local 'f'
                \ts.lua:4: in main chunk

                """)
    }

    @Test func `output and errors come in order`() throws {
        let outcome = try host("-e", "io.write('no newline') error('x', 0)")
        #expect(outcome.output == "no newline")
        #expect(outcome.errors.hasPrefix("x\n"))
    }

    @Test(arguments: [
        "while true do end", "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
    ])
    func `Ctrl-C ends a script with 130`(_ source: String) throws {
        let process = Process()
        process.executableURL = Subprocess.host
        process.arguments = ["-e", "io.stdout:write('ready'):flush() " + source]
        let output = Pipe()
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        _ = try output.fileHandleForReading.read(upToCount: 5)
        process.interrupt()
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 130)
        #expect(String(decoding: text, as: UTF8.self).hasPrefix("interrupted!\nstack traceback:"))
    }

    @Test func `a long script leaves memory flat`() throws {
        let outcome = try host(
            "-e",
            """
            local function resident()
                local file <close> = assert(io.open("/proc/self/statm"))
                return select(2, file:read("n", "n")) * 4096
            end
            local optuna = require "optuna"
            local function work(n)
                for i = 1, n do
                    local ok, e = pcall(optuna.samplers.RandomSampler, { sede = 1 })
                    assert(not ok and tostring(e):find("did you mean 'seed'", 1, true))
                    assert(tostring(optuna.samplers.RandomSampler{ seed = i }) == "RandomSampler()")
                end
                collectgarbage()
            end
            work(5000)
            local before, lua = resident(), collectgarbage("count")
            work(20000)
            assert(collectgarbage("count") - lua < 64, "Lua")
            assert(resident() - before < 8e6, "resident")
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func `--deterministic gives the same output in every run, log lines included`() throws {
        let script = """
            local st, datasets, optuna = require "sentence_transformers", require "datasets", require "optuna"
            print(math.random(1000000), os.time(), os.clock(), os.date(), os.date("%H:%M %d.%m.%Y"))
            local study = optuna.create_study{}
            study:optimize(function(trial)
              return trial:suggest_float("x", 0, 1) + trial:suggest_categorical("c", { 1, 2, 3 })
            end, { n_trials = 12, n_jobs = 2 })
            print(study.study_name, study.best_trial.datetime_start, study.best_trial.duration, study.best_value)
            local rows = {}
            for i = 1, 20 do rows[i] = { a = "a " .. i, b = "b " .. i } end
            local data = datasets.Dataset.from_list(rows):shuffle()
            local function new()
              return st.SentenceTransformer.from_config{
                hidden_size = 32, num_hidden_layers = 1, corpus = { "a b" }, seed = 1 }
            end
            local trainer = st.SentenceTransformerTrainer{ model_init = new, train_dataset = data,
              eval_dataset = data:train_test_split{ test_size = 0.3 }.test,
              args = st.SentenceTransformerTrainingArguments{ output_dir = "out", max_steps = 2,
                save_strategy = "no", eval_strategy = "steps", logging_steps = 1 },
              loss = function(m) return st.losses.MultipleNegativesRankingLoss(m) end }
            print(trainer:train())
            print(trainer:hyperparameter_search{ n_trials = 2, n_jobs = 2, hp_space = function(trial)
              return { learning_rate = trial:suggest_float("learning_rate", 1e-5, 1e-3) }
            end })
            """
        let runs = try ["UTC", "America/New_York"].map { zone in
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            try Data(script.utf8).write(to: folder.url.appending(path: "s.lua"))
            var process = Subprocess(
                Subprocess.host, ["--deterministic", "s.lua"], in: folder.url)
            process.environment = ["TZ": zone]
            return try process.run()
        }
        #expect(runs[0].status == 0, "\(runs[0].errors)")
        #expect(runs[0].output == runs[1].output)
        #expect(runs[0].errors == runs[1].errors)
        #expect(runs[0].output.contains("\t0\t0\tThu Jan  1 00:00:00 1970\t00:00 01.01.1970\n"))
        #expect(runs[0].output.contains("no-name-1\t1970-01-01 00:00:00.000\t0.0\t"))
        #expect(runs[0].errors.contains("[I 1970-01-01 00:00:00,000] Trial 11 finished"))
    }

    @Test func `shells complete switches, commands and their switches`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        func script(_ shell: String) throws -> String {
            let outcome = try Subprocess(
                Subprocess.host, ["--generate-completion-script", shell], in: folder.url
            ).run()
            #expect(outcome.status == 0)
            return outcome.output
        }
        for shell in ["zsh", "fish"] {
            let text = try script(shell)
            for word in ["sandbox", "deterministic", "study", "importance", "filter", "junit"] {
                #expect(text.contains(word), "\(shell): \(word)")
            }
        }
        try Data(script("bash").utf8).write(to: folder.url.appending(path: "completion"))
        for file in ["a.lua", "b.txt"] { try Data().write(to: folder.url.appending(path: file)) }
        func completed(_ words: String...) throws -> [Substring] {
            let line = words.joined(separator: " ")
            let code = """
                source completion
                f=$(complete -p st-host | sed 's/.*-F \\([^ ]*\\).*/\\1/')
                COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
                COMP_CWORD=\(words.count - 1) COMP_LINE='\(line)' COMP_POINT=\(line.count)
                "$f" st-host '\(words[words.count - 1])' '\(words[words.count - 2])'
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let outcome = try Subprocess(
                URL(filePath: "/bin/bash"), ["-c", code], in: folder.url
            ).run()
            return outcome.output.split(separator: "\n").map { $0.drop { $0 == " " } }.sorted()
        }
        #expect(try completed("st-host", "--det") == ["--deterministic"])
        #expect(try completed("st-host", "stu").contains("study"))
        #expect(try completed("st-host", "test", "--fi") == ["--filter"])
        #expect(try completed("st-host", "test", "--format", "j") == ["junit"])
        #expect(try completed("st-host", "study", "imp") == ["importance"])
        #expect(try completed("st-host", "generate", "m") == ["man"])
        #expect(try completed("st-host", "--sandbox", "a").contains("a.lua"))
        let wrong = try host("--generate-completion-script", "tcsh")
        #expect(wrong.status == 2)
        #expect(
            wrong.errors
                == "--generate-completion-script: expected bash, zsh or fish, got 'tcsh'\n")
    }
}
