// Progress on standard error: bars that redraw themselves on a terminal, now and then a plain line
// elsewhere. Several bars may run at once (trials, and the steps of one).

import Glibc
import Synchronization

/// The progress display of a session; may be used from any thread.
///
///     let bar = session.progress.bar("Training", total: steps)
///     defer { bar.finish() }
///     for step in ... { ...; bar.advance(note: "loss=0.31") }
public final class Progress: Sendable {
    /// Where it goes and how it looks.
    public enum Style: Sendable, Equatable {
        /// Bars that redraw themselves; `width` in columns, nil to ask the terminal each time.
        case terminal(width: Int?, isUnicode: Bool)
        /// A line for a bar when it has run for `first` seconds, then each `every` seconds.
        case lines(first: Double, every: Double)
        case silent

        /// Bars when standard error is a terminal that can move its cursor, otherwise lines.
        public static var standardError: Style {
            func variable(_ name: String) -> String {
                getenv(name).map { String(cString: $0) } ?? ""
            }
            guard isatty(STDERR_FILENO) != 0, !["", "dumb"].contains(variable("TERM")) else {
                return .lines(first: 10, every: 30)
            }
            let locale =
                [variable("LC_ALL"), variable("LC_CTYPE"), variable("LANG")]
                .first { !$0.isEmpty } ?? ""
            let folded = locale.lowercased()
            let isUnicode = folded.contains("utf-8") || folded.contains("utf8")
            return .terminal(width: nil, isUnicode: isUnicode)
        }
    }

    private struct State {
        var bars: [Bar.State] = []
        var nextID = 0
        /// Lines on the terminal that are ours.
        var drawn = 0
        var lastDraw = -Double.infinity
        var suspensions = 0
    }

    private let style: Style
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> Double
    private let state = Mutex(State())

    /// - write: gets text, with control sequences on a terminal. - now: seconds, for tests.
    public init(
        style: Style = .standardError,
        write: @escaping @Sendable (String) -> Void = Progress.standardError,
        now: @escaping @Sendable () -> Double = Progress.seconds
    ) {
        self.style = style
        self.write = write
        self.now = now
    }

    /// Writes to standard error.
    public static let standardError: @Sendable (String) -> Void = { Streams.writeError($0) }

    /// Seconds of a clock that only goes forward.
    public static let seconds: @Sendable () -> Double = {
        let now = ContinuousClock.now
        return (now - start) / .seconds(1)
    }
    private static let start = ContinuousClock.now
}

// MARK: - Use

extension Progress {
    /// A new bar below those that run.
    /// - total: the number of units, nil when it is not known.
    public func bar(_ label: String, total: Int?, unit: String = "it") -> Bar {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.bars.append(
                Bar.State(id: id, label: label, total: total, unit: unit, start: now()))
            draw(&state, force: true)
            return Bar(self, id: id)
        }
    }

    /// Writes a line of its own, above the bars.
    public func log(_ line: String) {
        state.withLock { state in
            write(erasing(&state) + line + "\n")
            draw(&state, force: true)
        }
    }

    /// Takes the bars away while `body` runs, which may print.
    public func suspended<R>(_ body: () throws -> R) rethrows -> R {
        state.withLock { state in
            state.suspensions += 1
            let erasure = erasing(&state)
            if !erasure.isEmpty { write(erasure) }
        }
        defer {
            state.withLock { state in
                state.suspensions -= 1
                draw(&state, force: false)
            }
        }
        return try body()
    }

    /// Ends all bars, as after an error.
    public func finish() {
        state.withLock { state in
            while let bar = state.bars.first { end(bar.id, &state) }
        }
    }
}

/// One running bar; ends with ``finish()`` or when it is let go of.
extension Progress {
    public final class Bar: Sendable {
        struct State {
            let id: Int
            let label: String
            var total: Int?
            let unit: String
            let start: Double
            var done = 0
            var note = ""
            var lastLine: Double?
        }

        private let progress: Progress
        private let id: Int

        init(_ progress: Progress, id: Int) {
            self.progress = progress
            self.id = id
        }

        deinit { finish() }

        /// - note: shown after the rate, "loss=0.31"; nil keeps the last one.
        public func advance(by count: Int = 1, note: String? = nil) {
            progress.update(id) { bar in
                bar.done = bar.done.addingReportingOverflow(count).partialValue
                if let note { bar.note = note }
            }
        }

        public func set(done: Int, total: Int? = nil, note: String? = nil) {
            progress.update(id) { bar in
                bar.done = done
                if let total { bar.total = total }
                if let note { bar.note = note }
            }
        }

        /// Leaves the bar's last state standing.
        public func finish() {
            progress.end(id)
        }
    }
}

// MARK: - Drawing

extension Progress {
    private func update(_ id: Int, _ change: (inout Bar.State) -> Void) {
        state.withLock { state in
            guard let i = state.bars.firstIndex(where: { $0.id == id }) else { return }
            change(&state.bars[i])
            draw(&state, force: false)
        }
    }

    private func end(_ id: Int) {
        state.withLock { end(id, &$0) }
    }

    private func end(_ id: Int, _ state: inout State) {
        guard let i = state.bars.firstIndex(where: { $0.id == id }) else { return }
        let bar = state.bars[i]
        switch style {
        case .terminal(let width, let isUnicode):
            let erasure = erasing(&state)
            state.bars.remove(at: i)
            write(erasure + line(bar, width: columns(width), isUnicode: isUnicode) + "\n")
            draw(&state, force: true)
        case .lines:
            state.bars.remove(at: i)
            if bar.lastLine != nil { write(line(bar, width: nil, isUnicode: false) + "\n") }
        case .silent:
            state.bars.remove(at: i)
        }
    }

    private func draw(_ state: inout State, force: Bool) {
        let time = now()
        switch style {
        case .silent:
            return
        case .lines(let first, let every):
            for i in state.bars.indices {
                let bar = state.bars[i]
                if time - bar.start >= first, time - (bar.lastLine ?? -.infinity) >= every {
                    state.bars[i].lastLine = time
                    write(line(bar, width: nil, isUnicode: false) + "\n")
                }
            }
        case .terminal(let width, let isUnicode):
            guard state.suspensions == 0, !state.bars.isEmpty else { return }
            guard force || time - state.lastDraw >= 0.1 else { return }
            state.lastDraw = time
            let columns = columns(width)
            let lines = state.bars.map { line($0, width: columns, isUnicode: isUnicode) }
            let erasure = erasing(&state)
            write(erasure + lines.map { $0 + "\n" }.joined())
            state.drawn = lines.count
        }
    }

    /// What removes our lines from the terminal.
    private func erasing(_ state: inout State) -> String {
        defer { state.drawn = 0 }
        return state.drawn == 0 ? "" : "\u{1B}[\(state.drawn)A\r\u{1B}[J"
    }

    private func columns(_ width: Int?) -> Int {
        if let width { return width }
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// "Training  42%|████▏     | 420/1000 [00:12<00:17, 33.6 it/s] loss=0.31", in at most
    /// `width - 1` columns.
    private func line(_ bar: Bar.State, width: Int?, isUnicode: Bool) -> String {
        let elapsed = max(0, now() - bar.start)
        let rate = elapsed > 0 ? Double(bar.done) / elapsed : 0
        var timing = Self.clock(elapsed)
        if let total = bar.total {
            timing += "<" + (rate > 0 ? Self.clock(Double(max(0, total - bar.done)) / rate) : "?")
        }
        timing += ", " + (rate > 0 ? Self.rate(rate, bar.unit) : "? \(bar.unit)/s")
        let count = bar.total.map { "\(bar.done)/\($0)" } ?? "\(bar.done)"
        let tail = "\(count) [\(timing)]" + (bar.note.isEmpty ? "" : " " + bar.note)
        guard let total = bar.total else { return Self.cut("\(bar.label): \(tail)", width) }
        let fraction = total > 0 ? min(1, max(0, Double(bar.done) / Double(total))) : 1
        let percent = Self.padded("\(Int(fraction * 100))", 3) + "%"
        let head = "\(bar.label): \(percent)"
        guard let width else { return "\(head) \(tail)" }
        let room = min(40, width - 1 - head.count - tail.count - 3)
        guard room >= 4 else { return Self.cut("\(head) \(tail)", width) }
        return "\(head)|\(Self.blocks(fraction, room, isUnicode))| \(tail)"
    }

    private static func blocks(_ fraction: Double, _ room: Int, _ isUnicode: Bool) -> String {
        let eighths = Int(fraction * Double(room * 8))
        let full = eighths / 8
        let partial: [Character] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        var text = String(repeating: isUnicode ? "█" : "#", count: full)
        if isUnicode, eighths % 8 > 0 { text.append(partial[eighths % 8 - 1]) }
        return text + String(repeating: " ", count: room - text.count)
    }

    /// 75 s as "01:15", hours before it when there are any.
    private static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 3.6e6 else { return "?" }
        let total = Int(seconds)
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let short = "\(two(total / 60 % 60)):\(two(total % 60))"
        return total >= 3600 ? "\(total / 3600):\(short)" : short
    }

    /// Units per second, or seconds per unit when slow.
    private static func rate(_ perSecond: Double, _ unit: String) -> String {
        func two(_ value: Double) -> String {
            guard value < 1e12 else { return "?" }
            let hundredths = Int(value * 100)
            let rest = hundredths % 100
            return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
        }
        return perSecond >= 1 ? "\(two(perSecond)) \(unit)/s" : "\(two(1 / perSecond)) s/\(unit)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func cut(_ text: String, _ width: Int?) -> String {
        guard let width, text.count >= width else { return text }
        return String(text.prefix(max(0, width - 1)))
    }
}
