import Foundation
import OrderedJSON
import Testing
import Training

struct CorrelationTests {
    @Test func `ties share the mean of their ranks`() {
        #expect(averageRanks([10, 30, 20, 20]) == [1, 4, 2.5, 2.5])
        #expect(averageRanks([5, 5, 5]) == [2, 2, 2])
        #expect(averageRanks([]) == [])
    }

    @Test func `coefficients equal scipy's`() {
        #expect(isClose(spearmanCorrelation([1, 2, 2, 3], [1, 3, 2, 2]), 0.5, relative: 1e-12))
        #expect(isClose(pearsonCorrelation([1, 2, 3, 4], [2, 4, 6, 8]), 1, relative: 1e-15))
        #expect(isClose(pearsonCorrelation([1, 2, 3], [3, 2, 1]), -1, relative: 1e-15))
        #expect(
            isClose(
                pearsonCorrelation([1, 2, 3, 5], [2, 1, 4, 4]), 0.7481900559272088, relative: 1e-12)
        )
    }

    @Test func `constant and broken input has no correlation`() {
        #expect(pearsonCorrelation([1, 1, 1], [1, 2, 3]).isNaN)
        #expect(spearmanCorrelation([1, 2, 3], [0.1, 0.1, 0.1]).isNaN)
        #expect(spearmanCorrelation([1, 2, .nan], [1, 2, 3]).isNaN)
        #expect(pearsonCorrelation([1], [1]).isNaN)
    }
}

struct EvaluatorTests {
    private func matrix(_ rows: [[Float]]) throws -> Matrix {
        try #require(
            Matrix(rows: rows.count, columns: rows[0].count, values: rows.flatMap { $0 }))
    }

    @Test func `similarity metrics of hand-made embeddings are exact`() throws {
        // Cosines 1, 0, −1; dots 2, 0, −3; squared distances 1, 2, 16.
        let embeddings = try matrix([[1, 0], [1, 0], [1, 0], [2, 0], [0, 1], [-3, 0]])
        let metrics = try EmbeddingSimilarityEvaluator.metrics(
            embeddings, scores: [1, 0.5, 0], functions: [.cosine, .dot, .euclidean])
        #expect(metrics.keys.first == "pearson_cosine")
        #expect(isClose(metrics["pearson_cosine"] ?? 0, 1, relative: 1e-7))
        for name in ["cosine", "dot", "euclidean"] {
            #expect(isClose(metrics["spearman_\(name)"] ?? 0, 1, relative: 1e-12))
        }
        let pearson = pearsonCorrelation([1, 0.5, 0], [-1, -(2.0.squareRoot()), -4])
        #expect(isClose(metrics["pearson_euclidean"] ?? 0, pearson, relative: 1e-6))
    }

    @Test func `the largest correlation is Python's, also of what has none`() {
        func largest(_ cosine: Double, _ dot: Double) -> Double {
            EmbeddingSimilarityEvaluator.withMaxima(
                ["spearman_cosine": cosine, "spearman_dot": dot], [.cosine, .dot])["spearman_max"]
                ?? 0
        }
        #expect(largest(0.5, 0.25) == 0.5 && largest(-0.5, -0.25) == -0.25)
        // max(nan, x) is nan, max(x, nan) is x.
        #expect(largest(.nan, .nan).isNaN && largest(.nan, 1).isNaN)
        #expect(largest(0.5, .nan) == 0.5)
    }

    @Test func `triplet accuracy counts strictly closer positives`() throws {
        let anchors = try matrix([[1, 0], [1, 0], [0, 1], [0, 1]])
        let documents = try matrix([
            [1, 0], [0, 1], [0, 1], [0, 1], [0, 1], [1, 0], [1, 1], [0, 1],
        ])
        func accuracy(_ margin: Double) throws -> Double? {
            try TripletEvaluator.metrics(
                anchors: anchors, documents: documents, functions: [.cosine],
                margins: [.cosine: margin])["cosine_accuracy"]
        }
        // Rows: 1 > 0, 0 < 1, 1 > 0.707, 1 = 1.
        #expect(try accuracy(0) == 0.5)
        #expect(try accuracy(0.5) == 0.25)
    }

    @Test func `names, primary metrics and files are Python's`() throws {
        let folder = try TemporaryFolder()
        let model = try TrainingPeer.tiny.load()
        let evaluator = try EmbeddingSimilarityEvaluator(
            sentences1: ["a cat", "the dog ran", "big red bird"],
            sentences2: ["the cat", "a tree", "small blue fly"], scores: [0.9, 0.1, 0.4],
            similarityFnNames: [.cosine, .dot, .euclidean, .manhattan], name: "dev")
        let context = EvaluationContext(outputPath: folder.path, epoch: 0.5, steps: 12)
        let metrics = try evaluator.evaluate(model, context)
        #expect(
            metrics.keys == [
                "dev_pearson_cosine", "dev_spearman_cosine", "dev_pearson_dot", "dev_spearman_dot",
                "dev_pearson_euclidean", "dev_spearman_euclidean", "dev_pearson_manhattan",
                "dev_spearman_manhattan", "dev_pearson_max", "dev_spearman_max",
            ])
        #expect(evaluator.primaryMetric == "dev_spearman_max")
        _ = try evaluator.evaluate(model, context)
        let csv = try String(
            contentsOfFile: folder.file("similarity_evaluation_dev_results.csv"), encoding: .utf8)
        let lines = csv.components(separatedBy: "\r\n")
        #expect(
            lines[0]
                == "epoch,steps,cosine_pearson,cosine_spearman,dot_pearson,dot_spearman,"
                + "euclidean_pearson,euclidean_spearman,manhattan_pearson,manhattan_spearman")
        #expect(lines.count == 4 && lines[1] == lines[2] && lines[1].hasPrefix("0.5,12,"))
        let plain = try EmbeddingSimilarityEvaluator(
            sentences1: ["a"], sentences2: ["a"], scores: [1])
        #expect(plain.primaryMetric == nil)
        #expect(
            try plain.evaluate(model, EvaluationContext()).keys
                == ["pearson_cosine", "spearman_cosine"])
        #expect(plain.primaryMetric == "spearman_cosine")
    }

    @Test(arguments: ["cosine", "max", "dev"])
    func `every metric gets the evaluator's name, whatever it starts with`(name: String) throws {
        let model = try TrainingPeer.tiny.load()
        let triplets = try TripletEvaluator(
            anchors: ["a cat sat"], positives: ["a cat sat"], negatives: ["the river"],
            name: name, similarityFnNames: [.cosine, .dot])
        let metrics = try triplets.evaluate(model, EvaluationContext())
        #expect(
            metrics.keys
                == ["cosine_accuracy", "dot_accuracy", "max_accuracy"].map { "\(name)_\($0)" })
        #expect(triplets.primaryMetric == "\(name)_max_accuracy")
        // The trainer's rule differs.
        #expect(
            (["eval_loss": 1, "accuracy": 0] as Metrics).prefixed("eval").keys
                == ["eval_loss", "eval_accuracy"])
    }

    @Test func `an evaluator reads its texts anew for another vocabulary in the same folder`()
        throws
    {
        let folder = try TemporaryFolder()
        func model(_ corpus: [String]) throws -> SentenceTransformer {
            var options = NewModelOptions()
            options.seed = 3
            options.config = ["hidden_size": 16, "num_hidden_layers": 1]
            options.setVocabulary(corpus: corpus)
            try SentenceTransformer(new: options).save(to: folder.path)
            return try SentenceTransformer(path: folder.path)
        }
        func evaluator() throws -> EmbeddingSimilarityEvaluator {
            try EmbeddingSimilarityEvaluator(
                sentences1: ["a cat sat", "the dog ran", "big red bird"],
                sentences2: ["the cat", "a tree", "small blue fly"], scores: [0.9, 0.1, 0.4])
        }
        let large = try model(["a cat sat the dog ran big red bird tree small blue fly on a mat"])
        let small = try model(["a cat the big red fly"])
        #expect(large.path == small.path)
        let shared = try evaluator()
        for model in [large, small, large] {
            #expect(
                try shared.evaluate(model, EvaluationContext())
                    == evaluator().evaluate(model, EvaluationContext()))
        }
    }

    @Test func `a sequence of evaluators adds the last one's score`() throws {
        let model = try TrainingPeer.tiny.load()
        let triplets = try TripletEvaluator(
            anchors: ["a cat sat"], positives: ["a cat sat"], negatives: ["the river"], name: "t")
        let constant = FunctionEvaluator(primaryMetric: "x") { _, _ in ["y": 1, "x": 2] }
        let sequence = SequentialEvaluator([triplets, constant])
        let metrics = try sequence.evaluate(model, EvaluationContext())
        #expect(metrics.keys == ["t_cosine_accuracy", "y", "x", "sequential_score"])
        #expect(metrics["sequential_score"] == 2 && metrics["t_cosine_accuracy"] == 1)
        let mean = SequentialEvaluator([triplets, constant]) { $0.reduce(0, +) / 2 }
        #expect(try mean.evaluate(model, EvaluationContext())["sequential_score"] == 1.5)
    }

    @Test(arguments: EmbeddingSimilarityEvaluator.Precision.allCases)
    func `quantised embeddings keep most of the order`(
        precision: EmbeddingSimilarityEvaluator.Precision
    ) throws {
        let rows = try TrainingPeer.tiny.rows("stsb-dev")
        let model = try TrainingPeer.tiny.load()
        func texts(_ column: String) -> [String] { rows.compactMap { $0[column]?.stringValue } }
        let exact = try EmbeddingSimilarityEvaluator(
            sentences1: texts("sentence1"), sentences2: texts("sentence2"),
            scores: rows.compactMap { $0["score"]?.doubleValue })
        let rough = try EmbeddingSimilarityEvaluator(
            sentences1: texts("sentence1"), sentences2: texts("sentence2"),
            scores: rows.compactMap { $0["score"]?.doubleValue }, precision: precision)
        let key = "spearman_cosine"
        let a = try #require(exact.evaluate(model, EvaluationContext())[key])
        let b = try #require(rough.evaluate(model, EvaluationContext())[key])
        #expect((a - b).magnitude < (precision == .float32 ? 1e-6 : 0.35))
    }

    @Test func `unequal and empty columns are refused`() {
        func message(_ make: () throws -> some Evaluator) -> String {
            do {
                _ = try make()
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            message {
                try EmbeddingSimilarityEvaluator(
                    sentences1: ["a", "b"], sentences2: ["a"], scores: [1])
            }
                == "EmbeddingSimilarityEvaluator: scores: sentences1, sentences2 and scores have 2, 1 "
                + "and 1 entries; give them the same length")
        #expect(
            message { try TripletEvaluator(anchors: [], positives: [], negatives: []) }
                == "TripletEvaluator: anchors: is empty")
        #expect(
            message {
                try EmbeddingSimilarityEvaluator(
                    sentences1: ["a"], sentences2: ["a"], scores: [.nan])
            }.contains("entry 1 is nan"))
    }
}
