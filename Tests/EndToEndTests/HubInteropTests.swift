// The documentation's example against a hub, and one cache for st-host and Python: each uses
// offline what the other fetched.
import Foundation
import TestSupport
import Testing

@Suite(
    .serialized,
    .enabled(
        if: Repository.python != nil,
        "needs ST_HOST_PYTHON: a Python with sentence-transformers, which `make test` makes"))
struct HubInteropTests {
    /// What the datasets of the hub are written as.
    private static let suffix = "parquet"
    private static let golden = Repository.root.appending(path: "Tests/TrainingTests/Golden/model")
    private static let interop = Repository.root.appending(path: "Tests/EndToEndTests/Interop")

    private let server: HubServer
    private let work: TemporaryFolder

    init() throws {
        server = try HubServer()
        work = try TemporaryFolder()
        let plain = "models/distilbert-base-uncased/main"
        for file in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
        {
            try server.put(
                "\(plain)/\(file)",
                try Data(contentsOf: Self.golden.appending(path: "distilbert/\(file)")))
        }
        try server.put("\(plain)/pytorch_model.bin", "not to be fetched")
        try server.put("\(plain)/onnx/model.onnx", "not to be fetched")
        try server.put(
            "models/sentence-transformers/tiny/main", folder: Self.golden.appending(path: "bert"))
        _ = try output(python(["write", server.folder.path, Self.suffix]))
    }

    private func environment(isOffline: Bool) -> [String: String] {
        [
            "HF_ENDPOINT": isOffline ? "http://127.0.0.1:1" : server.endpoint,
            "HF_HOME": work.url.appending(path: "home").path, "HF_HUB_CACHE": "",
            "HF_TOKEN": "", "HF_HUB_OFFLINE": isOffline ? "1" : "0",
            "SENTENCE_TRANSFORMERS_HOME": "", "HF_HUB_DISABLE_TELEMETRY": "1",
        ]
        .filter { !$0.value.isEmpty }
    }

    private func host(_ arguments: [String], isOffline: Bool = false) -> Subprocess {
        var process = Subprocess(Subprocess.host, arguments, in: work.url)
        process.environment = environment(isOffline: isOffline)
        return process
    }

    private func python(_ arguments: [String], isOffline: Bool = false) throws -> Subprocess {
        var process = Subprocess(
            try #require(Repository.python),
            [Self.interop.appending(path: "hub.py").path] + arguments, in: work.url)
        process.environment = environment(isOffline: isOffline)
        return process
    }

    private func output(_ process: Subprocess) throws -> String {
        let outcome = try process.run()
        try #require(outcome.status == 0, "\(process.arguments): \(outcome.errors)")
        return outcome.output
    }

    private func script(_ text: String, isOffline: Bool = false) throws -> String {
        let file = work.url.appending(path: "script.lua")
        try text.write(to: file, atomically: true, encoding: .utf8)
        return try output(host([file.path], isOffline: isOffline))
    }

    private var example: [String] {
        [Repository.root.appending(path: "scripts/hpo_nli.lua").path, "--n_trials", "2"]
    }

    private static let vector = """
        local st = require "sentence_transformers"
        local model = st.SentenceTransformer("distilbert-base-uncased")
        print(table.concat(model:encode("a big cat"), " "))
        """

    @Test func `the documentation's example runs from a hub, and Python uses the cache offline`()
        throws
    {
        let text = try output(host(example + ["--rows", "60"]))
        #expect(text.hasPrefix("BestRun(run_id='"))
        // Once is enough for two trials, and nothing is fetched that is not needed.
        let requests = try server.requests()
        #expect(requests.count { $0.method == "GET" && $0.path.contains("model.safetensors") } == 1)
        for waste in ["pytorch_model", "onnx", "pair/", "data/train", "data/test"] {
            #expect(!requests.contains { $0.path.contains(waste) }, "\(waste) was asked for")
        }
        #expect(
            try output(host(example + ["--rows", "60"], isOffline: true)).hasPrefix("BestRun("))

        let lines = try output(python(["use"], isOffline: true)).split(separator: "\n")
        func rest(_ name: String) throws -> Substring {
            try #require(lines.first { $0.hasPrefix("\(name) ") }).dropFirst(name.count + 1)
        }
        let theirs = try rest("vector").split(separator: " ").map { try #require(Double($0)) }
        let ours = try script(Self.vector, isOffline: true)
            .split(whereSeparator: \.isWhitespace).map { try #require(Double($0)) }
        try #require(!ours.isEmpty && ours.count == theirs.count)
        for (our, their) in zip(ours, theirs) { #expect(abs(our - their) <= 1e-5) }
        #expect(try rest("file") == "config.json")
        #expect(
            try rest("cache") == "distilbert-base-uncased sentence-transformers/all-nli "
                + "sentence-transformers/stsb warnings 0")
        let anchors = try script(
            """
            local data = require "datasets".load_dataset(
              "sentence-transformers/all-nli", "triplet", { split = "train[:3]" })
            for i = 1, 3 do print(data[i].anchor) end
            """, isOffline: true
        ).split(separator: "\n").map(String.init)
        #expect(try JSONDecoder().decode([String].self, from: Data(rest("rows").utf8)) == anchors)
    }

    @Test func `what Python fetched is used offline`() throws {
        _ = try output(python(["fill"]))
        try server.forgetRequests()
        #expect(
            try output(host(example + ["--rows", "60"], isOffline: true)).hasPrefix("BestRun("))
        let size = try script(
            """
            local st = require "sentence_transformers"
            print(#st.SentenceTransformer("tiny"):encode("a big cat"))
            """, isOffline: true)
        #expect(size == "32\n")
        #expect(try server.requests().isEmpty)
    }

    @Test func `two processes that fetch the same at once both get it whole`() throws {
        try server.setFaults(#"{"cut": 6, "seed": 3, "fail": [503, 429], "retry_after": 0}"#)
        let processes = (0..<2).map { index in
            let file = work.url.appending(path: "script\(index).lua")
            return (file, host([file.path]))
        }
        for (file, _) in processes {
            try Self.vector.write(to: file, atomically: true, encoding: .utf8)
        }
        let group = DispatchGroup()
        let results = Results()
        for (_, process) in processes {
            let job = Job(process)
            DispatchQueue.global().async(group: group) { results.add(try? job.process.run()) }
        }
        group.wait()
        let outputs = results.all.compactMap(\.self)
        #expect(outputs.map(\.status) == [0, 0], "\(outputs.map(\.errors))")
        #expect(outputs.count == 2 && outputs[0].output == outputs[1].output)
    }

    /// Unchecked: handed to one thread.
    private struct Job: @unchecked Sendable {
        let process: Subprocess
        init(_ process: Subprocess) { self.process = process }
    }

    /// Unchecked: guarded by the lock.
    private final class Results: @unchecked Sendable {
        private let lock = NSLock()
        private var list: [Subprocess.Outcome?] = []
        var all: [Subprocess.Outcome?] { lock.withLock { list } }
        func add(_ outcome: Subprocess.Outcome?) { lock.withLock { list.append(outcome) } }
    }
}
