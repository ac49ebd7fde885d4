// Parameters, attributes and results between Lua and the engine.

import FoundationEssentials
public import LuaBridge
import OrderedJSON
public import Tuning

extension ParameterValue: LuaConvertible {
    /// nil, booleans, numbers and strings; integers and floats stay apart.
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> ParameterValue {
        try ParameterValue(LuaValue.fromLua(stack, at: index))
    }

    init(_ value: LuaValue) throws {
        switch value {
        case .nil: self = .null
        case .boolean(let flag): self = .bool(flag)
        case .integer(let number): self = .int(number)
        case .number(let number): self = .double(number)
        case .string(let bytes):
            guard let text = bytes.text else {
                throw LuaError.value(path: "", problem: "the string is not valid UTF-8")
            }
            self = .string(text)
        default:
            throw LuaError.mismatch(
                path: "", expected: "nil, boolean, number or string", got: value.typeName)
        }
    }

    public func push(onto stack: LuaStack) throws {
        let value: LuaValue =
            switch self {
            case .null: .nil
            case .bool(let flag): .boolean(flag)
            case .int(let number): .integer(number)
            case .double(let number): .number(number)
            case .string(let text): .string(LuaString(text))
            }
        try value.push(onto: stack)
    }
}

/// A table with string keys, in the order of the names.
struct NamedValuesTable<Value: Sendable>: IntoLua where Value: IntoLua {
    let values: NamedValues<Value>

    func push(onto stack: LuaStack) throws {
        let table = try stack.state.table(hash: values.count)
        for (name, value) in values { try table.rawSet(name, value) }
        try table.push(onto: stack)
    }
}

extension NamedValues {
    /// A table with string keys; a Lua table has no order, so the names come sorted.
    static func fromLua(
        _ table: LuaTable, path: String, _ convert: (LuaValue) throws -> Value
    ) throws -> NamedValues {
        var members: [(String, Value)] = []
        for (key, value) in try table.pairs() {
            guard let name = key.string else {
                throw LuaError.mismatch(
                    path: path, expected: "table with string keys", got: "a key of \(key.typeName)")
            }
            do {
                members.append((name, try convert(value)))
            } catch let error as LuaError {
                throw error.within(name).within(path)
            }
        }
        return NamedValues(members).sortedByName()
    }
}

/// The value of an attribute: anything that JSON can hold, a table of its own included.
let attributeValue = LuaParameter("value", .any, default: .nil, kind: .positionalOnly)

extension LuaArguments {
    /// A table of parameters: name -> value.
    func parameters(_ name: String) throws -> NamedValues<ParameterValue> {
        guard let table: LuaTable = try self[name] else { return [:] }
        return try .fromLua(table, path: name) { try ParameterValue($0) }
    }

    /// A table of ranges: name -> distribution object; also as a table with that table in the
    /// field `name`.
    func distributions(_ name: String) throws -> NamedValues<Distribution> {
        guard var table: LuaTable = try self[name] else { return [:] }
        if let inner = try table.get(name, as: LuaValue.self).table { table = inner }
        return try .fromLua(table, path: name) { value in
            guard let object = value.object(as: DistributionObject.self) else {
                throw LuaError.mismatch(
                    path: "", expected: "Distribution", got: value.typeName)
            }
            return object.distribution
        }
    }

    /// A table of attributes.
    func attributes(_ name: String) throws -> JSONObject {
        try self[name] as JSONObject? ?? [:]
    }
}

extension ObjectiveResult {
    /// What a Lua function returned: nothing, one value, a sequence, or several values.
    init(_ results: [LuaValue]) {
        if results.count > 1 {
            self = .sequence(results.map(Self.element))
            return
        }
        switch results.first ?? .nil {
        case .nil: self = .none
        case .table(let table):
            let elements = (try? table.pairs()) ?? []
            let count = (try? table.count) ?? 0
            if count == elements.count, count > 0 {
                let values = (1...count).map { place in
                    (try? table.get(place, as: LuaValue.self)) ?? .nil
                }
                self = .sequence(values.map(Self.element))
            } else {
                self = elements.isEmpty ? .sequence([]) : .single(.string("table"))
            }
        case let value: self = .single(Self.element(value))
        }
    }

    /// Values that are no scalars are shown by their type.
    private static func element(_ value: LuaValue) -> ParameterValue {
        (try? ParameterValue(value)) ?? .string(value.typeName)
    }
}

/// "2026-11-23 20:45:04.668" in the local time zone.
func localTimeText(_ date: Date?) -> String? {
    date.map { LogTime(date: $0).text.replacing(",", with: ".") }
}
