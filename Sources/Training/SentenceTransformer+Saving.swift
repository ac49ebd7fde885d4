// From a model to a folder that Python's SentenceTransformer(folder) loads.
import OrderedJSON

extension SentenceTransformer {
    /// Writes modules.json, all configurations, weights, tokenizer and README.md into `folder`,
    /// which is made when it does not exist. Each file is replaced in one step. Weights are written
    /// in the type that config.json names if it holds them all exactly, else as float32.
    ///
    /// - Throws: `TrainingError.file` naming the file that could not be written, `.argument` for no
    ///   folder at all.
    public func save(to folder: String) throws {
        if folder.isEmpty {
            throw TrainingError.argument(
                owner: "SentenceTransformer", name: "path", problem: "is empty",
                hint: "name the folder to write; \".\" is the current one")
        }
        // Before anything is replaced: `folder` may be where the model came from.
        let card = try readme()
        try ModelFiles.makeFolder(folder)
        let type = weightType
        try writeSafetensors(
            Self.tensors(checkpoint.encoderParameters, type),
            to: ModelFiles.join(folder, "model.safetensors"))
        try ModelFiles.write(
            .object(transformerJSON(type)), to: ModelFiles.join(folder, "config.json"), indent: 2,
            sortsKeys: true, finalNewline: true)
        try ModelFiles.write(
            .object(sentenceJSON()), to: ModelFiles.join(folder, "sentence_bert_config.json"),
            indent: 4)
        try tokenizer?.save(to: folder, modelMaxLength: maxSeqLength)
        for (index, module) in head.modules.enumerated() {
            let subfolder = ModelFiles.join(folder, Self.folderName(index + 1, module))
            try ModelFiles.makeFolder(subfolder)
            try ModelFiles.write(
                .object(Self.moduleJSON(module)), to: ModelFiles.join(subfolder, "config.json"),
                indent: 4)
            if let parameters = checkpoint.moduleParameters[index + 1] {
                try writeSafetensors(
                    Self.tensors(parameters, type),
                    to: ModelFiles.join(subfolder, "model.safetensors"), metadata: nil)
            }
        }
        try ModelFiles.write(
            .object(settingsJSON()),
            to: ModelFiles.join(folder, "config_sentence_transformers.json"), indent: 2,
            sortsKeys: true)
        try ModelFiles.write(
            .array(moduleList()), to: ModelFiles.join(folder, "modules.json"), indent: 2)
        try ModelFiles.write(card, to: ModelFiles.join(folder, "README.md"))
    }

    private static func tensors(
        _ parameters: [Parameter], _ type: TensorType
    ) -> [TensorToWrite] {
        parameters.map {
            TensorToWrite(name: $0.name, type: type, shape: $0.shape, values: $0.value)
        }
    }

    /// Python computes in the type that config.json names, here it is float32: what training makes
    /// of half-precision weights does not fit into their type any more.
    private var weightType: TensorType {
        let names = ["dtype", "torch_dtype"]
        let stated: TensorType? =
            switch names.lazy.compactMap({ self.transformerConfig.json[$0]?.stringValue }).first {
            case "float16": .float16
            case "bfloat16": .bfloat16
            case nil: checkpoint.encoderParameters.first.flatMap { checkpoint.storedTypes[$0.name] }
            default: .float32
            }
        guard let stated, parameters.allSatisfy({ stated.holds($0.value, count: $0.count) }) else {
            return .float32
        }
        return stated
    }

    private static func folderName(_ index: Int, _ module: SentenceModule) -> String {
        "\(index)_\(module.className)"
    }

    /// The loaded config.json; the weights written are those of the bare encoder.
    private func transformerJSON(_ type: TensorType) -> JSONObject {
        var json = transformerConfig.json
        json["_name_or_path"] = nil
        json["torch_dtype"] = nil
        switch type {
        case .float16: json["dtype"] = "float16"
        case .bfloat16: json["dtype"] = "bfloat16"
        default: json["dtype"] = "float32"
        }
        switch transformerConfig.architecture {
        case .bert: json["architectures"] = ["BertModel"]
        case .distilbert: json["architectures"] = ["DistilBertModel"]
        }
        return json
    }

    private func sentenceJSON() -> JSONObject {
        var json: JSONObject = [
            "transformer_task": "feature-extraction",
            "modality_config": [
                "text": ["method": "forward", "method_output_name": "last_hidden_state"]
            ],
            "module_output_name": "token_embeddings",
        ]
        if checkpoint.lowercasesFirst { json["do_lower_case"] = true }
        return json
    }

    private func settingsJSON() -> JSONObject {
        var json: JSONObject = [
            // The releases whose layout this is.
            "__version__": [
                "sentence_transformers": "6.2.0", "transformers": "5.23.0", "pytorch": "2.13.0",
            ],
            "default_prompt_name": JSONValue(defaultPromptName),
            "model_type": "SentenceTransformer",
            "prompts": .object(JSONObject(prompts.map { ($0.key, JSONValue($0.value)) })),
            "similarity_fn_name": JSONValue(similarityFnName.rawValue),
        ]
        if let truncateDim { json["truncate_dim"] = JSONValue(truncateDim) }
        return json
    }

    private func moduleList() -> [JSONValue] {
        var list: [JSONValue] = [
            [
                "idx": 0, "name": "0", "path": "",
                "type": "sentence_transformers.base.modules.transformer.Transformer",
            ]
        ]
        for (index, module) in head.modules.enumerated() {
            list.append([
                "idx": JSONValue(index + 1), "name": JSONValue("\(index + 1)"),
                "path": JSONValue(Self.folderName(index + 1, module)),
                "type": JSONValue("sentence_transformers.\(Self.pythonModule(module))"),
            ])
        }
        return list
    }

    private static func pythonModule(_ module: SentenceModule) -> String {
        switch module.kind {
        case .pooling: "sentence_transformer.modules.pooling.Pooling"
        case .dense: "base.modules.dense.Dense"
        case .normalize: "base.modules.normalize.Normalize"
        case .layerNorm: "sentence_transformer.modules.layer_norm.LayerNorm"
        case .dropout: "sentence_transformer.modules.dropout.Dropout"
        }
    }

    private static func moduleJSON(_ module: SentenceModule) -> JSONObject {
        let names: JSONObject = [
            "module_input_name": "sentence_embedding", "module_output_name": "sentence_embedding",
        ]
        switch module.kind {
        case .pooling(let pooling):
            let modes = pooling.modes.map { JSONValue($0.rawValue) }
            return [
                "embedding_dimension": JSONValue(module.inputs),
                "pooling_mode": modes.count == 1 ? modes[0] : .array(modes),
                "include_prompt": JSONValue(pooling.includePrompt),
            ]
        case .dense(let dense):
            var json: JSONObject = [
                "in_features": JSONValue(module.inputs),
                "out_features": JSONValue(module.outputs),
                "bias": JSONValue(dense.linear.bias != nil),
                "activation_function": JSONValue(dense.activationName),
            ]
            for (key, value) in names { json[key] = value }
            if case .none = dense.residual { return json }
            json["use_residual"] = true
            return json
        case .normalize: return names
        case .layerNorm: return ["dimension": JSONValue(module.outputs)]
        case .dropout(let probability, _): return ["dropout": JSONValue(probability)]
        }
    }

    /// The trainer's card; else the one the model came with; else a short one.
    private func readme() throws -> String {
        if let modelCard { return modelCard.markdown(for: self) }
        let loaded = ModelFiles.join(path, "README.md")
        if checkpoint.isSentenceModel, ModelFiles.isFile(loaded) {
            return try ModelFiles.readText(loaded)
        }
        return ModelCard().markdown(for: self)
    }

    /// One line per module, in Python's notation.
    var architectureText: String {
        var lines = ["SentenceTransformer("]
        let name = transformerConfig.architecture == .bert ? "BertModel" : "DistilBertModel"
        lines.append(
            "  (0): Transformer({'max_seq_length': \(maxSeqLength), 'architecture': '\(name)'})")
        for (index, module) in head.modules.enumerated() {
            var options = JSONValue.object(Self.moduleJSON(module)).json()
            if case .normalize = module.kind { options = "" }
            lines.append("  (\(index + 1)): \(module.className)(\(options))")
        }
        return (lines + [")"]).joined(separator: "\n")
    }
}
