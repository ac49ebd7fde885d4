// `st.losses`, second part: losses that find their triplets in a batch, and those that learn from a
// teacher's embeddings or scores.

import LuaBridge
import Training

private let model = LuaParameter.required(
    "model", .object("SentenceTransformer"), "The model that is trained.")
private let distances = BatchDistanceMetric.allCases.map(\.rawValue)

func addBatchTripletLosses(to module: LuaModule) {
    let summaries: [(BatchTripletLoss.Mining, String)] = [
        (.all, "Every triplet of a batch whose labels make one."),
        (.hard, "For each sentence its farthest positive and its nearest negative."),
        (.semiHard, "For each pair of a label the nearest negative that is farther away."),
        (.softMargin, "As BatchHardTripletLoss, without a margin to choose."),
    ]
    for (mining, summary) in summaries {
        var parameters = [
            model,
            .optional(
                "distance_metric", .oneOf(distances), "euclidean_distance",
                "One of st.losses.BatchHardTripletLossDistanceFunction."),
        ]
        if mining != .softMargin {
            parameters.append(
                .optional("margin", .number, 5.0, "How much farther a negative must be."))
        }
        module.function(
            mining.rawValue, parameters, doc: summary + " Takes (sentence) and a class as label."
        ) { args in
            let loss = try BatchTripletLoss(
                mining, distanceMetric: choice(args, "distance_metric") ?? .euclidean,
                margin: mining == .softMargin ? 5 : args["margin"])
            return LossObject(loss, try args["model"])
        }
    }
    let functions = LuaModule("BatchHardTripletLossDistanceFunction")
    for name in distances { functions.constant(name, name) }
    module.submodule("BatchHardTripletLossDistanceFunction", functions)
}

func addDistillationLosses(to module: LuaModule) {
    // A layer of the loss's own would have to be trained and saved with it.
    let projection = LuaParameter.optional(
        "projection_dim", .integer, .nil, "Only nil: losses have no weights here.")
    func refuseProjection(_ args: LuaArguments) throws {
        guard args.isGiven("projection_dim") else { return }
        throw args.invalid(
            "projection_dim", "is not available; give the model a Dense module of that size")
    }
    module.function(
        "MSELoss", [model, projection],
        doc: "Mean squared error to a teacher's embeddings: (sentence...) and a list as label."
    ) { args in
        try refuseProjection(args)
        return LossObject(
            EmbedDistillLoss(distanceMetric: .mse, name: "MSELoss"), try args["model"])
    }
    module.function(
        "EmbedDistillLoss",
        [
            model,
            .optional(
                "distance_metric",
                .oneOf(EmbedDistillLoss.DistanceMetric.allCases.map(\.rawValue)), "cosine"),
            projection,
        ], doc: "Distance to a teacher's embeddings: (sentence...) and a list as label."
    ) { args in
        try refuseProjection(args)
        return LossObject(
            EmbedDistillLoss(distanceMetric: try choice(args, "distance_metric") ?? .cosine),
            try args["model"])
    }
    module.function(
        "DistillKLDivLoss",
        [
            model,
            .optional(
                "similarity_fct", .oneOf(CoSENTLoss.Similarity.allCases.map(\.rawValue)),
                "pairwise_dot_score"),
            .optional("temperature", .number, 1.0, range: .above(0), "Of both softmaxes."),
            .optional("student_temperature", .number, .nil, range: .above(0)),
            .optional("teacher_temperature", .number, .nil, range: .above(0)),
        ],
        doc: "Divergence from a teacher's ranking: (query, candidates...) and their scores."
    ) { args in
        let loss = try DistillKLDivLoss(
            similarityFct: choice(args, "similarity_fct") ?? .dot,
            temperature: args["temperature"], studentTemperature: args["student_temperature"],
            teacherTemperature: args["teacher_temperature"])
        return LossObject(loss, try args["model"])
    }
}
