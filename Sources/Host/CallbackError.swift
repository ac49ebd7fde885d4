// Errors in functions that a script gave to a trainer: the sentence says which function it was, and
// in which trial of a search.

import LuaBridge
import Tuning

/// An error on its way out of a callback: "sweep.lua:31: no such field (in compute_objective,
/// trial 3)".
struct CallbackError: LuaErrorWrapper {
    /// nil for what is not a callback, as training within a trial.
    let callback: String?
    let trial: Int?
    let cause: any Error

    /// - Parameter error: comes back as it is when it is a signal of the script's, a value other
    ///   than a text, or has been told where already.
    static func wrapping(_ error: any Error, callback: String?, trial: Int?) -> any Error {
        if let inner = error as? CallbackError {
            guard inner.trial == nil, trial != nil else { return error }
            return CallbackError(callback: inner.callback, trial: trial, cause: inner.cause)
        }
        if HostError.isInterrupt(error) || isSignal(error) { return error }
        return CallbackError(callback: callback, trial: trial, cause: error)
    }

    /// What has a meaning of its own to whoever catches it.
    private static func isSignal(_ error: any Error) -> Bool {
        switch LuaError.firstCause(of: error) {
        case is TrialPruned, LuaError.memory, LuaError.instructionLimit: return true
        default: break
        }
        if case .runtime(let info)? = error as? LuaError, info.cause == nil {
            return info.value.string == nil
        }
        return false
    }
}

extension CallbackError: CustomStringConvertible {
    var description: String {
        let places = [
            // A sentence of ours begins with the callback's name.
            callback.flatMap { "\(cause)".hasPrefix($0 + ":") ? nil : "in \($0)" },
            trial.map { "trial \($0)" },
        ].compactMap { $0 }
        return places.isEmpty
            ? "\(cause)"
            : "\(HostError.describe(cause)) (\(places.joined(separator: ", ")))"
    }
}

/// Runs `body`, which calls a function of the script; its errors name the function.
func inCallback<R>(_ name: String?, trial: Int? = nil, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch {
        throw CallbackError.wrapping(error, callback: name, trial: trial)
    }
}
