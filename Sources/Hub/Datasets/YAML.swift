// YAML of dataset cards, by libyaml, as the values that JSON has.
import CYAML
import OrderedJSON

struct YAMLError: Error {
    /// Counted from 1.
    let line: Int
    let problem: String
}

/// Reads the first document of a text: mappings with text keys, sequences, scalars with the types
/// of YAML's core schema, and aliases of anchors within a bound.
struct YAMLReader {
    /// Values that a text may stand for once its aliases are written out; cards are far below, and
    /// a few lines of nested aliases could stand for billions.
    static let largestCount = 1_000_000
    private static let deepest = 200

    private var parser = yaml_parser_t()
    private var anchors: [String: (value: JSONValue, count: Int)] = [:]
    private var count = 0

    static func parse(_ text: String) throws(YAMLError) -> JSONValue {
        var text = text
        let result = text.withUTF8 { bytes in
            Result { () throws(YAMLError) in
                var reader = YAMLReader()
                return try reader.document(bytes)
            }
        }
        return try result.get()
    }

    private mutating func document(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLError)
        -> JSONValue
    {
        guard yaml_parser_initialize(&parser) == 1 else {
            throw YAMLError(line: 1, problem: "out of memory")
        }
        defer { yaml_parser_delete(&parser) }
        yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
        while true {
            let event = try next()
            switch event.kind {
            case YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT: continue
            case YAML_STREAM_END_EVENT: return .null
            default: return try value(event, depth: 0)
            }
        }
    }

    /// An event with what is needed of it, its memory given back.
    private struct Event {
        let kind: yaml_event_type_t
        let line: Int
        let anchor: String?
        let text: String
        let isPlain: Bool
    }

    private mutating func next() throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
            let problem = parser.problem.map { String(cString: $0) } ?? "is no YAML"
            throw YAMLError(line: Int(parser.problem_mark.line) + 1, problem: problem)
        }
        defer { yaml_event_delete(&event) }
        let isScalar = event.type == YAML_SCALAR_EVENT
        return Event(
            kind: event.type, line: Int(event.start_mark.line) + 1,
            anchor: st_yaml_anchor(&event).map { String(cString: $0) },
            text: isScalar
                ? String(
                    decoding: UnsafeBufferPointer(
                        start: st_yaml_text(&event), count: st_yaml_length(&event)), as: UTF8.self)
                : "",
            isPlain: isScalar && st_yaml_is_plain(&event))
    }

    private mutating func value(_ event: Event, depth: Int) throws(YAMLError) -> JSONValue {
        guard depth < Self.deepest else {
            throw YAMLError(line: event.line, problem: "is nested too deeply")
        }
        let before = count
        try add(1, event.line)
        let result: JSONValue
        switch event.kind {
        case YAML_SCALAR_EVENT:
            result = event.isPlain ? Self.scalar(event.text) : .string(event.text)
        case YAML_SEQUENCE_START_EVENT:
            var values: [JSONValue] = []
            while true {
                let inner = try next()
                if inner.kind == YAML_SEQUENCE_END_EVENT { break }
                values.append(try value(inner, depth: depth + 1))
            }
            result = .array(values)
        case YAML_MAPPING_START_EVENT:
            result = .object(try mapping(depth: depth))
        case YAML_ALIAS_EVENT:
            guard let name = event.anchor, let target = anchors[name] else {
                throw YAMLError(line: event.line, problem: "an alias names no anchor")
            }
            try add(target.count, event.line)
            return target.value
        default:
            throw YAMLError(line: event.line, problem: "ends too early")
        }
        if let anchor = event.anchor { anchors[anchor] = (result, count - before) }
        return result
    }

    private mutating func mapping(depth: Int) throws(YAMLError) -> JSONObject {
        var object = JSONObject()
        while true {
            let event = try next()
            if event.kind == YAML_MAPPING_END_EVENT { return object }
            let key = try value(event, depth: depth + 1)
            let name: String
            switch key {
            case .string(let text): name = text
            case .int, .bool, .double, .null: name = event.text
            default: throw YAMLError(line: event.line, problem: "a key is no text")
            }
            guard object[name] == nil else {
                throw YAMLError(line: event.line, problem: "the key '\(name)' appears twice")
            }
            object[name] = try value(try next(), depth: depth + 1)
        }
    }

    private mutating func add(_ more: Int, _ line: Int) throws(YAMLError) {
        count += more
        guard count <= Self.largestCount else {
            throw YAMLError(line: line, problem: "stands for too many values")
        }
    }

    /// The type of a text without quotes, as PyYAML decides it.
    private static func scalar(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return .bool(true)
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first,
            first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
        else { return .string(text) }
        if let number = Int64(text) { return .int(number) }
        let isDecimal = text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || "+-.eE".utf8.contains($0)
        }
        // PyYAML takes 1e3 for text: a number has a point.
        if isDecimal, text.contains("."), let number = Double(text) { return .double(number) }
        return .string(text)
    }
}
