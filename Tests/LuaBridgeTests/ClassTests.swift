// Swift classes in Lua.

import LuaBridge
import Testing

final class Counter: LuaObject {
    var count: Int
    var label: String?
    var isClosed = false
    nonisolated(unsafe) static var alive = 0

    init(_ count: Int) {
        self.count = count
        Counter.alive += 1
    }
    deinit { Counter.alive -= 1 }
}

func counterClass() -> LuaClass<Counter> {
    LuaClass<Counter>("Counter", doc: "Counts things.")
        .constructor([
            .optional("start", .integer, 0, range: .atLeast(0), "First count."),
            .keyword("label", .string),
        ]) { args in
            let counter = Counter(try args["start"])
            counter.label = try args["label"]
            return counter
        }
        .property("count", .integer, get: { $0.count }, set: { $0.count = $1 })
        .property("label", .string, get: { $0.label }, set: { $0.label = $1 })
        .property("double", .integer, get: { $0.count * 2 })
        .method("add", [.required("n", .integer)]) { counter, args in
            counter.count += try args["n"]
            return counter.count
        }
        .method("reset") { counter, _ in counter.count = 0 }
        .method("itself") { counter, _ in counter }
        .staticFunction("parse", [.required("text", .string)]) { args in
            let text: String = try args["text"]
            guard let count = Int(text) else {
                throw args.invalid("text", "'\(text)' is not a number")
            }
            return Counter(count)
        }
        .index { counter, key in
            guard let i = key.integer else { return nil }
            return i >= 1 && i <= counter.count ? i * 10 : LuaValue.nil
        }
        .newIndex { counter, key, value in
            guard key.integer == 1, let count = value.integer else { return false }
            counter.count = count
            return true
        }
        .length { $0.count }
        .tostring { "Counter(\($0.count))" }
        .call([.required("n", .integer)]) { counter, args in try args["n"] + counter.count }
        .pairs { counter in
            var i = 0
            return AnyIterator {
                guard i < counter.count else { return nil }
                i += 1
                return (i, i * 10)
            }
        }
        .operator(.add) { a, b in
            (a.object(as: Counter.self)?.count ?? a.integer ?? 0)
                + (b.object(as: Counter.self)?.count ?? b.integer ?? 0)
        }
        .close { $0.isClosed = true }
}

/// A state with the module `things` preloaded as a global.
func stateWithCounter() throws -> LuaState {
    let lua = try LuaState()
    try lua.preload("things") { _ in LuaModule("things").class(counterClass()) }
    try lua.run("things = require 'things'", name: "=setup")
    return lua
}

/// Runs a chunk that must fail; the first line of its message.
func failure(_ lua: LuaState, _ source: String) -> String {
    do {
        try lua.run(source, name: "=t")
        return "no error"
    } catch {
        return "\(error)"
    }
}

@Suite(.serialized) struct ClassTests {
    @Test func `fields, methods and operators reach the Swift object`() throws {
        let lua = try stateWithCounter()
        defer { lua.close() }
        try lua.run(
            """
            local Counter = things.Counter
            local c = Counter(3, { label = "x" })
            assert(c.count == 3 and c.double == 6 and c.label == "x")
            c.count = 5
            c.label = nil
            assert(c.count == 5 and c.label == nil and #c == 5)
            assert(c:add(2) == 7 and c:add{ n = 1 } == 8)
            assert(c[2] == 20 and c[9] == nil)
            c[1] = 2
            assert(tostring(c) == "Counter(2)" and c(40) == 42)
            local seen = {}
            for i, v in pairs(c) do seen[i] = v end
            assert(#seen == 2 and seen[2] == 20)
            local n = 0
            for i, v in ipairs(c) do n = n + v end
            assert(n == 30)
            assert(c + 1 == 3 and 1 + c == 3 and c + c == 4)
            assert(c == c:itself() and c ~= Counter(2))
            local set = { [c] = true }
            assert(set[c:itself()])
            assert(Counter.parse("12").count == 12)
            assert(tostring(Counter) == "class Counter")
            assert(tostring(things) == "module 'things'")
            c:reset()
            assert(#c == 0)
            """, name: "=test")
        #expect(lua.stackHeight == 0)
    }

    @Test(arguments: [
        ("things.Counter('x')", "t:1: Counter: start: expected integer, got string"),
        ("things.Counter(1.5)", "t:1: Counter: start: expected integer, got 1.5"),
        ("things.Counter(-1)", "t:1: Counter: start: must be at least 0, got -1"),
        (
            "things.Counter{lable = 'x'}",
            "t:1: Counter: unknown argument 'lable'; did you mean 'label'?"
        ),
        ("things.Counter(1, {start = 2})", "t:1: Counter: argument 'start' is given twice"),
        (
            "things.Counter(1, 'x')",
            "t:1: Counter: expected at most 1 positional arguments, got 2"
        ),
        ("things.Counter():add()", "t:1: add: missing argument 'n'"),
        ("things.Counter():add(1, {2})", "t:1: add: expected named arguments, got one at [1]"),
        ("things.Counter().add({}, 1)", "t:1: add: expected Counter, got table; call with ':'"),
        ("things.Counter().add()", "t:1: add: expected Counter, got no value; call with ':'"),
        (
            "print(things.Counter().cuont)",
            "t:1: Counter: unknown field 'cuont'; did you mean 'count'?"
        ),
        (
            "things.Counter().cuont = 1",
            "t:1: Counter: unknown field 'cuont'; did you mean 'count'?"
        ),
        ("things.Counter().double = 1", "t:1: Counter: field 'double' is read-only"),
        ("things.Counter().count = 'x'", "t:1: Counter: count: expected integer, got string"),
        ("things.Counter().add = 1", "t:1: Counter: method 'add' can't be replaced"),
        (
            "things.Countr()",
            "t:1: module 'things': unknown field 'Countr'; did you mean 'Counter'?"
        ),
        (
            "things.Counter.prase('1')",
            "t:1: Counter: unknown field 'prase'; did you mean 'parse'?"
        ),
        ("things.Counter.parse('x')", "t:1: parse: text: 'x' is not a number"),
        ("local c = things.Counter() c:close() c:add(1)", "t:1: Counter: used after close"),
        ("local c = things.Counter() c:close() print(c.count)", "t:1: Counter: used after close"),
    ])
    func `a wrong use says what, where and what would be right`(
        _ source: String, _ message: String
    ) throws {
        let lua = try stateWithCounter()
        defer { lua.close() }
        #expect(failure(lua, source) == message)
        #expect(lua.stackHeight == 0)
    }

    @Test func `an object is released exactly once`() throws {
        let before = Counter.alive
        let lua = try stateWithCounter()
        try lua.run(
            """
            for i = 1, 100 do things.Counter(i) end
            local c <close> = things.Counter(1)
            kept = things.Counter(2)
            closed = things.Counter(3); closed:close(); closed:close()
            """)
        try lua.collectGarbage()
        #expect(Counter.alive == before + 1)
        lua.close()
        #expect(Counter.alive == before)
    }
}
