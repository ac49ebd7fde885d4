// An ordered dictionary with string keys: parameters in the order in which they were suggested.

/// Values by name, in the order in which the names were first set.
///
/// The order is visible: log lines and printed results list parameters as the objective asked for
/// them. Names are compared by code points, as Python and databases do. Look-up compares a handful
/// of names one by one and hashes beyond that.
public struct NamedValues<Value: Sendable>: Sendable {
    public private(set) var names: [String]
    public private(set) var values: [Value]
    /// Position of each name; `nil` while there are at most `linearLimit` names.
    private var positions: [String: Int]?

    private static var linearLimit: Int { 12 }

    public init() {
        names = []
        values = []
        positions = nil
    }

    /// Of members with the same name the last value wins, at the place of the first.
    public init(_ members: some Sequence<(String, Value)>) {
        self.init()
        for (name, value) in members { self[name] = value }
    }

    public subscript(name: String) -> Value? {
        get { position(of: name).map { values[$0] } }
        set {
            switch (position(of: name), newValue) {
            case (let position?, let value?): values[position] = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): append(name, value)
            case (nil, nil): break
            }
        }
    }

    public func contains(_ name: String) -> Bool { position(of: name) != nil }

    /// Place of a name in ``names``.
    public func position(of name: String) -> Int? {
        if let positions, let position = positions[name] {
            return names[position].hasSameCodePoints(as: name)
                ? position : names.firstIndex { $0.hasSameCodePoints(as: name) }
        }
        if positions != nil { return nil }
        return names.firstIndex { $0.hasSameCodePoints(as: name) }
    }

    /// The same members, names ascending by code points (Python's `sorted`).
    public func sortedByName() -> NamedValues {
        let order = names.indices.sorted {
            names[$0].utf8.lexicographicallyPrecedes(names[$1].utf8)
        }
        return NamedValues(order.map { (names[$0], values[$0]) })
    }

    public func filter(_ isIncluded: (String, Value) throws -> Bool) rethrows -> NamedValues {
        var result = NamedValues()
        for index in names.indices where try isIncluded(names[index], values[index]) {
            result.append(names[index], values[index])
        }
        return result
    }

    public func mapValues<Other>(_ transform: (Value) throws -> Other) rethrows
        -> NamedValues<Other>
    {
        NamedValues<Other>(zip(names, try values.map(transform)).map { ($0, $1) })
    }

    private mutating func append(_ name: String, _ value: Value) {
        names.append(name)
        values.append(value)
        if names.count > Self.linearLimit {
            if positions == nil { indexAllNames() } else { indexName(at: names.count - 1) }
        }
    }

    private mutating func remove(at position: Int) {
        names.remove(at: position)
        values.remove(at: position)
        positions = nil
        if names.count > Self.linearLimit { indexAllNames() }
    }

    private mutating func indexAllNames() {
        positions = [:]
        for index in names.indices { indexName(at: index) }
    }

    private mutating func indexName(at index: Int) {
        // Canonically equivalent names share a slot; look-up then falls back to comparing.
        if positions?[names[index]] == nil { positions?[names[index]] = index }
    }
}

extension NamedValues: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { names.count }
    public subscript(position: Int) -> (name: String, value: Value) {
        (names[position], values[position])
    }
}

extension NamedValues: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}

extension NamedValues: Equatable where Value: Equatable {
    /// Equal members; as in a Python dict the order does not matter.
    public static func == (left: NamedValues, right: NamedValues) -> Bool {
        left.count == right.count
            && left.names.indices.allSatisfy { right[left.names[$0]] == left.values[$0] }
    }
}

extension String {
    /// Equality of code points; Swift's `==` also accepts canonically equivalent spellings.
    func hasSameCodePoints(as other: String) -> Bool {
        self == other && utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
