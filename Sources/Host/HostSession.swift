// START HERE. One script, or one REPL, from beginning to end: opens Lua, makes the modules
// available to `require`, runs files, chunks and lines. CommandLine/Program.swift is the usual
// caller; programs that embed the host use it directly.

import Hub
public import LuaBridge
public import Training
import Tuning

/// A Lua state with the host's modules, and what they share while the script runs.
///
///     let session = try HostSession()
///     defer { session.close() }
///     try session.run(file: "sweep.lua", arguments: ["--trials", "6"])
///
/// Belongs to one thread at a time, like its `LuaState`; ``interrupt()`` may be called from any
/// thread and from a signal handler.
public final class HostSession {
    public let lua: LuaState
    /// Set by ``interrupt()``; hand it to every long computation that is started for the script.
    public let cancellation = Cancellation()
    /// Where bindings show progress and write log lines.
    public let progress: Progress
    /// Where the studies of this session write their log lines.
    let studyLog: OptunaLog
    private lazy var hubClient = HubClient(cancellation: cancellation, progress: progress)
    /// The folders of the sandbox; nil for a trusted script.
    let allowedFolders: AllowedFolders?
    let determinism: Determinism?
    /// Seeds for generators that the script gives none; nil where those differ from run to run.
    let seeds: SeedSource?

    /// - memoryLimit: bytes for Lua's own values, 0 for none; models and data are not counted.
    /// - sandbox: the bounds of a script that is not trusted, its memory limit among them.
    /// - determinism: nil where runs may differ, as in Python.
    public init(
        memoryLimit: Int = 0, sandbox: Sandbox? = nil, determinism: Determinism? = nil,
        progress: Progress = Progress()
    ) throws {
        self.progress = progress
        self.determinism = determinism
        seeds = determinism.map { SeedSource(seed: $0.seed) }
        allowedFolders = try sandbox.map { try AllowedFolders($0.folders) }
        let write: @Sendable (String) -> Void = { line in
            progress.log(line.hasSuffix("\n") ? String(line.dropLast()) : line)
        }
        studyLog =
            determinism?.fixesClocks == true
            ? OptunaLog(
                isColoured: nil, write: write, now: { LogTime(seconds: 0, milliseconds: 0) })
            : OptunaLog(write: write)
        lua = try LuaState(memoryLimit: sandbox?.memoryLimit ?? memoryLimit)
        lua.owner = self
        lua.describeError = HostError.describe
        if let sandbox {
            lua.instructionLimit = sandbox.instructionLimit
            boundObjects()
            try closeLibraries()
        }
        for module in HostModule.all {
            try lua.preload(module.name) { [unowned self] _ in try module.make(self) }
        }
        try suggestModules()
        try beginDeterminism()
    }

    /// Fetches models and datasets.
    func hub(for id: String) throws -> HubClient {
        guard allowedFolders == nil else {
            throw HostError.sandbox("there is no network for '\(id)'; give a local folder")
        }
        return hubClient
    }

    /// Runs finalizers, frees everything.
    public func close() { lua.close() }

    deinit { lua.close() }

    /// Stops the running script and the training below it as soon as possible. Stays in force
    /// until ``resume()``.
    public func interrupt() {
        cancellation.cancel()
        lua.interrupt()
    }

    /// ``interrupt()`` as a function that may be handed to another thread; it does not keep the
    /// session alive.
    public var interrupter: @Sendable () -> Void {
        { [weak lua, cancellation] in
            cancellation.cancel()
            lua?.interrupt()
        }
    }

    public var isInterrupted: Bool { lua.isInterrupted }

    /// Makes the session usable again after ``interrupt()``.
    public func resume() {
        cancellation.reset()
        lua.resetInterrupt()
    }
}

// MARK: - Running

extension HostSession {
    /// Runs a script file; nil is standard input. `require` finds Lua files beside it.
    ///
    /// - arguments: what the script finds in `arg[1]`... and `...`.
    /// - prefix: what stood before the script on the command line, for `arg[-1]`...
    ///
    /// Returns what the script returns.
    @discardableResult
    public func run(
        file path: String?, arguments: [String] = [], prefix: [String] = []
    ) throws -> [LuaValue] {
        try setArguments([path ?? "-"] + arguments, prefix: prefix)
        if let path { try searchModules(beside: path) }
        let chunk = try lua.load(file: path)
        return try chunk.callAll(arguments)
    }

    /// Runs a piece of source; returns what it returns.
    /// - name: as in Lua's `load`, "=(command line)".
    @discardableResult
    public func run(chunk source: String, name: String) throws -> [LuaValue] {
        try lua.load(source, name: name).callAll([])
    }

    /// `require(name)` with the result in a global of that name, as `lua -l`; "g=mod" names the
    /// global.
    public func require(_ request: String) throws {
        let parts = request.split(separator: "=", maxSplits: 1).map(String.init)
        let module = parts.last ?? request
        let require: LuaFunction = try lua.globals.get("require")
        // "name-v2" is loaded as such and called "name".
        let global = parts.first.map { String($0.prefix { $0 != "-" }) } ?? request
        try lua.setGlobal(global, to: try require.call(module))
    }

    /// Fills `arg` as lua(1) does: the script at 0, its arguments from 1, the command before it.
    public func setArguments(_ arguments: [String], prefix: [String]) throws {
        let table = try lua.table(array: max(0, arguments.count - 1), hash: prefix.count + 1)
        for (i, argument) in arguments.enumerated() { try table.set(i, argument) }
        for (i, word) in prefix.reversed().enumerated() { try table.set(-1 - i, word) }
        try lua.setGlobal("arg", to: table)
    }

    /// Puts the script's folder first in `package.path`. Lua's search path cannot express folders
    /// with ';' or '?' in their name; they are left out.
    private func searchModules(beside path: String) throws {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "./"
        guard !folder.contains(where: { $0 == ";" || $0 == "?" }) else { return }
        let package: LuaTable = try lua.globals.get("package")
        let rest: String = try package.get("path")
        try package.set("path", "\(folder)?.lua;\(folder)?/init.lua;\(rest)")
    }

    /// Makes the modules readable as globals under their short names (`st`), each loaded when it
    /// is first used; for the REPL.
    public func defineGlobals() throws {
        let names = Dictionary(
            HostModule.all.map { ($0.shortName, $0.name) }, uniquingKeysWith: { first, _ in first })
        let define = try lua.load(
            """
            local names = ...
            local meta = getmetatable(_G) or setmetatable(_G, {}) and getmetatable(_G)
            local before = meta.__index
            function meta.__index(t, key)
                local name = names[key]
                if name then
                    local module = require(name)
                    rawset(t, key, module)
                    return module
                end
                if type(before) == "function" then return before(t, key) end
                return before and before[key]
            end
            """, name: "=globals")
        try define.call(names)
    }
}
