/// The vocabulary of a WordPiece model: splits words greedily into the longest known pieces.
///
/// All pieces lie in one byte buffer; an open hash table leads from bytes to ids. The hash of
/// every prefix of a word comes out of one pass over it, so that trying the longest piece first,
/// then shorter ones, costs one probe each and no allocation.
struct WordPieceVocabulary: Sendable {
    let tokens: [String]
    let ids: [Int32]
    let unknownToken: String
    let unknownID: Int32
    let continuingPrefix: String
    let maximumWordLength: Int

    private let bytes: [UInt8]
    /// Token `i` is `bytes[starts[i] ..< starts[i + 1]]`.
    private let starts: [Int]
    /// Upper half of a hash, and the token's index plus one; 0 is free.
    private let slots: [UInt64]
    private let mask: UInt64
    private let longestToken: Int
    private let continuingHash: UInt64
    private let continuingBytes: Int

    private static let emptyHash: UInt64 = 0xcbf2_9ce4_8422_2325
    /// FNV-1a.
    @inline(__always)
    private static func hash(_ state: UInt64, _ byte: UInt8) -> UInt64 {
        (state ^ UInt64(byte)) &* 0x100_0000_01b3
    }

    /// `nil` when the unknown token is not in the vocabulary. Tokens must differ.
    init?(
        tokens: [String], ids: [Int32], unknownToken: String, continuingPrefix: String,
        maximumWordLength: Int
    ) {
        self.tokens = tokens
        self.ids = ids
        self.unknownToken = unknownToken
        self.continuingPrefix = continuingPrefix
        self.maximumWordLength = maximumWordLength
        continuingHash = continuingPrefix.utf8.reduce(Self.emptyHash, Self.hash)
        continuingBytes = continuingPrefix.utf8.count

        var bytes: [UInt8] = []
        var starts = [0]
        starts.reserveCapacity(tokens.count + 1)
        var capacity: UInt64 = 64
        while capacity < UInt64(tokens.count) * 2 { capacity *= 2 }
        var slots = [UInt64](repeating: 0, count: Int(capacity))
        var longest = 0
        var unknown: Int32?
        for (index, token) in tokens.enumerated() {
            if token.utf8.elementsEqual(unknownToken.utf8) { unknown = ids[index] }
            var hash = Self.emptyHash
            for byte in token.utf8 {
                bytes.append(byte)
                hash = Self.hash(hash, byte)
            }
            longest = max(longest, bytes.count - starts[index])
            starts.append(bytes.count)
            var slot = Int((hash ^ hash >> 32) & (capacity - 1))
            while slots[slot] != 0 { slot = (slot + 1) & Int(capacity - 1) }
            slots[slot] = (hash >> 32) << 32 | UInt64(index + 1)
        }
        self.bytes = bytes
        self.starts = starts
        self.slots = slots
        mask = capacity - 1
        longestToken = longest
        guard let unknown else { return nil }
        unknownID = unknown
    }

    func id(of token: String) -> Int32? {
        var token = token
        return token.withUTF8 { text in
            let hash = text.reduce(Self.emptyHash, Self.hash)
            return find(hash, text, 0..<text.count, prefix: 0)
        }
    }

    /// Appends the ids of one word, given as valid UTF-8.
    @inline(__always)
    func append(_ text: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, to ids: inout [Int32]) {
        if word.count > maximumWordLength, isTooLong(text, word) {
            ids.append(unknownID)
            return
        }
        if word.count <= longestToken {
            var hash = Self.emptyHash
            for index in word { hash = Self.hash(hash, text[index]) }
            if let id = find(hash, text, word, prefix: 0) {
                ids.append(id)
                return
            }
        }
        appendPieces(text, word, to: &ids)
    }

    private func appendPieces(
        _ text: UnsafeBufferPointer<UInt8>, _ word: Range<Int>, to ids: inout [Int32]
    ) {
        let countBefore = ids.count
        // Bounded by the longest word, 4 bytes a code point.
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: word.count) { hashes in
            var start = word.lowerBound
            while start < word.upperBound {
                let isFirst = start == word.lowerBound
                let prefix = isFirst ? 0 : continuingBytes
                var hash = isFirst ? Self.emptyHash : continuingHash
                let limit = min(word.upperBound, start + max(longestToken - prefix, 0))
                for index in start..<limit {
                    hash = Self.hash(hash, text[index])
                    hashes[index - word.lowerBound] = hash
                }
                var end = limit
                var found: Int32?
                while end > start {
                    // Pieces end between code points.
                    if end == word.upperBound || text[end] & 0xc0 != 0x80 {
                        let hash = hashes[end - 1 - word.lowerBound]
                        found = find(hash, text, start..<end, prefix: prefix)
                        if found != nil { break }
                    }
                    end -= 1
                }
                guard let found else {
                    ids.removeLast(ids.count - countBefore)
                    ids.append(unknownID)
                    return
                }
                ids.append(found)
                start = end
            }
        }
    }

    /// The id of the token that is a prefix of that many bytes and then `text[range]`.
    @inline(__always)
    private func find(
        _ hash: UInt64, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, prefix: Int
    ) -> Int32? {
        var slot = Int((hash ^ hash >> 32) & mask)
        while true {
            let entry = slots[slot]
            if entry == 0 { return nil }
            if entry >> 32 == hash >> 32 {
                let token = Int(entry & 0xffff_ffff) - 1
                let start = starts[token] + prefix
                if starts[token + 1] - start == range.count {
                    var offset = 0
                    while offset < range.count,
                        bytes[start + offset] == text[range.lowerBound + offset]
                    {
                        offset += 1
                    }
                    if offset == range.count, prefix == 0 || hasPrefix(token) {
                        return ids[token]
                    }
                }
            }
            slot = (slot + 1) & Int(mask)
        }
    }

    private func hasPrefix(_ token: Int) -> Bool {
        bytes[starts[token]...].starts(with: continuingPrefix.utf8)
    }

    private func isTooLong(_ text: UnsafeBufferPointer<UInt8>, _ word: Range<Int>) -> Bool {
        var codePoints = 0
        for index in word where text[index] & 0xc0 != 0x80 { codePoints += 1 }
        return codePoints > maximumWordLength
    }
}
