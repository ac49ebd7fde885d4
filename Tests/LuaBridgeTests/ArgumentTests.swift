// The call rule: by position, by name, and what is said when that fails.

import LuaBridge
import Testing

struct ArgumentTests {
    /// `f(a, b, c, {d})`: prints what it got.
    private func state() throws -> LuaState {
        let lua = try LuaState()
        try lua.setGlobal(
            "f",
            to: lua.function(
                "f",
                [
                    .required("a", .string),
                    .optional("b", .number, 2, range: .between(0, 10)),
                    .optional("c", .sequence(.string)),
                    .keyword("d", .oneOf(["x", "y"]), "x"),
                    .keyword("e", .map(.any)),
                ]
            ) { args in
                let b: Double = try args["b"]
                let c: [String]? = try args["c"]
                let d: String = try args["d"]
                return "\(try args["a"] as String) \(b) \(c ?? ["-"]) \(d) \(args.given)"
            })
        try lua.setGlobal(
            "rows",
            to: lua.function(
                "rows", [.required("data", .map(.any)), .keyword("split", .string)]
            ) { args in
                let data: [String: LuaValue] = try args["data"]
                return "\(data.keys.sorted()) \((try args["split"] as String?) ?? "-")"
            })
        try lua.setGlobal(
            "search",
            to: lua.function(
                "search",
                [
                    .required("queries", .table), .required("corpus", .table),
                    .optional("name", .string, ""),
                ]
            ) { args in
                let tables: [LuaTable] = [try args["queries"], try args["corpus"]]
                return try "\(tables[0].pairs().count) \(tables[1].pairs().count) "
                    + (args["name"] as String)
            })
        try lua.setGlobal(
            "apply",
            to: lua.function("apply", [.required("with", .any)]) { args in
                try (args["with"] as LuaValue).typeName
            })
        try lua.setGlobal(
            "encode",
            to: lua.function(
                "encode",
                [.required("texts", .stringOrSequence), .optional("batch_size", .integer, 32)]
            ) { args in
                let texts: LuaValue = try args["texts"]
                return "\(texts.typeName) \(try args["batch_size"] as Int)"
            })
        try lua.setGlobal(
            "named",
            to: lua.function("named", [.keyword("n", .integer, .required)]) { try $0["n"] as Int })
        return lua
    }

    @Test(arguments: [
        ("f('s')", #"s 2.0 ["-"] x ["a"]"#),
        ("f('s', 3)", #"s 3.0 ["-"] x ["a", "b"]"#),
        ("f('s', nil, {'p', 'q'})", #"s 2.0 ["p", "q"] x ["a", "c"]"#),
        ("f('s', {b = 4})", #"s 4.0 ["-"] x ["a", "b"]"#),
        ("f('s', 3, {d = 'y'})", #"s 3.0 ["-"] y ["a", "b", "d"]"#),
        ("f('s', 3, {'p'}, {d = 'y'})", #"s 3.0 ["p"] y ["a", "b", "c", "d"]"#),
        ("f('s', 3, {'p'}, nil, nil, {d = 'y'})", #"s 3.0 ["p"] y ["a", "b", "c", "d"]"#),
        ("f{a = 's', c = {'p'}}", #"s 2.0 ["p"] x ["a", "c"]"#),
        ("f('s', nil, nil, nil, nil)", #"s 2.0 ["-"] x ["a"]"#),
        ("f('s', {})", #"s 2.0 ["-"] x ["a"]"#),
        ("f('s', 1, {})", #"s 1.0 ["-"] x ["a", "b"]"#),
        ("rows{p = {}, q = {}}", #"["p", "q"] -"#),
        ("rows({p = {}}, {split = 'train'})", #"["p"] train"#),
        ("rows{}", "[] -"),
        ("rows{data = {p = {}}}", #"["p"] -"#),
        ("rows{data = {p = {}}, split = 'train'}", #"["p"] train"#),
        // Columns, not names: a sequence is no map, a number no table, and `other` no parameter.
        ("rows{data = {1, 2}}", #"["data"] -"#),
        ("rows{data = 1, split = 2}", #"["data", "split"] -"#),
        ("rows{data = {}, other = {}}", #"["data", "other"] -"#),
        ("rows{split = {}}", #"["split"] -"#),
        ("search{queries = {a = 1}, corpus = {'x', 'y'}}", "1 2 "),
        ("search{corpus = {}, queries = {a = 1}, name = 'n'}", "1 0 n"),
        ("search({queries = 1}, {corpus = 1, name = 2}, 'n')", "1 2 n"),
        ("search({queries = 1}, {corpus = {}, name = 'n'})", "1 2 "),
        ("apply{with = print}", "function"),
        ("apply{with = print, more = 1}", "table"),
        ("apply(setmetatable({with = print}, {}))", "table"),
        ("encode{'a', 'b'}", "table 32"),
        ("encode('a', 8)", "string 8"),
        ("encode({}, {batch_size = 8})", "table 8"),
        ("encode{texts = {'a'}, batch_size = 8}", "table 8"),
        ("encode{}", "table 32"),
        ("named{n = 3.0}", "3"),
    ])
    func `positions and names mean what they do in Python`(
        _ call: String, _ result: String
    ) throws {
        let lua = try state()
        defer { lua.close() }
        #expect(try lua.run("return tostring(\(call))", returning: String.self) == result)
        #expect(lua.stackHeight == 0)
    }

    @Test(arguments: [
        ("f()", "f: missing argument 'a'"),
        ("f{}", "f: missing argument 'a'"),
        ("f(1)", "f: a: expected string, got number"),
        ("f('s', 'x')", "f: b: expected number, got string"),
        ("f('s', 11)", "f: b: must be at least 0 and at most 10, got 11"),
        ("f('s', 0/0)", "f: b: must be at least 0 and at most 10, got nan"),
        ("f('s', 1, {1})", "f: c[1]: expected string, got number"),
        ("f('s', {d = 'z'})", "f: d: expected one of 'x', 'y', got 'z'; did you mean 'x'?"),
        ("f('s', {dd = 'x'})", "f: unknown argument 'dd'; did you mean 'd'?"),
        (
            "f('s', {nothing_like_it = 1})",
            "f: unknown argument 'nothing_like_it'; valid: a, b, c, d, e"
        ),
        ("search{queries = {}}", "search: missing argument 'corpus'"),
        ("f('s', {a = 't'})", "f: argument 'a' is given twice"),
        ("f('s', 1, {'p'}, 'y')", "f: expected at most 3 positional arguments, got 4"),
        ("f('s', {b = 1, [7] = 2})", "f: expected named arguments, got one at [7]"),
        ("named(3)", "named: expected a table of named arguments, got number"),
        ("named()", "named: missing argument 'n'"),
        ("named{n = 1.5}", "named: n: expected integer, got 1.5"),
        ("encode(1)", "encode: texts: expected string or sequence, got number"),
    ])
    func `a wrong call is an error with its place`(_ call: String, _ message: String) throws {
        let lua = try state()
        defer { lua.close() }
        #expect(failure(lua, "\n" + call) == "t:2: " + message)
        #expect(
            failure(lua, "local ok, e = pcall(function() \(call) end) error(e, 0)")
                == "t:1: " + message)
        #expect(lua.stackHeight == 0)
    }

    @Test func `the declaration can be inspected`() throws {
        let lua = try state()
        defer { lua.close() }
        let f: LuaFunction = try lua.globals.get("f")
        let signature = try #require(try f.signature)
        #expect(signature.name == "f")
        #expect(signature.parameters.map(\.name) == ["a", "b", "c", "d", "e"])
        #expect(signature.parameters.map { "\($0.default)" } == ["", "2", "nil", "\"x\"", "nil"])
        let plain: LuaFunction = try lua.globals.get("print")
        #expect(try plain.signature == nil)
    }

    @Test func `a hundred parameters fit`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let parameters = (0..<200).map { LuaParameter.keyword("p\($0)", .integer, .integer($0)) }
        try lua.setGlobal(
            "sum",
            to: lua.function("sum", parameters) { args in
                try parameters.reduce(0) { try $0 + args[$1.name] }
            })
        #expect(try lua.run("return sum{}", returning: Int.self) == 19900)
        #expect(try lua.run("return sum{p0 = 5, p199 = 0}", returning: Int.self) == 19706)
    }

    @Test(
        arguments: [
            ("learning_rat", "learning_rate"), ("lr", nil), ("epochs", "num_train_epochs"),
            ("n_startup_trial", "n_startup_trials"), ("learningRate", "learning_rate"),
            ("batch-sampler", "batch_sampler"), ("zzz", nil), ("sede", "seed"),
        ] as [(String, String?)])
    func `the nearest name is suggested when it is near`(_ name: String, _ nearest: String?) {
        let names = [
            "learning_rate", "num_train_epochs", "n_startup_trials", "batch_sampler", "seed",
        ]
        #expect(nearestName(to: name, in: names) == nearest)
    }
}
