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
    private let write: (String) -> Void
    private let writeError: (String) -> Void
    /// The lines of an incomplete chunk.
    private var pending = ""

    /// - write: gets the values of expressions, with a newline; what the script itself prints
    ///   goes to standard output. - writeError: gets errors with their traceback.
    package init(
        _ session: HostSession, write: @escaping (String) -> Void,
        writeError: @escaping (String) -> Void
    ) throws {
        self.session = session
        self.write = write
        self.writeError = writeError
        try session.defineGlobals()
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
        } catch {
            writeError(HostError.report(error))
            // The next line starts afresh.
            if HostError.isInterrupt(error) { session.resume() }
        }
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

    /// As `print` shows them, metamethods included.
    private func show(_ values: [LuaValue]) throws {
        let tostring: LuaFunction = try session.lua.globals.get("tostring")
        let texts = try values.map { value -> String in
            let text: LuaString = try tostring.call(value)
            return text.repaired
        }
        write(texts.joined(separator: "\t") + "\n")
    }
}
