import Glibc

/// Texts end to end in one block of memory: about two bytes a text beside the texts themselves.
///
/// Where a text starts is a 16-bit distance from the start of its group of 32; only where such a
/// group is longer than 64 KB do starts take eight bytes. The texts are valid UTF-8: whoever builds
/// one checks them.
public final class PackedStrings: Sendable {
    /// Written by the builder alone, before this object exists.
    nonisolated(unsafe) private let bytes: UnsafeMutableRawPointer?
    private let starts: Starts
    public let count: Int

    private enum Starts: Sendable {
        /// Start of group `i / 32`, and the distance of text `i` from it; one more for the end.
        case near(groups: [Int], distances: [UInt16])
        case far([Int])
    }

    fileprivate static let groupShift = 5

    /// Takes over `bytes`; `ends` are the ends of the texts.
    fileprivate init(bytes: UnsafeMutableRawPointer?, starts all: [Int]) {
        self.bytes = bytes
        count = all.count - 1
        var groups: [Int] = []
        groups.reserveCapacity(all.count >> Self.groupShift + 1)
        var isNear = true
        for first in stride(from: 0, to: all.count, by: 1 << Self.groupShift) {
            let last = min(first + 1 << Self.groupShift, all.count) - 1
            groups.append(all[first])
            if all[last] - all[first] > Int(UInt16.max) {
                isNear = false
                break
            }
        }
        guard isNear else {
            starts = .far(all)
            return
        }
        let distances = [UInt16](unsafeUninitializedCapacity: all.count) { buffer, count in
            for (index, start) in all.enumerated() {
                buffer.initializeElement(
                    at: index,
                    to: UInt16(truncatingIfNeeded: start - groups[index >> Self.groupShift]))
            }
            count = all.count
        }
        starts = .near(groups: groups, distances: distances)
    }

    deinit { free(bytes) }

    /// Bytes of all texts together.
    public var byteCount: Int { start(count) }

    /// The bytes of one text, for the time of the call.
    @inlinable
    public func withBytes<Result, Failure: Error>(
        _ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(buffer(index))
    }

    public subscript(index: Int) -> String {
        withBytes(index) { String(decoding: $0, as: UTF8.self) }
    }

    @usableFromInline
    func buffer(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        precondition(index >= 0 && index < count)
        let first = start(index)
        let address = bytes.map { UnsafeRawPointer($0 + first).assumingMemoryBound(to: UInt8.self) }
        return UnsafeBufferPointer(start: address, count: start(index + 1) - first)
    }

    private func start(_ index: Int) -> Int {
        switch starts {
        case .near(let groups, let distances):
            groups[index >> Self.groupShift] + Int(distances[index])
        case .far(let all): all[index]
        }
    }
}

/// Collects texts for ``PackedStrings``.
public struct PackedStringsBuilder: ~Copyable {
    private var bytes: UnsafeMutableRawPointer?
    private var capacity = 0
    private var byteCount = 0
    private var starts: [Int] = [0]

    public init() {}

    deinit { free(bytes) }

    public var count: Int { starts.count - 1 }

    public mutating func reserve(count: Int) { starts.reserveCapacity(starts.count + count) }

    /// Appends one text, which must be valid UTF-8.
    public mutating func append(_ text: UnsafeRawBufferPointer) {
        makeRoom(text.count)
        if let source = text.baseAddress, let bytes {
            (bytes + byteCount).copyMemory(from: source, byteCount: text.count)
        }
        byteCount += text.count
        starts.append(byteCount)
    }

    /// Appends the texts of a page: a length of four bytes before each.
    ///
    /// - readable: how many bytes may be read from the start of `input`, at least its own; with 16
    ///   more than its own, short texts are copied in one step.
    /// - Returns: bytes of `input` used.
    mutating func appendPrefixed(
        _ input: UnsafeRawBufferPointer, count: Int, readable: Int
    ) throws(Malformed) -> Int {
        makeRoom(input.count + 16)
        guard count > 0 else { return 0 }
        guard let source = input.baseAddress, let bytes else { throw .truncated }
        let end = input.count
        var offset = 0
        var written = byteCount
        let first = starts.count
        reserve(count: count)
        for _ in 0..<count {
            guard offset <= end &- 4 else { throw .truncated }
            let length = Int(
                UInt32(littleEndian: source.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            offset &+= 4
            guard length <= end &- offset else { throw .truncated }
            if length <= 16, offset &+ 16 <= readable {
                (bytes + written).copyMemory(from: source + offset, byteCount: 16)
            } else {
                (bytes + written).copyMemory(from: source + offset, byteCount: length)
            }
            offset &+= length
            written &+= length
            starts.append(written)
        }
        byteCount = written
        try checkText(from: first)
        return offset
    }

    /// Appends texts that lie end to end.
    mutating func append(
        _ input: UnsafeRawBufferPointer, lengths: [Int64]
    ) throws(Malformed) {
        let first = starts.count
        reserve(count: lengths.count)
        var used = 0
        for length in lengths {
            guard length >= 0, length <= Int64(input.count - used) else { throw .truncated }
            used += Int(length)
            starts.append(byteCount + used)
        }
        makeRoom(used)
        if let source = input.baseAddress, let bytes {
            (bytes + byteCount).copyMemory(from: source, byteCount: used)
        }
        byteCount += used
        try checkText(from: first)
    }

    /// Appends a text that shares its first `prefix` bytes with the one before, in `append`'s order.
    mutating func append(prefix: Int, suffix: UnsafeRawBufferPointer) throws(Malformed) {
        let previous = starts.count > 1 ? starts[starts.count - 2] : byteCount
        guard prefix >= 0, prefix <= byteCount - previous else {
            throw .damaged("a text shares more with the one before than that has")
        }
        makeRoom(prefix + suffix.count)
        if let bytes {
            (bytes + byteCount).copyMemory(from: bytes + previous, byteCount: prefix)
            if let source = suffix.baseAddress {
                (bytes + byteCount + prefix).copyMemory(from: source, byteCount: suffix.count)
            }
        }
        byteCount += prefix + suffix.count
        starts.append(byteCount)
    }

    /// Checks that the texts from number `first` (counted from 1) on are UTF-8.
    mutating func checkText(from first: Int) throws(Malformed) {
        guard first < starts.count, let bytes else { return }
        let start = starts[first - 1]
        let text = UnsafeRawBufferPointer(start: bytes + start, count: byteCount - start)
        if isASCII(text) { return }
        guard isUTF8(text) else { throw .notText }
        // Whole texts in a row may be valid where single ones are not: none may start inside of a
        // character.
        for boundary in starts[first...].dropLast() where boundary < byteCount {
            let byte = bytes.load(fromByteOffset: boundary, as: UInt8.self)
            guard byte & 0xc0 != 0x80 else { throw .notText }
        }
    }

    public consuming func finish() -> PackedStrings {
        let shrunk = byteCount < capacity ? realloc(bytes, max(byteCount, 1)) ?? bytes : bytes
        bytes = nil
        return PackedStrings(bytes: shrunk, starts: starts)
    }

    private mutating func makeRoom(_ count: Int) {
        guard byteCount + count > capacity || bytes == nil else { return }
        capacity = max(byteCount + count, min(capacity * 2, capacity + 1 << 26), 64)
        // Without memory Swift's own allocation ends the program, as it does for arrays.
        bytes =
            realloc(bytes, capacity)
            ?? UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
    }
}

extension Malformed {
    static let notText = Malformed(
        "the column holds bytes that are not valid UTF-8", hint: "leave the column out")
}

/// Whether every byte is below 128.
func isASCII(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let base = text.baseAddress else { return true }
    var offset = 0
    while offset + 64 <= text.count {
        let lanes = base.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
        let folded = lanes.lowHalf | lanes.highHalf
        let two = folded.lowHalf | folded.highHalf
        if (two[0] | two[1]) & 0x8080_8080_8080_8080 != 0 { return false }
        offset += 64
    }
    var rest: UInt8 = 0
    while offset < text.count {
        rest |= base.load(fromByteOffset: offset, as: UInt8.self)
        offset += 1
    }
    return rest < 0x80
}

/// Whether the bytes are UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF.
public func isUTF8(_ text: UnsafeRawBufferPointer) -> Bool {
    guard let base = text.baseAddress else { return true }
    let count = text.count
    var offset = 0
    func continues(_ index: Int) -> Bool {
        base.load(fromByteOffset: index, as: UInt8.self) & 0xc0 == 0x80
    }
    while offset < count {
        if offset + 8 <= count,
            base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            offset += 8
            continue
        }
        let lead = base.load(fromByteOffset: offset, as: UInt8.self)
        if lead < 0x80 {
            offset += 1
        } else if lead >= 0xc2, lead < 0xe0 {
            guard offset + 2 <= count, continues(offset + 1) else { return false }
            offset += 2
        } else if lead >= 0xe0, lead < 0xf0 {
            guard offset + 3 <= count, continues(offset + 1), continues(offset + 2) else {
                return false
            }
            let second = base.load(fromByteOffset: offset + 1, as: UInt8.self)
            if lead == 0xe0 && second < 0xa0 || lead == 0xed && second > 0x9f { return false }
            offset += 3
        } else if lead >= 0xf0, lead < 0xf5 {
            guard offset + 4 <= count, continues(offset + 1), continues(offset + 2),
                continues(offset + 3)
            else { return false }
            let second = base.load(fromByteOffset: offset + 1, as: UInt8.self)
            if lead == 0xf0 && second < 0x90 || lead == 0xf4 && second > 0x8f { return false }
            offset += 4
        } else {
            return false
        }
    }
    return true
}
