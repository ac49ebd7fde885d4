// Errors across the boundary: values, places, tracebacks, causes.

import LuaBridge
import Testing

private struct Refused: Error, CustomStringConvertible {
    let reason: String
    var description: String { "refused: \(reason)" }
}

private final class Identity: Error, CustomStringConvertible {
    let description = "the very same"
}

/// A state with `fail(text)`, which throws, and `callback(f, ...)`, which calls f from Swift.
private func failingState() throws -> LuaState {
    let lua = try LuaState()
    try lua.setGlobal(
        "fail",
        to: lua.function("fail", [.optional("reason", .string, "no reason")]) {
            (args) throws -> Void in
            throw Refused(reason: try args["reason"])
        })
    try lua.setGlobal(
        "callback",
        to: lua.function("callback", [.required("f", .function), .optional("x", .any)]) { args in
            let f: LuaFunction = try args["f"]
            return try f.call(try args["x"] as LuaValue)
        })
    return lua
}

private func runtimeError(_ lua: LuaState, _ source: String) -> LuaRuntimeError? {
    do {
        try lua.run(source, name: "@t.lua")
        Issue.record("no error: \(source)")
    } catch LuaError.runtime(let info) {
        return info
    } catch {
        Issue.record("\(error)")
    }
    return nil
}

struct ErrorTests {
    @Test(arguments: [
        ("error('x')", "t.lua:1: x"),
        ("error('x', 0)", "x"),
        ("error({code = 1})", "(error object is a table value)"),
        ("error(setmetatable({}, {__tostring = function() return 'own' end}))", "own"),
        (
            "error(setmetatable({}, {__tostring = function() error('y') end}))",
            "(error object is a table value)"
        ),
        ("error(nil)", "(error object is a nil value)"),
        ("error()", "(error object is a nil value)"),
        ("error(12)", "12"),
        ("error(print)", "(error object is a function value)"),
        ("local x = nil + 1", "t.lua:1: attempt to perform arithmetic on a nil value"),
        ("fail('a')", "t.lua:1: refused: a"),
        ("\n\nfail()", "t.lua:3: refused: no reason"),
        ("pcall(error)\nfail()", "t.lua:2: refused: no reason"),
        ("return fail('tail')", "t.lua:1: refused: tail"),
        (
            "local t = setmetatable({}, {__index = function(_, k) fail(k) end})\nprint(t.x)",
            "t.lua:1: refused: x"
        ),
    ])
    func `the message is what lua would print, or the sentence with its place`(
        _ source: String, _ message: String
    ) throws {
        let lua = try failingState()
        defer { lua.close() }
        #expect(runtimeError(lua, source)?.message == message)
        #expect(lua.stackHeight == 0)
    }

    @Test func `what the script raised is what Swift and the script get`() throws {
        let lua = try failingState()
        defer { lua.close() }
        let info = try #require(runtimeError(lua, "error({code = 7})"))
        #expect(try info.value.table?.get("code", as: Int.self) == 7)
        // Through Swift, the script gets the same table, string, nil.
        try lua.run(
            """
            local t = {}
            for _, v in ipairs{ t, "text", 12, true, print } do
                local ok, e = pcall(callback, function() error(v, 0) end)
                assert(not ok and rawequal(e, v), tostring(e))
            end
            local ok, e = pcall(callback, function() error(nil) end)
            assert(not ok and e == nil)
            """)
        #expect(lua.stackHeight == 0)
    }

    @Test func `a Swift error is the first cause, however far it went`() throws {
        let lua = try failingState()
        defer { lua.close() }
        let identity = Identity()
        try lua.setGlobal(
            "same", to: lua.function("same") { (_) throws -> Void in throw identity })
        for source in [
            "same()",
            "local ok, e = pcall(same) error(e)",
            "local ok, e = pcall(same) error(e, 2)",
            "callback(same)",
            "callback(function() callback(function() same() end) end)",
            "local ok, e = pcall(callback, same) callback(function() error(e) end)",
            "xpcall(same, function(e) error(e) end) same()",
            "coroutine.wrap(function() same() end)()",
            "local co = coroutine.create(same) local ok, e = coroutine.resume(co) error(e)",
            "local t <close> = setmetatable({}, {__close = function(_, e) error(e) end}) same()",
            "callback(coroutine.wrap(function() callback(same) end))",
            "setmetatable({}, {__index = function() same() end}).x()",
            "for _ in same do end",
            "table.sort({1, 2, 3}, function() same() end)",
            "string.gsub('x', 'x', function() same() end)",
        ] {
            let info = runtimeError(lua, source)
            let cause = info?.cause.map { LuaError.firstCause(of: $0) }
            #expect(cause as? Identity === identity, "\(source)")
            #expect(info?.message.hasSuffix("the very same") == true, "\(source)")
            #expect(lua.stackHeight == 0, "\(source)")
        }
    }

    @Test func `the error object is one line, text-like and informative`() throws {
        let lua = try failingState()
        defer { lua.close() }
        try lua.run(
            """
            local ok, e = pcall(fail, 'a')
            ok, e = pcall(function() fail('b') end)
            assert(type(e) == 'userdata')
            assert(tostring(e) == 't.lua:2: refused: b', tostring(e))
            assert('<' .. e .. '>' == '<t.lua:2: refused: b>')
            assert(e .. 1 == 't.lua:2: refused: b1')
            assert(e.message == tostring(e) and e.traceback:find('stack traceback:', 1, true))
            assert(e:match('refused: (%w)') == 'b' and e:upper():find('REFUSED'))
            assert(e.code == nil and e[1] == nil)
            assert(not pcall(function() e.x = 1 end))
            """, name: "@t.lua")
        #expect(lua.stackHeight == 0)
    }

    @Test func `the traceback is the innermost one, without the host's frames`() throws {
        let lua = try failingState()
        defer { lua.close() }
        let source = """
            local function inner() error('deep') end
            local function outer() callback(inner) end
            callback(outer)
            """
        let info = try #require(runtimeError(lua, source))
        #expect(info.message == "t.lua:1: deep")
        let lines = info.traceback.split(separator: "\n").map(String.init)
        #expect(lines.first == "stack traceback:")
        for line in ["t.lua:1:", "t.lua:2:", "t.lua:3: in main chunk", "in function 'callback'"] {
            #expect(lines.contains { $0.contains(line) }, "\(line) in\n\(info.traceback)")
        }
        #expect(!lines.contains("\t[C]: in ?"))
        // The next error has its own.
        let next = try #require(runtimeError(lua, "\n\n\n\nerror('other')"))
        #expect(next.traceback.contains("t.lua:5: in main chunk"))
        #expect(!next.traceback.contains("t.lua:2:"))
        let swift = try #require(runtimeError(lua, "local function g() fail() end\ng()"))
        #expect(swift.traceback.contains("t.lua:2: in main chunk"))
        #expect(swift.traceback.contains("in function 'fail'"))
    }

    @Test func `a level blames the caller's caller`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        for level in 0...2 {
            try lua.setGlobal(
                "f\(level)",
                to: lua.function("f") { (_) throws -> Void in
                    throw LuaError.message("wrong", level: level)
                })
        }
        let source = "local function g()\n f%() \nend\n\ng()"
        func message(_ level: Int) -> String? {
            let chunk = source.split(separator: "%", maxSplits: 1).joined(separator: "\(level)")
            return runtimeError(lua, chunk)?.message
        }
        #expect(message(0) == "wrong")
        #expect(message(1) == "t.lua:2: wrong")
        #expect(message(2) == "t.lua:5: wrong")
    }

    @Test func `errors in finalizers, close and metamethods leave the state working`() throws {
        let lua = try failingState()
        defer { lua.close() }
        try lua.run(
            """
            for i = 1, 100 do setmetatable({}, { __gc = function() fail('gc') end }) end
            collectgarbage()
            local ok, e = pcall(function()
                local a <close> = setmetatable({}, { __close = function() fail('close') end })
                local b <close> = setmetatable({}, { __close = function() error('b') end })
            end)
            assert(not ok and tostring(e):find('refused: close'), tostring(e))
            local bad = setmetatable({}, {
                __tostring = function() fail('tostring') end, __len = function() fail('len') end,
                __eq = function() fail('eq') end, __concat = function() fail('concat') end })
            for _, f in ipairs{
                function() return tostring(bad) end, function() return #bad end,
                function() return bad == setmetatable({}, getmetatable(bad)) end,
                function() return bad .. 'x' end } do
                assert(not pcall(f))
            end
            local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end fail() end)
            assert(co() == 1 and co() == 2 and co() == 3 and not pcall(co))
            """)
        #expect(try lua.run("return 1 + 1", returning: Int.self) == 2)
        #expect(lua.stackHeight == 0)
    }

    @Test func `a callback cannot yield across Swift, and says so`() throws {
        let lua = try failingState()
        defer { lua.close() }
        try lua.run(
            """
            local co = coroutine.create(function() callback(coroutine.yield) end)
            local ok, e = coroutine.resume(co)
            assert(not ok and tostring(e):find('attempt to yield across'), tostring(e))
            """)
    }

    @Test func `a chunk that ends too early is incomplete, a wrong one is not`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        func isIncomplete(_ source: String) -> Bool? {
            do {
                _ = try lua.load(source, name: "=t")
                return nil
            } catch LuaError.syntax(_, let incomplete) {
                return incomplete
            } catch {
                Issue.record("\(error)")
                return nil
            }
        }
        #expect(isIncomplete("for i = 1, 2 do") == true)
        #expect(isIncomplete("x = {") == true)
        #expect(isIncomplete("x = [[abc") == true)
        #expect(isIncomplete("x = = 1") == false)
        #expect(isIncomplete("x = 'abc\ny'") == false)
        #expect(isIncomplete("x = 1") == nil)
        #expect(lua.stackHeight == 0)
    }

    @Test func `bytecode is refused`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let code: LuaString = try lua.run("return string.dump(function() end)")
        #expect(throws: LuaError.self) {
            try code.bytes.withUnsafeBytes { _ = try lua.load(bytes: $0, name: "=t") }
        }
    }

    @Test func `deep recursion ends in an error on either side`() throws {
        let lua = try failingState()
        defer { lua.close() }
        let stack = try #require(runtimeError(lua, "local function f() return 1 + f() end f()"))
        #expect(stack.message.contains("stack overflow"))
        do {
            try lua.run("local function f() return callback(f) end f()")
            Issue.record("no error")
        } catch {
            #expect("\(error)".contains("stack overflow"), "\(error)")
        }
        #expect(try lua.run("return 1", returning: Int.self) == 1)
        #expect(lua.stackHeight == 0)
    }
}
