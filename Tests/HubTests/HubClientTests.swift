// Downloads from a hub that misbehaves, and the cache that they leave. Each test has a server and a
// cache of its own.
import Foundation
import Hub
import Synchronization
import TestSupport
import Testing

/// A server, an empty cache and what a test asks of them.
final class HubFixture {
    let server: HubServer
    let cache: TemporaryFolder
    /// Lines for the user.
    let notes = Notes()

    final class Notes: Sendable {
        private let list = Mutex<[String]>([])
        var lines: [String] { list.withLock { $0 } }
        func append(_ line: String) { list.withLock { $0.append(line) } }
    }

    init() throws {
        server = try HubServer()
        cache = try TemporaryFolder()
    }

    deinit { cache.remove() }

    func configuration(token: String? = nil) -> HubConfiguration {
        var variables = ["HF_ENDPOINT": server.endpoint, "HF_HUB_CACHE": cache.url.path]
        variables["HF_TOKEN"] = token
        variables["HF_TOKEN_PATH"] = cache.url.appending(path: "no-token").path
        var configuration = HubConfiguration(variable: { variables[$0] })
        configuration.retries.pause = 0.01
        configuration.retries.longestPause = 0.02
        return configuration
    }

    func client(_ change: (inout HubConfiguration) -> Void = { _ in }) -> HubClient {
        var configuration = configuration()
        change(&configuration)
        return HubClient(
            configuration: configuration,
            report: { [notes] event in
                if case .note(let line) = event { notes.append(line) }
            })
    }

    func model(_ id: String = "org/model") throws -> HubRepository {
        try HubRepository(id, kind: .model)
    }

    /// Paths below the cache with what is there: a link's target, "file", or nothing for folders.
    func cacheEntries() throws -> [String: String] {
        var result: [String: String] = [:]
        let manager = FileManager.default
        let names = try #require(manager.enumerator(atPath: cache.url.path))
        for case let name as String in names {
            let path = cache.url.appending(path: name).path
            if let target = try? manager.destinationOfSymbolicLink(atPath: path) {
                result[name] = target
            } else {
                var isFolder: ObjCBool = false
                if manager.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
                    result[name] = "file"
                }
            }
        }
        return result
    }

    /// Blobs whose content is not what their name says, by the digests of this test.
    func expectNoBadBlob(_ contents: [Data]) throws {
        for (name, kind) in try cacheEntries()
        where kind == "file" && name.contains("/blobs/") && !name.hasSuffix(".incomplete") {
            let data = try Data(contentsOf: cache.url.appending(path: name))
            #expect(contents.contains(data), "\(name) is none of the served files")
        }
    }
}

/// Bytes that compress badly and repeat nowhere.
func randomData(_ count: Int, seed: UInt64 = 1) -> Data {
    var state = seed
    return Data(
        (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        })
}

@Suite
struct HubClientTests {
    @Test func `files land in the layout of huggingface_hub`() throws {
        let fixture = try HubFixture()
        let weights = randomData(300_000)
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.put("models/org/model/main/1_Pooling/config.json", "{\"a\": 1}")
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        let snapshot = try fixture.client().open(try fixture.model())
        #expect(
            Set(snapshot.files) == ["config.json", "1_Pooling/config.json", "model.safetensors"])
        let paths = try snapshot.fetch([
            "model.safetensors", "1_Pooling/config.json", "config.json",
        ])
        #expect(try Data(contentsOf: URL(filePath: paths[0])) == weights)

        let entries = try fixture.cacheEntries()
        let base = "models--org--model"
        #expect(entries["\(base)/refs/main"] == "file")
        #expect(
            try String(
                contentsOf: fixture.cache.url.appending(path: "\(base)/refs/main"), encoding: .utf8)
                == snapshot.commit)
        // The git digest of "{}" is known.
        #expect(
            entries["\(base)/snapshots/\(snapshot.commit)/config.json"]
                == "../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b")
        let pooling = try #require(
            entries["\(base)/snapshots/\(snapshot.commit)/1_Pooling/config.json"])
        #expect(pooling.hasPrefix("../../../blobs/"))
        let blob = try #require(entries["\(base)/snapshots/\(snapshot.commit)/model.safetensors"])
        #expect(blob.count == "../../blobs/".count + 64)
        #expect(entries[".locks/\(base)/\(blob.dropFirst("../../blobs/".count)).lock"] == "file")
        #expect(!entries.keys.contains { $0.hasSuffix(".incomplete") || $0.hasSuffix(".tmp") })
    }

    @Test func `what is in the cache is not downloaded again, and one process asks once`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let client = fixture.client()
        _ = try client.open(try fixture.model()).fetch(["config.json"])
        try fixture.server.forgetRequests()
        _ = try client.open(try fixture.model()).fetch(["config.json"])
        #expect(try fixture.server.requests().isEmpty)
        _ = try fixture.client().open(try fixture.model()).fetch(["config.json"])
        #expect(try fixture.server.requests().count == 1, "one question for the commit")
    }

    @Test(arguments: 0..<8)
    func `a download that is cut again and again ends complete`(seed: Int) throws {
        let fixture = try HubFixture()
        let weights = randomData(2_000_000, seed: UInt64(seed))
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.put("models/org/model/main/vocab.txt", randomData(50_000))
        try fixture.server.setFaults("{\"cut\": 12, \"seed\": \(seed)}")
        let paths = try fixture.client().open(try fixture.model())
            .fetch(["model.safetensors", "vocab.txt"])
        #expect(try Data(contentsOf: URL(filePath: paths[0])) == weights)
        #expect(try Data(contentsOf: URL(filePath: paths[1])) == randomData(50_000))
        #expect(try fixture.server.requests().contains { !$0.range.isEmpty }, "nothing was resumed")
    }

    @Test func `a later process goes on where an earlier one stopped`() throws {
        let fixture = try HubFixture()
        let weights = randomData(1_000_000)
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.setFaults(#"{"cut": 1}"#)
        #expect(throws: HubError.self) {
            _ = try fixture.client { $0.retries.count = 0 }.open(try fixture.model())
                .fetch(["model.safetensors"])
        }
        let part = try #require(
            try fixture.cacheEntries().keys.first { $0.hasSuffix(".incomplete") })
        let size = try Data(contentsOf: fixture.cache.url.appending(path: part)).count
        #expect(size > 0 && size < weights.count)
        try fixture.server.setFaults("{}")
        try fixture.server.forgetRequests()
        let path = try fixture.client().open(try fixture.model()).fetch(["model.safetensors"])[0]
        #expect(try Data(contentsOf: URL(filePath: path)) == weights)
        #expect(try fixture.server.requests().contains { $0.range == "bytes=\(size)-" })
    }

    @Test func `a server that ignores the range gives the whole file`() throws {
        let fixture = try HubFixture()
        let weights = randomData(400_000)
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.setFaults(#"{"cut": 2, "ignore_range": true}"#)
        let path = try fixture.client().open(try fixture.model()).fetch(["model.safetensors"])[0]
        #expect(try Data(contentsOf: URL(filePath: path)) == weights)
    }

    @Test(arguments: [429, 500, 502, 503, 504, 408])
    func `answers that may pass are asked again`(status: Int) throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.setFaults(
            #"{"fail": [\#(status), \#(status)], "retry_after": 0}"#)
        let path = try fixture.client().open(try fixture.model()).fetch(["config.json"])[0]
        #expect(try String(contentsOf: URL(filePath: path), encoding: .utf8) == "{}")
        #expect(fixture.notes.lines.count == 2)
    }

    @Test func `Retry-After is waited for`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.setFaults(#"{"fail": [429], "retry_after": 1}"#)
        _ = try fixture.client().open(try fixture.model())
        #expect(
            fixture.notes.lines
                == ["hub: org/model: the server answers 429; trying again in 1.0 s"])
    }

    @Test func `a wait beyond five minutes is refused`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.setFaults(#"{"fail": [429], "retry_after": 3600}"#)
        let error = try #require(throws: HubError.self) {
            _ = try fixture.client().open(try fixture.model())
        }
        #expect("\(error)".contains("answers 429; too many requests"))
    }

    @Test func `wrong bytes are fetched again, and refused when they stay wrong`() throws {
        let fixture = try HubFixture()
        let weights = randomData(100_000)
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.put("models/org/model/main/vocab.txt", "hello")
        try fixture.server.setFaults(#"{"corrupt": {"model.safetensors": 1, "vocab.txt": 1}}"#)
        let paths = try fixture.client().open(try fixture.model())
            .fetch(["model.safetensors", "vocab.txt"])
        #expect(try Data(contentsOf: URL(filePath: paths[0])) == weights)

        let other = try HubFixture()
        try other.server.put("models/org/model/main/model.safetensors", weights)
        try other.server.put("models/org/model/main/vocab.txt", "hello")
        try other.server.setFaults(#"{"corrupt": {"model.safetensors": -1, "vocab.txt": -1}}"#)
        for file in ["model.safetensors", "vocab.txt"] {
            let error = try #require(throws: HubError.self) {
                _ = try other.client().open(try other.model()).fetch([file])
            }
            #expect("\(error)".hasPrefix("'\(file)' of model 'org/model': the received bytes have"))
        }
        try other.expectNoBadBlob([weights, Data("hello".utf8)])
        #expect(try !other.cacheEntries().keys.contains { $0.contains("/snapshots/") })
        #expect(try !other.cacheEntries().keys.contains { $0.contains("/refs/") })
    }

    @Test func `an address that has expired is asked for anew`() throws {
        let fixture = try HubFixture()
        let weights = randomData(10_000)
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.setFaults(#"{"expire": 2}"#)
        let path = try fixture.client().open(try fixture.model()).fetch(["model.safetensors"])[0]
        #expect(try Data(contentsOf: URL(filePath: path)) == weights)
    }

    @Test func `the token goes to the hub and to no other server`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.put("models/org/model/main/model.safetensors", randomData(1000))
        try fixture.server.put("models/org/model/.gated", "")
        let client = fixture.client { $0.token = "hf_good" }
        _ = try client.open(try fixture.model()).fetch(["config.json", "model.safetensors"])
        let requests = try fixture.server.requests()
        #expect(requests.filter { $0.storage }.allSatisfy { $0.token.isEmpty })
        #expect(requests.contains { $0.storage })
        #expect(requests.filter { !$0.storage }.allSatisfy { $0.token == "Bearer hf_good" })
    }

    @Test func `a large repository's files come page by page`() throws {
        let fixture = try HubFixture()
        for number in 0..<11 {
            try fixture.server.put("models/org/model/main/f\(number).json", "\(number)")
        }
        try fixture.server.setFaults(#"{"without_siblings": true}"#)
        let snapshot = try fixture.client().open(try fixture.model())
        #expect(Set(snapshot.files) == Set((0..<11).map { "f\($0).json" }))
        #expect(try fixture.server.requests().count { $0.path.contains("/tree/") } == 4)
    }

    @Test func `two clients that want the same file do not disturb each other`() throws {
        let fixture = try HubFixture()
        let weights = randomData(3_000_000)
        try fixture.server.put("models/org/model/main/model.safetensors", weights)
        try fixture.server.setFaults(#"{"cut": 6, "seed": 5}"#)
        let clients = (0..<4).map { _ in fixture.client() }
        let model = try fixture.model()
        let failures = Mutex<[String]>([])
        DispatchQueue.concurrentPerform(iterations: clients.count) { index in
            do {
                let path = try clients[index].open(model).fetch(["model.safetensors"])[0]
                let data = try Data(contentsOf: URL(filePath: path))
                if data != weights { failures.withLock { $0.append("wrong bytes") } }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        try fixture.expectNoBadBlob([weights])
        // Whoever waited found the file there.
        let whole = try fixture.server.requests()
            .filter { $0.storage && $0.method == "GET" && $0.range.isEmpty }
        #expect(whole.count == 1)
    }

    @Test func `a stop from outside ends a download that hangs`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/model.safetensors", randomData(500_000))
        try fixture.server.setFaults(#"{"stall": "model.safetensors"}"#)
        var configuration = fixture.configuration()
        configuration.stallTimeout = 120
        let flag = Flag()
        let client = HubClient(
            configuration: configuration, isCancelled: { flag.isSet },
            report: { event in
                if case .advanced(_, let bytes) = event, bytes > 0 { flag.set() }
            })
        let start = ContinuousClock.now
        #expect(throws: HubError.cancelled) {
            _ = try client.open(try fixture.model()).fetch(["model.safetensors"])
        }
        #expect(ContinuousClock.now - start < .seconds(45), "it waited for the server")
        try fixture.expectNoBadBlob([])
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
