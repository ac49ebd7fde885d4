// The read-eval-print loop without its terminal: lines in, text out.

import LuaBridge

/// Reads Lua line by line as lua(1) does: an expression prints its values, a statement runs, and
/// what only ends too early waits for more.
package final class REPL {
    /// What the next line continues.
    package enum Prompt: String, Sendable {
        case primary = "> "
        case continuation = ">> "
    }

    private let session: HostSession
    private let style: TextStyle
    /// Columns of the terminal.
    private let width: () -> Int
    private let completer: Completer
    private var reference: APIReference?
    private let write: (String) -> Void
    private let writeError: (String) -> Void
    /// The lines of an incomplete chunk.
    private var pending = ""

    /// - write: gets the values of expressions, with a newline; what the script itself prints
    ///   goes to standard output. - writeError: gets errors with their traceback.
    package init(
        _ session: HostSession, style: TextStyle = .plain, width: @escaping () -> Int = { 80 },
        write: @escaping (String) -> Void,
        writeError: @escaping (String) -> Void
    ) throws {
        self.session = session
        self.style = style
        self.width = width
        self.write = write
        self.writeError = writeError
        completer = Completer(session)
        try session.defineGlobals()
        try defineHelp()
    }

    package var prompt: Prompt { pending.isEmpty ? .primary : .continuation }

    /// Forgets an incomplete chunk (Ctrl-C).
    package func discard() { pending = "" }

    /// Takes one line, without its newline.
    package func read(_ line: String) {
        do {
            guard let chunk = try compile(line) else { return }
            let values = try chunk.callAll([])
            if !values.isEmpty { try show(values) }
        } catch  where HostError.isInterrupt(error) {
            session.progress.finish()
            writeError(style.error("interrupted!"))
            // The next line starts afresh.
            session.resume()
        } catch {
            session.progress.finish()
            let report = HostError.report(error)
            let end = report.firstIndex(of: "\n") ?? report.endIndex
            writeError(style.error(String(report[..<end])) + style.faint(String(report[end...])))
        }
    }

    /// What Tab offers for a line up to the cursor.
    package func complete(_ line: String) -> Completion {
        completer.complete(pending.isEmpty ? line : pending + "\n" + line)
    }

    /// The end of input within a chunk: what stands there is wrong after all.
    package func finish() {
        guard !pending.isEmpty else { return }
        defer { pending = "" }
        do {
            _ = try session.lua.load(pending, name: "=stdin")
        } catch {
            writeError(HostError.report(error))
        }
    }

    /// Nil while the chunk is incomplete.
    private func compile(_ line: String) throws -> LuaFunction? {
        if pending.isEmpty {
            if line.allSatisfy(\.isWhitespace) { return nil }
            let expression = line.first == "=" ? String(line.dropFirst()) : line
            if let chunk = try? session.lua.load("return \(expression)", name: "=stdin") {
                return chunk
            }
        }
        let source = pending.isEmpty ? line : pending + "\n" + line
        do {
            let chunk = try session.lua.load(source, name: "=stdin")
            pending = ""
            return chunk
        } catch LuaError.syntax(_, incomplete: true) {
            pending = source
            return nil
        } catch {
            pending = ""
            throw error
        }
    }

    private func show(_ values: [LuaValue]) throws {
        let printer = ValuePrinter(session, style: style, width: width())
        write(try values.map(printer.text).joined(separator: "\t") + "\n")
    }
}

// MARK: - Help

extension REPL {
    private func defineHelp() throws {
        let function = try session.lua.function(
            "help",
            [
                LuaParameter(
                    "x", .any, default: .nil, kind: .positionalOnly,
                    doc: "A module, class, object or function, a path of names, or a word."),
                LuaParameter(
                    "argument", .string, default: .nil, kind: .positionalOnly,
                    doc: "The name of one of its arguments."),
            ], doc: "Explains what x is and takes."
        ) { [unowned self] args in
            write(try help(on: args["x"], argument: args["argument"]) + "\n")
        }
        try session.lua.setGlobal("help", to: function)
    }

    private func help(on value: LuaValue, argument: String?) throws -> String {
        let reference = try self.reference ?? APIReference()
        self.reference = reference
        let help = HelpText(reference, style: style)
        if value.isNil, argument == nil { return help.overview() }
        var description = try session.lua.description(of: value)
        if let word = value.string {
            description = try completer.description(ofPath: word)
            if description == nil {
                guard let found = help.search(word) else {
                    throw LuaError.message("help: nothing is called '\(word)'; help() begins")
                }
                return found
            }
        }
        guard let description else {
            return "\(value.typeName): nothing is written down about it; help() begins"
        }
        return try argument.map { try help.page(argument: $0, of: description) }
            ?? help.page(description)
    }
}
