// Functions both ways: LuaFunction calls Lua, LuaFunctionBox is a Swift closure that Lua calls.

internal import CLua

/// A Lua function (or callable object) held by Swift.
public struct LuaFunction: Sendable {
    public let reference: LuaReference

    init(_ reference: LuaReference) { self.reference = reference }

    /// Calls the function; its first result (nil when there is none) converted to `R`.
    ///
    ///     let score: Double = try objective.call(trial)
    ///
    /// Throws what the function raises: ``LuaError/runtime(_:)`` with Lua's traceback and, when a
    /// Swift function threw below, that error as `cause`.
    public func call<R: FromLua>(
        _ arguments: any IntoLua..., returning: R.Type = R.self
    ) throws -> R {
        try call(arguments)
    }

    /// Calls the function; its first result as it is.
    @discardableResult
    public func call(_ arguments: any IntoLua...) throws -> LuaValue {
        try call(arguments)
    }

    private func call<R: FromLua>(_ arguments: [any IntoLua]) throws -> R {
        try invoke(arguments, results: 1) { stack, first in
            do {
                return try R.fromLua(stack, at: first)
            } catch let error as LuaError {
                throw error.within("result")
            }
        }
    }

    /// Calls the function; all its results.
    public func callAll(_ arguments: [any IntoLua]) throws -> [LuaValue] {
        try invoke(arguments, results: LUA_MULTRET) { stack, first in
            let last = stack.height
            return try last < first
                ? [] : (first...last).map { try LuaValue.fromLua(stack, at: $0) }
        }
    }

    private func invoke<R>(
        _ arguments: [any IntoLua], results: Int32,
        _ read: (LuaStack, _ first: Int32) throws -> R
    ) throws -> R {
        let state = reference.state
        let stack = try state.stack()
        let height = stack.height
        defer {
            lua_settop(stack.lua, height)
            state.closeIfAsked()
        }
        let count = Int32(clamping: arguments.count)
        try stack.ensure(count + 2)
        if st_chargecall(state.shared) != 0 { throw LuaError.instructionLimit }
        if state.depth == 0 || state.signalThread != 0 {
            state.updatePolling()
            st_arm(stack.lua)
        }
        try stack.push(reference: reference)
        for argument in arguments { try argument.push(onto: stack) }
        try stack.check(st_pcall(stack.lua, count, results))
        try stack.ensure(2)
        return try read(stack, height + 1)
    }
}

/// A Swift closure as Lua holds it. The closure receives the stack with Lua's arguments at
/// 1... and returns the number of results it left on top.
final class LuaFunctionBox {
    unowned(unsafe) let state: LuaState
    let name: String
    /// Nil for metamethods and the like, which take their arguments as they come.
    let signature: LuaSignature?
    let body: (LuaStack) throws -> Int32
    /// What the owner of this function was declared as, for the metamethods of modules.
    var subject: LuaDescription?

    init(
        _ state: LuaState, name: String, signature: LuaSignature? = nil,
        body: @escaping (LuaStack) throws -> Int32
    ) {
        self.state = state
        self.name = name
        self.signature = signature
        self.body = body
    }
}

extension LuaFunction {
    /// The declared signature, when this is a Swift function; what `help()` shows.
    public var signature: LuaSignature? {
        get throws {
            let stack = try reference.state.stack()
            return try stack.balanced {
                try stack.push(reference: reference)
                return stack.functionBox(at: -1)?.signature
            }
        }
    }
}

extension LuaStack {
    func push(function box: LuaFunctionBox) throws(LuaError) {
        try ensure(2)
        let object = Unmanaged.passRetained(box)
        let status = st_newfunction(lua, object.toOpaque())
        if status != LUA_OK { object.release() }
        try check(status)
    }

    /// A function with a declared signature.
    func push(signature: LuaSignature, _ body: @escaping (LuaArguments) throws -> Int32) throws {
        try push(
            function: LuaFunctionBox(state, name: signature.name, signature: signature) { stack in
                try body(LuaArguments(signature, stack))
            })
    }
}

extension LuaState {
    /// A Lua function made of a Swift closure. See ``LuaArguments`` for the call rule.
    ///
    /// - name: what error messages and generated documentation call it.
    public func function<R: IntoLua>(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> R
    ) throws -> LuaFunction {
        try function(
            LuaSignature(name, parameters, doc: doc, result: R.luaResult)
        ) { arguments in
            try arguments.stack.pushResult(body(arguments))
        }
    }

    public func function(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> Void
    ) throws -> LuaFunction {
        try function(
            LuaSignature(name, parameters, doc: doc, result: LuaResultType.none)
        ) { arguments in
            try body(arguments)
            return 0
        }
    }

    func function(
        _ signature: LuaSignature, _ body: @escaping (LuaArguments) throws -> Int32
    ) throws -> LuaFunction {
        let stack = try stack()
        try stack.push(signature: signature, body)
        defer { stack.pop() }
        return try LuaFunction(LuaReference(stack, at: -1))
    }
}

extension LuaStack {
    /// Pushes the results of a Swift function, returns their number.
    @inline(__always)
    func pushResult<R: IntoLua>(_ result: R) throws -> Int32 {
        if R.self == LuaResults.self, let results = result as? LuaResults {
            for value in results.values { try value.push(onto: self) }
            return Int32(clamping: results.values.count)
        }
        try result.push(onto: self)
        return 1
    }
}

/// More than one result of a Swift function: `return LuaResults(value, index)`.
public struct LuaResults: IntoLua {
    let values: [any IntoLua]

    public init(_ values: any IntoLua...) { self.values = values }
    public init(_ values: [any IntoLua]) { self.values = values }

    /// As a single value: the first one.
    public func push(onto stack: LuaStack) throws {
        if let first = values.first { try first.push(onto: stack) } else { try stack.pushNil() }
    }
}

// MARK: - Entry from Lua

extension LuaState {
    /// Runs `body` as a function called from Lua on `lua`: a thrown error is left on the stack
    /// for the trampoline to raise, after this frame has returned.
    @inline(__always)
    func enter(
        _ lua: OpaquePointer, name: String, _ body: (LuaStack) throws -> Int32
    ) -> Int32 {
        let outer = self.lua
        self.lua = lua
        depth += 1
        defer {
            self.lua = outer
            depth -= 1
        }
        let stack = LuaStack(state: self, lua: lua)
        do {
            if isFinal { throw LuaError.closed }
            try stack.ensure(LUA_MINSTACK)
            if shared.pointee.inflight != nil { st_forget(lua) }
            if references.hasReleased { references.drain(into: stack) }
            if let aroundCalls { return try aroundCalls { try body(stack) } }
            return try body(stack)
        } catch {
            return raise(error, function: name, stack)
        }
    }
}

let luaDispatch: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
    lua, object in
    guard let lua, let object else { return 0 }
    let box = Unmanaged<LuaFunctionBox>.fromOpaque(object).takeUnretainedValue()
    return box.state.enter(lua, name: box.name, box.body)
}

/// `__gc` of everything that holds a Swift object.
let luaRelease: @convention(c) (UnsafeMutableRawPointer?) -> Void = { object in
    guard let object else { return }
    Unmanaged<AnyObject>.fromOpaque(object).release()
}
