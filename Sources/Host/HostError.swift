// The last stop of every error: one line for the user, and the exit status of the command.

import Hub
import LuaBridge
import Training
import Tuning

/// What the host itself refuses.
public enum HostError: Error, Sendable, Equatable {
    /// The command line is wrong.
    case usage(String)
    /// A sandboxed script tried what it may not do.
    case sandbox(String)
    /// A path that can't be one.
    case path(String)
}

extension HostError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let problem): "\(problem); see st-host --help"
        case .sandbox(let problem): "sandbox: \(problem)"
        case .path(let problem): problem
        }
    }
}

extension HostError {
    /// The sentence for an error, on one line. The bridge puts the place in the script before it.
    public static func describe(_ error: any Error) -> String {
        let text = "\(error)"
        guard text.utf8.contains(where: { $0 == 10 || $0 == 13 }) else { return text }
        return text.split(whereSeparator: \.isNewline)
            .map { $0.drop(while: \.isWhitespace) }.joined(separator: " ")
    }

    /// What an uncaught error prints: the message, then the Lua traceback where there is one.
    public static func report(_ error: any Error) -> String {
        let message = error is LuaError ? "\(error)" : describe(error)
        let traceback = LuaError.traceback(of: error)
        return traceback.isEmpty ? message : message + "\n" + traceback
    }

    /// Whether the user asked to stop.
    public static func isInterrupt(_ error: any Error) -> Bool {
        LuaError.isInterrupt(error)
            || LuaError.firstCause(of: error) as? TrainingError == .cancelled
            || LuaError.firstCause(of: error) as? TuningError == .interrupted
            || LuaError.firstCause(of: error) as? HubError == .cancelled
    }
}
