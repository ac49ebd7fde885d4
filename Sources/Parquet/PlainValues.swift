// The values of a leaf in the PLAIN encoding, and as a dictionary of the different ones.

struct PlainValues {
    private let type: ParquetType
    private let values: ParquetArray.Values
    /// Value `i` is value `places[i]` of the array.
    private let places: [Int]

    init(_ leaf: LeafColumn) {
        type = leaf.type
        values = leaf.array?.values ?? .null
        places = leaf.places
    }

    /// Bytes that value `index` takes.
    func size(_ index: Int) -> Int {
        if case .string(let texts, let positions) = values {
            let place = places[index]
            return 4 + texts.buffer(positions.map { Int($0[place]) } ?? place).count
        }
        return type.physicalType == .int32 || type.physicalType == .float ? 4 : 8
    }

    func append(_ range: Range<Int>, to bytes: inout [UInt8]) {
        switch values {
        case .bool(let values):
            for first in stride(from: range.lowerBound, to: range.upperBound, by: 8) {
                var byte: UInt8 = 0
                for index in first..<min(first + 8, range.upperBound) where values[places[index]] {
                    byte |= 1 << UInt8(index - first)
                }
                bytes.append(byte)
            }
        case .integer(let values):
            for index in range { append(integer: values[places[index]], to: &bytes) }
        case .float(let values):
            for index in range { append(float: values[places[index]], to: &bytes) }
        case .string(let texts, let positions):
            for index in range {
                let place = places[index]
                append(text: texts.buffer(positions.map { Int($0[place]) } ?? place), to: &bytes)
            }
        case .list, .structure, .null: break
        }
    }

    private func append(integer value: Int64, to bytes: inout [UInt8]) {
        if type.physicalType == .int32 {
            bytes.appendLittleEndian(Int32(truncatingIfNeeded: value))
        } else {
            bytes.appendLittleEndian(value)
        }
    }

    private func append(float value: Double, to bytes: inout [UInt8]) {
        switch type {
        case .float(bits: 16): bytes.appendLittleEndian(halfPrecisionBits(value))
        case .float(bits: 32): bytes.appendLittleEndian(Float(value).bitPattern)
        default: bytes.appendLittleEndian(value.bitPattern)
        }
    }

    private func append(text: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        bytes.appendLittleEndian(UInt32(truncatingIfNeeded: text.count))
        bytes.append(contentsOf: text)
    }

    // MARK: - Dictionary

    struct Packed {
        /// The different values in PLAIN encoding.
        var bytes: [UInt8] = []
        var count = 0
        /// For every value its position in the dictionary.
        var positions: [UInt32] = []
    }

    /// `nil` where a dictionary would not pay: it grows past `limit`, or most values differ.
    func dictionary(limit: Int) -> Packed? {
        var packed = Packed()
        switch values {
        case .string(let texts, let positions):
            var table = TextTable(texts)
            for place in places {
                let text = positions.map { Int($0[place]) } ?? place
                let (position, isNew) = table.insert(text)
                if isNew {
                    append(text: texts.buffer(text), to: &packed.bytes)
                    if packed.bytes.count > limit { return nil }
                }
                packed.positions.append(position)
            }
            packed.count = table.count
        case .integer(let values):
            let isWhole = packed.collect(places.lazy.map { UInt64(bitPattern: values[$0]) }, limit)
            {
                append(integer: Int64(bitPattern: $0), to: &$1)
            }
            guard isWhole else { return nil }
        case .float(let values):
            let isWhole = packed.collect(places.lazy.map { values[$0].bitPattern }, limit) {
                append(float: Double(bitPattern: $0), to: &$1)
            }
            guard isWhole else { return nil }
        case .bool, .list, .structure, .null: return nil
        }
        return packed.count > 0 && packed.count <= places.count / 2 + 1 ? packed : nil
    }
}

extension PlainValues.Packed {
    fileprivate mutating func collect(
        _ values: some Sequence<UInt64>, _ limit: Int, _ append: (UInt64, inout [UInt8]) -> Void
    ) -> Bool {
        var seen: [UInt64: UInt32] = [:]
        for value in values {
            if let position = seen[value] {
                positions.append(position)
                continue
            }
            let position = UInt32(truncatingIfNeeded: seen.count)
            seen[value] = position
            positions.append(position)
            append(value, &bytes)
            if bytes.count > limit { return false }
        }
        count = seen.count
        return true
    }
}

/// The different ones among the texts of a ``PackedStrings``, by open addressing.
private struct TextTable {
    private let texts: PackedStrings
    /// Number of the text in each used slot, and its position among the different ones.
    private var slots: [(text: Int, position: UInt32)?]
    private(set) var count = 0

    init(_ texts: PackedStrings) {
        self.texts = texts
        slots = Array(repeating: nil, count: 1024)
    }

    mutating func insert(_ text: Int) -> (position: UInt32, isNew: Bool) {
        if count * 2 > slots.count { grow() }
        let bytes = texts.buffer(text)
        var slot = hash(bytes) & (slots.count - 1)
        while let used = slots[slot] {
            let other = texts.buffer(used.text)
            if other.count == bytes.count, other.elementsEqual(bytes) {
                return (used.position, false)
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let position = UInt32(truncatingIfNeeded: count)
        slots[slot] = (text, position)
        count += 1
        return (position, true)
    }

    private mutating func grow() {
        let used = slots.compactMap(\.self)
        slots = Array(repeating: nil, count: slots.count * 2)
        for entry in used {
            var slot = hash(texts.buffer(entry.text)) & (slots.count - 1)
            while slots[slot] != nil { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = entry
        }
    }

    private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        return hasher.finalize()
    }
}

/// The nearest number of IEEE half precision, ties to even.
func halfPrecisionBits(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    if value.isNaN { return sign | 0x7e00 }
    let magnitude = value.magnitude
    if magnitude >= 65520 { return sign | 0x7c00 }
    if magnitude < 0x1p-14 {
        // Below the normal numbers, and up to the first of them, a step is 2⁻²⁴.
        return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let exponent = Int(magnitude.exponent)
    let fraction = ((magnitude.significand - 1) * 1024).rounded(.toNearestOrEven)
    // A fraction that rounds up to 1,024 carries into the exponent, as it should.
    return sign | (UInt16(exponent + 15) << 10 + UInt16(fraction))
}
