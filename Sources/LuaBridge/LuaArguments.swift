// The arguments of one call: by position, then one last table of named ones, as Python's
// `f(a, b, c=1)` is `f(a, b, {c = 1})` here.

internal import CLua

/// The checked arguments of a call to a Swift function; valid while its body runs.
///
/// Call rule. A parameter may be given by position or by name, as in Python. The last argument is
/// the table of names when it is a table and
/// - no positional parameter is left for it, or that parameter does not accept tables;
/// - or the parameter accepts sequences only, and the table has named fields and no element [1];
/// - or the parameter accepts any table and is optional. (Declare it with `.keyword` and the
///   question does not arise.)
/// - or the parameter accepts any table and is required, the table is the only argument, all its
///   fields are names of parameters, and every required parameter is among them with a value of its
///   type: `f{data = {...}}` is `f(data={...})`. A map has no element [1] here, and a table with a
///   metatable is an object, not names.
///
/// An explicit nil counts as not given. Types, ranges and names are checked before the body runs.
public struct LuaArguments {
    public let signature: LuaSignature
    package let stack: LuaStack

    public var state: LuaState { stack.state }

    /// Afterwards parameter i sits at index offset + i + 1.
    init(_ signature: LuaSignature, _ stack: LuaStack) throws {
        self.signature = signature
        self.stack = stack
        let offset = signature.offset
        let parameters = signature.parameters
        let lua = stack.lua
        let given = max(0, Int(stack.height - offset))
        var positional = given
        var table: Int32 = 0
        if given > 0, try Self.isKeywordTable(offset + Int32(given), given - 1, signature, stack) {
            positional = given - 1
            table = offset + Int32(given)
        }
        if positional > signature.positionalCount {
            // Trailing nils are harmless.
            let first = offset + Int32(signature.positionalCount) + 1
            for index in first...(offset + Int32(positional))
            where stack.kind(at: index) != .nil {
                if signature.positionalCount == 0 {
                    throw LuaError.message(
                        "\(signature.name): expected "
                            + (parameters.isEmpty ? "no arguments" : "a table of named arguments")
                            + ", got \(stack.describe(at: index))")
                }
                throw LuaError.message(
                    "\(signature.name): expected at most \(signature.positionalCount) positional"
                        + " arguments, got \(positional)")
            }
        }
        let end = offset + Int32(parameters.count)
        try stack.ensure(Int32(clamping: parameters.count) + 4)
        if table > 0 {
            // Move the table behind the last parameter.
            lua_pushvalue(lua, table)
            lua_pushnil(lua)
            st_replace(lua, table)
            let copy = stack.height
            if copy <= end {
                lua_settop(lua, end)
                lua_pushvalue(lua, copy)
                lua_pushnil(lua)
                st_replace(lua, copy)
            } else {
                if copy > end + 1 { st_replace(lua, end + 1) }
                lua_settop(lua, end + 1)
            }
            try readKeywords(end + 1)
        }
        lua_settop(lua, end)
        for (i, parameter) in parameters.enumerated() {
            let index = offset + Int32(i) + 1
            if lua_type(lua, index) == LUA_TNIL {
                if parameter.isRequired { throw LuaError.missing(name: parameter.name) }
            } else {
                try stack.checkType(parameter, at: index)
            }
        }
    }

    private static func isKeywordTable(
        _ index: Int32, _ position: Int, _ signature: LuaSignature, _ stack: LuaStack
    ) throws -> Bool {
        guard stack.kind(at: index) == .table else { return false }
        guard position < signature.positionalCount else { return true }
        let parameter = signature.parameters[position]
        switch parameter.type.tableUse {
        case .none: return true
        case .sequence:
            if stack.rawCount(at: index) > 0 { return false }
            if try stack.isEmptyTable(at: index) { return !parameter.isRequired }
            return true
        case .table:
            guard parameter.kind != .positionalOnly else { return false }
            guard parameter.isRequired else { return true }
            return try position == 0 && isWholeCall(index, signature, stack)
        }
    }

    /// Whether a table's fields are names of parameters, every required one among them.
    private static func isWholeCall(
        _ index: Int32, _ signature: LuaSignature, _ stack: LuaStack
    ) throws -> Bool {
        if lua_getmetatable(stack.lua, index) != 0 {
            lua_settop(stack.lua, -2)
            return false
        }
        var missing = signature.parameters.count { $0.isRequired }
        var fits = true
        try stack.forEachPair(of: index) {
            guard let name = stack.text(at: -2), let place = signature.indices[name],
                signature.parameters[place].kind != .positionalOnly
            else {
                fits = false
                return false
            }
            let parameter = signature.parameters[place]
            guard parameter.isRequired else { return true }
            missing -= 1
            fits = stack.matches(parameter.type, at: -1)
            if case .map = parameter.type, stack.kind(at: -1) == .table {
                // A field that is called like the parameter, and has a sequence.
                if try stack.rawCount(at: -1) > 0 || stack.isEmptyTable(at: -1) { fits = false }
            }
            return fits
        }
        return fits && missing == 0
    }

    private func readKeywords(_ table: Int32) throws {
        try stack.forEachPair(of: table) {
            guard let name = stack.text(at: -2) else {
                throw LuaError.message(
                    "\(signature.name): expected named arguments, got one at"
                        + " [\((try? stack.tostring(at: -2)) ?? "?")]")
            }
            guard let i = signature.indices[name], signature.parameters[i].kind != .positionalOnly
            else {
                let valid = signature.parameters.filter { $0.kind != .positionalOnly }.map(\.name)
                throw LuaError.unknown(
                    kind: "argument", name: name, owner: signature.name, valid: valid)
            }
            let index = signature.offset + Int32(i) + 1
            guard lua_type(stack.lua, index) == LUA_TNIL else {
                throw LuaError.message("\(signature.name): argument '\(name)' is given twice")
            }
            lua_pushvalue(stack.lua, -1)
            st_replace(stack.lua, index)
            return true
        }
    }
}

// MARK: - Reading

extension LuaArguments {
    /// The argument, or its declared default; nil (for an optional type) without either.
    public subscript<T: FromLua>(_ name: String) -> T {
        get throws { try get(name) }
    }

    public func get<T: FromLua>(_ name: String, as type: T.Type = T.self) throws -> T {
        let index = try index(of: name)
        do {
            if lua_type(stack.lua, index) == LUA_TNIL { return try defaultValue(index) }
            return try T.fromLua(stack, at: index)
        } catch let error as LuaError {
            throw error.within(name)
        }
    }

    /// The Swift object given for `name`, of a class or protocol `T`; nil when it was not given.
    public func object<T>(_ name: String, as type: T.Type = T.self) throws -> T? {
        let index = try index(of: name)
        if lua_type(stack.lua, index) == LUA_TNIL { return nil }
        guard let object = try stack.liveObject(at: index) as? T else {
            let expected = signature.parameters[Int(index - signature.offset) - 1].type
            throw LuaError.mismatch(
                path: name, expected: "\(expected)", got: stack.describe(at: index))
        }
        return object
    }

    /// Whether the call gives it (nil does not count).
    public func isGiven(_ name: String) -> Bool {
        guard let i = signature.indices[name] else { return false }
        return lua_type(stack.lua, signature.offset + Int32(i) + 1) != LUA_TNIL
    }

    /// The names the call gives, in declared order.
    public var given: [String] { signature.parameters.map(\.name).filter(isGiven) }

    /// For values that only the body can check: `throw args.invalid("seed", "must be ...")`.
    public func invalid(_ name: String, _ problem: String) -> LuaError {
        .value(path: name, problem: problem)
    }

    private func index(of name: String) throws -> Int32 {
        guard let i = signature.indices[name] else {
            throw LuaError.internalError("\(signature.name) declares no parameter '\(name)'")
        }
        return signature.offset + Int32(i) + 1
    }

    private func defaultValue<T: FromLua>(_ index: Int32) throws -> T {
        try stack.balanced {
            switch signature.parameters[Int(index - signature.offset) - 1].default {
            case .required, .nil, .computed: try stack.pushNil()
            case .boolean(let value): try stack.push(value)
            case .integer(let value): try stack.push(value)
            case .number(let value): try stack.push(value)
            case .string(let value): try stack.push(value)
            }
            return try T.fromLua(stack, at: -1)
        }
    }
}

// MARK: - Checking

extension LuaType {
    enum TableUse { case none, sequence, table }

    /// What a table could be for this type.
    var tableUse: TableUse {
        switch self {
        case .any, .table, .map: .table
        case .sequence: .sequence
        case .union(let types):
            types.reduce(.none) { use, type in
                switch (use, type.tableUse) {
                case (.table, _), (_, .table): .table
                case (.sequence, _), (_, .sequence): .sequence
                default: .none
                }
            }
        default: .none
        }
    }
}

extension LuaStack {
    func checkType(_ parameter: LuaParameter, at index: Int32) throws {
        guard matches(parameter.type, at: index) else {
            let got: String
            switch (parameter.type, kind(at: index)) {
            case (.integer, .float): got = luaNumber(number(at: index))
            default: got = describe(at: index)
            }
            throw LuaError.mismatch(
                path: parameter.name, expected: "\(parameter.type)", got: got)
        }
        if case .oneOf(let names) = parameter.type, let text = text(at: index),
            !names.contains(text)
        {
            let list = names.map { "'\($0)'" }.joined(separator: ", ")
            let hint = nearestName(to: text, in: names).map { "; did you mean '\($0)'?" } ?? ""
            throw LuaError.value(
                path: parameter.name, problem: "expected one of \(list), got '\(text)'\(hint)")
        }
        if let range = parameter.range {
            switch kind(at: index) {
            case .integer, .float:
                let value = number(at: index)
                if !range.contains(value) {
                    throw LuaError.value(
                        path: parameter.name, problem: "must be \(range), got \(luaNumber(value))")
                }
            default: break
            }
        }
    }

    fileprivate func matches(_ type: LuaType, at index: Int32) -> Bool {
        switch (type, kind(at: index)) {
        case (.any, _): return true
        case (.boolean, .boolean): return true
        case (.integer, .integer): return true
        case (.integer, .float): return integer(at: index) != nil
        case (.number, .integer), (.number, .float): return true
        case (.string, .string), (.oneOf, .string): return true
        case (.table, .table), (.map, .table), (.sequence, .table): return true
        case (.function, _): return isCallable(at: index)
        case (.object(let name), .userdata):
            guard let info = objectInfo(at: index) else { return false }
            return info.name == name || info.conforms.contains(name)
        case (.union(let types), _): return types.contains { matches($0, at: index) }
        default: return false
        }
    }
}
