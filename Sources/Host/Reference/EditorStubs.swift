// Annotations for lua-language-server, one file a module: what an editor completes and checks.
// https://luals.github.io/wiki/annotations

import LuaBridge

/// Writes the stubs. They are declarations only; nothing runs them.
package struct EditorStubs {
    private let reference: APIReference
    /// Lua class name to its name in annotations, "optuna.Study".
    private let names: [String: String]

    package init(_ reference: APIReference) {
        self.reference = reference
        var names: [String: String] = [:]
        for module in reference.modules {
            for type in module.all.flatMap({ $0.classes + $0.objects })
            where names[type.name] == nil {
                names[type.name] = "\(module.name).\(type.name)"
            }
        }
        self.names = names
    }

    /// File name and content.
    package func files() -> [(name: String, text: String)] {
        reference.modules.map { ("\($0.name).lua", text(of: $0)) }
    }

    private func text(of module: APIReference.Module) -> String {
        var lines = ["---@meta \(module.name)", "-- Written by `st-host generate stubs`.", ""]
        let types = module.all.flatMap { $0.classes + $0.objects }
        let declared = Set(types.map(\.name))
        // Kinds that several classes share, such as Loss.
        for kind in Set(types.flatMap(\.conforms)).subtracting(declared).sorted() {
            lines += ["---@class \(kind)", ""]
        }
        var seen: Set<String> = []
        for type in types where seen.insert(type.name).inserted { lines += self.lines(of: type) }
        for part in module.all { lines += tables(of: part) }
        lines += ["return \(local(module.name))", ""]
        return lines.joined(separator: "\n")
    }

    // MARK: - Classes

    private func lines(of type: LuaClassDescription) -> [String] {
        let name = names[type.name] ?? type.name
        let parents = type.conforms.isEmpty ? "" : ": " + type.conforms.joined(separator: ", ")
        var lines = comment(type.doc) + ["---@class \(name)\(parents)"]
        for property in type.properties {
            var text = annotation(property.type)
            if case .any = property.type { text = annotation(property.result) }
            lines.append("---@field \(property.name) \(text) \(oneLine(property.doc))")
        }
        if type.isIndexed { lines.append("---@field [string|integer] any") }
        if type.events.contains("len") { lines.append("---@operator len: integer") }
        for event in ["add", "sub", "mul", "div", "unm"] where type.events.contains(event) {
            let operand = event == "unm" ? "" : "(any)"
            lines.append("---@operator \(event)\(operand): \(name)")
        }
        if let call = type.call {
            lines.append("---@overload \(functionType(call))")
        }
        lines += ["local \(type.name) = {}", ""]
        for method in type.methods {
            lines += function(method, as: "\(type.name):\(method.name)")
        }
        return lines
    }

    // MARK: - Modules

    private func tables(of module: APIReference.Module) -> [String] {
        let table = local(module.name)
        var lines = comment(module.doc) + ["---@class \(module.name)", "local \(table) = {}", ""]
        for constant in module.constants {
            lines += comment(constant.doc) + ["\(table).\(constant.name) = \(constant.value)", ""]
        }
        for signature in module.functions {
            lines += function(signature, as: "\(table).\(signature.name)")
        }
        for type in module.classes {
            let path = "\(module.name).\(type.name)"
            lines += comment(type.doc) + ["---@class \(path)_class"]
            if let constructor = type.constructor {
                lines.append("---@overload \(functionType(constructor))")
            }
            let holder = "\(table)_\(type.name)"
            lines += ["local \(holder) = {}", "\(table).\(type.name) = \(holder)", ""]
            for entry in type.statics {
                if case .function(let signature, _) = entry {
                    lines += function(signature, as: "\(holder).\(signature.name)")
                }
            }
        }
        for inner in module.submodules {
            lines.append("---@type \(inner.name)")
            lines.append("\(table).\(inner.name.split(separator: ".").last ?? "") = nil")
            lines.append("")
        }
        return lines
    }

    private func local(_ module: String) -> String {
        "M_" + module.replacing(".", with: "_")
    }

    // MARK: - Functions

    /// Positional parameters as they are; the table of names as one parameter `options`, whose
    /// fields are written out.
    private func function(_ signature: LuaSignature, as path: String) -> [String] {
        var lines = comment(signature.doc)
        let positional = positional(signature)
        for parameter in positional {
            let mark = parameter.isRequired ? "" : "?"
            lines.append(
                "---@param \(safe(parameter.name))\(mark) \(annotation(parameter.shown.type)) "
                    + facts(parameter))
        }
        if let options = options(signature) { lines.append("---@param options? \(options)") }
        if let result = resultAnnotation(signature.result) { lines.append("---@return \(result)") }
        var names = positional.map { safe($0.name) }
        if options(signature) != nil { names.append("options") }
        return lines + ["function \(path)(\(names.joined(separator: ", "))) end", ""]
    }

    private func functionType(_ signature: LuaSignature) -> String {
        var parts = positional(signature).map { parameter in
            "\(safe(parameter.name))\(parameter.isRequired ? "" : "?"): "
                + annotation(parameter.shown.type)
        }
        if let options = options(signature) { parts.append("options?: \(options)") }
        let result = resultAnnotation(signature.result).map { ": \($0)" } ?? ""
        return "fun(\(parts.joined(separator: ", ")))\(result)"
    }

    private func positional(_ signature: LuaSignature) -> [LuaParameter] {
        signature.parameters.filter { $0.kind != .keywordOnly }
    }

    /// The table of names as a type; nil for functions that take none.
    private func options(_ signature: LuaSignature) -> String? {
        let named = signature.parameters.filter { $0.kind != .positionalOnly }
        guard !named.isEmpty else { return nil }
        let fields = named.map { "\(safe($0.name))?: \(annotation($0.shown.type))" }
        return "{ \(fields.joined(separator: ", ")) }"
    }

    private func facts(_ parameter: LuaParameter) -> String {
        oneLine(parameterFacts(parameter) + (parameter.doc.isEmpty ? "" : ". \(parameter.doc)"))
    }

    // MARK: - Types

    private func annotation(_ type: LuaType) -> String {
        switch type {
        case .any, .boolean, .integer, .number, .string, .function, .table: "\(type)"
        case .oneOf(let names): names.map { "\"\($0)\"" }.joined(separator: "|")
        case .sequence(let element): "(\(annotation(element)))[]"
        case .map(let element): "table<string, \(annotation(element))>"
        case .object(let name): names[name] ?? name
        case .union(let types): types.map(annotation).joined(separator: "|")
        }
    }

    private func annotation(_ result: LuaResultType) -> String {
        resultAnnotation(result) ?? "any"
    }

    private func resultAnnotation(_ result: LuaResultType) -> String? {
        switch result {
        case .none: nil
        case .any: "any"
        case .boolean: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .table: "table"
        case .function: "function"
        case .sequence(let element): "(\(annotation(element)))[]"
        case .map(let element): "table<string, \(annotation(element))>"
        case .optional(let wrapped): annotation(wrapped) + "|nil"
        case .object(let id):
            reference.className(id).map { names[$0] ?? $0 } ?? "any"
        }
    }

    private func comment(_ text: String) -> [String] {
        text.isEmpty ? [] : ["--- " + oneLine(text)]
    }

    private func oneLine(_ text: String) -> String { text.replacing("\n", with: " ") }

    /// A keyword of Lua can't name a parameter.
    private func safe(_ name: String) -> String {
        LuaLexer.keywords.contains(name) ? name + "_" : name
    }
}
