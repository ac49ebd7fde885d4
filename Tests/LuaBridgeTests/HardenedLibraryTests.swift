// States for untrusted scripts: the library functions that replace standard ones give the same
// results, and everything ends at the limits.

import LuaBridge
import Testing

@Suite struct HardenedLibraryTests {
    /// Calls functions with arguments drawn from a seed and returns what came out, as text.
    private static let drawn = """
        local seed, count = ...
        local function random(n) -- xorshift, the same in every state
          seed = seed ~ (seed << 13); seed = seed ~ (seed >> 7); seed = seed ~ (seed << 17)
          return (seed & 0x7fffffff) % n + 1
        end
        local function pick(list) return list[random(#list)] end
        local pieces = { "a", "b", "c", ".", "%a", "%d", "%s", "%w", "%A", "%p", "[ab]", "[^a]", "[a-c]",
          "[%a_]", "[]]", "[^]]", "[a", "%", "%b()", "%b", "%f[%w]", "%f", "(", ")", "()", "%1", "%2", "%0",
          "*", "+", "-", "?", "^", "$", "%%", "]", "x", "(a)", "(.-)", "(%w+)", "\\0", "[\\0-b]", "[a-]",
          "[%]]", "%g", "%x", "%u", "%l", "%c", "%." }
        local texts = { "", "a", "ab", "aab", "hello world", "(a(b)c)", "key = value", "a,b,,c", "x1y22z333",
          "aaaaaaaa", "\\0a\\0b", "THE (quick) fox", "]^-", "%1", "  trim  ", "abcabcabc", "1.5e10" }
        local function pattern()
          local parts = {}
          for i = 1, random(5) do parts[i] = pick(pieces) end
          return table.concat(parts)
        end
        local function text()
          return random(2) == 1 and pick(texts) or pick(texts) .. pick(texts)
        end
        local replacements = { "", "x", "<%0>", "%1%1", "%2", "%%", "%", "%a", 7, { a = "A", b = false, c = 3 },
          function(...) return select("#", ...) end, function() return nil end,
          function() return {} end, { a = {} }, true }
        local function show(...)
          local list = { n = select("#", ...), ... }
          for i = 1, list.n do list[i] = math.type(list[i]) and list[i] .. "" or tostring(list[i]) end
          return table.concat(list, "|", 1, list.n)
        end
        local lines = {}
        local function add(name, ...) lines[#lines + 1] = name .. ": " .. show(pcall(...)) end
        for i = 1, count do
          local s, p, init = text(), pattern(), random(3) == 1 and random(24) - 12 or nil
          local name = string.format("%q %q %s", s, p, init)
          add("find " .. name, string.find, s, p, init, random(6) == 1)
          add("match " .. name, string.match, s, p, init)
          add("gsub " .. name, string.gsub, s, p, pick(replacements), random(4) == 1 and random(4) or nil)
          add("gmatch " .. name, function()
            local all = {}
            for a, b in string.gmatch(s, p, init) do
              all[#all + 1] = tostring(a) .. "," .. tostring(b)
              if #all > 40 then break end
            end
            return table.concat(all, ";")
          end)
          local t = {}
          for j = 1, random(6) - 1 do t[j] = j end
          local place = random(10) - 3
          add("insert " .. #t .. " " .. place, function()
            table.insert(t, place, "x")
            return show(table.unpack(t, 1, 8))
          end)
          add("remove " .. #t .. " " .. place, function()
            -- Which argument the message names depends on the release of Lua.
            local ok, gone = pcall(table.remove, t, random(3) > 1 and place or nil)
            return show(ok, ok and gone, table.unpack(t, 1, 8))
          end)
          add("move", function()
            return show(table.unpack(table.move(t, random(5) - 2, random(6) - 1, random(6)), 1, 9))
          end)
        end
        add("insert", table.insert, {}) add("insert", table.insert, {}, 1, 2, 3)
        add("insert", table.insert, 7, 1) add("insert", table.insert, {}, "x", 1)
        add("rep", string.rep, "ab", 3, "-") add("rep", string.rep, "", 5, ",")
        add("rep", string.rep, "x", -1) add("find", string.find, "a") add("gsub", string.gsub, "a", "b")
        add("load", function() return load("return ...", "=x", "bt", {})(4) end)
        add("load", load, "x x", "=x") add("load", load, "return y", "=x", "t", { y = 1 })
        add("sort", function() local t = { 3, 1, 2 } table.sort(t) return show(table.unpack(t)) end)
        add("sort", function() local t = { 3, 1, 2 }
          table.sort(t, function(a, b) return a > b end) return show(table.unpack(t)) end)
        add("sort", table.sort, { 1, "x" })
        add("xpcall", xpcall, function(...) return ... end, print, 1, nil, 3)
        add("xpcall", xpcall, error, function(e) return e .. "!" end, "oh")
        add("wrap", coroutine.wrap(function(...) local a = coroutine.yield(...) error(a, 0) end), 1, 2)
        local w = coroutine.wrap(function(a) return coroutine.yield(a) end)
        add("wrap", w, 1) add("wrap", w, 2) add("wrap", w)
        local failing = coroutine.wrap(function() error("in it") end)
        add("wrap", failing)
        local thread = coroutine.create(function() coroutine.yield() end)
        coroutine.resume(thread)
        add("close", coroutine.close, thread)
        add("yield", coroutine.wrap(function()
          return xpcall(function() return coroutine.yield("across") end, print) end))
        return table.concat(lines, "\\n")
        """

    @Test(arguments: 1...8) func `functions give what the standard ones give`(seed: Int) throws {
        func lines(hardened: Bool) throws -> [Substring] {
            let lua = try LuaState()
            defer { lua.close() }
            if hardened { try lua.hardenLibraries() }
            let text: String = try lua.load(Self.drawn, name: "=drawn").call(
                seed * 7_919_173, 600)
            return text.split(separator: "\n", omittingEmptySubsequences: false)
        }
        let (standard, hardened) = (try lines(hardened: false), try lines(hardened: true))
        #expect(standard.count == hardened.count)
        let differing = zip(standard, hardened).filter {
            Self.addressless($0) != Self.addressless($1)
        }
        #expect(differing.isEmpty, "\(differing.prefix(5))")
    }

    /// Functions and tables print an address.
    private static func addressless(_ line: Substring) -> String {
        line.split(separator: "0x").enumerated().map {
            String($0.offset == 0 ? $0.element : $0.element.drop { $0.isHexDigit })
        }.joined(separator: "0x")
    }

    /// Each would run for years, or for ever, if only Lua's own instructions counted, or if Lua
    /// were let run code with hooks off.
    private static let endless = [
        "while true do end",
        "while true do pcall(error) end",
        "repeat until pcall(function() while true do end end) and false",
        "for i = 1, math.huge do pcall(pcall, error) end",
        "coroutine.wrap(function() while true do end end)()",
        "while true do local co = coroutine.create(function() while true do end end) coroutine.resume(co) end",
        "local function f() while true do pcall(coroutine.wrap(f)) end end f()",
        "xpcall(function() while true do end end, function() while true do end end)",
        "xpcall(error, function() while true do end end)",
        "while true do xpcall(error, function() error('again') end) end",
        "coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end })"
            + " while true do end end)()",
        "local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function()"
            + " while true do end end }) while true do end end) coroutine.resume(co) coroutine.close(co)",
        "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
        "string.find(string.rep('a', 40), string.rep('a-', 40) .. 'b')",
        "string.match(string.rep('a', 40), string.rep('a*', 40) .. 'b')",
        "string.gsub(string.rep('a', 60), string.rep('(a?)', 30) .. string.rep('a*', 20) .. 'b', '')",
        "for _ in string.gmatch(string.rep('x', 200), string.rep('.-', 60) .. 'y') do end",
        "string.find(string.rep('a', 1 << 20), string.rep('a', 1 << 19) .. 'b', 1, true)"
            + " while true do string.find(string.rep('a', 1 << 20), 'b', 1, true) end",
        "table.move({}, 1, math.maxinteger - 1, 2)",
        "table.move({}, 1, math.maxinteger - 1, 1, {})",
        "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
        "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
        "local t = {} for i = 0, 61 do t[1 << i] = 1 end table.insert(t, 1, 1) while true do end",
        "while true do local s = string.rep('x', 1 << 20) .. 'y' end",
        "while true do local s = ('x'):rep(1000) s = s:upper() s = s:reverse() end",
        "while true do table.unpack({}, 1, 900000) end",
        "local s = ('x'):rep(1 << 20) while true do utf8.len(s) end",
        "local s = ('x'):rep(1 << 20) while true do s:byte(1, 900000) end",
        "local s = (' '):rep(1 << 20) while true do tonumber(s) end",
        "while true do collectgarbage() end",
        "load(function() while true do end end)",
        "load(function() return ' ' end)",
        "local _ = setmetatable({}, { __index = function() while true do end end }).x",
        "local t = setmetatable({}, { __index = function(t, k) return t[k + 1] end }) while true do pcall(function() return t[1] end) end",
        "tostring(setmetatable({}, { __tostring = function() while true do end end }))",
        "goto a ::a:: goto a",
    ]

    @Test(arguments: endless) func `nothing outlives the instruction limit`(source: String) throws {
        let lua = try LuaState(memoryLimit: 32 << 20)
        defer { lua.close() }
        lua.instructionLimit = 3_000_000
        try lua.hardenLibraries()
        do {
            try lua.run(source)
            Issue.record("it ended by itself")
        } catch {
            switch LuaError.firstCause(of: error) {
            case LuaError.instructionLimit, LuaError.memory: break
            default: Issue.record("\(error)")
            }
        }
        // The state lives on when it is given more.
        lua.instructionLimit = 3_000_000
        #expect(try lua.run("return 1 + 1", returning: Int.self) == 2)
    }

    @Test func `errors name the line and the function as ever`() throws {
        func message(_ source: String, hardened: Bool) throws -> String {
            let lua = try LuaState()
            defer { lua.close() }
            if hardened { try lua.hardenLibraries() }
            do {
                return try lua.run(source, name: "=x").typeName
            } catch {
                return "\(error)"
            }
        }
        for call in [
            "string.rep()", "('x'):rep({})", "string.rep('x', 1 << 62, 'y')", "string.byte()",
            "string.format('%d', 'x')", "('x'):format(1, 2)", "string.upper()", "utf8.len(nil)",
            "utf8.codepoint('x', 9)", "table.unpack()", "table.unpack({}, 1, 1e8)", "table.move(1)",
            "table.sort({ 3, 1, 'x' })", "setmetatable(1, {})", "load()", "tonumber({}, 99)",
            "tonumber('9', 8)", "collectgarbage('x')", "string.unpack('i4', 'x')",
        ] {
            let source = "\nlocal x = \(call)"
            #expect(
                try message(source, hardened: true) == message(source, hardened: false), "\(call)")
        }
    }

    @Test func `a Swift loop around C functions ends, too`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        lua.instructionLimit = 1_000_000
        try lua.hardenLibraries()
        let random: LuaFunction = try lua.run("return math.random")
        #expect(throws: LuaError.self) { while true { try random.call() } }
    }

    @Test func `empty texts are repeated at once`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        try lua.hardenLibraries()
        #expect(try lua.run("return #string.rep('', 1 << 60, '')", returning: Int.self) == 0)
    }

    @Test func `finalizers, bytecode and lengths of one's own are refused by name`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let bytecode: LuaString = try lua.run(
            "return string.dump(function() return 1 end)", returning: LuaString.self)
        try lua.hardenLibraries()
        try lua.setGlobal("bytecode", to: bytecode)
        for (source, message) in [
            (
                "setmetatable({}, { __gc = function() end })",
                "setmetatable: __gc is not allowed in the sandbox"
            ),
            (
                "table.sort(setmetatable({}, { __len = function() return 1 << 30 end }), rawequal)",
                "table.sort takes no tables with __len in the sandbox"
            ),
            ("assert(load(bytecode))", "attempt to load a binary chunk (mode is 't')"),
            (
                "assert(load(bytecode, 'x', 'b'))",
                "load: bytecode is not allowed in the sandbox"
            ),
            (
                "assert(load(function() local b = bytecode bytecode = nil return b end, 'x', 'bt'))",
                "attempt to load a binary chunk (mode is 't')"
            ),
        ] {
            do {
                try lua.run(source, name: "=x")
                Issue.record("\(source) ran")
            } catch {
                #expect("\(error)".hasSuffix(message), "\(error)")
            }
        }
    }
}
