// `st.evaluation`, second part: evaluators of retrieval, classification and distillation.

import LuaBridge
import Training

private let functionNames = SimilarityFunction.allCases.map(\.rawValue)
private let name = LuaParameter.optional(
    "name", .string, "", "Goes before every metric, with an underscore.")
private let showProgressBar = LuaParameter.optional("show_progress_bar", .boolean, false)
private let writeCSV = LuaParameter.optional(
    "write_csv", .boolean, true, "Whether a trainer's evaluations are appended to a CSV file.")
private let truncateDim = LuaParameter.optional(
    "truncate_dim", .integer, .nil, range: .atLeast(1), "Dimensions of the embeddings to use.")

private func batchSize(_ count: Int) -> LuaParameter {
    .optional(
        "batch_size", .integer, .integer(count), range: .atLeast(1), "Sentences encoded at a time.")
}

func addRetrievalEvaluators(to module: LuaModule) {
    let ranks = { (name: String, fallback: String) in
        LuaParameter.optional(
            name, .sequence(.integer), .computed(fallback), "Ranks at which it is taken.")
    }
    module.function(
        "InformationRetrievalEvaluator",
        [
            .required("queries", .table, "Texts by id."),
            .required("corpus", .table, "Documents by id."),
            .required(
                "relevant_docs", .table, "For each query's id a sequence or set of document ids."),
            .optional(
                "corpus_chunk_size", .integer, 50000, range: .atLeast(1),
                "Documents scored at a time."),
            ranks("mrr_at_k", "{10}"), ranks("ndcg_at_k", "{10}"),
            ranks("accuracy_at_k", "{1, 3, 5, 10}"),
            ranks("precision_recall_at_k", "{1, 3, 5, 10}"),
            ranks("map_at_k", "{100}"), showProgressBar, batchSize(32), name, writeCSV, truncateDim,
            .optional(
                "score_functions", .sequence(.oneOf(functionNames)),
                .computed("the model's similarity"), "Which similarities to score."),
            .optional("main_score_function", .oneOf(functionNames)),
        ],
        doc: "How well queries find their documents: accuracy, precision, recall, MRR, NDCG, MAP."
    ) { args in
        let (queries, corpus) = try (texts(args, "queries"), texts(args, "corpus"))
        var ranks = InformationRetrievalEvaluator.Ranks()
        if let values: [Int] = try args["mrr_at_k"] { ranks.mrr = values }
        if let values: [Int] = try args["ndcg_at_k"] { ranks.ndcg = values }
        if let values: [Int] = try args["accuracy_at_k"] { ranks.accuracy = values }
        if let values: [Int] = try args["precision_recall_at_k"] { ranks.precisionRecall = values }
        if let values: [Int] = try args["map_at_k"] { ranks.map = values }
        let functions: [String]? = try args["score_functions"]
        let name: String = try args["name"]
        let evaluator = try InformationRetrievalEvaluator(
            queries: queries, corpus: corpus, relevantDocs: relevantDocs(args),
            corpusChunkSize: args["corpus_chunk_size"], ranks: ranks, batchSize: args["batch_size"],
            name: name, writeCSV: args["write_csv"], truncateDim: args["truncate_dim"],
            scoreFunctions: (functions ?? []).compactMap(SimilarityFunction.init),
            mainScoreFunction: choice(args, "main_score_function"))
        return EvaluatorObject(
            evaluator,
            "InformationRetrievalEvaluator(name='\(name)', \(queries.count) queries,"
                + " \(corpus.count) documents)")
    }
    module.function(
        "RerankingEvaluator",
        [
            .required(
                "samples", .sequence(.table),
                "{ query = text, positive = text or sequence, negative = text or sequence }"),
            .optional("at_k", .integer, 10, range: .atLeast(1), "Rank of MRR and NDCG."), name,
            writeCSV,
            .optional(
                "similarity_fct",
                .oneOf(["cos_sim", "dot_score", "euclidean_sim", "manhattan_sim"]), "cos_sim"),
            batchSize(64), showProgressBar, .optional("use_batched_encoding", .boolean, true),
            truncateDim,
        ], doc: "How well a query's right documents are ranked among its candidates."
    ) { args in
        let tables: [LuaTable] = try args["samples"]
        let samples = try tables.enumerated().map { try sample($1, at: $0 + 1) }
        let name: String = try args["name"]
        let evaluator = try RerankingEvaluator(
            samples: samples, atK: args["at_k"], name: name, writeCSV: args["write_csv"],
            similarity: similarity(args["similarity_fct"]), batchSize: args["batch_size"],
            truncateDim: args["truncate_dim"])
        return EvaluatorObject(
            evaluator, "RerankingEvaluator(name='\(name)', \(samples.count) samples)")
    }
}

func addPairEvaluators(to module: LuaModule) {
    let source = LuaParameter.required("source_sentences", TextsArgument.type)
    let target = LuaParameter.required("target_sentences", TextsArgument.type)
    module.function(
        "BinaryClassificationEvaluator",
        [
            .required("sentences1", TextsArgument.type),
            .required("sentences2", TextsArgument.type),
            .required("labels", NumbersArgument.type, "1 (similar) or 0 for each pair."), name,
            batchSize(32), showProgressBar, writeCSV, truncateDim,
            .optional(
                "similarity_fn_names", .sequence(.oneOf(functionNames)),
                .computed("the model's"), "Which similarities to score."),
        ], doc: "How well a threshold on the similarity tells similar pairs from others."
    ) { args in
        let first: TextsArgument = try args["sentences1"]
        let second: TextsArgument = try args["sentences2"]
        let labels: NumbersArgument = try args["labels"]
        let functions: [String]? = try args["similarity_fn_names"]
        let name: String = try args["name"]
        let evaluator = try BinaryClassificationEvaluator(
            sentences1: first.values, sentences2: second.values, labels: labels.values, name: name,
            batchSize: args["batch_size"], writeCSV: args["write_csv"],
            truncateDim: args["truncate_dim"],
            similarityFnNames: (functions ?? []).compactMap(SimilarityFunction.init))
        return EvaluatorObject(
            evaluator,
            "BinaryClassificationEvaluator(name='\(name)', \(first.values.count) pairs)")
    }
    module.function(
        "TranslationEvaluator",
        [
            source, target, showProgressBar, batchSize(16), name,
            .optional("print_wrong_matches", .boolean, false, "Only false."), writeCSV, truncateDim,
        ], doc: "How often a sentence is closest to its own translation, in both directions."
    ) { args in
        if try args["print_wrong_matches"] {
            throw args.invalid("print_wrong_matches", "is not available; compare with util.cos_sim")
        }
        let sources: TextsArgument = try args["source_sentences"]
        let targets: TextsArgument = try args["target_sentences"]
        let name: String = try args["name"]
        let evaluator = try TranslationEvaluator(
            sourceSentences: sources.values, targetSentences: targets.values, name: name,
            batchSize: args["batch_size"], writeCSV: args["write_csv"],
            truncateDim: args["truncate_dim"])
        return EvaluatorObject(
            evaluator, "TranslationEvaluator(name='\(name)', \(sources.values.count) pairs)")
    }
    module.function(
        "MSEEvaluator",
        [
            source, target,
            .keyword(
                "teacher_model", .object("SentenceTransformer"), .required,
                "Embeds the source sentences, once."),
            showProgressBar, batchSize(32), name, writeCSV, truncateDim,
        ], doc: "Minus a hundred times the mean squared difference from a teacher's embeddings."
    ) { args in
        let sources: TextsArgument = try args["source_sentences"]
        let targets: TextsArgument = try args["target_sentences"]
        let name: String = try args["name"]
        let evaluator = try MSEEvaluator(
            sourceSentences: sources.values, targetSentences: targets.values,
            teacherModel: args["teacher_model"], batchSize: args["batch_size"], name: name,
            writeCSV: args["write_csv"], truncateDim: args["truncate_dim"])
        return EvaluatorObject(
            evaluator, "MSEEvaluator(name='\(name)', \(sources.values.count) pairs)")
    }
}

// MARK: - Arguments

/// A table of texts by id; numbers are ids, too.
private func texts(_ args: LuaArguments, _ name: String) throws -> [String: String] {
    let table: LuaTable = try args[name]
    var texts: [String: String] = [:]
    for (key, value) in try table.pairs() {
        guard let id = identifier(key) else {
            throw LuaError.mismatch(path: name, expected: "ids as keys", got: key.typeName)
        }
        guard let text = value.string else {
            throw LuaError.mismatch(path: "\(name).\(id)", expected: "string", got: value.typeName)
        }
        guard texts.updateValue(text, forKey: id) == nil else { throw givenTwice(name, id) }
    }
    return texts
}

private func relevantDocs(_ args: LuaArguments) throws -> [String: Set<String>] {
    let table: LuaTable = try args["relevant_docs"]
    var documents: [String: Set<String>] = [:]
    for (key, value) in try table.pairs() {
        guard let id = identifier(key), let list = value.table else {
            throw LuaError.mismatch(
                path: "relevant_docs.\(identifier(key) ?? key.typeName)",
                expected: "sequence of document ids", got: value.typeName)
        }
        // { "d1", "d2" } or { d1 = true }.
        let right = Set(
            try list.pairs().compactMap { place, document in
                document.boolean.map { $0 ? identifier(place) : nil } ?? identifier(document)
            })
        guard documents.updateValue(right, forKey: id) == nil else {
            throw givenTwice("relevant_docs", id)
        }
    }
    return documents
}

private func givenTwice(_ name: String, _ id: String) -> LuaError {
    .value(
        path: name,
        problem: "the id \(id) is there as a number and as a string, which are the same here;"
            + " use one kind")
}

private func identifier(_ value: LuaValue) -> String? {
    value.string ?? value.integer.map { "\($0)" }
}

private func sample(_ table: LuaTable, at place: Int) throws -> RerankingEvaluator.Sample {
    func texts(_ name: String) throws -> [String] {
        let value: LuaValue = try table.get(name)
        if let text = value.string { return [text] }
        guard !value.isNil else {
            throw LuaError.value(
                path: "samples[\(place)].\(name)",
                problem: "is missing; a sample has query, positive and negative")
        }
        do {
            return try table.get(name)
        } catch let error as LuaError {
            throw error.within("samples[\(place)]")
        }
    }
    guard let query = try table.get("query", as: LuaValue.self).string else {
        throw LuaError.value(path: "samples[\(place)].query", problem: "expected a string")
    }
    return RerankingEvaluator.Sample(
        query: query, positive: try texts("positive"), negative: try texts("negative"))
}

private func similarity(_ name: String) -> SimilarityFunction {
    switch name {
    case "dot_score": .dot
    case "euclidean_sim": .euclidean
    case "manhattan_sim": .manhattan
    default: .cosine
    }
}
