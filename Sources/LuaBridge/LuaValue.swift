// The Swift view of a Lua value. Numbers keep Lua's integer and float apart, strings are bytes,
// tables and functions are references.

internal import CLua

/// Any Lua value.
public enum LuaValue: Sendable {
    case `nil`
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(LuaString)
    case table(LuaTable)
    case function(LuaFunction)
    /// A Swift object whose class was declared with ``LuaClass``.
    case object(LuaObjectReference)
    /// A userdata of someone else's (a file of `io`).
    case userdata(LuaReference)
    case thread(LuaReference)
    case lightUserdata(UInt)
}

extension LuaValue {
    public var isNil: Bool { if case .nil = self { true } else { false } }

    /// Integers and floats, as a float.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// Integers, and floats with an integer value.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    public var boolean: Bool? { if case .boolean(let value) = self { value } else { nil } }

    /// Strings that are valid UTF-8.
    public var string: String? { if case .string(let value) = self { value.text } else { nil } }

    public var table: LuaTable? { if case .table(let value) = self { value } else { nil } }

    public var function: LuaFunction? { if case .function(let value) = self { value } else { nil } }

    /// The Swift object, when it is a `T`.
    public func object<T>(as type: T.Type = T.self) -> T? {
        if case .object(let value) = self { value.object as? T } else { nil }
    }

    /// The type as error messages name it.
    public var typeName: String {
        switch self {
        case .nil: "nil"
        case .boolean: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .table: "table"
        case .function: "function"
        case .object(let value): value.className
        case .userdata: "userdata"
        case .thread: "thread"
        case .lightUserdata: "light userdata"
        }
    }
}

extension LuaValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral
{
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(stringLiteral value: String) { self = .string(LuaString(value)) }
    public init(nilLiteral: ()) { self = .nil }
}

/// The bytes of a Lua string.
public struct LuaString: Sendable, Hashable {
    public var bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// The text, when the bytes are valid UTF-8.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    /// The text with invalid bytes replaced by U+FFFD.
    public var repaired: String { String(decoding: bytes, as: UTF8.self) }
}

/// A Swift object on its way to or from Lua.
public struct LuaObjectReference: @unchecked Sendable {
    public let object: AnyObject
    let className: String
}

// MARK: - Tables

/// A Lua table held by Swift. Reads and writes obey metamethods where the name does not say raw.
public struct LuaTable: Sendable {
    public let reference: LuaReference

    init(_ reference: LuaReference) { self.reference = reference }

    /// `t[key]` converted to `V`; throws when the value is of another type.
    public func get<V: FromLua>(_ key: any IntoLua, as type: V.Type = V.self) throws -> V {
        try withTable { stack, table in
            try key.push(onto: stack)
            try stack.getTable(table)
            do {
                return try V.fromLua(stack, at: -1)
            } catch let error as LuaError {
                throw error.within(Self.label(key))
            }
        }
    }

    public func set(_ key: any IntoLua, _ value: any IntoLua) throws {
        try withTable { stack, table in
            try key.push(onto: stack)
            try value.push(onto: stack)
            try stack.setTable(table)
        }
    }

    /// `rawset`.
    public func rawSet(_ key: any IntoLua, _ value: any IntoLua) throws {
        try withTable { stack, table in
            try key.push(onto: stack)
            try value.push(onto: stack)
            try stack.rawSet(table)
        }
    }

    /// `#t`
    public var count: Int { get throws { try withTable { try $0.length(at: $1) } } }

    /// `rawlen(t)`
    public var rawCount: Int { get throws { try withTable { $0.rawCount(at: $1) } } }

    /// Key and value of every field, without metamethods, in Lua's order.
    /// - limit: how many fields at most.
    public func pairs(limit: Int = .max) throws -> [(key: LuaValue, value: LuaValue)] {
        try withTable { stack, table in
            var result: [(key: LuaValue, value: LuaValue)] = []
            try stack.forEachPair(of: table) {
                let key = stack.height - 1
                result.append(
                    (try .fromLua(stack, at: key), try .fromLua(stack, at: key + 1)))
                return result.count < limit
            }
            return result
        }
    }

    /// The table as a function, when its metatable has `__call`.
    public var callable: LuaFunction? {
        get throws {
            try withTable { stack, table in
                stack.isCallable(at: table) ? try LuaFunction.fromLua(stack, at: table) : nil
            }
        }
    }

    /// Sets the metatable; nil removes it.
    public func setMetatable(_ metatable: LuaTable?) throws {
        try withTable { stack, table in
            if let metatable {
                try stack.push(reference: metatable.reference)
            } else {
                try stack.pushNil()
            }
            lua_setmetatable(stack.lua, table)
        }
    }

    private func withTable<R>(_ body: (LuaStack, _ table: Int32) throws -> R) throws -> R {
        let stack = try reference.state.stack()
        return try stack.balanced {
            try stack.push(reference: reference)
            return try body(stack, stack.height)
        }
    }

    private static func label(_ key: any IntoLua) -> String {
        if let name = key as? String { return name }
        if let index = key as? Int { return "[\(index)]" }
        return "field"
    }
}
