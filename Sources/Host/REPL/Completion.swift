// What Tab offers: globals, fields, methods, and the names of the arguments of the call that the
// cursor stands in. Nothing of the script runs: fields are read raw, types come from declarations.

package import LuaBridge

/// Candidates for the word before the cursor.
package struct Completion: Equatable {
    /// Bytes of the line that belong to the word.
    package var wordLength = 0
    /// What could stand in its place, sorted.
    package var candidates: [String] = []
    /// The call that the cursor stands in, when there is nothing to complete.
    package var hint: String?
}

extension Completion {
    /// The longest beginning that all candidates share.
    var commonPrefix: String {
        guard var prefix = candidates.first else { return "" }
        for candidate in candidates.dropFirst() {
            while !candidate.hasPrefix(prefix) { prefix.removeLast() }
        }
        return prefix
    }
}

/// Finds completions in a session.
package struct Completer {
    /// What an expression is known to be.
    private enum Target {
        case value(LuaValue)
        /// An object of this class that is not at hand.
        case instance(LuaClassDescription)
        case function(LuaSignature)
    }

    private enum Step {
        case name(String)
        case field(String)
        case call
    }

    private let session: HostSession
    private let globals: [String]

    package init(_ session: HostSession, globals: [String] = HostModule.shortNames) {
        self.session = session
        self.globals = globals
    }

    /// - source: everything up to the cursor, earlier lines of the chunk included.
    package func complete(_ source: String) -> Completion {
        let lexer = LuaLexer(source.hasPrefix("=") ? String(source.dropFirst()) : source)
        var tokens = lexer.tokens[...]
        if case .string(let start) = lexer.end { return choices(source, from: start, tokens) }
        guard lexer.end == .code else { return Completion() }
        let length = source.utf8.count - (source.hasPrefix("=") ? 1 : 0)
        var word = ""
        if let last = tokens.last, last.kind == .name || last.kind == .keyword, last.end == length {
            word = last.text
            tokens.removeLast()
        }
        if let separator = tokens.last, separator.kind == .symbol,
            [".", ":"].contains(separator.text)
        {
            guard let target = target(endingAt: tokens.dropLast()) else { return Completion() }
            return completion(word, members(of: target, callable: separator.text == ":"))
        }
        if let call = openCall(tokens) {
            let names = call.signature.parameters.filter { $0.kind != .positionalOnly }.map(\.name)
            if call.isInTable, call.isAtKey {
                let free = names.filter { !call.given.contains($0) }
                return completion(word, free.map { $0 + " = " })
            }
            if word.isEmpty { return Completion(hint: callSyntax(call.signature)) }
        }
        guard !word.isEmpty || tokens.isEmpty else { return Completion() }
        return completion(word, globalNames() + LuaLexer.keywords)
    }

    /// What a path such as "optuna.create_study" or "study:optimize" stands for.
    package func description(ofPath path: String) throws -> LuaDescription? {
        guard let target = target(endingAt: LuaLexer(path).tokens[...]) else { return nil }
        switch target {
        case .value(let value): return try session.lua.description(of: value)
        case .instance(let type): return .object(type)
        case .function(let signature): return .function(signature)
        }
    }

    private func completion(_ word: String, _ names: [String]) -> Completion {
        let found = Set(names.filter { $0.hasPrefix(word) }).sorted()
        return Completion(wordLength: word.utf8.count, candidates: found)
    }

    /// Within a string: the values that an argument may have.
    private func choices(
        _ source: String, from start: Int, _ tokens: ArraySlice<LuaLexer.Token>
    ) -> Completion {
        guard tokens.last?.text == "=", let name = tokens.dropLast().last, name.kind == .name,
            let call = openCall(tokens.dropLast(2)), call.isInTable,
            let parameter = call.signature.parameters.first(where: { $0.name == name.text }),
            case .oneOf(let names) = parameter.shown.type
        else { return Completion() }
        let bytes = Array(source.utf8).dropFirst(start + 1 + (source.hasPrefix("=") ? 1 : 0))
        return completion(String(decoding: bytes, as: UTF8.self), names)
    }

    // MARK: - Names

    private func globalNames() -> [String] {
        let table = try? session.lua.globals
        return globals + names(in: table)
    }

    private func names(in table: LuaTable?) -> [String] {
        let pairs = (try? table?.pairs(limit: 5000)) ?? []
        return pairs.compactMap { $0.key.string }.filter {
            $0.utf8.allSatisfy(LuaLexer.isNameByte) && !LuaLexer.isDigit($0.utf8.first ?? 48)
                && !LuaLexer.keywords.contains($0)
        }
    }

    private func members(of target: Target, callable: Bool) -> [String] {
        switch target {
        case .instance(let type):
            if callable { return type.methods.map(\.name) }
            // An object with fields of its own has those that it can be made with.
            let given = type.isIndexed ? type.constructor?.parameters ?? [] : []
            return (type.methods.map(\.name) + type.properties.map(\.name))
                + given.filter { $0.kind != .positionalOnly }.map(\.name)
        case .function: return []
        case .value(.table(let table)): return members(of: table, callable: callable, depth: 0)
        case .value(.string):
            guard case .table(let library)? = try? session.lua.globals.rawGet("string") else {
                return []
            }
            return callable ? names(in: library) : []
        case .value(let value):
            guard case .object(let type)? = try? session.lua.description(of: value) else {
                return []
            }
            let fields = callable ? [] : (try? session.lua.fieldNames(of: value)) ?? []
            return type.methods.map(\.name)
                + fields.filter { $0.utf8.allSatisfy(LuaLexer.isNameByte) }
        }
    }

    private func members(of table: LuaTable, callable: Bool, depth: Int) -> [String] {
        let pairs = (try? table.pairs(limit: 5000)) ?? []
        var result = names(in: table)
        if callable {
            let functions = Set(
                pairs.filter { $0.value.function != nil }.compactMap { $0.key.string })
            result = result.filter(functions.contains)
        }
        if depth < 8, let metatable = try? table.metatable,
            case .table(let parent)? = try? metatable.rawGet("__index")
        {
            result += members(of: parent, callable: callable, depth: depth + 1)
        }
        return result
    }

    // MARK: - Expressions

    /// What the expression that ends with the last token is.
    private func target(endingAt tokens: ArraySlice<LuaLexer.Token>) -> Target? {
        var rest = tokens
        var steps: [Step] = []
        while let token = rest.popLast() {
            switch (token.kind, token.text) {
            case (.name, let name):
                guard let separator = rest.last, separator.kind == .symbol,
                    [".", ":"].contains(separator.text)
                else { return resolve([.name(name)] + steps.reversed()) }
                steps.append(.field(name))
                rest.removeLast()
            case (.symbol, ")"), (.symbol, "}"):
                guard let opener = opener(of: rest) else { return nil }
                rest = rest[..<opener]
                // f{...} and f(...); a table or parentheses alone are no call.
                guard let before = rest.last,
                    before.kind == .name || [")", "}"].contains(before.text)
                else { return nil }
                steps.append(.call)
            case (.string, _):
                guard let before = rest.last, before.kind == .name else {
                    return steps.isEmpty ? .value("") : nil
                }
                steps.append(.call)
            default: return nil
            }
        }
        return nil
    }

    /// Where the bracket opens that was closed just after `tokens`.
    private func opener(of tokens: ArraySlice<LuaLexer.Token>) -> Int? {
        var depth = 1
        for i in tokens.indices.reversed() where tokens[i].kind == .symbol {
            switch tokens[i].text {
            case ")", "}", "]": depth += 1
            case "(", "{", "[":
                depth -= 1
                if depth == 0 { return i }
            default: break
            }
        }
        return nil
    }

    private func resolve(_ steps: [Step]) -> Target? {
        var current: Target?
        for step in steps {
            switch (step, current) {
            case (.name(let name), _):
                guard let table = try? session.lua.globals, let value = try? table.rawGet(name)
                else { return nil }
                if value.isNil, globals.contains(name) {
                    current = (try? table.get(name, as: LuaValue.self)).map(Target.value)
                } else {
                    current = value.isNil ? nil : .value(value)
                }
            case (.field(let name), let target?): current = member(name, of: target)
            case (.call, let target?): current = result(of: target)
            default: return nil
            }
            if current == nil { return nil }
        }
        return current
    }

    private func member(_ name: String, of target: Target) -> Target? {
        switch target {
        case .function: return nil
        case .instance(let type): return member(name, of: type)
        case .value(.table(let table)):
            var table = table
            for _ in 0..<8 {
                if let value = try? table.rawGet(name), !value.isNil { return .value(value) }
                guard let metatable = try? table.metatable,
                    case .table(let parent)? = try? metatable.rawGet("__index")
                else { return nil }
                table = parent
            }
            return nil
        case .value(let value):
            guard case .object(let type)? = try? session.lua.description(of: value) else {
                return nil
            }
            return member(name, of: type)
        }
    }

    private func member(_ name: String, of type: LuaClassDescription) -> Target? {
        if let method = type.methods.first(where: { $0.name == name }) { return .function(method) }
        guard let property = type.properties.first(where: { $0.name == name }) else { return nil }
        if case .object(let className) = property.type {
            return session.lua.declaredClasses.first { $0.name == className }.map(Target.instance)
        }
        return instance(property.result)
    }

    private func result(of target: Target) -> Target? {
        signature(of: target).flatMap { instance($0.result) }
    }

    private func instance(_ result: LuaResultType) -> Target? {
        switch result {
        case .object(let id): session.lua.declaredClass(id).map(Target.instance)
        case .optional(let wrapped): instance(wrapped)
        case .string: .value("")
        default: nil
        }
    }

    private func signature(of target: Target) -> LuaSignature? {
        switch target {
        case .function(let signature): return signature
        case .instance(let type): return type.call
        case .value(let value):
            return (try? session.lua.description(of: value))?.signatures.first
        }
    }

    // MARK: - Calls

    private struct Call {
        let signature: LuaSignature
        /// Within the table of names.
        let isInTable: Bool
        /// Where a new name may begin.
        let isAtKey: Bool
        let given: Set<String>
    }

    /// The call whose arguments the cursor stands in.
    private func openCall(_ tokens: ArraySlice<LuaLexer.Token>) -> Call? {
        guard let bracket = opener(of: tokens) else { return nil }
        var callee = tokens[..<bracket]
        let isInTable = tokens[bracket].text == "{"
        if isInTable, let before = callee.last, ["(", ","].contains(before.text) {
            guard let parenthesis = opener(of: callee), callee[parenthesis].text == "(" else {
                return nil
            }
            callee = callee[..<parenthesis]
        } else if tokens[bracket].text == "[" {
            return nil
        }
        guard let target = target(endingAt: callee),
            let signature = signature(of: target) ?? scriptSignature(of: target, callee)
        else { return nil }
        let inside = tokens[(bracket + 1)...]
        return Call(
            signature: signature, isInTable: isInTable,
            isAtKey: inside.isEmpty || [",", ";"].contains(inside.last?.text ?? ""),
            given: keys(in: inside))
    }

    /// What there is to know of a function of the script's own: its name and its parameters.
    private func scriptSignature(
        of target: Target, _ callee: ArraySlice<LuaLexer.Token>
    ) -> LuaSignature? {
        guard case .value(let value) = target, let function = value.function,
            let names = try? function.parameterNames, let name = callee.last?.text
        else { return nil }
        // The object before a colon is the first one.
        let isMethod = callee.dropLast().last?.text == ":"
        return LuaSignature(
            name,
            names.dropFirst(isMethod ? 1 : 0).map {
                LuaParameter($0, .any, default: .required, kind: .positionalOnly)
            })
    }

    /// The names before '=' that stand in the table itself.
    private func keys(in tokens: ArraySlice<LuaLexer.Token>) -> Set<String> {
        var depth = 0
        var result: Set<String> = []
        for i in tokens.indices {
            switch tokens[i].text {
            case "(", "{", "[": depth += 1
            case ")", "}", "]": depth -= 1
            case "=" where depth == 0 && i > tokens.startIndex && tokens[i - 1].kind == .name:
                result.insert(tokens[i - 1].text)
            default: break
            }
        }
        return result
    }
}
