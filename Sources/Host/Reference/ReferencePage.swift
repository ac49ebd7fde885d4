// The Lua reference as Markdown: docs/lua-reference.md.

import LuaBridge

/// Writes the page.
package struct ReferencePage {
    private let reference: APIReference

    package init(_ reference: APIReference) { self.reference = reference }

    package func text() -> String {
        var lines = [
            "# Lua reference", "",
            "Everything that scripts can require, as it is declared in the sources: `help(x)` in the"
                + " REPL shows",
            "the same. Arguments in braces go into one table; those in brackets may be left out."
                + " Written by",
            "`st-host generate reference`.", "",
        ]
        for module in reference.modules {
            for part in module.all {
                lines += section(part, level: part.name == module.name ? 2 : 3)
            }
            if !module.objects.isEmpty {
                for type in module.objects { lines += section(type, path: type.name) }
            }
        }
        while lines.last == "" { lines.removeLast() }
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ module: APIReference.Module, level: Int) -> [String] {
        guard !(module.functions.isEmpty && module.classes.isEmpty && module.constants.isEmpty)
        else { return [] }
        var lines = [String(repeating: "#", count: level) + " \(module.name)", ""]
        if !module.doc.isEmpty { lines += [text(module.doc), ""] }
        for constant in module.constants {
            lines.append("- `\(constant.name) = \(constant.value)`" + dash(constant.doc))
        }
        if !module.constants.isEmpty { lines.append("") }
        for signature in module.functions {
            lines += function(signature, "\(module.name).\(signature.name)")
        }
        for type in module.classes { lines += section(type, path: "\(module.name).\(type.name)") }
        return lines
    }

    private func section(_ type: LuaClassDescription, path: String) -> [String] {
        var lines = ["### \(path)", ""]
        if !type.doc.isEmpty { lines += [text(type.doc), ""] }
        if let constructor = type.constructor { lines += function(constructor, path) }
        for entry in type.statics {
            if case .function(let signature, _) = entry {
                lines += function(signature, "\(type.name).\(signature.name)")
            }
        }
        for property in type.properties {
            let rule = property.isReadOnly ? "" : ", can be assigned"
            lines.append(
                "- `.\(property.name)`: \(text(reference.propertyType(property)))\(rule)"
                    + dash(property.doc))
        }
        if !type.properties.isEmpty { lines.append("") }
        if let call = type.call { lines += function(call, "object") }
        for method in type.methods { lines += function(method, "\(type.name):\(method.name)") }
        return lines
    }

    private func function(_ signature: LuaSignature, _ path: String) -> [String] {
        let result = reference.resultWords(signature.result).map { " → \($0)" } ?? ""
        var lines = ["#### `\(callSyntax(signature, path))`\(result)", ""]
        if !signature.doc.isEmpty { lines += [text(signature.doc), ""] }
        for parameter in signature.parameters {
            lines.append(
                "- `\(parameter.name)`: \(text(parameterFacts(parameter)))" + dash(parameter.doc))
        }
        if !signature.parameters.isEmpty { lines.append("") }
        return lines
    }

    private func dash(_ doc: String) -> String { doc.isEmpty ? "" : ". " + text(doc) }

    /// What Markdown would take for its own.
    private func text(_ text: String) -> String {
        var result = ""
        for character in text {
            if "*_<>|[]`".contains(character) { result.append("\\") }
            result.append(character == "\n" ? " " : character)
        }
        return result
    }
}
