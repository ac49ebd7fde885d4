import OrderedJSON

extension WordPieceTokenizer {
    /// Loads tokenizer.json, tokenizer_config.json and their older companions (vocab.txt,
    /// special_tokens_map.json, added_tokens.json) from a model folder.
    /// - lowercasesFirst: puts a lower-casing step before everything else, which a
    ///   `do_lower_case` in an old sentence_bert_config.json asks for.
    public convenience init(folder: String, lowercasesFirst: Bool = false) throws {
        try self.init(files: TokenizerFiles(folder: folder), lowercasesFirst: lowercasesFirst)
    }

    /// - identity: see ``identity``; the folder's name by itself does not tell changed files apart
    convenience init(
        files: TokenizerFiles, lowercasesFirst: Bool = false, identity: String? = nil
    ) throws {
        let specials = try SpecialTokens(files)
        let vocabulary = try Self.vocabulary(files, specials)
        var added = AddedTokenList(vocabulary: vocabulary)
        if files.family == .generic { for token in try files.pipelineTokens() { added.add(token) } }
        for token in specials.added + specials.named.map(\.token) + specials.extra {
            added.add(token)
        }
        var ids: [String: Int32] = [:]
        for (name, token) in specials.named { ids[name] = added.id(of: token.content) }
        var normalizers = try Self.normalizers(files)
        if lowercasesFirst { normalizers.insert(BertNormalizer(.lowercaseOnly), at: 0) }
        let template = try Self.template(files, specials, added)
        let length = files.config["model_max_length"] ?? files.config["max_len"]
        self.init(
            normalizers: normalizers, vocabulary: vocabulary, addedTokens: added.tokens,
            prefixIDs: template.prefix, suffixIDs: template.suffix,
            truncatesLeft: files.config["truncation_side"]?.stringValue == "left",
            matchesSpecialTokens: try files.flag("split_special_tokens") != true,
            // Without a limit Python writes 1e30.
            modelMaxLength: length?.doubleValue.flatMap { $0 < 1e9 ? Int(exactly: $0) : nil },
            specialTokenIDs: ids, files: files, identity: identity ?? files.folder)
    }

    private static func vocabulary(
        _ files: TokenizerFiles, _ specials: SpecialTokens
    ) throws -> WordPieceVocabulary {
        let model = files.family == .generic ? files.pipeline?["model"]?.objectValue ?? [:] : [:]
        let unknown =
            files.family == .generic
            ? model["unk_token"]?.stringValue ?? "[UNK]" : specials.content("unk_token") ?? "[UNK]"
        let vocabulary = WordPieceVocabulary(
            tokens: files.vocabulary.map(\.token), ids: files.vocabulary.map(\.id),
            unknownToken: unknown,
            continuingPrefix: model["continuing_subword_prefix"]?.stringValue ?? "##",
            maximumWordLength: max(model["max_input_chars_per_word"]?.intValue ?? 100, 0))
        guard let vocabulary else {
            throw TrainingError.file(
                path: files.folder,
                problem: "the tokenizer's vocabulary has no unknown token '\(unknown)'")
        }
        return vocabulary
    }

    private static func normalizers(_ files: TokenizerFiles) throws -> [BertNormalizer] {
        guard files.family == .generic else {
            return [
                BertNormalizer(
                    .init(
                        handleChineseChars: try files.flag("tokenize_chinese_chars") ?? true,
                        stripAccents: try files.flag("strip_accents"),
                        lowercase: try files.flag("do_lower_case") ?? true))
            ]
        }
        try files.requireComponent("pre_tokenizer", "BertPreTokenizer")
        guard let normalizer = files.pipeline?["normalizer"], !normalizer.isNull else { return [] }
        let steps =
            normalizer["type"]?.stringValue == "Sequence"
            ? normalizer["normalizers"]?.arrayValue ?? [] : [normalizer]
        return try steps.map { step in
            func flag(_ name: String) -> Bool? { step[name]?.boolValue }
            switch step["type"]?.stringValue {
            case "BertNormalizer":
                return BertNormalizer(
                    .init(
                        cleanText: flag("clean_text") ?? true,
                        handleChineseChars: flag("handle_chinese_chars") ?? true,
                        stripAccents: flag("strip_accents"),
                        lowercase: flag("lowercase") ?? true))
            case "Lowercase": return BertNormalizer(.lowercaseOnly)
            case let type:
                throw files.unsupported("normalizer", type)
            }
        }
    }

    /// Ids before and after a text.
    private static func template(
        _ files: TokenizerFiles, _ specials: SpecialTokens, _ added: AddedTokenList
    ) throws -> (prefix: [Int32], suffix: [Int32]) {
        guard files.family == .generic else {
            let fallback: (cls: Int32, sep: Int32) = files.family == .mpnet ? (0, 2) : (2, 3)
            return (
                [specials.content("cls_token").flatMap(added.id(of:)) ?? fallback.cls],
                [specials.content("sep_token").flatMap(added.id(of:)) ?? fallback.sep]
            )
        }
        guard let processor = files.pipeline?["post_processor"], !processor.isNull else {
            return ([], [])
        }
        switch processor["type"]?.stringValue {
        case "BertProcessing", "RobertaProcessing":
            guard let cls = processor["cls"]?[1]?.intValue.flatMap(Int32.init(exactly:)),
                let sep = processor["sep"]?[1]?.intValue.flatMap(Int32.init(exactly:))
            else { throw files.unsupported("post_processor", "without ids") }
            return ([cls], [sep])
        case "TemplateProcessing":
            var prefix: [Int32] = []
            var suffix: [Int32] = []
            var seenText = false
            for piece in processor["single"]?.arrayValue ?? [] {
                if piece["Sequence"] != nil {
                    seenText = true
                    continue
                }
                let name = piece["SpecialToken"]?["id"]?.stringValue ?? ""
                let ids = processor["special_tokens"]?[name]?["ids"]?.arrayValue ?? []
                for id in ids.compactMap({ $0.intValue.flatMap(Int32.init(exactly:)) }) {
                    if seenText { suffix.append(id) } else { prefix.append(id) }
                }
            }
            return (prefix, suffix)
        case let type:
            throw files.unsupported("post_processor", type)
        }
    }
}

extension BertNormalizer.Flags {
    static let lowercaseOnly = Self(
        cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: true)
}

extension TokenizerFiles {
    /// The added tokens of tokenizer.json.
    func pipelineTokens() throws -> [AddedToken] {
        try (pipeline?["added_tokens"]?.arrayValue ?? []).map { entry in
            guard let token = AddedToken(json: entry, id: entry["id"]) else {
                throw TrainingError.file(
                    path: pipelinePath, problem: "added_tokens: \(entry) is no added token")
            }
            return token
        }
    }

    func requireComponent(_ name: String, _ type: String) throws {
        let found = pipeline?[name]?["type"]?.stringValue
        guard found == type else { throw unsupported(name, found) }
    }

    func unsupported(_ name: String, _ type: String?) -> TrainingError {
        .file(
            path: pipelinePath,
            problem: "\(name): \(type.map { "'\($0)'" } ?? "none") is not supported",
            hint: "use a model with a tokenizer of BERT's kind")
    }
}

extension AddedToken {
    /// An entry of `added_tokens`, `added_tokens_decoder` or a special token written as an object.
    init?(json: JSONValue, id: JSONValue? = nil) {
        guard let content = json["content"]?.stringValue else { return nil }
        let number = id?.intValue ?? 0
        guard let id = Int32(exactly: number), id >= 0 else { return nil }
        func flag(_ name: String) -> Bool? { json[name]?.boolValue }
        let isSpecial = flag("special") ?? false
        self.init(
            id: id, content: content, singleWord: flag("single_word") ?? false,
            stripsLeft: flag("lstrip") ?? false, stripsRight: flag("rstrip") ?? false,
            isNormalized: flag("normalized") ?? !isSpecial, isSpecial: isSpecial)
    }

    init(special content: String) {
        self.init(id: 0, content: content, isSpecial: true)
    }
}

/// Special tokens of a tokenizer and other tokens its files add.
struct SpecialTokens {
    /// By name, in the order in which transformers adds them.
    private(set) var named: [(name: String, token: AddedToken)] = []
    /// Additional special tokens.
    private(set) var extra: [AddedToken] = []
    /// From added_tokens_decoder or its predecessors, by id.
    private(set) var added: [AddedToken] = []

    static let names = [
        "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
    ]

    init(_ files: TokenizerFiles) throws {
        added = try Self.addedTokens(files)
        for name in Self.names {
            if let token = try Self.token(files, name, files.setting(name)) {
                named.append((name, added.first { $0.content == token.content } ?? token))
            } else if files.setting(name) == nil, let content = Self.fallback(files.family, name) {
                named.append((name, content))
            }
        }
        // Model-specific tokens, such as image_token.
        for (name, value) in files.config
        where name.hasSuffix("_token") && !Self.names.contains(name) {
            if let token = try Self.token(files, name, value) { named.append((name, token)) }
        }
        let more =
            files.setting("extra_special_tokens") ?? files.setting("additional_special_tokens")
        switch more {
        case .array(let values)?:
            extra = try values.compactMap { try Self.token(files, "extra_special_tokens", $0) }
        case .object(let object)?:
            for (name, value) in object {
                if let token = try Self.token(files, name, value) { named.append((name, token)) }
            }
        default: break
        }
    }

    func content(_ name: String) -> String? { named.first { $0.name == name }?.token.content }

    private static func token(
        _ files: TokenizerFiles, _ name: String, _ value: JSONValue?
    ) throws -> AddedToken? {
        switch value {
        case nil, .null?, .bool?: return nil
        case .string(let content)?: return AddedToken(special: content)
        case let value?:
            guard var token = AddedToken(json: value) else {
                throw TrainingError.file(
                    path: files.folder, problem: "the tokenizer's \(name) is \(value.kind)",
                    hint: "expected the text of a token")
            }
            // Named tokens are special whatever the file says.
            if value["normalized"] == nil { token.isNormalized = false }
            token.isSpecial = true
            return token
        }
    }

    /// What a class takes when no file names the token.
    private static func fallback(_ family: TokenizerFiles.Family, _ name: String) -> AddedToken? {
        switch family {
        case .generic: return nil
        case .bert:
            let contents = [
                "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
                "cls_token": "[CLS]", "mask_token": "[MASK]",
            ]
            return contents[name].map { AddedToken(special: $0) }
        case .mpnet:
            let contents = [
                "bos_token": "<s>", "eos_token": "</s>", "unk_token": "[UNK]", "sep_token": "</s>",
                "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>",
            ]
            return contents[name].map { content in
                AddedToken(
                    id: 0, content: content, stripsLeft: name == "mask_token", isNormalized: true,
                    isSpecial: true)
            }
        }
    }

    private static func addedTokens(_ files: TokenizerFiles) throws -> [AddedToken] {
        var tokens: [Int32: AddedToken] = [:]
        if let decoder = files.config["added_tokens_decoder"]?.objectValue {
            for (key, value) in decoder {
                guard let id = Int32(key),
                    let token = AddedToken(json: value, id: .int(Int64(id)))
                else {
                    throw TrainingError.file(
                        path: ModelFiles.join(files.folder, "tokenizer_config.json"),
                        problem: "added_tokens_decoder: '\(key)': \(value) is no added token")
                }
                tokens[id] = token
            }
        } else {
            let specials = Set(names.compactMap { files.setting($0)?.stringValue })
            for (content, value) in files.addedTokensFile {
                guard let id = value.intValue.flatMap(Int32.init(exactly:)), id >= 0 else {
                    throw TrainingError.file(
                        path: ModelFiles.join(files.folder, "added_tokens.json"),
                        problem: "'\(content)': \(value) is no token id")
                }
                let isSpecial = specials.contains(content)
                tokens[id] = AddedToken(
                    id: id, content: content, isNormalized: !isSpecial, isSpecial: isSpecial)
            }
            for token in try files.pipelineTokens() { tokens[token.id] = token }
        }
        return tokens.values.sorted { $0.id < $1.id }
    }
}

/// Gives added tokens their ids, as the Rust library does when they are added one by one.
struct AddedTokenList {
    let vocabulary: WordPieceVocabulary
    private(set) var tokens: [AddedToken] = []

    init(vocabulary: WordPieceVocabulary) { self.vocabulary = vocabulary }

    func id(of content: String) -> Int32? {
        tokens.first { $0.content.utf8.elementsEqual(content.utf8) }?.id
            ?? vocabulary.id(of: content)
    }

    /// A token of the vocabulary keeps its id there, another gets the next free one; one that is
    /// in the list already is passed over.
    mutating func add(_ token: AddedToken) {
        guard !token.content.isEmpty,
            !tokens.contains(where: { $0.content.utf8.elementsEqual(token.content.utf8) })
        else { return }
        var token = token
        let next = Int32(clamping: vocabulary.tokens.count)
        token.id =
            vocabulary.id(of: token.content)
            ?? max(next, (tokens.map(\.id).max() ?? -1).addingReportingOverflow(1).partialValue)
        tokens.append(token)
    }
}
