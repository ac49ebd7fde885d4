// `st-host test`: what a file's tests come to, and the reports.

import Foundation
import Host
import TestSupport
import Testing

struct TestRunnerTests {
    /// Outcomes of the tests in one file, as "name: outcome message".
    private func outcomes(
        _ source: String, _ change: (inout TestSettings) -> Void = { _ in }
    ) throws -> [String] {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "x_test.lua")
        try Data(source.utf8).write(to: file)
        var settings = TestSettings()
        change(&settings)
        return TestFile.run(file.path, settings).map { result in
            // Lua shortens long paths at their beginning.
            let message = result.message.replacing(#/[^\s"]*x_test\.lua:/#, with: "x_test.lua:")
            let name = result.name == file.path ? "x_test.lua" : result.name
            let first = message.prefix { $0 != "\n" }
            return "\(name): \(result.outcome.rawValue)" + (first.isEmpty ? "" : " \(first)")
        }
    }

    @Test func `tests are named by their blocks, and hooks run around each, outer first`() throws {
        let source = """
            local log = {}
            describe("a", function()
                before_each(function() log[#log + 1] = "1" end)
                after_each(function() log[#log + 1] = "4" end)
                describe("b", function()
                    before_each(function() log[#log + 1] = "2" end)
                    after_each(function() log[#log + 1] = "3" end)
                    it("c", function() log[#log + 1] = "c" error("x", 0) end)
                end)
                it("d", function() assert_equal("12c341", table.concat(log)) end)
            end)
            it("e", function() end)
            pending("f")
            it("g")
            it("h", function() pending("no network") end)
            """
        #expect(
            try outcomes(source) == [
                "a b c: failed x", "a d: passed", "e: passed", "f: pending", "g: pending",
                "h: pending no network",
            ])
        #expect(
            try outcomes(source) { $0.filter = "^a d" } == [
                "a d: failed x_test.lua:10: expected \"12c341\", got \"1\""
            ])
    }

    @Test func `a file without tests is one, and a broken file fails`() throws {
        #expect(try outcomes("assert(true)") == ["x_test.lua: passed"])
        #expect(
            try outcomes("\nassert_equal(1, 2)") == [
                "x_test.lua: failed x_test.lua:2: expected 1, got 2"
            ])
        #expect(try outcomes("x = = 1")[0].hasPrefix("x_test.lua: failed x_test.lua:1: unexpected"))
        #expect(try outcomes("describe(1)")[0].contains("describe: expected a name, got number"))
        #expect(
            try outcomes("it('a', function() it('b', function() end) end)")[0]
                .contains("it: can't be used within a test"))
    }

    @Test func `assertions name the line, the place within tables and both values`() throws {
        func message(_ line: String) throws -> String {
            try outcomes("it('t', function()\n\(line)\nend)")[0]
        }
        #expect(try message("assert_equal(1, 1.0)") == "t: passed")
        #expect(try message("assert_equal({ 1, a = { 'x' } }, { 1, a = { 'x' } })") == "t: passed")
        #expect(
            try message("assert_equal({ a = { 'x' } }, { a = { 'y' } }, 'rows')")
                == "t: failed x_test.lua:2: rows: at a[1]: expected \"x\", got \"y\"")
        #expect(
            try message("assert_equal({}, { k = 1 })")
                == "t: failed x_test.lua:2: at k: expected nil, got 1")
        #expect(
            try message("local t = {} t.t = t local u = {} u.t = u assert_equal(t, u)")
                == "t: passed")
        #expect(try message("assert_close(1, 1 + 1e-7)") == "t: passed")
        #expect(try message("assert_close({ 0/0 }, { 0/0 })") == "t: passed")
        #expect(
            try message("assert_close({ 1, 2 }, { 1, 2.1 }, { atol = 0.01 })")
                == "t: failed x_test.lua:2: at [2]: expected 2, got 2.1 (atol = 0.01, rtol = 1e-05)"
        )
        #expect(
            try message("assert_close(1, 1, { tol = 1 })")
                == "t: failed x_test.lua:2: assert_close: unknown argument 'tol'; valid: atol, rtol"
        )
        #expect(
            try message("assert_error(function() end)")
                == "t: failed x_test.lua:2: expected an error, and there was none")
        #expect(
            try message("assert_error(function() error('left') end, 'right')")
                == "t: failed x_test.lua:2: expected an error with \"right\", got"
                + " \"x_test.lua:2: left\"")
        #expect(
            try message(
                "assert_error(function() require('optuna').create_study{ storag = 1 } end,"
                    + " \"did you mean 'storage'?\")") == "t: passed")
    }

    @Test func `every test has the same random numbers, whatever ran before it`() throws {
        let source = """
            it("a", function() assert_equal(%d, math.random(1000000)) end)
            it("b", function() assert_equal(%d, math.random(1000000)) end)
            """
        let found = try outcomes("it('a', function() error(math.random(1000000), 0) end)")[0]
        let number = try #require(found.split(separator: " ").last)
        #expect(
            try outcomes(source.replacing("%d", with: number)) == ["a: passed", "b: passed"])
        #expect(
            try outcomes("it('a', function() assert_equal(0, os.time()) end)") {
                $0.isDeterministic = true
            } == ["a: passed"])
    }

    @Test func `what is given no seed has the test's, in whatever order tests run`() throws {
        let body = """
            local optuna, datasets = require "optuna", require "datasets"
            optuna.logging.disable_default_handler()
            local numbers, said = {}, {}
            for i = 1, 50 do numbers[i] = i end
            local shuffled = datasets.Dataset.from_dict{ n = numbers }:shuffle()
            for i = 1, 5 do said[#said + 1] = shuffled[i].n end
            for _, sampler in ipairs{ "TPESampler", "RandomSampler", "CmaEsSampler", "QMCSampler" } do
                local study = optuna.create_study{ sampler = optuna.samplers[sampler]{} }
                said[#said + 1] = study:ask():suggest_float("x", 0, 1)
            end
            said[#said + 1] = optuna.create_study():ask():suggest_float("x", 0, 1)
            error(table.concat(said, " "), 0)
            """
        let file = "it('a', function() \(body) end) it('b', function() \(body) end)"
        func said(_ change: (inout TestSettings) -> Void = { _ in }) throws -> [String] {
            try outcomes(file, change).map { String($0.dropFirst(2)) }
        }
        let first = try said()
        #expect(first[0] == first[1])
        #expect(try said { $0.filter = "b" } == [first[1]])
        #expect(try said { $0.seed = 7 }[0] != first[0])
    }

    @Test func `os.exit is a failure, not the end of all tests`() throws {
        #expect(
            try outcomes("it('a', function() os.exit(0) end) it('b', function() end)") == [
                "a: failed x_test.lua:1: os.exit: a test file ends by itself; raise an error to fail",
                "b: passed",
            ])
    }

    @Test func `the built command finds files, reports, and fails when a test fails`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for (name, source) in [
            "a_test.lua": "it('one', function() end) it('two', function() error('<&>', 0) end)",
            "in/b_test.lua": "print('printed')", "in/c_test.lua": "os.execute('kill -KILL $PPID')",
            "helper.lua": "error('not a test')",
        ] {
            let file = folder.url.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(source.utf8).write(to: file)
        }
        func host(_ words: String...) throws -> Subprocess.Outcome {
            try Subprocess(Subprocess.host, ["test"] + words, in: folder.url).run()
        }
        let plain = try host("--jobs", "2")
        #expect(plain.status == 1)
        #expect(
            plain.output == """
                printed
                ok      a_test.lua: one
                FAILED  a_test.lua: two
                        <&>
                ok      in/b_test.lua
                FAILED  in/c_test.lua
                        the process was ended by signal 9
                2 passed, 2 failed

                """)
        let tap = try host("--format", "tap", "a_test.lua")
        #expect(
            tap.output == """
                TAP version 13
                1..2
                ok 1 - a_test.lua: one
                not ok 2 - a_test.lua: two
                  ---
                  message: |
                    <&>
                  ...
                1 passed, 1 failed

                """)
        let junit = try host("--format", "junit", "--output", "report.xml", "a_test.lua")
        #expect(junit.output.hasSuffix("1 passed, 1 failed\n"))
        let xml = try String(
            contentsOf: folder.url.appending(path: "report.xml"), encoding: .utf8)
        #expect(xml.contains("<failure message=\"&lt;&amp;&gt;\">&lt;&amp;&gt;</failure>"))
        #expect(xml.contains("tests=\"2\" failures=\"1\" skipped=\"0\""))
        #expect(try host("--filter", "one", "a_test.lua").status == 0)
        let alone = try host("--format", "junit", "in/b_test.lua")
        #expect(alone.output.hasPrefix("<?xml") && alone.output.hasSuffix("</testsuites>\n"))
        #expect(alone.errors.contains("printed\n"))
        let pattern = try host("--filter", "[", "a_test.lua")
        #expect(pattern.status == 2)
        #expect(pattern.errors.contains("test: --filter '[': malformed pattern (missing ']')"))
        let lost = try host("--format", "junit", "--output", "/dev/full", "a_test.lua")
        #expect(lost.status == 1)
        #expect(
            lost.errors == "test: '/dev/full': can't be written (No space left on device)\n")
        #expect(try host("nowhere").status == 2)
        #expect(try host("--format", "html").status == 2)
    }

    @Test func `texts of any bytes are reported`() throws {
        #expect(
            try outcomes("it('a\\xff', function() error('x\\xff') end)")
                == ["a\u{FFFD}: failed x_test.lua:1: x\u{FFFD}"])
    }

    @Test func `--json prints what a script returns`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        func host(_ source: String) throws -> Subprocess.Outcome {
            try Data(source.utf8).write(to: folder.url.appending(path: "s.lua"))
            return try Subprocess(Subprocess.host, ["--json", "s.lua"], in: folder.url).run()
        }
        #expect(
            try host("return { b = { 1, 2.5 }, a = 'x' }").output
                == "{\"a\": \"x\", \"b\": [1, 2.5]}\n")
        #expect(try host("return 1, nil, true").output == "[1, null, true]\n")
        #expect(try host("").output == "null\n")
        let chunk = try Subprocess(
            Subprocess.host, ["--json", "-e", "x = { 1, 2 }", "-e", "return { x = x }"],
            in: folder.url
        ).run()
        #expect(chunk.output == "{\"x\": [1, 2]}\n")
        // Objects of the host that are data.
        let objects = """
            local st, datasets = require "sentence_transformers", require "datasets"
            local optuna = require "optuna"
            optuna.logging.disable_default_handler()
            local study = optuna.create_study{}
            study:enqueue_trial{ x = 0.5 }
            study:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 1 })
            return { m = st.Matrix{ { 1, 2 }, { 3, 4 } }, d = datasets.Dataset.from_list{ { a = "b" } },
              t = study.best_trial }
            """
        #expect(
            try host(objects).output
                == "{\"d\": [{\"a\": \"b\"}], \"m\": [[1.0, 2.0], [3.0, 4.0]], \"t\": {\"number\": 0,"
                + " \"state\": \"COMPLETE\", \"values\": [0.5], \"params\": {\"x\": 0.5},"
                + " \"user_attrs\": {}}}\n")
        let refused = try host("return { f = print }")
        #expect(refused.status == 1)
        #expect(
            refused.errors.hasPrefix(
                "--json: the script's result.f: expected nil, boolean, number, string or table,"
                    + " got function"))
    }
}
