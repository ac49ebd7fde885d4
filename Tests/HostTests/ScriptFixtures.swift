// The files that the scripts of Scripts/ find beside them: data files, and a tiny model, whole in
// models/tiny and broken in one way each in its neighbours. Only what a script names is written.
import Foundation
import TestSupport

enum ScriptFixtures {
    static func write(to folder: URL, for script: String) throws {
        for (name, content) in dataFiles where script.contains("data/\(name)") {
            let file = folder.appending(path: "data/\(name)")
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try content.write(to: file)
        }
        for (name, damage) in models where script.contains("models/\(name)\"") {
            let model = Model(folder: folder.appending(path: "models/\(name)"))
            try FileManager.default.createDirectory(
                at: model.folder.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: tinyModel, to: model.folder)
            try damage(model)
        }
    }

    private static let dataFiles: [String: Data] = [
        "pairs.jsonl": Data(
            """
            {"anchor": "a big cat", "positive": "the cat is big"}
            {"anchor": "a red house", "positive": "the house is red"}
            {"anchor": "the dog ran", "positive": "a dog was fast"}
            {"anchor": "birds fly", "positive": "a bird was flying"}

            """.utf8),
        "scored.jsonl": Data(
            """
            {"sentence1": "a big cat", "sentence2": "the cat is big", "score": 0.9}
            {"sentence1": "a red house", "sentence2": "a blue house", "score": 0.4}
            {"sentence1": "the dog ran", "sentence2": "a small tree", "score": 0.0}

            """.utf8),
        // The second line stops in the middle of a string.
        "broken-line.jsonl": Data(
            """
            {"anchor": "a big cat", "positive": "the cat is big"}
            {"anchor": "a red house", "positive": "the hou
            {"anchor": "the dog ran", "positive": "a dog was fast"}

            """.utf8),
        // A number where the row before has text.
        "ragged.csv": Data(
            """
            anchor,positive
            a big cat,the cat is big
            a red house,the house is red,and so is the tree

            """.utf8),
        // 'é' as ISO 8859-1 has it: a byte that no UTF-8 text holds there.
        "latin1.jsonl": Data(#"{"anchor": "caf"#.utf8) + [0xE9]
            + Data(#"", "positive": "a"}"#.utf8),
        "empty.jsonl": Data(),
    ]

    private static let models: [String: @Sendable (Model) throws -> Void] = [
        "tiny": { _ in },
        "truncated": { model in
            try model.changeWeights { $0 = $0.prefix($0.count / 2) }
        },
        "header-length": { model in
            try model.changeWeights { $0.replaceSubrange(0..<8, with: [0, 0, 0, 0, 0, 1, 0, 0]) }
        },
        "header-garbage": { model in
            try model.changeWeights { $0.replaceSubrange(8..<12, with: Data("{{{{".utf8)) }
        },
        "no-weights": { model in try model.remove("model.safetensors") },
        "pickled": { model in
            try model.remove("model.safetensors")
            try Data("PK".utf8).write(to: model.folder.appending(path: "pytorch_model.bin"))
        },
        "no-config": { model in try model.remove("config.json") },
        "broken-config": { model in
            try model.change("config.json") { $0 = $0.prefix($0.count / 2) }
        },
        "wrong-shape": { model in
            try model.replace(#""hidden_size": 32"#, by: #""hidden_size": 64"#, in: "config.json")
        },
        "other-architecture": { model in
            try model.replace(
                #""model_type": "bert""#, by: #""model_type": "t5""#, in: "config.json")
        },
        "other-module": { model in
            try model.replace(
                "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
                by: "my_package.MyPooling", in: "modules.json")
        },
        "missing-tensor": { model in
            try model.replace(
                "encoder.layer.1.output.dense.weight", by: "encoder.layer.9.output.dense.weight",
                in: "model.safetensors")
        },
        "other-vocabulary": { model in
            try model.replace(
                #""[PAD]": 0"#, by: #""elephant": 4711, "[PAD]": 0"#, in: "tokenizer.json")
        },
        "not-finite": { model in
            // The first weight after the header, a bias of the embeddings, becomes NaN: with it
            // every sentence.
            try model.changeWeights { weights in
                let header = weights.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                weights.replaceSubrange(8 + header..<12 + header, with: [0, 0, 0xC0, 0x7F])
            }
        },
    ]

    private static let tinyModel = Repository.root
        .appending(path: "Tests/TrainingTests/Golden/model/bert")

    /// A copy of the tiny model, to be damaged.
    private struct Model {
        let folder: URL

        func remove(_ file: String) throws {
            try FileManager.default.removeItem(at: folder.appending(path: file))
        }

        func changeWeights(_ edit: (inout Data) throws -> Void) throws {
            try change("model.safetensors", edit)
        }

        /// Fails when the file does not hold the text: then the damage would be none.
        func replace(_ text: String, by other: String, in file: String) throws {
            try change(file) { data in
                guard let range = data.firstRange(of: Data(text.utf8)) else {
                    throw CocoaError(.fileReadCorruptFile, userInfo: ["file": file, "text": text])
                }
                data.replaceSubrange(range, with: Data(other.utf8))
            }
        }

        func change(_ file: String, _ edit: (inout Data) throws -> Void) throws {
            let url = folder.appending(path: file)
            var data = try Data(contentsOf: url)
            try edit(&data)
            try data.write(to: url)
        }
    }
}
