// What `require` returns: a table of functions, constants, classes and further tables, in which
// an unknown field is an error with the nearest valid name.

internal import CLua

/// The declaration of a module or of a namespace within one.
///
///     let losses = LuaModule("sentence_transformers.losses")
///     losses.class(tripletLossClass)
///     module.submodule("losses", losses)
///     state.preload(module)
public final class LuaModule {
    public let name: String
    public let doc: String
    /// In the order of declaration; what stubs and documentation are generated from.
    public internal(set) var entries: [Entry] = []

    public enum Entry {
        case function(LuaSignature, (LuaArguments) throws -> Int32)
        case constant(String, any IntoLua, doc: String)
        case module(String, LuaModule)
        case type(LuaClassDescription, (LuaStack) throws -> Void)
    }

    public init(_ name: String, doc: String = "") {
        self.name = name
        self.doc = doc
    }

    @discardableResult
    public func function<R: IntoLua>(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> R
    ) -> Self {
        entries.append(
            .function(
                LuaSignature(name, parameters, doc: doc, result: R.luaResult)
            ) { arguments in
                try arguments.stack.pushResult(body(arguments))
            })
        return self
    }

    @discardableResult
    public func function(
        _ name: String, _ parameters: [LuaParameter] = [], doc: String = "",
        _ body: @escaping (LuaArguments) throws -> Void
    ) -> Self {
        entries.append(
            .function(
                LuaSignature(name, parameters, doc: doc, result: LuaResultType.none)
            ) { arguments in
                try body(arguments)
                return 0
            })
        return self
    }

    @discardableResult
    public func constant(_ name: String, _ value: any IntoLua, doc: String = "") -> Self {
        entries.append(.constant(name, value, doc: doc))
        return self
    }

    @discardableResult
    public func submodule(_ name: String, _ module: LuaModule) -> Self {
        entries.append(.module(name, module))
        return self
    }

    /// Adds the class under its name: a callable table with its static functions.
    @discardableResult
    public func `class`<T: AnyObject>(_ declaration: LuaClass<T>) -> Self {
        entries.append(.type(declaration.described) { try $0.push(class: declaration) })
        return self
    }
}

extension LuaState {
    /// Makes `require(module.name)` return the module. It is built when first required, and
    /// `make` is not called before that.
    public func preload(_ name: String, _ make: @escaping (LuaState) throws -> LuaModule) throws {
        // Not a checked signature: `require` passes the name and where it was found.
        let stack = try stack()
        try stack.push(
            function: LuaFunctionBox(self, name: name) { stack in
                try stack.push(module: make(stack.state))
                return 1
            })
        defer { stack.pop() }
        let loader = LuaFunction(try LuaReference(stack, at: -1))
        let package: LuaTable = try globals.get("package")
        let preload: LuaTable = try package.get("preload")
        try preload.set(name, loader)
    }

    /// The module as a table, for programs that don't use `require`.
    public func table(of module: LuaModule) throws -> LuaTable {
        let stack = try stack()
        return try stack.balanced {
            try stack.push(module: module)
            return try LuaTable(LuaReference(stack, at: -1))
        }
    }
}

extension LuaStack {
    /// Pushes a new table with the module's entries.
    func push(module: LuaModule) throws {
        try unwinding {
            try pushTable(hash: module.entries.count)
            try fill(height, module.entries)
            let text = "module '\(module.name)'"
            try setStrictFields(height, kind: text, .module(module)) { try setText(text, in: $0) }
        }
    }

    /// Pushes the class object: `Class(...)`, `Class.function(...)`.
    func push<T: AnyObject>(class declaration: LuaClass<T>) throws {
        try state.register(declaration)
        try unwinding {
            try pushTable(hash: declaration.statics.count)
            let table = height
            try fill(table, declaration.statics)
            let subject = LuaDescription.type(declaration.described)
            try setStrictFields(table, kind: declaration.name, subject) { metatable in
                guard let signature = declaration.constructorSignature,
                    let body = declaration.constructorBody
                else { return }
                try push(
                    function: LuaFunctionBox(
                        state, name: signature.name, signature: signature
                    ) { stack in
                        st_remove(stack.lua, 1)  // the class object itself
                        return try body(LuaArguments(signature, stack))
                    })
                try setField("__call", of: metatable)
                try push(declaration.name)
                try setField("__name", of: metatable)
                try setText("class \(declaration.name)", in: metatable)
            }
        }
    }

    private func fill(_ table: Int32, _ entries: [LuaModule.Entry]) throws {
        for entry in entries {
            switch entry {
            case .function(let signature, let body):
                try push(signature: signature, body)
                try setField(signature.name, of: table)
            case .constant(let name, let value, _):
                try value.push(onto: self)
                try setField(name, of: table)
            case .module(let name, let module):
                try push(module: module)
                try setField(name, of: table)
            case .type(let description, let pushClass):
                try pushClass(self)
                try setField(description.name, of: table)
            }
        }
    }

    /// What `print` shows for the owner of `metatable`.
    private func setText(_ text: String, in metatable: Int32) throws {
        try push(
            function: LuaFunctionBox(state, name: text) { stack in
                try stack.push(text)
                return 1
            })
        try setField("__tostring", of: metatable)
    }

    /// Gives the table a metatable in which reading an absent field is an error.
    private func setStrictFields(
        _ table: Int32, kind: String, _ subject: LuaDescription,
        _ more: (_ metatable: Int32) throws -> Void
    ) throws {
        try pushTable(hash: 4)
        let metatable = height
        let index =
            LuaFunctionBox(state, name: kind) { stack in
                var names: [String] = []
                try stack.forEachPair(of: 1) {
                    if let name = stack.text(at: -2) { names.append(name) }
                    return true
                }
                let key = try stack.text(at: 2) ?? stack.tostring(at: 2)
                throw LuaError.unknown(
                    kind: "field", name: key, owner: kind, valid: names.sorted())
            }
        index.subject = subject
        try push(function: index)
        try setField("__index", of: metatable)
        try more(metatable)
        try ensure(1)
        lua_setmetatable(lua, table)
    }
}
