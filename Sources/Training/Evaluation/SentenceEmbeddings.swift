import Synchronization

/// The texts of an evaluator and their embeddings: tokens are kept from call to call, and texts with
/// the same tokens are embedded once.
///
/// Tokens are kept per model folder, longest length and prompt, as long as the folder's tokenizer stays
/// the same: the trials of a search differ in weights, not in tokens.
final class SentenceEmbeddings: Sendable {
    private let texts: [String]
    private let cache = Mutex<[Key: Known]>([:])

    private struct Key: Hashable {
        let path: String
        let maxSeqLength: Int
        let prompt: String
        let includesPrompt: Bool
    }

    private struct Known {
        let tokenizer: String
        let distinct: Distinct
    }

    /// The different token sequences, and which of them each text has.
    private struct Distinct: Sendable {
        var tokens = TokenizedTexts()
        var promptLength = 0
        var indices: [Int] = []
        /// Sequences from longest to shortest: batches of similar length keep all threads busy.
        var order: [Int] = []
    }

    init(_ texts: [String]) { self.texts = texts }

    /// [texts, dimension], what `model.encode` gives without normalisation.
    ///
    /// - prompt: goes before every text; `nil` takes the model's default prompt.
    func matrix(
        _ model: SentenceTransformer, prompt: String? = nil, truncateDim: Int? = nil,
        batchSize: Int, cancellation: Cancellation?
    ) throws -> Matrix {
        let prompt = prompt ?? model.defaultPromptName.flatMap { model.prompts[$0] } ?? ""
        let distinct = try self.distinct(model, prompt)
        let width = model.outputDimension
        let dimension = min(truncateDim ?? model.truncateDim ?? width, width)
        let unique = Matrix(rows: distinct.tokens.count, columns: dimension)
        var done = 0
        while done < distinct.order.count {
            try cancellation?.check()
            let start = done
            var batch = PackedBatch()
            // Short sentences share a pass: threads meet less often.
            while done < distinct.order.count,
                batch.sentenceCount < batchSize
                    || batch.tokenCount < SentenceTransformer.tokensPerPass
            {
                batch.append(
                    distinct.tokens[distinct.order[done]], promptLength: distinct.promptLength)
                done += 1
            }
            let rows = distinct.order[start..<done]
            let embeddings = try model.embed(batch)
            for (position, row) in rows.enumerated() {
                unique.rowPointer(row).update(
                    from: embeddings.rowPointer(position), count: dimension)
            }
        }
        let result = Matrix(rows: texts.count, columns: dimension)
        for (row, index) in distinct.indices.enumerated() {
            result.rowPointer(row).update(from: unique.rowPointer(index), count: dimension)
        }
        return result
    }

    private func distinct(_ model: SentenceTransformer, _ prompt: String) throws -> Distinct {
        guard let tokenizer = model.tokenizer else { return try made(model, prompt) }
        let key = Key(
            path: model.path, maxSeqLength: model.maxSeqLength, prompt: prompt,
            includesPrompt: model.pooling.includePrompt)
        let identity = tokenizer.identity
        if let known = cache.withLock({ $0[key] }), known.tokenizer == identity {
            return known.distinct
        }
        let distinct = try made(model, prompt)
        cache.withLock { $0[key] = Known(tokenizer: identity, distinct: distinct) }
        return distinct
    }

    private func made(_ model: SentenceTransformer, _ prompt: String) throws -> Distinct {
        let (all, promptLength) = try model.tokens(texts, prompt: prompt)
        var made = Distinct()
        made.promptLength = promptLength
        var known: [ArraySlice<Int32>: Int] = [:]
        for index in texts.indices {
            let tokens = all[index]
            let place = known[tokens, default: made.tokens.count]
            if place == made.tokens.count {
                known[tokens] = place
                made.tokens.append(tokens)
            }
            made.indices.append(place)
        }
        made.order = (0..<made.tokens.count).sorted {
            let left = made.tokens.length($0)
            let right = made.tokens.length($1)
            return left == right ? $0 < $1 : left > right
        }
        return made
    }
}

extension SentenceTransformer {
    /// Tokens of texts with a prompt before each, and how many of them pooling leaves out as the
    /// prompt's own.
    package func tokens(
        _ texts: [String], prompt: String
    ) throws -> (tokens: TokenizedTexts, promptLength: Int) {
        guard let tokenizer else {
            throw TrainingError.model(
                problem: "'\(path)' has no tokenizer",
                hint: "add tokenizer.json or vocab.txt to the folder")
        }
        let prompted = prompt.isEmpty ? texts : texts.map { prompt + $0 }
        let tokens = try tokenizer.tokenize(prompted, maxLength: maxSeqLength)
        let skipped =
            pooling.includePrompt || prompt.isEmpty
            ? 0 : try tokenizer.promptLength(prompt, maxLength: maxSeqLength)
        return (tokens, skipped)
    }
}
