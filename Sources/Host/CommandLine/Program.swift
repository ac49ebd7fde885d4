// The command, from its arguments to its exit status.

import ArgumentParser
import Glibc
import LuaBridge
import OrderedJSON
import Training

/// What `st-host` does; Sources/st-host/main.swift calls ``main(_:)`` and nothing else.
public enum Program {
    /// Runs the command with `arguments`, the program's name first.
    public static func main(_ arguments: [String]) -> ExitStatus {
        let status = run(arguments)
        // Output that got lost is no success: an export on a full disk, for one.
        guard let problem = Streams.outputProblem(), status == .done else { return status }
        writeError("st-host: \(problem)")
        return .failure
    }

    private static func run(_ arguments: [String]) -> ExitStatus {
        BLAS.prepare()
        let program = arguments.first ?? "st-host"
        let words = Array(arguments.dropFirst())
        // A script of such a name runs as ./test.
        switch words.first {
        case "study": return StudyCommand.main(Array(words.dropFirst()))
        case "test": return TestCommand.main(Array(words.dropFirst()))
        case "generate": return GenerateCommand.main(Array(words.dropFirst()))
        default: break
        }
        if let status = CompletionScript.main(words) { return status }
        var options: Options
        do {
            options = try Options.parse(Options.separated(words))
            try options.refuseUnknownSwitch()
        } catch {
            // The library would exit with 64; lua(1) and the conventions of shells say 2.
            let message = Options.fullMessage(for: error)
            guard Options.exitCode(for: error).isSuccess else {
                writeError(message)
                return .usage
            }
            print(message)
            return .done
        }
        return run(options, program, words)
    }

    private static func run(_ options: Options, _ program: String, _ words: [String]) -> ExitStatus
    {
        let session: HostSession
        do {
            if options.switches.deterministic { HostSession.fixTimeZone() }
            session = try HostSession(
                sandbox: options.bounds,
                determinism: options.switches.deterministic ? Determinism() : nil,
                progress: options.switches.deterministic ? Progress(now: { 0 }) : Progress())
        } catch {
            writeError(HostError.report(error))
            return .failure
        }
        defer { session.close() }
        Signals.catchInterrupt(for: session)
        defer { Signals.releaseInterrupt() }
        // Everything before the script, with the program's name.
        let prefix = [program] + words.dropLast(options.script.count)
        do {
            try perform(options, session, prefix: prefix)
            // A script may have caught the interruption, or ended before it was noticed.
            return session.isInterrupted ? .interrupted : .done
        } catch {
            return report(error, session)
        }
    }

    private static func perform(
        _ options: Options, _ session: HostSession, prefix: [String]
    ) throws {
        let reads = options.script.isEmpty && options.switches.code.isEmpty
        let isTerminal = isatty(STDIN_FILENO) != 0
        let interactive = options.switches.interactive || (reads && isTerminal)
        // Before -l and -e, which may look at them.
        if options.script.isEmpty {
            try session.setArguments(prefix.isEmpty ? [] : [prefix[0]], prefix: [])
        } else {
            try session.setArguments(options.script, prefix: prefix)
        }
        for module in options.switches.modules { try session.require(module) }
        var last: [LuaValue] = []
        for code in options.switches.code {
            last = try session.run(chunk: code, name: "=(command line)")
        }
        if options.switches.json, !options.switches.code.isEmpty, options.script.isEmpty {
            Streams.writeOutput(try jsonText(last) + "\n")
        }
        if let script = options.script.first {
            do {
                let results = try session.run(
                    file: script == "-" ? nil : script,
                    arguments: Array(options.script.dropFirst()),
                    prefix: prefix)
                if options.switches.json { Streams.writeOutput(try jsonText(results) + "\n") }
            } catch  where interactive && !HostError.isInterrupt(error) {
                writeError(HostError.report(error))
            }
        } else if reads, !interactive {
            let results = try session.run(file: nil, prefix: prefix)
            if options.switches.json { Streams.writeOutput(try jsonText(results) + "\n") }
        }
        if interactive { try Interactive(session, isTerminal: isTerminal).run() }
    }

    /// What a script returned: one value, or several as an array.
    private static func jsonText(_ results: [LuaValue]) throws -> String {
        do {
            let values = try results.map { try JSONValue(showing: $0) }
            return (values.count == 1 ? values[0] : values.isEmpty ? .null : .array(values)).json()
        } catch let error as LuaError {
            throw error.within("--json: the script's result")
        }
    }

    private static func report(_ error: any Error, _ session: HostSession) -> ExitStatus {
        let isInterrupt = HostError.isInterrupt(error) || session.isInterrupted
        session.progress.finish()
        writeError(HostError.report(error))
        return isInterrupt ? .interrupted : .failure
    }

    static func writeError(_ text: String) { Streams.writeError(text + "\n") }
}
