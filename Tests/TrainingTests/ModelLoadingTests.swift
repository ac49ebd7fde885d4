import Foundation
import OrderedJSON
import Testing
import Training

struct ModelLoadingTests {
    struct Wrong: Sendable, CustomStringConvertible {
        let description: String
        let message: String
        let spoil: @Sendable (borrowing ModelFolder) throws -> Void

        init(
            _ description: String, _ message: String,
            _ spoil: @escaping @Sendable (borrowing ModelFolder) throws -> Void
        ) {
            self.description = description
            self.message = message
            self.spoil = spoil
        }
    }

    static let wrong: [Wrong] = [
        Wrong("another architecture", "model_type 'roberta' is not supported; supported are 'bert'")
        {
            try $0.set("config.json", "model_type", "roberta")
        },
        Wrong("no architecture", "model_type 'none' is not supported") {
            try $0.set("config.json", "model_type", nil)
        },
        Wrong("another activation", "hidden_act 'mish' is not supported; supported are gelu") {
            try $0.set("config.json", "hidden_act", "mish")
        },
        Wrong("relative positions", "position_embedding_type 'relative_key' is not supported") {
            try $0.set("config.json", "position_embedding_type", "relative_key")
        },
        Wrong("a decoder", "is_decoder is true, but a decoder's causal attention is not supported")
        {
            try $0.set("config.json", "is_decoder", true)
        },
        Wrong("text where a number belongs", "hidden_size: expected an integer from 1") {
            try $0.set("config.json", "hidden_size", "32")
        },
        Wrong("a negative size", "num_attention_heads: expected an integer from 1") {
            try $0.set("config.json", "num_attention_heads", -2)
        },
        Wrong("heads that do not divide", "3 attention heads do not divide the hidden size 32") {
            try $0.set("config.json", "num_attention_heads", 3)
        },
        Wrong("an impossible dropout", "hidden_dropout_prob: expected a number from 0.0 to 1.0") {
            try $0.set("config.json", "hidden_dropout_prob", 1.5)
        },
        Wrong("another size", "has the shape [48, 32], the configuration asks for [64, 32]") {
            try $0.set("config.json", "intermediate_size", 64)
        },
        Wrong("more layers", "tensor 'encoder.layer.2.attention.self.query.weight' is missing") {
            try $0.set("config.json", "num_hidden_layers", 3)
        },
        Wrong("no configuration", "config.json': does not exist") {
            try FileManager.default.removeItem(atPath: $0.path + "/config.json")
        },
        Wrong("broken JSON", "config.json': is not valid JSON (line 1, column 2:") {
            try $0.write("config.json", "{")
        },
        Wrong("a list for an object", "config.json': expected an object, found an array") {
            try $0.write("config.json", "[]")
        },
        Wrong("no weights", "model.safetensors': does not exist") {
            try FileManager.default.removeItem(atPath: $0.path + "/model.safetensors")
        },
        Wrong("pickled weights", "pytorch_model.bin': is a pickled checkpoint") {
            try FileManager.default.moveItem(
                atPath: $0.path + "/model.safetensors", toPath: $0.path + "/pytorch_model.bin")
        },
        Wrong("weights cut short", "the file was cut short or its header is wrong") {
            try $0.read("model.safetensors").dropLast(100)
                .write(to: URL(fileURLWithPath: $0.path + "/model.safetensors"))
        },
        Wrong("an unknown module", "of type 'sentence_transformers.models.CNN' is not supported") {
            try $0.writeModules(["Transformer", "Pooling", "CNN"])
        },
        Wrong("a foreign module", "module 0 of type 'my_code.Transformer' is not supported") {
            try $0.write("modules.json", #"[{"type": "my_code.Transformer", "path": ""}]"#)
        },
        Wrong("no pooling", "the second module, and no other, must be Pooling") {
            try $0.writeModules(["Transformer", "Normalize"])
        },
        Wrong("a module outside", "module 1 lies outside the folder: '../x'") {
            try $0.write(
                "modules.json",
                #"""
                [{"type": "sentence_transformers.models.Transformer", "path": ""},
                 {"type": "sentence_transformers.models.Pooling", "path": "../x"}]
                """#)
        },
        Wrong("an unknown pooling", "pooling_mode 'median' is not supported; supported are cls") {
            try $0.set("1_Pooling/config.json", "pooling_mode", "median")
        },
        Wrong("another width", "embedding_dimension is 64, but the module before gives 32") {
            try $0.set("1_Pooling/config.json", "embedding_dimension", 64)
        },
        Wrong("no pooling configuration", "does not exist, and a Pooling module needs it; copy it")
        {
            try FileManager.default.removeItem(atPath: $0.path + "/1_Pooling/config.json")
        },
        Wrong("no width", "1_Pooling/config.json': embedding_dimension is missing") {
            try $0.set("1_Pooling/config.json", "embedding_dimension", nil)
        },
        Wrong("a misspelt member", "'pooling_mod' is no member of a Pooling's configuration") {
            try $0.set("1_Pooling/config.json", "pooling_mod", "cls")
        },
        Wrong("a pooling that is no name", "pooling_mode: expected a name, found {") {
            try $0.set("1_Pooling/config.json", "pooling_mode", ["cls", ["x": 1]])
        },
        Wrong("no pooling name", "pooling_mode: expected a name, found null") {
            try $0.set("1_Pooling/config.json", "pooling_mode", .null)
        },
        Wrong("prompts in a list", "prompts: expected an object of texts by name, found [") {
            try $0.set("config_sentence_transformers.json", "prompts", ["a"])
        },
        Wrong("an unknown similarity", "similarity_fn_name 'l7' is not supported") {
            try $0.set("config_sentence_transformers.json", "similarity_fn_name", "l7")
        },
        Wrong("a prompt that is none", "prompt 'query': expected a string, found 3") {
            try $0.set("config_sentence_transformers.json", "prompts", ["query": 3])
        },
        Wrong("a default prompt that is none", "default_prompt_name: 'q' is not among the prompts")
        {
            try $0.set("config_sentence_transformers.json", "default_prompt_name", "q")
        },
        Wrong("another task", "transformer_task 'fill-mask' is not supported") {
            try $0.set("sentence_bert_config.json", "transformer_task", "fill-mask")
        },
        Wrong("a vocabulary of another model", "token ids up to 39, the model's embedding table 39")
        {
            try $0.set(
                "tokenizer_config.json", "added_tokens_decoder",
                ["39": ["content": "zebra", "special": false]])
            var json = try #require(
                JSONValue.parse(utf8: Array($0.read("tokenizer.json"))).objectValue)
            var model = try #require(json["model"]?.objectValue)
            var vocab = try #require(model["vocab"]?.objectValue)
            vocab["zebra"] = 39
            model["vocab"] = .object(vocab)
            json["model"] = .object(model)
            try $0.write("tokenizer.json", JSONValue.object(json).json())
        },
    ]

    @Test(arguments: wrong)
    func `a wrong folder is refused with a sentence about it`(_ wrong: Wrong) throws {
        let folder = try ModelFolder(copyOf: "bert")
        try wrong.spoil(folder)
        let path = folder.path
        let error = #expect(throws: TrainingError.self) {
            _ = try SentenceTransformer(path: path)
        }
        let text = error?.description ?? ""
        #expect(text.contains(wrong.message), "\(text)")
        #expect(!text.contains("internal error"))
    }

    @Test(
        arguments: [
            ("2_Dense", nil, "does not exist, and a Dense module needs it"),
            ("2_Dense", "in_features", "2_Dense/config.json': in_features is missing"),
            ("2_Dense", "out_features", "2_Dense/config.json': out_features is missing"),
            ("3_LayerNorm", "dimension", "3_LayerNorm/config.json': dimension is missing"),
        ] as [(String, String?, String)])
    func `a module that does not say its sizes is refused`(
        _ module: String, _ key: String?, _ message: String
    ) throws {
        let folder = try ModelFolder(copyOf: "modules")
        if let key {
            try folder.set("\(module)/config.json", key, nil)
        } else {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(module)/config.json")
        }
        let path = folder.path
        let error = #expect(throws: TrainingError.self) { _ = try SentenceTransformer(path: path) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `what older releases wrote, and what Python reads without, is read`() throws {
        let folder = try ModelFolder(copyOf: "bert", without: ["2_Normalize"])
        try folder.writeModules(["Transformer", "Pooling", "Normalize"])
        try folder.write(
            "1_Pooling/config.json",
            #"""
            {"word_embedding_dimension": 32, "pooling_mode_cls_token": true, \#
            "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false, \#
            "pooling_mode_mean_sqrt_len_tokens": false, "pooling_mode_weightedmean_tokens": false, \#
            "pooling_mode_lasttoken": false, "include_prompt": true}
            """#)
        try folder.set("config_sentence_transformers.json", "prompts", .null)
        #expect(try SentenceTransformer(path: folder.path).pooling.modes == [.cls, .mean])
        // Python drops what it does not know of a Dense layer.
        let modules = try ModelFolder(copyOf: "modules", without: ["4_Dropout/config.json"])
        try modules.set("2_Dense/config.json", "more", 1)
        #expect(throws: Never.self) { try SentenceTransformer(path: modules.path) }
    }

    @Test func `a folder that is none is refused`() throws {
        #expect(throws: TrainingError.self) { _ = try SentenceTransformer(path: "/no/such") }
        let folder = try ScratchFolder()
        let path = folder.path
        let error = #expect(throws: TrainingError.self) { _ = try SentenceTransformer(path: path) }
        #expect(error?.description.contains("neither modules.json nor config.json") == true)
    }

    @Test func `a plain checkpoint with old names becomes Transformer and mean pooling`() throws {
        let folder = try ModelFolder(
            copyOf: "bert",
            without: [
                "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json",
                "1_Pooling", "2_Normalize",
            ])
        // As BertForMaskedLM was saved years ago.
        let file = try SafetensorsFile(path: folder.path + "/model.safetensors")
        var tensors = try file.tensors.map { tensor in
            var name = "bert." + tensor.name
            if name.hasSuffix("LayerNorm.weight") {
                name = name.dropLast("weight".count) + "gamma"
            } else if name.hasSuffix("LayerNorm.bias") {
                name = name.dropLast("bias".count) + "beta"
            }
            return TensorToWrite(
                name: name, type: .float32, shape: tensor.shape,
                values: UnsafePointer(try #require(file.floatsInPlace(tensor))))
        }
        let extra = Buffer([1, 2, 3, 4])
        tensors.append(
            TensorToWrite(
                name: "cls.predictions.bias", type: .float32, shape: [4],
                values: UnsafePointer(extra.pointer)))
        try writeSafetensors(tensors, to: folder.path + "/model.safetensors")
        let plain = try SentenceTransformer(path: folder.path)
        #expect(plain.pooling == Pooling(modes: [.mean]))
        #expect(plain.maxSeqLength == 32)
        let batch = SentenceTransformerTests.longBatch
        let normalized = Matrix(rows: batch.sentenceCount, columns: 32)
        let raw = try plain.embed(batch)
        normalizeForward(
            rows: batch.sentenceCount, columns: 32, input: raw.storage,
            output: normalized.storage, norms: nil)
        withExtendedLifetime(raw) {}
        expectClose(
            normalized.values, try ModelGolden.model("bert").embed(batch).values,
            absolute: 1e-6, "embeddings")
        let names = Set(plain.parameters.map(\.name))
        #expect(names.contains("embeddings.LayerNorm.weight"))
        #expect(!names.contains { $0.hasPrefix("cls.") })
    }

    @Test func `a folder's tokenizer is shared until one of its files changes`() throws {
        let folder = try ModelFolder(copyOf: "bert")
        func tokenizer(lowercasesFirst: Bool = false) throws -> WordPieceTokenizer {
            try LoadedTokenizers.tokenizer(folder: folder.path, lowercasesFirst: lowercasesFirst)
        }
        func age(_ file: String) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -60)],
                ofItemAtPath: "\(folder.path)/\(file)")
        }
        for file in TokenizerFiles.names where (try? folder.read(file)) != nil { try age(file) }
        let first = try tokenizer()
        #expect(try tokenizer() === first)
        #expect(try tokenizer(lowercasesFirst: true) !== first)
        try folder.set("tokenizer_config.json", "model_max_length", 7)
        let second = try tokenizer()
        #expect(second !== first && second.modelMaxLength == 7 && first.modelMaxLength != 7)
        #expect(try tokenizer() !== second, "a file this new may change unnoticed")
        try age("tokenizer_config.json")
        #expect(try tokenizer() === tokenizer())
    }

    @Test func `max_seq_length follows the old file, the tokenizer, then the position table`()
        throws
    {
        let folder = try ModelFolder(copyOf: "bert")
        #expect(try SentenceTransformer(path: folder.path).maxSeqLength == 32)
        try folder.set("tokenizer_config.json", "model_max_length", 1e30)
        #expect(try SentenceTransformer(path: folder.path).maxSeqLength == 40)
        try folder.set("sentence_bert_config.json", "max_seq_length", 16)
        let model = try SentenceTransformer(path: folder.path)
        #expect(model.maxSeqLength == 16)
        #expect(throws: TrainingError.self) { try model.setMaxSeqLength(41) }
        #expect(throws: TrainingError.self) { try model.setMaxSeqLength(1) }
        try model.setMaxSeqLength(40)
        #expect(model.maxSeqLength == 40)
    }

    @Test func `half-precision weights are widened, and keep config.json's type until trained`()
        throws
    {
        let folder = try ModelFolder(copyOf: "bert")
        let path = folder.path + "/model.safetensors"
        let file = try SafetensorsFile(path: path)
        for (type, name) in [(TensorType.float16, "float16"), (.bfloat16, "bfloat16")] {
            try writeSafetensors(
                file.tensors.map {
                    TensorToWrite(
                        name: $0.name, type: type, shape: $0.shape,
                        values: UnsafePointer(try #require(file.floatsInPlace($0))))
                }, to: path)
            let model = try SentenceTransformer(path: folder.path)
            expectClose(
                try model.embed(SentenceTransformerTests.longBatch).values,
                try ModelGolden.model("bert").embed(SentenceTransformerTests.longBatch).values,
                absolute: type == .float16 ? 5e-3 : 5e-2, "\(type)")
            let saved = try ScratchFolder()
            /// Saves the model: weights and config.json have that type, and the values are these.
            func saves(_ model: SentenceTransformer, _ type: TensorType, _ name: String) throws {
                try model.save(to: saved.path)
                let file = try SafetensorsFile(path: saved.path + "/model.safetensors")
                #expect(file.tensors.allSatisfy { $0.type == type }, "\(name)")
                let config = try TransformerConfig(path: saved.path + "/config.json")
                #expect(config.json["dtype"] == JSONValue(name))
                let again = try SentenceTransformer(path: saved.path)
                #expect(again.parameters.map(\.values) == model.parameters.map(\.values))
            }
            // Python computes in the type that config.json names, and saves in it.
            try folder.set("config.json", "dtype", "float32")
            try saves(SentenceTransformer(path: folder.path), .float32, "float32")
            try folder.set("config.json", "dtype", nil)
            try saves(SentenceTransformer(path: folder.path), type, name)
            try folder.set("config.json", "dtype", JSONValue(name))
            let half = try SentenceTransformer(path: folder.path)
            try saves(half, type, name)
            // A step of training, of a weight that half precision would not move.
            half.parameters[0].value[3] = 1 + 0x1p-20
            try saves(half, .float32, "float32")
        }
    }
}
