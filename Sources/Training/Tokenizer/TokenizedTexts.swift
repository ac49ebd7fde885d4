/// The token ids of many texts, end to end: text `i` is `ids[offsets[i] ..< offsets[i + 1]]`.
///
/// Ids include the special tokens and are already truncated. No padding anywhere: the encoder
/// works on packed tokens.
public struct TokenizedTexts: Sendable, Equatable {
    public var ids: [Int32]
    /// Count of texts plus one; `offsets[0] == 0`.
    public var offsets: [Int]

    public init() {
        ids = []
        offsets = [0]
    }

    public var count: Int { offsets.count - 1 }

    public subscript(index: Int) -> ArraySlice<Int32> { ids[offsets[index]..<offsets[index + 1]] }

    public func length(_ index: Int) -> Int { offsets[index + 1] - offsets[index] }

    public mutating func append(_ tokens: some Sequence<Int32>) {
        ids.append(contentsOf: tokens)
        offsets.append(ids.count)
    }
}
