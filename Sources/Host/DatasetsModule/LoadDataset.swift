// `datasets.load_dataset`: from its arguments to a format, files and a split. Where the files of a
// folder or a hub dataset are is the Hub target's to find out, reading them Training's.

import FoundationEssentials
import Hub
import LuaBridge
import OrderedJSON
import Training

private let formats = ["json", "csv", "parquet", "text"]

func addLoadDataset(to module: LuaModule, _ session: HostSession) {
    module.function(
        "load_dataset",
        [
            .required(
                "path", .string, "A dataset of the hub, a folder, or json, csv, parquet, text."),
            .optional("name", .string, nil, "A configuration of the dataset."),
            .keyword(
                "data_files", .union([.string, .sequence(.string), .map(.any)]), nil,
                "A file or pattern, several, or a table from split to those."),
            .keyword("data_dir", .string, nil, "A folder of the dataset to take files from."),
            .keyword(
                "split", .stringOrSequence, nil,
                "Rows to load, such as train[:10%]; without it all splits come back."),
            .keyword("revision", .string, nil, "hub: a branch, tag or commit."),
            .keyword(
                "token", .union([.string, .boolean]), nil, "hub: a token; true: the stored one."),
            .keyword(
                "cache_dir", .string, nil,
                "Where Python keeps its Arrow copies; files are read as they are, so none are made."
            ),
            .keyword("streaming", .boolean, .computed("false"), "Only false."),
            .keyword("columns", .sequence(.string), nil, "parquet: the columns to take."),
            .keyword("field", .string, nil, "json: the member that holds the rows."),
        ] + csvParameters + [
            .keyword(
                "sample_by", .oneOf(TextOptions.Unit.allCases.map(\.rawValue)),
                .computed("'line'"), "text: what a row is."),
            .keyword("keep_linebreaks", .boolean, .computed("false"), "text: keep the line's end."),
        ], doc: "A dataset, a DatasetDict without split, a sequence of datasets for several splits."
    ) { arguments in
        if try arguments["streaming"] ?? false {
            throw arguments.invalid(
                "streaming", "is not supported; leave it out: files are read as far as needed")
        }
        let value: LuaValue = try arguments["split"]
        let splits: [String]? =
            value.isNil ? nil : try value.string.map { [$0] } ?? arguments["split"]
        // Slips in the grammar show before anything is downloaded.
        let instructions = try splits?.filter { $0 != "all" }.map { try SplitInstruction($0) }
        let source = try source(arguments, session)
        let isAll = splits == nil || splits?.contains("all") == true
        let wanted = isAll ? nil : instructions.map { Set($0.flatMap(\.names)) }
        let files = try source.files(wanted)
        for path in files.flatMap(\.paths) {
            try session.checkPath(path)
            // What a pattern finds may be a link to elsewhere.
            if session.allowedFolders != nil, FileGlob.isPattern(path) {
                for file in try FileGlob.files(path) { try session.checkPath(file) }
            }
            // A file within an archive: "archive.zip::file".
            if let mark = path.firstRange(of: "::") {
                try session.checkPath(String(path[..<mark.lowerBound]))
            }
        }
        guard let splits else {
            return LuaResults(DatasetDictObject(try loadDataset(source.format, dataFiles: files)))
        }
        let datasets = try splits.map {
            try loadDataset(source.format, dataFiles: files, split: $0)
        }
        if value.string != nil, let dataset = datasets.first { return LuaResults(dataset) }
        return LuaResults([datasets])  // one result, a sequence
    }
}

// MARK: - Where the files are

/// A format, and a way to files by split.
private struct Source {
    let format: DatasetFormat
    let splits: [String]
    let paths: (String) throws -> [String]

    /// The files of the wanted splits, or all; those of other splits are not fetched.
    func files(_ wanted: Set<String>?) throws -> [(split: String, paths: [String])] {
        try checkNames(wanted)
        return try splits.map { split in
            (split, wanted?.contains(split) == false ? [] : try paths(split))
        }
    }

    private func checkNames(_ wanted: Set<String>?) throws {
        guard let unknown = wanted?.subtracting(splits).min() else { return }
        throw TrainingError.argument(
            owner: "load_dataset", name: "split", problem: "unknown split '\(unknown)'",
            hint: "the splits are \(splits.map { "'\($0)'" }.joined(separator: ", "))")
    }
}

private func source(_ arguments: LuaArguments, _ session: HostSession) throws -> Source {
    let path: String = try arguments["path"]
    let files = try dataFiles(arguments)
    let dataFolder: String? = try arguments["data_dir"]
    if formats.contains(path), files != nil || dataFolder == nil {
        let files = try requireFiles(files, path)
        let format = try format(path, arguments, card: [:])
        let folder = dataFolder.map { $0.hasSuffix("/") ? $0 : $0 + "/" } ?? ""
        return Source(format: format, splits: files.map(\.split)) { split in
            (files.first { $0.split.hasSameUTF8(as: split) }?.paths ?? []).map {
                $0.hasPrefix("/") ? $0 : folder + $0
            }
        }
    }
    var request = DatasetRequest()
    request.dataFiles = files.map { $0.map { (split: $0.split, patterns: $0.paths) } }
    let found: DatasetSource
    if formats.contains(path), let dataFolder {
        try session.checkFolder(dataFolder)
        try checkFolder(dataFolder)
        found = try DatasetSource.folder(dataFolder, request, members: archiveMembers)
        guard found.format == path else {
            throw arguments.invalid("data_dir", "holds \(found.format) files, not \(path) files")
        }
    } else {
        request.name = try arguments["name"]
        request.dataFolder = dataFolder
        found = try dataset(path, request, arguments, session)
    }
    let format = try format(found.format, arguments, card: found.options)
    return Source(
        format: format, splits: found.splits.map(\.name), paths: { try found.paths($0) })
}

/// A folder of that name, otherwise a dataset of the hub.
private func dataset(
    _ path: String, _ request: DatasetRequest, _ arguments: LuaArguments, _ session: HostSession
) throws -> DatasetSource {
    // A name that nothing local has is refused where the hub would be asked.
    if LocalPath.isFolder(path) {
        try session.checkFolder(path)
        return try DatasetSource.folder(path, request, members: archiveMembers)
    }
    if LocalPath.exists(path) || path.hasPrefix("/") || path.hasPrefix(".")
        || path.split(separator: "/").count > 2
        || (!path.contains("/") && request.dataFiles != nil)
    {
        throw unknownFormat(path)
    }
    for suffixes in suffixesByFormat.values where suffixes.contains(where: path.hasSuffix) {
        throw unknownFormat(path)
    }
    return try session.hub(for: path).dataset(
        path, request, try HubAccess(arguments), members: archiveMembers)
}

private func checkFolder(_ path: String) throws {
    guard LocalPath.isFolder(path) else {
        throw TrainingError.file(path: path, problem: "no such folder", hint: "check data_dir")
    }
}

// MARK: - Format

/// - card: what a dataset's card says for its format; the call's own arguments come first.
private func format(
    _ path: String, _ arguments: LuaArguments, card: JSONObject
) throws -> DatasetFormat {
    let options: [String: [String]] = [
        "json": ["field"], "parquet": ["columns"],
        "csv": csvParameters.map(\.name),
        "text": ["sample_by", "keep_linebreaks"],
    ]
    for (format, names) in options where format != path {
        for name in names where arguments.isGiven(name) && options[path]?.contains(name) != true {
            throw arguments.invalid(name, "is an option of \(format) files, not of \(path) files")
        }
    }
    switch path {
    case "json": return .json(field: try arguments["field"] ?? card["field"]?.stringValue)
    case "csv": return .csv(try CSVOptions(arguments, card: card))
    case "parquet":
        let columns = card["columns"]?.arrayValue?.compactMap(\.stringValue)
        return .parquet(ParquetOptions(columns: try arguments["columns"] ?? columns))
    case "text":
        var text = TextOptions()
        let unit: String? = try arguments["sample_by"] ?? card["sample_by"]?.stringValue
        text.sampleBy = unit.flatMap(TextOptions.Unit.init) ?? .line
        text.keepsLineBreaks =
            try arguments["keep_linebreaks"] ?? card["keep_linebreaks"]?.boolValue ?? false
        return .text(text)
    default:
        throw LuaError.message("load_dataset: files of the format \(path) can't be read")
    }
}

// MARK: - Files

/// `data_files` in each of its spellings; nil where it is not given.
private func dataFiles(
    _ arguments: LuaArguments
) throws -> [(split: String, paths: [String])]? {
    let value: LuaValue = try arguments["data_files"]
    switch value {
    case .nil: return nil
    case .string: return [("train", [try arguments["data_files"]])]
    default: break
    }
    guard let table = value.table else { return nil }
    var splits: [UTF8Key: [String]] = [:]
    for (key, value) in try table.pairs() {
        guard let name = key.string else { return [("train", try arguments["data_files"])] }
        if let file = value.string {
            splits[UTF8Key(name)] = [file]
        } else if let files = value.table {
            splits[UTF8Key(name)] = try (0..<(try files.count)).map { place in
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
    return splitOrder(splits.keys.map(\.text)).map { ($0, splits[UTF8Key($0)] ?? []) }
}

private func requireFiles(
    _ files: [(split: String, paths: [String])]?, _ path: String
) throws -> [(split: String, paths: [String])] {
    if let files { return files }
    let suffix = suffixesByFormat[path]?.first ?? ".txt"
    throw LuaError.message(
        "load_dataset: data_files is missing; name the file to read, as in"
            + " load_dataset(\"\(path)\", { data_files = \"pairs\(suffix)\" })")
}

private let suffixesByFormat = [
    "json": [".jsonl", ".json", ".ndjson"], "csv": [".csv", ".tsv"], "text": [".txt"],
    "parquet": [".parquet"],
]

private func unknownFormat(_ path: String) -> LuaError {
    for (format, suffixes) in suffixesByFormat.sorted(by: { $0.key < $1.key })
    where suffixes.contains(where: path.hasSuffix) {
        return .message(
            "load_dataset: '\(path)' is a file; write"
                + " load_dataset(\"\(format)\", { data_files = \"\(path)\" })")
    }
    if path.contains("/") || LocalPath.exists(path) {
        return .message(
            "load_dataset: '\(path)': there is no such folder; give a folder with data files, or a"
                + " dataset of the hub as 'organization/name'")
    }
    return .unknown(kind: "format", name: path, owner: "load_dataset", valid: formats)
}

/// What a path is.
private enum LocalPath {
    static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    static func isFolder(_ path: String) -> Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }
}
