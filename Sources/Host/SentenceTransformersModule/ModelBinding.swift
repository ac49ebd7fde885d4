// `st.SentenceTransformer`: loading, encoding, similarity and saving.

public import LuaBridge
import FoundationEssentials
import Hub
import OrderedJSON
public import Training

extension SentenceTransformer: LuaObject {}

func sentenceTransformerClass(_ session: HostSession) -> LuaClass<SentenceTransformer> {
    let declaration = LuaClass<SentenceTransformer>(
        "SentenceTransformer", doc: "A sentence-embedding model.")
    addFromConfig(to: declaration)
    addLoading(to: declaration, session)
    addFields(to: declaration)
    addEncoding(to: declaration, session)
    addTokens(to: declaration)
    addSimilarity(to: declaration)
    addEvaluation(to: declaration)
    return declaration
}

// MARK: - Loading and saving

private let functionNames = SimilarityFunction.allCases.map(\.rawValue)

private func addLoading(
    to declaration: LuaClass<SentenceTransformer>, _ session: HostSession
) {
    declaration.constructor(
        [
            .required("model_name_or_path", .string, "A folder, or a model of the hub."),
            .keyword("prompts", .map(.string), .nil, "Texts that go before sentences, by name."),
            .keyword("default_prompt_name", .string),
            .keyword("similarity_fn_name", .oneOf(functionNames)),
            .keyword("truncate_dim", .integer, .nil, range: .atLeast(1)),
            .keyword("max_seq_length", .integer, .nil, range: .atLeast(1)),
            .keyword("device", .string, .nil, "Only \"cpu\"."),
            .keyword("cache_folder", .string, .nil, "Where fetched models are kept."),
            .keyword("revision", .string, .nil, "A branch, tag or commit of the hub."),
            .keyword(
                "token", .union([.string, .boolean]), .nil, "Of the hub; true: the stored one."),
            .keyword("local_files_only", .boolean, false, "Whether the cache must do."),
        ], doc: "Loads a model from a folder or the hub."
    ) { args in
        let path: String = try args.path("model_name_or_path")
        if let device: String = try args["device"], device != "cpu" {
            throw args.invalid("device", "'\(device)' is not available; use \"cpu\"")
        }
        let folder = try modelFolder(path, args, session)
        var options = SentenceTransformer.Options()
        options.prompts = try args["prompts"]
        options.defaultPromptName = try args["default_prompt_name"]
        options.similarityFnName = try choice(args, "similarity_fn_name")
        options.truncateDim = try args["truncate_dim"]
        options.maxSeqLength = try args["max_seq_length"]
        return try SentenceTransformer(path: folder, options: options)
    }
    .method(
        "save_pretrained", [.required("path", .string, "The folder to write.")],
        doc: "Writes a folder that Python's SentenceTransformer loads."
    ) { model, args in
        try model.save(to: try args.path("path"))
    }
    .method("save", [.required("path", .string)], doc: "As save_pretrained.") { model, args in
        try model.save(to: try args.path("path"))
    }
}

/// A folder of that name, or the folder into which a model of the hub is fetched.
private func modelFolder(
    _ path: String, _ args: LuaArguments, _ session: HostSession
) throws -> String {
    var isFolder = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder {
        try session.checkFolder(path)
        return path
    }
    if exists {
        throw TrainingError.file(
            path: path, problem: "is a file", hint: "give the folder of a saved model")
    }
    guard !path.hasPrefix("/"), !path.hasPrefix("."), path.split(separator: "/").count <= 2 else {
        throw TrainingError.file(
            path: path, problem: "there is no such folder",
            hint: "give the folder of a saved model")
    }
    var access = try HubAccess(args)
    access.cacheFolder =
        try args["cache_folder"] ?? HubConfiguration.environment("SENTENCE_TRANSFORMERS_HOME")
    access.localFilesOnly = try args["local_files_only"]
    return try session.hub(for: path).modelFolder(path, access)
}

// MARK: - Fields

private func addFields(to declaration: LuaClass<SentenceTransformer>) {
    declaration
        .property(
            "max_seq_length", .integer, doc: "Longest sentence in tokens.",
            get: { $0.maxSeqLength }, set: { try $0.setMaxSeqLength($1) }
        )
        .property(
            "similarity_fn_name", .oneOf(functionNames), doc: "How embeddings are compared.",
            get: { $0.similarityFnName.rawValue },
            set: { (model: SentenceTransformer, name: String) in
                model.similarityFnName = try SimilarityFunction(
                    choosing: name, for: "similarity_fn_name")
            }
        )
        .property(
            "truncate_dim", .integer, doc: "Dimensions that encode keeps; nil for all.",
            get: { $0.truncateDim },
            set: { (model: SentenceTransformer, dimension: Int?) in
                if let dimension, dimension < 1 {
                    throw LuaError.value(
                        path: "truncate_dim", problem: "must be at least 1, got \(dimension)")
                }
                model.truncateDim = dimension
            }
        )
        .property(
            "prompts", .map(.string), doc: "Texts that go before sentences, by name.",
            get: { $0.prompts },
            set: { (model: SentenceTransformer, prompts: [String: String]) in
                if let name = model.defaultPromptName, prompts[name] == nil {
                    throw LuaError.value(
                        path: "prompts",
                        problem: "default_prompt_name '\(name)' is not among them; set it to nil"
                            + " first")
                }
                model.prompts = prompts
            }
        )
        .property(
            "default_prompt_name", .string, doc: "The prompt used when none is asked for.",
            get: { $0.defaultPromptName },
            set: { (model: SentenceTransformer, name: String?) in
                if let name, model.prompts[name] == nil {
                    throw LuaError.value(
                        path: "default_prompt_name",
                        problem: "there is no prompt '\(name)'; the prompts are"
                            + " \(model.prompts.keys.sorted().joined(separator: ", "))")
                }
                model.defaultPromptName = name
            }
        )
        .property("device", .string, get: { _ in "cpu" })
        .method("get_embedding_dimension", doc: "Length of an embedding.") { model, _ in
            model.embeddingDimension
        }
        .method("get_sentence_embedding_dimension", doc: "Length of an embedding.") { model, _ in
            model.embeddingDimension
        }
        .method("get_max_seq_length", doc: "Longest sentence in tokens.") { model, _ in
            model.maxSeqLength
        }
        .tostring {
            "SentenceTransformer('\($0.path)', max_seq_length=\($0.maxSeqLength),"
                + " dimension=\($0.embeddingDimension),"
                + " similarity_fn_name='\($0.similarityFnName.rawValue)')"
        }
        .memory { $0.parameterBytes }
}

extension SentenceTransformer {
    /// Of a model nobody has trained most of it is shared file pages; still a model that is
    /// forgotten should be collected soon.
    fileprivate var parameterBytes: Int {
        parameters.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    }
}

// MARK: - Encoding

private func addEncoding(to declaration: LuaClass<SentenceTransformer>, _ session: HostSession) {
    let sentences = LuaParameter.required(
        "sentences", .union([.string, .sequence(.string), .object("Column")]),
        "One text, or a sequence of them.")
    let options: [LuaParameter] = [
        .keyword("prompt_name", .string, .nil, "A name among the model's prompts."),
        .keyword("prompt", .string, .nil, "A text that goes before every sentence."),
        .keyword("batch_size", .integer, 32, range: .atLeast(1)),
        .keyword("show_progress_bar", .boolean, false),
        .keyword("normalize_embeddings", .boolean, false, "Whether rows get length 1."),
        .keyword("truncate_dim", .integer, .nil, range: .atLeast(1), "Dimensions to keep."),
    ]
    /// `prompts`: names to try in order when the call gives no prompt.
    func add(_ name: String, prompts: [String], doc: String) {
        declaration.method(name, [sentences] + options, doc: doc) { model, args in
            var settings = EncodeOptions()
            settings.promptName =
                try args["prompt_name"] ?? prompts.first { model.prompts[$0] != nil }
            settings.prompt = try args["prompt"]
            settings.batchSize = try args["batch_size"]
            settings.normalizeEmbeddings = try args["normalize_embeddings"]
            settings.truncateDim = try args["truncate_dim"]
            settings.cancellation = session.cancellation
            return try encode(args, model, settings, session)
        }
    }
    add("encode", prompts: [], doc: "Embeddings: a matrix, or for one text a sequence of numbers.")
    add("encode_query", prompts: ["query"], doc: "encode with the prompt \"query\".")
    add(
        "encode_document", prompts: ["document", "passage", "corpus"],
        doc: "encode with the prompt for documents.")
}

private func encode(
    _ args: LuaArguments, _ model: SentenceTransformer, _ options: EncodeOptions,
    _ session: HostSession
) throws -> LuaResults {
    let given: LuaValue = try args["sentences"]
    if given.typeName == "string" {
        // Says so when it is not UTF-8.
        let text: String = try args["sentences"]
        return LuaResults(try model.encode(text, options: options) as [Float])
    }
    let texts: TextsArgument = try args["sentences"]
    var options = options
    let isShown: Bool = try args["show_progress_bar"]
    let bar = isShown ? session.progress.bar("Encoding", total: texts.values.count) : nil
    defer { bar?.finish() }
    if let bar { options.progress = { bar.set(done: $0, total: $1) } }
    return LuaResults(try model.encode(texts.values, options: options) as Matrix)
}

// MARK: - Tokens

private func addTokens(to declaration: LuaClass<SentenceTransformer>) {
    for name in ["preprocess", "tokenize"] {
        declaration.method(
            name,
            [
                .required("inputs", TextsArgument.type),
                .optional("prompt", .string, .nil, "A text that goes before every one."),
            ],
            doc: "Tokens as the model gets them: input_ids, attention_mask and, for BERT,"
                + " token_type_ids, each with a row for every text, as long as the longest."
        ) { model, args in
            let texts: TextsArgument = try args["inputs"]
            let tokens = try model.tokenize(texts.values, prompt: try args["prompt"] ?? "")
            let longest = (0..<tokens.count).map(tokens.length).max() ?? 0
            let pad = Int32(clamping: model.transformerConfig.padTokenID ?? 0)
            let rows = (0..<tokens.count).map { text in
                let ids = Array(tokens[text])
                let padding = longest - ids.count
                return (
                    ids: ids + Array(repeating: pad, count: padding),
                    mask: ids.map { _ in 1 } + Array(repeating: 0, count: padding)
                )
            }
            func table(_ rows: [[Int]]) -> JSONValue {
                .array(rows.map { JSONValue($0.map { JSONValue($0) }) })
            }
            var features: JSONObject = [
                "input_ids": table(rows.map { $0.ids.map { Int($0) } })
            ]
            if model.transformerConfig.typeVocabSize > 0 {
                features["token_type_ids"] = table(rows.map { $0.ids.map { _ in 0 } })
            }
            features["attention_mask"] = table(rows.map(\.mask))
            return features
        }
    }
}

private func addEvaluation(to declaration: LuaClass<SentenceTransformer>) {
    declaration.method(
        "evaluate",
        [
            .required("evaluator", .any, "An evaluator, a function, or a sequence of either."),
            .optional("output_path", .string, .nil, "Folder for CSV files."),
        ], doc: "Metrics of the model, by name."
    ) { model, args in
        let value: LuaValue = try args["evaluator"]
        return try evaluator(from: value, path: "evaluator")
            .evaluate(model, EvaluationContext(outputPath: try args.path("output_path"))).json
    }
}

// MARK: - Similarity

private func addSimilarity(to declaration: LuaClass<SentenceTransformer>) {
    let embeddings = [
        LuaParameter.required("embeddings1", MatrixArgument.type, "A matrix or one embedding."),
        LuaParameter.required("embeddings2", MatrixArgument.type, "A matrix or one embedding."),
    ]
    declaration
        .method(
            "similarity", embeddings, doc: "All rows of one with all rows of the other: a matrix."
        ) { model, args in
            let first: MatrixArgument = try args["embeddings1"]
            let second: MatrixArgument = try args["embeddings2"]
            return try model.similarity(first.matrix, second.matrix)
        }
        .method("similarity_pairwise", embeddings, doc: "Row by row: a sequence of numbers.") {
            model, args in
            let first: MatrixArgument = try args["embeddings1"]
            let second: MatrixArgument = try args["embeddings2"]
            return try model.similarityPairwise(first.matrix, second.matrix)
        }
}
