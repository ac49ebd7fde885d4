/// The tokenizer of BERT-type models: text to token ids, letter for letter what Hugging Face's
/// tokenizers make of it.
///
/// START HERE for tokenizing: `init(folder:)` loads what a model folder holds, ``encode(_:maxLength:)``
/// turns one text into ids, `tokenize(_:maxLength:prompt:)` many. In order: added tokens are cut
/// out of the raw text, the rest is normalised (`BertNormalizer`), split into words
/// (`BertPreTokenizer`), the words into pieces (`WordPieceVocabulary`), and the whole is
/// truncated and put between the model's special tokens.
public final class WordPieceTokenizer: Sendable {
    /// Applied one after the other.
    let normalizers: [BertNormalizer]
    let preTokenizer = BertPreTokenizer()
    let vocabulary: WordPieceVocabulary
    let addedTokens: [AddedToken]
    /// Ids before and after every text.
    let prefixIDs: [Int32]
    let suffixIDs: [Int32]
    /// Drop the start of a text that is too long instead of its end.
    let truncatesLeft: Bool
    let files: TokenizerFiles
    /// The same for tokenizers of the same files, unless these have changed in between: what keeps
    /// tokens keeps them under this.
    package let identity: String
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher

    /// `model_max_length`, special tokens included; `nil` where the files set no limit.
    public let modelMaxLength: Int?
    /// Ids of the special tokens by name (`cls_token`, `pad_token`, …), where they are known.
    public let specialTokenIDs: [String: Int32]

    /// One more than the largest id.
    public var vocabularySize: Int {
        let largest = max(vocabulary.ids.max() ?? -1, addedTokens.map(\.id).max() ?? -1)
        return Int(largest) + 1
    }

    public var padID: Int32? { specialTokenIDs["pad_token"] }
    public var unknownID: Int32 { vocabulary.unknownID }
    public var clsID: Int32? { specialTokenIDs["cls_token"] }
    public var sepID: Int32? { specialTokenIDs["sep_token"] }
    public var maskID: Int32? { specialTokenIDs["mask_token"] }

    /// The id of a token or added token.
    public func id(of token: String) -> Int32? {
        addedTokens.first { $0.content.utf8.elementsEqual(token.utf8) }?.id
            ?? vocabulary.id(of: token)
    }

    init(
        normalizers: [BertNormalizer], vocabulary: WordPieceVocabulary, addedTokens: [AddedToken],
        prefixIDs: [Int32], suffixIDs: [Int32], truncatesLeft: Bool, matchesSpecialTokens: Bool,
        modelMaxLength: Int?, specialTokenIDs: [String: Int32], files: TokenizerFiles,
        identity: String
    ) {
        self.normalizers = normalizers
        self.vocabulary = vocabulary
        self.addedTokens = addedTokens
        self.prefixIDs = prefixIDs
        self.suffixIDs = suffixIDs
        self.truncatesLeft = truncatesLeft
        self.modelMaxLength = modelMaxLength
        self.specialTokenIDs = specialTokenIDs
        self.files = files
        self.identity = identity
        let searched = addedTokens.filter { matchesSpecialTokens || !$0.isSpecial }
        rawMatcher = AddedTokenMatcher(searched.filter { !$0.isNormalized }) {
            Array($0.content.utf8)
        }
        normalizedMatcher = AddedTokenMatcher(searched.filter(\.isNormalized)) { token in
            var content = Array(token.content.utf8)
            var other: [UInt8] = []
            for normalizer in normalizers {
                content.withUnsafeBufferPointer { normalizer.normalize($0, into: &other) }
                swap(&content, &other)
            }
            return content
        }
    }
}

// MARK: - Encoding

extension WordPieceTokenizer {
    /// The ids of one text with the model's special tokens.
    /// - maxLength: at most that many ids, special tokens included. Where it has no room for
    ///   those, nothing but them comes back.
    public func encode(_ text: String, maxLength: Int) -> [Int32] {
        var ids: [Int32] = []
        var scratch = Scratch()
        var text = text
        text.withUTF8 { append($0, maxLength: maxLength, to: &ids, &scratch) }
        return ids
    }

    /// The ids of many texts, in order; with many of them the work is spread over the cores.
    /// - prompt: put before every text, as it is.
    public func tokenize(_ texts: [String], maxLength: Int, prompt: String) -> TokenizedTexts {
        tokenize(count: texts.count, maxLength: maxLength, prompt: prompt) { index, body in
            var text = texts[index]
            text.withUTF8(body)
        }
    }

    public func tokenize(_ texts: [String], maxLength: Int) -> TokenizedTexts {
        tokenize(texts, maxLength: maxLength, prompt: "")
    }

    /// The ids of a column of texts; null counts as an empty text.
    public func tokenize(
        _ column: Column, maxLength: Int, prompt: String = ""
    ) throws -> TokenizedTexts {
        guard column.type == .string || column.type == .null else {
            throw TrainingError.data(
                problem: "expected a column of texts, found \(column.type)",
                hint: "only the label column may hold something else")
        }
        return tokenize(count: column.count, maxLength: maxLength, prompt: prompt) { index, body in
            if column.withUTF8(at: index, body) == nil {
                body(UnsafeBufferPointer(start: nil, count: 0))
            }
        }
    }

    /// How many of a text's first ids come from a prompt before it: the prompt's own ids with what
    /// stands before them, but without the special tokens after it.
    public func promptLength(_ prompt: String, maxLength: Int) -> Int {
        prompt.isEmpty ? 0 : max(encode(prompt, maxLength: maxLength).count - suffixIDs.count, 0)
    }

    private func tokenize(
        count: Int, maxLength: Int, prompt: String,
        text: @Sendable (Int, (UnsafeBufferPointer<UInt8>) -> Void) -> Void
    ) -> TokenizedTexts {
        // Fixed blocks, joined in order: the result does not depend on who works on which.
        let blockSize = 256
        let blocks = (count + blockSize - 1) / blockSize
        let prompt = Array(prompt.utf8)
        let results = BlockResults(count: blocks)
        @Sendable func work(_ block: Int) {
            var result = TokenizedTexts()
            var scratch = Scratch()
            for index in (block * blockSize)..<min((block + 1) * blockSize, count) {
                text(index) { bytes in
                    if prompt.isEmpty {
                        append(bytes, maxLength: maxLength, to: &result.ids, &scratch)
                    } else {
                        let joined = prompt + bytes
                        joined.withUnsafeBufferPointer {
                            append($0, maxLength: maxLength, to: &result.ids, &scratch)
                        }
                    }
                }
                result.offsets.append(result.ids.count)
            }
            results.set(block, result)
        }
        // Below some thousand texts, threads cost more than they bring.
        let pool = WorkerPool(threads: blocks < 16 ? 1 : WorkerPool.processorCount)
        pool.run(blocks) { block, _ in work(block) }
        return results.joined()
    }

    /// Buffers that are used again from text to text.
    private struct Scratch {
        var normalized: [UInt8] = []
        var other: [UInt8] = []
    }

    private func append(
        _ text: UnsafeBufferPointer<UInt8>, maxLength: Int, to ids: inout [Int32],
        _ scratch: inout Scratch
    ) {
        let room = max(maxLength - prefixIDs.count - suffixIDs.count, 0)
        ids.append(contentsOf: prefixIDs)
        let start = ids.count
        // Nothing after the last id that is kept has to be looked at.
        let limit = truncatesLeft ? Int.max : start + room
        if rawMatcher.mayMatch(text) {
            rawMatcher.split(text) { segment in
                switch segment {
                case .token(let id): ids.append(id)
                case .text(let range):
                    appendNormalized(
                        UnsafeBufferPointer(rebasing: text[range]), limit, &ids, &scratch)
                }
            }
        } else {
            appendNormalized(text, limit, &ids, &scratch)
        }
        if ids.count - start > room {
            if truncatesLeft {
                ids.removeSubrange(start..<(ids.count - room))
            } else {
                ids.removeSubrange((start + room)...)
            }
        }
        ids.append(contentsOf: suffixIDs)
    }

    private func appendNormalized(
        _ text: UnsafeBufferPointer<UInt8>, _ limit: Int, _ ids: inout [Int32],
        _ scratch: inout Scratch
    ) {
        if let first = normalizers.first {
            first.normalize(text, into: &scratch.normalized)
            for normalizer in normalizers.dropFirst() {
                scratch.normalized.withUnsafeBufferPointer {
                    normalizer.normalize($0, into: &scratch.other)
                }
                swap(&scratch.normalized, &scratch.other)
            }
        } else {
            scratch.normalized.removeAll(keepingCapacity: true)
            scratch.normalized.append(contentsOf: text)
        }
        scratch.normalized.withUnsafeBufferPointer { normalized in
            guard normalizedMatcher.mayMatch(normalized) else {
                appendWords(normalized, limit, &ids)
                return
            }
            normalizedMatcher.split(normalized) { segment in
                switch segment {
                case .token(let id): ids.append(id)
                case .text(let range):
                    appendWords(UnsafeBufferPointer(rebasing: normalized[range]), limit, &ids)
                }
            }
        }
    }

    private func appendWords(
        _ text: UnsafeBufferPointer<UInt8>, _ limit: Int, _ ids: inout [Int32]
    ) {
        preTokenizer.forEachWord(text) { word in
            vocabulary.append(text, word, to: &ids)
            return ids.count < limit
        }
    }
}

extension WordPieceTokenizer: TextTokenizer {}

/// One result per block, each written once by the thread that works on the block.
private final class BlockResults: @unchecked Sendable {
    private let slots: UnsafeMutableBufferPointer<TokenizedTexts>

    init(count: Int) {
        slots = .allocate(capacity: count)
        slots.initialize(repeating: TokenizedTexts())
    }

    deinit {
        slots.deinitialize()
        slots.deallocate()
    }

    func set(_ block: Int, _ result: TokenizedTexts) { slots[block] = result }

    func joined() -> TokenizedTexts {
        guard slots.count != 1 else { return slots[0] }
        var result = TokenizedTexts()
        result.ids.reserveCapacity(slots.reduce(0) { $0 + $1.ids.count })
        result.offsets.reserveCapacity(slots.reduce(1) { $0 + $1.count })
        for block in slots {
            let start = result.ids.count
            result.ids.append(contentsOf: block.ids)
            for offset in block.offsets.dropFirst() { result.offsets.append(start + offset) }
        }
        return result
    }
}
