// Ids, saved files and errors of the tokenizer against transformers and tokenizers. The golden
// folder is written by scripts/golden/tokenizer.py.
import Foundation
import OrderedJSON
import TestSupport
import Testing
import Training

struct WordPieceTokenizerTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/tokenizer")
    static let names = [
        "uncased", "cased", "flags-win", "added", "fast", "vocabulary-only", "mpnet",
    ]

    static func golden() throws -> JSONValue {
        try JSONValue.parse(
            utf8: Array(Data(contentsOf: folder.appending(path: "golden.json"))))
    }

    private func strings(_ value: JSONValue?) throws -> [String] {
        try #require(value?.arrayValue).map { try #require($0.stringValue) }
    }

    private func ids(_ value: JSONValue?) throws -> [[Int32]] {
        try #require(value?.arrayValue).map { row in
            try #require(row.arrayValue).map { Int32(try #require($0.intValue)) }
        }
    }

    private func check(
        _ tokenizer: WordPieceTokenizer, _ texts: [String], _ expected: [[Int32]], maxLength: Int
    ) {
        #expect(texts.count == expected.count)
        for (text, ids) in zip(texts, expected) {
            let found = tokenizer.encode(text, maxLength: maxLength)
            #expect(found == ids, "\(text.prefix(60).debugDescription)")
        }
        let packed = tokenizer.tokenize(texts, maxLength: maxLength)
        #expect((0..<packed.count).map { Array(packed[$0]) } == expected)
    }

    @Test(arguments: names)
    func `small tokenizers of every kind give Python's ids`(name: String) throws {
        let golden = try Self.golden()
        let tokenizer = try WordPieceTokenizer(folder: Self.folder.appending(path: name).path)
        let texts = try strings(golden["texts"])
        let expected = try #require(golden["small"]?[name])
        check(tokenizer, texts, try ids(expected["ids"]), maxLength: 200)
        check(tokenizer, texts, try ids(expected["truncated"]), maxLength: 6)
    }

    @Test(arguments: names)
    func `saved files are byte for byte what Python saves`(name: String) throws {
        let tokenizer = try WordPieceTokenizer(folder: Self.folder.appending(path: name).path)
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        try tokenizer.save(to: work.url.path, modelMaxLength: 24)
        for file in ["tokenizer.json", "tokenizer_config.json"] {
            let saved = try String(contentsOf: work.url.appending(path: file), encoding: .utf8)
            let expected = try String(
                contentsOf: Self.folder.appending(path: "saved/\(name)/\(file)"), encoding: .utf8)
            #expect(saved == expected, "\(name)/\(file)")
        }
        // What was saved loads again as the same tokenizer.
        let again = try WordPieceTokenizer(folder: work.url.path)
        #expect(again.modelMaxLength == 24)
        for text in try strings(Self.golden()["texts"]) {
            #expect(
                again.encode(text, maxLength: 200) == tokenizer.encode(text, maxLength: 200))
        }
    }

    @Test func `properties name special tokens and sizes`() throws {
        let tokenizer = try WordPieceTokenizer(
            folder: Self.folder.appending(path: "added").path)
        #expect(tokenizer.padID == 0)
        #expect(tokenizer.unknownID == 1)
        #expect(tokenizer.clsID == 2)
        #expect(tokenizer.sepID == 3)
        #expect(tokenizer.maskID == 4)
        #expect(tokenizer.modelMaxLength == 32)
        #expect(tokenizer.id(of: "<ent>") == 106)
        #expect(tokenizer.id(of: "no such token") == nil)
        #expect(tokenizer.vocabularySize == 110)
        let cased = try WordPieceTokenizer(folder: Self.folder.appending(path: "cased").path)
        #expect(cased.modelMaxLength == nil)
    }

    @Test func `a prompt is put before every text as it is`() throws {
        let tokenizer = try WordPieceTokenizer(
            folder: Self.folder.appending(path: "uncased").path)
        let prompted = tokenizer.tokenize(["cat", ""], maxLength: 50, prompt: "the ")
        #expect(Array(prompted[0]) == tokenizer.encode("the cat", maxLength: 50))
        #expect(Array(prompted[1]) == tokenizer.encode("the ", maxLength: 50))
        #expect(tokenizer.promptLength("the ", maxLength: 50) == 2)
        #expect(tokenizer.promptLength("", maxLength: 50) == 0)
        // "un" and "able" join to one word when no space is between them.
        let joined = tokenizer.tokenize(["able"], maxLength: 50, prompt: "un")
        #expect(Array(joined[0]) == tokenizer.encode("unable", maxLength: 50))
    }

    @Test func `many texts give the same ids on any number of threads`() throws {
        let tokenizer = try WordPieceTokenizer(
            folder: Self.folder.appending(path: "uncased").path)
        let texts = (0..<9000).map { "the cat \($0) sat on \($0 % 7) unaffable words" }
        let packed = tokenizer.tokenize(texts, maxLength: 12)
        #expect(packed.count == texts.count)
        for index in stride(from: 0, to: texts.count, by: 97) {
            #expect(Array(packed[index]) == tokenizer.encode(texts[index], maxLength: 12))
        }
    }

    @Test func `columns are tokenized without null and refused without text`() throws {
        let tokenizer = try WordPieceTokenizer(
            folder: Self.folder.appending(path: "uncased").path)
        let dataset = try Dataset(columns: [
            ("text", ["the cat", .null, "on"]), ("label", [1, 2, 3]),
        ])
        let packed = try tokenizer.tokenize(
            dataset.select([2, 1, 0]).requireColumn("text"), maxLength: 9)
        #expect(Array(packed[0]) == tokenizer.encode("on", maxLength: 9))
        #expect(Array(packed[1]) == tokenizer.encode("", maxLength: 9))
        #expect(Array(packed[2]) == tokenizer.encode("the cat", maxLength: 9))
        let error = #expect(throws: TrainingError.self) {
            try tokenizer.tokenize(dataset.requireColumn("label"), maxLength: 9)
        }
        #expect(
            error?.description.contains("expected a column of texts, found Value('int64')") == true)
    }

    @Test func `a limit without room for words leaves the special tokens`() throws {
        let tokenizer = try WordPieceTokenizer(
            folder: Self.folder.appending(path: "uncased").path)
        #expect(tokenizer.encode("the cat", maxLength: 2) == [2, 3])
        #expect(tokenizer.encode("the cat", maxLength: 0) == [2, 3])
        #expect(tokenizer.encode("the cat", maxLength: 3).count == 3)
    }

    @Test(arguments: [
        ("BPE", "the tokenizer model 'BPE' is not supported"),
        ("Unigram", "the tokenizer model 'Unigram' is not supported"),
    ])
    func `other tokenizer models are refused by name`(type: String, problem: String) throws {
        let text = #"{"added_tokens": [], "model": {"type": "\#(type)", "vocab": {}}}"#
        let error = try load(["tokenizer.json": text])
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    }

    @Test func `broken folders are refused with what is wrong`() throws {
        #expect(try load([:])?.description.contains("holds no tokenizer.json") == true)
        let broken = try load(["tokenizer.json": "{\n \"model\": ]"])
        #expect(broken?.description.contains("line 2") == true)
        let noUnknown = try load(["tokenizer.json": Self.wordPiece(#""a": 0"#)])
        #expect(noUnknown?.description.contains("no unknown token '[UNK]'") == true)
        let wrongID = try load(["tokenizer.json": Self.wordPiece(#""[UNK]": -1"#)])
        #expect(wrongID?.description.contains("'[UNK]': -1 is no token id") == true)
        let other = try load([
            "tokenizer.json": Self.wordPiece(
                #""[UNK]": 0"#, #""pre_tokenizer": {"type": "Metaspace"},"#)
        ])
        #expect(other?.description.contains("pre_tokenizer: 'Metaspace' is not supported") == true)
    }

    private static func wordPiece(_ vocabulary: String, _ more: String = "") -> String {
        #"{\#(more) "added_tokens": [], "model": {"type": "WordPiece", "vocab": {\#(vocabulary)}}}"#
    }

    private func load(_ files: [String: String]) throws -> TrainingError? {
        let work = try TestSupport.TemporaryFolder()
        defer { work.remove() }
        for (name, text) in files {
            try text.write(to: work.url.appending(path: name), atomically: true, encoding: .utf8)
        }
        return #expect(throws: TrainingError.self) {
            try WordPieceTokenizer(folder: work.url.path)
        }
    }
}

/// The tokenizer of the real all-MiniLM-L6-v2.
@Suite(.enabled(if: Repository.model != nil, "ST_HOST_MODEL names no model"))
struct WordPieceTokenizerModelTests {
    private func tokenizer() throws -> WordPieceTokenizer {
        try WordPieceTokenizer(folder: try #require(Repository.model).path)
    }

    @Test(arguments: [("hard", 64), ("truncated", 8)])
    func `hard strings give Python's ids`(key: String, maxLength: Int) throws {
        let golden = try WordPieceTokenizerTests.golden()
        let tokenizer = try tokenizer()
        let texts = try #require(golden["hard"]?.arrayValue)
        let expected = try #require(golden["model"]?[key]?.arrayValue)
        #expect(texts.count == expected.count)
        for (text, ids) in zip(texts, expected) {
            let text = try #require(text.stringValue)
            let found = tokenizer.encode(text, maxLength: maxLength).map {
                JSONValue.int(Int64($0))
            }
            #expect(JSONValue.array(found) == ids, "\(text.prefix(60).debugDescription)")
        }
    }

    @Test func `every code point between two letters gives Python's ids`() throws {
        let tokenizer = try tokenizer()
        var digest = Digest()
        for scalar in allScalars() {
            digest.add(tokenizer.encode("a\(scalar)b", maxLength: 64))
        }
        #expect(
            digest.text == (try WordPieceTokenizerTests.golden())["model"]?["sweep"]?.stringValue)
    }

    @Test(.enabled(if: Repository.sharedData != nil, "shared/data is not there"))
    func `every sentence of the shared data gives Python's ids`() throws {
        let tokenizer = try tokenizer()
        let files = try #require(
            try WordPieceTokenizerTests.golden()["model"]?["files"]?.objectValue)
        #expect(files.count == 3)
        for (name, expected) in files {
            let path = try #require(Repository.sharedData).appending(path: name).path
            let dataset = try loadDataset(
                .json(), dataFiles: [("train", [path])], split: "train")
            let columns = try dataset.columnNames.map(dataset.requireColumn)
                .filter { $0.type == .string }
            let ids = try columns.map { try tokenizer.tokenize($0, maxLength: 256) }
            var digest = Digest()
            for row in 0..<dataset.numRows {
                for column in ids { digest.add(Array(column[row])) }
            }
            #expect(digest.text == expected.stringValue, "\(name)")
        }
    }
}

/// FNV-1a, as in scripts/golden/tokenizer.py.
struct Digest {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(bytes: some Sequence<UInt8>) {
        for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    /// Ids as 32-bit little-endian words, -1 at the end.
    mutating func add(_ ids: [Int32]) {
        for id in ids + [-1] {
            withUnsafeBytes(of: id.littleEndian) { add(bytes: $0) }
        }
    }

    var text: String {
        let digits = String(state, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

func allScalars() -> some Sequence<Unicode.Scalar> {
    (UInt32(0)..<0x11_0000).lazy.compactMap(Unicode.Scalar.init)
}
