import Foundation
import OrderedJSON
import Testing
import Training

struct ModelSavingTests {
    @Test(arguments: ["bert", "distilbert", "modules"])
    func `a changed model saves, loads and embeds to the same bits`(name: String) throws {
        let model = try ModelGolden.model(name)
        for parameter in model.parameters { parameter.value[0] += 0.5 }
        let folder = try ScratchFolder()
        try model.save(to: folder.path + "/new/deep")
        let loaded = try SentenceTransformer(path: folder.path + "/new/deep")
        let batch = SentenceTransformerTests.longBatch
        #expect(try loaded.embed(batch).values == model.embed(batch).values)
        #expect(loaded.parameters.map(\.qualifiedName) == model.parameters.map(\.qualifiedName))
        #expect(loaded.parameters.map(\.values) == model.parameters.map(\.values))
        #expect(loaded.maxSeqLength == model.maxSeqLength)
        // The file it was mapped from has not changed.
        #expect(
            try ModelGolden.model(name).parameters[0].values[0] == model.parameters[0].values[0]
                - 0.5)
    }

    /// Tokenizer files are compared by the tokenizer's own tests.
    @Test(arguments: ["bert", "distilbert", "modules"])
    func `the folder is the one that Python writes, file by file`(name: String) throws {
        let folder = try ScratchFolder()
        try ModelGolden.model(name).save(to: folder.path)
        let golden = "\(ModelGolden.folder)/\(name)"
        let files = Set(try FileManager.default.subpathsOfDirectory(atPath: golden))
        let written = Set(try FileManager.default.subpathsOfDirectory(atPath: folder.path))
        #expect(written == files.union(["README.md"]))
        for file in files.sorted() where !file.contains("tokenizer") && file.contains(".") {
            let expected = try Data(contentsOf: URL(fileURLWithPath: "\(golden)/\(file)"))
            let actual = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(file)"))
            if file == "config_sentence_transformers.json" {
                var left = try #require(JSONValue.parse(utf8: Array(actual)).objectValue)
                var right = try #require(JSONValue.parse(utf8: Array(expected)).objectValue)
                left["__version__"] = nil
                right["__version__"] = nil
                #expect(left == right)
            } else {
                #expect(actual == expected, "\(file)")
            }
        }
    }

    @Test func `saving over the folder it came from works, and twice`() throws {
        let folder = try ModelFolder(copyOf: "modules")
        let model = try SentenceTransformer(path: folder.path)
        let before = try model.embed(SentenceTransformerTests.longBatch).values
        model.parameters[0].value[1] += 1
        for _ in 0..<2 { try model.save(to: folder.path) }
        let loaded = try SentenceTransformer(path: folder.path)
        #expect(loaded.parameters.map(\.values) == model.parameters.map(\.values))
        model.parameters[0].value[1] -= 1
        #expect(try model.embed(SentenceTransformerTests.longBatch).values == before)
    }

    @Test func `a folder that can't be written is named`() throws {
        let model = try ModelGolden.model("bert")
        let error = #expect(throws: TrainingError.self) { try model.save(to: "/proc/nothing/here") }
        #expect(error?.description.hasPrefix("'/proc/nothing") == true)
    }

    @Test func `prompts, similarity and truncation are saved`() throws {
        let model = try ModelGolden.model("bert")
        model.prompts = ["query": "q: ", "document": ""]
        model.defaultPromptName = "query"
        model.similarityFnName = .dot
        model.truncateDim = 8
        try model.setMaxSeqLength(20)
        let folder = try ScratchFolder()
        try model.save(to: folder.path)
        let loaded = try SentenceTransformer(path: folder.path)
        #expect(loaded.prompts == model.prompts && loaded.defaultPromptName == "query")
        #expect(loaded.similarityFnName == .dot && loaded.truncateDim == 8)
        #expect(loaded.maxSeqLength == 20 && loaded.embeddingDimension == 8)
    }

    @Test func `the model card tells what is known and nothing else`() throws {
        let model = try ModelGolden.model("bert")
        let folder = try ScratchFolder()
        func card() throws -> String {
            try model.save(to: folder.path)
            return try String(contentsOfFile: folder.path + "/README.md", encoding: .utf8)
        }
        let short = try card()
        #expect(short.hasPrefix("---\ntags:\n- sentence-transformers\n"))
        #expect(!short.contains("Training Details") && !short.contains("base_model"))
        #expect(short.contains("- **Maximum Sequence Length:** 32 tokens\n"))

        var told = ModelCard(baseModel: "sentence-transformers/all-MiniLM-L6-v2")
        told.trainingData = [
            .init(
                name: "nli", size: 1640,
                columns: [
                    .init(
                        name: "anchor", type: "string", statistics: ["min: 3 tokens"],
                        samples: ["a < b | c"]),
                    .init(name: "positive", type: "string"),
                ],
                loss: "MultipleNegativesRankingLoss", lossArguments: [.init("scale", "20.0")])
        ]
        told.evaluations = [
            .init(
                name: "sts-dev", evaluator: "EmbeddingSimilarityEvaluator",
                metrics: [.init("pearson_cosine", 0.81234), .init("spearman_cosine", 0.8)],
                primaryMetric: "spearman_cosine")
        ]
        told.hyperparameters = [.init("learning_rate", "2e-05")]
        told.logs = [
            .init(epoch: 0.5, step: 10, trainingLoss: 1.23456),
            .init(epoch: 1, step: 20, evaluations: ["Validation Loss": 0.25]),
        ]
        told.logColumns = ["Validation Loss"]
        model.modelCard = told
        let long = try card()
        for line in [
            "base_model: \"sentence-transformers/all-MiniLM-L6-v2\"", "- dataset_size:1640",
            "- \"loss:MultipleNegativesRankingLoss\"", "- generated_from_trainer",
            "| **spearman_cosine** | **0.8** |", "| pearson_cosine | 0.8123 |",
            "- `learning_rate`: 2e-05", "| 0.5 | 10 | 1.2346 | - |", "| 1.0 | 20 | - | 0.25 |",
            "* Size: 1,640 training samples", "| type | string | string |",
            "| <code>a &lt; b \\| c</code> |  |", "    - `scale`: 20.0",
            "      value: 0.81234",
        ] {
            #expect(long.contains(line + "\n"), "\(line)")
        }
        model.modelCard = ModelCard(verbatim: "mine")
        #expect(try card() == "mine")
    }
}
