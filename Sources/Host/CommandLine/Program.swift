// The command, from its arguments to its exit status.

import ArgumentParser
import Glibc
import LuaBridge

/// What `st-host` does; Sources/st-host/main.swift calls ``main(_:)`` and nothing else.
public enum Program {
    /// Runs the command with `arguments`, the program's name first.
    public static func main(_ arguments: [String]) -> ExitStatus {
        let program = arguments.first ?? "st-host"
        let words = Array(arguments.dropFirst())
        // A script of that name is './study'.
        if words.first == "study" { return StudyCommand.main(Array(words.dropFirst())) }
        var options: Options
        do {
            options = try Options.parse(words)
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
            session = try HostSession()
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
        let reads = options.script.isEmpty && options.code.isEmpty
        let isTerminal = isatty(STDIN_FILENO) != 0
        let interactive = options.interactive || (reads && isTerminal)
        if options.script.isEmpty {
            try session.setArguments(prefix.isEmpty ? [] : [prefix[0]], prefix: [])
        }
        for module in options.modules { try session.require(module) }
        for code in options.code { try session.run(chunk: code, name: "=(command line)") }
        if let script = options.script.first {
            do {
                try session.run(
                    file: script == "-" ? nil : script,
                    arguments: Array(options.script.dropFirst()),
                    prefix: prefix)
            } catch  where interactive && !HostError.isInterrupt(error) {
                writeError(HostError.report(error))
            }
        } else if reads, !interactive {
            try session.run(file: nil, prefix: prefix)
        }
        if interactive { try Interactive(session, isTerminal: isTerminal).run() }
    }

    private static func report(_ error: any Error, _ session: HostSession) -> ExitStatus {
        let isInterrupt = HostError.isInterrupt(error) || session.isInterrupted
        session.progress.finish()
        writeError(HostError.report(error))
        return isInterrupt ? .interrupted : .failure
    }

    static func writeError(_ text: String) { Streams.writeError(text + "\n") }
}
