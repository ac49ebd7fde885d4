// Lua values held by Swift: slots of Lua's registry. A slot is made once and then used again and
// again, because storing into an existing slot needs no memory and so cannot raise.

internal import CLua
internal import Synchronization

/// Keeps one Lua value alive until the last Swift reference to it is gone, which may happen on
/// any thread and in the middle of a Lua call: the slot is only noted then, and emptied the next
/// time the owner of the state uses it.
public final class LuaReference: @unchecked Sendable {
    public let state: LuaState
    let slot: Int32

    /// Refers to the value at `index`, which stays on the stack.
    package init(_ stack: LuaStack, at index: Int32) throws(LuaError) {
        state = stack.state
        let index = lua_absindex(stack.lua, index)
        try stack.ensure(3)
        slot = try stack.state.references.take(stack)
        lua_pushvalue(stack.lua, index)
        lua_rawseti(stack.lua, st_registryindex(), Int64(slot))
    }

    deinit { state.references.give(slot) }
}

/// The registry slots in use and free.
final class LuaReferencePool: @unchecked Sendable {
    /// Touched by the owner of the state alone.
    private var free: [Int32] = []
    private let released = Mutex<[Int32]>([])
    private let releasedCount = Atomic<Int>(0)

    /// A slot that holds `false`.
    func take(_ stack: LuaStack) throws(LuaError) -> Int32 {
        if let slot = free.popLast() { return slot }
        var slot: Int32 = 0
        try stack.check(st_newslot(stack.lua, &slot))
        return slot
    }

    /// From any thread.
    func give(_ slot: Int32) {
        released.withLock { $0.append(slot) }
        releasedCount.add(1, ordering: .relaxed)
    }

    @inline(__always)
    var hasReleased: Bool { releasedCount.load(ordering: .relaxed) != 0 }

    func drain(into stack: LuaStack) {
        guard lua_checkstack(stack.lua, 1) != 0 else { return }
        let slots = released.withLock { slots in
            releasedCount.store(0, ordering: .relaxed)
            defer { slots.removeAll(keepingCapacity: true) }
            return slots
        }
        for slot in slots {
            lua_pushboolean(stack.lua, 0)
            lua_rawseti(stack.lua, st_registryindex(), Int64(slot))
        }
        free.append(contentsOf: slots)
    }

    /// Slots made so far, less those waiting for use; for tests.
    var freeCount: Int { free.count + released.withLock { $0.count } }
}
