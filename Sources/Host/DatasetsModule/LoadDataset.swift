// `datasets.load_dataset`: from its arguments to a format, files and a split.

import LuaBridge
import Training

private let formats = ["json", "csv", "text"]

func addLoadDataset(to module: LuaModule) {
    module.function(
        "load_dataset",
        [
            .required("path", .string, "json, csv or text."),
            .optional("name", .string, nil, "A configuration of a hub dataset."),
            .keyword(
                "data_files", .union([.string, .sequence(.string), .map(.any)]), nil,
                "A file or pattern, several, or a table from split to those."),
            .keyword(
                "split", .stringOrSequence, nil,
                "Rows to load, such as train[:10%]; without it all splits come back."),
            .keyword("field", .string, nil, "json: the member that holds the rows."),
            .keyword("delimiter", .string, .computed("','"), "csv: one character."),
            .keyword("sep", .string, .computed("','"), "csv: the same as delimiter."),
            .keyword("quotechar", .string, .computed("'\"'"), "csv: one character."),
            .keyword("column_names", .sequence(.string), nil, "csv: for files without a header."),
            .keyword(
                "keep_default_na", .boolean, .computed("true"),
                "csv: empty fields, NA, null, None and the like are nil."),
            .keyword(
                "sample_by", .oneOf(TextOptions.Unit.allCases.map(\.rawValue)),
                .computed("'line'"), "text: what a row is."),
            .keyword("keep_linebreaks", .boolean, .computed("false"), "text: keep the line's end."),
        ], doc: "A dataset, a DatasetDict without split, a sequence of datasets for several splits."
    ) { arguments in
        let files = try dataFiles(arguments)
        let format = try format(arguments)
        let value: LuaValue = try arguments["split"]
        if case .nil = value {
            return LuaResults(DatasetDictObject(try loadDataset(format, dataFiles: files)))
        }
        if let split = value.string {
            return LuaResults(try loadDataset(format, dataFiles: files, split: split))
        }
        let splits: [String] = try arguments["split"]
        let datasets = try splits.map { try loadDataset(format, dataFiles: files, split: $0) }
        return LuaResults([datasets])  // one result, a sequence
    }
}

// MARK: - Format

private func format(_ arguments: LuaArguments) throws -> DatasetFormat {
    let path: String = try arguments["path"]
    let options: [String: [String]] = [
        "json": ["field"],
        "csv": ["delimiter", "sep", "quotechar", "column_names", "keep_default_na"],
        "text": ["sample_by", "keep_linebreaks"],
    ]
    for (format, names) in options where format != path {
        for name in names where arguments.isGiven(name) && options[path]?.contains(name) != true {
            throw arguments.invalid(name, "is an option of \(format) files, not of \(path) files")
        }
    }
    switch path {
    case "json": return .json(field: try arguments["field"])
    case "csv": return .csv(try csvOptions(arguments))
    default:
        var text = TextOptions()
        let unit: String? = try arguments["sample_by"]
        text.sampleBy = unit.flatMap(TextOptions.Unit.init) ?? .line
        text.keepsLineBreaks = try arguments["keep_linebreaks"] ?? false
        return .text(text)
    }
}

private func csvOptions(_ arguments: LuaArguments) throws -> CSVOptions {
    func character(_ name: String) throws -> UInt8? {
        guard let text: String = try arguments[name] else { return nil }
        guard text.utf8.count == 1, let byte = text.utf8.first, byte != 0x0a, byte != 0x0d else {
            throw arguments.invalid(name, "expected one ASCII character, got '\(text)'")
        }
        return byte
    }
    var options = CSVOptions()
    options.delimiter = try character("delimiter") ?? character("sep") ?? options.delimiter
    options.quote = try character("quotechar") ?? options.quote
    guard options.delimiter != options.quote else {
        throw arguments.invalid("quotechar", "is the same as the delimiter")
    }
    options.columnNames = try arguments["column_names"]
    options.keepsDefaultNulls = try arguments["keep_default_na"] ?? true
    return options
}

// MARK: - Files

private func dataFiles(
    _ arguments: LuaArguments
) throws -> [(split: String, paths: [String])] {
    let path: String = try arguments["path"]
    guard formats.contains(path) else { throw unknownFormat(path, arguments) }
    let value: LuaValue = try arguments["data_files"]
    switch value {
    case .nil:
        throw LuaError.message(
            "load_dataset: data_files is missing; name the file to read, as in"
                + " load_dataset(\"\(path)\", { data_files = \"pairs.\(extensions[path] ?? "txt")\" })"
        )
    case .string: return [("train", [try arguments["data_files"]])]
    default: break
    }
    guard let table = value.table else { return [] }
    var splits: [String: [String]] = [:]
    for (key, value) in try table.pairs() {
        guard let name = key.string else { return [("train", try arguments["data_files"])] }
        if let file = value.string {
            splits[name] = [file]
        } else if let files = value.table {
            splits[name] = try (0..<(try files.count)).map { place in
                do {
                    return try files.get(place + 1, as: String.self)
                } catch let error as LuaError {
                    throw error.within("data_files.\(name)")
                }
            }
        } else {
            throw LuaError.mismatch(
                path: "data_files.\(name)", expected: "string or sequence", got: value.typeName)
        }
    }
    guard !splits.isEmpty else { throw arguments.invalid("data_files", "names no file") }
    return splitOrder(Array(splits.keys)).map { ($0, splits[$0] ?? []) }
}

private let extensions = ["json": "jsonl", "csv": "csv", "text": "txt"]

private func unknownFormat(_ path: String, _ arguments: LuaArguments) -> LuaError {
    for (format, suffixes) in [
        ("json", [".json", ".jsonl", ".ndjson"]), ("csv", [".csv", ".tsv"]), ("text", [".txt"]),
    ] where suffixes.contains(where: path.hasSuffix) {
        return .message(
            "load_dataset: '\(path)' is a file; write"
                + " load_dataset(\"\(format)\", { data_files = \"\(path)\" })")
    }
    if ["parquet", "arrow"].contains(path) {
        return .message(
            "load_dataset: \(path) files can't be read yet; convert them to JSON Lines and use"
                + " load_dataset(\"json\", { data_files = ... })")
    }
    if path.contains("/") {
        return .message(
            "load_dataset: '\(path)': hub datasets are not available yet; download its files and"
                + " use load_dataset(\"json\", { data_files = ... })")
    }
    return .unknown(kind: "format", name: path, owner: "load_dataset", valid: formats)
}
