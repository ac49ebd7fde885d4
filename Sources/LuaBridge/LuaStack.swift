// The Lua stack as Swift sees it: the one file that handles indices. Everything here either calls
// API functions that never raise, or the protected wrappers of CLua/shim.h.

internal import CLua

/// The stack of one Lua thread while Swift works on it. Conversions (``FromLua``, ``IntoLua``)
/// receive it; bindings seldom need it.
///
/// Valid only during the call that handed it out. Every method leaves the height as its name says
/// (`push...` one more value, everything else unchanged), and on a thrown error unchanged.
public struct LuaStack {
    public let state: LuaState
    let lua: OpaquePointer

    /// Number of values.
    public var height: Int32 { lua_gettop(lua) }

    /// Makes room for `count` more values; all `push` methods do it themselves.
    public func ensure(_ count: Int32) throws(LuaError) {
        // A few more than asked for: the wrappers push their function and handler, too.
        if lua_checkstack(lua, count &+ 6) == 0 { throw .stackOverflow }
    }

    public func pop(_ count: Int32 = 1) { st_pop(lua, count) }

    /// Runs `body` and restores the height afterwards, also when it throws.
    @inline(__always)
    public func balanced<R>(_ body: () throws -> R) rethrows -> R {
        let height = lua_gettop(lua)
        defer { lua_settop(lua, height) }
        return try body()
    }

    /// Runs `body`, which pushes; restores the height when it throws.
    @inline(__always)
    func unwinding<R>(_ body: () throws -> R) rethrows -> R {
        let height = lua_gettop(lua)
        do {
            return try body()
        } catch {
            lua_settop(lua, height)
            throw error
        }
    }

    /// Turns the status of a protected call into an error; the error value on top is popped.
    @inline(__always)
    func check(_ status: Int32) throws(LuaError) {
        if status != LUA_OK { throw state.takeError(status, self) }
    }
}

// MARK: - Pushing

extension LuaStack {
    public func pushNil() throws(LuaError) {
        try ensure(1)
        lua_pushnil(lua)
    }

    public func push(_ value: Bool) throws(LuaError) {
        try ensure(1)
        lua_pushboolean(lua, value ? 1 : 0)
    }

    public func push(_ value: Int) throws(LuaError) {
        try ensure(1)
        lua_pushinteger(lua, Int64(value))
    }

    public func push(_ value: Double) throws(LuaError) {
        try ensure(1)
        lua_pushnumber(lua, value)
    }

    public func push(_ text: String) throws(LuaError) {
        var text = text
        let status = try text.withUTF8Typed { bytes throws(LuaError) in
            try pushStatus(UnsafeRawBufferPointer(bytes))
        }
        try check(status)
    }

    public func push(bytes: UnsafeRawBufferPointer) throws(LuaError) {
        try check(try pushStatus(bytes))
    }

    private func pushStatus(_ bytes: UnsafeRawBufferPointer) throws(LuaError) -> Int32 {
        try ensure(2)
        guard let start = bytes.baseAddress else { return st_pushlstring(lua, "", 0) }
        return st_pushlstring(lua, start.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// A new table with room for `array` elements and `hash` fields.
    public func pushTable(array: Int = 0, hash: Int = 0) throws(LuaError) {
        try ensure(3)
        try check(
            st_createtable(lua, Int32(clamping: array), Int32(clamping: hash)))
    }

    /// A copy of the value at `index`.
    public func pushValue(at index: Int32) throws(LuaError) {
        try ensure(1)
        lua_pushvalue(lua, index)
    }

    func push(reference: LuaReference) throws(LuaError) {
        guard reference.state === state else { throw .otherState }
        try ensure(1)
        lua_rawgeti(lua, st_registryindex(), Int64(reference.slot))
    }

    /// Sets `t[key] = value` for the two values on top, without metamethods; pops both.
    func rawSet(_ table: Int32) throws(LuaError) {
        try ensure(2)
        try check(st_rawset(lua, table))
    }

    /// Sets field `name` of the table at `index` to the value on top, which is popped.
    public func setField(_ name: String, of table: Int32) throws(LuaError) {
        let table = lua_absindex(lua, table)
        let height = lua_gettop(lua) - 1
        do {
            try push(name)
            st_insert(lua, -2)
            try rawSet(table)
        } catch {
            lua_settop(lua, height)
            throw error
        }
    }
}

// MARK: - Reading

/// Lua's types, as `type` names them, numbers apart.
public enum LuaKind: Sendable {
    case none, `nil`, boolean, lightUserdata, integer, float, string, table, function, userdata
    case thread
}

extension LuaStack {
    public func kind(at index: Int32) -> LuaKind {
        switch st_type(lua, index) {
        case LUA_TNIL: return .nil
        case LUA_TBOOLEAN: return .boolean
        case LUA_TLIGHTUSERDATA: return .lightUserdata
        case LUA_TNUMBER: return lua_isinteger(lua, index) != 0 ? .integer : .float
        case LUA_TSTRING: return .string
        case LUA_TTABLE: return .table
        case LUA_TFUNCTION: return .function
        case LUA_TUSERDATA: return .userdata
        case LUA_TTHREAD: return .thread
        default: return .none
        }
    }

    public func boolean(at index: Int32) -> Bool { lua_toboolean(lua, index) != 0 }

    /// The number at `index`, which must be one.
    public func number(at index: Int32) -> Double { lua_tonumberx(lua, index, nil) }

    /// The number at `index` when it has an integer value (3 and 3.0, but not "3").
    public func integer(at index: Int32) -> Int? {
        guard st_type(lua, index) == LUA_TNUMBER else { return nil }
        var ok: Int32 = 0
        let value = lua_tointegerx(lua, index, &ok)
        return ok != 0 ? Int(value) : nil
    }

    /// The bytes of the string at `index`; nil when it is something else (numbers, too).
    @inline(__always)
    public func withBytes<R, E: Error>(
        at index: Int32, _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R? {
        guard st_type(lua, index) == LUA_TSTRING else { return nil }
        var count = 0
        guard let start = lua_tolstring(lua, index, &count) else { return nil }
        return try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The string at `index`, invalid UTF-8 repaired; nil when it is something else.
    public func text(at index: Int32) -> String? {
        withBytes(at: index) { String(decoding: $0, as: UTF8.self) }
    }

    /// Length without metamethods: of a string, a table, a userdata block.
    public func rawCount(at index: Int32) -> Int {
        Int(clamping: lua_rawlen(lua, index))
    }

    public func absolute(_ index: Int32) -> Int32 { lua_absindex(lua, index) }

    /// What an error message calls the value at `index`: its type, for numbers that should be
    /// integers the number, for objects their class.
    public func describe(at index: Int32) -> String {
        switch kind(at: index) {
        case .none: return "no value"
        case .nil: return "nil"
        case .boolean: return "boolean"
        case .integer, .float: return "number"
        case .string: return "string"
        case .table: return "table"
        case .function: return "function"
        case .thread: return "thread"
        case .lightUserdata: return "light userdata"
        case .userdata:
            if let info = objectInfo(at: index) { return info.name }
            guard lua_checkstack(lua, 4) != 0 else { return "userdata" }
            return balanced {
                guard lua_getmetatable(lua, index) != 0 else { return "userdata" }
                // A literal key: only a short string that always exists in a state would be safe
                // to push unprotected, so it goes the protected way.
                guard (try? push("__name")) != nil else { return "userdata" }
                lua_rawget(lua, -2)
                return text(at: -1) ?? "userdata"
            }
        }
    }

    /// `tostring(value)`, metamethods included.
    public func tostring(at index: Int32) throws(LuaError) -> String {
        try ensure(3)
        try check(st_tostring(lua, index))
        defer { pop() }
        return text(at: -1) ?? ""
    }

    /// `#value`, metamethods included.
    public func length(at index: Int32) throws(LuaError) -> Int {
        try ensure(3)
        try check(st_len(lua, index))
        defer { pop() }
        return Int(lua_tointegerx(lua, -1, nil))
    }

    /// Pushes `value[i]` of a table, without metamethods.
    public func pushElement(_ i: Int, of table: Int32) throws(LuaError) {
        try ensure(1)
        lua_rawgeti(lua, table, Int64(i))
    }

    /// Pushes `value[key]` for the key on top, which it replaces; metamethods run.
    func getTable(_ index: Int32) throws(LuaError) {
        let height = lua_gettop(lua) - 1
        do {
            try ensure(3)
            try check(st_gettable(lua, index))
        } catch {
            lua_settop(lua, height)
            throw error
        }
    }

    /// `value[key] = v` for the key and the value on top, both popped; metamethods run.
    func setTable(_ index: Int32) throws(LuaError) {
        let height = lua_gettop(lua) - 2
        do {
            try ensure(3)
            try check(st_settable(lua, index))
        } catch {
            lua_settop(lua, height)
            throw error
        }
    }

    /// Calls `body` for each pair of the table at `index` (key at -2, value at -1), without
    /// metamethods, until it returns false. The table must not be changed meanwhile.
    func forEachPair(of index: Int32, _ body: () throws -> Bool) throws {
        try ensure(4)
        let table = lua_absindex(lua, index)
        let height = lua_gettop(lua)
        defer { lua_settop(lua, height) }
        lua_pushnil(lua)
        while true {
            var more: Int32 = 0
            try check(st_next(lua, table, &more))
            guard more != 0, try body() else { return }
            lua_settop(lua, height + 1)
        }
    }
}

extension String {
    /// `withUTF8` that keeps a typed error.
    @inline(__always)
    mutating func withUTF8Typed<R, E: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let result: Result<R, E> = self.withUTF8 { bytes in
            do throws(E) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
