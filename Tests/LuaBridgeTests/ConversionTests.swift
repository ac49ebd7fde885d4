// FromLua and IntoLua: every Swift type there and back.

import LuaBridge
import Testing

/// What Lua makes of a Swift value, and Swift of that.
private func roundTrip<V: FromLua & IntoLua>(_ value: V, _ check: String) throws -> V {
    let lua = try LuaState()
    defer { lua.close() }
    try lua.setGlobal("v", to: value)
    try lua.run("assert(\(check), tostring(v))")
    let result: V = try lua.globals.get("v")
    #expect(lua.stackHeight == 0)
    return result
}

struct ConversionTests {
    @Test func `integers and floats stay apart`() throws {
        #expect(try roundTrip(3, "math.type(v) == 'integer' and v == 3") == 3)
        #expect(try roundTrip(3.0, "math.type(v) == 'float' and v == 3") == 3)
        #expect(try roundTrip(Int.max, "v == math.maxinteger") == .max)
        #expect(try roundTrip(Int.min, "v == math.mininteger") == .min)
        #expect(try roundTrip(Float(0.5), "v == 0.5") == 0.5)
        #expect(try roundTrip(UInt8(255), "v == 255") == 255)
        let lua = try LuaState()
        defer { lua.close() }
        guard case .integer(3) = try lua.run("return 3"),
            case .number(3) = try lua.run("return 3.0")
        else {
            Issue.record("3 and 3.0 must differ as LuaValue")
            return
        }
        #expect(try lua.run("return 1e15", returning: Int.self) == 1_000_000_000_000_000)
        #expect(try lua.run("return 7", returning: Double.self) == 7)
    }

    @Test func `booleans, nil and optionals`() throws {
        #expect(try roundTrip(true, "v == true"))
        #expect(try !roundTrip(false, "v == false"))
        #expect(try roundTrip(Int?.none, "v == nil") == nil)
        #expect(try roundTrip(Int?.some(4), "v == 4") == 4)
    }

    @Test(arguments: ["", "abc", "a\0b", "žluťoučký 🦊", String(repeating: "x", count: 100_000)])
    func `text survives`(_ text: String) throws {
        #expect(try roundTrip(text, "#v == \(text.utf8.count)") == text)
    }

    @Test func `strings are bytes, and text only when valid UTF-8`() throws {
        let all = LuaString(bytes: Array(0...255))
        #expect(try roundTrip(all, "#v == 256 and v:byte(256) == 255") == all)
        #expect(all.text == nil)
        #expect(throws: LuaError.self) {
            let lua = try LuaState()
            defer { lua.close() }
            let _: String = try lua.run("return '\\xff'")
        }
    }

    @Test func `sequences start at 1`() throws {
        #expect(try roundTrip([10, 20], "#v == 2 and v[1] == 10 and v[2] == 20") == [10, 20])
        #expect(try roundTrip([1.5, 2], "math.type(v[2]) == 'float'") == [1.5, 2])
        #expect(try roundTrip([Float](), "#v == 0") == [])
        #expect(try roundTrip(["a", "b"], "v[2] == 'b'") == ["a", "b"])
        #expect(try roundTrip([[1], [2, 3]], "v[2][2] == 3") == [[1], [2, 3]])
        #expect(try roundTrip([true, false], "v[1] and not v[2]") == [true, false])
    }

    @Test func `tables with string keys`() throws {
        let metrics = ["eval_loss": 0.5, "eval_sts-dev_spearman_cosine": 0.8]
        #expect(try roundTrip(metrics, "v['eval_loss'] == 0.5") == metrics)
    }

    @Test(arguments: [
        ("'3'", "expected number, got string"),
        ("true", "expected number, got boolean"),
        ("nil", "expected number, got nil"),
        ("{}", "expected number, got table"),
        ("print", "expected number, got function"),
        ("io.stdout", "expected number, got FILE*"),
        ("coroutine.create(print)", "expected number, got thread"),
    ])
    func `nothing is converted behind the script's back`(
        _ source: String, _ message: String
    ) throws {
        let lua = try LuaState()
        defer { lua.close() }
        #expect(throws: LuaError.self) {
            do {
                let _: Double = try lua.run("return \(source)")
            } catch {
                #expect("\(error)" == "result: \(message)")
                throw error
            }
        }
        #expect(lua.stackHeight == 0)
    }

    @Test func `an error in a container says where`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        func message<V: FromLua>(_ source: String, _ type: V.Type) -> String {
            do {
                _ = try lua.run("return \(source)", returning: type)
                return "none"
            } catch { return "\(error)" }
        }
        #expect(
            message("{'a', 'b', 3}", [String].self) == "result[3]: expected string, got number")
        #expect(
            message("{{1}, {1, 'x'}}", [[Int]].self) == "result[2][2]: expected integer, got string"
        )
        #expect(
            message("{a = 1, b = 'x'}", [String: Int].self)
                == "result.b: expected integer, got string")
        #expect(message("{[1] = 2}", [String: Int].self).contains("string keys"))
        #expect(message("{a = 1}", [Int].self).contains("expected sequence"))
        #expect(message("1.5", Int.self) == "result: expected integer, got 1.5")
        #expect(message("300", UInt8.self) == "result: must be between 0 and 255, got 300")
        #expect(message("'\\xff'", String.self) == "result: the string is not valid UTF-8")
        #expect(lua.stackHeight == 0)
    }

    @Test func `unsigned numbers beyond Lua's range are refused`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        #expect(throws: LuaError.self) { try lua.setGlobal("v", to: UInt64.max) }
        #expect(lua.stackHeight == 0)
    }

    @Test func `every kind of value comes back the same`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let same: LuaFunction = try lua.run(
            "return function(v, w) return rawequal(v, w) end")
        for source in [
            "nil", "true", "7", "7.5", "'text'", "{}", "print", "io.stdout",
            "coroutine.create(print)",
        ] {
            let value: LuaValue = try lua.run("kept = \(source) return kept")
            let kept: LuaValue = try lua.globals.get("kept")
            let isSame: Bool = try same.call(value, kept)
            #expect(isSame, "\(source)")
        }
        #expect(lua.stackHeight == 0)
    }

    @Test func `tables can be read and written`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let table = try lua.table()
        try table.set("a", 1)
        try table.set(1, "x")
        try table.set(2, [1, 2])
        #expect(try table.count == 2)
        #expect(try table.get("a", as: Int.self) == 1)
        #expect(try table.get("none", as: Int?.self) == nil)
        let pairs = try table.pairs()
        #expect(pairs.count == 3)
        let meta: LuaTable = try lua.run(
            "return { __index = function(_, k) return k .. '!' end }")
        try table.setMetatable(meta)
        #expect(try table.get("b", as: String.self) == "b!")
        #expect(throws: LuaError.self) { try table.get(true, as: String.self) }
        #expect(throws: LuaError.self) { try table.rawSet(LuaValue.nil, 1) }
        #expect(throws: LuaError.self) { try table.set(Double.nan, 1) }
        #expect(lua.stackHeight == 0)
    }

    @Test func `a value of another state is refused`() throws {
        let one = try LuaState()
        defer { one.close() }
        let two = try LuaState()
        defer { two.close() }
        let table = try one.table()
        #expect(throws: LuaError.self) { try two.setGlobal("t", to: table) }
        #expect(two.stackHeight == 0)
    }
}
