// Which files of a folder or repository a dataset is: the answers of Python's datasets, and errors.
import Foundation
import Hub
import OrderedJSON
import TestSupport
import Testing

@Suite
struct DatasetSourceTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        let value: JSONValue
        var testDescription: String { value.json() }
        func texts(_ value: JSONValue?) -> [String] {
            value?.stringValue.map { [$0] } ?? value?.arrayValue?.compactMap(\.stringValue) ?? []
        }
    }

    private static func cases() throws -> [Case] {
        let file = Repository.root.appending(path: "Tests/HubTests/Golden/dataset_files.json")
        return try #require(JSONValue.parse(utf8: Array(Data(contentsOf: file))).arrayValue)
            .map { Case(value: $0) }
    }

    @Test func `files, splits and formats are those of Python`() throws {
        let cases = try Self.cases()
        #expect(cases.count >= 40)
        for testCase in cases {
            let work = try TemporaryFolder()
            defer { work.remove() }
            try write(testCase.texts(testCase.value["files"]), in: work.url)
            if let card = testCase.value["card"]?.stringValue {
                try card.write(
                    to: work.url.appending(path: "README.md"), atomically: true, encoding: .utf8)
            }
            try check(testCase, in: work.url)
        }
    }

    private func write(_ files: [String], in folder: URL) throws {
        for name in files {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: file)
        }
    }

    private func check(_ testCase: Case, in folder: URL) throws {
        var request = DatasetRequest()
        request.name = testCase.value["name"]?.stringValue
        request.dataFolder = testCase.value["data_dir"]?.stringValue
        if let files = testCase.value["data_files"] {
            request.dataFiles =
                files.objectValue.map { $0.map { ($0.key, testCase.texts($0.value)) } }
                ?? [("train", testCase.texts(files))]
        }
        let expected = try #require(testCase.value["answer"])
        let readable = ["parquet", "json", "csv", "text"]
        let isRefused =
            expected["refused"] != nil || !readable.contains(expected["format"]?.stringValue ?? "")
        let source: DatasetSource
        do {
            source = try DatasetSource.folder(folder.path, request, members: { _ in [] })
        } catch let error as HubError {
            #expect(isRefused, "\(testCase.testDescription): \(error)")
            #expect("\(error)".hasPrefix("dataset '\(folder.path)': "))
            return
        }
        #expect(!isRefused, "\(testCase.testDescription): \(source.splits)")
        #expect(source.format == expected["format"]?.stringValue)
        let splits = try #require(expected["splits"]?.objectValue)
        #expect(source.splits.map(\.name) == Array(splits.keys), "\(testCase.testDescription)")
        for (name, files) in source.splits {
            #expect(files == testCase.texts(splits[name]), "\(testCase.testDescription)")
        }
        if source.format == "csv" {
            #expect((source.options["sep"]?.stringValue ?? ",") == expected["sep"]?.stringValue)
        }
    }

    // MARK: Repositories

    private static let card = """
        ---
        configs:
        - config_name: pair
          data_files:
          - split: train
            path: pair/train-*
        - config_name: triplet
          data_files:
          - split: train
            path: triplet/train-*
          - split: dev
            path: triplet/dev-*
        ---
        """

    private func pairs() throws -> HubFixture {
        let fixture = try HubFixture()
        let root = "datasets/org/nli/main"
        try fixture.server.put("\(root)/README.md", Self.card)
        for file in ["pair/train-0.jsonl", "triplet/train-0.jsonl", "triplet/train-1.jsonl"] {
            try fixture.server.put("\(root)/\(file)", "{\"a\": \"\(file)\"}\n")
        }
        try fixture.server.put("\(root)/triplet/dev-0.jsonl", "{\"a\": 1}\n")
        return fixture
    }

    @Test func `only the files of the wanted split are fetched`() throws {
        let fixture = try pairs()
        var request = DatasetRequest()
        request.name = "triplet"
        let source = try fixture.client().dataset("org/nli", request, members: { _ in [] })
        #expect(source.format == "json")
        #expect(source.splits.map(\.name) == ["train", "dev"])
        let paths = try source.paths("train")
        #expect(paths.map { $0.hasSuffix("triplet/train-0.jsonl") } == [true, false])
        let asked = try fixture.server.requests().map(\.path)
        #expect(asked.contains { $0.contains("triplet/train-1") })
        #expect(!asked.contains { $0.contains("pair/train") || $0.contains("dev-0") })
    }

    @Test func `offline, a split that was never loaded is named`() throws {
        let fixture = try pairs()
        var request = DatasetRequest()
        request.name = "triplet"
        _ = try fixture.client().dataset("org/nli", request, members: { _ in [] }).paths("train")
        let source = try fixture.client { $0.isOffline = true }
            .dataset("org/nli", request, members: { _ in [] })
        #expect(source.splits.map(\.name) == ["train", "dev"])
        #expect(try source.paths("train").count == 2)
        let error = try #require(throws: HubError.self) { _ = try source.paths("dev") }
        #expect(
            "\(error)".hasPrefix("'triplet/dev-0.jsonl' of dataset 'org/nli' (revision 'main')"))
    }

    @Test func `a repository with several configurations asks which one`() throws {
        let fixture = try pairs()
        func message(_ name: String?) throws -> String {
            var request = DatasetRequest()
            request.name = name
            let error = try #require(throws: HubError.self) {
                _ = try fixture.client().dataset("org/nli", request, members: { _ in [] })
            }
            return "\(error)"
        }
        #expect(
            try message(nil) == "dataset 'org/nli': has several configurations; choose one, as in "
                + "load_dataset(\"org/nli\", \"pair\"); they are 'pair', 'triplet'")
        #expect(
            try message("triple") == "dataset 'org/nli': has no configuration 'triple'; the "
                + "configurations are 'pair', 'triplet'")
    }

    @Test func `where there is only a script the hub's Parquet copy is taken`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("datasets/org/old/main/old.py", "import os")
        let copy = "datasets/org/old/refs%2Fconvert%2Fparquet"
        try fixture.server.put("\(copy)/default/train/0000.parquet", "PAR1")
        try fixture.server.put("\(copy)/default/test/0000.parquet", "PAR1")
        let source = try fixture.client()
            .dataset("org/old", DatasetRequest(), members: { _ in [] })
        #expect(source.format == "parquet")
        #expect(source.splits.map(\.name) == ["train", "test"])
        #expect(try source.paths("test").first?.hasSuffix("/default/test/0000.parquet") == true)
    }

    @Test func `a script without a Parquet copy is not run`() throws {
        let fixture = try HubFixture()
        try fixture.server.put("datasets/org/old/main/old.py", "import os")
        let error = try #require(throws: HubError.self) {
            _ = try fixture.client().dataset("org/old", DatasetRequest(), members: { _ in [] })
        }
        #expect(
            "\(error)" == "dataset 'org/old': is made by a program, old.py, which is not run, and "
                + "the hub has no Parquet copy of it; name data files of the repository with "
                + "data_files, or use another dataset")
    }

    @Test(arguments: ["../../x.csv", "/etc/passwd", "https://example.org/x.csv"])
    func `patterns stay in the dataset`(pattern: String) throws {
        let fixture = try pairs()
        var request = DatasetRequest()
        request.name = "pair"
        request.dataFiles = [("train", [pattern])]
        let error = try #require(throws: HubError.self) {
            _ = try fixture.client().dataset("org/nli", request, members: { _ in [] })
        }
        #expect("\(error)".contains("'\(pattern)' leads out of the dataset"))
    }

    // MARK: Cards

    private func message(card: String) throws -> String? {
        let work = try TemporaryFolder()
        defer { work.remove() }
        try write(["a.csv"], in: work.url)
        try "---\n\(card)\n---\n".write(
            to: work.url.appending(path: "README.md"), atomically: true, encoding: .utf8)
        do {
            _ = try DatasetSource.folder(work.url.path, DatasetRequest(), members: { _ in [] })
            return nil
        } catch let error as HubError {
            return "\(error)".replacing("dataset '\(work.url.path)': ", with: "")
        }
    }

    @Test func `a broken card is named with its line`() throws {
        #expect(
            try message(card: "license: mit\nconfigs: [a\nx: y")?.hasPrefix("README.md:") == true)
        #expect(
            try message(card: "a: 1\na: 2")
                == "README.md:3: the key 'a' appears twice; name the files with data_files")
        #expect(
            try message(card: "configs: 3")
                == "its card: configs is an integer, not a list; name the files with data_files")
    }

    @Test func `aliases are followed, and not without bound`() throws {
        #expect(
            try message(card: "x: &f a.csv\nconfigs:\n- config_name: d\n  data_files: *f") == nil)
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            let inner = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(inner)]\n"
        }
        #expect(try message(card: bomb)?.contains("stands for too many values") == true)
        let deep = String(repeating: "[", count: 5000)
        #expect(try message(card: "x: \(deep)")?.hasPrefix("README.md:2: ") == true)
    }
}
