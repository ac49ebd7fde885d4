// The committed editor stubs and reference are what the declarations say now.

import Foundation
import Host
import LuaBridge
import TestSupport
import Testing

struct StubTests {
    private static let remedy = "st-host generate writes it anew, see docs/editors.md"

    @Test func `the editor stubs are those of the declarations`() throws {
        let folder = Repository.root.appending(path: "docs/lua-language-server")
        let files = EditorStubs(try APIReference()).files()
        #expect(files.map(\.name) == ["datasets.lua", "optuna.lua", "sentence_transformers.lua"])
        for (name, text) in files {
            let kept = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            #expect(kept == text, "\(name): \(Self.remedy)")
        }
    }

    @Test func `the stubs are Lua that loads, and declare each class once`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        for (name, text) in EditorStubs(try APIReference()).files() {
            _ = try lua.load(text, name: "=\(name)").callAll([])
            let classes = text.split(separator: "\n").filter { $0.hasPrefix("---@class ") }
                .compactMap {
                    $0.split(separator: " ").dropFirst().first?.split(separator: ":").first
                }
            #expect(Set(classes).count == classes.count, "\(name)")
        }
    }

    @Test func `the manual page is that of the command line`() throws {
        let page = try ManPage.text()
        let kept = try String(
            contentsOf: Repository.root.appending(path: "docs/st-host.1"), encoding: .utf8)
        #expect(kept == page, "st-host.1: \(Self.remedy)")
        for option in ["sandbox", "allow", "json", "filter", "storage"] {
            #expect(page.contains("\\-\\-\(option)\\fR"), "\(option)")
        }
        // Everything troff would take for a request is one.
        for line in page.split(separator: "\n") where line.hasPrefix(".") {
            #expect(line.hasPrefix(".\\\"") || line.contains(/^\.(TH|SH|SS|B|BR|I|TP|PP|br)\b/))
        }
    }

    @Test func `the Lua reference is that of the declarations`() throws {
        let kept = try String(
            contentsOf: Repository.root.appending(path: "docs/lua-reference.md"), encoding: .utf8)
        #expect(
            kept == ReferencePage(try APIReference()).text(), "lua-reference.md: \(Self.remedy)")
    }
}
