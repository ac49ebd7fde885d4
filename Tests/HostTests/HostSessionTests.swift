// A session runs scripts as lua(1) does, with the host's modules at hand and nothing else added.

import Foundation
import Host
import LuaBridge
import TestSupport
import Testing
import Training

struct HostSessionTests {
    private func session() throws -> HostSession {
        try HostSession(progress: Progress(style: .silent))
    }

    /// Writes `files` into a folder of their own and hands over its path.
    private func withFolder(_ files: [String: String], _ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        for (name, text) in files {
            let file = folder.url.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        try body(folder.url.path)
    }

    @Test func `a script finds its arguments and only the globals of lua`() throws {
        let script = """
            assert(arg[0]:match("[^/]*$") == "s.lua" and arg[1] == "--x" and arg[2] == "")
            assert(arg[-1] == "st-host" and arg[-2] == nil and #arg == 2)
            local a, b, c = ...
            assert(a == "--x" and b == "" and c == nil)
            local standard = {}
            for name in ([[_G _VERSION arg assert collectgarbage coroutine debug dofile error
                getmetatable io ipairs load loadfile math next os package pairs pcall print rawequal
                rawget rawlen rawset require select setmetatable string table tonumber tostring type
                utf8 warn xpcall]]):gmatch("%S+") do
                assert(_G[name] ~= nil, name)
                standard[name] = true
            end
            for name in pairs(_G) do assert(standard[name], name) end
            assert(getmetatable(_G) == nil)
            """
        try withFolder(["s.lua": script]) { folder in
            let session = try session()
            defer { session.close() }
            try session.run(
                file: folder + "/s.lua", arguments: ["--x", ""], prefix: ["st-host"])
        }
    }

    @Test func `require finds Lua files beside the script before others`() throws {
        let files = [
            "s.lua": "assert(require('near').v == 1 and require('pack').v == 2)"
                + " assert(require('pack.part').v == 3) assert(require('near') == require('near'))",
            "near.lua": "return { v = 1 }", "pack/init.lua": "return { v = 2 }",
            "pack/part.lua": "return { v = 3 }",
        ]
        try withFolder(files) { folder in
            let session = try session()
            defer { session.close() }
            try session.run(file: folder + "/s.lua")
        }
    }

    @Test func `an error in a required file names that file`() throws {
        try withFolder([
            "s.lua": "\nrequire 'near'", "near.lua": "\n\nerror('broken')",
        ]) { folder in
            let session = try session()
            defer { session.close() }
            do {
                try session.run(file: folder + "/s.lua")
                Issue.record("no error")
            } catch {
                let lines = HostError.report(error).split(separator: "\n")
                #expect(lines.first?.hasSuffix("near.lua:3: broken") == true)
                #expect(lines.contains { $0.hasSuffix("s.lua:2: in main chunk") })
            }
        }
    }

    @Test func `each module is there, complete, and built once`() throws {
        let session = try session()
        defer { session.close() }
        for name in HostModule.names {
            try session.run(
                chunk: """
                    assert(package.loaded["\(name)"] == nil)
                    local module = require "\(name)"
                    assert(type(module) == "table" and next(module) ~= nil)
                    assert(require "\(name)" == module)
                    local ok, e = pcall(function() return module.no_such_field end)
                    assert(not ok and tostring(e):find("unknown field 'no_such_field'", 1, true))
                    """, name: "=test")
        }
    }

    @Test func `-l names a global after the module`() throws {
        try withFolder(["s.lua": "", "near-v2.lua": "return 2"]) { folder in
            let session = try session()
            defer { session.close() }
            try session.run(file: folder + "/s.lua")
            try session.require("near-v2")
            try session.require("m=math")
            try session.run(chunk: "assert(near == 2 and m == math)", name: "=test")
        }
    }

    @Test func `errors of Swift are one line with their place`() throws {
        struct Lines: Error, CustomStringConvertible { let description = "first\n   second" }
        let session = try session()
        defer { session.close() }
        try session.lua.setGlobal(
            "fail", to: session.lua.function("fail") { (_) throws -> Void in throw Lines() })
        do {
            try session.run(chunk: "\nfail()", name: "@s.lua")
            Issue.record("no error")
        } catch {
            let report = HostError.report(error).split(separator: "\n")
            #expect(report.first == "s.lua:2: first second")
            #expect(report.dropFirst().first == "stack traceback:")
        }
    }

    @Test func `an interrupted session can go on`() throws {
        let session = try session()
        defer { session.close() }
        session.interrupt()
        #expect(session.cancellation.isCancelled)
        do {
            try session.run(chunk: "while true do end", name: "=test")
            Issue.record("no error")
        } catch {
            #expect(HostError.isInterrupt(error))
        }
        session.resume()
        #expect(!session.cancellation.isCancelled)
        try session.run(chunk: "for i = 1, 1e5 do end", name: "=test")
    }
}
