// How the REPL shows values.

import Host
import LuaBridge
import Testing

struct ValuePrinterTests {
    private func shown(_ source: String, width: Int = 60) throws -> String {
        let session = try HostSession(progress: Progress(style: .silent))
        defer { session.close() }
        try session.defineGlobals()
        let value: LuaValue = try session.lua.run(source)
        return try ValuePrinter(session, width: width).text(value)
    }

    @Test func `a short table is one line, its fields sorted`() throws {
        #expect(try shown("return {}") == "{}")
        #expect(
            try shown("return { 1, 'a', b = 2, a = { true }, ['x y'] = 0.5, [10] = 'k' }")
                == "{ 1, \"a\", a = { true }, b = 2, [\"x y\"] = 0.5, [10] = \"k\" }")
        #expect(try shown(#"return { "q\"\n\0" }"#) == #"{ "q\"\n\0" }"#)
        #expect(try shown("return 'a\\nb'") == "a\nb")
    }

    @Test func `a long table is indented, and cut`() throws {
        #expect(
            try shown("return { first = ('a'):rep(30), second = { x = ('b'):rep(30), y = 1 } }")
                == """
                {
                  first = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                  second = { x = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", y = 1 }
                }
                """)
        let long = try shown("local t = {} for i = 1, 1e6 do t[i] = i end return t")
        #expect(long.hasSuffix("49, 50, ... (1000000 elements)\n}"))
        #expect(long.split(separator: "\n").allSatisfy { $0.count <= 60 })
        let wide = try shown(
            "local t = {} for i = 1, 99 do t['k' .. i] = {1, {2, {3, {4}}}} end return t")
        #expect(wide.split(separator: "\n").count < 120)
    }

    @Test func `a table within itself, and a deep one, end`() throws {
        #expect(try shown("local t = {} t.me = t return t") == "{ me = <the table itself> }")
        let deep = try shown("local t = {} for i = 1, 100 do t = { t } end return t")
        #expect(deep == "{ { { { { { { ... } } } } } } }")
    }

    @Test func `an object's own text is kept`() throws {
        #expect(
            try shown("return setmetatable({}, { __tostring = function() return 'own' end })")
                == "own")
        #expect(try shown("return optuna") == "module 'optuna'")
    }

    @Test func `a dataset shows its first rows`() throws {
        #expect(
            try shown(
                "return datasets.Dataset.from_list{ { a = 'x', n = 1 }, { a = 'yy', n = 22 },"
                    + " { a = 'z' }, { a = ('w'):rep(99) } }") == """
                    Dataset({
                        features: ['a', 'n'],
                        num_rows: 4
                    })
                    a   n
                    x   1
                    yy  22
                    z   nil
                    ... 1 more rows
                    """)
    }

    @Test func `a study shows its trials as a table, and the best one`() throws {
        let study = """
            optuna.logging.disable_default_handler()
            local s = optuna.create_study{ study_name = "q" }
            for i = 1, 3 do
                local t = s:ask{ x = optuna.distributions.IntDistribution(i, i) }
                s:tell(t, (i - 2) ^ 2)
            end

            """
        #expect(
            try shown(study + "return s") == """
                Study(study_name='q', directions=['minimize'])
                trial  state     value  x
                0      COMPLETE  1.0    1
                1      COMPLETE  0.0    2
                2      COMPLETE  1.0    3
                best: trial 1, [0.0]
                """)
        #expect(
            try shown(study + "return { s.trials[2] }") == """
                trial  state     value  x
                1      COMPLETE  0.0    2
                """)
        #expect(
            try shown(study + "local t = s:ask() t:suggest_int('x', 9, 9) return t") == """
                trial  state    value  x
                3      RUNNING         9
                """)
    }
}
