/// The tokens of one batch, sentences end to end, without padding.
///
/// Sentence `s` owns rows `offsets[s] ..< offsets[s + 1]` of every token-level activation, and row
/// `s` of every sentence-level one. A loss with several columns puts all its columns into one
/// batch, column after column: with B rows, sentence `c * B + i` is row `i` of column `c`.
public struct PackedBatch: Sendable {
    public private(set) var tokenIDs: [Int32] = []
    /// Sentences plus one; `offsets[0] == 0`.
    public private(set) var offsets: [Int] = [0]
    /// Tokens at the start of each sentence that belong to a prompt and are left out of pooling
    /// when a model's pooling has `include_prompt = false`; 0 where there is none.
    public private(set) var promptLengths: [Int] = []
    /// Where Python would run separate forward passes, as ranges of sentences in the order of the
    /// passes. It matters only for `DropoutMode.torch`: random numbers are drawn pass by pass,
    /// over the padded shape of each. Empty means one pass over all sentences.
    public var passes: [Range<Int>] = []

    public init() {}

    public var sentenceCount: Int { offsets.count - 1 }
    public var tokenCount: Int { tokenIDs.count }
    public func length(_ sentence: Int) -> Int { offsets[sentence + 1] - offsets[sentence] }

    public mutating func append(_ tokens: some Sequence<Int32>, promptLength: Int = 0) {
        tokenIDs.append(contentsOf: tokens)
        offsets.append(tokenIDs.count)
        promptLengths.append(promptLength)
    }
}
