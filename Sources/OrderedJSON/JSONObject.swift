/// The members of a JSON object in the order in which they were written.
///
/// A collection of `(key, value)` pairs. Look-up compares a handful of keys one by one and hashes
/// beyond that, so that a vocabulary of 30,000 words is as quick as a row of three columns.
public struct JSONObject: Sendable {
    public private(set) var keys: [String]
    public private(set) var values: [JSONValue]
    /// Position of each key; empty while there are at most `linearLimit` keys.
    private var positions: [CodePointKey: Int]

    private static let linearLimit = 12

    public init() {
        keys = []
        values = []
        positions = [:]
    }

    /// Of members with the same key the last value wins, at the place of the first: what a Python
    /// dict does.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        self.init()
        for (key, value) in members { self[key] = value }
    }

    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { values[$0] } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let position = position(of: key) {
                values[position] = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    /// Place of a key in ``keys``.
    public func position(of key: String) -> Int? {
        if keys.count > Self.linearLimit { return positions[CodePointKey(key)] }
        return keys.firstIndex { $0.hasSameCodePoints(as: key) }
    }

    /// Takes a member out, in time proportional to the number of members.
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        guard let position = position(of: key) else { return nil }
        keys.remove(at: position)
        positions = [:]
        if keys.count > Self.linearLimit { indexAllKeys() }
        return values.remove(at: position)
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        keys.append(key)
        values.append(value)
        if keys.count == Self.linearLimit + 1 {
            indexAllKeys()
        } else if keys.count > Self.linearLimit {
            positions[CodePointKey(key)] = keys.count - 1
        }
    }

    private mutating func indexAllKeys() {
        for (position, key) in keys.enumerated() { positions[CodePointKey(key)] = position }
    }
}

/// A string hashed and compared by its code points.
private struct CodePointKey: Hashable, Sendable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (left: Self, right: Self) -> Bool {
        left.text.hasSameCodePoints(as: right.text)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension JSONObject: Equatable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.keys.elementsEqual(right.keys) { $0.hasSameCodePoints(as: $1) }
            && left.values == right.values
    }
}

extension JSONObject: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { keys.count }
    public subscript(position: Int) -> (key: String, value: JSONValue) {
        (keys[position], values[position])
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
