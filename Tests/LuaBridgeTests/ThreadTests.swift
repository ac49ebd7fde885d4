// Who may use a state, and what happens to values let go of elsewhere.

import LuaBridge
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#endif

private final class Job: @unchecked Sendable {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// Starts `body` on a new thread.
private func start(_ body: @escaping () -> Void) -> pthread_t {
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { pointer in
            if let pointer { Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().body() }
            return nil
        }, Unmanaged.passRetained(Job(body)).toOpaque())
    return thread
}

struct ThreadTests {
    @Test func `another thread is refused, not obeyed`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let function: LuaFunction = try lua.run("return function() return 1 end")
        let message = Mutex("")
        let thread = start {
            do {
                try function.call()
            } catch {
                message.withLock { $0 = "\(error)" }
            }
        }
        pthread_join(thread, nil)
        #expect(message.withLock { $0 }.contains("does not own"))
    }

    @Test func `a lent state serves other threads one at a time`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let running = Mutex((now: 0, most: 0))
        try lua.setGlobal(
            "parallel",
            to: lua.function("parallel", [.required("f", .function)]) { args in
                let f: LuaFunction = try args["f"]
                let state = args.state
                return try state.lend { () -> Int in
                    let sum = Mutex(0)
                    let threads = (1...4).map { worker in
                        start {
                            for i in 1...200 {
                                let value = try? state.borrow { () -> Int in
                                    running.withLock {
                                        $0.now += 1
                                        $0.most = max($0.most, $0.now)
                                    }
                                    defer { running.withLock { $0.now -= 1 } }
                                    return try f.call(worker, i)
                                }
                                sum.withLock { $0 += value ?? 0 }
                            }
                        }
                    }
                    for thread in threads { pthread_join(thread, nil) }
                    return sum.withLock { $0 }
                }
            })
        let total: Int = try lua.run(
            """
            calls = 0
            return parallel(function(worker, i)
                calls = calls + 1
                if i % 50 == 0 then error("sometimes") end
                return worker
            end)
            """)
        #expect(total == 196 * (1 + 2 + 3 + 4))
        #expect(try lua.globals.get("calls", as: Int.self) == 800)
        #expect(running.withLock { $0.most } == 1)
        #expect(lua.stackHeight == 0)
    }

    @Test func `values may be let go of on any thread`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        try lua.collectGarbage()
        let before = lua.memoryUsed
        for _ in 0..<20 {
            let box = Mutex(try (0..<500).map { _ in try lua.table(array: 50) })
            pthread_join(start { box.withLock { $0.removeAll() } }, nil)
        }
        try lua.collectGarbage()
        #expect(lua.memoryUsed - before < 64 << 10)
    }

    @Test func `after close everything is refused politely`() throws {
        let lua = try LuaState()
        let table = try lua.table()
        let function: LuaFunction = try lua.run("return print")
        lua.close()
        lua.close()
        #expect(throws: LuaError.self) { try lua.run("return 1") }
        #expect(throws: LuaError.self) { try table.set("a", 1) }
        #expect(throws: LuaError.self) { try function.call() }
        #expect(throws: LuaError.self) { try lua.collectGarbage() }
    }

    @Test func `close from inside a call waits for the call to end`() throws {
        let lua = try LuaState()
        try lua.setGlobal(
            "close", to: lua.function("close") { (args) throws -> Void in args.state.close() })
        #expect(try lua.run("close() return 'still here'", returning: String.self) == "still here")
        #expect(throws: LuaError.self) { try lua.run("return 1") }
    }
}
