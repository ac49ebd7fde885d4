// FromLua and IntoLua, and the conformances of the standard library.
//
//     Swift                      Lua                          and back
//     Bool                       boolean                      booleans only
//     Int, Int32, UInt64 ...     integer                      numbers with an integer value
//     Double, Float              float                        any number
//     String, Substring          string                       strings of valid UTF-8
//     LuaString                  string                       any string
//     Optional                   nil or the value             nil or absent
//     Array                      sequence, from 1             sequence without holes
//     [String: V]                table                        table whose keys are strings
//     LuaObject classes          userdata                     objects of that class
//     LuaValue, LuaTable ...     as they are                  as they are

internal import CLua

/// A Swift type that can be read from Lua.
public protocol FromLua {
    /// Reads the value at `index`, which stays; nothing is converted between strings and numbers.
    /// Throws ``LuaError/mismatch(path:expected:got:)`` for a value of another type.
    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Self
}

/// A Swift type that can be given to Lua.
public protocol IntoLua {
    /// Pushes exactly one value. On an error the height may be left higher; callers restore it.
    func push(onto stack: LuaStack) throws

    /// The type of such values in documentation and editor stubs.
    static var luaResult: LuaResultType { get }
}

extension IntoLua {
    public static var luaResult: LuaResultType { .any }
}

public typealias LuaConvertible = FromLua & IntoLua

extension LuaStack {
    /// The error for a value of the wrong type.
    public func mismatch(_ expected: String, at index: Int32) -> LuaError {
        .mismatch(path: "", expected: expected, got: describe(at: index))
    }
}

// MARK: - Scalars

extension Bool: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Bool {
        guard stack.kind(at: index) == .boolean else {
            throw stack.mismatch("boolean", at: index)
        }
        return stack.boolean(at: index)
    }

    public func push(onto stack: LuaStack) throws { try stack.push(self) }
}

extension FromLua where Self: FixedWidthInteger {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Self {
        guard let value = stack.integer(at: index) else {
            switch stack.kind(at: index) {
            case .integer, .float:
                throw LuaError.mismatch(
                    path: "", expected: "integer", got: "\(stack.number(at: index))")
            default:
                throw stack.mismatch("integer", at: index)
            }
        }
        guard let exact = Self(exactly: value) else {
            throw LuaError.value(
                path: "", problem: "must be between \(Self.min) and \(Self.max), got \(value)")
        }
        return exact
    }
}

extension IntoLua where Self: FixedWidthInteger {
    public func push(onto stack: LuaStack) throws {
        guard let value = Int(exactly: self) else {
            throw LuaError.value(path: "", problem: "\(self) does not fit a Lua integer")
        }
        try stack.push(value)
    }
}

extension Int: LuaConvertible {
    public func push(onto stack: LuaStack) throws { try stack.push(self) }
}
extension Int8: LuaConvertible {}
extension Int16: LuaConvertible {}
extension Int32: LuaConvertible {}
extension Int64: LuaConvertible {}
extension UInt: LuaConvertible {}
extension UInt8: LuaConvertible {}
extension UInt16: LuaConvertible {}
extension UInt32: LuaConvertible {}
extension UInt64: LuaConvertible {}

extension Double: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Double {
        switch stack.kind(at: index) {
        case .integer, .float: return stack.number(at: index)
        default: throw stack.mismatch("number", at: index)
        }
    }

    public func push(onto stack: LuaStack) throws { try stack.push(self) }
}

extension Float: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Float {
        Float(try Double.fromLua(stack, at: index))
    }

    public func push(onto stack: LuaStack) throws { try stack.push(Double(self)) }
}

extension String: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> String {
        let text = stack.withBytes(at: index) { String(validating: $0, as: UTF8.self) }
        guard let text else { throw stack.mismatch("string", at: index) }
        guard let text else {
            throw LuaError.value(path: "", problem: "the string is not valid UTF-8")
        }
        return text
    }

    public func push(onto stack: LuaStack) throws { try stack.push(self) }
}

extension Substring: IntoLua {
    public func push(onto stack: LuaStack) throws { try stack.push(String(self)) }
}

extension LuaString: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> LuaString {
        guard let bytes = stack.withBytes(at: index, { [UInt8]($0) }) else {
            throw stack.mismatch("string", at: index)
        }
        return LuaString(bytes: bytes)
    }

    public func push(onto stack: LuaStack) throws {
        // Typed throws through withUnsafeBytes are not available everywhere; rethrow instead.
        try bytes.withUnsafeBytes { try stack.push(bytes: $0) }
    }
}

// MARK: - Optionals and containers

extension Optional: FromLua where Wrapped: FromLua {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Wrapped? {
        switch stack.kind(at: index) {
        case .nil, .none: return nil
        default: return try Wrapped.fromLua(stack, at: index)
        }
    }
}

extension Optional: IntoLua where Wrapped: IntoLua {
    public func push(onto stack: LuaStack) throws {
        if let self { try self.push(onto: stack) } else { try stack.pushNil() }
    }
}

extension Array: FromLua where Element: FromLua {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> [Element] {
        guard stack.kind(at: index) == .table else {
            throw stack.mismatch("sequence", at: index)
        }
        let table = stack.absolute(index)
        let count = stack.rawCount(at: table)
        var result: [Element] = []
        result.reserveCapacity(count)
        for i in 0..<count {
            try stack.pushElement(i + 1, of: table)
            defer { stack.pop() }
            do {
                result.append(try Element.fromLua(stack, at: -1))
            } catch let error as LuaError {
                throw error.within("[\(i + 1)]")
            }
        }
        if count == 0, try !stack.isEmptyTable(at: table) {
            throw LuaError.mismatch(
                path: "", expected: "sequence", got: "table without elements at 1...")
        }
        return result
    }
}

extension Array: IntoLua where Element: IntoLua {
    public func push(onto stack: LuaStack) throws {
        if try stack.pushNumbers(self) { return }
        try stack.pushTable(array: count)
        let table = stack.height
        for (i, element) in enumerated() {
            try element.push(onto: stack)
            // The array part has room for it, so this needs no memory.
            lua_rawseti(stack.lua, table, Int64(i + 1))
        }
    }
}

extension Dictionary: FromLua where Key == String, Value: FromLua {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> [String: Value] {
        guard stack.kind(at: index) == .table else { throw stack.mismatch("table", at: index) }
        var result: [String: Value] = [:]
        try stack.forEachPair(of: index) {
            guard stack.kind(at: -2) == .string else {
                throw LuaError.mismatch(
                    path: "", expected: "table with string keys",
                    got: "key of type \(stack.describe(at: -2))")
            }
            let key = try String.fromLua(stack, at: -2)
            do {
                result[key] = try Value.fromLua(stack, at: -1)
            } catch let error as LuaError {
                throw error.within(key)
            }
            return true
        }
        return result
    }
}

extension Dictionary: IntoLua where Key == String, Value: IntoLua {
    public func push(onto stack: LuaStack) throws {
        try stack.pushTable(hash: count)
        let table = stack.height
        for (key, value) in self {
            try value.push(onto: stack)
            try stack.setField(key, of: table)
        }
    }
}

extension LuaStack {
    func isEmptyTable(at index: Int32) throws -> Bool {
        var empty = true
        try forEachPair(of: index) {
            empty = false
            return false
        }
        return empty
    }

    /// Pushes arrays of plain numbers in one protected call; false when it is another array.
    fileprivate func pushNumbers<E>(_ array: [E]) throws(LuaError) -> Bool {
        let kind: Int32
        if E.self == Double.self {
            kind = 0
        } else if E.self == Float.self {
            kind = 1
        } else if E.self == Int.self {
            kind = 2
        } else {
            return false
        }
        try ensure(2)
        try check(array.withUnsafeBytes { st_pushnumbers(lua, $0.baseAddress, array.count, kind) })
        return true
    }
}

// MARK: - Values and references

extension LuaValue: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> LuaValue {
        switch stack.kind(at: index) {
        case .none, .nil: return .nil
        case .boolean: return .boolean(stack.boolean(at: index))
        case .integer: return .integer(stack.integer(at: index) ?? 0)
        case .float: return .number(stack.number(at: index))
        case .string: return .string(try LuaString.fromLua(stack, at: index))
        case .table: return .table(LuaTable(try LuaReference(stack, at: index)))
        case .function: return .function(LuaFunction(try LuaReference(stack, at: index)))
        case .thread: return .thread(try LuaReference(stack, at: index))
        case .lightUserdata:
            return .lightUserdata(UInt(bitPattern: lua_touserdata(stack.lua, index)))
        case .userdata:
            if let info = stack.objectInfo(at: index), let object = stack.object(at: index) {
                return .object(LuaObjectReference(object: object, className: info.name))
            }
            return .userdata(try LuaReference(stack, at: index))
        }
    }

    public func push(onto stack: LuaStack) throws {
        switch self {
        case .nil: try stack.pushNil()
        case .boolean(let value): try stack.push(value)
        case .integer(let value): try stack.push(value)
        case .number(let value): try stack.push(value)
        case .string(let value): try value.push(onto: stack)
        case .table(let value): try stack.push(reference: value.reference)
        case .function(let value): try stack.push(reference: value.reference)
        case .object(let value): try stack.push(object: value.object)
        case .userdata(let value), .thread(let value): try stack.push(reference: value)
        case .lightUserdata(let value):
            try stack.ensure(1)
            lua_pushlightuserdata(stack.lua, UnsafeMutableRawPointer(bitPattern: value))
        }
    }
}

extension LuaTable: LuaConvertible {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> LuaTable {
        guard stack.kind(at: index) == .table else { throw stack.mismatch("table", at: index) }
        return LuaTable(try LuaReference(stack, at: index))
    }

    public func push(onto stack: LuaStack) throws { try stack.push(reference: reference) }
}

extension LuaFunction: LuaConvertible {
    /// Functions, and anything else that can be called (`__call`).
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> LuaFunction {
        guard stack.isCallable(at: index) else { throw stack.mismatch("function", at: index) }
        return LuaFunction(try LuaReference(stack, at: index))
    }

    public func push(onto stack: LuaStack) throws { try stack.push(reference: reference) }
}

extension LuaStack {
    func isCallable(at index: Int32) -> Bool {
        switch kind(at: index) {
        case .function: true
        case .table, .userdata: hasMetafield("__call", at: index)
        default: false
        }
    }
}
