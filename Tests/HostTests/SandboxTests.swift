// What a sandboxed script can't do: known ways out of Lua, files by every function that opens some,
// and a thousand random programs.

import Foundation
import Host
import LuaBridge
import TestSupport
import Testing

@Suite struct SandboxTests {
    /// Runs `source` and gives the error's sentence, or what the chunk returned.
    private func outcome(
        _ source: String, folders: [String] = [], memory: Int = 64 << 20
    ) throws -> String {
        var bounds = Sandbox(folders: folders)
        bounds.memoryLimit = memory
        bounds.instructionLimit = 20_000_000
        let session = try HostSession(sandbox: bounds, progress: Progress(style: .silent))
        defer { session.close() }
        do {
            let value = try session.lua.run(source, name: "=x")
            return value.string ?? "\(value)"
        } catch {
            return HostError.report(error).split(separator: "\n").first.map(String.init) ?? ""
        }
    }

    // MARK: Ways out of Lua

    /// Each must end in an error that contains the text.
    private static let escapes: [(source: String, error: String)] = [
        ("os.execute('true')", "x:1: sandbox: os.execute is not allowed"),
        ("io.popen('ls')", "x:1: sandbox: io.popen is not allowed"),
        ("io.tmpfile()", "x:1: sandbox: io.tmpfile is not allowed"),
        ("os.exit(0)", "x:1: sandbox: os.exit is not allowed"),
        ("os.tmpname()", "x:1: sandbox: os.tmpname is not allowed"),
        ("os.setlocale('')", "x:1: sandbox: os.setlocale is not allowed"),
        ("package.loadlib('libc.so.6', '*')", "x:1: sandbox: package.loadlib is not allowed"),
        ("string.dump(function() end)", "x:1: sandbox: string.dump is not allowed"),
        ("('').dump(function() end)", "x:1: sandbox: string.dump is not allowed"),
        ("debug.getregistry()", "x:1: sandbox: debug.getregistry is not allowed"),
        ("debug.sethook()", "x:1: sandbox: debug.sethook is not allowed"),
        ("debug.setmetatable('', {})", "x:1: sandbox: debug.setmetatable is not allowed"),
        ("debug.getinfo(1)", "x:1: sandbox: debug.getinfo is not allowed"),
        ("debug.getupvalue(load, 1)", "x:1: sandbox: debug.getupvalue is not allowed"),
        ("debug.upvaluejoin(print, 1, print, 1)", "x:1: sandbox: debug.upvaluejoin is not allowed"),
        ("debug.debug()", "x:1: sandbox: debug.debug is not allowed"),
        ("package.loaded.os.execute('true')", "sandbox: os.execute is not allowed"),
        ("require('os').execute('true')", "sandbox: os.execute is not allowed"),
        ("require('debug').getregistry()", "sandbox: debug.getregistry is not allowed"),
        ("_G.package.loaded._G.io.popen('ls')", "sandbox: io.popen is not allowed"),
        ("_ENV.os.execute('true')", "sandbox: os.execute is not allowed"),
        ("load('os.execute()')()", "sandbox: os.execute is not allowed"),
        ("load('return ...', 'x', 'b')()", "attempt to call a nil value"),
        ("assert(load('\\27Lua'))", "attempt to load a binary chunk (mode is 't')"),
        (
            "local n = 0 assert(load(function() n = n + 1 return n == 1 and '\\27Lua' or nil end))",
            "attempt to load a binary chunk (mode is 't')"
        ),
        ("getmetatable('').__index = nil", "attempt to index a boolean value"),
        ("getmetatable(io.stdout).__gc = print", "attempt to index a boolean value"),
        ("setmetatable({}, { __gc = print })", "__gc is not allowed in the sandbox"),
        (
            "setmetatable({}, setmetatable({ __gc = true }, {}))",
            "__gc is not allowed in the sandbox"
        ),
        ("require 'ffi'", "module 'ffi' not found"),
        ("require 'socket'", "module 'socket' not found"),
        ("require '../../etc/passwd'", "not found"),
        (
            "package.path = '/etc/?' require 'passwd'",
            "module 'passwd' not found"
        ),
        ("package.cpath = '/usr/lib/?.so' require 'lua5.4.so'", "not found"),
        ("package.searchers[2]('passwd') error('went on')", "went on"),
        ("assert(package.searchpath('passwd', '/etc/?'))", "x:1: "),
        ("loadfile('/etc/passwd')", "x:1: sandbox: '/etc/passwd' is out of reach"),
        ("dofile('/etc/passwd')", "x:1: sandbox: '/etc/passwd' is out of reach"),
        ("io.open('/etc/passwd')", "x:1: sandbox: '/etc/passwd' is out of reach"),
        ("io.open('/proc/self/environ')", "sandbox: '/proc/self/environ' is out of reach"),
        ("io.open('')", "sandbox: '' is out of reach"),
        ("io.open('/etc/passwd\\0\\xff')", "is out of reach: it is not valid UTF-8"),
        ("io.lines('/etc/passwd\\0\\xff')", "is out of reach: it is not valid UTF-8"),
        ("io.open('/etc/passwd\\0')", "is out of reach"),
        ("io.open(5, 'w')", "x:1: sandbox: expected a path, got a number"),
        ("os.rename(5, 6)", "x:1: sandbox: expected a path, got a number"),
        ("os.remove(6.5)", "x:1: sandbox: expected a path, got a number"),
        ("io.lines('/etc/passwd')", "x:1: sandbox: '/etc/passwd' is out of reach"),
        ("io.input('/etc/passwd')", "x:1: sandbox: '/etc/passwd' is out of reach"),
        ("io.output('/tmp/x')", "x:1: sandbox: '/tmp/x' is out of reach"),
        ("os.remove('/tmp/x')", "x:1: sandbox: '/tmp/x' is out of reach"),
        ("os.rename('a', '/tmp/x')", "x:1: sandbox: 'a' is out of reach"),
        ("error(os.getenv('HOME'))", "nil"),
        ("string.rep('x', 1 << 30)", "not enough memory"),
        ("string.rep('x', 1 << 60, 'yy')", "resulting string too large"),
        ("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", "not enough memory"),
        // What the host's objects hold counts, too, and is asked for before it is taken.
        (
            "require('sentence_transformers').Matrix.zeros(40000, 40000)",
            "not enough memory"
        ),
        (
            "local m = require('sentence_transformers').Matrix.zeros(40000, 1) return m + m:t()",
            "not enough memory"
        ),
        (
            "local m = require('sentence_transformers').Matrix.zeros(40000, 1) return m:matmul(m:t())",
            "not enough memory"
        ),
        (
            "local st = require('sentence_transformers') local m = st.Matrix.ones(40000, 1)"
                + " return st.util.euclidean_sim(m, m)",
            "not enough memory"
        ),
        (
            "local st, t = require('sentence_transformers'), {}"
                + " while true do t[#t + 1] = st.Matrix.zeros(1000, 1000) end",
            "not enough memory"
        ),
        (
            "require('sentence_transformers').SentenceTransformer.from_config{"
                + " hidden_size = 480, vocab = { 'a' } }",
            "not enough memory"
        ),
        (
            "local d = require('datasets') local s = d.Dataset.from_dict{ a = { 1, 2, 3 } }"
                + " while true do s = d.concatenate_datasets{ s, s } end",
            "not enough memory"
        ),
        (
            "local d, t = require('datasets'), {} local s = d.Dataset.from_dict{ a = { 1, 2, 3 } }"
                + " for i = 1, 1e5 do t[i] = s end"
                + " for i = 1, 3 do s = d.interleave_datasets(t) for i = 1, 1e5 do t[i] = s end end",
            "not enough memory"
        ),
        (
            "local d, t = require('datasets'), {} for i = 1, 1e5 do t[i] = i end"
                + " local text = ('x'):rep(1 << 20)"
                + " d.Dataset.from_dict{ a = t }:map(function() return { b = text } end)",
            "not enough memory"
        ),
        ("while true do end", "the instruction limit was reached"),
        ("while true do pcall(error) end", "the instruction limit was reached"),
        (
            "coroutine.wrap(function() while true do pcall(error) end end)()",
            "the instruction limit was reached"
        ),
        (
            "xpcall(function() while true do end end, function() while true do end end)",
            "the instruction limit was reached"
        ),
        (
            "table.concat(setmetatable({}, { __index = table.concat }), '', 1, math.maxinteger)",
            "the instruction limit was reached"
        ),
        (
            "table.concat(setmetatable({}, { __index = function() return 'a' end,"
                + " __len = function() return math.maxinteger end }))",
            "the instruction limit was reached"
        ),
        ("('a'):rep(50):find(('a-'):rep(50) .. 'b')", "the instruction limit was reached"),
        // The host's own functions.
        (
            "local st = require 'sentence_transformers' st.SentenceTransformer('/etc')",
            "out of reach"
        ),
        (
            "local st = require 'sentence_transformers'"
                + " st.SentenceTransformer('sentence-transformers/all-MiniLM-L6-v2')",
            "'sentence-transformers/all-MiniLM-L6-v2' is out of reach"
        ),
        ("local st = require 'sentence_transformers' st.Matrix.load('/x.npy')", "out of reach"),
        (
            "local st = require 'sentence_transformers' st.Matrix.zeros(1, 1):save('/tmp/x.npy')",
            "out of reach"
        ),
        (
            "require('datasets').load_dataset('json', { data_files = '/etc/passwd' })",
            "'/etc/passwd' is out of reach"
        ),
        ("require('datasets').load_dataset('/etc')", "'/etc' is out of reach"),
        (
            "require('datasets').load_dataset('text', { data_dir = '/etc' })",
            "'/etc' is out of reach"
        ),
        (
            "require('datasets').load_dataset('org/name')",
            "there is no network for 'org/name'"
        ),
        (
            "require('datasets').Dataset.from_dict{ a = { 1 } }:to_json('/tmp/x')",
            "'/tmp/x' is out of reach"
        ),
        (
            "require('datasets').Dataset.from_dict{ a = { 1 } }:to_parquet('/tmp/x')",
            "'/tmp/x' is out of reach"
        ),
        (
            "require('optuna').create_study{ storage = 'sqlite:////tmp/x.db' }",
            "'/tmp/x.db' is out of reach"
        ),
        (
            "require('optuna').create_study{ storage = 'postgresql://u:secret@h/d' }",
            "sandbox: there is no network for PostgreSQL"
        ),
        (
            "require('optuna').storages.RDBStorage('postgresql://u:secret@h/d')",
            "sandbox: there is no network for PostgreSQL"
        ),
        (
            "require('optuna').storages.journal.JournalFileBackend('/tmp/x.log')",
            "'/tmp/x.log' is out of reach"
        ),
    ]

    @Test func `no known way leads out`() throws {
        for (source, error) in Self.escapes {
            let message = try outcome(source)
            #expect(message.contains(error), "\(source) gave '\(message)', not '\(error)'")
            #expect(!message.contains("secret"))
        }
    }

    @Test func `what is harmless works as ever`() throws {
        let source = """
            local t = {}
            for w in ("a b c"):gmatch("%a") do t[#t + 1] = w:upper() end
            assert(table.concat(t) == "ABC" and ("x"):rep(3) == "xxx")
            assert(table.concat({ 1, 2, 3 }, "-", 2) == "2-3" and table.concat({}) == "")
            local two = setmetatable({ 1, 2, 3 }, { __len = function() return 2 end })
            assert(table.concat(two) == "12" and table.concat(two, "", 3, 3) == "3")
            assert(not pcall(table.concat) and not pcall(table.concat, { {} }))
            assert(select("#", pcall(error, "x")) == 2 and load("return 1")() == 1)
            assert(coroutine.wrap(function() coroutine.yield(5) end)() == 5)
            assert(type(os.time()) == "number" and os.getenv("PATH") == nil)
            assert(debug.traceback("x"):find("traceback"))
            local st = require "sentence_transformers"
            assert(st.Matrix{ { 1, 2 } }:sum():item() == 3)
            local study = require("optuna").create_study{}
            study:optimize(function(trial) return trial:suggest_float("x", 0, 1) end, { n_trials = 3 })
            assert(#study.trials == 3)
            return "done"
            """
        #expect(try outcome(source) == "done")
    }

    @Test func `garbage of the host's is collected before memory is refused`() throws {
        let source = """
            local st = require "sentence_transformers"
            local kept
            for i = 1, 200 do kept = st.Matrix.zeros(1000, 1000) + 1 end
            return tostring(kept:sum():item())
            """
        #expect(try outcome(source, memory: 32 << 20) == "1000000.0")
    }

    // MARK: Folders

    @Test func `only the folders are open, through links and dots`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let files = FileManager.default
        for name in ["open/inner", "closed"] {
            try files.createDirectory(
                at: folder.url.appending(path: name), withIntermediateDirectories: true)
        }
        for (name, target) in [
            ("open/out", "../closed"), ("open/loop", "loop"), ("open/in", "inner"),
            ("open/new", "../closed/new"), ("open/leak", "../closed/file"),
        ] {
            try files.createSymbolicLink(
                atPath: folder.url.appending(path: name).path, withDestinationPath: target)
        }
        try Data("secret".utf8).write(to: folder.url.appending(path: "closed/file"))
        try Data("return { v = 7 }".utf8).write(to: folder.url.appending(path: "open/m.lua"))
        let root = folder.url.path
        func run(_ source: String) throws -> String {
            try outcome(
                "local root = '\(root)' " + source,
                folders: ["\(root)/open", "\(root)/open/inner/"])
        }
        for path in [
            "/closed/file", "/open/../closed/file", "/open/out/file", "/open/in/../../closed/file",
            "/open/loop", "/open/new", "/open/inner/../out/file", "/openly", "/open/nowhere/../x",
            "//closed//file", "/open/./out/./file", "/closed/file\\0.txt",
            // One character with what comes before it, and another name to the system.
            "/open/../\\u{301}file", "/open/\\u{301}/../../\\u{301}file", "/open\\u{301}/file",
        ] {
            for mode in ["r", "w"] {
                let message = try run("io.open(root .. '\(path)', '\(mode)')")
                #expect(message.contains("is out of reach: only files in"), "\(path): \(message)")
            }
        }
        for (pattern, problem) in [
            ("le*", "is out of reach"), ("**/leak", "is out of reach"), ("**", "is out of reach"),
            ("o*/file", "no file matches"), ("*/../../closed/*", "is out of reach"),
        ] {
            let message = try run(
                "require('datasets').load_dataset('text', { data_files = root .. '/open/\(pattern)' })"
            )
            #expect(message.contains(problem), "\(pattern): \(message)")
        }
        #expect(!files.fileExists(atPath: "\(root)/closed/new"))
        #expect(
            try run(
                """
                local path = root .. "/open/in/file"
                local f = assert(io.open(path, "w")) f:write("text") f:close()
                for line in io.lines(root .. "/open/inner/../inner/file") do assert(line == "text") end
                assert(os.rename(path, path .. "2") and os.remove(path .. "2"))
                assert(dofile(root .. "/open/m.lua").v == 7 and loadfile(root .. "/open/m.lua")().v == 7)
                package.path = root .. "/open/?.lua"
                assert(require("m").v == 7 and package.searchpath("m", package.path))
                local optuna = require "optuna"
                optuna.create_study{ storage = "sqlite:///" .. root .. "/open/s.db" }
                return "done"
                """) == "done")
        #expect(
            try run("package.path = root .. '/closed/?' require 'file'").contains("not found"))
        #expect(throws: HostError.self) { try HostSession(sandbox: Sandbox(folders: ["/nowhere"])) }
    }

    @Test func `training writes and reads within the folders`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let source = """
            local st, datasets = require "sentence_transformers", require "datasets"
            local out = ...
            local model = st.SentenceTransformer.from_config{
              hidden_size = 32, num_hidden_layers = 1, corpus = { "a b c d" }, seed = 1 }
            local trainer = st.SentenceTransformerTrainer{ model = model,
              args = st.SentenceTransformerTrainingArguments{ output_dir = out, max_steps = 1,
                per_device_train_batch_size = 2, save_strategy = "no" },
              train_dataset = datasets.Dataset.from_dict{ a = { "a", "b" }, b = { "c", "d" } },
              loss = st.losses.MultipleNegativesRankingLoss(model) }
            trainer:train()
            trainer:save_model(out .. "/model")
            return tostring(#st.SentenceTransformer(out .. "/model"):encode("a"))
            """
        func run(_ path: String) throws -> String {
            try outcome(
                "return (function(...) \(source) end)('\(path)')", folders: [folder.url.path])
        }
        #expect(try run(folder.url.path + "/out") == "32")
        #expect(try run("/tmp/other").contains("'/tmp/other' is out of reach"))
        // A weight file that is a link to elsewhere is none of the folder.
        let weights = folder.url.appending(path: "out/model/model.safetensors")
        try FileManager.default.removeItem(at: weights)
        try FileManager.default.createSymbolicLink(
            atPath: weights.path, withDestinationPath: "/etc/passwd")
        let message = try outcome(
            "return require('sentence_transformers').SentenceTransformer('\(folder.url.path)/out/model')",
            folders: [folder.url.path])
        #expect(message.contains("is out of reach"), "\(message)")
    }

    // MARK: Random programs

    @Test func `a thousand random programs neither crash nor leak`() async {
        await #expect(processExitsWith: .success) { try RandomPrograms.run() }
    }
}

/// Programs of random calls, loops, coroutines and tables.
private enum RandomPrograms {
    static func run() throws {
        var generator = Generator(state: 42)
        var settled = 0
        for number in 0..<1000 {
            let bounds = Sandbox(memoryLimit: 4 << 20, instructionLimit: 200_000)
            let session = try HostSession(sandbox: bounds, progress: Progress(style: .silent))
            let program = generator.block(depth: 3)
            _ = try? session.lua.run(program, name: "=random")
            #expect(session.lua.memoryPeak <= 4 << 20)
            // Whatever it did, the state still works once it may.
            session.lua.memoryLimit = 0
            session.lua.instructionLimit = 0
            #expect(try session.lua.load("return 1 + 1", name: "=x").call(returning: Int.self) == 2)
            session.close()
            if number == 300 { settled = residentBytes() }
        }
        let grown = residentBytes() - settled
        #expect(grown < 12 << 20, "grown by \(grown) bytes")
    }

    private static func residentBytes() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }

        private static let names = ["a", "b", "c", "d"]
        // Nothing that writes to or reads from the test's own streams.
        private static let functions = [
            "string.rep", "string.find", "string.gsub", "string.format", "string.byte",
            "string.char",
            "string.pack", "string.unpack", "string.sub", "string.reverse", "string.gmatch",
            "table.concat", "table.insert", "table.remove", "table.move", "table.sort",
            "table.unpack",
            "table.pack", "math.random", "math.floor", "math.tointeger", "utf8.char",
            "utf8.codepoint",
            "utf8.len", "setmetatable", "getmetatable", "rawset", "rawget", "rawlen", "select",
            "next",
            "tostring", "tonumber", "type", "load", "error", "pcall", "xpcall", "assert",
            "collectgarbage", "coroutine.create", "coroutine.wrap", "coroutine.resume",
            "coroutine.close", "coroutine.status", "coroutine.yield", "os.date", "os.time",
            "os.getenv", "os.execute", "io.open", "io.popen", "require", "debug.traceback",
            "package.searchpath", "st.Matrix", "st.Matrix.zeros", "st.Matrix.eye",
            "st.util.cos_sim",
            "datasets.Dataset.from_dict", "datasets.Dataset.from_list", "datasets.load_dataset",
            "optuna.create_study", "optuna.samplers.TPESampler", "st.losses.TripletLoss",
            "st.SentenceTransformerTrainingArguments", "st.SentenceTransformer",
        ]

        mutating func block(depth: Int) -> String {
            var text = depth == 3 ? Self.header(withModules: next() % 4 == 0) : ""
            for _ in 0..<Int.random(in: 1...6, using: &self) { text += statement(depth) + "\n" }
            return text
        }

        private static func header(withModules: Bool) -> String {
            """
            local st, datasets, optuna
            if \(withModules) then
              st, datasets, optuna = require "sentence_transformers", require "datasets", require "optuna"
            else
              local none = setmetatable({}, { __index = function(t) return t end, __call = function(t) return t end })
              st, datasets, optuna = none, none, none
            end
            local a, b, c, d = 1, "two", {}, function(...) return ... end

            """
        }

        private mutating func statement(_ depth: Int) -> String {
            let kind = depth == 0 ? 0 : Int.random(in: 0..<10, using: &self)
            switch kind {
            case 4: return "for i = 1, \(number()) do \(block(depth: depth - 1)) end"
            case 5: return "while \(expression(1)) do \(block(depth: depth - 1)) end"
            case 6:
                return "pcall(function() \(block(depth: depth - 1)) end)"
            case 7:
                return
                    "local co = coroutine.wrap(function(...) \(block(depth: depth - 1)) end) co(\(expression(1)))"
            case 8:
                return
                    "\(name()) = setmetatable({ \(expression(1)) }, { __index = d, __len = d, __call = d,"
                    + " __close = d, __eq = d, __concat = d, __tostring = d, __metatable = \(expression(0)) })"
            case 9: return "do local x <close> = \(name()) \(block(depth: depth - 1)) end"
            default: return "\(name()) = select(2, pcall(\(function()), \(arguments())))"
            }
        }

        private mutating func arguments() -> String {
            (0..<Int.random(in: 1...4, using: &self)).map { _ in expression(2) }
                .joined(separator: ", ")
        }

        private mutating func expression(_ depth: Int) -> String {
            switch depth == 0
                ? Int.random(in: 0..<4, using: &self) : Int.random(in: 0..<10, using: &self)
            {
            case 0: return number()
            case 1: return text()
            case 2: return name()
            case 3: return ["nil", "true", "false", "{}"].randomElement(using: &self) ?? "nil"
            case 4: return "{ \(expression(depth - 1)), k = \(expression(depth - 1)) }"
            case 5: return "function(...) return \(expression(depth - 1)) end"
            case 6: return "(\(expression(depth - 1)) .. \(expression(depth - 1)))"
            case 7: return "#\(name())"
            case 8: return "(\(expression(depth - 1)) == \(expression(depth - 1)))"
            default: return function()
            }
        }

        private mutating func number() -> String {
            [
                "0", "1", "3", "-1", "100", "1e6", "2^31", "2^53", "math.maxinteger",
                "math.mininteger",
                "1/0", "0/0", "0.5",
            ].randomElement(using: &self) ?? "0"
        }

        private mutating func text() -> String {
            [
                "''", "'a'", "('a'):rep(100)", "'%a+'", "('a-'):rep(30)", "'\\\\27Lua'",
                "'/etc/passwd'",
                "'return 1'", "'%d%s%q'", "'stop'", "'\\\\0'",
            ].randomElement(using: &self) ?? "''"
        }

        private mutating func name() -> String { Self.names.randomElement(using: &self) ?? "a" }
        private mutating func function() -> String {
            Self.functions.randomElement(using: &self) ?? "type"
        }
    }
}
