// Swift classes in Lua: userdata with methods, properties, `#`, `[]`, call, pairs, tostring and
// operators. A class is declared once with LuaClass, and registered with a state.

internal import CLua

/// A Swift class whose objects scripts can hold. Conform a class and declare a ``LuaClass`` for it;
/// its objects are then values like any other: `return model`, `let m: Model = try args["model"]`.
///
/// The same object is the same userdata for as long as the script holds it, so `==` and table keys
/// work. The script's hold is a strong reference.
public protocol LuaObject: AnyObject, FromLua, IntoLua {}

extension LuaObject {
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> Self {
        guard let object = try stack.liveObject(at: index) as? Self else {
            let name = stack.state.classes[ObjectIdentifier(Self.self)]?.name ?? "\(Self.self)"
            throw stack.mismatch(name, at: index)
        }
        return object
    }

    public func push(onto stack: LuaStack) throws { try stack.push(object: self) }
}

/// The operators a class may define.
public enum LuaOperator: String, Sendable {
    case add, sub, mul, div, mod, pow, unm, idiv, concat, eq, lt, le
}

/// A property as documentation sees it.
public struct LuaPropertyInfo: Sendable {
    public let name: String
    public let type: LuaType
    /// What Swift returns; tells more where `type` is `.any`.
    public let result: LuaResultType
    public let isReadOnly: Bool
    public let doc: String
}

/// A class as documentation and editor stubs see it.
public struct LuaClassDescription {
    public let name: String
    public let doc: String
    public let conforms: [String]
    public let constructor: LuaSignature?
    public let statics: [LuaModule.Entry]
    public let methods: [LuaSignature]
    public let properties: [LuaPropertyInfo]
    /// `object(...)`
    public let call: LuaSignature?
    /// Metamethods by event, such as "len" and "add".
    public let events: [String]
    public let isIndexed: Bool
    let id: ObjectIdentifier
}

/// The declaration of a class. Every method returns the declaration, for chaining:
///
///     LuaClass<Counter>("Counter", doc: "Counts things.")
///         .constructor([.optional("start", .integer, 0)]) { args in Counter(try args["start"]) }
///         .property("count", .integer, get: { $0.count }, set: { $0.count = $1 })
///         .method("add", [.required("n", .integer)]) { counter, args in
///             counter.count += try args["n"]
///             return counter.count
///         }
///         .tostring { "Counter(\($0.count))" }
///
/// Getters and methods get the object itself, already checked to be a live `T`.
public final class LuaClass<T: AnyObject> {
    public let name: String
    public let doc: String
    /// Other class names under which parameters of type `.object(name)` accept it ("Loss").
    public let conforms: [String]

    var constructorSignature: LuaSignature?
    var constructorBody: ((LuaArguments) throws -> Int32)?
    var callSignature: LuaSignature?
    var statics: [LuaModule.Entry] = []
    var methods: [(signature: LuaSignature, body: (T, LuaArguments) throws -> Int32)] = []
    var properties: [String: LuaClassInfo.Property] = [:]
    var indexer: ((AnyObject, LuaStack) throws -> Bool)?
    var newIndexer: ((AnyObject, LuaStack) throws -> Bool)?
    var fieldNames: ((AnyObject) -> [String])?
    var metamethods: [(name: String, body: (LuaStack) throws -> Int32)] = []
    var closer: ((T) throws -> Void)?
    var byteCount: ((AnyObject) -> Int)?

    public init(_ name: String, doc: String = "", conforms: [String] = []) {
        self.name = name
        self.doc = doc
        self.conforms = conforms
    }

    public var described: LuaClassDescription {
        LuaClassDescription(
            name: name, doc: doc, conforms: conforms, constructor: constructorSignature,
            statics: statics, methods: methods.map(\.signature),
            properties: properties.values.map(\.info).sorted { $0.name < $1.name },
            call: callSignature, events: metamethods.map { String($0.name.dropFirst(2)) },
            isIndexed: indexer != nil, id: ObjectIdentifier(T.self))
    }
}

// MARK: - Construction and functions

extension LuaClass {
    /// `Class(...)` in Lua. The class must be added to a module (``LuaModule/class(_:)``).
    @discardableResult
    public func constructor(
        _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> T
    ) -> Self {
        constructorSignature = LuaSignature(
            name, parameters, doc: doc, result: .object(ObjectIdentifier(T.self)))
        constructorBody = { arguments in
            try arguments.stack.push(object: try body(arguments))
            return 1
        }
        return self
    }

    /// `Class.name(...)`, as `Dataset.from_dict`.
    @discardableResult
    public func staticFunction<R: IntoLua>(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> R
    ) -> Self {
        statics.append(
            .function(
                LuaSignature(name, parameters, doc: doc, result: R.luaResult)
            ) { arguments in
                try arguments.stack.pushResult(body(arguments))
            })
        return self
    }

    /// `Class.name`
    @discardableResult
    public func staticConstant(_ name: String, _ value: any IntoLua, doc: String = "") -> Self {
        statics.append(.constant(name, value, doc: doc))
        return self
    }

    /// `object:name(...)`
    @discardableResult
    public func method<R: IntoLua>(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (T, LuaArguments) throws -> R
    ) -> Self {
        let signature = LuaSignature(
            name, parameters, doc: doc, owner: self.name, result: R.luaResult)
        methods.append(
            (signature, { try $1.stack.pushResult(body($0, $1)) }))
        return self
    }

    /// A method without results.
    @discardableResult
    public func method(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (T, LuaArguments) throws -> Void
    ) -> Self {
        let signature = LuaSignature(
            name, parameters, doc: doc, owner: self.name, result: LuaResultType.none)
        methods.append(
            (
                signature,
                {
                    try body($0, $1)
                    return 0
                }
            ))
        return self
    }
}

// MARK: - Fields

extension LuaClass {
    /// A read-only field.
    @discardableResult
    public func property<V: IntoLua>(
        _ name: String, _ type: LuaType = .any, doc: String = "",
        get: @escaping (T) throws -> V
    ) -> Self {
        properties[name] = LuaClassInfo.Property(
            info: LuaPropertyInfo(
                name: name, type: type, result: V.luaResult, isReadOnly: true, doc: doc),
            get: { object, stack in
                try get(unsafeDowncast(object, to: T.self)).push(onto: stack)
            }, set: nil)
        return self
    }

    /// A field that can be assigned; the value is converted to `W` ("max_seq_length: expected
    /// integer, got string"). Make `W` optional to accept nil.
    @discardableResult
    public func property<V: IntoLua, W: FromLua>(
        _ name: String, _ type: LuaType = .any, doc: String = "",
        get: @escaping (T) throws -> V, set: @escaping (T, W) throws -> Void
    ) -> Self {
        properties[name] = LuaClassInfo.Property(
            info: LuaPropertyInfo(
                name: name, type: type, result: V.luaResult, isReadOnly: false, doc: doc),
            get: { object, stack in
                try get(unsafeDowncast(object, to: T.self)).push(onto: stack)
            },
            set: { object, stack in
                let value: W
                do {
                    value = try W.fromLua(stack, at: 3)
                } catch let error as LuaError {
                    throw error.within(name)
                }
                try set(unsafeDowncast(object, to: T.self), value)
            })
        return self
    }

    /// `object[key]` for keys that are no method and no property. Nil means that there is no such
    /// field, which is an error with the nearest valid name; for a Lua nil (the end of a sequence,
    /// so that `ipairs` works) return ``LuaValue/nil``.
    ///
    /// - names: fields to suggest in that error, besides methods and properties.
    @discardableResult
    public func index(
        names: ((T) -> [String])? = nil,
        _ body: @escaping (T, LuaValue) throws -> (any IntoLua)?
    ) -> Self {
        indexer = { object, stack in
            let key = try LuaValue.fromLua(stack, at: 2)
            guard let value = try body(unsafeDowncast(object, to: T.self), key) else {
                return false
            }
            try value.push(onto: stack)
            return true
        }
        if let names { fieldNames = { names(unsafeDowncast($0, to: T.self)) } }
        return self
    }

    /// `object[key] = value` for keys that are no property; false when there is no such field.
    @discardableResult
    public func newIndex(_ body: @escaping (T, LuaValue, LuaValue) throws -> Bool) -> Self {
        newIndexer = { object, stack in
            try body(
                unsafeDowncast(object, to: T.self), LuaValue.fromLua(stack, at: 2),
                LuaValue.fromLua(stack, at: 3))
        }
        return self
    }
}

// MARK: - Operators

extension LuaClass {
    /// `#object`
    @discardableResult
    public func length(_ body: @escaping (T) throws -> Int) -> Self {
        metamethod("len") { object, stack in
            try stack.push(body(object))
            return 1
        }
    }

    /// `tostring(object)` and `print(object)`
    @discardableResult
    public func tostring(_ body: @escaping (T) throws -> String) -> Self {
        metamethod("tostring") { object, stack in
            try stack.push(body(object))
            return 1
        }
    }

    /// `object(...)`
    @discardableResult
    public func call<R: IntoLua>(
        _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (T, LuaArguments) throws -> R
    ) -> Self {
        let signature = LuaSignature(
            name, parameters, doc: doc, owner: name, result: R.luaResult)
        callSignature = signature
        return metamethod("call") { object, stack in
            try stack.pushResult(body(object, LuaArguments(signature, stack)))
        }
    }

    /// `for key, value in pairs(object)`. The iterator is made anew for each loop.
    @discardableResult
    public func pairs(
        _ body: @escaping (T) throws -> AnyIterator<(key: any IntoLua, value: any IntoLua)>
    ) -> Self {
        metamethod("pairs") { object, stack in
            let iterator = try body(object)
            try stack.push(
                function: LuaFunctionBox(stack.state, name: "next") { stack in
                    guard let (key, value) = iterator.next() else {
                        try stack.pushNil()
                        return 1
                    }
                    try key.push(onto: stack)
                    try value.push(onto: stack)
                    return 2
                })
            return 1
        }
    }

    /// A binary or unary operator. Either operand may be the object; `body` gets both as they are
    /// (for `unm` the same twice).
    @discardableResult
    public func `operator`<R: IntoLua>(
        _ operation: LuaOperator, _ body: @escaping (LuaValue, LuaValue) throws -> R
    ) -> Self {
        metamethods.append(
            (
                "__\(operation.rawValue)",
                { stack in
                    try stack.pushResult(
                        body(LuaValue.fromLua(stack, at: 1), LuaValue.fromLua(stack, at: 2)))
                }
            ))
        return self
    }

    /// `object:close()` and `local object <close>`: runs `body` once and lets go of the object;
    /// any use afterwards is an error.
    @discardableResult
    public func close(_ body: @escaping (T) throws -> Void) -> Self {
        closer = body
        return self
    }

    /// How many bytes an object holds outside of Lua, so that garbage is collected in time.
    @discardableResult
    public func memory(_ body: @escaping (T) -> Int) -> Self {
        byteCount = { body(unsafeDowncast($0, to: T.self)) }
        return self
    }

    private func metamethod(
        _ event: String, _ body: @escaping (T, LuaStack) throws -> Int32
    ) -> Self {
        metamethods.append(
            (
                "__\(event)",
                { [name] stack in
                    try body(stack.receiver(T.self, name), stack)
                }
            ))
        return self
    }
}
