// The pages of one leaf in one row group: dictionary or PLAIN values, data pages of version 1.

/// What the footer says of a column chunk that was written.
struct WrittenChunk {
    let path: [String]
    let type: PhysicalType
    let encodings: [Encoding]
    let valueCount: Int
    let nullCount: Int
    let uncompressedSize: Int
    let compressedSize: Int
    let start: Int
    let dictionarySize: Int?
}

struct ColumnChunkWriter {
    let leaf: LeafColumn
    let codec: Codec
    private var output: [UInt8] = []
    private var uncompressedSize = 0

    /// Rows and bytes after which a page ends, and bytes to which a dictionary may grow; about
    /// what pyarrow takes.
    private static let pageRows = 20_000
    private static let pageBytes = 1 << 20
    private static let dictionaryBytes = 1 << 20

    init(_ leaf: LeafColumn, codec: Codec) {
        self.leaf = leaf
        self.codec = codec
    }

    /// The bytes of all pages.
    /// - start: where in the file they will lie.
    mutating func write(start: Int) throws(Malformed) -> (bytes: [UInt8], chunk: WrittenChunk) {
        let plain = PlainValues(leaf)
        let dictionary = plain.dictionary(limit: Self.dictionaryBytes)
        var dictionarySize: Int?
        if let dictionary {
            try appendPage(.dictionary, dictionary.bytes) { header in
                header.field(7) { page in
                    page.field(1, Int32(truncatingIfNeeded: dictionary.count))
                    page.field(2, Encoding.plain.rawValue)
                }
            }
            dictionarySize = output.count
        }
        let encoding: Encoding = dictionary == nil ? .plain : .rleDictionary
        var level = 0
        var value = 0
        repeat {
            let page = nextPage(level, value, plain, dictionary)
            var bytes: [UInt8] = []
            if leaf.maximumRepetition > 0 {
                bytes.appendLevels(
                    leaf.repetitions[level..<page.level], maximum: leaf.maximumRepetition)
            }
            bytes.appendLevels(
                leaf.definitions[level..<page.level], maximum: leaf.maximumDefinition)
            if let dictionary {
                let width = HybridDecoder.width(max(dictionary.count - 1, 1))
                bytes.append(UInt8(width))
                bytes += HybridEncoder.encode(
                    dictionary.positions[value..<page.value], width: width)
            } else {
                plain.append(value..<page.value, to: &bytes)
            }
            let count = page.level - level
            try appendPage(.data, bytes) { header in
                header.field(5) { data in
                    data.field(1, Int32(truncatingIfNeeded: count))
                    data.field(2, encoding.rawValue)
                    data.field(3, Encoding.rle.rawValue)
                    data.field(4, Encoding.rle.rawValue)
                }
            }
            (level, value) = (page.level, page.value)
        } while level < leaf.levelCount
        return (
            output,
            WrittenChunk(
                path: leaf.path, type: leaf.type.physicalType,
                encodings: dictionary == nil ? [.plain, .rle] : [.plain, .rle, .rleDictionary],
                valueCount: leaf.levelCount, nullCount: leaf.levelCount - leaf.places.count,
                uncompressedSize: uncompressedSize, compressedSize: output.count, start: start,
                dictionarySize: dictionarySize)
        )
    }

    /// Where the page that starts with `level` and `value` ends: at the start of a row.
    private func nextPage(
        _ level: Int, _ value: Int, _ plain: PlainValues, _ dictionary: PlainValues.Packed?
    ) -> (level: Int, value: Int) {
        var (level, value) = (level, value)
        var rows = 0
        var bytes = 0
        while level < leaf.levelCount {
            if leaf.maximumRepetition == 0 || leaf.repetitions[level] == 0 {
                if rows >= Self.pageRows || bytes >= Self.pageBytes { break }
                rows += 1
            }
            if Int(leaf.definitions[level]) == leaf.maximumDefinition, leaf.type != .null {
                bytes += dictionary == nil ? plain.size(value) : 4
                value += 1
            }
            level += 1
        }
        return (level, value)
    }

    private enum PageKind: Int32 {
        case data = 0
        case dictionary = 2
    }

    private mutating func appendPage(
        _ kind: PageKind, _ bytes: [UInt8], _ details: (inout ThriftWriter) -> Void
    ) throws(Malformed) {
        let packed = try codec.pack(bytes)
        guard let size = Int32(exactly: bytes.count), let packedSize = Int32(exactly: packed.count)
        else {
            throw Malformed(
                "a page of more than 2 GB", hint: "Parquet can't hold such a value; leave it out")
        }
        var header = ThriftWriter()
        header.structure { header in
            header.field(1, kind.rawValue)
            header.field(2, size)
            header.field(3, packedSize)
            details(&header)
        }
        output += header.bytes
        output += packed
        uncompressedSize += header.bytes.count + bytes.count
    }
}

extension [UInt8] {
    /// Levels as pages of version 1 have them: their length in four bytes, then RLE.
    fileprivate mutating func appendLevels(_ levels: ArraySlice<UInt8>, maximum: Int) {
        let bytes = HybridEncoder.encode(
            levels.lazy.map { UInt32($0) }, width: HybridDecoder.width(maximum))
        appendLittleEndian(UInt32(truncatingIfNeeded: bytes.count))
        self += bytes
    }
}
