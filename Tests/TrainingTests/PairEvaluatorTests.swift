import OrderedJSON
import Testing
import Training

@Suite struct PairEvaluatorTests {
    private func cases(_ name: String) throws -> [JSONValue] {
        try #require(Golden.json("pair_evaluators.json")[name]?.arrayValue)
    }

    private func matrix(_ rows: ArraySlice<JSONValue>) throws -> Matrix {
        let values = rows.map(\.floats)
        return try #require(
            Matrix(rows: values.count, columns: values[0].count, values: values.flatMap { $0 }))
    }

    private func matrix(_ json: JSONValue?) throws -> Matrix {
        try matrix(#require(json?.arrayValue)[...])
    }

    /// Both halves of a case's embeddings.
    private func halves(_ json: JSONValue) throws -> (Matrix, Matrix) {
        let rows = try #require(json["embeddings"]?.arrayValue)
        return try (matrix(rows[..<(rows.count / 2)]), matrix(rows[(rows.count / 2)...]))
    }

    private func check(_ metrics: Metrics, _ json: JSONValue, tolerance: Double = 1e-12) throws {
        let golden = try #require(json["metrics"]?.objectValue)
        #expect(metrics.keys == Array(golden.keys))
        for (key, value) in metrics.entries {
            let wanted = try #require(golden[key]?.doubleValue)
            #expect(
                isClose(value, wanted, relative: tolerance, absolute: tolerance),
                "\(key) is \(value), not \(wanted)")
        }
    }

    @Test func `classification is Python's, ties and one-sided labels included`() throws {
        for json in try cases("binary") {
            let (first, second) = try halves(json)
            let labels = try #require(json["labels"]?.doubles).map { $0 == 1 }
            let metrics = try BinaryClassificationEvaluator.metrics(
                first, second, labels: labels, functions: [.cosine, .dot, .euclidean, .manhattan])
            // Thresholds are float32, and cosines of equal angles differ in their last bit.
            try check(metrics, json, tolerance: 2e-7)
        }
    }

    @Test func `translations are found as Python finds them`() throws {
        for json in try cases("translation") {
            let (first, second) = try halves(json)
            let places = (0..<first.rows).map { "\($0)" }
            try check(
                TranslationEvaluator.metrics(first, second, source: places, target: places), json)
        }
    }

    @Test func `a sentence that occurs twice is right at both places`() throws {
        let first = try #require(Matrix(rows: 2, columns: 2, values: [1, 0, 1, 0]))
        let metrics = try TranslationEvaluator.metrics(
            first, first, source: ["a", "b"], target: ["x", "x"])
        #expect(metrics["src2trg_accuracy"] == 1)
        #expect(metrics["trg2src_accuracy"] == 0.5)
    }

    @Test func `texts of other bytes are other texts`() throws {
        let first = try #require(Matrix(rows: 2, columns: 2, values: [1, 0, 1, 0]))
        let metrics = try TranslationEvaluator.metrics(
            first, first, source: ["a", "b"], target: ["caf\u{e9}", "cafe\u{301}"])
        #expect(metrics["src2trg_accuracy"] == 0.5)
    }

    @Test func `squared errors are Python's`() throws {
        for json in try cases("mse") {
            let error = try MSEEvaluator.error(matrix(json["teacher"]), matrix(json["student"]))
            try check(["negative_mse": -error], json, tolerance: 1e-6)
        }
        let narrow = try #require(Matrix(rows: 1, columns: 1, values: [1]))
        let wide = try #require(Matrix(rows: 1, columns: 2, values: [1, 2]))
        #expect(throws: TrainingError.self) { try MSEEvaluator.error(narrow, wide) }
    }

    @Test func `candidates are ranked as Python ranks them, equal scores sharing ranks`() throws {
        for json in try cases("reranking") {
            let rows = try #require(json["embeddings"]?.arrayValue)
            let counts = try #require(json["counts"]?.arrayValue).map(\.ints)
            var (queries, documents): (ArraySlice<JSONValue>, ArraySlice<JSONValue>) = ([], [])
            var place = 0
            for count in counts {
                queries.append(rows[place])
                documents += rows[(place + 1)...(place + count[0] + count[1])]
                place += 1 + count[0] + count[1]
            }
            let metrics = try RerankingEvaluator.metrics(
                queries: matrix(queries), documents: matrix(documents),
                counts: counts.map { ($0[0], $0[1]) }, atK: #require(json["at_k"]?.intValue),
                similarity: .dot)
            try check(metrics, json)
        }
    }

    @Test func `what could measure nothing is refused`() throws {
        func message(_ body: () throws -> any Evaluator) -> String {
            do {
                return "no error, but \(try body().name)"
            } catch {
                return "\(error)"
            }
        }
        #expect(
            message {
                try BinaryClassificationEvaluator(
                    sentences1: ["a"], sentences2: ["b"], labels: [0.5])
            } == "BinaryClassificationEvaluator: labels: must be 0 or 1, got 0.5")
        #expect(
            message {
                try TranslationEvaluator(sourceSentences: ["a"], targetSentences: [])
            }
                == "TranslationEvaluator: target_sentences: source_sentences has 1 entries, "
                + "target_sentences 0; give them the same length")
        #expect(
            message {
                try RerankingEvaluator(
                    samples: [.init(query: "q", positive: [], negative: ["d"])])
            }
                == "RerankingEvaluator: samples: none of the 1 has positive and negative documents")
    }
}
