// The values of data and dictionary pages in every encoding.

extension LeafDecoder {
    /// Appends `count` values of a page whose levels have been passed.
    ///
    /// - readable: bytes that may be read from the start of `input`, at least its own.
    mutating func decodeValues(
        _ input: UnsafeRawBufferPointer, encoding: Int32, count: Int, readable: Int,
        into values: inout LeafValues
    ) throws(Malformed) {
        guard let encoding = Encoding(rawValue: encoding) else {
            throw .unsupported("unknown encoding \(encoding)", "write the file with another")
        }
        switch encoding {
        case .plain: try decodePlain(input, count, readable, into: &values)
        case .plainDictionary, .rleDictionary: try decodePositions(input, count, into: &values)
        case .rle:
            guard type == .boolean else { throw .mismatch(encoding, type) }
            var reader = ByteReader(input)
            let length = try reader.length32()
            var decoder = try HybridDecoder(try reader.take(length), width: 1)
            var bools: [Bool] = []
            try decoder.decode(
                count,
                repeated: { value, count throws(Malformed) in
                    bools.append(contentsOf: repeatElement(value != 0, count: count))
                },
                packed: { block throws(Malformed) in
                    for value in block { bools.append(value != 0) }
                })
            values.bools.append(contentsOf: bools)
        case .bitPacked: throw .mismatch(encoding, type)
        case .deltaBinaryPacked:
            guard type == .int32 || type == .int64 else { throw .mismatch(encoding, type) }
            var reader = ByteReader(input)
            let integers = try decodeDeltas(&reader, limit: count)
            guard integers.count == count else { throw .truncated }
            // 32-bit differences wrap around as 32-bit numbers.
            if type == .int32 {
                try append(integers.map { Int64(Int32(truncatingIfNeeded: $0)) }, into: &values)
            } else {
                try append(integers, into: &values)
            }
        case .deltaLengthByteArray:
            guard type == .byteArray else { throw .mismatch(encoding, type) }
            var reader = ByteReader(input)
            let lengths = try decodeDeltas(&reader, limit: count)
            guard lengths.count == count else { throw .truncated }
            try appendTexts(reader.rest, lengths, into: &values)
        case .deltaByteArray: try decodeDeltaTexts(input, count, into: &values)
        case .byteStreamSplit:
            let width = fixedWidth
            guard width > 0, type != .boolean, type != .int96 else {
                throw .mismatch(encoding, type)
            }
            let (size, overflow) = count.multipliedReportingOverflow(by: width)
            guard !overflow, size <= input.count else { throw .truncated }
            let plain = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
                for stream in 0..<width {
                    for index in 0..<count {
                        buffer[index * width + stream] = input[stream * count + index]
                    }
                }
                used = size
            }
            var failure: Malformed?
            plain.withUnsafeBytes { bytes in
                do throws(Malformed) {
                    try decodePlain(bytes, count, size, into: &values)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    /// Bytes of a value in PLAIN encoding, 0 where they vary.
    private var fixedWidth: Int {
        switch type {
        case .boolean, .byteArray: 0
        case .int32, .float: 4
        case .int64, .double: 8
        case .int96: 12
        case .fixedLengthByteArray: typeLength
        }
    }

    // MARK: - PLAIN

    private mutating func decodePlain(
        _ input: UnsafeRawBufferPointer, _ count: Int, _ readable: Int,
        into values: inout LeafValues
    ) throws(Malformed) {
        if type == .byteArray {
            if case .decimal = target {
                var reader = ByteReader(input)
                for _ in 0..<count {
                    let length = try reader.length32()
                    values.floats.append(try decimal(bigEndian: try reader.take(length)))
                }
                return
            }
            let first = values.strings.count
            _ = try values.strings.appendPrefixed(input, count: count, readable: readable)
            return try values.positionNewTexts(from: first)
        }
        if type == .boolean {
            guard (count + 7) / 8 <= input.count else { throw .truncated }
            values.bools.reserveCapacity(values.bools.count + count)
            for index in 0..<count {
                values.bools.append(input[index >> 3] >> UInt8(index & 7) & 1 != 0)
            }
            return
        }
        let width = fixedWidth
        guard width > 0 else { throw .damaged("values of \(width) bytes") }
        let (size, overflow) = count.multipliedReportingOverflow(by: width)
        guard !overflow, size <= input.count else { throw .truncated }
        guard count > 0, let base = input.baseAddress else { return }
        switch type {
        case .int32:
            try append(
                converted(count) {
                    Int64(
                        Int32(
                            littleEndian: base.loadUnaligned(
                                fromByteOffset: $0 &* 4, as: Int32.self)))
                }, into: &values)
        case .int64:
            try append(
                converted(count) {
                    Int64(littleEndian: base.loadUnaligned(fromByteOffset: $0 &* 8, as: Int64.self))
                }, into: &values)
        case .float:
            values.floats.append(
                contentsOf: converted(count) {
                    Double(
                        Float(
                            bitPattern: UInt32(
                                littleEndian: base.loadUnaligned(
                                    fromByteOffset: $0 &* 4, as: UInt32.self))))
                })
        case .double:
            values.floats.append(
                contentsOf: converted(count) {
                    Double(
                        bitPattern: UInt64(
                            littleEndian: base.loadUnaligned(
                                fromByteOffset: $0 &* 8, as: UInt64.self)))
                })
        case .int96:
            for index in 0..<count {
                let text = CivilTime.int96(base + index * 12)
                text.withBytes { values.strings.append($0) }
            }
            try values.positionNewTexts(from: values.strings.count - count)
        case .fixedLengthByteArray: try decodeFixed(input, count, into: &values)
        case .boolean, .byteArray: break
        }
    }

    private func converted<Value>(_ count: Int, _ value: (Int) -> Value) -> [Value] {
        [Value](unsafeUninitializedCapacity: count) { buffer, used in
            for index in 0..<count { buffer.initializeElement(at: index, to: value(index)) }
            used = count
        }
    }

    private mutating func decodeFixed(
        _ input: UnsafeRawBufferPointer, _ count: Int, into values: inout LeafValues
    ) throws(Malformed) {
        let width = typeLength
        if case .float = target {
            for index in 0..<count {
                let bits = UInt16(input[index * 2]) | UInt16(input[index * 2 + 1]) << 8
                values.floats.append(halfPrecision(bits))
            }
            return
        }
        if case .decimal = target {
            for index in 0..<count {
                let bytes = UnsafeRawBufferPointer(
                    rebasing: input[index * width..<(index + 1) * width])
                values.floats.append(try decimal(bigEndian: bytes))
            }
            return
        }
        let first = values.strings.count
        try values.strings.append(
            input, lengths: [Int64](repeating: Int64(width), count: count))
        try values.positionNewTexts(from: first)
    }

    // MARK: - Dictionary

    private mutating func decodePositions(
        _ input: UnsafeRawBufferPointer, _ count: Int, into values: inout LeafValues
    ) throws(Malformed) {
        guard count > 0 else { return }
        let size = try loadDictionary(into: &values)
        var reader = ByteReader(input)
        let width = Int(try reader.byte())
        var decoder = try HybridDecoder(reader.rest, width: width)
        func check(_ position: UInt32) throws(Malformed) {
            guard position < size else {
                throw .damaged("value \(position) of a dictionary of \(size) values")
            }
        }
        switch values.kind {
        case .string:
            try values.startPositions()
            let start = UInt32(truncatingIfNeeded: values.dictionaryStart ?? 0)
            var positions = values.positions ?? []
            values.positions = []
            positions.reserveCapacity(positions.count + count)
            try decoder.decode(
                count,
                repeated: { value, count throws(Malformed) in
                    try check(value)
                    positions.append(contentsOf: repeatElement(start &+ value, count: count))
                },
                packed: { block throws(Malformed) in
                    for value in block {
                        try check(value)
                        positions.append(start &+ value)
                    }
                })
            values.positions = positions
        case .integer: try decoder.expand(count, dictionary.integers, into: &values.integers, check)
        case .float: try decoder.expand(count, dictionary.floats, into: &values.floats, check)
        case .bool: try decoder.expand(count, dictionary.bools, into: &values.bools, check)
        }
    }

    /// Decodes the dictionary page when a page first needs it; answers how many values it has.
    private mutating func loadDictionary(into values: inout LeafValues) throws(Malformed) -> Int {
        guard let page = dictionaryPage else {
            throw .damaged("a page refers to a dictionary, and there is none")
        }
        if values.kind == .string {
            if values.dictionaryStart == nil {
                // Texts that are there already keep their positions.
                try values.startPositions()
                let positions = values.positions
                values.positions = nil
                let start = values.strings.count
                values.dictionaryStart = start
                try decodePage(page, into: &values)
                values.positions = positions
                guard UInt32(exactly: values.strings.count) != nil else {
                    throw .unsupported("more than 4 billion texts in a row group", "write less")
                }
            }
            return page.valueCount
        }
        if !isDictionaryLoaded {
            var decoded = LeafValues(kind: values.kind)
            try decodePage(page, into: &decoded)
            dictionary = (decoded.bools, decoded.integers, decoded.floats)
            isDictionaryLoaded = true
        }
        return page.valueCount
    }

    // MARK: - DELTA_BYTE_ARRAY

    private mutating func decodeDeltaTexts(
        _ input: UnsafeRawBufferPointer, _ count: Int, into values: inout LeafValues
    ) throws(Malformed) {
        guard type == .byteArray || type == .fixedLengthByteArray else {
            throw .mismatch(.deltaByteArray, type)
        }
        var reader = ByteReader(input)
        let prefixes = try decodeDeltas(&reader, limit: count)
        let suffixes = try decodeDeltas(&reader, limit: count)
        guard prefixes.count == count, suffixes.count == count else { throw .truncated }
        var texts = PackedStringsBuilder()
        // A prefix costs nothing in the file, so a small page could ask for any amount of memory.
        var total = 0
        for (prefix, suffix) in zip(prefixes, suffixes) {
            guard let prefix = Int(exactly: prefix), let length = Int(exactly: suffix),
                prefix >= 0, prefix <= Int(Int32.max)
            else { throw .truncated }
            total += prefix
            guard total <= input.count * 1024 + 1 << 20 else {
                throw .damaged("the texts of a page share more than \(total) bytes")
            }
            try texts.append(prefix: prefix, suffix: try reader.take(length))
        }
        let packed = texts.finish()
        if values.kind == .string, target.isText {
            let first = values.strings.count
            for index in 0..<packed.count {
                packed.withBytes(index) { values.strings.append(UnsafeRawBufferPointer($0)) }
            }
            try values.strings.checkText(from: first + 1)
            return try values.positionNewTexts(from: first)
        }
        for index in 0..<packed.count {
            let value = packed.buffer(index)
            if type == .fixedLengthByteArray {
                guard value.count == typeLength else { throw .truncated }
                try decodeFixed(UnsafeRawBufferPointer(value), 1, into: &values)
            } else {
                values.floats.append(try decimal(bigEndian: UnsafeRawBufferPointer(value)))
            }
        }
    }

    private mutating func appendTexts(
        _ input: UnsafeRawBufferPointer, _ lengths: [Int64], into values: inout LeafValues
    ) throws(Malformed) {
        if case .decimal = target {
            var reader = ByteReader(input)
            for length in lengths {
                guard let length = Int(exactly: length) else { throw .truncated }
                values.floats.append(try decimal(bigEndian: try reader.take(length)))
            }
            return
        }
        let first = values.strings.count
        try values.strings.append(input, lengths: lengths)
        try values.positionNewTexts(from: first)
    }
}

extension HybridDecoder {
    mutating func expand<Value>(
        _ count: Int, _ dictionary: [Value], into values: inout [Value],
        _ check: (UInt32) throws(Malformed) -> Void
    ) throws(Malformed) {
        var result = values
        values = []
        result.reserveCapacity(result.count + count)
        try decode(
            count,
            repeated: { value, count throws(Malformed) in
                try check(value)
                result.append(contentsOf: repeatElement(dictionary[Int(value)], count: count))
            },
            packed: { block throws(Malformed) in
                for value in block {
                    try check(value)
                    result.append(dictionary[Int(value)])
                }
            })
        values = result
    }
}

extension Malformed {
    static func mismatch(_ encoding: Encoding, _ type: PhysicalType) -> Malformed {
        .damaged("the encoding \(encoding) can't hold values of the type \(type)")
    }
}
