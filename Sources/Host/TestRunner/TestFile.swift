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
    /// Of `math.random`, and of all samplers and shuffles that a test gives no seed.
    package var seed = 0
    /// A Lua pattern for the full names of the tests to run.
    package var filter: String?
    package var isDeterministic = false

    package init() {}
}

package enum TestFile {
    /// Runs files one after the other, until Ctrl-C.
    static func runAll(
        _ paths: [String], _ settings: TestSettings
    ) -> (results: [TestResult], isInterrupted: Bool) {
        var results: [TestResult] = []
        for path in paths {
            let file = outcome(path, settings)
            results += file.results
            if file.isInterrupted { return (results, true) }
        }
        return (results, false)
    }

    /// Runs the file's tests; a file without any is one test by itself.
    package static func run(_ path: String, _ settings: TestSettings) -> [TestResult] {
        outcome(path, settings).results
    }

    private static func outcome(
        _ path: String, _ settings: TestSettings
    ) -> (results: [TestResult], isInterrupted: Bool) {
        let now = clock(settings)
        let start = now()
        func whole(_ outcome: TestResult.Outcome, _ message: String) -> [TestResult] {
            [
                TestResult(
                    file: path, name: path, outcome: outcome, message: message,
                    seconds: now() - start)
            ]
        }
        do {
            let session = try HostSession(
                determinism: Determinism(
                    seed: settings.seed, fixesClocks: settings.isDeterministic),
                progress: Progress(style: .silent))
            defer { session.close() }
            Signals.catchInterrupt(for: session)
            defer { Signals.releaseInterrupt() }
            do {
                let collected = try collect(path, settings, session)
                return (try results(collected, path) ?? whole(.passed, ""), session.isInterrupted)
            } catch {
                return (whole(.failed, HostError.report(error)), session.isInterrupted)
            }
        } catch {
            return (whole(.failed, HostError.report(error)), false)
        }
    }

    private static func clock(_ settings: TestSettings) -> @Sendable () -> Double {
        if settings.isDeterministic { return { 0 } }
        return Progress.seconds
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
        let clock = clock(settings)
        let now = try lua.function("now") { _ in clock() }
        let reseed = try lua.function("reseed") { [unowned session] _ in
            try session.restartSeeds()
        }
        let find: LuaFunction = try lua.run("return string.find")
        let isWanted = try lua.function("is_wanted", [.required("name", .string)]) { args -> Bool in
            guard let filter = settings.filter else { return true }
            return try !find.call(try args["name"] as String, filter).isNil
        }
        let library = try lua.load(TestLibrary.source, name: "=test")
        let run: LuaFunction = try library.call(show, now, isWanted, reseed)
        try session.run(file: path)
        return try run.callAll([])
    }

    private static func results(_ collected: [LuaValue], _ path: String) throws -> [TestResult]? {
        guard collected.count == 2, let table = collected[0].table, collected[1].integer != 0 else {
            return nil
        }
        return try table.pairs().map { _, value in
            guard let entry = value.table else { throw LuaError.internalError("a test's result") }
            // Texts of a script may be any bytes.
            func text(_ field: String) throws -> String {
                guard case .string(let bytes) = try entry.get(field, as: LuaValue.self) else {
                    return ""
                }
                return bytes.repaired
            }
            return TestResult(
                file: path, name: try text("name"),
                outcome: TestResult.Outcome(rawValue: try entry.get("outcome")) ?? .failed,
                message: try text("message"), seconds: try entry.get("seconds"))
        }
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
