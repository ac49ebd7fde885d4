import Foundation
import OrderedJSON
import Testing
import Training

/// A copy of a golden model that a test may spoil.
struct ModelFolder: ~Copyable {
    let path: String

    init(copyOf name: String, without removed: [String] = []) throws {
        path = NSTemporaryDirectory() + "st-host-model-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: "\(ModelGolden.folder)/\(name)", toPath: path)
        for file in removed { try FileManager.default.removeItem(atPath: "\(path)/\(file)") }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ file: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }

    func read(_ file: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)"))
    }

    /// Sets one member of a JSON file.
    func set(_ file: String, _ key: String, _ value: JSONValue?) throws {
        var json = try #require(JSONValue.parse(utf8: Array(read(file))).objectValue)
        json[key] = value
        try write(file, JSONValue.object(json).json())
    }

    /// modules.json with these classes in the layout of releases before 5.
    func writeModules(_ names: [String]) throws {
        let list = names.enumerated().map { index, name in
            """
            {"idx": \(index), "name": "\(index)", "path": "\(index == 0 ? "" : "\(index)_\(name)")", \
            "type": "sentence_transformers.models.\(name)"}
            """
        }
        try write("modules.json", "[\(list.joined(separator: ", "))]")
    }
}
