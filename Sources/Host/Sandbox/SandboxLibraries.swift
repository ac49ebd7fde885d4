// The standard libraries of a sandboxed script: what opens files asks first, what starts processes
// or looks behind the language is refused by name.

import Glibc
import LuaBridge

extension HostSession {
    /// Called once, before any code of the script.
    func closeLibraries() throws {
        try lua.hardenLibraries()
        try refuse(
            [
                "io": ["popen", "tmpfile"],
                "os": ["execute", "exit", "tmpname", "setlocale"],
                "package": ["loadlib"],
                "string": ["dump"],
                "debug": [
                    "debug", "gethook", "getinfo", "getlocal", "getmetatable", "getregistry",
                    "getupvalue", "getuservalue", "sethook", "setlocal", "setmetatable",
                    "setupvalue", "setuservalue", "setcstacklimit", "upvalueid", "upvaluejoin",
                ],
            ])
        try guardFiles()
        try guardRequire()
        // Environment variables hold tokens and passwords; to a script there are none.
        let os: LuaTable = try lua.globals.get("os")
        try os.set("getenv", lua.run("return function() return nil end", name: "=os"))
        // Their functions belong to everybody, finalizers of open files among them.
        try lua.run(
            """
            getmetatable("").__metatable = false
            getmetatable(io.stdout).__metatable = false
            """, name: "=sandbox")
    }

    private func refuse(_ names: [String: [String]]) throws {
        for (library, functions) in names {
            let table: LuaTable = try lua.globals.get(library)
            for function in functions where try !table.get(function, as: LuaValue.self).isNil {
                let name = "\(library).\(function)"
                try table.set(
                    function,
                    lua.function(name, Self.anything) { (_) throws -> Void in
                        throw HostError.sandbox("\(name) is not allowed")
                    })
            }
        }
    }

    private static let anything = (1...5).map {
        LuaParameter("_\($0)", .any, default: .nil, kind: .positionalOnly)
    }

    // MARK: - Files

    /// The functions whose arguments, by place, are paths.
    private func guardFiles() throws {
        for (library, name, places) in [
            ("io", "open", [1]), ("io", "lines", [1]), ("io", "input", [1]), ("io", "output", [1]),
            ("os", "remove", [1]), ("os", "rename", [1, 2]),
        ] {
            let table: LuaTable = try lua.globals.get(library)
            let standard: LuaFunction = try table.get(name)
            try table.set(
                name,
                lua.function("\(library).\(name)", Self.anything) { [unowned self] args in
                    var values = try (1...5).map { try args["_\($0)"] as LuaValue }
                    for place in places {
                        guard let path = try Self.path(values[place - 1]) else { continue }
                        try checkPath(path)
                        // The text that was checked is the one that is used.
                        values[place - 1] = .string(LuaString(path))
                    }
                    while values.last?.isNil == true { values.removeLast() }
                    return LuaResults(try standard.callAll(values).map { $0 as any IntoLua })
                })
        }
        let globals = try lua.globals
        let loadfile = try lua.function(
            "loadfile",
            [
                .optional("filename", .string, .nil),
                LuaParameter("mode", .string, default: .nil, kind: .positionalOnly),
                LuaParameter("env", .any, default: .nil, kind: .positionalOnly),
            ]
        ) { [unowned self] args -> LuaResults in
            let path: String? = try args.path("filename")
            do {
                let chunk = try lua.load(file: path)
                if args.isGiven("env") {
                    throw HostError.sandbox("loadfile takes no environment; use load")
                }
                return LuaResults(chunk)
            } catch let error as LuaError {
                guard case .syntax(let message, _) = error else { throw error }
                return LuaResults(LuaValue.nil, message)
            }
        }
        try globals.set("loadfile", loadfile)
        try globals.set(
            "dofile",
            lua.function("dofile", [.optional("filename", .string, .nil)]) {
                [unowned self] args -> LuaResults in
                let path: String? = try args.path("filename")
                return LuaResults(
                    try lua.load(file: path).callAll([]).map { $0 as any IntoLua })
            })
    }

    /// What a standard function would take for a path: texts, and numbers too. It takes bytes, and
    /// reads them up to a zero byte.
    private static func path(_ value: LuaValue) throws -> String? {
        switch value {
        case .string(let bytes):
            guard let text = bytes.text else {
                throw HostError.sandbox(
                    "the path '\(bytes.repaired)' is out of reach: it is not valid UTF-8")
            }
            return text
        case .integer, .number:
            throw HostError.sandbox("expected a path, got a number; write it as text")
        default: return nil
        }
    }

    // MARK: - require

    /// Modules of the host, and Lua files in the folders; no native code.
    private func guardRequire() throws {
        let package: LuaTable = try lua.globals.get("package")
        let searchers: LuaTable = try package.get("searchers")
        try package.set("cpath", "")
        try package.set(
            "searchpath",
            lua.function(
                "package.searchpath",
                [
                    .required("name", .string), .required("path", .string),
                    .optional("sep", .string, "."), .optional("rep", .string, "/"),
                ]
            ) { [unowned self] args -> LuaResults in
                let (found, tried) = try search(
                    args["name"], args["path"], separator: args["sep"], by: args["rep"])
                return found.map { LuaResults($0) } ?? LuaResults(LuaValue.nil, tried)
            })
        for place in stride(from: try searchers.count, to: 1, by: -1) {
            try searchers.set(place, LuaValue.nil)
        }
        let files = try lua.function("require", [.required("name", .string)]) {
            [unowned self] args -> LuaResults in
            let (found, tried) = try search(
                args["name"], package.get("path"), separator: ".", by: "/")
            guard let found else { return LuaResults(tried) }
            return LuaResults(try lua.load(file: found), found)
        }
        try searchers.set(2, files)
    }

    /// The first file there is for a module, or what was tried, as Lua's own message has it.
    private func search(
        _ name: String, _ path: String, separator: String, by replacement: String
    ) throws -> (found: String?, tried: String) {
        let file =
            separator.isEmpty
            ? name
            : name.split(separator: separator, omittingEmptySubsequences: false)
                .joined(separator: replacement)
        var tried: [String] = []
        for template in path.split(separator: ";") {
            let candidate = template.split(separator: "?", omittingEmptySubsequences: false)
                .joined(separator: file)
            do {
                try checkPath(candidate)
            } catch {
                // What is out of reach is not there.
                continue
            }
            if access(candidate, R_OK) == 0 { return (candidate, "") }
            tried.append("no file '\(candidate)'")
        }
        return (nil, tried.joined(separator: "\n\t"))
    }
}
