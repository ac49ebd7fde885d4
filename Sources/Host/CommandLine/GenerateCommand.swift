// `st-host generate`: editor stubs and the reference, from the declarations that `help` shows.

import ArgumentParser
import Training

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "st-host generate",
        abstract: "Writes stubs for lua-language-server, the Lua reference, or the manual page.",
        discussion: """
            stubs FOLDER writes a file for each module into FOLDER; name it in the editor's \
            setting Lua.workspace.library. reference FILE writes the reference as Markdown, \
            man FILE the page that man(1) shows. \
            Completion for a shell: st-host --generate-completion-script bash|zsh|fish.
            """)

    @Argument(help: "stubs, reference or man.", completion: .list(["stubs", "reference", "man"]))
    var what: String

    @Argument(help: "The folder or file to write.", completion: .file())
    var path: String

    mutating func validate() throws {
        guard ["stubs", "reference", "man"].contains(what) else {
            throw ValidationError("expected stubs, reference or man, got '\(what)'")
        }
    }

    static func main(_ words: [String]) -> ExitStatus {
        let command: GenerateCommand
        do {
            command = try parse(words)
        } catch {
            let message = fullMessage(for: error)
            guard exitCode(for: error).isSuccess else {
                Program.writeError(message)
                return .usage
            }
            print(message)
            return .done
        }
        do {
            try command.write()
            return .done
        } catch {
            Program.writeError("generate: \(error)")
            return .failure
        }
    }

    private func write() throws {
        if what == "man" {
            try TextFile.write(ManPage.text(), to: path)
            return
        }
        let reference = try APIReference()
        if what == "reference" {
            try TextFile.write(ReferencePage(reference).text(), to: path)
            return
        }
        try TextFile.makeFolder(path)
        for (name, text) in EditorStubs(reference).files() {
            try TextFile.write(text, to: "\(path)/\(name)")
        }
    }
}
