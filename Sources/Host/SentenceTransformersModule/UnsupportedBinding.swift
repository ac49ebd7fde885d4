// Losses and evaluators of Python that are not there: each is a function that says why, and what to
// use. docs/differences.md lists them.

import LuaBridge
import Training

private struct Unsupported {
    let name: String
    let reason: String
    let instead: String

    init(_ name: String, _ reason: String, use instead: String) {
        self.name = name
        self.reason = reason
        self.instead = instead
    }
}

private let losses = [
    Unsupported(
        "SoftmaxLoss", "its classifier would be weights outside of the model",
        use: "CoSENTLoss or CosineSimilarityLoss with scores, or ContrastiveLoss with labels 0 and"
            + " 1"),
    Unsupported(
        "GISTEmbedLoss", "it embeds every batch with a second model",
        use: "MultipleNegativesRankingLoss, with negatives that were chosen beforehand"),
    Unsupported(
        "CachedGISTEmbedLoss", "it embeds every batch with a second model",
        use: "CachedMultipleNegativesRankingLoss, with negatives that were chosen beforehand"),
    Unsupported(
        "MegaBatchMarginLoss", "it is not written yet",
        use: "CachedMultipleNegativesRankingLoss, whose hardness_mode prefers hard negatives"),
    Unsupported(
        "AdaptiveLayerLoss", "it trains the embeddings of every layer",
        use: "MatryoshkaLoss, or a model with fewer layers"),
    Unsupported(
        "Matryoshka2dLoss", "it trains the embeddings of every layer", use: "MatryoshkaLoss"),
    Unsupported(
        "GlobalOrthogonalRegularizationLoss", "it is not written yet",
        use: "st.losses.Custom, which can compute it"),
    Unsupported(
        "DenoisingAutoEncoderLoss", "its decoder would be weights outside of the model",
        use: "MultipleNegativesRankingLoss, with each text as its own positive"),
    Unsupported(
        "ContrastiveTensionLoss", "it trains a copy of the model",
        use: "MultipleNegativesRankingLoss, with each text as its own positive"),
    Unsupported(
        "ContrastiveTensionLossInBatchNegatives", "it trains a copy of the model",
        use: "MultipleNegativesRankingLoss, with each text as its own positive"),
]

private let evaluators = [
    Unsupported(
        "LabelAccuracyEvaluator", "it measures the classifier of SoftmaxLoss, which is not there",
        use: "BinaryClassificationEvaluator, or a function of the model"),
    Unsupported(
        "ParaphraseMiningEvaluator", "it is not written yet",
        use: "BinaryClassificationEvaluator, or InformationRetrievalEvaluator"),
    Unsupported(
        "MSEEvaluatorFromDataFrame", "there are no data frames",
        use: "MSEEvaluator, once for each pair of languages"),
    Unsupported(
        "NanoBEIREvaluator", "it fetches data sets of its own",
        use: "InformationRetrievalEvaluator, with data of datasets.load_dataset"),
]

func addUnsupportedLosses(to module: LuaModule) { add(losses, to: module) }

func addUnsupportedEvaluators(to module: LuaModule) { add(evaluators, to: module) }

private func add(_ absent: [Unsupported], to module: LuaModule) {
    // Whatever it is called with.
    let arguments = (1...8).map { place in
        LuaParameter("argument\(place)", .any, default: .nil, kind: .positionalOnly)
    }
    for one in absent {
        module.function(
            one.name, arguments, doc: "Not supported: \(one.reason). Use \(one.instead)."
        ) { _ -> LuaValue in
            throw TrainingError.model(
                problem: "sentence_transformers' \(one.name) is not supported: \(one.reason)",
                hint: "use \(one.instead)")
        }
    }
}
