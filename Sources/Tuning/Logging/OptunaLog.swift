// Optuna's log lines on standard error.
//
// A study writes to the swift-log `Logger` it is given. The default is `OptunaLog.shared.logger`,
// made with a handler of its own: nothing is bootstrapped, so a program that embeds this package
// keeps its logging and hands a study any other logger it likes.

public import Logging
import Synchronization

/// A destination for log lines with a level that can change at any time.
///
///     [I 2026-11-23 20:45:04,668] Trial 0 finished with value: 0.25 and parameters: {...}.
///
/// Letter of the level, local time with milliseconds, message. On a terminal the bracket is in the
/// colour of the level; the environment variable NO_COLOR turns that off, FORCE_COLOR on.
public final class OptunaLog: Sendable {
    /// What studies use that are given no logger: standard error, level INFO.
    public static let shared = OptunaLog()

    /// Optuna's levels, with the numbers of Python's logging module.
    public enum Verbosity: Int, Sendable, CaseIterable {
        case debug = 10
        case info = 20
        case warning = 30
        case error = 40
        case critical = 50

        /// The quietest level that still shows messages of this number.
        public init(atLeast number: Int) {
            self = Self.allCases.first { $0.rawValue >= number } ?? .critical
        }

        var level: Logger.Level {
            switch self {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            case .critical: .critical
            }
        }
    }

    private let state: Mutex<State>
    private let write: @Sendable (String) -> Void
    private let now: @Sendable () -> LogTime
    private let isColoured: Bool

    private struct State {
        var verbosity: Verbosity
        var isEnabled = true
    }

    /// - write: gets each line with its line break; standard error by default.
    /// - isColoured: by default as the terminal and the environment say.
    public convenience init(
        verbosity: Verbosity = .info, isColoured: Bool? = nil,
        write: (@Sendable (String) -> Void)? = nil
    ) {
        self.init(verbosity: verbosity, isColoured: isColoured, write: write, now: LogTime.now)
    }

    package init(
        verbosity: Verbosity = .info, isColoured: Bool?, write: (@Sendable (String) -> Void)?,
        now: @escaping @Sendable () -> LogTime
    ) {
        state = Mutex(State(verbosity: verbosity))
        self.write = write ?? StandardError.write
        self.now = now
        self.isColoured = isColoured ?? StandardError.wantsColour
    }

    /// A logger with the label "optuna" that writes here.
    public var logger: Logger { Logger(label: "optuna") { _ in Handler(log: self) } }

    /// Messages below this level are dropped.
    public var verbosity: Verbosity {
        get { state.withLock { $0.verbosity } }
        set { state.withLock { $0.verbosity = newValue } }
    }

    /// Whether anything is written at all.
    public var isEnabled: Bool {
        get { state.withLock { $0.isEnabled } }
        set { state.withLock { $0.isEnabled = newValue } }
    }

    func line(_ level: Logger.Level, _ message: String) -> String {
        let (letter, colour) = Self.letterAndColour(level)
        let bracket = "[\(letter) \(now().text)]"
        if !isColoured { return "\(bracket) \(message)\n" }
        return "\u{1b}[\(colour)m\(bracket)\u{1b}[0m \(message)\u{1b}[0m\n"
    }

    private static func letterAndColour(_ level: Logger.Level) -> (String, String) {
        switch level {
        case .trace, .debug: ("D", "37")
        case .info, .notice: ("I", "32")
        case .warning: ("W", "33")
        case .error: ("E", "31")
        case .critical: ("C", "1;31")
        }
    }

    fileprivate struct Handler: LogHandler {
        let log: OptunaLog
        var metadata: Logger.Metadata = [:]

        init(log: OptunaLog) { self.log = log }

        /// Shared by all loggers of this log, so that a change reaches those already handed out.
        var logLevel: Logger.Level {
            get { log.verbosity.level }
            set {}
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            if log.isEnabled { log.write(log.line(event.level, event.message.description)) }
        }
    }
}
