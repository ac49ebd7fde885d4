import Foundation
import OrderedJSON
import Testing
import Training

/// A model with its tables: the tiny one of this repository, or the real one with shared/data.
struct TrainingPeer: CustomTestStringConvertible, Sendable {
    let name: String
    let model: String
    let tables: String
    /// More threads than one: results must not depend on it.
    var threads = 2

    var testDescription: String { name }

    static let tiny = TrainingPeer(
        name: "bert", model: Golden.url("model/bert").path, tables: Golden.url("tables").path)

    /// all-MiniLM-L6-v2, when ST_HOST_MODEL and shared/data are there.
    static let real: TrainingPeer? = {
        guard let model = ProcessInfo.processInfo.environment["ST_HOST_MODEL"] else { return nil }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let tables = root.deletingLastPathComponent().appendingPathComponent("shared/data").path
        let files = [model + "/model.safetensors", tables + "/nli-triplets.jsonl"]
        guard files.allSatisfy(FileManager.default.fileExists) else { return nil }
        return TrainingPeer(name: "minilm", model: model, tables: tables)
    }()

    static var all: [TrainingPeer] { [tiny] + (real.map { [$0] } ?? []) }

    func load(_ path: String? = nil) throws -> SentenceTransformer {
        var options = SentenceTransformer.Options()
        options.threads = threads
        return try SentenceTransformer(path: path ?? model, options: options)
    }

    func golden(_ part: String) throws -> JSONValue {
        try Golden.json("training-\(name)-\(part).json")
    }

    func rows(_ table: String, _ count: Int? = nil) throws -> [JSONObject] {
        let text = try String(contentsOfFile: "\(tables)/\(table).jsonl", encoding: .utf8)
        let lines = text.split(separator: "\n").prefix(count ?? .max)
        return try lines.map { try #require(JSONValue.parse(String($0)).objectValue) }
    }

    func dataset(_ table: String, _ count: Int? = nil) throws -> Dataset {
        try Dataset(rows: rows(table, count))
    }

    func evaluator() throws -> EmbeddingSimilarityEvaluator {
        let rows = try rows("stsb-dev")
        return try EmbeddingSimilarityEvaluator(
            sentences1: rows.compactMap { $0["sentence1"]?.stringValue },
            sentences2: rows.compactMap { $0["sentence2"]?.stringValue },
            scores: rows.compactMap { $0["score"]?.doubleValue }, name: "sts-dev", writeCSV: false)
    }
}

/// A folder that is gone when the object is.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "st-host-tests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// The same model with all dropout probabilities 0.
    func withoutDropout(_ model: String) throws -> String {
        let copy = file("no-dropout")
        try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: model)
        where name != "config.json" {
            try FileManager.default.createSymbolicLink(
                atPath: copy + "/" + name, withDestinationPath: model + "/" + name)
        }
        let text = try String(contentsOfFile: model + "/config.json", encoding: .utf8)
        var config = try #require(JSONValue.parse(text).objectValue)
        config["hidden_dropout_prob"] = 0.0
        config["attention_probs_dropout_prob"] = 0.0
        try JSONValue(config).json().write(
            toFile: copy + "/config.json", atomically: true, encoding: .utf8)
        return copy
    }
}
