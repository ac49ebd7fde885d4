// The REPL as a user has it: the built program in a terminal of tmux, keys typed, screens read. The
// screens are kept in Transcripts/; RECORD_SNAPSHOTS=1 writes them anew.

import Foundation
import TestSupport
import Testing

/// One terminal of 80 columns; `close()` ends it.
private struct Terminal {
    let folder: TemporaryFolder
    private let socket: String

    init(_ arguments: String = "", environment: String = "NO_COLOR=1") throws {
        folder = try TemporaryFolder()
        socket = folder.url.appending(path: "tmux").path
        let command =
            "cd '\(folder.url.path)' && exec env \(environment) HOME='\(folder.url.path)'"
            + " LC_ALL=C.UTF-8 XDG_STATE_HOME='\(folder.url.path)/state' bash -c"
            + " \"'\(Subprocess.host.path)' \(arguments); echo status \\$?; sleep 600\""
        try tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "50", command)
    }

    @discardableResult
    private func tmux(_ words: String...) throws -> String {
        // The server lives on; with our other descriptors it would keep us waiting for its end.
        let close =
            "for f in /proc/self/fd/*; do n=${f##*/}; [ $n -gt 2 ] && eval \"exec $n>&-\"; "
            + "done; exec tmux \"$@\""
        let outcome = try Subprocess(
            URL(filePath: "/bin/bash"), ["-c", close, "tmux", "-S", socket] + words, in: folder.url
        ).run()
        if outcome.status != 0 { throw Problem(description: "tmux \(words): \(outcome.errors)") }
        return outcome.output
    }

    struct Problem: Error, CustomStringConvertible { let description: String }

    /// Types text as it is.
    func type(_ text: String) throws { try tmux("send-keys", "-l", text) }

    /// Presses keys by tmux's names: Enter, Tab, C-c, Up.
    func press(_ keys: String...) throws {
        for key in keys { try tmux("send-keys", key) }
    }

    func enter(_ line: String) throws {
        try type(line)
        try press("Enter")
    }

    /// The lines that are not empty.
    func screen() throws -> [String] {
        try tmux("capture-pane", "-p", "-S", "-").split(separator: "\n")
            .map { String($0.reversed().drop { $0 == " " }.reversed()) }
            .filter { !$0.isEmpty }
    }

    /// Waits until the last line is `line`, and says what stood there instead if it never is.
    func wait(forLast line: String) throws {
        // What stood there before the last key does not count.
        Thread.sleep(forTimeInterval: 0.5)
        for _ in 0..<300 {
            if try screen().last == line { return }
            Thread.sleep(forTimeInterval: 0.1)
        }
        throw Problem(
            description: "'\(line)' did not appear:\n" + (try screen().joined(separator: "\n")))
    }

    /// The screen with its colours.
    func colours() throws -> String { try tmux("capture-pane", "-p", "-e") }

    func close() {
        _ = try? tmux("kill-server")
        folder.remove()
    }
}

@Suite(.serialized)
struct TerminalTests {
    private static let transcripts = Repository.root
        .appending(path: "Tests/EndToEndTests/Transcripts")

    private func compare(_ terminal: Terminal, with name: String) throws {
        let lines = try terminal.screen().filter { !$0.hasPrefix("st-host ") }  // the version
        let text = lines.joined(separator: "\n") + "\n"
        let file = Self.transcripts.appending(path: "\(name).txt")
        if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        #expect(text == (try String(contentsOf: file, encoding: .utf8)))
    }

    @Test func `a line can be edited`() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.wait(forLast: ">")
        try terminal.type("prnt('héllo')")
        try terminal.press("C-a", "Right", "Right")
        try terminal.type("i")
        try terminal.press("C-e", "Enter")
        try terminal.wait(forLast: ">")
        try terminal.type("1 + 1 wrong")
        try terminal.press("C-w", "BSpace", "Enter")
        try terminal.wait(forLast: ">")
        try compare(terminal, with: "editing")
    }

    @Test func `Tab completes names, methods and arguments`() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.wait(forLast: ">")
        try terminal.enter("optuna.logging.disable_default_handler()")
        try terminal.wait(forLast: ">")
        try terminal.type("s = optuna.create_st")
        try terminal.press("Tab")
        try terminal.wait(forLast: "> s = optuna.create_study")
        try terminal.type("{ stu")
        try terminal.press("Tab")
        try terminal.wait(forLast: "> s = optuna.create_study{ study_name =")
        try terminal.type("'q' }")
        try terminal.press("Enter")
        try terminal.wait(forLast: ">")
        try terminal.type("s:set_")
        try terminal.press("Tab")
        try terminal.wait(forLast: "> s:set_")
        try terminal.press("C-u")
        try terminal.type("optuna.create_study(")
        try terminal.press("Tab")
        try terminal.wait(forLast: "> optuna.create_study(")
        try compare(terminal, with: "completion")
    }

    @Test func `a chunk may have several lines, and Ctrl-C leaves it`() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        try terminal.wait(forLast: ">")
        try terminal.enter("function f(n)")
        try terminal.wait(forLast: ">>")
        try terminal.enter("  return { n, twice = 2 * n }")
        try terminal.enter("end")
        try terminal.wait(forLast: ">")
        try terminal.enter("=f(21)")
        try terminal.wait(forLast: ">")
        try terminal.enter("x = {")
        try terminal.wait(forLast: ">>")
        try terminal.press("C-c")
        try terminal.wait(forLast: ">")
        try terminal.enter("x")
        try terminal.wait(forLast: ">")
        try compare(terminal, with: "multi-line")
    }

    @Test func `lines are remembered between runs`() throws {
        let terminal = try Terminal("; '\(Subprocess.host.path)'")
        defer { terminal.close() }
        try terminal.wait(forLast: ">")
        try terminal.enter("answer = 42")
        try terminal.enter(" hidden = 1")
        try terminal.press("C-d")
        Thread.sleep(forTimeInterval: 1)
        try terminal.wait(forLast: ">")
        try terminal.press("Up", "Enter")
        try terminal.wait(forLast: ">")
        try terminal.enter("answer")
        try terminal.wait(forLast: ">")
        try terminal.enter("answer + 1")
        try terminal.wait(forLast: ">")
        // The newest line that has "swer =" in it.
        try terminal.press("C-r")
        try terminal.type("swer =")
        Thread.sleep(forTimeInterval: 0.5)
        try terminal.press("Enter", "Enter")
        try terminal.wait(forLast: ">")
        let screen = try terminal.screen()
        #expect(screen.filter { $0 == "> answer = 42" }.count == 3)
        #expect(screen.contains("43"))
        try compare(terminal, with: "history")
        let file = terminal.folder.url.appending(path: "state/st-host/history")
        let kept = try String(contentsOf: file, encoding: .utf8)
        #expect(kept.hasPrefix("answer = 42\n"))
        #expect(!kept.contains("hidden"))
    }

    @Test func `Ctrl-C stops a training after its step and leaves the trainer whole`() throws {
        let terminal = try Terminal()
        defer { terminal.close() }
        let model = Repository.root.appending(path: "Tests/TrainingTests/Golden/model/bert").path
        let script = """
            local rows = {}
            for i = 1, 4000 do rows[i] = { anchor = "a big cat " .. i, positive = "the cat is big" } end
            trainer = st.SentenceTransformerTrainer{
              model = st.SentenceTransformer("\(model)"),
              args = st.SentenceTransformerTrainingArguments{ output_dir = "out", save_strategy = "no",
                num_train_epochs = 1000, logging_steps = 1000000, report_to = "none",
                disable_tqdm = true },
              train_dataset = datasets.Dataset.from_list(rows),
              loss = function(m) return st.losses.MultipleNegativesRankingLoss(m) end }
            """
        try Data(script.utf8).write(to: terminal.folder.url.appending(path: "t.lua"))
        try terminal.wait(forLast: ">")
        try terminal.enter("dofile('t.lua')")
        try terminal.wait(forLast: ">")
        try terminal.enter("trainer:train()")
        Thread.sleep(forTimeInterval: 3)
        try terminal.press("C-c")
        try terminal.wait(forLast: ">")
        #expect(try terminal.screen().contains { $0.hasSuffix("interrupted!") })
        try terminal.enter("steps = trainer.state.global_step")
        try terminal.wait(forLast: ">")
        try terminal.enter("steps > 1, #trainer.model:encode('a cat')")
        try terminal.wait(forLast: ">")
        #expect(try terminal.screen().suffix(2).first?.hasPrefix("true ") == true)
        // It trains on, and evaluates and saves as if nothing had been.
        try terminal.enter("trainer:train()")
        Thread.sleep(forTimeInterval: 3)
        try terminal.press("C-c")
        try terminal.wait(forLast: ">")
        try terminal.enter("trainer.state.global_step > 1, trainer:save_model('out/model')")
        try terminal.wait(forLast: ">")
        // At the prompt it only clears the line.
        try terminal.type("nonsense(")
        try terminal.press("C-c")
        try terminal.wait(forLast: ">")
        try compare(terminal, with: "interrupt")
        // Pure Lua stops, too, in coroutines as well.
        for line in ["while true do end", "coroutine.wrap(function() while true do end end)()"] {
            try terminal.enter(line)
            Thread.sleep(forTimeInterval: 0.5)
            try terminal.press("C-c")
            try terminal.wait(forLast: ">")
            #expect(try terminal.screen().suffix(2).first?.hasSuffix("interrupted!") == true)
        }
        try terminal.press("C-d")
        try terminal.wait(forLast: "status 0")
    }

    @Test func `colours appear where they are wanted`() throws {
        for (environment, isColoured) in [
            ("TERM=screen-256color", true), ("TERM=dumb", false),
            ("TERM=screen-256color NO_COLOR=1", false),
        ] {
            let terminal = try Terminal(environment: "-u NO_COLOR \(environment)")
            defer { terminal.close() }
            try terminal.wait(forLast: ">")
            try terminal.enter("error('x')")
            Thread.sleep(forTimeInterval: 1)
            #expect(try terminal.screen().contains("stdin:1: x"))
            #expect(try terminal.colours().contains("\u{1B}[31mstdin:1: x") == isColoured)
        }
    }
}
