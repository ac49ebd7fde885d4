// One test file: run in a session of its own, with the globals of TestLibrary.

import Glibc
import LuaBridge
import OrderedJSON

/// What became of one test.
package struct TestResult: Equatable, Sendable {
    package enum Outcome: String, Sendable { case passed, failed, pending }

    package let file: String
    package let name: String
    package let outcome: Outcome
    /// Why it failed or is pending; may be empty.
    package let message: String
    package let seconds: Double
}

/// How tests run.
package struct TestSettings: Sendable {
    package var seed = 0
    /// A Lua pattern for the full names of the tests to run.
    package var filter: String?
    package var isDeterministic = false

    package init() {}
}

package enum TestFile {
    /// Runs the file's tests; a file without any is one test by itself.
    package static func run(_ path: String, _ settings: TestSettings) -> [TestResult] {
        let start = Progress.seconds()
        func failed(_ error: any Error) -> TestResult {
            TestResult(
                file: path, name: path, outcome: .failed, message: HostError.report(error),
                seconds: Progress.seconds() - start)
        }
        do {
            let session = try HostSession(progress: Progress(style: .silent))
            defer { session.close() }
            if settings.isDeterministic { try session.makeDeterministic(seed: settings.seed) }
            Signals.catchInterrupt(for: session)
            defer { Signals.releaseInterrupt() }
            do {
                let collected = try collect(path, settings, session)
                return try results(collected, path) ?? [
                    TestResult(
                        file: path, name: path, outcome: .passed, message: "",
                        seconds: Progress.seconds() - start)
                ]
            } catch {
                return [failed(error)]
            }
        } catch {
            return [failed(error)]
        }
    }

    /// Loads the file, runs what it declared; the results and the number of tests it has.
    private static func collect(
        _ path: String, _ settings: TestSettings, _ session: HostSession
    ) throws -> [LuaValue] {
        let lua = session.lua
        let printer = ValuePrinter(session)
        let show = try lua.function(
            "show", [LuaParameter("value", .any, default: .nil, kind: .positionalOnly)]
        ) { args -> String in
            let value: LuaValue = try args["value"]
            return try value.string.map { try printer.nested(.string(LuaString($0))) }
                ?? printer.text(value)
        }
        let now = try lua.function("now") { _ in
            settings.isDeterministic ? 0 : Progress.seconds()
        }
        let find: LuaFunction = try lua.run("return string.find")
        let isWanted = try lua.function("is_wanted", [.required("name", .string)]) { args -> Bool in
            guard let filter = settings.filter else { return true }
            return try !find.call(try args["name"] as String, filter).isNil
        }
        let library = try lua.load(TestLibrary.source, name: "=test")
        let run: LuaFunction = try library.call(show, now, isWanted, settings.seed)
        try lua.run("math.randomseed(\(settings.seed))")
        try session.run(file: path)
        return try run.callAll([])
    }

    private static func results(_ collected: [LuaValue], _ path: String) throws -> [TestResult]? {
        guard collected.count == 2, let table = collected[0].table, collected[1].integer != 0 else {
            return nil
        }
        return try table.pairs().map { _, value in
            guard let entry = value.table else { throw LuaError.internalError("a test's result") }
            let message: String? = try entry.get("message")
            return TestResult(
                file: path, name: try entry.get("name"),
                outcome: TestResult.Outcome(rawValue: try entry.get("outcome")) ?? .failed,
                message: message ?? "", seconds: try entry.get("seconds"))
        }
    }
}

extension HostSession {
    /// The same random numbers, and the same text where the time would stand, in every run.
    func makeDeterministic(seed: Int) throws {
        try lua.run(
            """
            math.randomseed(\(seed))
            local date = os.date
            os.time = (function(time) return function(t) return t and time(t) or 0 end end)(os.time)
            os.clock = function() return 0 end
            os.date = function(format, t) return date(format or "!%c", t or 0) end
            """, name: "=deterministic")
    }
}

// MARK: - Between processes

extension TestResult {
    var json: JSONValue {
        .object([
            "file": .string(file), "name": .string(name), "outcome": .string(outcome.rawValue),
            "message": .string(message), "seconds": .double(seconds),
        ])
    }

    init?(_ json: JSONValue) {
        guard case .object(let object) = json, let file = object["file"]?.stringValue,
            let name = object["name"]?.stringValue,
            let outcome = (object["outcome"]?.stringValue).flatMap(Outcome.init)
        else { return nil }
        self.init(
            file: file, name: name, outcome: outcome,
            message: object["message"]?.stringValue ?? "",
            seconds: object["seconds"]?.doubleValue ?? 0)
    }
}
