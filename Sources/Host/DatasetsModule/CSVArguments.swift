// The arguments of `load_dataset` that say how CSV files are written: pandas' names for them.

import LuaBridge
import OrderedJSON
import Training

let csvParameters: [LuaParameter] = [
    .keyword("delimiter", .string, .computed("','"), "csv: one character."),
    .keyword("sep", .string, .computed("','"), "csv: the same as delimiter."),
    .keyword("quotechar", .string, .computed("'\"'"), "csv: one character."),
    .keyword(
        "quoting", .integer, .integer(0), range: .between(0, 3),
        "csv: 3 takes quotes for characters like any other; 0, 1 and 2 read alike."),
    .keyword(
        "doublequote", .boolean, .boolean(true), "csv: two quotes in a quoted field are one."),
    .keyword(
        "escapechar", .string, nil, "csv: the character that takes the next one as it is."),
    .keyword(
        "skipinitialspace", .boolean, .boolean(false), "csv: pass over blanks behind a delimiter."),
    .keyword("comment", .string, nil, "csv: the character from which a line is not read."),
    .keyword(
        "skip_blank_lines", .boolean, .boolean(true), "csv: pass over lines with nothing on them."),
    .keyword(
        "skiprows", .integer, .integer(0), range: .atLeast(0),
        "csv: lines at the start that are not read."),
    .keyword(
        "header", .union([.integer, .boolean]), nil,
        "csv: the record that holds the names, from 0; false: there is none."),
    .keyword(
        "column_names", .sequence(.string), nil,
        "csv: names for the columns; without header the first record is data."),
    .keyword("names", .sequence(.string), nil, "csv: the same as column_names."),
    .keyword(
        "keep_default_na", .boolean, .boolean(true),
        "csv: empty fields, NA, null, None and the like are nil."),
    .keyword("na_values", .stringOrSequence, nil, "csv: more words that are nil."),
]

/// What a card may say about reading that would change the rows, and is not known here.
private let unsupported = [
    "thousands", "decimal", "dtype", "usecols", "skipfooter", "index_col", "converters",
    "true_values", "false_values", "nrows", "lineterminator", "on_bad_lines",
]

extension CSVOptions {
    /// - card: what a dataset's card says; the call's own arguments come first.
    init(_ arguments: LuaArguments, card: JSONObject) throws {
        self.init()
        if let name = unsupported.first(where: { card[$0]?.isNull == false }) {
            throw LuaError.message(
                "load_dataset: the dataset's card sets '\(name)' for its CSV files, which is not"
                    + " supported")
        }
        func value<Value: FromLua>(_ name: String, _ ofCard: (JSONValue) -> Value?) throws -> Value?
        {
            if arguments.isGiven(name) { return try arguments[name] }
            guard let value = card[name], !value.isNull else { return nil }
            guard let converted = ofCard(value) else {
                throw LuaError.message(
                    "load_dataset: the dataset's card sets '\(name)' to \(value.json()), which is"
                        + " not supported")
            }
            return converted
        }
        func flag(_ name: String, _ preset: Bool) throws -> Bool {
            try value(name, \.boolValue) ?? preset
        }
        func character(_ name: String) throws -> UInt8? {
            guard let text: String = try value(name, \.stringValue) else { return nil }
            guard text.utf8.count == 1, let byte = text.utf8.first, byte < 0x80, byte != 0x0a,
                byte != 0x0d
            else { throw arguments.invalid(name, "expected one ASCII character, got '\(text)'") }
            return byte
        }
        delimiter = try character("delimiter") ?? character("sep") ?? delimiter
        quote = try character("quotechar") ?? quote
        let style = try value("quoting") { $0.intValue.flatMap(Quoting.init)?.rawValue }
        quoting = style.flatMap(Quoting.init) ?? quoting
        doublesQuotes = try flag("doublequote", doublesQuotes)
        escape = try character("escapechar")
        skipsInitialSpace = try flag("skipinitialspace", skipsInitialSpace)
        comment = try character("comment")
        skipsBlankLines = try flag("skip_blank_lines", skipsBlankLines)
        skippedLines = try value("skiprows", \.intValue) ?? skippedLines
        header = try header(arguments, card["header"])
        columnNames = try value("column_names", texts) ?? value("names", texts)
        keepsDefaultNulls = try flag("keep_default_na", keepsDefaultNulls)
        let words: StringOrSequence? = try value("na_values") {
            texts($0).map(StringOrSequence.init)
        }
        nulls = words?.values ?? []
        var special: [UInt8: String] = [:]
        for (name, byte) in [
            ("delimiter", delimiter), ("quotechar", quoting == .none ? nil : quote),
            ("escapechar", escape), ("comment", comment),
        ] {
            guard let byte else { continue }
            if let other = special.updateValue(name, forKey: byte) {
                throw arguments.invalid(name, "is the same as the \(other)")
            }
        }
        if let names = columnNames, Set(names).count < names.count || names.isEmpty {
            throw arguments.invalid(
                "column_names", names.isEmpty ? "names no column" : "a name is given twice")
        }
    }

    /// A number, false or nil; a card may also say "infer", which is the default, or null for none.
    private func header(_ arguments: LuaArguments, _ ofCard: JSONValue?) throws -> Header {
        let given: LuaValue = try arguments["header"]
        if let number = given.integer {
            guard number >= 0 else { throw arguments.invalid("header", "is below 0") }
            return .record(number)
        }
        if let flag = given.boolean {
            guard !flag else {
                throw arguments.invalid("header", "expected a number or false, got true")
            }
            return .none
        }
        switch ofCard {
        case nil, .string("infer")?: return .automatic
        case .null?: return .none
        case .int(let number)? where number >= 0: return .record(Int(number))
        case let other?:
            throw LuaError.message(
                "load_dataset: the dataset's card sets 'header' to \(other.json()), which is not"
                    + " supported")
        }
    }
}

/// A text or a list of texts.
private func texts(_ value: JSONValue) -> [String]? {
    if let text = value.stringValue { return [text] }
    guard let list = value.arrayValue else { return nil }
    let texts = list.compactMap(\.stringValue)
    return texts.count == list.count ? texts : nil
}
