// JSONValue as a Lua value, both ways: what dataset rows, training arguments, attributes and
// `lr_scheduler_kwargs` are in a script.

public import LuaBridge
public import OrderedJSON

extension JSONValue: LuaConvertible {
    /// Nesting beyond which a table is refused; a table that contains itself ends here, too.
    private static let maximumDepth = 64

    /// nil, booleans, numbers, strings of valid UTF-8, sequences and tables with string keys.
    ///
    /// A Lua table has no order of its own: an object's keys come out sorted. An empty table is an
    /// empty array.
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> JSONValue {
        try JSONValue(LuaValue.fromLua(stack, at: index))
    }

    public init(_ value: LuaValue) throws { try self.init(value, depth: 0, showsObjects: false) }

    /// Objects of the host that have a form in JSON are taken, too.
    init(showing value: LuaValue) throws { try self.init(value, depth: 0, showsObjects: true) }

    private init(_ value: LuaValue, depth: Int, showsObjects: Bool) throws {
        if showsObjects, let object = value.object(as: (any ShownAsJSON).self) {
            self = try object.shownAsJSON()
            return
        }
        switch value {
        case .nil: self = .null
        case .boolean(let flag): self = .bool(flag)
        case .integer(let number): self = .int(Int64(number))
        case .number(let number): self = .double(number)
        case .string(let bytes):
            guard let text = bytes.text else {
                throw LuaError.value(path: "", problem: "the string is not valid UTF-8")
            }
            self = .string(text)
        case .table(let table):
            self = try Self.read(table, depth: depth, showsObjects: showsObjects)
        case .function, .object, .userdata, .thread, .lightUserdata:
            throw LuaError.mismatch(
                path: "", expected: "nil, boolean, number, string or table", got: value.typeName)
        }
    }

    private static func read(
        _ table: LuaTable, depth: Int, showsObjects: Bool
    ) throws -> JSONValue {
        guard depth < maximumDepth else {
            throw LuaError.value(
                path: "", problem: "the table is nested deeper than \(maximumDepth) levels")
        }
        var elements: [Int: JSONValue] = [:]
        var members: [(String, JSONValue)] = []
        for (key, value) in try table.pairs() {
            let label = key.string ?? key.integer.map { "[\($0)]" } ?? "a key of \(key.typeName)"
            do {
                let converted = try JSONValue(
                    value, depth: depth + 1, showsObjects: showsObjects)
                if let name = key.string {
                    members.append((name, converted))
                } else if let position = key.integer {
                    elements[position] = converted
                } else {
                    throw LuaError.mismatch(
                        path: "", expected: "string keys or elements at 1...",
                        got: "a key of type \(key.typeName)")
                }
            } catch let error as LuaError {
                throw error.within(label)
            }
        }
        if members.isEmpty { return .array(try sequence(elements)) }
        guard elements.isEmpty else {
            throw LuaError.value(
                path: "", problem: "the table mixes elements at 1... with named fields")
        }
        members.sort { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        return .object(JSONObject(members))
    }

    private static func sequence(_ elements: [Int: JSONValue]) throws -> [JSONValue] {
        var result: [JSONValue] = []
        result.reserveCapacity(elements.count)
        for position in stride(from: 1, through: elements.count, by: 1) {
            guard let element = elements[position] else {
                throw LuaError.value(
                    path: "", problem: "the sequence has a hole at [\(position)]")
            }
            result.append(element)
        }
        return result
    }

    public func push(onto stack: LuaStack) throws {
        switch self {
        case .null: try stack.pushNil()
        case .bool(let flag): try stack.push(flag)
        case .int(let number): try stack.push(Int(number))
        case .double(let number): try stack.push(number)
        case .string(let text): try stack.push(text)
        case .array(let elements): try elements.push(onto: stack)
        case .object(let object): try object.push(onto: stack)
        }
    }
}

extension JSONObject: LuaConvertible {
    /// A table with string keys; the empty table is the empty object.
    public static func fromLua(_ stack: LuaStack, at index: Int32) throws -> JSONObject {
        guard stack.kind(at: index) == .table else { throw stack.mismatch("table", at: index) }
        switch try JSONValue.fromLua(stack, at: index) {
        case .object(let object): return object
        case .array(let elements) where elements.isEmpty: return [:]
        default:
            throw LuaError.mismatch(path: "", expected: "table with named fields", got: "sequence")
        }
    }

    public func push(onto stack: LuaStack) throws {
        try stack.pushTable(hash: count)
        let table = stack.absolute(-1)
        for (key, value) in self {
            // A nil would remove the field, which is what absent means in Lua.
            if value.isNull { continue }
            try value.push(onto: stack)
            try stack.setField(key, of: table)
        }
    }
}
