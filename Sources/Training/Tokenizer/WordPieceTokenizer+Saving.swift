import OrderedJSON

extension WordPieceTokenizer {
    /// Writes tokenizer.json and tokenizer_config.json as Python's `save_pretrained` does, with
    /// `modelMaxLength` as the new limit. The folder must exist.
    public func save(to folder: String, modelMaxLength: Int) throws {
        let pipeline = JSONValue.object(pipelineJSON())
        try ModelFiles.write(
            pipeline.json(.init(indent: 2, escapesNonASCII: false)),
            to: ModelFiles.join(folder, "tokenizer.json"))
        let config = JSONValue.object(configJSON(modelMaxLength: modelMaxLength))
        try ModelFiles.write(
            config.json(.init(indent: 2, sortsKeys: true, escapesNonASCII: false)) + "\n",
            to: ModelFiles.join(folder, "tokenizer_config.json"))
    }

    // MARK: tokenizer.json

    private func pipelineJSON() -> JSONObject {
        let order = vocabulary.ids.indices.sorted { vocabulary.ids[$0] < vocabulary.ids[$1] }
        let tokens = JSONObject(
            order.map { (vocabulary.tokens[$0], JSONValue.int(Int64(vocabulary.ids[$0]))) })
        let added = addedTokens.sorted { $0.id < $1.id }.map(\.json)
        if files.family == .generic, var pipeline = files.pipeline {
            var model = pipeline["model"]?.objectValue ?? [:]
            model["vocab"] = .object(tokens)
            pipeline["model"] = .object(model)
            pipeline["added_tokens"] = .array(added)
            return pipeline
        }
        return [
            "version": "1.0",
            "truncation": reordered(
                "truncation", ["direction", "max_length", "strategy", "stride"]),
            "padding": reordered(
                "padding",
                [
                    "strategy", "direction", "pad_to_multiple_of", "pad_id", "pad_type_id",
                    "pad_token",
                ]
            ),
            "added_tokens": .array(added),
            "normalizer": normalizerJSON(),
            "pre_tokenizer": ["type": "BertPreTokenizer"],
            "post_processor": postProcessorJSON(),
            "decoder": ["type": "WordPiece", "prefix": "##", "cleanup": true],
            "model": [
                "type": "WordPiece", "unk_token": .string(vocabulary.unknownToken),
                "continuing_subword_prefix": .string(vocabulary.continuingPrefix),
                "max_input_chars_per_word": JSONValue(vocabulary.maximumWordLength),
                "vocab": .object(tokens),
            ],
        ]
    }

    /// A section of the loaded file with its keys in the order in which the library writes them.
    private func reordered(_ section: String, _ keys: [String]) -> JSONValue {
        guard let old = files.pipeline?[section]?.objectValue else { return .null }
        var new = JSONObject()
        for key in keys {
            new[key] = old[key] ?? (key == "direction" ? "Right" : .null)
        }
        return .object(new)
    }

    private func normalizerJSON() -> JSONValue {
        guard let flags = normalizers.last?.flags else { return .null }
        let bert: JSONValue = [
            "type": "BertNormalizer", "clean_text": .bool(flags.cleanText),
            "handle_chinese_chars": .bool(flags.handleChineseChars),
            "strip_accents": flags.stripAccents.map(JSONValue.bool) ?? .null,
            "lowercase": .bool(flags.lowercase),
        ]
        if normalizers.count == 1 { return bert }
        return ["type": "Sequence", "normalizers": [["type": "Lowercase"], bert]]
    }

    private func postProcessorJSON() -> JSONValue {
        func content(_ name: String, _ fallback: String) -> String {
            specialTokenIDs[name].flatMap { id in addedTokens.first { $0.id == id }?.content }
                ?? fallback
        }
        let cls = content("cls_token", "[CLS]")
        let sep = content("sep_token", "[SEP]")
        let clsID = JSONValue.int(Int64(prefixIDs.first ?? 0))
        let sepID = JSONValue.int(Int64(suffixIDs.first ?? 0))
        if files.family == .mpnet {
            return [
                "type": "RobertaProcessing", "sep": [.string(sep), sepID],
                "cls": [.string(cls), clsID], "trim_offsets": true, "add_prefix_space": false,
            ]
        }
        func special(_ token: String, _ type: Int64) -> JSONValue {
            ["SpecialToken": ["id": .string(token), "type_id": .int(type)]]
        }
        func text(_ name: String, _ type: Int64) -> JSONValue {
            ["Sequence": ["id": .string(name), "type_id": .int(type)]]
        }
        func entry(_ token: String, _ id: JSONValue) -> JSONValue {
            ["id": .string(token), "ids": [id], "tokens": [.string(token)]]
        }
        let isOrdered = cls.utf8.lexicographicallyPrecedes(sep.utf8)
        let specials = [(cls, entry(cls, clsID)), (sep, entry(sep, sepID))]
        return [
            "type": "TemplateProcessing",
            "single": [special(cls, 0), text("A", 0), special(sep, 0)],
            "pair": [
                special(cls, 0), text("A", 0), special(sep, 0), text("B", 1), special(sep, 1),
            ],
            "special_tokens": .object(JSONObject(isOrdered ? specials : specials.reversed())),
        ]
    }

    // MARK: tokenizer_config.json

    private func configJSON(modelMaxLength: Int) -> JSONObject {
        var config = files.config
        for name in Self.unsavedSettings { config.removeValue(forKey: name) }
        for (name, value) in files.specialTokensMap where SpecialTokens.names.contains(name) {
            config[name] = value
        }
        for (name, id) in specialTokenIDs {
            if let token = addedTokens.first(where: { $0.id == id }) {
                config[name] = .string(token.content)
            }
        }
        if let more = files.setting("additional_special_tokens"),
            config["extra_special_tokens"] == nil,
            case .array(let values) = more, !values.isEmpty
        {
            config["extra_special_tokens"] = .array(values.map { $0["content"] ?? $0 })
        }
        if files.family != .generic {
            config["do_lower_case"] = .bool(normalizers.last?.flags.lowercase ?? true)
            config["tokenize_chinese_chars"] = .bool(
                normalizers.last?.flags.handleChineseChars ?? true)
            config["strip_accents"] =
                normalizers.last?.flags.stripAccents.map(JSONValue.bool) ?? .null
        }
        if let truncation = files.pipeline?["truncation"]?.objectValue {
            addDefault(&config, "max_length", truncation["max_length"])
            addDefault(&config, "truncation_side", lowercased(truncation["direction"]) ?? "right")
            addDefault(&config, "stride", truncation["stride"])
            addDefault(&config, "truncation_strategy", strategy(truncation["strategy"]))
        }
        if let padding = files.pipeline?["padding"]?.objectValue {
            addDefault(&config, "pad_token", padding["pad_token"])
            addDefault(&config, "pad_token_type_id", padding["pad_type_id"])
            addDefault(&config, "padding_side", lowercased(padding["direction"]) ?? "right")
            addDefault(&config, "max_length", padding["strategy"]?["Fixed"] ?? .null)
            addDefault(&config, "pad_to_multiple_of", padding["pad_to_multiple_of"])
        }
        config["backend"] = "tokenizers"
        config["is_local"] = true
        config["local_files_only"] = false
        config["model_max_length"] = JSONValue(modelMaxLength)
        config["tokenizer_class"] = .string(
            files.className == "PreTrainedTokenizerFast" ? "TokenizersBackend" : files.className)
        return config
    }

    /// What transformers leaves out of the file it writes.
    private static let unsavedSettings = [
        "added_tokens_decoder", "additional_special_tokens", "add_bos_token", "add_eos_token",
        "device_map", "max_len", "name_or_path", "slow_tokenizer_class", "special_tokens_map_file",
        "tokenizer_file", "vocab_file",
    ]

    private func addDefault(_ config: inout JSONObject, _ name: String, _ value: JSONValue?) {
        if config[name] == nil, let value { config[name] = value }
    }

    private func lowercased(_ value: JSONValue?) -> JSONValue? {
        value?.stringValue.map { .string($0.lowercased()) }
    }

    /// `LongestFirst` is `longest_first` in Python.
    private func strategy(_ value: JSONValue?) -> JSONValue? {
        switch value?.stringValue {
        case "LongestFirst": "longest_first"
        case "OnlyFirst": "only_first"
        case "OnlySecond": "only_second"
        default: nil
        }
    }
}

extension AddedToken {
    /// As in tokenizer.json.
    var json: JSONValue {
        [
            "id": .int(Int64(id)), "content": .string(content), "single_word": .bool(singleWord),
            "lstrip": .bool(stripsLeft), "rstrip": .bool(stripsRight),
            "normalized": .bool(isNormalized), "special": .bool(isSpecial),
        ]
    }
}
