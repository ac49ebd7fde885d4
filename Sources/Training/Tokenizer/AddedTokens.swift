/// A token that is looked for in the text before anything else happens to it.
struct AddedToken: Sendable, Equatable {
    var id: Int32
    var content: String
    /// Only where no letter, digit or underscore touches it.
    var singleWord = false
    /// White space before it belongs to it.
    var stripsLeft = false
    /// White space after it belongs to it.
    var stripsRight = false
    /// Looked for in the normalised text instead of the raw one.
    var isNormalized = false
    var isSpecial = false
}

/// Finds added tokens in a text, the leftmost first and of those the longest.
struct AddedTokenMatcher: Sendable {
    enum Segment {
        case text(Range<Int>)
        case token(Int32)
    }

    private let tokens: [AddedToken]
    /// What is searched for each token.
    private let patterns: [[UInt8]]
    /// Patterns by first byte, the longest first.
    private let candidates: [[Int]]
    private let isFirstByte: [Bool]

    /// - pattern: the bytes to search for a token; empty ones are never found.
    init(_ tokens: [AddedToken], pattern: (AddedToken) -> [UInt8]) {
        let patterns = tokens.map(pattern)
        var candidates = [[Int]](repeating: [], count: 256)
        for (index, pattern) in patterns.enumerated() {
            if let first = pattern.first { candidates[Int(first)].append(index) }
        }
        self.tokens = tokens
        self.patterns = patterns
        self.candidates = candidates.map { indices in
            indices.sorted { patterns[$0].count > patterns[$1].count }
        }
        isFirstByte = candidates.map { !$0.isEmpty }
    }

    var isEmpty: Bool { !isFirstByte.contains(true) }

    func mayMatch(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        for byte in text where isFirstByte[Int(byte)] { return true }
        return false
    }

    /// Calls `body` with the pieces of the text in order.
    func split(_ text: UnsafeBufferPointer<UInt8>, _ body: (Segment) -> Void) {
        var textStart = 0
        var index = 0
        while index < text.count {
            guard isFirstByte[Int(text[index])],
                let match = candidates[Int(text[index])].first(where: { matches($0, text, index) })
            else {
                index += 1
                continue
            }
            let token = tokens[match]
            var start = index
            var end = index + patterns[match].count
            index = end
            if token.singleWord,
                isWordCharacter(lastScalar(text, start)) || isWordCharacter(firstScalar(text, end))
            {
                continue
            }
            if token.stripsLeft {
                while start > 0, let scalar = lastScalar(text, start),
                    scalar.properties.isWhitespace
                {
                    start -= scalar.utf8.count
                }
                // Space that the token before has taken already stays with it.
                start = max(start, textStart)
            }
            if token.stripsRight {
                while let scalar = firstScalar(text, end), scalar.properties.isWhitespace {
                    end += scalar.utf8.count
                }
            }
            if textStart < start { body(.text(textStart..<start)) }
            body(.token(token.id))
            textStart = end
        }
        if textStart < text.count { body(.text(textStart..<text.count)) }
    }

    private func matches(
        _ pattern: Int, _ text: UnsafeBufferPointer<UInt8>, _ index: Int
    ) -> Bool {
        let bytes = patterns[pattern]
        return bytes.count <= text.count - index
            && text[index..<(index + bytes.count)].elementsEqual(bytes)
    }

    private func firstScalar(
        _ text: UnsafeBufferPointer<UInt8>, _ index: Int
    ) -> Unicode.Scalar? {
        guard index < text.count else { return nil }
        var index = index
        return Unicode.Scalar(decodeUTF8(text, &index))
    }

    /// The scalar that ends before `index`.
    private func lastScalar(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Unicode.Scalar? {
        var start = index - 1
        while start > 0, text[start] & 0xc0 == 0x80 { start -= 1 }
        return start < 0 ? nil : firstScalar(text, start)
    }

    /// What a regular expression calls `\w` (Unicode Technical Standard 18).
    private func isWordCharacter(_ scalar: Unicode.Scalar?) -> Bool {
        guard let properties = scalar?.properties else { return false }
        if properties.isAlphabetic || properties.isJoinControl { return true }
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .spacingMark, .decimalNumber,
            .connectorPunctuation:
            return true
        default: return false
        }
    }
}
