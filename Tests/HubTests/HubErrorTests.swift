// What a user reads when something is not there, not allowed, or not to be trusted.
import Foundation
import Hub
import TestSupport
import Testing

@Suite
struct HubErrorTests {
    private func message(_ body: () throws -> Void) throws -> String {
        try "\(#require(throws: HubError.self, performing: body))"
    }

    @Test func `a repository that is not there`() throws {
        let fixture = try HubFixture()
        let text = try message { _ = try fixture.client().open(try fixture.model("org/nothing")) }
        #expect(
            text == "model 'org/nothing' is not on the hub (\(fixture.server.endpoint)), or it is "
                + "private; check the name, or give a token (HF_TOKEN, 'hf auth login', or token = "
                + "\"hf_...\")")
    }

    @Test func `a private repository opens with the token alone`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.put("models/org/model/.private", "")
        let text = try message { _ = try fixture.client().open(try fixture.model()) }
        #expect(text.hasPrefix("model 'org/model' is not on the hub"))
        var access = HubAccess()
        access.token = .value("hf_good")
        #expect(try fixture.client().open(try fixture.model(), access).contains("config.json"))
    }

    @Test func `a gated repository names the page to ask for access`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("datasets/org/data/main/train.csv", "a\n1\n")
        try fixture.server.put("datasets/org/data/.gated", "")
        let data = try HubRepository("org/data", kind: .dataset)
        let page = "\(fixture.server.endpoint)/datasets/org/data"
        let text = try message { _ = try fixture.client().open(data).fetch(["train.csv"]) }
        #expect(text.hasPrefix("dataset 'org/data' is gated; ask for access on \(page), or give a"))
        try fixture.server.put("datasets/org/data/.forbidden", "")
        let client = fixture.client { $0.token = "hf_good" }
        let forbidden = try message { _ = try client.open(data).fetch(["train.csv"]) }
        #expect(
            forbidden == "dataset 'org/data' is gated; ask for access on \(page) with the account "
                + "of your token")
    }

    @Test func `a token that the hub does not know, which is not shown`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let client = fixture.client { $0.token = "hf_secret" }
        let text = try message { _ = try client.open(try fixture.model()) }
        #expect(text.hasPrefix("the hub (\(fixture.server.endpoint)) refuses the token; check"))
        #expect(!text.contains("hf_secret"))
        let odd = fixture.client { $0.token = "hf_a\u{1}b" }
        let other = try message { _ = try odd.open(try fixture.model()) }
        #expect(other.hasPrefix("token '(not shown)': holds characters that no token has"))
    }

    @Test func `token = true without a token`() throws {
        let fixture = try HubFixture()
        var access = HubAccess()
        access.token = .required
        let text = try message { _ = try fixture.client().open(try fixture.model(), access) }
        #expect(text.hasPrefix("token = true, but there is no token in HF_TOKEN or '"))
    }

    @Test func `a revision that is not there`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        var access = HubAccess()
        access.revision = "v9"
        let text = try message { _ = try fixture.client().open(try fixture.model(), access) }
        #expect(
            text == "model 'org/model' has no revision 'v9'; give a branch, a tag or a commit")
    }

    @Test func `a branch, a pull request and a commit are revisions`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.put("models/org/model/refs%2Fpr%2F3/config.json", "{\"pr\": 3}")
        var access = HubAccess()
        access.revision = "refs/pr/3"
        let snapshot = try fixture.client().open(try fixture.model(), access)
        let path = try snapshot.fetch(["config.json"])[0]
        #expect(try String(contentsOf: URL(filePath: path), encoding: .utf8) == "{\"pr\": 3}")
        #expect(try fixture.cacheEntries()["models--org--model/refs/refs/pr/3"] == "file")
        access.revision = snapshot.commit
        try fixture.server.forgetRequests()
        #expect(
            try fixture.client().open(try fixture.model(), access).fetch(["config.json"]) == [path])
        #expect(try fixture.server.requests().isEmpty, "a commit never changes")
    }

    @Test func `a file that is not there is remembered for Python`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let snapshot = try fixture.client().open(try fixture.model())
        #expect(try snapshot.file("modules.json") == nil)
        #expect(
            try fixture.cacheEntries()[
                "models--org--model/.no_exist/\(snapshot.commit)/modules.json"] == "file")
        let text = try message { _ = try snapshot.fetch(["nothing.json"]) }
        #expect(text.hasPrefix("model 'org/model' has no file 'nothing.json' (commit "))
    }

    @Test func `no server`() throws {
        let fixture = try HubFixture()
        let client = fixture.client { $0.endpoint = "http://127.0.0.1:1" }
        let text = try message { _ = try client.open(try fixture.model()) }
        #expect(text.hasPrefix("no answer from http://127.0.0.1:1 after 3 attempts: "))
        #expect(
            text.hasSuffix(
                "; check the network and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to use the cache alone"
            ))
    }

    @Test func `a server that closes every connection`() throws {
        let fixture = try HubFixture()
        try fixture.server.setFaults(#"{"down": true}"#)
        let text = try message { _ = try fixture.client().open(try fixture.model()) }
        #expect(text.hasPrefix("no answer from \(fixture.server.endpoint) after 6 attempts: "))
    }

    @Test func `a server that is no hub`() throws {
        let fixture = try HubFixture()
        let client = fixture.client { $0.endpoint = "not an address" }
        let text = try message { _ = try client.open(try fixture.model()) }
        #expect(text.hasPrefix("HF_ENDPOINT 'not an address': is no address of a server; give one"))
    }

    @Test(arguments: [
        "../../../evil", "/etc/evil", "a/../../evil", "C:evil", "a\\..\\evil", "a//b", "",
        "a\u{0}b",
    ])
    func `names from the network can't leave the cache`(name: String) throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/good.json", "{}")
        let listed = try JSONEncoder().encode(["names": ["good.json": name]])
        try fixture.server.setFaults(String(decoding: listed, as: UTF8.self))
        let snapshot = try fixture.client().open(try fixture.model())
        #expect(snapshot.files == [name])
        let text = try message { _ = try snapshot.fetch(snapshot.files) }
        #expect(text.hasPrefix("file name '"))
        #expect(try fixture.cacheEntries().isEmpty)
    }

    @Test(arguments: [
        "a/b/c", "../x", "a--b/c", "a/b.git", "-a/b", "a/b c", "", "a/", "/a", "Ünïcode",
        String(repeating: "a", count: 97),
    ])
    func `names that no repository has are refused before anything is asked`(id: String) throws {
        #expect(throws: HubError.self) { try HubRepository(id, kind: .model) }
    }

    @Test(arguments: ["../main", "/etc", "a/./b", ""])
    func `revisions that are paths elsewhere are refused`(revision: String) throws {
        let fixture = try HubFixture()
        var access = HubAccess()
        access.revision = revision
        let text = try message { _ = try fixture.client().open(try fixture.model(), access) }
        #expect(text.hasPrefix("revision '\(revision)': "))
        #expect(try fixture.server.requests().isEmpty)
    }

    @Test func `offline, what is in the cache is used and the rest named`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        try fixture.server.put("models/org/model/main/big.safetensors", randomData(10))
        _ = try fixture.client().open(try fixture.model()).fetch(["config.json"])

        // The token tells the requests of clients that must not make any.
        let token = "hf_offline"
        let client = fixture.client {
            $0.isOffline = true
            $0.token = token
        }
        let snapshot = try client.open(try fixture.model())
        #expect(Set(snapshot.files) == ["config.json", "big.safetensors"], "the list is kept")
        #expect(try snapshot.fetch(["config.json"]).count == 1)
        let cache = fixture.cache.url.path
        #expect(
            try message { _ = try snapshot.fetch(["big.safetensors"]) }
                == "'big.safetensors' of model 'org/model' (revision 'main') is not in the cache "
                + "'\(cache)', and HF_HUB_OFFLINE=1 forbids to fetch it; run once with network, or "
                + "give a local folder")
        // Models may still be asked for.
        let forbidden = fixture.client { $0.areDatasetsOffline = true }
        #expect(try forbidden.open(try fixture.model()).isPresent("config.json"))
        #expect(
            try message { _ = try forbidden.open(HubRepository("org/data", kind: .dataset)) }
                == "dataset 'org/data' (revision 'main') is not in the cache '\(cache)', and "
                + "HF_DATASETS_OFFLINE=1 forbids to fetch it; run once with network, or give a "
                + "local folder")
        var access = HubAccess()
        access.localFilesOnly = true
        #expect(
            try message {
                _ = try fixture.client { $0.token = token }
                    .open(try fixture.model("org/other"), access)
            }
                == "model 'org/other' (revision 'main') is not in the cache '\(cache)', and "
                + "local_files_only forbids to fetch it; run once with network, or give a local "
                + "folder")
        let requests = try fixture.server.requests()
        #expect(!requests.contains { $0.token.contains(token) || $0.path.contains("org/data") })
    }

    @Test func `a hub that is down leaves the copy in the cache usable`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let path = try fixture.client().open(try fixture.model()).fetch(["config.json"])
        try fixture.server.setFaults(#"{"down": true}"#)
        try fixture.server.forgetRequests()
        #expect(try fixture.client().open(try fixture.model()).fetch(["config.json"]) == path)
        #expect(try fixture.server.requests().count == 3, "some attempts, not all")
        #expect(fixture.notes.lines.contains { $0.hasSuffix("the copy in the cache is used") })
    }

    @Test func `a failed update leaves the revision at the copy that is whole`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/modules.json", "[]")
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let before = try fixture.client().open(try fixture.model())
        let path = try before.fetch(["modules.json", "config.json"])
        try fixture.server.put("models/org/model/main/modules.json", "[1]")
        try fixture.server.put("models/org/model/main/config.json", "{\"new\": 1}")
        try fixture.server.setFaults(#"{"corrupt": {"config.json": -1}}"#)
        let update = try fixture.client().open(try fixture.model())
        #expect(try update.file("modules.json") != nil)
        #expect(throws: HubError.self) { _ = try update.fetch(["modules.json", "config.json"]) }
        let offline = try fixture.client { $0.isOffline = true }.open(try fixture.model())
        #expect(try offline.fetch(["modules.json", "config.json"]) == path)
    }

    @Test func `a hub that stumbles once is asked again, also with a copy at hand`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        _ = try fixture.client().open(try fixture.model()).fetch(["config.json"])
        try fixture.server.put("models/org/model/main/vocab.txt", "new")
        try fixture.server.setFaults(#"{"fail": [503]}"#)
        #expect(try fixture.client().open(try fixture.model()).fetch(["vocab.txt"]).count == 1)
    }

    @Test func `a cache that can't be written names the folder`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("models/org/model/main/config.json", "{}")
        let file = fixture.cache.url.appending(path: "file")
        try Data().write(to: file)
        var access = HubAccess()
        access.cacheFolder = file.path
        let text = try message {
            _ = try fixture.client().open(try fixture.model(), access).fetch(["config.json"])
        }
        #expect(text.hasPrefix("'\(file.path)"))
        #expect(text.contains("can't be made: "))
    }

    @Test func `a full disk says what is needed and what is free`() throws {
        let error = HubError.diskFull(path: "/cache", needed: 1_300_000_000, free: 4_500)
        #expect(
            "\(error)"
                == "the disk of '/cache' is full (1.3 GB are needed, 4.5 kB free); free some "
                + "space, or put the cache elsewhere with HF_HOME or cache_folder")
    }
}

@Suite
struct HubConfigurationTests {
    @Test func `the variables of huggingface_hub and their defaults`() throws {
        let plain = HubConfiguration(variable: { ["HOME": "/h"][$0] })
        #expect(plain.endpoint == "https://huggingface.co")
        #expect(plain.cacheFolder == "/h/.cache/huggingface/hub")
        #expect(plain.tokenPath == "/h/.cache/huggingface/token")
        #expect(!plain.isOffline && plain.sendsTokenUnasked && plain.token == nil)

        var variables = [
            "HOME": "/h", "HF_HOME": "~/x/$NAME", "NAME": "y", "HF_ENDPOINT": "http://m.org/",
            "HF_HUB_OFFLINE": "yes", "HF_TOKEN": " hf_a\n",
        ]
        let set = HubConfiguration(variable: { variables[$0] })
        #expect(set.cacheFolder == "/h/x/y/hub")
        #expect(set.endpoint == "http://m.org")
        #expect(set.isOffline)
        #expect(set.token == "hf_a")
        #expect(!set.areDatasetsOffline)
        variables["HF_DATASETS_OFFLINE"] = "1"
        #expect(HubConfiguration(variable: { variables[$0] }).areDatasetsOffline)
        variables["HF_HUB_CACHE"] = "/c"
        variables["XDG_CACHE_HOME"] = "/unused"
        #expect(HubConfiguration(variable: { variables[$0] }).cacheFolder == "/c")
    }

    @Test func `the stored token is read, HF_TOKEN comes first`() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let file = folder.url.appending(path: "token")
        try "hf_stored\n".write(to: file, atomically: true, encoding: .utf8)
        var variables = ["HF_HOME": folder.url.path]
        #expect(HubConfiguration(variable: { variables[$0] }).token == "hf_stored")
        variables["HF_TOKEN"] = "hf_set"
        #expect(HubConfiguration(variable: { variables[$0] }).token == "hf_set")
    }
}
