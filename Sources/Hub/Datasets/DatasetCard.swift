import OrderedJSON

/// What a dataset's README.md says about its files: the `configs` of its front matter.
struct DatasetCard {
    struct Configuration {
        let name: String
        /// Patterns by split, in order; nil for those found by themselves.
        let dataFiles: [(split: String, patterns: [String])]?
        let dataFolder: String?
        let isDefault: Bool
        /// What else the reader of the format is told: `sep`, `field` and the like.
        let options: JSONObject
    }

    var configurations: [Configuration] = []

    init() {}

    /// - readme: the text of README.md. - settings: the text of .huggingface.yaml, which adds to it.
    /// - name: of the dataset, for errors.
    init(readme: String?, settings: String?, name: String) throws {
        var metadata = JSONObject()
        if let block = readme.flatMap(Self.frontMatter) {
            metadata = try Self.read(block, "README.md", name, firstLine: 1)
        }
        if let settings {
            for (key, value) in try Self.read(settings, ".huggingface.yaml", name, firstLine: 0) {
                metadata[key] = value
            }
        }
        guard let value = metadata["configs"], !value.isNull else { return }
        guard let list = value.arrayValue else {
            throw Self.malformed(name, "configs is \(value.kind), not a list")
        }
        configurations = try list.map { try Self.configuration($0, name) }
        let names = configurations.map(\.name)
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw Self.malformed(name, "the configuration '\(twice)' appears twice")
        }
    }

    /// The configuration that is taken when none is named; nil when there is no such one.
    func defaultConfiguration(_ dataset: String) throws -> Configuration? {
        let defaults = configurations.filter {
            configurations.count == 1 || $0.name == "default" || $0.isDefault
        }
        guard defaults.count <= 1 else {
            throw Self.malformed(
                dataset, "'\(defaults[0].name)' and '\(defaults[1].name)' are both the default")
        }
        return defaults.first
    }

    /// The lines between "---" on the first line and the next "---".
    private static func frontMatter(_ text: String) -> String? {
        let body = text.hasPrefix("\u{feff}") ? text.dropFirst() : text[...]
        let lines = body.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else {
            return nil
        }
        return lines[1..<end].joined(separator: "\n")
    }

    private static func read(
        _ text: String, _ file: String, _ name: String, firstLine: Int
    ) throws -> JSONObject {
        do {
            let value = try YAMLReader.parse(text)
            if value.isNull { return [:] }
            guard let object = value.objectValue else {
                throw HubError.dataset(name: name, problem: "\(file) holds no settings by name")
            }
            return object
        } catch let error as YAMLError {
            throw HubError.dataset(
                name: name, problem: "\(file):\(error.line + firstLine): \(error.problem)",
                hint: "name the files with data_files")
        }
    }

    private static func configuration(_ value: JSONValue, _ dataset: String) throws -> Configuration
    {
        guard let object = value.objectValue, let name = text(object["config_name"]) else {
            throw malformed(dataset, "a configuration has no config_name")
        }
        var options = JSONObject()
        for (key, value) in object
        where !["config_name", "data_files", "data_dir", "default", "features"].contains(key) {
            options[key] = value
        }
        return Configuration(
            name: name,
            dataFiles: try object["data_files"].flatMap { try files($0, name, dataset) },
            dataFolder: text(object["data_dir"]), isDefault: object["default"]?.boolValue ?? false,
            options: options)
    }

    /// `data_files` in each of its spellings: a pattern, patterns, or a list of split and path.
    private static func files(
        _ value: JSONValue, _ name: String, _ dataset: String
    ) throws -> [(split: String, patterns: [String])]? {
        func wrong(_ problem: String) -> HubError {
            malformed(dataset, "data_files of the configuration '\(name)': \(problem)")
        }
        func patterns(_ value: JSONValue?) -> [String]? {
            if let pattern = value?.stringValue { return [pattern] }
            guard let list = value?.arrayValue else { return nil }
            let texts = list.compactMap(\.stringValue)
            return texts.count == list.count ? texts : nil
        }
        if value.isNull { return nil }
        if let all = patterns(value) { return [("train", all)] }
        guard let list = value.arrayValue else { throw wrong("is \(value.kind)") }
        var result: [(split: String, patterns: [String])] = []
        for entry in list {
            guard let split = text(entry["split"]), let paths = patterns(entry["path"]) else {
                throw wrong("expected entries with split and path")
            }
            guard DatasetSplitName.isValid(split) else {
                throw wrong("'\(split)' is no name of a split")
            }
            guard !result.contains(where: { $0.split == split }) else {
                throw wrong("the split '\(split)' appears twice")
            }
            result.append((split, paths))
        }
        return result
    }

    /// A text, also where YAML takes it for a number or a truth value: a configuration called 2023.
    private static func text(_ value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let flag): flag ? "True" : "False"
        default: nil
        }
    }

    private static func malformed(_ name: String, _ problem: String) -> HubError {
        .dataset(
            name: name, problem: "its card: \(problem)", hint: "name the files with data_files")
    }
}

enum DatasetSplitName {
    /// Words joined by points, as Python has it.
    static func isValid(_ name: String) -> Bool {
        !name.isEmpty
            && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
            }
    }
}
