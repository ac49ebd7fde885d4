import Foundation
import OrderedJSON
import TestSupport
import Testing
import Training

@Suite struct ModelFromConfigTests {
    private let corpus = [
        "The cat sat on the mat.", "A dog ran; the cat slept!", "Émile naïvely ran to the mat",
    ]

    @Test func `weights are those that transformers draws`() throws {
        for json in try #require(Golden.json("from_config.json").arrayValue) {
            var model = NewModelOptions()
            model.architecture = try #require(
                .init(rawValue: json["architecture"]?.stringValue ?? ""))
            model.seed = UInt64(try #require(json["seed"]?.intValue))
            model.config = try #require(json["config"]?.objectValue)
            model.vocabulary = (0..<32).map { "word\($0)" }
            let made = try SentenceTransformer(new: model)
            let tensors = try #require(json["tensors"]?.objectValue)
            // torch's vector code has sines with an error of a few 1e-5.
            let deviation = json["config"]?["initializer_range"]?.doubleValue ?? 0.02
            #expect(made.parameters.map(\.name) == Array(tensors.keys))
            for parameter in made.parameters {
                let wanted = try #require(tensors[parameter.name])
                let place = "\(model.architecture) \(parameter.name)"
                #expect(parameter.shape == wanted["shape"]?.ints, "\(place)")
                let values = Array(
                    UnsafeBufferPointer(start: parameter.value, count: parameter.count))
                let sum = values.reduce(0) { $0 + Double($1) }
                let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
                let golden = try #require(wanted["sum"]?.doubleValue)
                #expect(isClose(sum, golden, relative: 0, absolute: 5e-3 * deviation), "\(place)")
                let goldenSquares = try #require(wanted["squares"]?.doubleValue)
                #expect(isClose(squares, goldenSquares, relative: 1e-5), "\(place)")
                for (part, key) in [(values.prefix(8), "first"), (values.suffix(3), "last")] {
                    let difference = firstDifference(
                        Array(part), try #require(wanted[key]?.floats), relative: 2e-6,
                        absolute: 5e-5 * deviation)
                    #expect(difference == nil, "\(place), \(key): \(difference ?? "")")
                }
            }
            // The parameters point into the model's memory.
            withExtendedLifetime(made) {}
        }
    }

    @Test func `the vocabulary of a corpus is characters, then words by how often they occur`()
        throws
    {
        let tokens = WordPieceTokenizer.vocabulary(corpus: corpus)
        #expect(tokens.prefix(5) == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
        let words = tokens.filter { !$0.hasPrefix("##") && !$0.hasPrefix("[") && $0.count > 1 }
        #expect(
            words == [
                "the", "cat", "mat", "ran", "dog", "emile", "naively", "on", "sat", "slept", "to",
            ])
        #expect(tokens.contains("!") && tokens.contains("##e") && Set(tokens).count == tokens.count)
        #expect(WordPieceTokenizer.vocabulary(corpus: corpus.reversed()) == tokens)
        #expect(
            WordPieceTokenizer.vocabulary(corpus: corpus, size: 12) == Array(tokens.prefix(12)))
    }

    @Test func `a new model is saved and loaded like any other`() throws {
        var model = NewModelOptions()
        model.architecture = .distilbert
        model.config = ["hidden_size": 32, "num_hidden_layers": 1, "max_position_embeddings": 24]
        model.setVocabulary(corpus: corpus)
        model.seed = 3
        model.normalizes = true
        let made = try SentenceTransformer(new: model)
        let texts = ["the cat ran to a zebra", "", "MAT!"]
        let embeddings = try (made.encode(texts) as Matrix).values
        let folder = try TestSupport.TemporaryFolder()
        try made.save(to: folder.url.path)
        let loaded = try SentenceTransformer(path: folder.url.path)
        #expect(try (loaded.encode(texts) as Matrix).values == embeddings)
        #expect(loaded.maxSeqLength == 24 && loaded.embeddingDimension == 32)
        model.seed = 4
        let other: Matrix = try SentenceTransformer(new: model).encode(texts)
        #expect(other.values != embeddings)
    }

    @Test func `what can't be made is refused`() throws {
        func message(_ change: (inout NewModelOptions) -> Void) -> String {
            var model = NewModelOptions()
            model.vocabulary = ["a", "b"]
            model.config = ["hidden_size": 32, "num_hidden_layers": 1]
            change(&model)
            do {
                return "no error, but \(try SentenceTransformer(new: model))"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message { $0.vocabulary = ["a", "b", "a"] }
                == "from_config: vocab: token 'a' is listed twice")
        #expect(
            message { $0.vocabulary = ["a", ""] } == "from_config: vocab: token 2 is empty")
        #expect(
            message { $0.config["num_attention_heads"] = 5 }
                == "'from_config': 5 attention heads do not divide the hidden size 32")
        #expect(
            message { $0.config["hidden_size"] = 1_000_000 }
                == "from_config: hidden_size: a model of 13000537000000 numbers is too large; make hidden_size, intermediate_size or the number of layers smaller"
        )
    }
}
