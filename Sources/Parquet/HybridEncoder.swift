/// Parquet's RLE encoding of small integers: runs of equal values, and groups of eight bit-packed
/// ones between them. ``HybridDecoder`` reads it.
struct HybridEncoder {
    private(set) var bytes: [UInt8] = []
    private let width: Int
    /// Values of bit-packed groups that have not been written yet; a multiple of eight at flushes.
    private var pending: [UInt32] = []
    private var run: (value: UInt32, count: Int) = (0, 0)

    /// - width: bits a value, 0 ... 32.
    init(width: Int) { self.width = width }

    static func encode(_ values: some Sequence<UInt32>, width: Int) -> [UInt8] {
        var encoder = HybridEncoder(width: width)
        for value in values { encoder.append(value) }
        return encoder.finish()
    }

    private mutating func append(_ value: UInt32) {
        if run.count > 0, run.value == value {
            run.count += 1
            return
        }
        endRun()
        run = (value, 1)
    }

    private mutating func finish() -> [UInt8] {
        endRun()
        flushPending()
        return bytes
    }

    /// A run shorter than eight is packed; so is the start of a longer one up to a whole group.
    private mutating func endRun() {
        guard run.count > 0 else { return }
        var (value, count) = run
        run.count = 0
        let filling = min(count, (8 - pending.count % 8) % 8)
        pending.append(contentsOf: repeatElement(value, count: filling))
        count -= filling
        if count < 8 {
            pending.append(contentsOf: repeatElement(value, count: count))
            return
        }
        flushPending()
        bytes.appendVarint(UInt64(count) << 1)
        for _ in 0..<(width + 7) / 8 {
            bytes.append(UInt8(truncatingIfNeeded: value))
            value >>= 8
        }
    }

    private mutating func flushPending() {
        guard !pending.isEmpty else { return }
        let groups = (pending.count + 7) / 8
        bytes.appendVarint(UInt64(groups) << 1 | 1)
        var word: UInt64 = 0
        var bits = 0
        for index in 0..<groups * 8 {
            let value = index < pending.count ? pending[index] : 0
            word |= UInt64(value) << UInt64(bits)
            bits += width
            while bits >= 8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
                bits -= 8
            }
        }
        pending.removeAll(keepingCapacity: true)
    }
}
