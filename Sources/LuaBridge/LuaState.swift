// START HERE. Owns a lua_State: opens libraries, loads and calls, limits memory, closes. The
// other topics: LuaState+Errors (how errors cross), LuaState+Threads (who may use it),
// LuaState+References (Lua values held by Swift).

internal import CLua
internal import Glibc

/// The standard libraries of Lua, for ``LuaState/init(libraries:memoryLimit:)``.
public struct LuaLibraries: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let base = LuaLibraries(rawValue: 1 << 0)
    public static let package = LuaLibraries(rawValue: 1 << 1)
    public static let coroutine = LuaLibraries(rawValue: 1 << 2)
    public static let table = LuaLibraries(rawValue: 1 << 3)
    public static let io = LuaLibraries(rawValue: 1 << 4)
    public static let os = LuaLibraries(rawValue: 1 << 5)
    public static let string = LuaLibraries(rawValue: 1 << 6)
    public static let math = LuaLibraries(rawValue: 1 << 7)
    public static let utf8 = LuaLibraries(rawValue: 1 << 8)
    public static let debug = LuaLibraries(rawValue: 1 << 9)
    public static let all = LuaLibraries(rawValue: (1 << 10) - 1)
    /// No files, processes, native libraries or debug hooks.
    public static let pure: LuaLibraries = [.base, .coroutine, .table, .string, .math, .utf8]
}

/// One Lua 5.4 interpreter.
///
///     let lua = try LuaState()
///     defer { lua.close() }
///     try lua.setGlobal("twice", to: lua.function("twice", [.required("n", .number)]) { args in
///         try args["n"] * 2.0
///     })
///     let six: Double = try lua.run("return twice(3)", name: "=example")
///
/// Thread rule: a state belongs to one thread at a time, first the one that made it. Only the
/// owner may use it or the values that come from it; others get ``LuaError/wrongThread``. The
/// owner hands it over with ``lend(_:)``. Exceptions, for any thread: ``interrupt()``, reading
/// ``memoryUsed``, and dropping the last reference to a Lua value.
///
/// Ownership: closures and Lua values held by Swift keep the state alive, and the state keeps the
/// closures; so call ``close()`` when done.
public final class LuaState: @unchecked Sendable {
    /// The thread (coroutine) that Swift works on: the main one, or the one whose code called
    /// the Swift function that is running.
    var lua: OpaquePointer
    let main: OpaquePointer
    let shared: UnsafeMutablePointer<st_shared>
    let ownership: LuaOwnership
    let references: LuaReferencePool
    /// The thread on which signals interrupt; 0 when interrupts may come from any.
    private(set) var signalThread: UInt = 0
    /// Number of Swift functions that are running in this state.
    var depth = 0
    private(set) var isClosed = false
    private var closesWhenIdle = false
    /// Set while `deinit` runs finalizers: Swift functions they call are refused, since nothing
    /// may keep the state any longer.
    private(set) var isFinal = false

    var classes: [ObjectIdentifier: LuaClassInfo] = [:]
    /// Bytes of Swift memory held by objects pushed since the last full collection.
    var externalBytes = 0

    /// Whether ``memoryLimit`` is also that of the objects of classes which declare their memory.
    public var limitsObjects = false

    /// What every Swift function that Lua calls runs in; for limits that are those of a thread.
    public var aroundCalls: ((_ body: () throws -> Int32) throws -> Int32)?

    /// What the embedding program keeps with the state, for functions that have only their
    /// arguments.
    public weak var owner: AnyObject?

    /// Makes the sentence for an error thrown by a Swift function that Lua called. One line.
    public var describeError: (any Error) -> String = { "\($0)" }

    /// - memoryLimit: bytes for everything Lua allocates, 0 for none. What Swift objects hold is
    ///   not counted.
    public convenience init(libraries: LuaLibraries = .all, memoryLimit: Int = 0) throws {
        try self.init(libraries: libraries, memoryLimit: memoryLimit, failingFrom: 0)
    }

    /// - failingFrom: for tests, the first of Lua's allocations that fails; 0 for none.
    package init(libraries: LuaLibraries, memoryLimit: Int, failingFrom first: Int) throws {
        shared = .allocate(capacity: 1)
        shared.initialize(to: st_shared())
        shared.pointee.limit = max(0, memoryLimit)
        shared.pointee.fail_from = max(0, first)
        shared.pointee.fail_count = .max
        shared.pointee.hook_interval = 1000
        shared.pointee.polls = 1
        shared.pointee.dispatch = luaDispatch
        shared.pointee.index = luaIndex
        shared.pointee.release = luaRelease
        guard let created = st_newstate(shared) else {
            shared.deallocate()
            throw LuaError.memory
        }
        main = created
        lua = created
        ownership = LuaOwnership()
        references = LuaReferencePool()
        shared.pointee.owner = Unmanaged.passUnretained(self).toOpaque()
        do {
            try LuaStack(state: self, lua: lua).check(st_openlibs(lua, libraries.rawValue))
            try installErrors()
            st_arm(lua)
        } catch {
            closeNow()
            throw error
        }
    }

    deinit {
        isFinal = true
        closeNow()
        shared.deinitialize(count: 1)
        shared.deallocate()
    }

    /// Runs all finalizers and frees everything. Values that came from the state are unusable
    /// afterwards (``LuaError/closed``). Called from within a Swift function that Lua called, it
    /// takes effect when the outermost of them has returned.
    public func close() {
        if depth > 0 {
            closesWhenIdle = true
        } else {
            closeNow()
        }
    }

    private func closeNow() {
        guard !isClosed else { return }
        lua_close(main)
        isClosed = true
        free(shared.pointee.traceback)
        free(shared.pointee.inflight)
        shared.pointee.traceback = nil
        shared.pointee.inflight = nil
        classes = [:]
    }

    func closeIfAsked() {
        if closesWhenIdle, depth == 0 { closeNow() }
    }

    /// The stack for the calling thread; frees what Swift has let go of meanwhile.
    @inline(__always)
    package func stack() throws(LuaError) -> LuaStack {
        if isClosed { throw .closed }
        if !ownership.isMine { throw .wrongThread }
        let stack = LuaStack(state: self, lua: lua)
        if references.hasReleased { references.drain(into: stack) }
        return stack
    }
}

// MARK: - Loading and running

extension LuaState {
    /// Compiles `source` (text only, never bytecode) without running it.
    /// - name: as in Lua's `load`: "@file.lua" for a file, "=text" literally, else source text.
    public func load(_ source: String, name: String) throws -> LuaFunction {
        var source = source
        return try source.withUTF8 {
            try load(bytes: UnsafeRawBufferPointer($0), name: name)
        }
    }

    public func load(bytes: UnsafeRawBufferPointer, name: String) throws -> LuaFunction {
        let stack = try stack()
        try stack.ensure(2)
        let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return try finishLoading(
            luaL_loadbufferx(lua, start, bytes.count, name, "t"), stack, path: nil)
    }

    /// Compiles a file; nil is standard input. A first line that starts with `#` is skipped.
    public func load(file path: String?) throws -> LuaFunction {
        let stack = try stack()
        try stack.ensure(3)
        let status = path.map { st_loadfile(lua, $0) } ?? st_loadfile(lua, nil)
        return try finishLoading(status, stack, path: path)
    }

    private func finishLoading(
        _ status: Int32, _ stack: LuaStack, path: String?
    ) throws -> LuaFunction {
        guard status != LUA_OK else {
            defer { stack.pop() }
            return try LuaFunction(LuaReference(stack, at: -1))
        }
        if status == LUA_ERRSYNTAX {
            defer { stack.pop() }
            let message = stack.text(at: -1) ?? "syntax error"
            throw LuaError.syntax(message: message, incomplete: message.hasSuffix("<eof>"))
        }
        throw takeError(status, stack)
    }

    /// Compiles and runs a chunk; its first result converted to `R`.
    public func run<R: FromLua>(
        _ source: String, name: String = "=chunk", returning: R.Type = R.self
    ) throws -> R {
        try load(source, name: name).call(returning: R.self)
    }

    /// Compiles and runs a chunk; its first result as it is.
    @discardableResult
    public func run(_ source: String, name: String = "=chunk") throws -> LuaValue {
        try load(source, name: name).call()
    }

    /// The globals table.
    public var globals: LuaTable {
        get throws {
            let stack = try stack()
            try stack.ensure(1)
            lua_rawgeti(lua, st_registryindex(), Int64(LUA_RIDX_GLOBALS))
            defer { stack.pop() }
            return try LuaTable(LuaReference(stack, at: -1))
        }
    }

    public func setGlobal(_ name: String, to value: any IntoLua) throws {
        try globals.set(name, value)
    }

    /// A new, empty table.
    public func table(array: Int = 0, hash: Int = 0) throws -> LuaTable {
        let stack = try stack()
        try stack.pushTable(array: array, hash: hash)
        defer { stack.pop() }
        return try LuaTable(LuaReference(stack, at: -1))
    }
}

// MARK: - Memory and interruption

extension LuaState {
    /// Bytes Lua may allocate; 0 means no limit. When it is reached, Lua collects garbage, then
    /// the script gets "not enough memory" and Swift ``LuaError/memory``.
    public var memoryLimit: Int {
        get { Int(shared.pointee.limit) }
        set { shared.pointee.limit = max(0, newValue) }
    }

    /// Bytes Lua has allocated now, and the most it ever had.
    public var memoryUsed: Int { Int(shared.pointee.used) }
    public var memoryPeak: Int { Int(shared.pointee.peak) }

    /// Bytes that objects of classes which declare their memory hold now.
    public var objectMemoryUsed: Int { Int(shared.pointee.objects) }

    /// Makes sure that an object of so many bytes fits into ``memoryLimit`` beside what there is,
    /// collecting garbage if need be.
    ///
    /// - Throws: ``LuaError/memory`` when it does not.
    public func ensureMemory(for bytes: Int) throws {
        func fits() -> Bool {
            let left = memoryLimit - memoryUsed - objectMemoryUsed
            return memoryLimit == 0 || bytes <= left
        }
        if fits() { return }
        _ = try stack()
        // Collecting again and again takes its time.
        shared.pointee.instructions += UInt64(shared.pointee.used / 64)
        st_collect(lua)
        if !fits() { throw LuaError.memory }
    }

    /// Collects all garbage.
    public func collectGarbage() throws {
        _ = try stack()
        st_collect(lua)
        externalBytes = 0
    }

    /// Asks the running Lua code to stop: it raises "interrupted!", in coroutines, too, and a
    /// `pcall` in the script only delays it. Stays set until ``resetInterrupt()``. From any
    /// thread, and from a signal handler.
    public func interrupt() {
        if signalThread == UInt(pthread_self()), ownership.isMine {
            st_interruptnow(shared)
        } else {
            st_interrupt(shared, 1)
        }
    }

    /// Declares that ``interrupt()`` is only called by signal handlers on the calling thread, or
    /// while another thread has borrowed the state. Lua code on this thread then needs not look
    /// for interrupts, which doubles its speed.
    public func interruptsBySignal() {
        signalThread = UInt(pthread_self())
        updatePolling()
    }

    /// Before the calling thread runs Lua code.
    @inline(__always)
    func updatePolling() {
        if signalThread != 0 { shared.pointee.polls = signalThread == UInt(pthread_self()) ? 0 : 1 }
    }

    public var isInterrupted: Bool { st_interrupted(shared) != 0 }

    public func resetInterrupt() { st_interrupt(shared, 0) }

    /// Number of VM instructions (to about a thousand) the code may run before it raises an
    /// error, counted from when this is set; 0 means no limit.
    public var instructionLimit: UInt64 {
        get { shared.pointee.instruction_limit }
        set {
            shared.pointee.instructions = 0
            shared.pointee.instruction_limit = newValue
            if !isClosed, ownership.isMine { st_arm(lua) }
        }
    }

    /// Makes the limits hold for scripts that try to escape them: library functions that loop in C
    /// count their steps as instructions, `setmetatable` takes no finalizers, `load` no bytecode,
    /// message handlers and to-be-closed variables don't run once a limit is reached.
    ///
    /// Closes no other door: files, processes, the debug library. Call it before anything else
    /// runs, with ``instructionLimit`` set, so that coroutines are watched from the start.
    public func hardenLibraries() throws {
        let stack = try stack()
        try stack.ensure(2)
        shared.pointee.hook_interval = 100
        try stack.check(st_opensandbox(lua))
    }

    /// For tests: makes Lua's allocations number `first` to `first + count - 1` from now on fail.
    package func failAllocations(from first: Int, count: Int = .max) {
        shared.pointee.allocations = 0
        shared.pointee.fail_from = max(0, first)
        shared.pointee.fail_count = max(0, count)
    }

    package var allocationCount: Int { Int(shared.pointee.allocations) }

    /// For tests: the number of values on the stack.
    package var stackHeight: Int { Int(lua_gettop(lua)) }
}
