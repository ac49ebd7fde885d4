// The packed small integers of Parquet: levels, dictionary positions, and differences.

/// Runs of equal values and groups of bit-packed ones: Parquet's RLE encoding.
struct HybridDecoder {
    private var bytes: ByteReader
    private let width: Int

    /// - width: bits a value, 0 ... 32.
    init(_ bytes: UnsafeRawBufferPointer, width: Int) throws(Malformed) {
        guard (0...32).contains(width) else {
            throw .damaged("values of \(width) bits where at most 32 can be")
        }
        self.bytes = ByteReader(bytes)
        self.width = width
    }

    /// Bits that a level up to `maximum` takes.
    static func width(_ maximum: Int) -> Int { Int.bitWidth - maximum.leadingZeroBitCount }

    /// Decodes `count` values in runs: a repeated value, or a buffer that lasts for the call.
    mutating func decode(
        _ count: Int, repeated: (UInt32, Int) throws(Malformed) -> Void,
        packed: (UnsafeBufferPointer<UInt32>) throws(Malformed) -> Void
    ) throws(Malformed) {
        var left = count
        if width == 0 {
            if count > 0 { try repeated(0, count) }
            return
        }
        while left > 0 {
            let header = try bytes.varint()
            if header & 1 == 0 {
                let length = Int(header >> 1)
                var value: UInt32 = 0
                for index in 0..<(width + 7) / 8 {
                    value |= UInt32(try bytes.byte()) << UInt32(8 * index)
                }
                let used = min(length, left)
                if used > 0 { try repeated(value, used) }
                left -= used
                // A file of empty runs must not keep us forever: each takes two bytes at least.
            } else {
                guard let groups = Int(exactly: header >> 1), groups <= bytes.remaining + 1 else {
                    throw .truncated
                }
                // The last group may lack the bytes of values that do not exist.
                let size = min(groups * width, bytes.remaining)
                let available = min(groups * 8, size * 8 / width)
                let used = min(groups * 8, left)
                guard used <= available else { throw .truncated }
                let run = try bytes.take(size)
                try unpack(run, used, packed)
                left -= used
            }
        }
    }

    private func unpack(
        _ run: UnsafeRawBufferPointer, _ count: Int,
        _ packed: (UnsafeBufferPointer<UInt32>) throws(Malformed) -> Void
    ) throws(Malformed) {
        let blockSize = 1024
        var failure: Malformed?
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: blockSize) { block in
            do throws(Malformed) {
                var first = 0
                while first < count {
                    let size = min(blockSize, count - first)
                    for index in 0..<size {
                        block[index] = UInt32(
                            truncatingIfNeeded: bits(run, at: (first + index) * width, width))
                    }
                    try packed(UnsafeBufferPointer(rebasing: block[..<size]))
                    first += size
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}

/// `width` bits (0 ... 64) that start at a bit of a buffer, least significant first. All of them must
/// lie inside of the buffer.
@inline(__always)
private func bits(_ bytes: UnsafeRawBufferPointer, at bit: Int, _ width: Int) -> UInt64 {
    let offset = bit >> 3
    let shift = UInt64(bit & 7)
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) &- 1
    if offset + 8 <= bytes.count {
        let word = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        var value = word >> shift
        if Int(shift) + width > 64, offset + 8 < bytes.count {
            value |= UInt64(bytes[offset + 8]) << (64 - shift)
        }
        return value & mask
    }
    var word: UInt64 = 0
    for index in offset..<max(bytes.count, offset) {
        word |= UInt64(bytes[index]) << UInt64(8 * (index - offset))
    }
    return (word >> shift) & mask
}

/// The first encoding of levels, which later versions gave up: most significant bit first.
func decodeBitPackedLevels(
    _ reader: inout ByteReader, width: Int, count: Int
) throws(Malformed) -> [UInt32] {
    let (total, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow else { throw .truncated }
    let bytes = try reader.take((total + 7) / 8)
    return (0..<count).map { index in
        var value: UInt32 = 0
        for bit in index * width..<(index + 1) * width {
            value = value << 1 | UInt32(bytes[bit >> 3] >> UInt8(7 - bit & 7) & 1)
        }
        return value
    }
}

/// DELTA_BINARY_PACKED: differences in blocks, each with the smallest taken off.
///
/// - limit: at most so many values may come; what is claimed beyond is refused.
/// - Returns: the values; `reader` stands behind them.
func decodeDeltas(_ reader: inout ByteReader, limit: Int) throws(Malformed) -> [Int64] {
    let blockSize = try reader.varint()
    let miniblocks = try reader.varint()
    let total = try reader.varint()
    let first = try reader.zigzag()
    guard blockSize > 0, miniblocks > 0, blockSize <= 1 << 20, miniblocks <= blockSize,
        blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0
    else { throw .damaged("the blocks of delta-encoded values have a wrong size") }
    guard total <= UInt64(limit) else {
        throw .damaged("\(total) delta-encoded values where at most \(limit) can be")
    }
    let count = Int(total)
    guard count > 0 else { return [] }
    let perMiniblock = Int(blockSize / miniblocks)
    var values: [Int64] = []
    values.reserveCapacity(count)
    values.append(first)
    var last = first
    while values.count < count {
        let smallest = try reader.zigzag()
        let widths = try reader.take(Int(miniblocks))
        for width in widths {
            if values.count >= count { break }
            guard width <= 64 else { throw .damaged("differences of \(width) bits") }
            let packed = try reader.take(perMiniblock * Int(width) / 8)
            for index in 0..<min(perMiniblock, count - values.count) {
                let difference =
                    width == 0 ? 0 : bits(packed, at: index * Int(width), Int(width))
                last = last &+ smallest &+ Int64(bitPattern: difference)
                values.append(last)
            }
        }
    }
    return values
}
