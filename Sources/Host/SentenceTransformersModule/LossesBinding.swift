// `st.losses`: one function per loss, named and with the arguments of the Python class. Each
// decodes its arguments and makes a LossObject; the mathematics is in Training/Losses.

import LuaBridge
import Training

/// A loss as scripts hold it: the loss and the model it was made for.
///
/// The mathematics needs embeddings only, so a trainer uses a loss with its own model, whichever
/// it was made for, as Python rebinds a loss's `model`.
final class LossObject: LuaObject, Sendable {
    let loss: any Loss
    let model: SentenceTransformer

    init(_ loss: any Loss, _ model: SentenceTransformer) {
        self.loss = loss
        self.model = model
    }

    /// "MultipleNegativesRankingLoss(scale=20.0, similarity_fct='cos_sim')"
    var summary: String {
        let arguments = loss.configuration.map { "\($0.name)=\($0.value)" }
        return "\(loss.name)(\(arguments.joined(separator: ", ")))"
    }
}

func lossClass() -> LuaClass<LossObject> {
    LuaClass<LossObject>(
        "Loss", doc: "What a trainer minimises; made by the functions of st.losses."
    )
    .property("name", .string, doc: "The Python class name.", get: { $0.loss.name })
    .property("model", .object("SentenceTransformer"), get: { $0.model })
    .tostring { $0.summary }
}

func lossesModule(_ session: HostSession) -> LuaModule {
    let module = LuaModule("sentence_transformers.losses")
    addRankingLosses(to: module)
    addPairLosses(to: module)
    addTripletAndWrapperLosses(to: module)
    addBatchTripletLosses(to: module)
    addDistillationLosses(to: module)
    addCustomLoss(to: module, session.progress)
    addUnsupportedLosses(to: module)
    module.submodule("TripletDistanceMetric", enumeration("TripletDistanceMetric", tripletMetrics))
    module.submodule("SiameseDistanceMetric", enumeration("SiameseDistanceMetric", siameseMetrics))
    return module
}

private let tripletMetrics = TripletLoss.DistanceMetric.allCases.map(\.rawValue)
private let siameseMetrics = SiameseDistanceMetric.allCases.map(\.rawValue)

/// A table of string constants, each its own value: `TripletDistanceMetric.COSINE == "COSINE"`.
private func enumeration(_ name: String, _ values: [String]) -> LuaModule {
    let module = LuaModule(name)
    for value in values { module.constant(value, value) }
    return module
}

private let model = LuaParameter.required(
    "model", .object("SentenceTransformer"), "The model that is trained.")

private let scale = LuaParameter.optional(
    "scale", .number, 20.0, range: .above(0), "Factor on similarities; the inverse temperature.")

// MARK: - Ranking

private func addRankingLosses(to module: LuaModule) {
    typealias Ranking = MultipleNegativesRankingLoss
    func names<E: CaseIterable & RawRepresentable>(_: E.Type) -> [String]
    where E.RawValue == String { E.allCases.map(\.rawValue) }

    let similarity = LuaParameter.optional(
        "similarity_fct", .oneOf(names(Ranking.Similarity.self)), "cos_sim",
        "Similarity of all pairs.")
    let gather = LuaParameter.optional(
        "gather_across_devices", .boolean, false, "Only false: there is one device.")
    let directions = [
        LuaParameter.optional(
            "directions", .sequence(.oneOf(names(Ranking.Direction.self))),
            .computed("{\"query_to_doc\"}"), "Which similarities compete."),
        .optional(
            "partition_mode", .oneOf(names(Ranking.PartitionMode.self)), "joint",
            "Whether directions share one softmax."),
    ]
    let hardness = [
        LuaParameter.optional(
            "hardness_mode", .oneOf(names(Ranking.HardnessMode.self)), .nil,
            "Which negatives weigh more the closer they are."),
        .optional("hardness_strength", .number, 0.0, range: .atLeast(0), "How much more."),
    ]
    let miniBatchSize = LuaParameter.optional(
        "mini_batch_size", .integer, 32, range: .atLeast(1),
        "Texts whose activations are in memory together.")
    let miniBatchTokens = LuaParameter.optional(
        "mini_batch_num_tokens", .integer, .nil, range: .atLeast(1),
        "Tokens of them, instead of mini_batch_size.")
    let showProgressBar = LuaParameter.optional(
        "show_progress_bar", .boolean, false, "No effect: mini-batches take no time to speak of.")

    module.function(
        "MultipleNegativesRankingLoss", [model, scale, similarity, gather] + directions + hardness,
        doc:
            "InfoNCE with the other rows of the batch as negatives: (anchor, positive, negatives...)."
    ) { args in
        let loss = try Ranking(
            scale: args["scale"],
            similarityFct: choice(args, "similarity_fct") ?? .cosine,
            gatherAcrossDevices: args["gather_across_devices"],
            directions: choices(args, "directions") ?? [.queryToDoc],
            partitionMode: choice(args, "partition_mode") ?? .joint,
            hardnessMode: choice(args, "hardness_mode"),
            hardnessStrength: args["hardness_strength"])
        return LossObject(loss, try args["model"])
    }
    module.function(
        "CachedMultipleNegativesRankingLoss",
        [model, scale, similarity, miniBatchSize, miniBatchTokens, gather] + directions
            + [showProgressBar] + hardness,
        doc: "MultipleNegativesRankingLoss for batches of thousands of rows: activations are"
            + " computed again instead of kept."
    ) { args in
        let loss = try Ranking.cached(
            scale: args["scale"], similarityFct: choice(args, "similarity_fct") ?? .cosine,
            miniBatchSize: args["mini_batch_size"],
            miniBatchTokens: args["mini_batch_num_tokens"],
            gatherAcrossDevices: args["gather_across_devices"],
            directions: choices(args, "directions") ?? [.queryToDoc],
            partitionMode: choice(args, "partition_mode") ?? .joint,
            hardnessMode: choice(args, "hardness_mode"),
            hardnessStrength: args["hardness_strength"])
        return LossObject(loss, try args["model"])
    }
    module.function(
        "MultipleNegativesSymmetricRankingLoss", [model, scale, similarity],
        doc: "Ranking in both directions; deprecated in Python in favour of"
            + " MultipleNegativesRankingLoss{directions, partition_mode}."
    ) { args in
        let loss = try Ranking.symmetric(
            scale: args["scale"], similarityFct: choice(args, "similarity_fct") ?? .cosine)
        return LossObject(loss, try args["model"])
    }
    module.function(
        "CachedMultipleNegativesSymmetricRankingLoss",
        [model, scale, similarity, miniBatchSize, miniBatchTokens, gather, showProgressBar],
        doc: "MultipleNegativesSymmetricRankingLoss for batches of thousands of rows."
    ) { args in
        let loss = try Ranking.symmetric(
            scale: args["scale"], similarityFct: choice(args, "similarity_fct") ?? .cosine,
            miniBatches: MiniBatches(
                owner: "CachedMultipleNegativesSymmetricRankingLoss",
                size: args["mini_batch_size"], tokens: args["mini_batch_num_tokens"]),
            gatherAcrossDevices: args["gather_across_devices"])
        return LossObject(loss, try args["model"])
    }
    module.function(
        "MarginMSELoss",
        [
            model,
            .optional("similarity_fct", .oneOf(pairwiseNames), "pairwise_dot_score"),
        ],
        doc:
            "Margins between positive and negatives follow a teacher's: (query, positive, negatives...)"
    ) { args in
        LossObject(
            MarginMSELoss(similarityFct: try choice(args, "similarity_fct") ?? .dot),
            try args["model"])
    }
}

// MARK: - Scored pairs

private let pairwiseNames = CoSENTLoss.Similarity.allCases.map(\.rawValue)

private func addPairLosses(to module: LuaModule) {
    module.function(
        "CosineSimilarityLoss",
        [
            model,
            .optional("loss_fct", .string, "MSELoss", "Only MSELoss."),
            .optional("cos_score_transformation", .string, "Identity", "Only Identity."),
        ], doc: "Squared error of the cosine similarity: (sentence1, sentence2) with a score."
    ) { args in
        LossObject(
            try CosineSimilarityLoss(
                lossFct: args["loss_fct"], cosScoreTransformation: args["cos_score_transformation"]),
            try args["model"])
    }
    module.function(
        "CoSENTLoss",
        [model, scale, .optional("similarity_fct", .oneOf(pairwiseNames), "pairwise_cos_sim")],
        doc:
            "Pairs with a higher score should be more similar: (sentence1, sentence2) with a score."
    ) { args in
        LossObject(
            try CoSENTLoss(
                scale: args["scale"], similarityFct: choice(args, "similarity_fct") ?? .cosine),
            try args["model"])
    }
    module.function(
        "AnglELoss", [model, scale], doc: "CoSENTLoss with the angle in complex space."
    ) { args in
        LossObject(try AnglELoss(scale: args["scale"]), try args["model"])
    }
    let metric = LuaParameter.optional(
        "distance_metric", .oneOf(siameseMetrics), "COSINE_DISTANCE", "Distance of a pair.")
    let margin = LuaParameter.optional(
        "margin", .number, 0.5, "Distance that negative pairs should have at least.")
    module.function(
        "ContrastiveLoss", [model, metric, margin, .optional("size_average", .boolean, true)],
        doc: "Pairs with label 1 come close, pairs with label 0 go apart."
    ) { args in
        LossObject(
            try ContrastiveLoss(
                distanceMetric: choice(args, "distance_metric") ?? .cosine,
                margin: args["margin"], sizeAverage: args["size_average"]),
            try args["model"])
    }
    module.function(
        "OnlineContrastiveLoss", [model, metric, margin],
        doc: "ContrastiveLoss over the hard pairs of a batch only."
    ) { args in
        LossObject(
            try OnlineContrastiveLoss(
                distanceMetric: choice(args, "distance_metric") ?? .cosine, margin: args["margin"]),
            try args["model"])
    }
}

// MARK: - Triplets and wrappers

private func addTripletAndWrapperLosses(to module: LuaModule) {
    module.function(
        "TripletLoss",
        [
            model,
            .optional("distance_metric", .oneOf(tripletMetrics), "EUCLIDEAN"),
            .optional(
                "triplet_margin", .number, 5.0,
                "How much further the negative should be than the positive."),
        ], doc: "The anchor is closer to the positive than to the negative, by a margin."
    ) { args in
        LossObject(
            try TripletLoss(
                distanceMetric: choice(args, "distance_metric") ?? .euclidean,
                tripletMargin: args["triplet_margin"]),
            try args["model"])
    }
    module.function(
        "MatryoshkaLoss",
        [
            model,
            .required("loss", .object("Loss"), "The loss that is computed for every dimension."),
            .required("matryoshka_dims", .sequence(.integer)),
            .optional("matryoshka_weights", .sequence(.number), .computed("1 for each")),
            .optional("n_dims_per_step", .integer, -1, "-1: all dimensions at every step."),
        ], doc: "Embeddings that can be cut to fewer dimensions."
    ) { args in
        let inner: LossObject = try args["loss"]
        return LossObject(
            try MatryoshkaLoss(
                inner.loss, matryoshkaDims: args["matryoshka_dims"],
                matryoshkaWeights: args["matryoshka_weights"],
                nDimsPerStep: args["n_dims_per_step"]),
            try args["model"])
    }
}

// MARK: - Enumerations as strings

/// The case named by a string argument; nil when it was not given and has no default.
func choice<E: RawRepresentable<String> & CaseIterable>(
    _ args: LuaArguments, _ name: String
) throws -> E? {
    guard let text: String = try args[name] else { return nil }
    return try E(choosing: text, for: name)
}

private func choices<E: RawRepresentable<String> & CaseIterable>(
    _ args: LuaArguments, _ name: String
) throws -> [E]? {
    guard let texts: [String] = try args[name] else { return nil }
    return try texts.map { try E(choosing: $0, for: name) }
}

extension RawRepresentable<String> where Self: CaseIterable {
    /// For values whose declared type could not check them.
    init(choosing text: String, for name: String) throws {
        guard let value = Self(rawValue: text) else {
            let valid = Self.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
            throw LuaError.value(path: name, problem: "'\(text)' is not one of \(valid)")
        }
        self = value
    }
}
