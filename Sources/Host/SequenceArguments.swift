// Texts and numbers that a script gives as a plain sequence or as a column of a dataset.

import LuaBridge

/// A host object that may stand wherever a sequence is taken: a dataset's column. Its Lua class
/// lists "Column" in `conforms`, or is called so.
protocol SequenceSource: AnyObject {
    /// All values as text; throws a clear error for one that is no string.
    func texts() throws -> [String]
    /// All values as numbers; booleans count 0 and 1.
    func numbers() throws -> [Double]
}

struct TextsArgument: FromLua {
    static let type = LuaType.union([.sequence(.string), .object("Column")])
    let values: [String]

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> TextsArgument {
        if let source = try source(stack, at: index) {
            return TextsArgument(values: try source.texts())
        }
        return TextsArgument(values: try [String].fromLua(stack, at: index))
    }
}

struct NumbersArgument: FromLua {
    static let type = LuaType.union([.sequence(.number), .object("Column")])
    let values: [Double]

    static func fromLua(_ stack: LuaStack, at index: Int32) throws -> NumbersArgument {
        if let source = try source(stack, at: index) {
            return NumbersArgument(values: try source.numbers())
        }
        return NumbersArgument(values: try [Double].fromLua(stack, at: index))
    }
}

private func source(_ stack: LuaStack, at index: Int32) throws -> (any SequenceSource)? {
    guard stack.kind(at: index) == .userdata else { return nil }
    return try LuaValue.fromLua(stack, at: index).object(as: (any SequenceSource).self)
}
