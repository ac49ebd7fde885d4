// Transcripts: what is typed, and what the REPL answers.

import Host
import LuaBridge
import Testing

struct REPLTests {
    /// What the REPL writes for `lines`; errors are marked with "! ", and only their first line
    /// is kept. After each line the prompt it leaves, when it asks for more.
    private func transcript(_ lines: String...) throws -> [String] {
        let session = try HostSession(progress: Progress(style: .silent))
        defer { session.close() }
        nonisolated(unsafe) var output: [String] = []
        let repl = try REPL(
            session, write: { output.append(String($0.dropLast())) },
            writeError: { output.append("! " + $0.prefix { $0 != "\n" }) })
        for line in lines {
            repl.read(line)
            if repl.prompt == .continuation { output.append(">>") }
        }
        repl.finish()
        return output
    }

    @Test func `an expression prints its values`() throws {
        #expect(
            try transcript("1 + 1", "'a', nil, 1.5", "= 3", "nil") == [
                "2", "a\tnil\t1.5", "3", "nil",
            ])
        #expect(
            try transcript("setmetatable({}, {__tostring = function() return 'own' end})")
                == ["own"])
    }

    @Test func `a statement runs, and globals stay`() throws {
        #expect(try transcript("x = 5", "x * 2", "local y = 1", "y") == ["10", "nil"])
        #expect(try transcript("", "   ", "-- only a comment") == [])
    }

    @Test func `incomplete input asks for more`() throws {
        #expect(
            try transcript("function f(n)", "  return n * 2", "end", "f(21)") == [">>", ">>", "42"])
        #expect(try transcript("x = {", "1, 2", "}", "#x") == [">>", ">>", "2"])
        #expect(try transcript("s = [[a", "b]]", "s") == [">>", "a\nb"])
        #expect(try transcript("x = (") == [">>", "! stdin:1: unexpected symbol near <eof>"])
    }

    @Test func `an error leaves the REPL alive`() throws {
        #expect(
            try transcript("error('x')", "1", "x = = 1", "2", "nosuch.field", "3") == [
                "! stdin:1: x", "1", "! stdin:1: unexpected symbol near '='", "2",
                "! stdin:1: attempt to index a nil value (global 'nosuch')", "3",
            ])
        #expect(
            try transcript("for i = 1, 2 do", "x = = 1", "4") == [
                ">>", "! stdin:2: unexpected symbol near '='", "4",
            ])
        #expect(
            try transcript("setmetatable({}, {__tostring = function() error('inside') end})", "5")
                == ["! stdin:1: inside", "5"])
    }

    @Test func `the modules are globals under their short names`() throws {
        for name in HostModule.shortNames {
            #expect(try transcript("type(\(name))", "\(name) = 1", "\(name)") == ["table", "1"])
        }
        #expect(try transcript("unknown_global") == ["nil"])
    }
}
