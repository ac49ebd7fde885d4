// Every Swift example of docs/ and of the DocC catalogs stands here, word for word, and runs. A test
// looks for each of them; what changes there has to change here.

import Foundation
import Host
import LuaBridge
import OrderedJSON
import Synchronization
import TestSupport
import Testing
import Training
import Tuning
import TuningStorage

// MARK: - docs/luabridge.md

final class Grid: LuaObject {  // objects are now values: return grid; args["g"] as Grid
    let columns: Int
    let rows: [[Double]]
    var name: String?

    init(rows: Int, columns: Int, name: String?) {
        self.rows = Array(repeating: Array(repeating: 0, count: columns), count: rows)
        self.columns = columns
        self.name = name
    }
}

func gridClass() -> LuaClass<Grid> {
    LuaClass<Grid>("Grid", doc: "Rows of numbers.")
        .constructor(
            [
                .required("rows", .integer, range: .between(0, 1000), "Number of rows."),
                .optional("columns", .integer, 3, range: .between(1, 1000), "Length of a row."),
                .keyword("name", .string, .nil, "Shown when printed."),
            ], doc: "A grid of zeros."
        ) { args in
            Grid(rows: try args["rows"], columns: try args["columns"], name: try args["name"])
        }
        .property("columns", .integer, doc: "Length of a row.", get: { $0.columns })
        .property("name", .string, get: { $0.name }, set: { $0.name = $1 })  // also assignable
        .method("row", [.required("i", .integer)], doc: "Row i, from 1.") { grid, args in
            let i: Int = try args["i"]
            guard i >= 1, i <= grid.rows.count else {
                throw args.invalid("i", "must be between 1 and \(grid.rows.count), got \(i)")
            }
            return grid.rows[i - 1]  // [Double] becomes a sequence
        }
        .index { grid, key in  // grid[i]; nil: unknown field
            guard let i = key.integer else { return nil }
            return i >= 1 && i <= grid.rows.count ? grid.rows[i - 1] : LuaValue.nil  // ends ipairs
        }
        .length { $0.rows.count }
        .tostring { "Grid(\($0.rows.count)x\($0.columns))" }
        .memory { $0.rows.count * $0.columns * 8 }  // garbage is collected in time
}

func gridModule() -> LuaModule {
    LuaModule("grids", doc: "Grids of numbers.")
        .class(gridClass())
        .submodule("Order", LuaModule("grids.Order").constant("ROWS", "rows"))
        .function("square", [.required("n", .integer, range: .between(1, 1000))]) { args in
            let n: Int = try args["n"]
            return Grid(rows: n, columns: n, name: nil)
        }
}

extension HostModule {
    static let grids = HostModule("grids") { session in
        session.progress.log("loading")  // session.lua, session.cancellation, session.progress
        return gridModule()
    }
}

/// Runs `body` on some threads and waits for them.
private func onWorkers(_ body: @escaping @Sendable () throws -> Double) {
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
        let value = try? body()
        sums.withLock { $0.append(value) }
    }
}

private let sums = Mutex<[Double?]>([])

@Suite(.serialized)
struct SwiftExampleTests {
    @Test func `every Swift example of the documentation stands in this file`() throws {
        let root = Repository.root
        let here = try String(
            contentsOf: root.appending(path: "Tests/EndToEndTests/SwiftExampleTests.swift"),
            encoding: .utf8)
        func lines(_ text: some StringProtocol) -> [String] {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty && !$0.hasPrefix("import ") }
        }
        let all = lines(here)
        var pages: [URL] = []
        for folder in ["docs", "Sources"] {
            let files = FileManager.default.enumerator(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            for case let file as URL in try #require(files) where file.pathExtension == "md" {
                pages.append(file)
            }
        }
        var count = 0
        for page in pages {
            let text = try String(contentsOf: page, encoding: .utf8)
            for block in text.matches(of: /```swift\n((?:.|\n)*?)```/) {
                let wanted = lines(block.1)
                let found = all.indices.contains { start in
                    all[start...].starts(with: wanted)
                }
                #expect(found, "\(page.lastPathComponent): \(wanted.first ?? "")")
                count += 1
            }
        }
        #expect(count >= 11)
    }

    @Test func `a binding`() throws {
        let lua = try LuaState()
        try lua.preload("grids") { _ in gridModule() }  // built at the first require
        try lua.run("print(require('grids').square(2):row(1)[1])", name: "=example")
        defer { lua.close() }
        let shown: String = try lua.run(
            """
            local grids = require "grids"
            local grid = grids.Grid(2, { name = "g" })
            grid.name = grid.name .. grids.Order.ROWS
            assert(#grid == 2 and grid[1][3] == 0 and grid[3] == nil)
            return grid.name .. tostring(grid) .. select(2, pcall(grid.row, grid, 3)).message
            """, name: "=test")
        #expect(shown == "growsGrid(2x3)test:5: row: i: must be between 1 and 2, got 3")
        #expect(HostModule.grids.name == "grids")
    }

    @Test func `callbacks and threads`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let objective: LuaFunction = try lua.run(
            "return function(x, unit) return 2 * x, unit end", name: "=objective")
        let value: Double = try objective.call(21)  // arguments: anything IntoLua
        let all: [LuaValue] = try objective.callAll([21, "cm"])
        #expect(value == 42 && all.count == 2 && all[1].string == "cm")
        try lua.lend {  // the calling thread gives the state away ...
            onWorkers {  // ... and any worker may have it for a while, one at a time ...
                try lua.borrow { try objective.call(1) as Double }
            }
        }  // ... and takes it back here
        #expect(sums.withLock { $0 } == [2, 2, 2, 2])

    }

    @Test func `the first lines of LuaBridge`() throws {
        let lua = try LuaState()
        defer { lua.close() }
        let twice = try lua.function("twice", [.required("n", .number)]) { args in
            try args["n"] * 2.0
        }
        try lua.setGlobal("twice", to: twice)
        let six: Double = try lua.run("return twice(3)", name: "=example")
        #expect(six == 6)
    }

    // In a process of its own: the examples name files where they are.
    @Test func `the first lines of the other libraries`() async {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            defer { folder.remove() }
            try FileManager.default.copyItem(
                at: Repository.root.appending(path: "Tests/TrainingTests/Golden/model/bert"),
                to: folder.url.appending(path: "all-MiniLM-L6-v2"))
            try Data("assert(arg[2] == '6')".utf8)
                .write(to: folder.url.appending(path: "sweep.lua"))
            try Data("return 1".utf8).write(to: folder.url.appending(path: "script.lua"))
            for name in ["data", "out"] {
                try FileManager.default.createDirectory(
                    at: folder.url.appending(path: name), withIntermediateDirectories: true)
            }
            #expect(FileManager.default.changeCurrentDirectoryPath(folder.url.path))
            try host()
            try sandbox()
            try training()
            try tuning()
            try storage()
        }
    }
}

// MARK: - The catalogs of the libraries

private func host() throws {
    let session = try HostSession()
    defer { session.close() }
    try session.run(file: "sweep.lua", arguments: ["--n_trials", "6"])
}

/// docs/sandbox.md
private func sandbox() throws {
    let session = try HostSession(
        sandbox: Sandbox(folders: ["data", "out"], memoryLimit: 64 << 20))
    defer { session.close() }
    try session.run(file: "script.lua")
}

private func training() throws {
    let arguments = try SentenceTransformerTrainingArguments([
        "output_dir": "out", "max_steps": 1, "save_strategy": "no",
    ])
    let data = TrainerDataset.one(
        try Dataset(columns: [("a", ["a cat", "a dog"]), ("b", ["the cat", "the dog"])]))
    let model = try SentenceTransformer(path: "all-MiniLM-L6-v2")
    let trainer = try SentenceTransformerTrainer(
        model: model, args: arguments, trainDataset: data,
        loss: .one(MultipleNegativesRankingLoss()))
    print(try trainer.train().trainingLoss)
    try model.save(to: "out/model")
    #expect(FileManager.default.fileExists(atPath: "out/model/model.safetensors"))
}

private func tuning() throws {
    let study = try Study.create(directions: [.minimize])
    try study.optimize(nTrials: 100) { trial in
        let x = try trial.suggestFloat("x", low: -10, high: 10)
        return (x - 2) * (x - 2)
    }
    #expect(try study.bestValue() < 0.5)
}

private func storage() throws {
    let storage = try RDBStorage("sqlite:///study.db")
    let study = try Study.create(storage: storage, name: "q", loadIfExists: true)
    #expect(study.name == "q")
}
