// Everything that scripts can reach, as it was declared: the one source of `help`, completion, the
// Markdown reference and the editor stubs.

package import LuaBridge

/// The host's modules with their functions, classes and constants.
package struct APIReference {
    package struct Module {
        /// As `require` or a path of fields names it: "optuna.samplers".
        package let name: String
        package let doc: String
        package var functions: [LuaSignature] = []
        package var constants: [(name: String, value: String, doc: String)] = []
        package var classes: [LuaClassDescription] = []
        package var submodules: [Module] = []
        /// Classes whose objects functions return, and which scripts can't make themselves.
        package var objects: [LuaClassDescription] = []

        /// This one and all below it.
        package var all: [Module] { [self] + submodules.flatMap(\.all) }
    }

    /// In the order in which they build on each other.
    package let modules: [Module]
    private let classNames: [ObjectIdentifier: String]

    /// Declares every module, in a session of its own.
    package init() throws {
        let session = try HostSession(progress: Progress(style: .silent))
        defer { session.close() }
        var modules: [Module] = []
        var known: Set<String> = []
        for module in [HostModule.datasets, .optuna, .sentenceTransformers] {
            let declared = try module.make(session)
            _ = try session.lua.table(of: declared)
            var entry = Module(declared, path: module.name)
            let inModule = Set(entry.all.flatMap { $0.classes.map(\.name) })
            let classes = session.lua.declaredClasses.filter { !known.contains($0.name) }
            entry.objects = classes.filter { !inModule.contains($0.name) }
            known.formUnion(classes.map(\.name))
            known.formUnion(inModule)
            modules.append(entry)
        }
        self.modules = modules
        classNames = Dictionary(
            session.lua.declaredClasses.compactMap { type in
                guard case .object(let id) = type.result else { return nil }
                return (id, type.name)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The Lua class of an object that a function returns.
    package func className(_ id: ObjectIdentifier) -> String? { classNames[id] }

    package var allModules: [Module] { modules.flatMap(\.all) }

    /// Every class with the path under which scripts find it; without a path those they can't make.
    package var allClasses: [(path: String?, type: LuaClassDescription)] {
        allModules.flatMap { module in
            module.classes.map { ("\(module.name).\($0.name)", $0) }
                + module.objects.map { (nil, $0) }
        }
    }
}

extension APIReference.Module {
    init(_ module: LuaModule, path: String) {
        self.init(name: path, doc: module.doc)
        for entry in module.entries {
            switch entry {
            case .function(let signature, _): functions.append(signature)
            case .constant(let name, let value, let doc):
                constants.append((name, Self.literal(value), doc))
            case .module(let name, let inner):
                submodules.append(APIReference.Module(inner, path: "\(path).\(name)"))
            case .type(let description, _): classes.append(description)
            }
        }
    }

    private static func literal(_ value: any IntoLua) -> String {
        if let text = value as? String { return "\"\(text)\"" }
        return "\(value)"
    }
}

// MARK: - Words

/// How a call is written: what goes by position, then the names in braces.
package func callSyntax(_ signature: LuaSignature, _ name: String? = nil) -> String {
    let name = name ?? signature.owner.map { "\($0):\(signature.name)" } ?? signature.name
    let keywords = signature.parameters.filter { $0.kind == .keywordOnly }.map(\.name)
    let positional = signature.parameters.filter { $0.kind != .keywordOnly }
        .map { $0.isRequired ? $0.name : "[\($0.name)]" }
    if keywords.isEmpty { return "\(name)(\(positional.joined(separator: ", ")))" }
    let shown = keywords.count > 6 ? "..." : keywords.joined(separator: ", ")
    if positional.isEmpty { return "\(name){ \(shown) }" }
    return "\(name)(\((positional + ["{ \(shown) }"]).joined(separator: ", ")))"
}

/// Type, default and range of a parameter: "number = 5e-05, at least 0".
package func parameterFacts(_ parameter: LuaParameter) -> String {
    var text = typeWords(parameter.shown.type)
    switch parameter.default {
    case .required: text += ", required"
    case .nil: text += " = nil"
    default: text += " = \(parameter.default)"
    }
    if let range = parameter.shown.range { text += ", \(range)" }
    return text
}

package func typeWords(_ type: LuaType) -> String {
    switch type {
    case .oneOf(let names): names.map { "\"\($0)\"" }.joined(separator: " | ")
    case .sequence(.any): "sequence"
    case .sequence(let element): "sequence of \(typeWords(element))"
    case .map(.any): "table"
    case .map(let element): "table of \(typeWords(element)) by name"
    case .union(let types): types.map(typeWords).joined(separator: " or ")
    default: "\(type)"
    }
}

extension APIReference {
    /// What a function returns, or nil when nothing is known of it.
    package func resultWords(_ result: LuaResultType) -> String? {
        switch result {
        case .none, .any: nil
        case .boolean: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .table: "table"
        case .function: "function"
        case .sequence(let element): resultWords(element).map { "sequence of \($0)" } ?? "sequence"
        case .map(let element): resultWords(element).map { "table of \($0) by name" } ?? "table"
        case .optional(let wrapped): resultWords(wrapped).map { "\($0) or nil" }
        case .object(let id): className(id)
        }
    }

    package func propertyType(_ property: LuaPropertyInfo) -> String {
        if case .any = property.type { return resultWords(property.result) ?? "any" }
        return typeWords(property.type)
    }
}
