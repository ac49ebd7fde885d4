// Finding the next special byte of a text, eight bytes at a time.

/// Bytes at which reading a text stops: two or three given ones, and control characters if wanted.
struct ByteSearch {
    private let first: UInt64
    private let second: UInt64
    private let third: UInt64
    /// 0x20 in every byte where control characters count, otherwise 0.
    private let control: UInt64

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    init(_ first: UInt8, _ second: UInt8, _ third: UInt8? = nil, controlCharacters: Bool = false) {
        self.first = UInt64(first) &* Self.ones
        self.second = UInt64(second) &* Self.ones
        self.third = UInt64(third ?? first) &* Self.ones
        control = controlCharacters ? 0x20 &* Self.ones : 0
    }

    /// Place of the first such byte from `start` on, `count` when there is none.
    ///
    /// The lowest flag of `(x - 1) & ~x & 0x80` marks the lowest zero byte of a word
    /// (Warren, "Hacker's Delight", 6-1); flags above it may be wrong and are not looked at.
    @inline(__always)
    func next(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
        var place = start
        let words = UnsafeRawPointer(base)
        while place &+ 8 <= count {
            let word = UInt64(
                littleEndian: words.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let found = flags(word)
            if found != 0 { return place &+ found.trailingZeroBitCount >> 3 }
            place &+= 8
        }
        if place < count {
            var word: UInt64 = 0
            for index in place..<count {
                word |= UInt64(base[index]) << UInt64(8 * (index &- place))
            }
            let found = flags(word) & (1 << UInt64(8 * (count &- place)) &- 1)
            if found != 0 { return place &+ found.trailingZeroBitCount >> 3 }
        }
        return count
    }

    @inline(__always)
    private func flags(_ word: UInt64) -> UInt64 {
        func zeros(_ word: UInt64) -> UInt64 { (word &- Self.ones) & ~word }
        return
            (zeros(word ^ first) | zeros(word ^ second) | zeros(word ^ third)
            | (word &- control) & ~word & (control == 0 ? 0 : .max)) & Self.highs
    }
}
