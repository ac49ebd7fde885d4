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
}
