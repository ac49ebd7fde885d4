// Progress bars, drawn on a terminal of 72 columns whose clock the test moves.

import Host
import Synchronization
import Testing

private final class Screen: Sendable {
    private let text = Mutex("")
    private let time = Mutex(0.0)

    func progress(_ style: Progress.Style) -> Progress {
        Progress(
            style: style, write: { text in self.text.withLock { $0 += text } },
            now: { self.time.withLock { $0 } })
    }

    func wait(_ seconds: Double) { time.withLock { $0 += seconds } }

    /// What was written since the last call, with \e for escape.
    func written() -> String {
        text.withLock { text in
            defer { text = "" }
            return text.split(separator: "\u{1B}", omittingEmptySubsequences: false)
                .joined(separator: "\\e")
        }
    }
}

struct ProgressTests {
    private let terminal = Progress.Style.terminal(width: 72, isUnicode: false)

    @Test func `a bar shows share, count, time, rate and note`() {
        let screen = Screen()
        let bar = screen.progress(terminal).bar("Training", total: 200)
        let room = String(repeating: " ", count: 31)
        #expect(screen.written() == "Training:   0%|\(room)| 0/200 [00:00<?, ? it/s]\n")
        screen.wait(10)
        bar.advance(by: 100, note: "loss=0.5")
        #expect(
            screen.written()
                == "\\e[1A\r\\e[JTraining:  50%|######      | 100/200 [00:10<00:10, 10.00 it/s] loss=0.5\n"
        )
    }

    @Test func `redraws are rare, log lines stand above the bars`() {
        let screen = Screen()
        let progress = screen.progress(terminal)
        let outer = progress.bar("Trials", total: 3)
        let inner = progress.bar("Steps", total: nil)
        _ = screen.written()
        for _ in 0..<1000 { inner.advance() }
        #expect(screen.written() == "")
        progress.log("a line")
        let text = screen.written()
        #expect(text.hasPrefix("\\e[2A\r\\e[Ja line\nTrials:"))
        #expect(text.contains("Steps: 1000 ["))
        inner.finish()
        inner.finish()
        #expect(screen.written().hasPrefix("\\e[2A\r\\e[JSteps: 1000 ["))
        outer.finish()
        progress.log("end")
        #expect(screen.written().hasSuffix("end\n"))
    }

    @Test func `no line is wider than the terminal`() {
        let screen = Screen()
        let bar = screen.progress(.terminal(width: 30, isUnicode: true))
            .bar("A label that is far too long for it", total: 10)
        screen.wait(1)
        bar.advance(note: "and a note")
        for line in screen.written().split(separator: "\n") {
            #expect(line.replacing("\\e[1A\r\\e[J", with: "").count < 30)
        }
    }

    @Test func `without a terminal a long run leaves a line now and then`() {
        let screen = Screen()
        let progress = screen.progress(.lines(first: 10, every: 30))
        progress.bar("Short", total: 2).finish()
        #expect(screen.written() == "")
        let bar = progress.bar("Long", total: 100)
        for _ in 0..<100 {
            screen.wait(1)
            bar.advance()
        }
        bar.finish()
        let lines = screen.written().split(separator: "\n")
        #expect(lines.count == 5)
        #expect(lines.first == "Long:  10% 10/100 [00:10<01:30, 1.00 it/s]")
        #expect(lines.last == "Long: 100% 100/100 [01:40<00:00, 1.00 it/s]")
    }

    @Test func `slow work is told in seconds per unit`() {
        let screen = Screen()
        let bar = screen.progress(.lines(first: 1, every: 1)).bar("Trials", total: 4, unit: "trial")
        screen.wait(3700)
        bar.advance()
        #expect(screen.written() == "Trials:  25% 1/4 [1:01:40<3:05:00, 3700.00 s/trial]\n")
    }

    @Test func `what prints meanwhile has the screen for itself`() {
        let screen = Screen()
        let progress = screen.progress(terminal)
        let bar = progress.bar("Steps", total: 2)
        _ = screen.written()
        progress.suspended {
            #expect(screen.written() == "\\e[1A\r\\e[J")
            screen.wait(1)
            bar.advance()
            #expect(screen.written() == "")
        }
        screen.wait(1)
        bar.advance()
        #expect(screen.written().contains("2/2"))
    }
}
