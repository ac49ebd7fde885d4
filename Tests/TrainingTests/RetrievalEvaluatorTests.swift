import Foundation
import OrderedJSON
import Testing
import Training

@Suite struct RetrievalEvaluatorTests {
    private func matrix(_ json: JSONValue?) throws -> Matrix {
        let rows = try #require(json?.arrayValue).map(\.floats)
        return try #require(
            Matrix(rows: rows.count, columns: rows[0].count, values: rows.flatMap { $0 }))
    }

    @Test(arguments: [1, 7, 50_000])
    func `metrics are Python's, ties and all, for any chunk size`(_ chunk: Int) throws {
        let json = try Golden.json("retrieval.json")
        var ranks = InformationRetrievalEvaluator.Ranks()
        ranks.mrr = [3, 10]
        ranks.map = [5, 100]
        let metrics = try InformationRetrievalEvaluator.metrics(
            queries: matrix(json["queries"]), corpus: matrix(json["corpus"]),
            relevant: try #require(json["relevant"]?.arrayValue).map { Set($0.ints) },
            functions: [.cosine, .dot], ranks: ranks, corpusChunkSize: chunk)
        let golden = try #require(json["metrics"]?.objectValue)
        #expect(metrics.keys == Array(golden.keys))
        for (key, value) in metrics.entries {
            let wanted = try #require(golden[key]?.doubleValue)
            #expect(isClose(value, wanted, relative: 1e-12), "\(key) is \(value), not \(wanted)")
        }
    }

    @Test func `top places are in order, with equal numbers in the order of their places`() throws {
        let matrix = try #require(
            Matrix(rows: 1, columns: 8, values: [3, .nan, 5, 3, 5, -1, 3, 9]))
        #expect(matrix.topPlaces(row: 0, 0) == [])
        // As in torch, what is no number is the largest.
        #expect(matrix.topPlaces(row: 0, 3) == [1, 7, 2])
        #expect(matrix.topPlaces(row: 0, 5) == [1, 7, 2, 4, 0])
        #expect(matrix.topPlaces(row: 0, 8) == [1, 7, 2, 4, 0, 3, 6, 5])
        #expect(matrix.topPlaces(row: 0, 8, largest: false) == [5, 0, 3, 6, 2, 4, 7, 1])
        #expect(matrix.topPlaces(row: 0, 2, largest: false) == [5, 0])
    }

    @Test func `its file has the line ends that Python writes for this evaluator`() throws {
        let folder = try TemporaryFolder()
        let evaluator = try InformationRetrievalEvaluator(
            queries: ["q": "a cat sat"], corpus: ["d": "a cat sat", "e": "the river"],
            relevantDocs: ["q": ["d"]])
        let model = try TrainingPeer.tiny.load()
        for step in 1...2 {
            _ = try evaluator.evaluate(
                model, EvaluationContext(outputPath: folder.path, epoch: 1, steps: step))
        }
        let path = folder.file("Information-Retrieval_evaluation_results.csv")
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.utf8.count { $0 == UInt8(ascii: "\n") } == 3 && !text.utf8.contains(13))
    }

    @Test func `the primary metric is known after the first evaluation`() throws {
        let model = try TrainingPeer.tiny.load()
        func evaluator(_ functions: [SimilarityFunction]) throws -> InformationRetrievalEvaluator {
            try InformationRetrievalEvaluator(
                queries: ["q": "a cat sat"], corpus: ["d": "a cat sat", "e": "the river"],
                relevantDocs: ["q": ["d"]], name: "x", scoreFunctions: functions)
        }
        let own = try evaluator([])
        #expect(own.primaryMetric == nil)
        model.similarityFnName = .cosine
        #expect(try own.evaluate(model, EvaluationContext())["x_cosine_ndcg@10"] == 1)
        #expect(own.primaryMetric == "x_cosine_ndcg@10")
        // Another model's function is looked at anew.
        model.similarityFnName = .dot
        _ = try own.evaluate(model, EvaluationContext())
        #expect(own.primaryMetric == "x_dot_ndcg@10")
        // Of equally good ones it is the first by name; metrics stay in the order asked for.
        let two = try evaluator([.euclidean, .cosine])
        let metrics = try two.evaluate(model, EvaluationContext())
        #expect(metrics["x_euclidean_ndcg@10"] == 1)
        #expect(two.primaryMetric == "x_cosine_ndcg@10")
        #expect(metrics.keys.first == "x_euclidean_accuracy@1")
    }

    @Test func `an evaluator that could measure nothing is refused`() throws {
        func message(_ body: () throws -> InformationRetrievalEvaluator) -> String {
            do {
                return "no error, but \(try body().name)"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message {
                try InformationRetrievalEvaluator(
                    queries: ["q": "a"], corpus: ["d": "b"], relevantDocs: ["x": ["d"]])
            }
                == "InformationRetrievalEvaluator: relevant_docs: names no document for any query; give a table of query ids with sequences of document ids"
        )
        var ranks = InformationRetrievalEvaluator.Ranks()
        ranks.map = [0]
        #expect(
            message {
                try InformationRetrievalEvaluator(
                    queries: ["q": "a"], corpus: ["d": "b"], relevantDocs: ["q": ["d"]],
                    ranks: ranks)
            }
                == "InformationRetrievalEvaluator: map_at_k: must hold ranks from 1, got [0]")
    }
}
