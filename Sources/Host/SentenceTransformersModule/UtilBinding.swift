// `st.util`: the similarities and the search of sentence_transformers.util. Similarities can be
// learnt through when they are given the matrices of a loss.

import LuaBridge
import Training

func utilModule() -> LuaModule {
    let module = LuaModule("sentence_transformers.util", doc: "Similarities and search.")
    addSimilarities(to: module)
    addEmbeddingTools(to: module)
    addSearch(to: module)
    return module
}

private typealias Similarity =
    @Sendable (DifferentiableMatrix, DifferentiableMatrix) throws ->
    DifferentiableMatrix

/// Python's functions by name; `similarity_fct`-like arguments take the names.
private let similarities: [(name: String, doc: String, body: Similarity)] = [
    ("cos_sim", "Cosines of all rows with all rows.", { try $0.cosineSimilarity($1) }),
    ("dot_score", "Dot products of all rows with all rows.", { try $0.dotScores($1) }),
    (
        "euclidean_sim", "Negative distances of all rows with all rows.",
        { try $0.distances($1, .euclidean) }
    ),
    (
        "manhattan_sim", "Negative city-block distances of all rows with all rows.",
        { try $0.distances($1, .manhattan) }
    ),
    ("pairwise_cos_sim", "Cosines row by row.", { try $0.pairwiseCosine($1) }),
    ("pairwise_dot_score", "Dot products row by row.", { try $0.pairwiseDot($1) }),
    (
        "pairwise_euclidean_sim", "Negative distances row by row.",
        { try $0.sub($1).norm(.columns).negated() }
    ),
    (
        "pairwise_manhattan_sim", "Negative city-block distances row by row.",
        { try $0.sub($1).abs().sum(.columns).negated() }
    ),
]

private func addSimilarities(to module: LuaModule) {
    for (name, doc, body) in similarities {
        module.function(
            name, [.required("a", MatrixOperand.type), .required("b", MatrixOperand.type)],
            doc: doc
        ) { args in
            let a: MatrixOperand = try args["a"]
            let b: MatrixOperand = try args["b"]
            return MatrixResult(try body(a.matrix, b.matrix))
        }
    }
}

private func addEmbeddingTools(to module: LuaModule) {
    module.function(
        "normalize_embeddings", [.required("embeddings", MatrixOperand.type)],
        doc: "Rows of length 1."
    ) { args in
        let embeddings: MatrixOperand = try args["embeddings"]
        return MatrixResult(try embeddings.matrix.normalize())
    }
    module.function(
        "truncate_embeddings",
        [
            .required("embeddings", MatrixOperand.type),
            .required("truncate_dim", .integer, range: .atLeast(1), "Columns to keep."),
        ], doc: "The first columns."
    ) { args in
        let embeddings: MatrixOperand = try args["embeddings"]
        let matrix = embeddings.matrix
        let dimension: Int = try args["truncate_dim"]
        return MatrixResult(
            try matrix.slice(
                rows: 0..<matrix.rows, columns: 0..<min(dimension, matrix.columns)))
    }
}

private func addSearch(to module: LuaModule) {
    let names = similarities.prefix(4).map(\.name)
    module.function(
        "semantic_search",
        [
            .required("query_embeddings", MatrixArgument.type),
            .required("corpus_embeddings", MatrixArgument.type),
            .optional(
                "query_chunk_size", .integer, 100, range: .atLeast(1), "Queries at a time."),
            .optional(
                "corpus_chunk_size", .integer, 500_000, range: .atLeast(1), "Documents at a time."),
            .optional("top_k", .integer, 10, range: .atLeast(1), "Hits for each query."),
            .optional(
                "score_function", .union([.oneOf(names), .function]), "cos_sim",
                "Similarities of all rows with all rows."),
        ],
        doc: "For each query the most similar documents: sequences of { corpus_id, score }, where"
            + " corpus_id is a row from 1."
    ) { args in
        let queries: MatrixArgument = try args["query_embeddings"]
        let corpus: MatrixArgument = try args["corpus_embeddings"]
        let hits = try semanticSearch(
            queries.matrix, corpus.matrix, queryChunkSize: args["query_chunk_size"],
            corpusChunkSize: args["corpus_chunk_size"], topK: args["top_k"],
            score: scoreFunction(args))
        let state = args.state
        return try hits.map { row in
            try row.map { hit in
                let table = try state.table(hash: 2)
                try table.set("corpus_id", hit.corpusID + 1)
                try table.set("score", hit.score)
                return table
            }
        }
    }
}

/// A similarity by name, or a function of the script that gives the matrix of scores.
private func scoreFunction(_ args: LuaArguments) throws -> (Matrix, Matrix) throws -> Matrix {
    let value: LuaValue = try args["score_function"]
    if let function = value.function {
        return { queries, documents in
            let result: LuaValue = try function.call(queries, documents)
            guard let scores = result.object(as: Matrix.self), scores.rows == queries.rows,
                scores.columns == documents.rows
            else {
                throw LuaError.message(
                    "score_function: expected a Matrix of \(queries.rows)x\(documents.rows)"
                        + " scores from the function, got \(result.typeName)")
            }
            return scores
        }
    }
    let name: String = try args["score_function"]
    guard let similarity = similarities.first(where: { $0.name == name }) else {
        throw args.invalid("score_function", "'\(name)' is not known")
    }
    return { try similarity.body(DifferentiableMatrix($0), DifferentiableMatrix($1)).value }
}
