// From a model folder to a model: the list of modules, their configurations and weights.
import OrderedJSON

extension SentenceTransformer {
    /// Loads a folder as sentence-transformers saves it, or a plain Hugging Face checkpoint, which
    /// becomes Transformer and mean pooling.
    ///
    /// - Throws: `TrainingError.file` naming the file and what is wrong with it,
    ///   `TrainingError.model` when parts do not fit together.
    public convenience init(path: String, options: Options = Options()) throws {
        try self.init(path: path, parts: ModelLoader(folder: path).load(), options: options)
    }

    /// A second model of the same folder with its own weights, as they are in the files; both
    /// share the memory of all weights that neither has changed.
    public func reloaded() throws -> SentenceTransformer {
        var options = Options()
        options.maxSeqLength = maxSeqLength
        options.truncateDim = truncateDim
        options.prompts = prompts
        options.defaultPromptName = defaultPromptName
        options.similarityFnName = similarityFnName
        options.threads = threads
        return try SentenceTransformer(path: path, options: options)
    }
}

/// What config_sentence_transformers.json says.
struct ModelSettings {
    var prompts: [String: String] = ["query": "", "document": ""]
    var defaultPromptName: String?
    var similarity = SimilarityFunction.cosine
    var truncateDim: Int?
    /// "SentenceTransformer" unless the folder holds another kind of model.
    var modelType = "SentenceTransformer"
}

/// Where the parameters came from, for saving.
struct Checkpoint {
    /// Folder of config.json and the tokenizer.
    let transformerFolder: String
    /// Of the encoder's tensors.
    let storedTypes: [String: TensorType]
    /// One per module after the encoder that has weights: its place in the list, its parameters.
    let moduleParameters: [Int: [Parameter]]
    let encoderParameters: [Parameter]
    /// `do_lower_case` of sentence_bert_config.json: texts are lowercased before all else.
    let lowercasesFirst: Bool
    /// Whether the folder had a modules.json, so that its README speaks of this very model.
    let isSentenceModel: Bool
}

struct LoadedParts {
    let encoder: Encoder
    let modules: [SentenceModule]
    let parameters: [Parameter]
    let partialSums: PartialSums
    let settings: ModelSettings
    let tokenizer: (any TextTokenizer)?
    let maxSeqLength: Int
    let checkpoint: Checkpoint
}

struct ModelLoader {
    let folder: String

    func load() throws -> LoadedParts {
        guard ModelFiles.isFolder(folder) else {
            throw TrainingError.file(
                path: folder, problem: "is not a folder",
                hint: "give the folder of a model saved by sentence-transformers or transformers")
        }
        let settings = try readSettings()
        let entries = try readModuleList(settings)
        let transformer = ModelFiles.join(folder, entries.first?.path ?? "")
        let config = try readConfig(transformer)
        let sentenceConfig = try readSentenceConfig(transformer)

        var sums = PartialSums()
        let weights = ModelFiles.join(transformer, "model.safetensors")
        try checkWeights(weights, transformer)
        let store = try ParameterStore(
            file: SafetensorsFile(path: weights),
            prefixes: ["\(config.architecture.rawValue).", ""], qualifier: "model.0.model.")
        let encoderWeights = try EncoderWeights(config: config, store: store, sums: &sums)

        var stores: [Int: ParameterStore] = [:]
        var modules: [SentenceModule] = []
        var width = config.hiddenSize
        for (place, entry) in entries.enumerated().dropFirst() {
            let module = try loadModule(entry, place, width, modules, &stores, &sums)
            modules.append(module)
            width = module.outputs
        }
        let tokenizer = try loadTokenizer(transformer, config, sentenceConfig)
        let longest = try maxSeqLength(transformer, config, sentenceConfig)
        let stored = stores.sorted { $0.key < $1.key }
        return LoadedParts(
            encoder: Encoder(config: config, weights: encoderWeights), modules: modules,
            parameters: store.parameters + stored.flatMap(\.value.parameters), partialSums: sums,
            settings: settings, tokenizer: tokenizer, maxSeqLength: longest,
            checkpoint: Checkpoint(
                transformerFolder: transformer, storedTypes: store.storedTypes,
                moduleParameters: stores.mapValues(\.parameters),
                encoderParameters: store.parameters,
                lowercasesFirst: sentenceConfig["do_lower_case"]?.boolValue ?? false,
                isSentenceModel: entries.count > 1 && !entries[1].className.isEmpty))
    }

    // MARK: The list of modules

    struct Entry {
        let className: String
        let path: String
    }

    private func readModuleList(_ settings: ModelSettings) throws -> [Entry] {
        let path = ModelFiles.join(folder, "modules.json")
        // Another kind of model (a SparseEncoder, say) gives its encoder alone, as in Python.
        guard ModelFiles.isFile(path), settings.modelType == "SentenceTransformer" else {
            guard ModelFiles.isFile(ModelFiles.join(folder, "config.json")) else {
                throw TrainingError.file(
                    path: folder, problem: "holds neither modules.json nor config.json",
                    hint: "give the folder of a model saved by sentence-transformers or "
                        + "transformers")
            }
            return [Entry(className: "Transformer", path: ""), Entry(className: "", path: "")]
        }
        guard let list = try ModelFiles.readJSON(path).arrayValue, !list.isEmpty else {
            throw TrainingError.file(path: path, problem: "expected a list of modules")
        }
        let entries = try list.enumerated().map { place, value in
            guard let type = value["type"]?.stringValue,
                let subfolder = value["path"]?.stringValue
            else {
                throw TrainingError.file(
                    path: path, problem: "module \(place) has no type and path")
            }
            let name = type.split(separator: ".").last.map(String.init) ?? type
            guard type.hasPrefix("sentence_transformers."), Self.supported.contains(name) else {
                throw TrainingError.file(
                    path: path, problem: "module \(place) of type '\(type)' is not supported",
                    hint: "supported are \(Self.supported.joined(separator: ", "))")
            }
            guard !subfolder.hasPrefix("/"), !subfolder.split(separator: "/").contains("..") else {
                throw TrainingError.file(
                    path: path, problem: "module \(place) lies outside the folder: '\(subfolder)'")
            }
            return Entry(className: name, path: subfolder)
        }
        guard entries[0].className == "Transformer",
            !entries.dropFirst().contains(where: { $0.className == "Transformer" })
        else {
            throw TrainingError.file(
                path: path, problem: "the first module, and no other, must be a Transformer")
        }
        guard entries.count > 1, entries[1].className == "Pooling",
            !entries.dropFirst(2).contains(where: { $0.className == "Pooling" })
        else {
            throw TrainingError.file(
                path: path, problem: "the second module, and no other, must be Pooling")
        }
        return entries
    }

    private static let supported = [
        "Transformer", "Pooling", "Dense", "Normalize", "LayerNorm", "Dropout",
    ]

    private func readSettings() throws -> ModelSettings {
        var settings = ModelSettings()
        let path = ModelFiles.join(folder, "config_sentence_transformers.json")
        guard ModelFiles.isFile(path) else { return settings }
        let json = try ModelFiles.readObject(path)
        let reader = ConfigReader(json: json, path: path)
        let prompts = json["prompts"] ?? .null
        guard prompts.isNull || prompts.objectValue != nil else {
            throw TrainingError.file(
                path: path,
                problem: "prompts: expected an object of texts by name, found \(prompts)")
        }
        for (name, value) in prompts.objectValue ?? [:] {
            guard let text = value.stringValue else {
                throw TrainingError.file(
                    path: path, problem: "prompt '\(name)': expected a string, found \(value)")
            }
            settings.prompts[name] = text
        }
        settings.defaultPromptName = try reader.text("default_prompt_name")
        if let name = try reader.text("similarity_fn_name") {
            guard let function = SimilarityFunction(rawValue: name) else {
                throw TrainingError.file(
                    path: path, problem: "similarity_fn_name '\(name)' is not supported",
                    hint: "supported are "
                        + SimilarityFunction.allCases.map(\.rawValue).joined(separator: ", "))
            }
            settings.similarity = function
        }
        if json["truncate_dim"]?.isNull == false {
            settings.truncateDim = try reader.size("truncate_dim", default: 1)
        }
        if let type = try reader.text("model_type") { settings.modelType = type }
        return settings
    }

    // MARK: The encoder's files

    private func readConfig(_ transformer: String) throws -> TransformerConfig {
        let path = ModelFiles.join(transformer, "config.json")
        guard ModelFiles.isFile(path) else {
            throw TrainingError.file(path: path, problem: "does not exist")
        }
        return try TransformerConfig(path: path)
    }

    private func readSentenceConfig(_ transformer: String) throws -> JSONObject {
        let names = [
            "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet",
        ]
        for name in names {
            let path = ModelFiles.join(transformer, "sentence_\(name)_config.json")
            guard ModelFiles.isFile(path) else { continue }
            let json = try ModelFiles.readObject(path)
            let reader = ConfigReader(json: json, path: path)
            try require(reader, "transformer_task", "feature-extraction")
            try require(reader, "module_output_name", "token_embeddings")
            if let modality = json["modality_config"]?.objectValue {
                guard let text = modality["text"]?.objectValue else {
                    throw TrainingError.file(
                        path: path, problem: "modality_config has no text modality",
                        hint: "supported are models of text")
                }
                let reader = ConfigReader(json: text, path: path)
                try require(reader, "method", "forward")
                try require(reader, "method_output_name", "last_hidden_state")
            }
            return json
        }
        return [:]
    }

    func require(_ reader: ConfigReader, _ key: String, _ supported: String) throws {
        if let value = try reader.text(key), value != supported {
            throw TrainingError.file(
                path: reader.path, problem: "\(key) '\(value)' is not supported",
                hint: "supported is '\(supported)'")
        }
    }

    func checkWeights(_ path: String, _ folder: String) throws {
        if ModelFiles.isFile(path) { return }
        if ModelFiles.isFile(path + ".index.json") {
            throw TrainingError.file(
                path: path + ".index.json", problem: "weights in several files are not supported",
                hint: "save the model again as one model.safetensors")
        }
        if ModelFiles.isFile(ModelFiles.join(folder, "pytorch_model.bin")) {
            throw TrainingError.file(
                path: ModelFiles.join(folder, "pytorch_model.bin"),
                problem: "is a pickled checkpoint, which can run any program when it is read and "
                    + "is not opened here",
                hint: "convert it once in Python: SentenceTransformer(folder)"
                    + ".save_pretrained(new_folder) writes model.safetensors")
        }
        throw TrainingError.file(path: path, problem: "does not exist")
    }

    /// Python's rule: what an old sentence_bert_config.json says, else the smaller of the
    /// tokenizer's and the position table's limits. Beyond the position table there is nothing to
    /// look up, so that is a limit here in any case.
    private func maxSeqLength(
        _ transformer: String, _ config: TransformerConfig, _ sentenceConfig: JSONObject
    ) throws -> Int {
        let limit = config.maxPositionEmbeddings
        if let value = sentenceConfig["max_seq_length"], !value.isNull {
            guard let length = value.intValue, length >= 2 else {
                throw TrainingError.file(
                    path: ModelFiles.join(transformer, "sentence_bert_config.json"),
                    problem: "max_seq_length: expected at least 2 tokens, found \(value)")
            }
            return min(length, limit)
        }
        let path = ModelFiles.join(transformer, "tokenizer_config.json")
        guard ModelFiles.isFile(path) else { return limit }
        // Tokenizers without a limit say 1e30.
        let stated = try ModelFiles.readObject(path)["model_max_length"]?.doubleValue ?? 1e30
        guard stated >= 2 else {
            throw TrainingError.file(
                path: path, problem: "model_max_length: expected at least 2, found \(stated)")
        }
        return stated < Double(limit) ? Int(stated) : limit
    }

    private func loadTokenizer(
        _ transformer: String, _ config: TransformerConfig, _ sentenceConfig: JSONObject
    ) throws -> (any TextTokenizer)? {
        // A model without tokenizer files can still embed token ids.
        guard
            ["tokenizer.json", "vocab.txt"].contains(where: {
                ModelFiles.isFile(ModelFiles.join(transformer, $0))
            })
        else { return nil }
        let tokenizer = try LoadedTokenizers.tokenizer(
            folder: transformer,
            lowercasesFirst: sentenceConfig["do_lower_case"]?.boolValue ?? false)
        guard tokenizer.vocabularySize <= config.vocabSize else {
            throw TrainingError.model(
                problem: "the tokenizer in '\(transformer)' has token ids up to "
                    + "\(tokenizer.vocabularySize - 1), the model's embedding table "
                    + "\(config.vocabSize) rows",
                hint: "check that tokenizer and weights belong to the same model")
        }
        return tokenizer
    }
}
