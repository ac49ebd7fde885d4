// How errors cross the boundary. Lua to Swift: a failed protected call becomes a LuaError with
// Lua's traceback. Swift to Lua: a thrown error becomes an error object (a userdata that prints
// as one line) or, when it came from Lua in the first place, the very value the script raised.

internal import CLua

/// What an error object in Lua holds.
final class LuaErrorBox {
    let error: any Error
    /// One line with its place.
    let message: String
    /// Nil for errors made in advance: the message handler takes the traceback.
    let traceback: String?

    init(error: any Error, message: String, traceback: String?) {
        self.error = error
        self.message = message
        self.traceback = traceback
    }
}

extension LuaState {
    /// The error of a protected call that failed with `status`; pops the error value.
    func takeError(_ status: Int32, _ stack: LuaStack) -> LuaError {
        defer { stack.pop() }
        if status == LUA_ERRMEM { return .memory }
        let traceback = takeTraceback()
        if let box = errorBox(stack, at: -1) {
            return .runtime(
                LuaRuntimeError(
                    message: box.message, traceback: box.traceback ?? traceback,
                    value: (try? LuaValue.fromLua(stack, at: -1))
                        ?? .string(LuaString(box.message)),
                    cause: box.error))
        }
        let message = describeErrorValue(stack, status)
        let value = (try? LuaValue.fromLua(stack, at: -1)) ?? .string(LuaString(message))
        return .runtime(
            LuaRuntimeError(message: message, traceback: traceback, value: value, cause: nil))
    }

    private func describeErrorValue(_ stack: LuaStack, _ status: Int32) -> String {
        switch stack.kind(at: -1) {
        case .string:
            return stack.text(at: -1) ?? ""
        case .integer, .float:
            return (try? stack.tostring(at: -1)) ?? "error"
        case let kind:
            if status == LUA_ERRERR { return "error in error handling" }
            let type = String(cString: lua_typename(stack.lua, st_type(stack.lua, -1)))
            guard kind == .table || kind == .userdata, lua_checkstack(stack.lua, 4) != 0,
                stack.hasMetafield("__tostring", at: -1)
            else { return "(error object is a \(type) value)" }
            return (try? stack.tostring(at: -1)) ?? "(error object is a \(type) value)"
        }
    }

    /// The traceback of the last failed call.
    private func takeTraceback() -> String {
        guard let text = shared.pointee.traceback else { return "" }
        let bytes = UnsafeRawBufferPointer(start: text, count: shared.pointee.traceback_length)
        let traceback = String(decoding: bytes, as: UTF8.self)
        st_droptraceback(shared)
        // The title alone says nothing.
        return traceback.utf8.contains(10) ? traceback : ""
    }

    func errorBox(_ stack: LuaStack, at index: Int32) -> LuaErrorBox? {
        guard let userdata = st_toerror(stack.lua, index), let object = userdata.pointee.object
        else { return nil }
        return Unmanaged<LuaErrorBox>.fromOpaque(object).takeUnretainedValue()
    }
}

// MARK: - Raising

extension LuaState {
    /// Leaves the error value for `error` on the stack and returns -1, which makes the trampoline
    /// raise it.
    func raise(_ error: any Error, function: String, _ stack: LuaStack) -> Int32 {
        let lua = stack.lua
        lua_settop(lua, 0)
        var sentence: String?
        var level: Int32 = 1
        var known = error as? LuaError
        var wrapped: LuaRuntimeError?
        if let wrapper = error as? any LuaErrorWrapper {
            wrapped = LuaError.runtimeInfo(of: wrapper)
            if wrapped != nil {
                level = 0
            } else if case .message(_, let wanted)? = wrapper.cause as? LuaError {
                level = Int32(clamping: wanted)
            }
            known = nil
        }
        if let known {
            switch known {
            case .memory:
                st_pushmemoryerror(lua)
                return -1
            case .interrupted:
                lua_rawgetp(lua, st_registryindex(), st_interruptkey(shared))
                return -1
            case .instructionLimit:
                lua_rawgetp(lua, st_registryindex(), st_limitkey(shared))
                return -1
            case .runtime(let info):
                if (try? info.value.push(onto: stack)) != nil {
                    if errorBox(stack, at: -1) == nil {
                        var traceback = info.traceback
                        traceback.withUTF8Typed { bytes in
                            bytes.withMemoryRebound(to: CChar.self) {
                                st_rethrow(
                                    lua, $0.baseAddress ?? UnsafePointer(st_empty()), $0.count)
                            }
                        }
                    }
                    return -1
                }
                lua_settop(lua, 0)
                sentence = info.message
                level = 0
            case .message(let text, let wanted):
                sentence = text
                level = Int32(clamping: wanted)
            case .mismatch, .value, .missing:
                sentence = function.isEmpty ? "\(known)" : "\(function): \(known)"
            case .syntax:
                level = 0
            default:
                break
            }
        }
        let place = level > 0 ? self.place(at: level, stack) : ""
        st_traceback(lua, 0)
        var traceback = takeTraceback()
        if let wrapped, !wrapped.traceback.isEmpty { traceback = wrapped.traceback }
        let box = LuaErrorBox(
            error: error, message: place + (sentence ?? describeError(error)),
            traceback: traceback)
        return pushError(box, wantsTraceback: false, stack)
    }

    /// Pushes an error object, or the memory error, or the error that prevented it.
    private func pushError(_ box: LuaErrorBox, wantsTraceback: Bool, _ stack: LuaStack) -> Int32 {
        let object = Unmanaged.passRetained(box)
        let status = st_pusherror(stack.lua, object.toOpaque(), wantsTraceback ? 1 : 0)
        if status != LUA_OK {
            object.release()
            if status == LUA_ERRMEM {
                stack.pop()
                st_pushmemoryerror(stack.lua)
            }
        }
        return -1
    }

    /// "file:line: " of the first Lua function at `level` or above: 1 is the function that called
    /// the running Swift function.
    func place(at level: Int32, _ stack: LuaStack) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            st_where(stack.lua, level, start, buffer.count)
            return String(cString: start)
        }
    }

    /// The place in the script that called the running Swift function, as "file:line", or nil.
    public var currentPlace: String? {
        guard let stack = try? stack(), (try? stack.ensure(2)) != nil else { return nil }
        let place = place(at: depth > 0 ? 1 : 0, stack)
        return place.isEmpty ? nil : String(place.dropLast(2))
    }
}

// MARK: - Error objects in Lua

extension LuaState {
    /// Gives error objects their metamethods, and makes the two errors that are raised from the
    /// count hook, where nothing may be allocated.
    func installErrors() throws {
        let stack = try stack()
        try stack.balanced {
            try stack.ensure(4)
            lua_rawgetp(lua, st_registryindex(), st_errorkey(shared))
            let metatable = stack.height
            func add(_ name: String, _ body: @escaping (LuaStack) throws -> Int32) throws {
                try stack.push(function: LuaFunctionBox(self, name: "error", body: body))
                try stack.setField(name, of: metatable)
            }
            try add("__tostring") { stack in
                try stack.push(stack.errorText(at: 1))
                return 1
            }
            try add("__concat") { stack in
                try stack.push(stack.errorText(at: 1) + stack.errorText(at: 2))
                return 1
            }
            try add("__index") { stack in try stack.errorField() }
            for (error, key) in [
                (LuaError.interrupted, st_interruptkey(shared)),
                (LuaError.instructionLimit, st_limitkey(shared)),
            ] {
                let box = LuaErrorBox(error: error, message: "\(error)", traceback: nil)
                let object = Unmanaged.passRetained(box)
                let status = st_pusherror(lua, object.toOpaque(), 1)
                if status != LUA_OK { object.release() }
                try stack.check(status)
                lua_rawsetp(lua, st_registryindex(), key)  // the key exists: needs no memory
            }
        }
    }
}

extension LuaStack {
    fileprivate func errorText(at index: Int32) throws -> String {
        if let box = state.errorBox(self, at: index) { return box.message }
        return try tostring(at: index)
    }

    /// `e.message`, `e.traceback`, and the functions of the string library, so that scripts may
    /// treat an error object as the text it prints (`e:match("...")`). Anything else is nil:
    /// an error inside an error handler helps nobody.
    fileprivate func errorField() throws -> Int32 {
        guard let box = state.errorBox(self, at: 1), let key = text(at: 2) else { return 0 }
        switch key {
        case "message":
            try push(box.message)
        case "traceback":
            try push(box.traceback ?? "")
        default:
            try push("")
            guard lua_getmetatable(lua, -1) != 0 else { return 0 }
            try push("__index")
            guard lua_rawget(lua, -2) == LUA_TTABLE else { return 0 }
            lua_pushvalue(lua, 2)
            guard lua_rawget(lua, -2) == LUA_TFUNCTION else { return 0 }
            let function = try LuaReference(self, at: -1)
            try push(
                function: LuaFunctionBox(state, name: key) { stack in
                    if let box = stack.state.errorBox(stack, at: 1) {
                        try stack.push(box.message)
                        st_replace(stack.lua, 1)
                    }
                    let count = stack.height
                    try stack.push(reference: function)
                    st_insert(stack.lua, 1)
                    try stack.check(st_pcall(stack.lua, count, LUA_MULTRET))
                    return stack.height
                })
        }
        return 1
    }

    /// Whether the value's metatable has `name`.
    func hasMetafield(_ name: String, at index: Int32) -> Bool {
        guard (try? ensure(4)) != nil else { return false }
        return balanced {
            guard lua_getmetatable(lua, index) != 0, (try? push(name)) != nil else { return false }
            return lua_rawget(lua, -2) != LUA_TNIL
        }
    }
}
