public import OrderedJSON

/// Every knob of a training run under its Python name, with Python's defaults.
///
/// One table, ``table``, says for each argument its type, default, range and whether it is supported;
/// it drives parsing, validation, the conversion of a search's suggestions and the help text. Values
/// are plain (`JSONValue`); members like ``learningRate`` read them with their type. Arguments that
/// depend on others (`evalSteps`, ``warmupSteps(of:)``, ``metricForBestModel``) are worked out when
/// read, so a search may change any of them on a copy.
public struct SentenceTransformerTrainingArguments: Sendable {
    /// Values given explicitly; all others have the table's default.
    public private(set) var given: [String: JSONValue] = [:]

    /// All defaults, but for the names in `values`.
    /// Throws ``TrainingError/argument(owner:name:problem:hint:)`` for an unknown name, a wrong type, a
    /// value out of range, a refused argument, or values that contradict each other.
    public init(_ values: JSONObject = [:]) throws {
        for (name, value) in values { try set(name, value) }
        try validate()
    }

    /// A copy with the parameters of a search applied, checked as a whole.
    ///
    /// Suggested values take the argument's own type: 3.0 and "3" become 3 for a whole number, and
    /// 0.1 stays 0.1 for `warmup_steps`. A value that would lose something, 2.7 for a whole number, is
    /// an error, as is an unknown name.
    public func applying(_ suggestions: JSONObject) throws -> Self {
        var copy = self
        for (name, value) in suggestions { try copy.set(name, value, convertsText: true) }
        try copy.validate()
        return copy
    }

    /// The current value of any argument: given, derived or default; `nil` for an unknown name.
    public subscript(name: String) -> JSONValue? {
        guard let argument = Self.arguments[name] else { return nil }
        if let derived = derived(name) { return derived }
        return given[name] ?? argument.defaultValue
    }

    /// Sentences for arguments that are accepted but do nothing; the trainer logs them once.
    public var warnings: [String] {
        Self.table.compactMap { argument in
            guard case .withoutEffect(let reason) = argument.support,
                let value = given[argument.name], value != argument.defaultValue,
                !argument.harmless.contains(value)
            else { return nil }
            return "\(argument.name) has no effect: \(reason)"
        }
    }

    static let owner = "SentenceTransformerTrainingArguments"

    static func refusal(_ name: String, _ problem: String, _ hint: String? = nil) -> TrainingError {
        .argument(owner: owner, name: name, problem: problem, hint: hint)
    }

    static let arguments = Dictionary(
        uniqueKeysWithValues: table.map { ($0.name, $0) })

    private mutating func set(
        _ name: String, _ value: JSONValue, convertsText: Bool = false
    ) throws {
        guard let argument = Self.arguments[name] else {
            let near = nearestArgumentName(name, among: Self.table.map(\.name))
            throw Self.refusal(
                name, "there is no such argument", near.map { "did you mean '\($0)'?" })
        }
        // As Python's None: back to the default where the type has no nil of its own.
        if value.isNull {
            given[name] = nil
            return
        }
        let stored = try argument.kind.normalized(value, name: name, convertsText: convertsText)
        if case .refused(let reason, let hint) = argument.support, stored != argument.defaultValue,
            !argument.harmless.contains(stored)
        {
            throw Self.refusal(name, reason, hint)
        }
        given[name] = stored
    }
}

/// One row of the table of arguments.
public struct TrainingArgument: Sendable {
    public enum Support: Sendable {
        case supported
        /// Accepted with a warning that says why it does nothing: Python's trainer never looks at
        /// it either, or no result depends on it.
        case withoutEffect(String)
        /// Any value but the default is an error.
        case refused(String, hint: String? = nil)
    }

    public let name: String
    public let kind: ArgumentKind
    /// `null` where Python has None.
    public let defaultValue: JSONValue
    public let support: Support
    /// What it does, with unit and range.
    public let help: String
    /// Values besides the default that ask for nothing, or for what is the case.
    var harmless: [JSONValue] = []
}

/// What values an argument takes.
public enum ArgumentKind: Sendable {
    case bool
    case int(atLeast: Int, atMost: Int = .max)
    case number(Limit)
    case text
    case choice([String])
    /// A string or a table.
    case table
    /// A string or a list of strings.
    case texts
    /// Texts before sentences: one, or tables of them.
    case prompts
    case anything

    public enum Limit: Sendable {
        case any
        case atLeast(Double)
        case above(Double)
        /// Lower bound included, upper bound not.
        case within(Double, below: Double)
        case upTo(Double, atLeast: Double)
    }

    /// The value in the type it is stored in, or an error that says what was expected.
    func normalized(_ value: JSONValue, name: String, convertsText: Bool) throws -> JSONValue {
        func mismatch(_ expected: String) -> TrainingError {
            SentenceTransformerTrainingArguments.refusal(
                name, "expected \(expected), got \(Self.typeName(value))")
        }
        switch self {
        case .bool:
            guard let flag = value.boolValue else { throw mismatch("boolean") }
            return .bool(flag)
        case .int(let low, let high):
            let number = try Self.number(value, convertsText) ?? { throw mismatch("integer") }()
            guard let whole = Int(exactly: number), number.magnitude < 9e15 else {
                throw SentenceTransformerTrainingArguments.refusal(
                    name, "expected a whole number, got \(number)")
            }
            guard whole >= low, whole <= high else {
                throw SentenceTransformerTrainingArguments.refusal(
                    name,
                    high == .max
                        ? "must be \(low) or more, got \(whole)"
                        : "must be between \(low) and \(high), got \(whole)")
            }
            return .int(Int64(whole))
        case .number(let limit):
            let number = try Self.number(value, convertsText) ?? { throw mismatch("number") }()
            if let problem = limit.problem(number) {
                throw SentenceTransformerTrainingArguments.refusal(name, problem)
            }
            return .double(number)
        case .text:
            guard let text = value.stringValue else { throw mismatch("string") }
            return .string(text)
        case .choice(let choices):
            guard let text = value.stringValue else { throw mismatch("string") }
            guard choices.contains(text) else {
                throw SentenceTransformerTrainingArguments.refusal(
                    name, "'\(text)' is not a choice",
                    "use one of \(choices.map { "'\($0)'" }.joined(separator: ", "))")
            }
            return .string(text)
        case .table:
            guard value.stringValue != nil || value.objectValue != nil || value.arrayValue == []
            else { throw mismatch("table") }
            return value.arrayValue == [] ? [:] : value
        case .prompts:
            return try Self.prompts(value, name)
                ?? { throw mismatch("string or table of strings by name") }()
        case .texts:
            if let text = value.stringValue { return .string(text) }
            guard let list = value.arrayValue, list.allSatisfy({ $0.stringValue != nil }) else {
                throw mismatch("string or list of strings")
            }
            return value
        case .anything:
            return value
        }
    }

    /// A text, { name = text } or { dataset = { column = text } }; text that is JSON stands for the
    /// table, as in Python.
    private static func prompts(_ value: JSONValue, _ name: String) throws -> JSONValue? {
        if value.arrayValue == [] { return [:] }
        if let text = value.stringValue {
            return (try? JSONValue.parse(text)).flatMap { $0.objectValue == nil ? nil : $0 }
                ?? value
        }
        guard let members = value.objectValue else { return nil }
        for (key, member) in members where member.stringValue == nil {
            let texts = member.objectValue?.values ?? []
            guard !texts.isEmpty, texts.allSatisfy({ $0.stringValue != nil }) else {
                throw SentenceTransformerTrainingArguments.refusal(
                    name, "expected a string or a table of strings for '\(key)'")
            }
        }
        return value
    }

    private static func number(_ value: JSONValue, _ convertsText: Bool) -> Double? {
        if case .bool = value { return nil }
        if let number = value.doubleValue { return number }
        guard convertsText, let text = value.stringValue else { return nil }
        return Double(text)
    }

    /// Lua's names of types, which is what users of the arguments write.
    private static func typeName(_ value: JSONValue) -> String {
        switch value {
        case .null: "nil"
        case .bool: "boolean"
        case .int, .double: "number"
        case .string: "string"
        case .array, .object: "table"
        }
    }
}

extension ArgumentKind.Limit {
    func problem(_ number: Double) -> String? {
        guard number.isFinite else {
            // NaN has a sign that differs from machine to machine.
            return "must be a finite number, got \(number.isNaN ? "nan" : "\(number)")"
        }
        switch self {
        case .any: return nil
        case .atLeast(let low):
            return number >= low ? nil : "must be \(low) or more, got \(number)"
        case .above(let low): return number > low ? nil : "must be above \(low), got \(number)"
        case .within(let low, let high):
            return number >= low && number < high
                ? nil : "must be at least \(low) and below \(high), got \(number)"
        case .upTo(let high, let low):
            return number >= low && number <= high
                ? nil : "must be between \(low) and \(high), got \(number)"
        }
    }
}

/// The name with the fewest edits, if it is close enough to be a slip of the finger.
func nearestArgumentName(_ name: String, among names: [String]) -> String? {
    let wanted = Array(name.utf8.prefix(64))
    let best = names.map { ($0, editDistance(wanted, Array($0.utf8))) }.min { $0.1 < $1.1 }
    guard let (candidate, distance) = best, distance <= max(2, wanted.count / 3) else { return nil }
    return candidate
}

private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var previous = Array(0...b.count)
    for (row, letter) in a.enumerated() {
        var current = [row + 1]
        for (column, other) in b.enumerated() {
            current.append(
                min(
                    previous[column] + (letter == other ? 0 : 1), previous[column + 1] + 1,
                    current[column] + 1))
        }
        previous = current
    }
    return previous[b.count]
}
