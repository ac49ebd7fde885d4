// The metrics that compute_objective gets: a plain table that remembers which names were asked for
// in vain, so that the error that follows can say so.

import LuaBridge
import Training

/// Metrics as a Lua table.
struct AskedMetrics {
    let table: LuaTable
    private let names: [String]
    /// A sequence of the keys that were not there.
    private let missing: LuaTable

    init(_ metrics: Metrics, _ lua: LuaState) throws {
        names = metrics.keys
        table = try lua.table(hash: names.count)
        for (name, value) in metrics.entries { try table.set(name, value) }
        missing = try lua.table()
        let remember = try lua.load(
            """
            local metrics, missing = ...
            setmetatable(metrics, {
                __index = function(_, key) missing[#missing + 1] = key end,
                __name = "metrics",
            })
            """, name: "=metrics")
        try remember.call(table, missing)
    }

    /// "there is no metric 'eval_dev_spearman'; the metrics are eval_loss, epoch"
    var hint: String {
        let all = "the metrics are \(names.joined(separator: ", "))"
        guard let name = try? missing.get(1, as: String.self) else { return all }
        let nearest = nearestName(to: name, in: names).map { "did you mean '\($0)'? " } ?? ""
        return "there is no metric '\(name)'; \(nearest)\(all)"
    }

    /// Adds the hint to an error of the script when it asked for what is not there.
    func naming<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as LuaError {
            guard case .runtime(let info) = error, info.cause == nil, info.value.string != nil,
                try missing.count > 0
            else { throw error }
            throw MissingMetricError(cause: error, hint: hint)
        }
    }
}

/// An error that came of a metric that is not there.
private struct MissingMetricError: LuaErrorWrapper, CustomStringConvertible {
    let cause: any Error
    let hint: String

    var description: String { "\(cause); \(hint)" }
}
