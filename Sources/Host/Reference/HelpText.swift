// `help(x)`: what the REPL shows for a module, class, object, function or argument.

package import LuaBridge

/// Makes the pages of `help`.
package struct HelpText {
    private let reference: APIReference
    private let style: TextStyle

    package init(_ reference: APIReference, style: TextStyle) {
        self.reference = reference
        self.style = style
    }

    /// `help()`
    package func overview() -> String {
        var lines = [
            "help(x) explains a module, class, object or function; help(f, \"argument\") one",
            "argument; help(\"word\") looks for a word. Tab completes names and arguments.", "",
        ]
        for module in HostModule.all {
            guard let page = reference.modules.first(where: { $0.name == module.name }) else {
                continue
            }
            let name = module.shortName
            lines.append(style.name(name) + padding(name, 12) + page.doc)
        }
        return lines.joined(separator: "\n")
    }

    package func page(_ description: LuaDescription) -> String {
        switch description {
        case .module(let module): page(module)
        case .function(let signature): page(signature)
        case .type(let type), .object(let type): page(type)
        }
    }

    /// One argument of a function or constructor; nil when there is none of that name.
    package func page(argument name: String, of description: LuaDescription) throws -> String {
        let signatures = description.signatures
        for signature in signatures {
            if let parameter = signature.parameters.first(where: { $0.name == name }) {
                return lines(of: parameter, in: signature).joined(separator: "\n")
            }
        }
        throw LuaError.unknown(
            kind: "argument", name: name, owner: signatures.first?.name ?? "help",
            valid: signatures.flatMap { $0.parameters.map(\.name) })
    }

    /// Everything with `word` in its name: modules, classes, functions, methods, arguments.
    package func search(_ word: String) -> String? {
        var exact: [String] = []
        var others: [String] = []
        func note(_ name: String, _ line: @autoclosure () -> String) {
            if name == word {
                exact.append(line())
            } else if word.utf8.count > 2, name.lowercased().contains(word.lowercased()) {
                others.append(line())
            }
        }
        func note(_ signature: LuaSignature, _ path: String) {
            note(signature.name, "\(style.name(path)): \(signature.doc)")
            for parameter in signature.parameters {
                note(
                    parameter.name,
                    "\(style.name(parameter.name)) of \(path): \(parameterFacts(parameter))"
                        + (parameter.doc.isEmpty ? "" : ". \(parameter.doc)"))
            }
        }
        for module in reference.allModules {
            for signature in module.functions {
                note(signature, "\(module.name).\(signature.name)")
            }
            for constant in module.constants {
                note(constant.name, "\(style.name("\(module.name).\(constant.name)"))")
            }
        }
        for (path, type) in reference.allClasses {
            note(type.name, "\(style.name(path ?? type.name)): \(type.doc)")
            if let constructor = type.constructor {
                for parameter in constructor.parameters {
                    note(
                        parameter.name,
                        "\(style.name(parameter.name)) of \(path ?? type.name): "
                            + parameterFacts(parameter)
                            + (parameter.doc.isEmpty ? "" : ". \(parameter.doc)"))
                }
            }
            for method in type.methods { note(method, "\(type.name):\(method.name)") }
            for property in type.properties {
                note(
                    property.name, "\(style.name("\(type.name).\(property.name)")): \(property.doc)"
                )
            }
        }
        let found = exact.isEmpty ? others : exact
        guard !found.isEmpty else { return nil }
        let shown = found.prefix(30)
        let rest = found.count - shown.count
        return (shown + (rest > 0 ? ["... and \(rest) more"] : [])).joined(separator: "\n")
    }

    // MARK: - Pages

    private func page(_ module: LuaModule) -> String {
        var lines = [style.heading(module.name)]
        if !module.doc.isEmpty { lines.append(module.doc) }
        var rows: [(String, String)] = []
        for entry in module.entries {
            switch entry {
            case .function(let signature, _): rows.append((callSyntax(signature), signature.doc))
            case .constant(let name, _, let doc): rows.append((name, doc))
            case .module(let name, let inner): rows.append((name + ".", inner.doc))
            case .type(let type, _):
                rows.append((type.constructor.map { callSyntax($0) } ?? type.name, type.doc))
            }
        }
        return (lines + [""] + table(rows)).joined(separator: "\n")
    }

    private func page(_ signature: LuaSignature) -> String {
        var heading = style.heading(callSyntax(signature))
        if let result = reference.resultWords(signature.result) { heading += " -> \(result)" }
        var lines = [heading]
        if !signature.doc.isEmpty { lines.append(signature.doc) }
        if !signature.parameters.isEmpty { lines.append("") }
        for parameter in signature.parameters {
            lines += self.lines(of: parameter, in: nil).map { "  " + $0 }
        }
        return lines.joined(separator: "\n")
    }

    private func page(_ type: LuaClassDescription) -> String {
        var lines: [String] = []
        if let constructor = type.constructor {
            lines.append(page(constructor))
            if constructor.doc != type.doc, !type.doc.isEmpty { lines.insert(type.doc, at: 0) }
        } else {
            lines = [style.heading(type.name), type.doc]
        }
        var rows: [(String, String)] = []
        for entry in type.statics {
            if case .function(let signature, _) = entry {
                rows.append(
                    (callSyntax(signature, "\(type.name).\(signature.name)"), signature.doc))
            }
        }
        if let call = type.call { rows.append((callSyntax(call, "object"), call.doc)) }
        for method in type.methods {
            rows.append((callSyntax(method, ":" + method.name), method.doc))
        }
        for property in type.properties {
            let type = reference.propertyType(property)
            let rule = property.isReadOnly ? "" : "; can be assigned"
            rows.append((".\(property.name)", "\(type)\(rule). \(property.doc)"))
        }
        if rows.isEmpty { return lines.joined(separator: "\n") }
        return (lines + [""] + table(rows)).joined(separator: "\n")
    }

    private func lines(of parameter: LuaParameter, in signature: LuaSignature?) -> [String] {
        let owner = signature.map { " (argument of \($0.name))" } ?? ""
        let first = "\(style.name(parameter.name)): \(parameterFacts(parameter))\(owner)"
        return parameter.doc.isEmpty ? [first] : [first, "    " + parameter.doc]
    }

    private func table(_ rows: [(String, String)]) -> [String] {
        rows.map { name, doc in
            doc.isEmpty
                ? "  " + style.name(name)
                : name.count > 26
                    ? "  \(style.name(name))\n\(String(repeating: " ", count: 30))\(doc)"
                    : "  \(style.name(name))\(padding(name, 28))\(doc)"
        }
    }

    private func padding(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(1, width - text.count))
    }
}

extension LuaDescription {
    /// The calls that this stands for: of a class, its constructor's.
    var signatures: [LuaSignature] {
        switch self {
        case .function(let signature): [signature]
        case .type(let type): type.constructor.map { [$0] } ?? []
        case .object(let type): type.call.map { [$0] } ?? []
        case .module: []
        }
    }
}
