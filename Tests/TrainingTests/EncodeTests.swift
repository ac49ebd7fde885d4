import Foundation
import Glibc
import OrderedJSON
import Testing
import Training

struct EncodeTests {
    @Test func `repeated and unordered texts come back in their order`() throws {
        let model = try ModelGolden.model("bert")
        let texts = ["the cat sat", "a dog", "the cat sat", "", "a dog ran on the mat and sing."]
        let all = try model.encode(texts)
        #expect(all.rows == 5 && all.columns == 32)
        #expect(all.row(0) == all.row(2))
        for (row, text) in texts.enumerated() {
            let alone: [Float] = try model.encode(text)
            expectClose(all.row(row), alone, absolute: 1e-6, text)
        }
        var options = EncodeOptions()
        options.batchSize = 1
        expectClose(
            try model.encode(texts, options: options).values, all.values, absolute: 1e-6,
            "batch size 1")
        #expect(try model.encode([String]()).rows == 0)
    }

    @Test func `first truncated, then normalised`() throws {
        let model = try ModelGolden.model("distilbert")
        var options = EncodeOptions()
        options.truncateDim = 5
        let raw: [Float] = try model.encode("the big red bird", options: options)
        let whole: [Float] = try model.encode("the big red bird")
        #expect(raw == Array(whole[..<5]))
        options.normalizeEmbeddings = true
        let unit: [Float] = try model.encode("the big red bird", options: options)
        let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        expectClose(unit, raw.map { $0 / norm }, absolute: 1e-6, "unit")
        model.truncateDim = 7
        #expect(model.embeddingDimension == 7)
        #expect(try model.encode(["a"]).columns == 7)
        options.truncateDim = 1000
        #expect(try model.encode(["a"], options: options).columns == 24)
    }

    @Test func `prompts by text, by name and by default`() throws {
        let model = try ModelGolden.model("bert")
        model.prompts = ["query": "the cat ", "document": ""]
        let expected: [Float] = try model.encode("the cat sat")
        var options = EncodeOptions()
        options.promptName = "query"
        #expect(try model.encode("sat", options: options) == expected)
        options = EncodeOptions()
        options.prompt = "the cat "
        #expect(try model.encode("sat", options: options) == expected)
        model.defaultPromptName = "query"
        #expect(try model.encode("sat") == expected)
        options.prompt = ""
        #expect(try model.encode("the cat sat", options: options) == expected)
        options = EncodeOptions()
        options.promptName = "quary"
        let error = #expect(throws: TrainingError.self) {
            _ = try model.encode(["sat"], options: options)
        }
        #expect(
            error?.description
                == "encode: prompt_name: 'quary' is not among the model's prompts "
                + "[\"document\", \"query\"]")
    }

    @Test func `a prompt is left out of pooling when the model says so`() throws {
        let model = try ModelGolden.model("modules")
        var options = EncodeOptions()
        options.prompt = "the cat "
        let prompted: [Float] = try model.encode("sat", options: options)
        let whole: [Float] = try model.encode("the cat sat")
        #expect(prompted != whole)
    }

    @Test func `wrong numbers and a cancelled run are errors`() throws {
        let model = try ModelGolden.model("bert")
        for change: @Sendable (inout EncodeOptions) -> Void in [
            { $0.batchSize = 0 }, { $0.truncateDim = 0 },
        ] {
            var options = EncodeOptions()
            change(&options)
            #expect(throws: TrainingError.self) { _ = try model.encode(["a"], options: options) }
        }
        var options = EncodeOptions()
        let cancellation = Cancellation()
        cancellation.cancel()
        options.cancellation = cancellation
        #expect(throws: TrainingError.cancelled) { _ = try model.encode(["a"], options: options) }
    }

    @Test func `similarities of hand-made rows`() throws {
        let a = try #require(Matrix(rows: 2, columns: 2, values: [3, 4, 0, 1]))
        let b = try #require(Matrix(rows: 2, columns: 2, values: [4, 3, 0, -2]))
        let expected: [SimilarityFunction: [Float]] = [
            .cosine: [0.96, -0.8, 0.6, -1], .dot: [24, -8, 3, -2],
            .euclidean: [
                -Float(2).squareRoot(), -Float(45).squareRoot(), -Float(20).squareRoot(), -3,
            ],
            .manhattan: [-2, -9, -6, -3],
        ]
        for (function, values) in expected {
            expectClose(
                try function.matrix(a, b).values, values, absolute: 1e-6, "\(function)")
            expectClose(
                try function.pairwise(a, b), [values[0], values[3]], absolute: 1e-6,
                "\(function), pairwise")
        }
        let narrow = Matrix(rows: 2, columns: 1)
        #expect(throws: TrainingError.self) { _ = try SimilarityFunction.dot.matrix(a, narrow) }
        #expect(throws: TrainingError.self) {
            _ = try SimilarityFunction.dot.pairwise(a, Matrix(rows: 1, columns: 2))
        }
    }
}

/// Where the real all-MiniLM-L6-v2 and the shared data are, if they are there.
enum MiniLM {
    static let folder: String? = getenv("ST_HOST_MODEL").map { String(cString: $0) }

    static let sharedData: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let path = root.appendingPathComponent("shared/data/stsb-dev.jsonl").path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    static func model() throws -> SentenceTransformer {
        try SentenceTransformer(path: try #require(folder))
    }
}

/// Against the real all-MiniLM-L6-v2, where its folder is known.
@Suite(.enabled(if: MiniLM.folder != nil, "set ST_HOST_MODEL to the folder of all-MiniLM-L6-v2"))
struct MiniLMTests {
    @Test func `embeddings of fifty sentences are Python's within 2e-6`() throws {
        let sentences = (try ModelGolden.json("sentences.json").arrayValue ?? [])
            .compactMap(\.stringValue)
        #expect(sentences.count == 50)
        let file = try ModelGolden.tensors("minilm")
        expectClose(
            try MiniLM.model().encode(sentences).values,
            try ModelGolden.values(file, "embeddings"), absolute: 2e-6, "embeddings")
    }

    @Test func `the checkpoint's head, pooler and order are Python's`() throws {
        let model = try MiniLM.model()
        #expect(model.maxSeqLength == 256 && model.embeddingDimension == 384)
        #expect(model.parameters.count == 103)
        #expect(model.parameters.last?.name == "pooler.dense.bias")
        #expect(model.parameters.last?.gradientValues == nil)
        #expect(
            model.parameters[5].qualifiedName
                == "model.0.model.encoder.layer.0.attention.self.query.weight")
        #expect(model.parameters[6].name == "encoder.layer.0.attention.self.query.bias")
    }

    @Test(.enabled(if: MiniLM.sharedData != nil, "needs ../shared/data/stsb-dev.jsonl"))
    func `the untouched model scores 0.867163 and 0.869620 on stsb-dev`() throws {
        let text = try String(contentsOfFile: try #require(MiniLM.sharedData), encoding: .utf8)
        let rows = try text.split(separator: "\n").map { try JSONValue.parse(String($0)) }
        let model = try MiniLM.model()
        func column(_ name: String) throws -> Matrix {
            try model.encode(rows.map { $0[name]?.stringValue ?? "" })
        }
        let cosines = try SimilarityFunction.cosine.pairwise(
            column("sentence1"), column("sentence2")
        ).map { Double($0) }
        let scores = rows.map { $0["score"]?.doubleValue ?? .nan }
        #expect(rows.count == 1500)
        #expect(abs(Self.pearson(cosines, scores) - 0.8696194553) < 1e-5)
        #expect(abs(Self.pearson(Self.ranks(cosines), Self.ranks(scores)) - 0.8671631190) < 1e-5)
    }

    static func pearson(_ x: [Double], _ y: [Double]) -> Double {
        let mx = x.reduce(0, +) / Double(x.count)
        let my = y.reduce(0, +) / Double(y.count)
        let (dx, dy) = (x.map { $0 - mx }, y.map { $0 - my })
        return dot(dx, dy) / (dot(dx, dx) * dot(dy, dy)).squareRoot()
    }

    /// Ranks from 1, ties share their mean.
    static func ranks(_ x: [Double]) -> [Double] {
        let order = x.indices.sorted { x[$0] < x[$1] }
        var ranks = [Double](repeating: 0, count: x.count)
        var first = 0
        while first < order.count {
            var last = first
            while last + 1 < order.count, x[order[last + 1]] == x[order[first]] { last += 1 }
            for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
            first = last + 1
        }
        return ranks
    }
}

/// Against the Python library itself, where an interpreter that has it is named.
@Suite(
    .enabled(
        if: getenv("ST_HOST_PYTHON") != nil,
        "set ST_HOST_PYTHON to a Python that has sentence-transformers"))
struct PythonLoadsOurModelsTests {
    @Test(arguments: ["bert", "distilbert", "modules"])
    func `a model saved here embeds to the same vectors in Python`(name: String) throws {
        let model = try ModelGolden.model(name)
        for (index, parameter) in model.parameters.enumerated() {
            parameter.value[index % parameter.count] += 0.25
        }
        try check(model, ["the cat sat", "a big red bird and a small dog!", "fly."])
    }

    @Test(.enabled(if: MiniLM.folder != nil, "set ST_HOST_MODEL"))
    func `so does all-MiniLM-L6-v2`() throws {
        try check(
            MiniLM.model(), ["The ferry leaves at half past six.", "Café au lait?", "Rain!"])
    }

    private func check(_ model: SentenceTransformer, _ texts: [String]) throws {
        let folder = try ScratchFolder()
        try model.save(to: folder.path)
        let process = Process()
        process.executableURL = URL(
            fileURLWithPath: String(cString: try #require(getenv("ST_HOST_PYTHON"))))
        process.arguments = [
            "-c",
            """
            import json, sys
            from sentence_transformers import SentenceTransformer
            model = SentenceTransformer(sys.argv[1], device="cpu")
            assert model.max_seq_length == int(sys.argv[3])
            print("RESULT", json.dumps(model.encode(json.loads(sys.argv[2])).tolist()))
            """, folder.path, JSONValue(texts.map { JSONValue($0) }).json(),
            "\(model.maxSeqLength)",
        ]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let line = try #require(output.split(separator: "\n").first { $0.hasPrefix("RESULT ") })
        let rows = try JSONValue.parse(String(line.dropFirst("RESULT ".count))).arrayValue ?? []
        let expected = rows.flatMap { row in
            (row.arrayValue ?? []).map { Float($0.doubleValue ?? .nan) }
        }
        expectClose(
            try model.encode(texts).values, expected, absolute: 1e-6, relative: 1e-6, "embeddings")
    }
}
