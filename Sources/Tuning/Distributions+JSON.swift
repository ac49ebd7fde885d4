// Distributions as Optuna's databases and journals keep them: a JSON text per parameter.

import OrderedJSON

extension Distribution {
    /// The text that Python's `distribution_to_json` writes, members in its order.
    public var json: String { jsonValue.json() }

    private var jsonValue: JSONValue {
        switch self {
        case .float(let it):
            Self.named(
                "FloatDistribution",
                [
                    "step": it.step.map { .double($0) } ?? .null, "low": .double(it.low),
                    "high": .double(it.high), "log": .bool(it.log),
                ])
        case .int(let it):
            Self.named(
                "IntDistribution",
                [
                    "log": .bool(it.log), "step": JSONValue(it.step), "low": JSONValue(it.low),
                    "high": JSONValue(it.high),
                ])
        case .categorical(let it):
            Self.named(
                "CategoricalDistribution", ["choices": .array(it.choices.map(\.jsonValue))])
        }
    }

    private static func named(_ name: String, _ attributes: JSONObject) -> JSONValue {
        ["name": .string(name), "attributes": .object(attributes)]
    }

    /// Reads what Optuna writes and has written: the three classes of today, the five of releases
    /// before 3.0, and the short form of its command line (`{"type": "float", "low": ...}`).
    public init(json text: String) throws {
        func refuse(_ problem: String) -> TuningError {
            .invalidDistribution(json: shortened(text), problem: problem)
        }
        let parsed: JSONValue
        do {
            parsed = try JSONValue.parse(text)
        } catch {
            throw refuse("\(error)")
        }
        guard let object = parsed.objectValue else { throw refuse("expected an object") }
        let attributes: JSONObject
        let name: String
        if let given = object["name"] {
            guard let text = given.stringValue, let members = object["attributes"]?.objectValue
            else { throw refuse("expected a name and an object of attributes") }
            (name, attributes) = (text, members)
        } else {
            guard let type = object["type"]?.stringValue else {
                throw refuse("it has neither a name nor a type")
            }
            (name, attributes) = (type, object)
        }
        do {
            self = try Self.make(name, DistributionAttributes(attributes))
        } catch let error as DistributionAttributes.Problem {
            throw refuse(error.text)
        } catch let error as TuningError {
            throw refuse(String("\(error)".drop { $0 == " " }.prefix { $0 != "\n" }))
        }
    }

    private static func make(_ name: String, _ it: DistributionAttributes) throws -> Distribution {
        switch name {
        case "FloatDistribution", "float":
            return .float(
                try FloatDistribution(
                    low: it.double("low"), high: it.double("high"), log: it.flag("log"),
                    step: it.optionalDouble("step")))
        case "UniformDistribution", "LogUniformDistribution":
            return .float(
                try FloatDistribution(
                    low: it.double("low"), high: it.double("high"),
                    log: name == "LogUniformDistribution"))
        case "DiscreteUniformDistribution":
            return .float(
                try FloatDistribution(
                    low: it.double("low"), high: it.double("high"), step: it.double("q")))
        case "IntDistribution", "int", "IntUniformDistribution":
            return .int(
                try IntDistribution(
                    low: it.int("low"), high: it.int("high"), log: it.flag("log"),
                    step: it.optionalInt("step") ?? 1))
        case "IntLogUniformDistribution":
            return .int(try IntDistribution(low: it.int("low"), high: it.int("high"), log: true))
        case "CategoricalDistribution", "categorical":
            return .categorical(try CategoricalDistribution(choices: it.choices()))
        default:
            throw DistributionAttributes.Problem(text: "unknown kind '\(name)'")
        }
    }
}

/// The attributes of one text, read with their types checked.
private struct DistributionAttributes {
    struct Problem: Error {
        let text: String
    }

    private let members: JSONObject

    init(_ members: JSONObject) { self.members = members }

    func double(_ name: String) throws -> Double {
        guard let number = try optionalDouble(name) else {
            throw Problem(text: "'\(name)' is missing")
        }
        return number
    }

    func optionalDouble(_ name: String) throws -> Double? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let number = value.doubleValue else {
            throw Problem(text: "'\(name)' must be a number, not \(value.kind)")
        }
        return number
    }

    func int(_ name: String) throws -> Int {
        guard let number = try optionalInt(name) else {
            throw Problem(text: "'\(name)' is missing")
        }
        return number
    }

    func optionalInt(_ name: String) throws -> Int? {
        guard let value = members[name], !value.isNull else { return nil }
        // Optuna casts: 5.0 is 5.
        guard let number = value.intValue ?? value.doubleValue.flatMap({ Int(exactly: $0) })
        else { throw Problem(text: "'\(name)' must be a whole number, not \(value.kind)") }
        return number
    }

    func flag(_ name: String) throws -> Bool {
        guard let value = members[name], !value.isNull else { return false }
        guard let flag = value.boolValue else {
            throw Problem(text: "'\(name)' must be true or false, not \(value.kind)")
        }
        return flag
    }

    func choices() throws -> [ParameterValue] {
        guard let values = members["choices"]?.arrayValue else {
            throw Problem(text: "'choices' must be an array")
        }
        return try values.map { value in
            guard let choice = ParameterValue(value) else {
                throw Problem(
                    text: "a choice may be null, a boolean, a number or a text, not \(value.kind)")
            }
            return choice
        }
    }
}

/// A text that messages can hold.
private func shortened(_ text: String) -> String {
    text.utf8.count <= 200 ? text : text.prefix(200) + "..."
}
