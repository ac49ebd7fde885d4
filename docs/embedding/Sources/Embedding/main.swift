// A program that runs Lua scripts with the host's modules and one of its own, gets values back, and
// stops a script that takes too long. docs/embedding.md explains it.

import Dispatch
import Host
import LuaBridge

/// What the program counts for its scripts; they hold it as an object.
final class Counter: LuaObject {
    var count = 0
}

func run() throws {
    // One session, one Lua state. Scripts of strangers get a sandbox; without the argument they may do
    // what the program may.
    let session = try HostSession(sandbox: Sandbox(), progress: Progress(style: .silent))
    defer { session.close() }

    // 1. A module of our own: scripts `require` it, arguments are checked by their declarations.
    try session.lua.preload("counters") { _ in
        LuaModule("counters", doc: "Counters of the embedding program.")
            .class(
                LuaClass<Counter>("Counter", doc: "Counts.")
                    .constructor([.optional("start", .integer, 0, range: .atLeast(0))]) { args in
                        let counter = Counter()
                        counter.count = try args["start"]
                        return counter
                    }
                    .method("add", [.optional("n", .integer, 1)], doc: "Adds n.") { counter, args in
                        // Numbers of a script may be any.
                        counter.count =
                            counter.count.addingReportingOverflow(try args["n"])
                            .partialValue
                    }
                    .property("count", .integer, get: { $0.count })
                    .tostring { "Counter(\($0.count))" })
    }

    // 2. Values back: Swift types, tables, objects.
    let counter: Counter = try session.lua.run(
        """
        local counter = require("counters").Counter(40)
        counter:add()
        counter:add(1)
        return counter
        """, name: "=count")
    print("counter", counter.count)

    let similarities: [Double] = try session.lua.run(
        """
        local st = require "sentence_transformers"
        local model = st.SentenceTransformer.from_config{
          hidden_size = 32, num_hidden_layers = 1, corpus = { "a big cat", "a red house" }, seed = 1 }
        local m = model:encode{ "a big cat", "a red house" }
        return model:similarity(m, m):tolist()[1]
        """, name: "=encode")
    print("similarities", similarities.count, abs(similarities[0] - 1) < 1e-5)

    // 3. An error is a Swift error with the script's place; the session goes on.
    do {
        try session.lua.run("require('counters').Counter(-1)", name: "=wrong")
    } catch {
        print("error", error)
    }

    // 4. Cancel from another thread.
    let interrupt = session.interrupter
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { interrupt() }
    do {
        try session.lua.run("while true do end", name: "=endless")
    } catch {
        print("stopped", HostError.isInterrupt(error))
    }
    session.resume()
    print("again", try session.lua.run("return 1 + 1", name: "=more", returning: Int.self))
}

try run()
