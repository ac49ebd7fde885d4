// Models of sentence-transformers and transformers on a hub: names as Python resolves them, and
// the few files of a repository that a model is.
import OrderedJSON

extension HubClient {
    /// The folder of a model, fetched where needed: configurations, tokenizer and safetensors, not
    /// the pickles, ONNX graphs and TensorFlow weights beside them.
    ///
    /// - name: "organization/name", or a name alone, which is looked for below
    ///   "sentence-transformers" unless it is one of the models that had no organization.
    public func modelFolder(_ name: String, _ access: HubAccess = HubAccess()) throws -> String {
        let isBare = !name.contains("/")
        let id =
            isBare && !Self.originalModels.contains(name.lowercased())
            ? "sentence-transformers/\(name)" : name
        let snapshot = try open(try HubRepository(id, kind: .model), access)
        _ = try snapshot.fetch(try ModelFileChoice(snapshot: snapshot).files())
        return snapshot.folder
    }

    /// Models that transformers had before organizations: Python's list.
    private static let originalModels: Set<String> = Set(
        """
        albert-base-v1 albert-base-v2 albert-large-v1 albert-large-v2 albert-xlarge-v1
        albert-xlarge-v2 albert-xxlarge-v1 albert-xxlarge-v2 bert-base-cased-finetuned-mrpc
        bert-base-cased bert-base-chinese bert-base-german-cased bert-base-german-dbmdz-cased
        bert-base-german-dbmdz-uncased bert-base-multilingual-cased bert-base-multilingual-uncased
        bert-base-uncased bert-large-cased-whole-word-masking-finetuned-squad
        bert-large-cased-whole-word-masking bert-large-cased
        bert-large-uncased-whole-word-masking-finetuned-squad
        bert-large-uncased-whole-word-masking bert-large-uncased camembert-base ctrl
        distilbert-base-cased-distilled-squad distilbert-base-cased distilbert-base-german-cased
        distilbert-base-multilingual-cased distilbert-base-uncased-distilled-squad
        distilbert-base-uncased-finetuned-sst-2-english distilbert-base-uncased distilgpt2
        distilroberta-base gpt2-large gpt2-medium gpt2-xl gpt2 openai-gpt
        roberta-base-openai-detector roberta-base roberta-large-mnli roberta-large-openai-detector
        roberta-large t5-11b t5-3b t5-base t5-large t5-small transfo-xl-wt103 xlm-clm-ende-1024
        xlm-clm-enfr-1024 xlm-mlm-100-1280 xlm-mlm-17-1280 xlm-mlm-en-2048 xlm-mlm-ende-1024
        xlm-mlm-enfr-1024 xlm-mlm-enro-1024 xlm-mlm-tlm-xnli15-1024 xlm-mlm-xnli15-1024
        xlm-roberta-base xlm-roberta-large-finetuned-conll02-dutch
        xlm-roberta-large-finetuned-conll02-spanish xlm-roberta-large-finetuned-conll03-english
        xlm-roberta-large-finetuned-conll03-german xlm-roberta-large xlnet-base-cased
        xlnet-large-cased
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}

/// The files of a repository that make its model.
private struct ModelFileChoice {
    let snapshot: HubSnapshot

    /// Without these a model does not load as Python loads it.
    private static let needed: Set<String> = [
        "config.json", "config_sentence_transformers.json", "model.safetensors",
        "model.safetensors.index.json", "modules.json", "tokenizer.json", "tokenizer_config.json",
        "sentence_bert_config.json", "sentence_roberta_config.json",
        "sentence_distilbert_config.json", "sentence_camembert_config.json",
        "sentence_albert_config.json", "sentence_xlm-roberta_config.json",
        "sentence_xlnet_config.json",
    ]
    /// Fetched, too, but a cache that Python filled may lack them.
    private static let useful: Set<String> = [
        "README.md", "vocab.txt", "vocab.json", "merges.txt", "special_tokens_map.json",
        "added_tokens.json", "sentencepiece.bpe.model", "spiece.model",
    ]

    func files() throws -> [String] {
        var folders: Set<String> = [""]
        if let list = try snapshot.file("modules.json") {
            folders.formUnion(try moduleFolders(list))
        }
        for folder in folders { try checkWeights(folder) }
        return snapshot.files.filter { file in
            let (folder, name) = parts(file)
            guard folders.contains(folder) else { return false }
            return Self.needed.contains(name)
                || (Self.useful.contains(name) && (!snapshot.isOffline || snapshot.isPresent(file)))
        }
    }

    private func parts(_ file: String) -> (folder: String, name: String) {
        guard let slash = file.lastIndex(of: "/") else { return ("", file) }
        return (String(file[..<slash]), String(file[file.index(after: slash)...]))
    }

    /// Where the modules lie; whether they can be used is for whoever loads the model to say.
    private func moduleFolders(_ list: String) throws -> [String] {
        guard let text = LocalFile.readSmall(list, limit: 1 << 20),
            let modules = (try? JSONValue.parse(text))?.arrayValue
        else {
            throw HubError.unsuitable(
                snapshot.repository, problem: "modules.json is no list of modules",
                hint: "use another model or revision")
        }
        return modules.compactMap { $0["path"]?.stringValue }
    }

    private func checkWeights(_ folder: String) throws {
        func has(_ name: String) -> Bool {
            snapshot.contains(folder.isEmpty ? name : "\(folder)/\(name)")
        }
        guard !has("model.safetensors"), !has("model.safetensors.index.json") else { return }
        let place = folder.isEmpty ? "" : " in '\(folder)'"
        if let pickle = ["pytorch_model.bin", "pytorch_model.bin.index.json"].first(where: has) {
            throw HubError.unsuitable(
                snapshot.repository,
                problem: "has no model.safetensors\(place), only \(pickle), which can run any "
                    + "program when it is read and is not fetched",
                hint: "look for a revision with safetensors (such as refs/pr/1), or convert it "
                    + "once in Python: SentenceTransformer(name).save_pretrained(folder)")
        }
        // Weights may lie in a module's folder, which is checked by itself.
        if folder.isEmpty, !snapshot.contains("modules.json") {
            guard has("config.json") else {
                throw HubError.unsuitable(
                    snapshot.repository, problem: "holds neither modules.json nor config.json",
                    hint: "give a model of sentence-transformers or transformers")
            }
            throw HubError.unsuitable(
                snapshot.repository, problem: "has no model.safetensors",
                hint: "give a model with weights of PyTorch")
        }
    }
}
