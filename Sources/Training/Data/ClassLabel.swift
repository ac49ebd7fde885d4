import OrderedJSON

/// Names of classes and the numbers that stand for them in a column, as Python's
/// `datasets.ClassLabel`: the first name is class 0, and -1 stands for no class.
public struct ClassLabel: Sendable, Equatable {
    public let names: [String]
    private let numbers: [UTF8Key: Int]

    /// Names that differ.
    public init(names: [String]) throws {
        numbers = Dictionary(
            names.enumerated().map { (UTF8Key($1), $0) }, uniquingKeysWith: { first, _ in first })
        guard numbers.count == names.count else {
            throw TrainingError.argument(
                owner: "ClassLabel", name: "names", problem: "a name is given twice")
        }
        self.names = names
    }

    /// The number of a class by its name, or by its number as text.
    public func number(of name: String) throws -> Int {
        if let number = find(name) { return number }
        throw TrainingError.argument(
            owner: "ClassLabel", name: "str2int", problem: "there is no class '\(name)'",
            hint: "the classes are \(list)")
    }

    /// The number of a class as ``number(of:)`` tells it, `nil` when there is no such class.
    func find(_ name: String) -> Int? {
        let trimmed = String(
            name.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        if let number = numbers[UTF8Key(name)] ?? numbers[UTF8Key(trimmed)] { return number }
        if let number = Int(trimmed), number >= -1, number < names.count { return number }
        return nil
    }

    /// The name of class `number`, counted from 0.
    public func name(of number: Int) throws -> String {
        guard names.indices.contains(number) else {
            throw TrainingError.argument(
                owner: "ClassLabel", name: "int2str", problem: "there is no class \(number)",
                hint: "the classes are 0 to \(names.count - 1): \(list)")
        }
        return names[number]
    }

    /// The first names, for errors.
    var list: String { names.prefix(20).map { "'\($0)'" }.joined(separator: ", ") }
}

extension Dataset {
    /// A column of texts, numbers or booleans as numbers of classes. The classes are its different
    /// values as Python prints them, sorted.
    /// - includesNulls: whether null is a class of its own, called None; otherwise it stays null.
    public func classEncodedColumn(_ name: String, includesNulls: Bool = false) throws -> Dataset {
        let column = try requireColumn(name)
        guard column.type.valueName != nil else {
            throw TrainingError.argument(
                owner: "class_encode_column", name: "column",
                problem: "column '\(name)' is \(column.type)",
                hint: "choose a column of texts, numbers or booleans")
        }
        let texts = column.map { value in
            value.isNull && !includesNulls ? nil : Self.pythonText(value)
        }
        // Python sorts by code points, which is the order of UTF-8.
        let names = Set(texts.compactMap { $0.map(UTF8Key.init) }).map(\.text).sorted {
            $0.precedesInUTF8($1)
        }
        let label = try ClassLabel(names: names)
        var builder = ColumnBuilder(type: .classLabel(names))
        for text in texts {
            builder.append(try text.map { .int(Int64(try label.number(of: $0))) } ?? .null)
        }
        return try replacing(name, builder.finish())
    }

    /// Python's `str(value)`.
    private static func pythonText(_ value: JSONValue) -> String {
        switch value {
        case .null: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .int(let number): String(number)
        case .double(let number): pythonRepr(number)
        case .string(let text): text
        case .array, .object: value.json()
        }
    }

    /// The rows of this dataset with other values in one column, a value a row.
    private func replacing(_ name: String, _ storage: ColumnStorage) throws -> Dataset {
        let whole = indices == nil ? self : try flattened()
        return try Dataset(
            storages: zip(whole.columnNames, whole.storages).map {
                ($0, $0.hasSameUTF8(as: name) ? storage : $1)
            })
    }
}
