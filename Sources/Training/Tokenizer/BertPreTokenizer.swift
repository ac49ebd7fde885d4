/// Splits normalised text into words: white space falls away, every punctuation character is a
/// word of its own. Same result as `tokenizers.pre_tokenizers.BertPreTokenizer`.
package struct BertPreTokenizer: Sendable {
    private enum Kind {
        static let letter: UInt32 = 0
        static let punctuation: UInt32 = 1
        static let space: UInt32 = 2
    }

    private let kinds: CodePointTable
    private let ascii: [UInt8]

    package init() {
        var kinds = CodePointTable(repeating: Kind.letter)
        kinds.set(pairs: UnicodeTables.punctuation, to: Kind.punctuation)
        kinds.set(pairs: UnicodeTables.whiteSpace, to: Kind.space)
        self.kinds = kinds
        ascii = (0..<128).map { UInt8(kinds[$0]) }
    }

    /// Calls `body` with the byte range of each word until it answers false.
    @inline(__always)
    package func forEachWord(
        _ text: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Bool
    ) {
        var wordStart = 0
        var index = 0
        while index < text.count {
            let start = index
            let byte = text[index]
            let kind: UInt32
            if byte < 0x80 {
                kind = UInt32(ascii[Int(byte)])
                index += 1
            } else {
                kind = kinds[decodeUTF8(text, &index)]
            }
            if kind == Kind.letter { continue }
            if start > wordStart, !body(wordStart..<start) { return }
            if kind == Kind.punctuation, !body(start..<index) { return }
            wordStart = index
        }
        if text.count > wordStart { _ = body(wordStart..<text.count) }
    }
}
