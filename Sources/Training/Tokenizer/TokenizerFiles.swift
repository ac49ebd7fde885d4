import OrderedJSON

/// The files of a model folder that describe its tokenizer, as transformers reads them.
///
/// Two kinds of tokenizer classes load differently. Concrete classes (BertTokenizer, MPNetTokenizer)
/// take only the vocabulary and the special tokens from tokenizer.json and build the rest from the
/// flags in tokenizer_config.json. All others use tokenizer.json as it is.
package struct TokenizerFiles: Sendable {
    /// How a tokenizer class builds its pipeline.
    enum Family: Sendable {
        case bert
        case mpnet
        /// PreTrainedTokenizerFast: everything comes from tokenizer.json.
        case generic
    }

    /// Every file that ``init(folder:)`` may read.
    package static let names = [
        "tokenizer_config.json", "tokenizer.json", "vocab.txt", "special_tokens_map.json",
        "added_tokens.json", "config.json",
    ]

    let folder: String
    /// Empty when there is no such file.
    let config: JSONObject
    /// tokenizer.json without its vocabulary; `nil` when there is none.
    let pipeline: JSONObject?
    /// Tokens and ids in the order of the file.
    let vocabulary: [(token: String, id: Int32)]
    /// Name of the class as saved: without "Fast".
    let className: String
    let family: Family
    /// special_tokens_map.json, where it counts.
    let specialTokensMap: JSONObject
    /// added_tokens.json, where it counts.
    let addedTokensFile: JSONObject

    init(folder: String) throws {
        self.folder = folder
        let configPath = ModelFiles.join(folder, "tokenizer_config.json")
        let jsonPath = ModelFiles.join(folder, "tokenizer.json")
        let vocabularyPath = ModelFiles.join(folder, "vocab.txt")
        config = ModelFiles.isFile(configPath) ? try ModelFiles.readObject(configPath) : [:]
        className = try Self.className(folder, config)
        family =
            switch className {
            case "MPNetTokenizer": .mpnet
            case let name where Self.bertClasses.contains(name): .bert
            default: .generic
            }
        if ModelFiles.isFile(jsonPath) {
            var pipeline = try ModelFiles.readObject(jsonPath)
            vocabulary = try Self.takeVocabulary(from: &pipeline, path: jsonPath)
            self.pipeline = pipeline
        } else if family != .generic, ModelFiles.isFile(vocabularyPath) {
            vocabulary = try Self.readVocabulary(vocabularyPath)
            pipeline = nil
        } else {
            throw TrainingError.file(
                path: folder,
                problem: "holds no tokenizer.json"
                    + (family == .generic ? "" : " and no vocab.txt"),
                hint:
                    "only WordPiece tokenizers (BERT, DistilBERT, MPNet and their kin) can be read")
        }
        // Newer files carry their added tokens in tokenizer_config.json; these are older ways.
        let isLegacy = config["added_tokens_decoder"] == nil
        func legacy(_ name: String) throws -> JSONObject {
            let path = ModelFiles.join(folder, name)
            return isLegacy && ModelFiles.isFile(path) ? try ModelFiles.readObject(path) : [:]
        }
        specialTokensMap = try legacy("special_tokens_map.json")
        addedTokensFile = try legacy("added_tokens.json")
    }

    /// A BERT tokenizer that was never in a folder. Token ids are places in `tokens`.
    ///
    /// - name: stands for the folder in messages.
    init(name: String, tokens: [String], lowercases: Bool) {
        folder = name
        config = [
            "tokenizer_class": "BertTokenizer", "do_lower_case": .bool(lowercases),
            "tokenize_chinese_chars": true, "strip_accents": .null,
        ]
        pipeline = nil
        vocabulary = tokens.enumerated().map { (token: $1, id: Int32(clamping: $0)) }
        className = "BertTokenizer"
        family = .bert
        specialTokensMap = [:]
        addedTokensFile = [:]
    }

    var pipelinePath: String { ModelFiles.join(folder, "tokenizer.json") }

    /// A value of tokenizer_config.json; special_tokens_map.json overrides it.
    func setting(_ name: String) -> JSONValue? { specialTokensMap[name] ?? config[name] }

    func flag(_ name: String) throws -> Bool? {
        guard let value = config[name], !value.isNull else { return nil }
        guard let flag = value.boolValue else {
            throw TrainingError.file(
                path: ModelFiles.join(folder, "tokenizer_config.json"),
                problem: "\(name): expected true or false, found \(value.kind)")
        }
        return flag
    }

    /// Classes whose constructor builds BERT's pipeline.
    private static let bertClasses: Set<String> = [
        "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer",
        "SqueezeBertTokenizer", "ConvBertTokenizer", "RetriBertTokenizer", "LayoutLMTokenizer",
    ]
    private static let bertModelTypes: Set<String> = [
        "bert", "distilbert", "electra", "mobilebert", "squeezebert", "convbert", "retribert",
        "layoutlm", "ernie", "megatron-bert", "nezha", "nomic_bert",
    ]

    private static func className(_ folder: String, _ config: JSONObject) throws -> String {
        var name = config["tokenizer_class"]?.stringValue
        if name == nil {
            let path = ModelFiles.join(folder, "config.json")
            let model: JSONObject =
                ModelFiles.isFile(path) ? try ModelFiles.readObject(path) : [:]
            name = model["tokenizer_class"]?.stringValue
            if name == nil, let type = model["model_type"]?.stringValue {
                if bertModelTypes.contains(type) { name = "BertTokenizer" }
                if type == "mpnet" { name = "MPNetTokenizer" }
            }
        }
        let found = name ?? "PreTrainedTokenizerFast"
        if found == "PreTrainedTokenizerFast" { return found }
        return found.hasSuffix("Fast") ? String(found.dropLast(4)) : found
    }

    private static func takeVocabulary(
        from pipeline: inout JSONObject, path: String
    ) throws -> [(token: String, id: Int32)] {
        guard var model = pipeline["model"]?.objectValue else {
            throw TrainingError.file(path: path, problem: "has no 'model'")
        }
        // Files written before types were recorded are WordPiece when they look like it.
        let type =
            model["type"]?.stringValue
            ?? (model["max_input_chars_per_word"] == nil ? "without a type" : "WordPiece")
        guard type == "WordPiece" else {
            throw TrainingError.file(
                path: path, problem: "the tokenizer model '\(type)' is not supported",
                hint: "use a model with a WordPiece tokenizer (BERT, DistilBERT, MPNet and "
                    + "their kin)")
        }
        guard let tokens = model.removeValue(forKey: "vocab")?.objectValue else {
            throw TrainingError.file(path: path, problem: "model: has no 'vocab'")
        }
        pipeline["model"] = .object(model)
        return try zip(tokens.keys, tokens.values).map { token, value in
            guard let number = value.intValue, let id = Int32(exactly: number), id >= 0 else {
                throw TrainingError.file(
                    path: path, problem: "vocab: '\(token)': \(value) is no token id")
            }
            return (token, id)
        }
    }

    /// One token a line, its id the number of the line; of equal tokens the last counts.
    private static func readVocabulary(
        _ path: String
    ) throws -> [(token: String, id: Int32)] {
        let bytes = try ModelFiles.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TrainingError.file(path: path, problem: "is not valid UTF-8")
        }
        var tokens = JSONObject()
        var lines = text.unicodeScalars.split(
            separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (number, line) in lines.enumerated() {
            let end = line.lastIndex { !$0.properties.isWhitespace }
            let token = end.map { String(line[...$0]) } ?? ""
            tokens[token] = .int(Int64(number))
        }
        return tokens.map { ($0.key, Int32(truncatingIfNeeded: $0.value.intValue ?? 0)) }
    }
}
