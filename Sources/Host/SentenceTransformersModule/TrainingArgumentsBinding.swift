// `st.SentenceTransformerTrainingArguments`: every argument is a keyword, and a field that can be
// read and assigned. Names, types and defaults come from Training's table.

import LuaBridge
import OrderedJSON
import Training

/// Arguments as scripts hold them. A trainer looks at them again whenever it starts to train.
final class ArgumentsObject: LuaObject {
    var value: SentenceTransformerTrainingArguments

    init(_ value: SentenceTransformerTrainingArguments) { self.value = value }
}

func trainingArgumentsClass() -> LuaClass<ArgumentsObject> {
    let table = SentenceTransformerTrainingArguments.table
    let names = table.map(\.name)
    return LuaClass<ArgumentsObject>(
        "SentenceTransformerTrainingArguments", doc: "Every knob of a training run."
    )
    .constructor(table.map(parameter), doc: "Arguments that are left out have Python's defaults.") {
        args in
        var values: JSONObject = [:]
        for name in args.given { values[name] = try args.get(name, as: JSONValue.self) }
        return ArgumentsObject(try SentenceTransformerTrainingArguments(values))
    }
    .index(names: { _ in names }) { object, key in
        guard let name = key.string, names.contains(name) else { return nil }
        return object.value[name] ?? .null
    }
    .newIndex { object, key, value in
        guard let name = key.string, names.contains(name) else { return false }
        object.value = try object.value.setting(name, to: JSONValue(value))
        return true
    }
    .pairs { object in
        var rest = names[...]
        return AnyIterator {
            // A nil value would end the loop of a script, so such arguments are passed over.
            while let name = rest.popFirst() {
                if let value = object.value[name], !value.isNull {
                    return (key: name, value: value)
                }
            }
            return nil
        }
    }
    .tostring { object in
        let given = object.value.given.keys.sorted().map { name in
            "\(name)=\(object.value[name]?.json() ?? "nil")"
        }
        return "SentenceTransformerTrainingArguments(\(given.joined(separator: ", ")))"
    }
}

/// The type is checked by the arguments themselves, whose messages know ranges and choices.
private func parameter(_ argument: TrainingArgument) -> LuaParameter {
    let fallback: LuaDefault =
        argument.defaultValue.isNull ? .nil : .computed(argument.defaultValue.json())
    // As in Python, the folder may come first without a name.
    return argument.name == "output_dir"
        ? .optional(argument.name, .string, fallback, argument.help)
        : LuaParameter(
            argument.name, .any, default: fallback, kind: .keywordOnly,
            shown: argument.kind.shown, doc: argument.help)
}

extension ArgumentKind {
    /// Type and range as `help` shows them.
    fileprivate var shown: (type: LuaType, range: LuaRange?) {
        switch self {
        case .bool: (.boolean, nil)
        case .int(let lower, let upper):
            (.integer, LuaRange(lower: Double(lower), upper: upper == .max ? nil : Double(upper)))
        case .number(.any): (.number, nil)
        case .number(.atLeast(let lower)): (.number, .atLeast(lower))
        case .number(.above(let lower)): (.number, .above(lower))
        case .number(.within(let lower, let upper)):
            (.number, LuaRange(lower: lower, upper: upper, upperIsOpen: true))
        case .number(.upTo(let upper, let lower)): (.number, .between(lower, upper))
        case .text: (.string, nil)
        case .choice(let names): (.oneOf(names), nil)
        case .table, .prompts: (.union([.string, .table]), nil)
        case .texts: (.stringOrSequence, nil)
        case .anything: (.any, nil)
        }
    }
}

extension SentenceTransformerTrainingArguments {
    /// A copy with one argument changed; nil puts its default back.
    func setting(_ name: String, to value: JSONValue) throws -> Self {
        var values = JSONObject(given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        values[name] = value
        return try Self(values)
    }
}
