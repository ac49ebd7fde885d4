import LuaBridge
import Training

/// Values by name on their way to a Lua table. A Dictionary would hold names that differ only in
/// Unicode form once.
struct ValuesByName<Value: IntoLua>: IntoLua {
    let values: [(name: String, value: Value)]

    init(_ values: [(name: String, value: Value)]) { self.values = values }

    func push(onto stack: LuaStack) throws {
        try stack.pushTable(hash: values.count)
        let table = stack.height
        for (name, value) in values {
            try value.push(onto: stack)
            try stack.setField(name, of: table)
        }
    }

    static var luaResult: LuaResultType { .map(Value.luaResult) }
}

/// The fields of a table with string keys.
/// - expected: what the keys are, for the error about another key.
func namedFields(
    _ table: LuaTable, _ path: String, expected: String
) throws -> [(name: String, value: LuaValue)] {
    try table.pairs().map { key, value in
        guard let name = key.string else {
            throw LuaError.mismatch(
                path: path, expected: expected, got: "a key of \(key.typeName)")
        }
        return (name, value)
    }
}
