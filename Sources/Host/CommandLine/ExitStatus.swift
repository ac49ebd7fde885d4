// How st-host ends.

/// Exit status of the command.
public enum ExitStatus: Int32, Sendable {
    case done = 0
    /// The script failed.
    case failure = 1
    /// The command line is wrong.
    case usage = 2
    /// Stopped by Ctrl-C: 128 + SIGINT.
    case interrupted = 130
}
