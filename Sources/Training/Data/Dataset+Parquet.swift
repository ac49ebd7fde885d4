import OrderedJSON
public import Parquet

// Datasets as Parquet files, with their features where Python's datasets looks for them.

extension Dataset {
    /// A Parquet file that Python's datasets reads with these features, class names included.
    /// - rowGroupRows: rows of a row group; `nil` takes as many as make up to 100 MB.
    /// - Returns: bytes written.
    @discardableResult
    public func writeParquet(
        to path: String, compression: ParquetWriter.Compression = .snappy, rowGroupRows: Int? = nil
    ) throws -> Int {
        let groupRows = try max(1, rowGroupRows ?? automaticRowGroup())
        var total = 0
        do {
            try ModelFiles.writeAtomically(path) { file in
                let writer = try ParquetWriter(
                    columns: features.map {
                        ParquetField(name: $0.name, type: ParquetType($0.type))
                    },
                    keyValues: [(FeatureMetadata.key, FeatureMetadata.text(features))],
                    compression: compression
                ) { try file.write($0) }
                for first in stride(from: 0, to: numRows, by: groupRows) {
                    let part = slice(first..<min(first + groupRows, numRows))
                    try writer.write(
                        rows: part.numRows,
                        part.columnNames.map { ParquetArray(try part.requireColumn($0)) })
                }
                try writer.finish()
                total = writer.byteCount
            }
        } catch let error as ParquetError {
            throw TrainingError.file(path: path, problem: error.placedProblem, hint: error.hint)
        }
        return total
    }

    /// Rows that take 100 MB going by the first ones, at most 131,072: readers that want some rows
    /// of a file of nested columns read whole groups.
    private func automaticRowGroup() throws -> Int {
        let sample = slice(0..<1000)
        var bytes = 1
        for name in columnNames {
            let column = try sample.requireColumn(name)
            for row in 0..<column.count {
                bytes +=
                    column.withUTF8(at: row) { $0.count } ?? column.value(at: row).json().utf8.count
            }
        }
        return min(1 << 17, 100_000_000 * max(sample.numRows, 1) / bytes)
    }
}

extension ParquetType {
    fileprivate init(_ type: FeatureType) {
        switch type {
        case .string: self = .string
        case .integer(let bits, let isSigned): self = .integer(bits: bits, isSigned: isSigned)
        case .float(let bits): self = .float(bits: bits)
        case .bool: self = .bool
        case .null: self = .null
        case .classLabel: self = .integer(bits: 64, isSigned: true)
        case .list(let element): self = .list(ParquetType(element))
        case .structure(let fields):
            self = .structure(
                fields.map { ParquetField(name: $0.name, type: ParquetType($0.type)) })
        case .json: self = .json
        }
    }
}

extension ParquetArray {
    fileprivate init(_ column: Column) {
        let rows = 0..<column.count
        let nulls = rows.map(column.isNull)
        let values: Values
        switch column.type {
        case .string:
            var texts = PackedStringsBuilder()
            for row in rows where column.withUTF8(at: row, { texts.append(.init($0)) }) == nil {
                texts.append(UnsafeRawBufferPointer(start: nil, count: 0))
            }
            values = .string(texts.finish(), positions: nil)
        case .integer, .classLabel: values = .integer(rows.map { Int64(column.int(at: $0) ?? 0) })
        case .float: values = .float(rows.map { column.double(at: $0) ?? 0 })
        case .bool: values = .bool(rows.map { column.int(at: $0) == 1 })
        case .null: values = .null
        case .list, .structure, .json:
            self.init(Array(column), column.type)
            return
        }
        self.init(
            count: column.count, values: values, isNull: nulls.contains(true) ? nulls : nil)
    }

    /// Values of one type; what is of another is null.
    private init(_ values: [JSONValue], _ type: FeatureType) {
        var nulls = values.map(\.isNull)
        func collect<Value>(_ empty: Value, _ value: (JSONValue) -> Value?) -> [Value] {
            values.enumerated().map { index, given in
                if let value = value(given) { return value }
                nulls[index] = true
                return empty
            }
        }
        func texts(_ text: (JSONValue) -> String?) -> Values {
            var builder = PackedStringsBuilder()
            for var text in collect("", text) {
                text.withUTF8 { builder.append(UnsafeRawBufferPointer($0)) }
            }
            return .string(builder.finish(), positions: nil)
        }
        let collected: Values
        switch type {
        case .string: collected = texts(\.stringValue)
        case .json: collected = texts { $0.isNull ? nil : $0.json(.compact) }
        case .integer, .classLabel: collected = .integer(collect(0) { $0.intValue.map(Int64.init) })
        case .float: collected = .float(collect(0, \.doubleValue))
        case .bool: collected = .bool(collect(false, \.boolValue))
        case .null: collected = .null
        case .list(let element):
            var offsets = [0]
            var elements: [JSONValue] = []
            for list in collect([], \.arrayValue) {
                elements += list
                offsets.append(elements.count)
            }
            collected = .list(offsets: offsets, ParquetArray(elements, element))
        case .structure(let fields):
            let objects = collect([:], \.objectValue)
            collected = .structure(
                fields.map { field in
                    (field.name, ParquetArray(objects.map { $0[field.name] ?? .null }, field.type))
                })
        }
        self.init(
            count: values.count, values: collected, isNull: nulls.contains(true) ? nulls : nil)
    }
}
