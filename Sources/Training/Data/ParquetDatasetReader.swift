import OrderedJSON
import Parquet

/// How Parquet files are read.
public struct ParquetOptions: Sendable {
    /// The columns to take, in this order; `nil` takes all.
    public var columns: [String]?

    public init(columns: [String]? = nil) { self.columns = columns }
}

/// Reads Parquet files: their footers at once, values when they are first used.
struct ParquetDatasetReader {
    var options = ParquetOptions()

    /// Rows that are read in one go. Row groups up to twice this size are not cut.
    private static let partRows = 1 << 17
    /// Rows of the first part; each one after it has twice as many, up to `partRows`: the start of
    /// a file is what is asked for most, as `train[:10000]`.
    private static let firstRows = 1 << 14

    /// Names and storage of the columns of several files with the same columns.
    func read(_ paths: [String]) throws -> [(name: String, storage: ColumnStorage)] {
        let files = try paths.map { path in
            try Self.translated(path) {
                // A member of an archive is unpacked into memory; a file is mapped.
                guard DataFile.onDisk(path) == path else {
                    return try DataFile.read(path).withUnsafeBytes {
                        try ParquetFile(bytes: $0, path: path)
                    }
                }
                return try ParquetFile(path: path)
            }
        }
        guard let first = files.first else { return [] }
        let declared = Dictionary(
            files.map {
                ($0.path, FeatureMetadata.features($0.keyValues[FeatureMetadata.key] ?? ""))
            },
            uniquingKeysWith: { first, _ in first })
        let known = first.columns.map(\.name)
        let names = options.columns ?? known
        return try names.map { name in
            guard known.hasText(name) else {
                throw TrainingError.file(
                    path: first.path, problem: "there is no column '\(name)'",
                    hint: "the columns are \(known.map { "'\($0)'" }.joined(separator: ", "))")
            }
            return (name, try storage(name, files, declared))
        }
    }

    /// - declared: by file and column, the types that Python's datasets wrote down.
    private func storage(
        _ name: String, _ files: [ParquetFile], _ declared: [String: [UTF8Key: FeatureType]]
    ) throws -> ColumnStorage {
        var type = FeatureType.null
        var parts: [ColumnPart] = []
        for file in files {
            guard let column = file.columns.firstIndex(where: { $0.name.hasSameUTF8(as: name) })
            else {
                throw TrainingError.file(
                    path: file.path,
                    problem: "there is no column '\(name)', which other files have",
                    hint: "give files with different columns to separate load_dataset calls")
            }
            let stored = FeatureType(file.columns[column].type)
            let declared = declared[file.path]?[UTF8Key(name)]
            let found = declared.map(stored.refined) ?? stored
            guard found == type || type == .null || found == .null else {
                throw TrainingError.file(
                    path: file.path,
                    problem: "column '\(name)' is \(found), in other files it is \(type)",
                    hint: "give files with different types to separate load_dataset calls")
            }
            if found != .null { type = found }
            for (group, rows) in file.rowGroups.enumerated() {
                for range in Self.cut(rows, isFirst: parts.isEmpty) {
                    parts.append(
                        ColumnPart(count: range.count) {
                            try Self.translated(file.path) {
                                ColumnValues(
                                    try file.read(column: column, rowGroup: group, rows: range),
                                    found)
                            }
                        })
                }
            }
        }
        return ColumnStorage(type: type, parts: parts)
    }

    /// The parts of a row group.
    private static func cut(_ rows: Int, isFirst: Bool) -> [Range<Int>] {
        var size = isFirst ? firstRows : partRows
        if rows <= 2 * size { return rows > 0 ? [0..<rows] : [] }
        var parts: [Range<Int>] = []
        var start = 0
        while start < rows {
            let end = min(start + size, rows)
            parts.append(start..<end)
            start = end
            size = min(2 * size, partRows)
        }
        return parts
    }

    private static func translated<Result>(_ path: String, _ body: () throws -> Result) throws
        -> Result
    {
        do {
            return try body()
        } catch let error as ParquetError {
            throw TrainingError.file(path: path, problem: error.placedProblem, hint: error.hint)
        }
    }
}

extension FeatureType {
    init(_ type: ParquetType) {
        switch type {
        case .bool: self = .bool
        case .integer(let bits, let isSigned): self = .integer(bits: bits, isSigned: isSigned)
        case .float(let bits): self = .float(bits: bits)
        case .decimal: self = .float64
        // What can't be read says so when it is read.
        case .string, .json, .date, .time, .timestamp, .unsupported: self = .string
        case .null: self = .null
        case .list(let element): self = .list(FeatureType(element))
        case .structure(let fields):
            self = .structure(
                fields.map { Field(name: $0.name, type: FeatureType($0.type)) })
        }
    }
}

extension ColumnValues {
    init(_ array: ParquetArray, _ type: FeatureType) {
        isNull = array.isNull
        guard !type.hasJSON else {
            values = .json((0..<array.count).map { type.decoded(array.value($0)) })
            return
        }
        switch array.values {
        case .bool(let values): self.values = .bool(values)
        case .integer(let values): self.values = .int64(values)
        case .float(let values): self.values = .float64(values)
        case .string(let texts, let positions): values = .string(texts, positions: positions)
        case .null: values = .null(count: array.count)
        case .list, .structure: values = .json((0..<array.count).map { array.value($0) })
        }
    }
}

extension ParquetArray {
    fileprivate func value(_ index: Int) -> JSONValue {
        if isNull?[index] == true { return .null }
        switch values {
        case .bool(let values): return .bool(values[index])
        case .integer(let values): return .int(values[index])
        case .float(let values): return .double(values[index])
        case .string(let texts, let positions):
            return .string(texts[positions.map { Int($0[index]) } ?? index])
        case .list(let offsets, let elements):
            return .array((offsets[index]..<offsets[index + 1]).map { elements.value($0) })
        case .structure(let members):
            return .object(JSONObject(members.map { ($0.name, $0.values.value(index)) }))
        case .null: return .null
        }
    }
}
