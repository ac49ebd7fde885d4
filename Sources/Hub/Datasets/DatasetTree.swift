/// The files of a dataset: a folder on this machine, or a commit of a repository.
struct DatasetTree: Sendable {
    enum Place: Sendable {
        case folder(String)
        case snapshot(HubSnapshot)
    }

    /// As the user wrote it.
    let name: String
    let place: Place
    /// Paths below the tree's root, sorted.
    let files: [String]

    init(name: String, snapshot: HubSnapshot) {
        self.name = name
        place = .snapshot(snapshot)
        files = snapshot.files.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    init(name: String, folder: String) {
        self.name = name
        place = .folder(folder)
        files = LocalFile.files(below: folder)
    }

    /// Where files are on this machine, fetched if need be.
    func local(_ files: [String]) throws -> [String] {
        switch place {
        case .snapshot(let snapshot): try snapshot.fetch(files)
        case .folder(let folder): files.map { "\(folder)/\($0)" }
        }
    }

    /// The text of a small file; nil when the tree has none.
    func text(_ file: String) throws -> String? {
        let path: String?
        switch place {
        case .snapshot(let snapshot): path = try snapshot.file(file)
        case .folder(let folder): path = files.contains(file) ? "\(folder)/\(file)" : nil
        }
        return path.flatMap { LocalFile.readSmall($0, limit: 1 << 26) }
    }
}

// MARK: - Patterns

extension DatasetTree {
    /// The files that a pattern names, below a folder of the tree.
    func resolve(_ pattern: String, below folder: String) -> [String] {
        let joined = FilePattern(folder.isEmpty ? pattern : "\(folder)/\(pattern)")
        return joined.matches(files)
    }

    /// The splits that the names of files and folders tell, by the rules of datasets 5: shards such
    /// as data/train-00000-of-00002.parquet, then folders named for a split, then files, then
    /// everything as "train". Nil when there is no file.
    func patternsByConvention(below folder: String) throws -> [(split: String, patterns: [String])]?
    {
        let digits = String(repeating: "[0-9]", count: 5)
        let shards = "-\(digits)-of-\(digits)*.*"
        let sharded = resolve("data/*\(shards)", below: folder)
        if !sharded.isEmpty {
            let names = Set(sharded.compactMap(Self.shardSplit))
            if let wrong = names.sorted().first(where: { !DatasetSplitName.isValid($0) }) {
                throw HubError.dataset(
                    name: name, problem: "'\(wrong)' in the name of a file is no name of a split",
                    hint: "name the files with data_files")
            }
            let usual = Self.usualSplits.map(\.name).filter(names.contains)
            return (usual + names.subtracting(usual).sorted()).map {
                ($0, ["data/\($0)\(shards)"])
            }
        }
        for make in [Self.folderPatterns, Self.filePatterns] {
            let found = Self.usualSplits.compactMap { split, keywords in
                let patterns = keywords.flatMap(make)
                return patterns.contains { !resolve($0, below: folder).isEmpty }
                    ? (split: split, patterns: patterns) : nil
            }
            if !found.isEmpty { return found }
        }
        return resolve("**", below: folder).isEmpty ? nil : [("train", ["**"])]
    }

    private static let usualSplits: [(name: String, keywords: [String])] = [
        ("train", ["train", "training"]), ("validation", ["validation", "valid", "dev", "val"]),
        ("test", ["test", "testing", "eval", "evaluation"]),
    ]
    private static let gap = "[-._ 0-9]"

    private static func filePatterns(_ keyword: String) -> [String] {
        ["**/\(keyword)\(gap)*", "**/*\(gap)\(keyword)\(gap)*"]
    }

    private static func folderPatterns(_ keyword: String) -> [String] {
        [
            "**/\(keyword)/**", "**/\(keyword)\(gap)*/**", "**/*\(gap)\(keyword)/**",
            "**/*\(gap)\(keyword)\(gap)*/**",
        ]
    }

    /// "train" of "data/train-00000-of-00002.parquet".
    private static func shardSplit(_ path: String) -> String? {
        let name = Array((path.split(separator: "/").last ?? "").utf8)
        func isShard(_ start: Int) -> Bool {
            guard start + 15 <= name.count else { return false }
            return zip(name[start..<start + 15], "-00000-of-00000".utf8).allSatisfy { byte, sign in
                sign == UInt8(ascii: "0")
                    ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) : byte == sign
            }
        }
        return name.indices.reversed().first(where: isShard).map {
            String(decoding: name[..<$0], as: UTF8.self)
        }
    }
}
