// Everything that can go wrong between Swift and Lua. Cases hold data; `description` is the one
// place that makes the sentence. What a binding throws is raised in the script as an error value
// (LuaState+Errors.swift) that prints as "file:line: sentence".

/// An error of the bridge: thrown by it, or by a Swift function that a script has called.
public enum LuaError: Error, Sendable {
    /// A chunk does not compile. `incomplete` is true when it only ends too early, so that more
    /// input could complete it (what a REPL asks).
    case syntax(message: String, incomplete: Bool)
    /// An error raised by a script, or by a Swift function below a script.
    case runtime(LuaRuntimeError)
    /// A value has the wrong type: `n_trials: expected integer, got string`. `path` says where
    /// ("sentences[3]"), and is empty when the value stands alone.
    case mismatch(path: String, expected: String, got: String)
    /// A value has the right type and can't be used: `dropout: must be at most 1, got 2`.
    case value(path: String, problem: String)
    /// A required argument was not given.
    case missing(name: String)
    /// A name that nobody knows. `kind` is "argument", "field", ...
    case unknown(kind: String, name: String, owner: String, valid: [String])
    /// A sentence of the caller's own. `level` is that of Lua's `error`: 1 blames the caller of
    /// the Swift function, 2 the caller's caller, 0 adds no place.
    case message(String, level: Int = 1)
    /// The memory limit, or the machine's memory, is exhausted.
    case memory
    /// ``LuaState/interrupt()`` was called.
    case interrupted
    /// The instruction limit was reached.
    case instructionLimit
    /// No room for more values on the Lua stack.
    case stackOverflow
    /// The state was closed, or a value belongs to another state.
    case closed
    case otherState
    /// A thread that does not own the state used it.
    case wrongThread
    /// A broken invariant of our own.
    case internalError(String)
}

/// An error that went through Lua.
public struct LuaRuntimeError: Sendable {
    /// One line, with `file:line:` where Lua knows it.
    public let message: String
    /// Lua's "stack traceback:" and the lines after it, innermost first; may be empty.
    public let traceback: String
    /// What `pcall` gives the script: a string, a table, an error object.
    public let value: LuaValue
    /// The Swift error at the bottom of it all, when a Swift function threw.
    public let cause: (any Error)?

    package init(message: String, traceback: String, value: LuaValue, cause: (any Error)?) {
        self.message = message
        self.traceback = traceback
        self.value = value
        self.cause = cause
    }
}

/// An error with a sentence around that of another one: where in the program it happened, say.
/// Raised in a script it keeps the place and the traceback of its cause.
public protocol LuaErrorWrapper: Error {
    var cause: any Error { get }
}

extension LuaError {
    /// The first cause of `error`: the Swift error thrown below one or more layers of Lua, or
    /// `error` itself.
    public static func firstCause(of error: any Error) -> any Error {
        var error = error
        while true {
            if case .runtime(let info)? = error as? LuaError, let cause = info.cause {
                error = cause
            } else if let wrapper = error as? any LuaErrorWrapper {
                error = wrapper.cause
            } else {
                return error
            }
        }
    }

    /// What Lua knows of `error`, within its wrappers; nil for one that never was in Lua.
    static func runtimeInfo(of error: any Error) -> LuaRuntimeError? {
        if case .runtime(let info)? = error as? LuaError { return info }
        return (error as? any LuaErrorWrapper).flatMap { runtimeInfo(of: $0.cause) }
    }

    /// Whether `error` comes from ``LuaState/interrupt()``.
    public static func isInterrupt(_ error: any Error) -> Bool {
        if case .interrupted? = firstCause(of: error) as? LuaError { return true }
        return false
    }

    /// The Lua traceback that came with `error`; empty when there is none.
    public static func traceback(of error: any Error) -> String {
        runtimeInfo(of: error)?.traceback ?? ""
    }

    /// The same error one level further out: `mismatch` at "[3]" becomes "sentences[3]".
    public func within(_ outer: String) -> LuaError {
        func joined(_ path: String) -> String {
            if path.isEmpty { return outer }
            return path.hasPrefix("[") ? outer + path : outer + "." + path
        }
        switch self {
        case .mismatch(let path, let expected, let got):
            return .mismatch(path: joined(path), expected: expected, got: got)
        case .value(let path, let problem):
            return .value(path: joined(path), problem: problem)
        default:
            return self
        }
    }
}

extension LuaError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .syntax(let message, _):
            return message
        case .runtime(let info):
            return info.message
        case .mismatch(let path, let expected, let got):
            return (path.isEmpty ? "" : "\(path): ") + "expected \(expected), got \(got)"
        case .value(let path, let problem):
            return (path.isEmpty ? "" : "\(path): ") + problem
        case .missing(let name):
            return "missing argument '\(name)'"
        case .unknown(let kind, let name, let owner, let valid):
            let start = owner.isEmpty ? "" : "\(owner): "
            if let nearest = nearestName(to: name, in: valid) {
                return "\(start)unknown \(kind) '\(name)'; did you mean '\(nearest)'?"
            }
            if valid.isEmpty { return "\(start)unknown \(kind) '\(name)'" }
            let some = valid.count > 12 ? valid.prefix(12) + ["..."] : valid[...]
            return "\(start)unknown \(kind) '\(name)'; valid: \(some.joined(separator: ", "))"
        case .message(let text, _):
            return text
        case .memory:
            return "not enough memory"
        case .interrupted:
            return "interrupted!"
        case .instructionLimit:
            return "the instruction limit was reached"
        case .stackOverflow:
            return "stack overflow"
        case .closed:
            return "the Lua state is closed"
        case .otherState:
            return "the value belongs to another Lua state"
        case .wrongThread:
            return "st-host internal error: the Lua state was used by a thread that does not own"
                + " it (see LuaState.lend); please report"
        case .internalError(let text):
            return "st-host internal error: \(text); please report"
        }
    }
}
