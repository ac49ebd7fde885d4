import Glibc

/// Reads one column chunk page by page: levels, then values.
struct LeafDecoder: ~Copyable {
    let type: PhysicalType
    let typeLength: Int
    /// What the values stand for.
    let target: ParquetType
    let unit: LogicalType.Unit
    private let node: SchemaNode
    private let codec: Codec
    /// The pages that have not been read yet, and behind them the rest of the file.
    private var pages: UnsafeRawBufferPointer
    private let fileEnd: UnsafeRawPointer
    /// Unpacked bytes of the current page, and room to read 16 bytes past them.
    private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var pageNumber = 0

    private(set) var dictionaryPage: Page?
    var dictionary: (bools: [Bool], integers: [Int64], floats: [Double]) = ([], [], [])
    var isDictionaryLoaded = false

    /// A page can claim any number of values that take no bytes; none that a program writes has more.
    private static let maximumPageValues = 1 << 26
    /// gzip packs bytes to a 1,032nd at most; others could go further, but text doesn't. Pages up to
    /// a size may be packed as much as they like.
    private static let mostPacked = 1100
    private static let smallPage = 1 << 25

    struct Page {
        var valueCount: Int
        var encoding: Int32
        var bytes: UnsafeRawBufferPointer
        var uncompressedSize: Int
    }

    /// - chunk: the bytes of all pages.
    init(
        node: SchemaNode, type: PhysicalType, target: ParquetType, codec: Codec,
        chunk: UnsafeRawBufferPointer, fileEnd: UnsafeRawPointer
    ) {
        self.type = type
        self.target = target
        self.node = node
        self.codec = codec
        self.fileEnd = fileEnd
        typeLength = node.element.typeLength
        pages = chunk
        switch node.element.logicalType {
        case .time(let unit), .timestamp(let unit): self.unit = unit
        default: unit = .nanoseconds
        }
    }

    deinit { free(scratch.baseAddress) }

    /// What was read of a chunk: as many levels as values and nulls together.
    struct Content: ~Copyable {
        var values: LeafValues
        /// Empty where no field on the way can be null or repeated.
        var definitions: [UInt8] = []
        var repetitions: [UInt8] = []
        /// Of a column without lists: which rows have a value; `nil` when all have.
        var isThere: [Bool]?
        /// Of a column without lists: the row of the chunk that the content starts with.
        var firstRow = 0
        var rows = 0
    }

    /// Reads the pages that hold the given rows: for columns without lists those alone, for others
    /// all from the start of the chunk.
    mutating func read(
        rows: Range<Int>, rowCount: Int, valueCount: Int
    ) throws(Malformed) -> Content {
        do {
            return try readPages(rows, rowCount, valueCount)
        } catch {
            var error = error
            error.page = error.page ?? pageNumber
            throw error
        }
    }

    private mutating func readPages(
        _ rows: Range<Int>, _ rowCount: Int, _ valueCount: Int
    ) throws(Malformed) -> Content {
        let isFlat = node.repetition == 0
        if type == .fixedLengthByteArray, !(1...(1 << 20)).contains(typeLength) {
            throw .damaged("values of \(typeLength) bytes")
        }
        guard !isFlat || valueCount == rowCount else {
            throw .damaged("\(valueCount) values for the \(rowCount) rows of a row group")
        }
        var content = Content(values: LeafValues(kind: target.kind))
        var seen = 0
        while seen < valueCount, !pages.isEmpty {
            if isFlat ? seen >= rows.upperBound : content.rows > rows.upperBound { break }
            let header = try PageHeader(&pages)
            let start = pages
            pages = UnsafeRawBufferPointer(rebasing: start[header.compressedSize...])
            let bytes = UnsafeRawBufferPointer(rebasing: start[..<header.compressedSize])
            switch header.kind {
            case .other: break
            case .dictionary:
                guard header.valueCount <= Self.maximumPageValues else { throw .truncated }
                dictionaryPage = Page(
                    valueCount: header.valueCount,
                    encoding: header.encoding == Encoding.plainDictionary.rawValue
                        ? Encoding.plain.rawValue : header.encoding,
                    bytes: bytes, uncompressedSize: header.uncompressedSize)
            case .data, .dataV2:
                guard header.valueCount <= valueCount - seen,
                    header.valueCount <= Self.maximumPageValues
                else {
                    throw .damaged("\(header.valueCount) values, and \(valueCount - seen) are left")
                }
                let isNeeded = !isFlat || seen + header.valueCount > rows.lowerBound
                if isNeeded, header.valueCount > 0 {
                    if isFlat, content.rows == 0 { content.firstRow = seen }
                    try readPage(header, bytes, into: &content)
                }
                seen += header.valueCount
            }
            pageNumber += 1
        }
        let isComplete =
            isFlat
            ? content.firstRow + content.rows >= rows.upperBound
            : content.rows > rows.upperBound
                || seen == valueCount && content.rows == rowCount
        guard isComplete || rows.isEmpty else { throw .truncated }
        return content
    }

    // MARK: - Pages

    private mutating func readPage(
        _ header: PageHeader, _ bytes: UnsafeRawBufferPointer, into content: inout Content
    ) throws(Malformed) {
        let count = header.valueCount
        let isV2 = header.kind == .dataV2
        var reader: ByteReader
        var levels: ByteReader
        if isV2 {
            let levelBytes = header.repetitionLength + header.definitionLength
            guard levelBytes <= bytes.count, levelBytes <= header.uncompressedSize else {
                throw .truncated
            }
            levels = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<levelBytes]))
            let rest = UnsafeRawBufferPointer(rebasing: bytes[levelBytes...])
            reader = ByteReader(
                try unpack(
                    rest, header.uncompressedSize - levelBytes,
                    header.isCompressed ? codec : .uncompressed))
        } else {
            reader = ByteReader(try unpack(bytes, header.uncompressedSize, codec))
            levels = reader
        }
        if node.repetition > 0 {
            let first = content.repetitions.count
            try decodeLevels(
                &levels, maximum: node.repetition, count: count,
                encoding: isV2 ? nil : header.repetitionEncoding,
                length: header.repetitionLength, into: &content.repetitions)
            for level in content.repetitions[first...] where level == 0 { content.rows += 1 }
        } else {
            content.rows += count
        }
        var present = count
        if node.definition > 0 {
            present = try readDefinitions(
                &levels, header, isV2: isV2, into: &content)
        }
        if !isV2 { reader = levels }
        // Behind a page as it is in the file follows the rest of the file, behind an unpacked one
        // the room in the scratch memory.
        let isInFile = codec == .uncompressed || isV2 && !header.isCompressed
        let readable = isInFile ? fileEnd - reader.pointer : reader.remaining + 16
        let before = content.values.count
        try decodeValues(
            reader.rest, encoding: header.encoding, count: present,
            readable: readable, into: &content.values)
        guard content.values.count == before + present else { throw .truncated }
    }

    /// Decodes a dictionary page.
    mutating func decodePage(_ page: Page, into values: inout LeafValues) throws(Malformed) {
        // The data page that needs the dictionary lies in the scratch memory.
        let kept = scratch
        scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        defer {
            free(scratch.baseAddress)
            scratch = kept
        }
        let before = values.count
        let bytes = try unpack(page.bytes, page.uncompressedSize, codec)
        try decodeValues(
            bytes, encoding: page.encoding, count: page.valueCount, readable: bytes.count,
            into: &values)
        guard values.count == before + page.valueCount else { throw .truncated }
    }

    private mutating func unpack(
        _ bytes: UnsafeRawBufferPointer, _ size: Int, _ codec: Codec
    ) throws(Malformed) -> UnsafeRawBufferPointer {
        if codec == .uncompressed {
            guard bytes.count == size else {
                throw .damaged("the page has \(bytes.count) bytes instead of \(size)")
            }
            return bytes
        }
        guard size <= Self.smallPage || size / Self.mostPacked <= bytes.count else {
            throw .damaged("a page of \(bytes.count) bytes that would unpack to \(size)")
        }
        // An empty page may be left out altogether.
        if scratch.count < size + 16 {
            free(scratch.baseAddress)
            let memory = malloc(size + 16)
            scratch = UnsafeMutableRawBufferPointer(
                start: memory, count: memory == nil ? 0 : size + 16)
            guard memory != nil else { throw Malformed("no memory for a page of \(size) bytes") }
        }
        let target = UnsafeMutableRawBufferPointer(rebasing: scratch[..<size])
        try codec.unpack(bytes, into: target)
        return UnsafeRawBufferPointer(target)
    }

    // MARK: - Levels

    /// Reads definition levels; answers how many values are there.
    private mutating func readDefinitions(
        _ levels: inout ByteReader, _ header: PageHeader, isV2: Bool, into content: inout Content
    ) throws(Malformed) -> Int {
        let count = header.valueCount
        let maximum = node.definition
        let encoding = isV2 ? nil : header.definitionEncoding
        if node.repetition > 0 || maximum > 1 {
            let first = content.definitions.count
            try decodeLevels(
                &levels, maximum: maximum, count: count, encoding: encoding,
                length: header.definitionLength, into: &content.definitions)
            var present = 0
            for level in content.definitions[first...] where Int(level) == maximum { present += 1 }
            return present
        }
        // The common case, a column that may be null: most pages are one run without nulls.
        var page: [UInt8] = []
        let run = try decodeLevels(
            &levels, maximum: 1, count: count, encoding: encoding,
            length: header.definitionLength, into: &page, wholeRun: 1)
        let before = content.rows - count
        if run {
            if content.isThere != nil {
                content.isThere?.append(contentsOf: repeatElement(true, count: count))
            }
            return count
        }
        var present = 0
        for level in page { present += Int(level) }
        if present == count {
            content.isThere?.append(contentsOf: repeatElement(true, count: count))
            return count
        }
        if content.isThere == nil {
            content.isThere = [Bool](repeating: true, count: before)
        }
        content.isThere?.append(contentsOf: page.lazy.map { $0 != 0 })
        return present
    }

    /// Appends `count` levels, or answers true when all are `wholeRun`, which are then not appended.
    ///
    /// - encoding: of version 1, where a length of four bytes stands before RLE; `nil` for version 2,
    ///   whose header has the length.
    @discardableResult
    private func decodeLevels(
        _ reader: inout ByteReader, maximum: Int, count: Int, encoding: Int32?, length: Int,
        into levels: inout [UInt8], wholeRun: UInt32? = nil
    ) throws(Malformed) -> Bool {
        let width = HybridDecoder.width(maximum)
        var result = levels
        levels = []
        if encoding == Encoding.bitPacked.rawValue {
            for level in try decodeBitPackedLevels(&reader, width: width, count: count) {
                try check(level, maximum)
                result.append(UInt8(truncatingIfNeeded: level))
            }
            levels = result
            return false
        }
        guard encoding == nil || encoding == Encoding.rle.rawValue else {
            throw .unsupported("levels in the encoding \(encoding ?? -1)", "write the file again")
        }
        let size = encoding == nil ? length : try reader.length32()
        var decoder = try HybridDecoder(try reader.take(size), width: width)
        var isWholeRun = false
        try decoder.decode(
            count,
            repeated: { level, length throws(Malformed) in
                try check(level, maximum)
                if length == count, level == wholeRun {
                    isWholeRun = true
                } else {
                    result.append(
                        contentsOf: repeatElement(
                            UInt8(truncatingIfNeeded: level), count: length))
                }
            },
            packed: { block throws(Malformed) in
                for level in block {
                    try check(level, maximum)
                    result.append(UInt8(truncatingIfNeeded: level))
                }
            })
        levels = result
        return isWholeRun
    }

    private func check(_ level: UInt32, _ maximum: Int) throws(Malformed) {
        guard level <= maximum else { throw .damaged("a level \(level) above \(maximum)") }
    }
}

extension ParquetType {
    /// How values are kept.
    var kind: LeafValues.Kind {
        switch self {
        case .bool: .bool
        case .integer: .integer
        case .float, .decimal: .float
        case .null: .integer
        default: .string
        }
    }

    /// Text in the file, not made from numbers.
    var isText: Bool { self == .string || self == .json }
}
