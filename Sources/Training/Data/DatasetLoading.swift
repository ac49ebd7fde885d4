// load_dataset: files of a known format become one dataset per split.

/// A format that ``loadDataset(_:dataFiles:)`` reads.
public enum DatasetFormat: Sendable {
    /// JSON Lines, a JSON array, or the member `field` of a JSON object.
    case json(field: String? = nil)
    /// CSV; with a tab as delimiter TSV.
    case csv(CSVOptions = .init())
    /// Lines of plain text.
    case text(TextOptions = .init())
    /// Parquet, of which only the rows and columns that are used get read.
    case parquet(ParquetOptions = .init())
}

/// Datasets by name, in order: the splits of one load or a table of training sets.
public struct DatasetDict: Sendable {
    public let splits: [(name: String, dataset: Dataset)]

    public init(_ splits: [(name: String, dataset: Dataset)]) { self.splits = splits }

    public var names: [String] { splits.map(\.name) }
    public subscript(name: String) -> Dataset? {
        splits.first { $0.name.hasSameUTF8(as: name) }?.dataset
    }
}

/// Reads all splits.
/// - dataFiles: files or patterns of every split (`*`, `?`, `[…]`, `**` for folders).
public func loadDataset(
    _ format: DatasetFormat, dataFiles: [(split: String, paths: [String])]
) throws -> DatasetDict {
    DatasetDict(
        try dataFiles.map { split, paths in
            (split, try loadSplit(format, try expand(paths)))
        })
}

/// Reads the rows that a split instruction names, and only files it needs.
public func loadDataset(
    _ format: DatasetFormat, dataFiles: [(split: String, paths: [String])], split: String
) throws -> Dataset {
    let instruction = try SplitInstruction(
        split == "all" ? dataFiles.map(\.split).joined(separator: "+") : split)
    var loaded: [UTF8Key: Dataset] = [:]
    for name in instruction.names where loaded[UTF8Key(name)] == nil {
        guard let files = dataFiles.first(where: { $0.split.hasSameUTF8(as: name) }) else {
            let known = dataFiles.map { "'\($0.split)'" }.joined(separator: ", ")
            throw TrainingError.argument(
                owner: "load_dataset", name: "split", problem: "unknown split '\(name)'",
                hint: "the splits are \(known)")
        }
        loaded[UTF8Key(name)] = try loadSplit(format, try expand(files.paths))
    }
    let parts = try instruction.ranges(loaded.mapValues(\.numRows)).compactMap { name, rows in
        loaded[UTF8Key(name)]?.slice(rows)
    }
    return try Dataset.concatenated(parts)
}

private func loadSplit(_ format: DatasetFormat, _ paths: [String]) throws -> Dataset {
    for path in paths { try checkFile(path) }
    switch format {
    case .parquet(let options):
        return try Dataset(storages: try ParquetDatasetReader(options: options).read(paths))
    case .csv(let options):
        return try Dataset(storages: try CSVDatasetReader(options: options).read(paths))
    case .json(let field):
        var builder = RowBuilder()
        let reader = JSONDatasetReader(field: field)
        for path in paths { try reader.read(path, into: &builder) }
        return try Dataset(storages: builder.finish())
    case .text(let options):
        var builder = RowBuilder()
        let reader = TextDatasetReader(options: options)
        for path in paths { try reader.read(path, into: &builder) }
        return try Dataset(storages: builder.finish())
    }
}

private func checkFile(_ path: String) throws {
    let path = DataFile.onDisk(path)
    if ModelFiles.isFolder(path) {
        throw TrainingError.file(
            path: path, problem: "is a folder", hint: "name its files, or give a pattern with *")
    }
    guard ModelFiles.isFile(path) else {
        throw TrainingError.file(
            path: path, problem: "no such file",
            hint: "paths in data_files start at the folder the program runs in")
    }
}

/// Patterns become the files that match, in alphabetical order, archives the files in them.
private func expand(_ paths: [String]) throws -> [String] {
    var result: [String] = []
    for path in paths {
        guard FileGlob.isPattern(path), !ModelFiles.isFile(path) else {
            result.append(path)
            continue
        }
        let files = try FileGlob.files(path)
        if files.isEmpty {
            throw TrainingError.file(path: path, problem: "no file matches this pattern")
        }
        result += files
    }
    result = try result.flatMap(DataFile.expand)
    guard !result.isEmpty else {
        throw TrainingError.argument(
            owner: "load_dataset", name: "data_files", problem: "no file is given")
    }
    return result
}
