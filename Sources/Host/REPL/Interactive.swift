// Joins the REPL with the terminal, or with plain input when there is none.

import Glibc
import LuaBridge

/// An interactive session.
struct Interactive {
    private let session: HostSession
    private let repl: REPL
    private let editor: LineEditor?

    init(_ session: HostSession, isTerminal: Bool) throws {
        self.session = session
        let repl = try REPL(
            session, style: isTerminal ? .forTerminal(STDOUT_FILENO) : .plain,
            width: { isTerminal ? LineEditor.columns : 80 }, write: Streams.writeOutput,
            writeError: Program.writeError)
        self.repl = repl
        editor =
            isTerminal
            ? LineEditor(history: .standard) { [unowned repl] in repl.complete($0) } : nil
    }

    func run() {
        if editor != nil {
            print("\(Version.text)\nhelp() explains, Tab completes, Ctrl-D leaves.")
        }
        while let line = nextLine() {
            // One Ctrl-C stops the line, a second one kills the process.
            Signals.install(oneShot: true)
            repl.read(line)
            Streams.flushOutput()
        }
        repl.finish()
    }

    private func nextLine() -> String? {
        guard let editor else { return readLine() }
        while true {
            Streams.flushOutput()
            // At the prompt any number of Ctrl-C only clear the line.
            Signals.install(oneShot: false)
            let line = editor.read(prompt: repl.prompt.rawValue)
            session.resume()
            switch line {
            case .text(let text):
                return text
            case .interrupted:
                print("^C")
                repl.discard()
            case .end:
                print()
                return nil
            }
        }
    }
}
