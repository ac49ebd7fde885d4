// `load_dataset` of a hub id or a local folder, as far as files: which configuration, which files
// of which splits, in which format. Reading them is the caller's.
public import OrderedJSON

/// What a call of `load_dataset` says about the files.
public struct DatasetRequest: Sendable {
    /// The configuration.
    public var name: String?
    /// Patterns below the dataset's root by split, in order.
    public var dataFiles: [(split: String, patterns: [String])]?
    /// A folder below the dataset's root.
    public var dataFolder: String?

    public init() {}
}

/// The files of one dataset by split, and how to read them.
public struct DatasetSource: Sendable {
    /// "parquet", "json", "csv" or "text".
    public let format: String
    /// What the card, or the names of the files, tell the format's reader: `sep`, `field`.
    public let options: JSONObject
    /// In order.
    public let splits: [(name: String, files: [String])]
    fileprivate let tree: DatasetTree

    /// The files of a split on this machine; those of a repository are fetched now.
    public func paths(_ split: String) throws -> [String] {
        let files = splits.first { $0.name == split }?.files ?? []
        guard files.isEmpty else { return try tree.local(files) }
        if case .snapshot(let snapshot) = tree.place, snapshot.isOffline {
            throw HubError.notCached(
                snapshot.repository, revision: snapshot.revision, what: "the split '\(split)'",
                cache: snapshot.cache.root, reason: snapshot.offlineReason ?? "it can't be fetched")
        }
        throw HubError.dataset(
            name: tree.name, problem: "has no data file for the split '\(split)'",
            hint: "check data_files")
    }

    /// A local folder with data files.
    /// - members: the names of the files in a zip archive on this machine.
    public static func folder(
        _ path: String, _ request: DatasetRequest, members: @escaping (String) throws -> [String]
    ) throws -> DatasetSource {
        let tree = DatasetTree(name: path, folder: path)
        return try DatasetResolver(tree: tree, request: request, members: members).source()
    }
}

extension HubClient {
    /// A dataset repository. Where it has only a loading script, the hub's own Parquet copy of it
    /// is taken.
    public func dataset(
        _ id: String, _ request: DatasetRequest, _ access: HubAccess = HubAccess(),
        members: @escaping (String) throws -> [String]
    ) throws -> DatasetSource {
        let repository = try HubRepository(id, kind: .dataset)
        let snapshot = try open(repository, access)
        let script = "\(id.split(separator: "/").last ?? "").py"
        if request.dataFiles == nil, request.dataFolder == nil, snapshot.contains(script) {
            return try parquetCopy(of: repository, request, access, script: script)
        }
        let tree = DatasetTree(name: id, snapshot: snapshot)
        return try DatasetResolver(tree: tree, request: request, members: members).source()
    }

    /// The branch that the hub fills by itself: CONFIGURATION/SPLIT/0000.parquet.
    private func parquetCopy(
        of repository: HubRepository, _ request: DatasetRequest, _ access: HubAccess, script: String
    ) throws -> DatasetSource {
        var access = access
        let asked = access.revision
        access.revision = "refs/convert/parquet"
        func onlyScript(_ reason: String) -> HubError {
            .dataset(
                name: repository.id,
                problem: "is made by a program, \(script), which is not run, and \(reason)",
                hint: "name data files of the repository with data_files, or use another dataset")
        }
        guard asked == nil || asked == "main" || asked == access.revision else {
            throw onlyScript("the hub's Parquet copy is of the main branch alone")
        }
        let snapshot: HubSnapshot
        do {
            snapshot = try open(repository, access)
        } catch HubError.revisionNotFound {
            throw onlyScript("the hub has no Parquet copy of it")
        }
        var configurations: [String: [String: [String]]] = [:]
        for file in snapshot.files where file.hasSuffix(".parquet") {
            let parts = file.split(separator: "/").map(String.init)
            guard parts.count == 3 else { continue }
            // Of large datasets the copy holds the first part alone: "partial-train".
            guard !parts[1].hasPrefix("partial-") else {
                throw onlyScript("the hub's Parquet copy of it is not complete")
            }
            configurations[parts[0], default: [:]][parts[1], default: []].append(file)
        }
        guard !configurations.isEmpty else { throw onlyScript("its Parquet copy is empty") }
        let names = configurations.keys.sorted()
        let name = try request.name ?? DatasetResolver.onlyName(names, repository.id)
        guard let splits = configurations[name] else {
            throw DatasetResolver.unknown(name, names, repository.id)
        }
        let usual = ["train", "validation", "test"].filter { splits[$0] != nil }
        let order = usual + splits.keys.filter { !usual.contains($0) }.sorted()
        return DatasetSource(
            format: "parquet", options: [:],
            splits: order.map { ($0, (splits[$0] ?? []).sorted()) },
            DatasetTree(name: repository.id, snapshot: snapshot))
    }
}

extension DatasetSource {
    fileprivate init(
        format: String, options: JSONObject, splits: [(name: String, files: [String])],
        _ tree: DatasetTree
    ) {
        self.format = format
        self.options = options
        self.splits = splits
        self.tree = tree
    }
}

/// From a tree of files and a call to splits.
private struct DatasetResolver {
    let tree: DatasetTree
    let request: DatasetRequest
    let members: (String) throws -> [String]

    func source() throws -> DatasetSource {
        let card = try DatasetCard(
            readme: tree.text("README.md"), settings: tree.text(".huggingface.yaml"),
            name: tree.name)
        let configuration = try configuration(card)
        let base = try baseFolder(configuration)
        let fromCard = request.dataFolder == nil ? configuration?.dataFiles : nil
        guard
            let patterns = try request.dataFiles ?? fromCard
                ?? tree.patternsByConvention(below: base)
        else {
            throw problem(
                base.isEmpty ? "has no data files" : "has no data files below '\(base)'",
                "check the path, or name the files with data_files")
        }
        var splits = try patterns.map { split, patterns in
            (name: split, files: try files(patterns, below: base))
        }
        guard splits.contains(where: { !$0.files.isEmpty }) else {
            let shown = patterns.flatMap(\.patterns).prefix(3).map { "'\($0)'" }
            throw problem(
                "has no data files for \(shown.joined(separator: ", "))", "check data_files")
        }
        let (format, separator) = try inferFormat(splits)
        if fromCard == nil {
            let suffixes = Self.suffixes(of: format)
            splits = splits.map { name, files in
                (name, files.filter { Self.has($0, suffixes) })
            }
        }
        var options = configuration?.options ?? [:]
        if let separator, options["sep"] == nil, options["delimiter"] == nil {
            options["sep"] = .string(separator)
        }
        return DatasetSource(format: format, options: options, splits: splits, tree)
    }

    // MARK: The configuration

    private func configuration(_ card: DatasetCard) throws -> DatasetCard.Configuration? {
        let names = card.configurations.map(\.name)
        if let name = request.name {
            if let found = card.configurations.first(where: { $0.name == name }) { return found }
            if names.isEmpty, name == "default" { return nil }
            throw Self.unknown(name, names.isEmpty ? ["default"] : names, tree.name)
        }
        if names.isEmpty { return nil }
        if let preset = try card.defaultConfiguration(tree.name) { return preset }
        // Files that are named need no configuration.
        if request.dataFiles != nil || request.dataFolder != nil { return nil }
        _ = try Self.onlyName(names, tree.name)
        return nil
    }

    static func onlyName(_ names: [String], _ dataset: String) throws(HubError) -> String {
        if names.count == 1 { return names[0] }
        if names.contains("default") { return "default" }
        throw .dataset(
            name: dataset, problem: "has several configurations",
            hint: "choose one, as in load_dataset(\"\(dataset)\", \"\(names[0])\"); they are "
                + list(names))
    }

    static func unknown(_ name: String, _ names: [String], _ dataset: String) -> HubError {
        .dataset(
            name: dataset, problem: "has no configuration '\(name)'",
            hint: "the configurations are \(list(names))")
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 20 ? "\(shown) and \(names.count - 20) more" : shown
    }

    private func baseFolder(_ configuration: DatasetCard.Configuration?) throws -> String {
        let folder = request.dataFolder ?? configuration?.dataFolder ?? ""
        let parts = folder.split(separator: "/").filter { $0 != "." }
        guard !folder.hasPrefix("/"), !parts.contains("..") else {
            throw problem("data_dir '\(folder)' leads out of the dataset", "give a folder in it")
        }
        return parts.joined(separator: "/")
    }

    // MARK: Files

    /// None where patterns match nothing: that is an error when the split is wanted.
    private func files(_ patterns: [String], below base: String) throws -> [String] {
        var result: [String] = []
        var seen = Set<String>()
        for pattern in patterns {
            guard !pattern.hasPrefix("/"), !pattern.contains("://"),
                !pattern.split(separator: "/").contains("..")
            else {
                throw problem(
                    "'\(pattern)' leads out of the dataset", "name files of the dataset itself")
            }
            let found = tree.resolve(pattern, below: base).filter { DatasetFormats.isKnown($0) }
            guard !found.isEmpty || FilePattern.isPattern(pattern) else {
                throw problem("has no data file '\(pattern)'", "check the name")
            }
            result += found.filter { seen.insert($0).inserted }
        }
        return result
    }

    /// The format of most files, the same for all splits; for TSV its separator.
    private func inferFormat(
        _ splits: [(name: String, files: [String])]
    ) throws -> (format: String, separator: String?) {
        var formats: [String] = []
        for (_, files) in splits where !files.isEmpty {
            let suffix = try DatasetFormats.mainSuffix(files) ?? suffixInArchives(files)
            guard let suffix, let format = DatasetFormats.bySuffix[suffix] else {
                throw problem("has no data files of a known format", DatasetFormats.supported)
            }
            formats.append(suffix == "tsv" ? "tsv" : format)
        }
        guard let first = formats.first, formats.allSatisfy({ $0 == first }) else {
            throw problem(
                "has files of several formats: \(Set(formats).sorted().joined(separator: ", "))",
                "name those of one format with data_files")
        }
        let format = first == "tsv" ? "csv" : first
        guard DatasetFormats.readable.contains(format) else {
            throw problem("has files of the format \(format)", DatasetFormats.supported)
        }
        return (format, first == "tsv" ? "\t" : nil)
    }

    private func suffixInArchives(_ files: [String]) throws -> String? {
        let archives = files.filter { $0.lowercased().hasSuffix(".zip") }.prefix(10)
        return DatasetFormats.mainSuffix(try tree.local(Array(archives)).flatMap(members))
    }

    private static func suffixes(of format: String) -> [String] {
        DatasetFormats.bySuffix.filter { $0.value == format }.keys.sorted() + ["zip"]
    }

    /// Whether a name has one of some suffixes, perhaps with that of a compression after it.
    private static func has(_ file: String, _ suffixes: [String]) -> Bool {
        let parts = (file.split(separator: "/").last ?? "").split(separator: ".").dropFirst()
        return parts.contains { suffixes.contains($0.lowercased()) }
    }

    private func problem(_ problem: String, _ hint: String) -> HubError {
        .dataset(name: tree.name, problem: problem, hint: hint)
    }
}

/// What the names of data files tell.
enum DatasetFormats {
    static let readable = ["parquet", "json", "csv", "text"]
    static let supported =
        "supported are Parquet (.parquet), JSON (.json, .jsonl), CSV (.csv, .tsv) and text (.txt)"

    /// Formats that Python knows and that are named when they can't be read, too.
    static let bySuffix: [String: String] = {
        var result = [
            "csv": "csv", "tsv": "csv", "json": "json", "jsonl": "json", "ndjson": "json",
            "parquet": "parquet", "geoparquet": "parquet", "gpq": "parquet", "txt": "text",
            "arrow": "arrow", "conll": "conll", "conllu": "conll", "tar": "webdataset",
            "xml": "xml", "hdf5": "hdf5", "h5": "hdf5", "lance": "lance", "vortex": "vortex",
            "md": "harbor", "toml": "harbor", "eval": "eval", "pdf": "pdffolder",
        ]
        for suffix in ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "ico", "ppm"] {
            result[suffix] = "imagefolder"
        }
        for suffix in ["wav", "mp3", "flac", "ogg", "opus", "aiff", "au", "m4a"] {
            result[suffix] = "audiofolder"
        }
        for suffix in ["mp4", "avi", "mov", "mkv", "webm", "mpg", "mpeg"] {
            result[suffix] = "videofolder"
        }
        return result
    }()

    private static func suffixes(_ file: String) -> [String] {
        (file.split(separator: "/").last ?? "")
            .split(separator: ".", omittingEmptySubsequences: false).dropFirst()
            .map { $0.lowercased() }
    }

    /// Whether a file may hold data: by its suffixes as they are written, as in Python.
    static func isKnown(_ file: String) -> Bool {
        (file.split(separator: "/").last ?? "").split(separator: ".").dropFirst()
            .contains { bySuffix[String($0)] != nil || $0 == "zip" }
    }

    /// The suffix of a known format that most files have, by Python's order where several are as
    /// frequent; nil where that is an archive.
    static func mainSuffix(_ files: [String]) -> String? {
        var counts: [String: Int] = [:]
        for suffix in files.flatMap(suffixes) { counts[suffix, default: 0] += 1 }
        let favorites = ["parquet", "lance", "vortex", "arrow", "jsonl", "json", "csv"]
        func rank(_ suffix: String) -> Int {
            favorites.firstIndex(of: suffix).map { favorites.count - $0 } ?? 0
        }
        let order = counts.sorted { left, right in
            (left.value, rank(left.key), left.key) > (right.value, rank(right.key), right.key)
        }
        let first = order.first { bySuffix[$0.key] != nil || $0.key == "zip" }
        return first.flatMap { $0.key == "zip" ? nil : $0.key }
    }
}
