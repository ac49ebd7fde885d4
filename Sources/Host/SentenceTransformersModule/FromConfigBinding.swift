// `st.SentenceTransformer.from_config`: a new small model for fixtures, made in memory.

import LuaBridge
import OrderedJSON
import Training

func addFromConfig(to declaration: LuaClass<SentenceTransformer>) {
    let size = LuaRange.atLeast(1)
    declaration.staticFunction(
        "from_config",
        [
            .keyword(
                "architecture", .oneOf(TransformerConfig.Architecture.allCases.map(\.rawValue)),
                "bert"),
            .keyword("vocab", .sequence(.string), .nil, "WordPiece tokens in the order of ids."),
            .keyword("corpus", TextsArgument.type, .nil, "Texts whose words make the vocabulary."),
            .keyword(
                "vocab_size", .integer, 30522, range: size,
                "Most tokens that are made of the corpus."),
            .keyword("do_lower_case", .boolean, true),
            .keyword("hidden_size", .integer, 768, range: size),
            .keyword("num_hidden_layers", .integer, .computed("12, for distilbert 6")),
            .keyword(
                "num_attention_heads", .integer,
                .computed("12, or what divides hidden_size best"), range: size),
            .keyword("intermediate_size", .integer, .computed("4 * hidden_size"), range: size),
            .keyword("max_position_embeddings", .integer, 512, range: .atLeast(2)),
            .keyword("hidden_act", .string, "gelu"),
            .keyword("hidden_dropout_prob", .number, 0.1, range: .between(0, 1)),
            .keyword("attention_probs_dropout_prob", .number, 0.1, range: .between(0, 1)),
            .keyword("initializer_range", .number, 0.02, range: .atLeast(0)),
            .keyword(
                "pooling_mode", .oneOf(PoolingMode.allCases.map(\.rawValue)), "mean"),
            .keyword("normalize", .boolean, false, "Whether embeddings get length 1."),
            .keyword(
                "seed", .integer, 0, range: .atLeast(0),
                "torch.manual_seed before the weights are drawn."),
        ],
        doc: "A new model with the weights that transformers draws for this seed, in memory."
    ) { args in
        var model = NewModelOptions()
        model.architecture = try choice(args, "architecture") ?? .bert
        model.lowercases = try args["do_lower_case"]
        model.seed = try args["seed"]
        model.pooling = try choice(args, "pooling_mode") ?? .mean
        model.normalizes = try args["normalize"]
        for name in sizes + ["max_position_embeddings", "num_hidden_layers"] {
            let value: Int? = try args[name]
            if let value { model.config[name] = JSONValue(value) }
        }
        for name in ["hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range"] {
            model.config[name] = .double(try args[name])
        }
        model.config["hidden_act"] = .string(try args["hidden_act"])
        try setVocabulary(of: &model, args)
        return try SentenceTransformer(new: model)
    }
}

private let sizes = ["hidden_size", "num_attention_heads", "intermediate_size"]

private func setVocabulary(of model: inout NewModelOptions, _ args: LuaArguments) throws {
    switch (args.isGiven("vocab"), args.isGiven("corpus")) {
    case (true, false): model.vocabulary = try args["vocab"]
    case (false, true):
        let corpus: TextsArgument = try args["corpus"]
        model.setVocabulary(corpus: corpus.values, size: try args["vocab_size"])
    case (true, true):
        throw LuaError.message("from_config: got both vocab and corpus; give one of them")
    case (false, false):
        throw LuaError.message(
            "from_config: got neither vocab nor corpus; give the tokens, or texts to make them of")
    }
}
