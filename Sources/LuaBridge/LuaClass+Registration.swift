// From a LuaClass declaration to a metatable; pushing and reading objects.

internal import CLua

/// A class registered with a state, without its type.
final class LuaClassInfo {
    struct Property {
        let info: LuaPropertyInfo
        let get: (AnyObject, LuaStack) throws -> Void
        let set: ((AnyObject, LuaStack) throws -> Void)?
    }

    unowned(unsafe) let state: LuaState
    let name: String
    let description: LuaClassDescription
    let conforms: [String]
    let type: AnyClass
    let signatures: [LuaSignature]
    let properties: [String: Property]
    let indexer: ((AnyObject, LuaStack) throws -> Bool)?
    let newIndexer: ((AnyObject, LuaStack) throws -> Bool)?
    let fieldNames: ((AnyObject) -> [String])?
    let byteCount: ((AnyObject) -> Int)?
    /// Whether an object belongs to the class or a subclass.
    let accepts: (AnyObject) -> Bool

    init<T: AnyObject>(_ declaration: LuaClass<T>, _ state: LuaState) {
        self.state = state
        name = declaration.name
        description = declaration.described
        conforms = declaration.conforms
        type = T.self
        signatures = declaration.methods.map(\.signature)
        properties = declaration.properties
        indexer = declaration.indexer
        newIndexer = declaration.newIndexer
        fieldNames = declaration.fieldNames
        byteCount = declaration.byteCount
        accepts = { $0 is T }
    }

    /// The fields an error can suggest.
    func names(of object: AnyObject?) -> [String] {
        signatures.map(\.name) + properties.keys.sorted()
            + (object.flatMap { fieldNames?($0) } ?? [])
    }
}

extension LuaState {
    /// Makes the class known, once; ``LuaModule/class(_:)`` does it, too. Classes without a
    /// constructor or static functions need only this.
    public func register<T: AnyObject>(_ declaration: LuaClass<T>) throws {
        let id = ObjectIdentifier(T.self)
        if classes[id] != nil { return }
        let stack = try stack()
        let info = LuaClassInfo(declaration, self)
        try stack.balanced {
            try stack.ensure(6)
            try stack.pushTable(hash: 16)
            let metatable = stack.height
            try stack.push(info.name)
            try stack.setField("__name", of: metatable)
            try stack.push(info.name)
            try stack.setField("__metatable", of: metatable)
            for (name, body) in declaration.metamethods {
                try stack.push(function: LuaFunctionBox(self, name: info.name, body: body))
                try stack.setField(name, of: metatable)
            }
            try stack.push(
                function: LuaFunctionBox(self, name: info.name) { stack in
                    try info.assign(stack)
                    return 0
                })
            try stack.setField("__newindex", of: metatable)
            try stack.pushTable(hash: declaration.methods.count)
            let methods = stack.height
            for (signature, body) in declaration.methods {
                try stack.push(
                    function: LuaFunctionBox(
                        self, name: signature.name, signature: signature
                    ) { stack in
                        let object = try stack.receiver(T.self, info.name)
                        return try body(object, LuaArguments(signature, stack))
                    })
                try stack.setField(signature.name, of: methods)
            }
            if let closer = declaration.closer {
                let box = LuaFunctionBox(self, name: "close") { stack in
                    try stack.closeObject(T.self, info.name, closer)
                    return 0
                }
                try stack.push(function: box)
                try stack.setField("close", of: methods)
                try stack.push(function: box)
                try stack.setField("__close", of: metatable)
            }
            let pointer = Unmanaged.passUnretained(info).toOpaque()
            try stack.check(st_finishclass(lua, pointer))
        }
        classes[id] = info
    }

    /// The registered class for an object: its own, or the first registered superclass.
    func classInfo(for object: AnyObject) -> LuaClassInfo? {
        let id = ObjectIdentifier(Swift.type(of: object))
        if let info = classes[id] { return info }
        guard let info = classes.values.first(where: { $0.accepts(object) }) else { return nil }
        classes[id] = info
        return info
    }
}

// MARK: - Objects on the stack

extension LuaStack {
    /// Pushes the userdata of a Swift object whose class is registered.
    public func push(object: AnyObject) throws {
        guard let info = state.classInfo(for: object) else {
            throw LuaError.internalError("class \(Swift.type(of: object)) is not registered")
        }
        try ensure(4)
        let reference = Unmanaged.passRetained(object)
        var created: Int32 = 0
        let status = st_pushobject(
            lua, reference.toOpaque(), Unmanaged.passUnretained(info).toOpaque(), &created)
        if created == 0 { reference.release() }
        try check(status)
        if created != 0, let byteCount = info.byteCount,
            let userdata = st_toobject(lua, -1)
        {
            userdata.pointee.bytes = max(0, byteCount(object))
            do {
                try state.account(for: Int(userdata.pointee.bytes), self)
            } catch {
                pop()
                throw error
            }
        }
    }

    func objectInfo(at index: Int32) -> LuaClassInfo? {
        guard lua_checkstack(lua, 3) != 0, let userdata = st_toobject(lua, index),
            let info = userdata.pointee.info
        else { return nil }
        return Unmanaged<LuaClassInfo>.fromOpaque(info).takeUnretainedValue()
    }

    /// The Swift object at `index`; nil for other values and closed objects.
    func object(at index: Int32) -> AnyObject? {
        guard lua_checkstack(lua, 3) != 0, let userdata = st_toobject(lua, index),
            let object = userdata.pointee.object
        else { return nil }
        return Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue()
    }

    /// Like `object(at:)`, but closed objects throw.
    func liveObject(at index: Int32) throws -> AnyObject? {
        guard let info = objectInfo(at: index) else { return nil }
        guard let object = object(at: index) else {
            throw LuaError.message("\(info.name): used after close")
        }
        return object
    }

    /// The object a method is called on.
    func receiver<T: AnyObject>(_ type: T.Type, _ name: String) throws -> T {
        if let object = try liveObject(at: 1) as? T { return object }
        throw LuaError.mismatch(
            path: "", expected: name, got: describe(at: 1) + "; call with ':'")
    }

    /// Lets go of the object at index 1; closing twice is harmless.
    fileprivate func closeObject<T: AnyObject>(
        _ type: T.Type, _ name: String, _ body: (T) throws -> Void
    ) throws {
        if objectInfo(at: 1)?.name == name, object(at: 1) == nil { return }
        let object = try receiver(type, name)
        guard let userdata = st_toobject(lua, 1) else { return }
        userdata.pointee.object = nil
        state.shared.pointee.objects -= userdata.pointee.bytes
        userdata.pointee.bytes = 0
        let reference = Unmanaged.passUnretained(object)
        defer { reference.release() }
        try body(object)
    }
}

extension LuaState {
    /// Counts Swift memory behind userdata and collects when much of it may be garbage: Lua alone
    /// sees a few bytes per object.
    ///
    /// - Throws: ``LuaError/memory`` when objects are limited and these are too many.
    func account(for bytes: Int, _ stack: LuaStack) throws {
        shared.pointee.objects += bytes
        if limitsObjects { try ensureMemory(for: 0) }
        externalBytes = externalBytes.addingReportingOverflow(max(0, bytes)).partialValue
        if externalBytes > Self.externalBytesBetweenCollections || externalBytes < 0 {
            externalBytes = 0
            st_collect(stack.lua)
        }
    }

    private static let externalBytesBetweenCollections = 256 << 20
}

// MARK: - Fields

extension LuaClassInfo {
    /// `object[key]`, methods excepted: they are found in C.
    func read(_ stack: LuaStack) throws -> Int32 {
        let object = try receiver(stack)
        let name = stack.text(at: 2)
        if let name, let property = properties[name] {
            try property.get(object, stack)
            return 1
        }
        if let indexer, try indexer(object, stack) { return 1 }
        throw unknownField(name, object, stack)
    }

    func assign(_ stack: LuaStack) throws {
        let object = try receiver(stack)
        let name = stack.text(at: 2)
        if let name, let property = properties[name] {
            guard let set = property.set else {
                throw LuaError.message("\(self.name): field '\(name)' is read-only")
            }
            try set(object, stack)
            return
        }
        if let newIndexer, try newIndexer(object, stack) { return }
        if let name, signatures.contains(where: { $0.name == name }) {
            throw LuaError.message("\(self.name): method '\(name)' can't be replaced")
        }
        if name == nil, indexer != nil {
            let key = (try? stack.tostring(at: 2)) ?? "?"
            throw LuaError.message("\(self.name): [\(key)] can't be assigned")
        }
        throw unknownField(name, object, stack)
    }

    private func receiver(_ stack: LuaStack) throws -> AnyObject {
        guard let info = stack.objectInfo(at: 1), info === self else {
            throw LuaError.mismatch(path: "", expected: name, got: stack.describe(at: 1))
        }
        guard let object = stack.object(at: 1) else {
            throw LuaError.message("\(name): used after close")
        }
        return object
    }

    private func unknownField(_ key: String?, _ object: AnyObject, _ stack: LuaStack) -> LuaError {
        let text = key ?? (try? stack.tostring(at: 2)) ?? "?"
        return .unknown(kind: "field", name: text, owner: name, valid: names(of: object))
    }
}

let luaIndex: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { lua, info in
    guard let lua, let info else { return 0 }
    let type = Unmanaged<LuaClassInfo>.fromOpaque(info).takeUnretainedValue()
    return type.state.enter(lua, name: type.name, type.read)
}
