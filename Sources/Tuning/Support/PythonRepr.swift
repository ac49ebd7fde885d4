// How Python prints values: log lines, error texts and BestRun show numbers, texts and dicts in
// exactly this form. `repr(float)` itself lives in OrderedJSON.

public import OrderedJSON

/// Python's `repr(str)`: single quotes, or double ones around a text that holds single quotes and
/// no double one; control and other unprintable characters escaped.
public func pythonRepr(_ text: String) -> String {
    let scalars = text.unicodeScalars
    let quote: Unicode.Scalar = scalars.contains("'") && !scalars.contains("\"") ? "\"" : "'"
    var result = String.UnicodeScalarView()
    result.append(quote)
    for scalar in scalars {
        switch scalar {
        case quote, "\\": result.append(contentsOf: ["\\", scalar])
        case "\n": result.append(contentsOf: "\\n".unicodeScalars)
        case "\r": result.append(contentsOf: "\\r".unicodeScalars)
        case "\t": result.append(contentsOf: "\\t".unicodeScalars)
        case _ where isPrintable(scalar): result.append(scalar)
        default: result.append(contentsOf: escape(scalar).unicodeScalars)
        }
    }
    result.append(quote)
    return String(result)
}

/// Python's `repr` of a parameter: `None`, `True`, `5`, `5.0`, `'adam'`.
public func pythonRepr(_ value: ParameterValue) -> String {
    switch value {
    case .null: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): String(value)
    case .double(let value): pythonRepr(value)
    case .string(let value): pythonRepr(value)
    }
}

/// Python's `repr` of a dict: `{'lr': 1e-05, 'b': 64}`.
public func pythonRepr(_ values: NamedValues<ParameterValue>) -> String {
    "{" + values.map { pythonRepr($0.name) + ": " + pythonRepr($0.value) }.joined(separator: ", ")
        + "}"
}

/// Python's `repr` of a list of floats: `[0.5, 2.0]`.
public func pythonRepr(_ values: [Double]) -> String {
    "[" + values.map { pythonRepr($0) }.joined(separator: ", ") + "]"
}

/// Python's `repr` of what `json.loads` gives for this value.
public func pythonRepr(_ value: JSONValue) -> String {
    switch value {
    case .null: "None"
    case .bool(let value): value ? "True" : "False"
    case .int(let value): String(value)
    case .double(let value): pythonRepr(value)
    case .string(let value): pythonRepr(value)
    case .array(let values): "[" + values.map { pythonRepr($0) }.joined(separator: ", ") + "]"
    case .object(let members):
        "{"
            + members.map { pythonRepr($0.key) + ": " + pythonRepr($0.value) }
            .joined(separator: ", ") + "}"
    }
}

/// Python's `repr` of a tuple: `('a', 'b')`, `('a',)`.
func pythonTupleRepr(_ values: [ParameterValue]) -> String {
    let members = values.map { pythonRepr($0) }.joined(separator: ", ")
    return values.count == 1 ? "(\(members),)" : "(\(members))"
}

/// Python's `repr` of a bool or of `None`.
func pythonRepr(_ value: Bool) -> String { value ? "True" : "False" }
func pythonRepr(_ value: Double?) -> String { value.map { pythonRepr($0) } ?? "None" }

/// `str.isprintable` of one character.
private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7f { return scalar.value >= 0x20 }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator, .spaceSeparator:
        return false
    default: return true
    }
}

private func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    func padded(_ width: Int) -> String {
        String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
    }
    switch scalar.value {
    case ..<0x100: return "\\x" + padded(2)
    case ..<0x10000: return "\\u" + padded(4)
    default: return "\\U" + padded(8)
    }
}
