import OrderedJSON

/// How values become those of a column's type, where they say the same in it: what Python's `map`
/// does to keep the types of columns.
indirect enum FeatureCast {
    case label(ClassLabel)
    case list(FeatureCast)
    case structure([(name: String, cast: FeatureCast)])
    case plain(FeatureType)

    init(to type: FeatureType) throws {
        switch type {
        case .classLabel(let names): self = .label(try ClassLabel(names: names))
        case .list(let element): self = .list(try FeatureCast(to: element))
        case .structure(let fields):
            self = .structure(
                try fields.map { (name: $0.name, cast: try FeatureCast(to: $0.type)) })
        default: self = .plain(type)
        }
    }

    /// The column in another type, or `nil` when a value does not fit it.
    /// - Throws: for a text or number that is no class where `type` has classes.
    static func column(
        _ storage: ColumnStorage, to type: FeatureType, name: String
    ) throws -> ColumnStorage? {
        let cast = try FeatureCast(to: type)
        var builder = ColumnBuilder(type: type)
        do {
            for value in try Column(storage: storage, indices: nil) {
                guard let value = try cast(value) else { return nil }
                builder.append(value)
            }
        } catch let unknown as UnknownClass {
            throw TrainingError.argument(
                owner: "map", name: "function",
                problem: "\(unknown.value) is no class of column '\(name)'",
                hint: "its classes are \(unknown.classes); give other values another column")
        }
        return builder.finish()
    }

    private struct UnknownClass: Error {
        let value: String
        let classes: String
    }

    private func callAsFunction(_ value: JSONValue) throws -> JSONValue? {
        if value.isNull { return value }
        switch (self, value) {
        case (.label(let label), _): return try Self.number(value, of: label)
        case (.list(let element), .array(let values)):
            var result: [JSONValue] = []
            for value in values {
                guard let value = try element(value) else { return nil }
                result.append(value)
            }
            return .array(result)
        case (.structure(let fields), .object(let object)):
            var result = JSONObject()
            for (name, cast) in fields {
                guard let value = try cast(object[name] ?? .null) else { return nil }
                result[name] = value
            }
            guard object.keys.allSatisfy({ result[$0] != nil }) else { return nil }
            return .object(result)
        case (.plain(let type), _): return Self.plain(value, type)
        default: return nil
        }
    }

    private static func number(_ value: JSONValue, of label: ClassLabel) throws -> JSONValue? {
        let number: Int64?
        if case .string(let name) = value {
            number = label.find(name).map(Int64.init)
            if number == nil { throw UnknownClass(value: "'\(name)'", classes: label.list) }
        } else {
            number = integer(value)
        }
        guard let number else { return nil }
        guard number >= -1, number < label.names.count else {
            throw UnknownClass(
                value: "\(number)", classes: "0 to \(label.names.count - 1): \(label.list)")
        }
        return .int(number)
    }

    private static func plain(_ value: JSONValue, _ type: FeatureType) -> JSONValue? {
        switch type {
        case .json: return value
        case .string: return value.stringValue.map(JSONValue.string)
        case .bool: return bool(value).map(JSONValue.bool)
        case .integer(let bits, let isSigned):
            guard let number = integer(value),
                FeatureType.fits(number, bits: bits, isSigned: isSigned)
            else { return nil }
            return .int(number)
        case .float(let bits):
            guard let number = float(value, bits) else { return nil }
            return .double(bits == 64 ? number : Double(Float(number)))
        case .null, .classLabel, .list, .structure: return nil
        }
    }

    // Arrow's rules: floats that are whole are integers, integers that a float does not hold exactly
    // are none, texts of numbers without blanks are numbers, booleans are 0 and 1.

    private static func integer(_ value: JSONValue) -> Int64? {
        switch value {
        case .int(let number): number
        case .double(let number): Int64(exactly: number)
        case .bool(let flag): flag ? 1 : 0
        case .string(let text): text.utf8.first == UInt8(ascii: "+") ? nil : Int64(text)
        default: nil
        }
    }

    private static func float(_ value: JSONValue, _ bits: Int) -> Double? {
        switch value {
        case .int(let number):
            number.magnitude <= 1 << (bits == 64 ? 53 : bits == 32 ? 24 : 11)
                ? Double(number) : nil
        case .double(let number): number
        case .bool(let flag): flag ? 1 : 0
        case .string(let text):
            // Swift would take hexadecimal numbers, too.
            text.utf8.first == UInt8(ascii: "+") || text.utf8.contains { "xXpP".utf8.contains($0) }
                ? nil : Double(text)
        default: nil
        }
    }

    private static func bool(_ value: JSONValue) -> Bool? {
        switch value {
        case .bool(let flag): flag
        case .int(let number): number != 0
        case .double(let number): number != 0
        case .string(let text):
            switch text.lowercased() {
            case "true", "1": true
            case "false", "0": false
            default: nil
            }
        default: nil
        }
    }
}
