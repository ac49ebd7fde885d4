// Limits: memory, allocation failures at every point, interruption, and flat memory in the long run.

import LuaBridge
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Resident memory in bytes.
private func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var pages: (Int, Int) = (0, 0)
    _ = withUnsafeMutablePointer(to: &pages.0) { total in
        withUnsafeMutablePointer(to: &pages.1) { resident in
            withVaList([total, resident]) { vfscanf(file, "%ld %ld", $0) }
        }
    }
    return pages.1 * 4096
}

@Suite(.serialized) struct MemoryTests {
    // In a process of their own: the other tests change its memory, too.
    @Test func `a million calls each way leave memory flat`() async {
        await #expect(processExitsWith: .success) { try Self.millionCalls() }
    }

    @Test func `a hundred thousand caught errors leave memory flat`() async {
        await #expect(processExitsWith: .success) { try Self.manyErrors() }
    }

    private static func millionCalls() throws {
        let lua = try LuaState()
        defer { lua.close() }
        try lua.setGlobal(
            "add",
            to: lua.function("add", [.required("a", .integer), .required("b", .integer)]) { args in
                try (args["a"] as Int) + args["b"]
            })
        try lua.setGlobal(
            "join",
            to: lua.function("join", [.required("a", .string), .keyword("b", .string, "")]) {
                args in try (args["a"] as String) + args["b"]
            })
        let loop = "local s = 0 for i = 1, %d do s = add(s, i) join('x', {b = 'y'}) end return s"
        func calls(_ count: Int) throws -> Int {
            let parts = loop.split(separator: "%d")
            return try lua.run("\(parts[0])\(count)\(parts[1])", returning: Int.self)
        }
        #expect(try calls(50_000) == 50_000 * 50_001 / 2)
        try lua.collectGarbage()
        let (bytes, resident) = (lua.memoryUsed, residentBytes())
        #expect(try calls(1_000_000) == 1_000_000 * 1_000_001 / 2)
        try lua.collectGarbage()
        #expect(lua.memoryUsed - bytes < 16 << 10)
        #expect(residentBytes() - resident < 8 << 20)

        let callback: LuaFunction = try lua.run(
            "return function(i, text) return { i = i, text = text .. '!' } end")
        for phase in 0..<2 {
            let (bytes, resident) = (lua.memoryUsed, residentBytes())
            for i in 0..<(phase == 0 ? 50_000 : 1_000_000) {
                let table: LuaTable = try callback.call(i, "text")
                if i % 100_000 == 0 { #expect(try table.get("i", as: Int.self) == i) }
            }
            try lua.collectGarbage()
            if phase == 1 {
                #expect(lua.memoryUsed - bytes < 16 << 10)
                #expect(residentBytes() - resident < 8 << 20)
            }
        }
        #expect(lua.stackHeight == 0)
    }

    private static func manyErrors() throws {
        let lua = try LuaState()
        defer { lua.close() }
        try lua.setGlobal(
            "fail",
            to: lua.function("fail", [.required("i", .integer)]) { (args) throws -> Void in
                throw LuaError.message("no \(try args["i"] as Int)")
            })
        let function: LuaFunction = try lua.run(
            """
            return function(n)
                local count = 0
                for i = 1, n do
                    local ok, e = pcall(fail, i)
                    if not ok and tostring(e):find("no " .. i, 1, true) then count = count + 1 end
                    if not pcall(fail, "x") then count = count + 1 end
                end
                return count
            end
            """)
        #expect(try function.call(10_000) == 20_000)
        try lua.collectGarbage()
        let (bytes, resident) = (lua.memoryUsed, residentBytes())
        #expect(try function.call(50_000) == 100_000)
        let raise: LuaFunction = try lua.run("return function(i) error('x' .. i) end")
        var caught = 0
        for i in 0..<50_000 {
            do { try raise.call(i) } catch { caught += 1 }
        }
        #expect(caught == 50_000)
        try lua.collectGarbage()
        #expect(lua.memoryUsed - bytes < 64 << 10)
        #expect(residentBytes() - resident < 8 << 20)
        #expect(lua.stackHeight == 0)
    }

    @Test func `the memory limit is an error on both sides, and the state survives`() throws {
        let lua = try LuaState(memoryLimit: 2 << 20)
        defer { lua.close() }
        try lua.setGlobal(
            "callback",
            to: lua.function("callback", [.required("f", .function)]) { args in
                try (args["f"] as LuaFunction).call()
            })
        let hungry = "local t = {} for i = 1, 1e7 do t[i] = { i } end"
        for source in [
            hungry, "callback(function() \(hungry) end)",
            "coroutine.wrap(function() \(hungry) end)()",
            "local s = 'x' while true do s = s .. s end",
        ] {
            do {
                try lua.run(source)
                Issue.record("no error")
            } catch LuaError.memory {
            } catch {
                Issue.record("\(error) for \(source)")
            }
            #expect(lua.stackHeight == 0)
            #expect(lua.memoryUsed <= 2 << 20)
        }
        #expect(throws: LuaError.self) {
            try lua.setGlobal("big", to: String(repeating: "x", count: 4 << 20))
        }
        #expect(throws: LuaError.self) {
            try lua.setGlobal("big", to: [Double](repeating: 0, count: 1 << 20))
        }
        #expect(
            try lua.run(
                """
                local ok, e = pcall(function() \(hungry) end)
                return tostring(e)
                """, returning: String.self) == "not enough memory")
        lua.memoryLimit = 0
        #expect(try lua.run("return #string.rep('x', 4e6)", returning: Int.self) == 4_000_000)
    }

    /// Everything a binding does, in small.
    private static func workload(_ lua: LuaState) throws {
        try lua.preload("things") { _ in
            LuaModule("things").class(counterClass()).constant("LIST", ["a", "b"])
        }
        try lua.setGlobal(
            "callback",
            to: lua.function(
                "callback", [.required("f", .function), .keyword("text", .string, "default")]
            ) { args in
                let f: LuaFunction = try args["f"]
                let table: LuaTable = try f.call(["a": [1.0, 2.0]], try args["text"] as String)
                try table.set("more", ["x", "y"])
                return LuaResults(table, "second")
            })
        let result: LuaTable = try lua.run(
            """
            local things = require "things"
            local c = things.Counter(3, { label = "x" })
            assert(c.label == "x" and #c == 3 and c[1] == 10 and tostring(c) == "Counter(3)")
            local t = callback(function(m, text) return { m = m.a[2], text = text .. "!" } end,
                { text = "given by name" })
            assert(t.m == 2 and t.more[2] == "y")
            local caught = 0
            for _, f in ipairs{
                function() c:add("x") end, function() things.Countr() end,
                function() error({ code = 1 }) end, function() callback(error) end,
                coroutine.wrap(function() coroutine.yield(1) c.x = 1 end),
                function() callback(function() return c:nothing() end) end } do
                local ok, e = pcall(f)
                if not ok then caught = caught + 1; local _ = "" .. tostring(e) end
            end
            local d <close> = things.Counter(1)
            setmetatable({}, { __gc = function() c:add(1) end })
            collectgarbage()
            return { caught = caught }
            """)
        // Five errors, and perhaps one "not enough memory" in the function that has none.
        #expect(5...6 ~= (try result.get("caught", as: Int.self)))
        #expect(try lua.run("return {1, {2}, 'x'}", returning: [LuaValue].self).count == 3)
        #expect(try lua.globals.pairs().count > 10)
    }

    @Test(arguments: [Int.max, 2])
    func `an allocation that fails anywhere is an error and nothing else`(_ count: Int) throws {
        let before = Counter.alive
        var failures = 0
        var n = 1
        while true {
            let lua = try LuaState()
            lua.failAllocations(from: n, count: count)
            var isDone = false
            do {
                try Self.workload(lua)
                isDone = lua.allocationCount < n
            } catch {
                failures += 1
            }
            #expect(lua.stackHeight == 0, "allocation \(n)")
            lua.failAllocations(from: 0)
            if n % 16 == 0 {  // the state still works
                #expect(try lua.run("return 'alive'", returning: String.self) == "alive")
            }
            lua.close()
            if isDone { break }
            n += 1
            #expect(n < 100_000)
            if n >= 100_000 { break }
        }
        #expect(failures > 200)
        #expect(Counter.alive == before)
    }

    @Test func `a state that can't be made is an error`() throws {
        var n = 1
        while n < 10_000 {
            do {
                let lua = try LuaState(libraries: .all, memoryLimit: 0, failingFrom: n)
                lua.close()
                break
            } catch LuaError.memory {
                n += 1
            }
        }
        #expect(n > 100 && n < 10_000)
    }

    @Test(arguments: [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.wrap(function() while true do end end)()",
        "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do co() end",
        "while true do pcall(coroutine.wrap(function() while true do end end)) end",
        "callback(function() while true do end end)",
        "while true do pcall(callback, function() while true do end end) end",
    ])
    func `an endless loop can be interrupted`(_ source: String) throws {
        let lua = try LuaState()
        defer { lua.close() }
        try lua.setGlobal(
            "callback",
            to: lua.function("callback", [.required("f", .function)]) { args in
                try (args["f"] as LuaFunction).call()
            })
        let timer = Timer { lua.interrupt() }
        do {
            try lua.run(source, name: "@t.lua")
            Issue.record("no error")
        } catch {
            #expect(LuaError.isInterrupt(error), "\(error)")
            #expect("\(error)".hasSuffix("interrupted!"))
            #expect(LuaError.traceback(of: error).contains("in main chunk"))
        }
        timer.join()
        lua.resetInterrupt()
        #expect(try lua.run("for i = 1, 1e5 do end return 1", returning: Int.self) == 1)
        #expect(lua.stackHeight == 0)
    }

    @Test func `the instruction limit stops a script, and can be raised`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        lua.instructionLimit = 100_000
        do {
            try lua.run("while true do pcall(function() while true do end end) end")
            Issue.record("no error")
        } catch {
            guard case .instructionLimit? = LuaError.firstCause(of: error) as? LuaError else {
                Issue.record("\(error)")
                return
            }
        }
        lua.instructionLimit = 10_000_000
        #expect(try lua.run("for i = 1, 1e5 do end return 1", returning: Int.self) == 1)
        lua.instructionLimit = 0
        #expect(try lua.run("for i = 1, 1e6 do end return 2", returning: Int.self) == 2)
    }
}

/// Runs `body` on another thread after a moment.
private final class Timer: @unchecked Sendable {
    private var thread = pthread_t()
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
        pthread_create(
            &thread, nil,
            { pointer in
                usleep(20_000)
                guard let pointer else { return nil }
                Unmanaged<Timer>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
    }

    func join() { pthread_join(thread, nil) }
}
