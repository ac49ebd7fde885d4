// A vocabulary for a small model of one's own, made of the texts it will see.

extension WordPieceTokenizer {
    static let specialTokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    /// Special tokens, every character alone and within a word, then the words of the corpus, the
    /// most frequent first and equally frequent ones in the order of their bytes, at most
    /// `size` tokens. The same texts always give the same vocabulary.
    ///
    /// Words are cut as BERT's tokenizer cuts them; a word that found no place is spelt.
    package static func vocabulary(
        corpus: [String], size: Int = 30522, lowercases: Bool = true
    ) -> [String] {
        let normalizer = BertNormalizer(
            .init(handleChineseChars: true, stripAccents: nil, lowercase: lowercases))
        let splitter = BertPreTokenizer()
        var counts: [String: Int] = [:]
        var normalized: [UInt8] = []
        for text in corpus {
            var text = text
            text.withUTF8 { normalizer.normalize($0, into: &normalized) }
            normalized.withUnsafeBufferPointer { bytes in
                splitter.forEachWord(bytes) { word in
                    counts[String(decoding: bytes[word], as: UTF8.self), default: 0] += 1
                    return true
                }
            }
        }
        var characters: Set<Unicode.Scalar> = []
        for word in counts.keys { characters.formUnion(word.unicodeScalars) }
        let letters = characters.sorted().map { String($0) }
        let words = counts.filter { $0.key.unicodeScalars.count > 1 }.sorted {
            $0.value == $1.value
                ? $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) : $0.value > $1.value
        }
        let tokens = specialTokens + letters + letters.map { "##" + $0 } + words.map(\.key)
        // Characters are compared as code points: Swift's strings would merge some.
        var seen: Set<[UInt8]> = []
        let distinct = tokens.filter { seen.insert(Array($0.utf8)).inserted }
        return Array(distinct.prefix(max(size, specialTokens.count)))
    }
}
