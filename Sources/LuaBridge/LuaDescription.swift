// What a state knows about the values that Swift declared: the one source of `help`, completion,
// editor stubs and the reference.

internal import CLua

/// What a value was declared as.
public enum LuaDescription {
    case module(LuaModule)
    /// A class, as the callable table that makes its objects.
    case type(LuaClassDescription)
    /// An object of a class.
    case object(LuaClassDescription)
    case function(LuaSignature)
}

/// What a Swift function returns to Lua; found from its Swift type.
public indirect enum LuaResultType: Sendable {
    case none, any, boolean, integer, number, string, table, function
    case sequence(LuaResultType)
    case map(LuaResultType)
    case optional(LuaResultType)
    /// An object of a registered class.
    case object(ObjectIdentifier)
}

extension LuaClassDescription {
    /// The result type of an expression of this class.
    public var result: LuaResultType { .object(id) }
}

extension LuaState {
    /// What Swift declared `value` as; nil for values of the script's own.
    public func description(of value: LuaValue) throws -> LuaDescription? {
        let stack = try stack()
        return try stack.balanced {
            try value.push(onto: stack)
            switch stack.kind(at: -1) {
            case .function:
                return (stack.functionBox(at: -1)?.signature).map(LuaDescription.function)
            case .userdata:
                return stack.objectInfo(at: -1).map { .object($0.description) }
            case .table:
                guard try stack.pushMetafield("__index", at: -1) else { return nil }
                return stack.functionBox(at: -1)?.subject
            default:
                return nil
            }
        }
    }

    /// The classes known so far, by name.
    public var declaredClasses: [LuaClassDescription] {
        var seen: Set<String> = []
        return classes.values.filter { seen.insert($0.name).inserted }
            .map(\.description).sorted { $0.name < $1.name }
    }

    /// The class behind ``LuaResultType/object(_:)``.
    public func declaredClass(_ id: ObjectIdentifier) -> LuaClassDescription? {
        classes[id]?.description
    }

    /// The fields of an object that are no methods: properties, and what its indexer names.
    public func fieldNames(of value: LuaValue) throws -> [String] {
        let stack = try stack()
        return try stack.balanced {
            try value.push(onto: stack)
            guard let info = stack.objectInfo(at: -1) else { return [] }
            let object = stack.object(at: -1)
            return info.properties.keys.sorted() + (object.flatMap { info.fieldNames?($0) } ?? [])
        }
    }
}

extension LuaFunction {
    /// The parameters of a function written in Lua, "..." last; nil for Swift's and C's.
    public var parameterNames: [String]? {
        get throws {
            let stack = try reference.state.stack()
            return try stack.balanced {
                try stack.push(reference: reference)
                let lua = stack.lua
                guard lua_type(lua, -1) == LUA_TFUNCTION, lua_iscfunction(lua, -1) == 0 else {
                    return nil
                }
                try stack.ensure(2)
                var info = lua_Debug()
                lua_pushvalue(lua, -1)
                guard lua_getinfo(lua, ">u", &info) != 0 else { return nil }
                // Stripped code has no names.
                let names = (0..<Int32(info.nparams)).map { place in
                    lua_getlocal(lua, nil, place + 1).map { String(cString: $0) } ?? "_"
                }
                return names + (info.isvararg != 0 ? ["..."] : [])
            }
        }
    }
}

extension LuaTable {
    /// `rawget`.
    public func rawGet(_ key: any IntoLua) throws -> LuaValue {
        let stack = try reference.state.stack()
        return try stack.balanced {
            try stack.push(reference: reference)
            try key.push(onto: stack)
            lua_rawget(stack.lua, -2)
            return try LuaValue.fromLua(stack, at: -1)
        }
    }

    /// The metatable, whatever its `__metatable` says.
    public var metatable: LuaTable? {
        get throws {
            let stack = try reference.state.stack()
            return try stack.balanced {
                try stack.push(reference: reference)
                guard lua_getmetatable(stack.lua, -1) != 0 else { return nil }
                return try LuaTable.fromLua(stack, at: -1)
            }
        }
    }

    /// Whether both are the same table.
    public func isSame(as other: LuaTable) -> Bool { address == other.address }

    /// Tells tables apart for as long as both live.
    public var address: UInt {
        guard let stack = try? reference.state.stack() else { return 0 }
        return stack.balanced {
            guard (try? stack.push(reference: reference)) != nil else { return 0 }
            return UInt(bitPattern: lua_topointer(stack.lua, -1))
        }
    }
}

extension LuaStack {
    func functionBox(at index: Int32) -> LuaFunctionBox? {
        guard let object = st_boxobject(lua, index) else { return nil }
        return Unmanaged<LuaFunctionBox>.fromOpaque(object).takeUnretainedValue()
    }

    /// Pushes field `name` of the value's metatable; false, and nothing pushed, without one.
    func pushMetafield(_ name: String, at index: Int32) throws -> Bool {
        let index = lua_absindex(lua, index)
        let height = lua_gettop(lua)
        try ensure(4)
        guard lua_getmetatable(lua, index) != 0 else { return false }
        try push(name)
        if lua_rawget(lua, -2) == LUA_TNIL {
            lua_settop(lua, height)
            return false
        }
        st_remove(lua, -2)
        return true
    }
}

// MARK: - Types of results

extension Bool { public static var luaResult: LuaResultType { .boolean } }
extension IntoLua where Self: FixedWidthInteger {
    public static var luaResult: LuaResultType { .integer }
}
extension Double { public static var luaResult: LuaResultType { .number } }
extension Float { public static var luaResult: LuaResultType { .number } }
extension String { public static var luaResult: LuaResultType { .string } }
extension Substring { public static var luaResult: LuaResultType { .string } }
extension LuaString { public static var luaResult: LuaResultType { .string } }
extension LuaTable { public static var luaResult: LuaResultType { .table } }
extension LuaFunction { public static var luaResult: LuaResultType { .function } }
extension Optional where Wrapped: IntoLua {
    public static var luaResult: LuaResultType { .optional(Wrapped.luaResult) }
}
extension Array where Element: IntoLua {
    public static var luaResult: LuaResultType { .sequence(Element.luaResult) }
}
extension Dictionary where Key == String, Value: IntoLua {
    public static var luaResult: LuaResultType { .map(Value.luaResult) }
}
extension LuaObject {
    public static var luaResult: LuaResultType { .object(ObjectIdentifier(Self.self)) }
}
