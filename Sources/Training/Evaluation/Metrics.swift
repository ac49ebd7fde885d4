public import OrderedJSON

/// Named numbers in the order in which they were computed.
public struct Metrics: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public private(set) var keys: [String] = []
    private var values: [String: Double] = [:]

    public init() {}

    public init(dictionaryLiteral elements: (String, Double)...) { self.init(elements) }

    private init(_ elements: [(String, Double)]) {
        for (key, value) in elements { self[key] = value }
    }

    /// Setting a new key appends it; setting `nil` removes the key.
    public subscript(key: String) -> Double? {
        get { values[key] }
        set {
            if newValue == nil {
                keys.removeAll { $0 == key }
            } else if values[key] == nil {
                keys.append(key)
            }
            values[key] = newValue
        }
    }

    public var count: Int { keys.count }
    public var isEmpty: Bool { keys.isEmpty }

    /// Keys and values in order.
    public var entries: [(key: String, value: Double)] {
        keys.map { ($0, values[$0] ?? .nan) }
    }

    /// Every key with the name of an evaluator and an underscore before it; no name, no change.
    /// Names that begin as a metric does ("cosine", "mean") are no exception, as in Python.
    public func named(_ name: String) -> Metrics {
        guard !name.isEmpty else { return self }
        return Metrics(entries.map { ("\(name)_\($0.key)", $0.value) })
    }

    /// The trainer's rule: every key with `prefix` and an underscore before it, unless it starts so
    /// already.
    public func prefixed(_ prefix: String) -> Metrics {
        guard !prefix.isEmpty else { return self }
        var result = Metrics()
        for (key, value) in entries {
            result[key.hasPrefix(prefix + "_") ? key : "\(prefix)_\(key)"] = value
        }
        return result
    }

    /// Adds all entries of `other`, which win over equal keys here.
    public mutating func merge(_ other: Metrics) {
        for (key, value) in other.entries { self[key] = value }
    }

    public var json: JSONObject {
        JSONObject(entries.map { ($0.key, JSONValue.double($0.value)) })
    }
}
