// Features as Python's datasets writes them into the metadata of its files, under `huggingface`.
// Source: https://huggingface.co/docs/datasets/about_dataset_features

import OrderedJSON

enum FeatureMetadata {
    static let key = "huggingface"

    /// `{"info": {"features": {...}}}`
    static func text(_ features: [FeatureType.Field]) -> String {
        JSONValue.object([
            "info": .object(["features": .object(JSONObject(features.map(member)))])
        ]).json()
    }

    private static func member(_ field: FeatureType.Field) -> (String, JSONValue) {
        (field.name, value(field.type))
    }

    private static func value(_ type: FeatureType) -> JSONValue {
        switch type {
        case .classLabel(let names):
            .object(["names": .array(names.map(JSONValue.string)), "_type": "ClassLabel"])
        case .list(let element): .object(["feature": value(element), "_type": "List"])
        case .structure(let fields): .object(JSONObject(fields.map(member)))
        case .json: .object(["_type": "Json"])
        default: .object(["dtype": .string(type.valueName ?? "null"), "_type": "Value"])
        }
    }

    /// The types by column; kinds that are not known are left out.
    static func features(_ text: String) -> [UTF8Key: FeatureType] {
        guard let features = (try? JSONValue.parse(text))?["info"]?["features"]?.objectValue else {
            return [:]
        }
        return Dictionary(
            features.compactMap { name, value in type(value).map { (UTF8Key(name), $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    private static func type(_ value: JSONValue) -> FeatureType? {
        // Lists of early versions: [feature].
        if let elements = value.arrayValue {
            return elements.count == 1 ? type(elements[0]).map(FeatureType.list) : nil
        }
        guard let object = value.objectValue else { return nil }
        guard let kind = object["_type"]?.stringValue else { return structure(object) { $0 } }
        switch kind {
        case "Value":
            return object["dtype"]?.stringValue.flatMap(FeatureType.init(valueName:))
        case "ClassLabel":
            let names = object["names"]?.arrayValue?.map { $0.stringValue ?? $0.json() } ?? []
            return names.isEmpty || Set(names.map(UTF8Key.init)).count < names.count
                ? nil : .classLabel(names)
        case "Json": return .json
        case "Sequence":
            // Until datasets 4 a sequence of structures was a structure of lists.
            if let members = object["feature"]?.objectValue, members["_type"] == nil {
                return structure(members, FeatureType.list)
            }
            return object["feature"].flatMap(type).map(FeatureType.list)
        case "List", "LargeList": return object["feature"].flatMap(type).map(FeatureType.list)
        default: return nil
        }
    }

    private static func structure(
        _ members: JSONObject, _ wrap: (FeatureType) -> FeatureType
    ) -> FeatureType? {
        let fields = members.compactMap { name, value in
            type(value).map { FeatureType.Field(name: name, type: wrap($0)) }
        }
        return fields.count == members.count && !fields.isEmpty ? .structure(fields) : nil
    }
}

extension FeatureType {
    init?(valueName: String) {
        switch valueName {
        case "string", "large_string": self = .string
        case "bool": self = .bool
        case "null": self = .null
        case "float16", "float32", "float64":
            self = .float(bits: Int(valueName.dropFirst(5)) ?? 64)
        case "int8", "int16", "int32", "int64":
            self = .integer(bits: Int(valueName.dropFirst(3)) ?? 64, isSigned: true)
        case "uint8", "uint16", "uint32", "uint64":
            self = .integer(bits: Int(valueName.dropFirst(4)) ?? 64, isSigned: false)
        default: return nil
        }
    }

    /// The type of a column of a file whose metadata says `declared`: that where the two are stored
    /// alike, otherwise what the file's schema says, as in Python.
    func refined(by declared: FeatureType) -> FeatureType {
        switch (self, declared) {
        case (.integer, .classLabel), (.string, .json): return declared
        case (.list(let element), .list(let other)): return .list(element.refined(by: other))
        case (.structure(let fields), .structure(let others)):
            return .structure(
                fields.map { field in
                    guard let other = others.first(where: { $0.name.hasSameUTF8(as: field.name) })
                    else {
                        return field
                    }
                    return Field(name: field.name, type: field.type.refined(by: other.type))
                })
        default: return self
        }
    }

    var hasJSON: Bool {
        switch self {
        case .json: true
        case .list(let element): element.hasJSON
        case .structure(let fields): fields.contains { $0.type.hasJSON }
        default: false
        }
    }

    /// A value of a file with texts parsed where the type is JSON; what is no JSON stays text.
    func decoded(_ value: JSONValue) -> JSONValue {
        switch (self, value) {
        case (.json, .string(let text)): (try? JSONValue.parse(text)) ?? value
        case (.list(let element), .array(let values)): .array(values.map(element.decoded))
        case (.structure(let fields), .object(let object)):
            .object(
                JSONObject(fields.map { ($0.name, $0.type.decoded(object[$0.name] ?? .null)) }))
        default: value
        }
    }
}
