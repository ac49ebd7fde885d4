/// What a column holds, as the reader gives it.
public indirect enum ParquetType: Sendable, Equatable {
    case bool
    /// 8, 16, 32 or 64 bits.
    case integer(bits: Int, isSigned: Bool)
    /// 16, 32 or 64 bits.
    case float(bits: Int)
    case string
    /// Text that is a JSON value.
    case json
    /// Numbers with decimal places, read as the nearest double.
    case decimal(precision: Int, scale: Int)
    /// Read as ISO 8601 text, as Python's `str` writes these values.
    case date, time, timestamp
    /// Only nulls.
    case null
    case list(ParquetType)
    case structure([ParquetField])
    /// A kind that can't be read: its name.
    case unsupported(String)
}

/// A named column or member of a structure.
public struct ParquetField: Sendable, Equatable {
    public var name: String
    public var type: ParquetType

    public init(name: String, type: ParquetType) {
        self.name = name
        self.type = type
    }
}

/// A field of the schema with its place in the levels.
final class SchemaNode: Sendable {
    let element: SchemaElement
    let children: [SchemaNode]
    /// Definition level at which a value of this field is there, null excluded.
    let definition: Int
    /// Definition level at which the closest repeated field around this one (or this one itself) has
    /// an element; 0 when there is none.
    let elementDefinition: Int
    /// Number of repeated fields from the root to this one.
    let repetition: Int
    /// Leaves below, as numbers of column chunks.
    let leaves: Range<Int>

    var isLeaf: Bool { children.isEmpty }
    var name: String { element.name }
    var isRepeated: Bool { element.repetition == 2 }

    init(
        element: SchemaElement, children: [SchemaNode], definition: Int, elementDefinition: Int,
        repetition: Int, leaves: Range<Int>
    ) {
        self.element = element
        self.children = children
        self.definition = definition
        self.elementDefinition = elementDefinition
        self.repetition = repetition
        self.leaves = leaves
    }

    /// The top fields of a schema given as a flat list in depth-first order.
    static func fields(_ schema: [SchemaElement]) throws(Malformed) -> [SchemaNode] {
        guard let root = schema.first, root.childCount >= 0, root.childCount < schema.count else {
            throw .damaged("the file has no schema")
        }
        var place = 1
        var leaf = 0
        func node(
            _ definition: Int, _ elementDefinition: Int, _ repetition: Int, _ depth: Int
        ) throws(Malformed) -> SchemaNode {
            guard place < schema.count, depth < 64 else {
                throw .damaged("the schema has too few fields, or is nested too deeply")
            }
            let element = schema[place]
            place += 1
            let definition = definition + (element.repetition == 0 ? 0 : 1)
            let isRepeated = element.repetition == 2
            let elementDefinition = isRepeated ? definition : elementDefinition
            let repetition = repetition + (isRepeated ? 1 : 0)
            let firstLeaf = leaf
            var children: [SchemaNode] = []
            if element.childCount > 0 {
                for _ in 0..<element.childCount {
                    children.append(
                        try node(definition, elementDefinition, repetition, depth + 1))
                }
            } else {
                guard element.type != nil else {
                    throw .damaged("field '\(element.name)' has neither a type nor members")
                }
                leaf += 1
            }
            return SchemaNode(
                element: element, children: children, definition: definition,
                elementDefinition: elementDefinition, repetition: repetition,
                leaves: firstLeaf..<leaf)
        }
        var fields: [SchemaNode] = []
        for _ in 0..<root.childCount { fields.append(try node(0, 0, 0, 0)) }
        guard place == schema.count else { throw .damaged("the schema has fields left over") }
        return fields
    }
}

extension SchemaNode {
    /// What a reader gets for this field.
    var type: ParquetType { isRepeated ? .list(valueType) : valueType }

    /// The type of one value, where the field itself is repeated.
    private var valueType: ParquetType {
        if isLeaf { return leafType }
        if let items = listItems {
            return .list(items.isElement ? items.node.valueType : items.node.type)
        }
        return .structure(children.map { ParquetField(name: $0.name, type: $0.type) })
    }

    /// Of a LIST or MAP: the repeated field, and the field that is an element (with `isElement` the
    /// repeated one itself, by the rules for files of early writers).
    var listItems: (repeated: SchemaNode, node: SchemaNode, isElement: Bool)? {
        guard element.logicalType == .list || element.logicalType == .map,
            children.count == 1, children[0].isRepeated
        else { return nil }
        let repeated = children[0]
        let isElement =
            repeated.isLeaf || repeated.children.count > 1 || repeated.name == "array"
            || repeated.name == name + "_tuple" || repeated.children[0].isRepeated
        return (repeated, isElement ? repeated : repeated.children[0], isElement)
    }

    /// Of a leaf: what one value is.
    var scalarType: ParquetType { leafType }

    private var leafType: ParquetType {
        guard let type = element.type else { return .unsupported("group") }
        switch (type, element.logicalType) {
        case (_, .null): return .null
        case (.boolean, _): return .bool
        case (.int32, .date): return .date
        case (.int32, .time(.milliseconds)), (.int64, .time): return .time
        case (.int64, .timestamp), (.int96, _): return .timestamp
        case (.int32, .decimal(let scale, let precision)),
            (.int64, .decimal(let scale, let precision)),
            (.byteArray, .decimal(let scale, let precision)),
            (.fixedLengthByteArray, .decimal(let scale, let precision)):
            return (1...38).contains(precision) && (0...precision).contains(scale)
                ? .decimal(precision: precision, scale: scale)
                : .unsupported("decimal(\(precision), \(scale))")
        case (.int32, .integer(let bits, let isSigned)) where [8, 16, 32].contains(bits):
            return .integer(bits: bits, isSigned: isSigned)
        case (.int64, .integer(_, let isSigned)): return .integer(bits: 64, isSigned: isSigned)
        case (.int32, _): return .integer(bits: 32, isSigned: true)
        case (.int64, _): return .integer(bits: 64, isSigned: true)
        case (.float, _): return .float(bits: 32)
        case (.double, _): return .float(bits: 64)
        case (.fixedLengthByteArray, .float16) where element.typeLength == 2:
            return .float(bits: 16)
        case (_, .uuid): return .unsupported("UUID")
        case (_, .interval): return .unsupported("interval")
        case (_, .bson): return .unsupported("BSON")
        case (.byteArray, .json): return .json
        case (.byteArray, _), (.fixedLengthByteArray, _): return .string
        }
    }
}
