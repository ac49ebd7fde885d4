// Tables that print as Python prints the object they stand for: what `trainer:train()` returns,
// `trainer.state`.

import LuaBridge
import OrderedJSON
import Tuning

/// A plain table with fields, which `print` shows as "TrainOutput(global_step=2, ...)". Reading a field
/// that there can't be is an error, as it is for objects.
struct RecordTable: IntoLua {
    let name: String
    let fields: JSONObject
    /// Fields that may have no value, which is nil then.
    var others: [String] = []

    static var luaResult: LuaResultType { JSONObject.luaResult }

    func push(onto stack: LuaStack) throws {
        let lua = stack.state
        let order = fields.keys
        let text = try lua.function(
            name, [LuaParameter("record", .table, default: .required, kind: .positionalOnly)]
        ) { [name] args -> String in
            // The table as it is now: scripts may have changed it.
            let table: LuaTable = try args["record"]
            var values: JSONObject = [:]
            for (key, value) in try table.pairs() {
                if let key = key.string { values[key] = try? JSONValue(value) }
            }
            let rest = values.keys.filter { !order.contains($0) }.sorted()
            let shown = (order + rest).compactMap { key in
                values[key].map { "\(key)=\(pythonRepr($0))" }
            }
            return "\(name)(\(shown.joined(separator: ", ")))"
        }
        let missing = try lua.function(
            name,
            [
                LuaParameter("record", .table, default: .required, kind: .positionalOnly),
                LuaParameter("key", .any, default: .nil, kind: .positionalOnly),
            ]
        ) { [name, others] args -> LuaValue in
            let key: LuaValue = try args["key"]
            if let field = key.string, !others.contains(field) {
                throw LuaError.unknown(
                    kind: "field", name: field, owner: name, valid: order + others)
            }
            return .nil
        }
        let give = try lua.load(
            """
            local record, name, text, missing = ...
            return setmetatable(record, { __name = name, __tostring = text, __index = missing })
            """, name: "=record")
        try (try give.call(fields, name, text, missing) as LuaValue).push(onto: stack)
    }
}
