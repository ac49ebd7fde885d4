// `require "sentence_transformer"`: Lua's own message lists a dozen paths; a slip of the finger in
// the name of a module of ours deserves one line.

import LuaBridge

extension HostSession {
    /// Adds a last searcher to `package.searchers`, asked only for modules that nobody found.
    func suggestModules() throws {
        let package: LuaTable = try lua.globals.get("package")
        let searchers: LuaTable = try package.get("searchers")
        let names = HostModule.all.map(\.name)
        let hint = try lua.function("require", [.required("name", .string)]) { args -> LuaValue in
            let name: String = try args["name"]
            if let nearest = nearestName(to: name, in: names) {
                // Level 2: the script that called `require`.
                throw LuaError.message(
                    "there is no module '\(name)'; did you mean '\(nearest)'?", level: 2)
            }
            return .nil
        }
        try searchers.set(searchers.count + 1, hint)
    }
}
