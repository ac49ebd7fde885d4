// `require "sentence_transformers"`: what the module holds. One file per class beside this one.

import LuaBridge
import Training

extension HostModule {
    static let sentenceTransformers = HostModule("sentence_transformers", shortName: "st") {
        session in try SentenceTransformersModule.make(session)
    }
}

enum SentenceTransformersModule {
    static func make(_ session: HostSession) throws -> LuaModule {
        let state = session.lua
        try state.register(differentiableMatrixClass())
        try state.register(lossClass())
        try state.register(evaluatorClass())
        try state.register(bestRunClass())
        try state.register(trialClass())
        try state.register(columnClass())
        try state.register(datasetClass())
        try state.register(datasetDictClass())
        return LuaModule(
            "sentence_transformers", doc: "Fine-tuning of sentence-embedding models."
        )
        .class(sentenceTransformerClass(session))
        .class(trainerClass(session))
        .class(trainingArgumentsClass())
        .class(earlyStoppingClass())
        .class(matrixClass())
        .submodule("losses", lossesModule(session))
        .submodule("util", utilModule())
        .submodule("evaluation", evaluationModule())
        .submodule(
            "SimilarityFunction",
            constants("SimilarityFunction", SimilarityFunction.self)
                .constant("DOT_PRODUCT", SimilarityFunction.dot.rawValue)
        )
        .submodule("BatchSamplers", constants("BatchSamplers", BatchSamplers.self))
        .submodule(
            "MultiDatasetBatchSamplers",
            constants("MultiDatasetBatchSamplers", MultiDatasetBatchSamplers.self))
    }

    /// An enumeration of Python: `NO_DUPLICATES` stands for "no_duplicates".
    private static func constants<E: CaseIterable & RawRepresentable<String>>(
        _ name: String, _: E.Type
    ) -> LuaModule {
        let module = LuaModule(name)
        for value in E.allCases { module.constant(value.rawValue.uppercased(), value.rawValue) }
        return module
    }
}
