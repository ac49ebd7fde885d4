// Texts to embeddings.

/// Keyword arguments of Python's `encode`.
public struct EncodeOptions: Sendable {
    /// A key of ``SentenceTransformer/prompts``.
    public var promptName: String?
    /// A text to put before every sentence; goes before `promptName` and the default prompt.
    public var prompt: String?
    /// Sentences of one pass at least; passes are filled up to some thousand tokens, which changes
    /// speed and memory but no number.
    public var batchSize = 32
    public var normalizeEmbeddings = false
    /// Dimensions to keep; nil takes the model's.
    public var truncateDim: Int?
    public var cancellation: Cancellation?
    /// Called now and then with the number of distinct sentences done and to do.
    public var progress: (@Sendable (_ done: Int, _ total: Int) -> Void)?

    public init() {}
}

extension SentenceTransformer {
    /// Embeds texts in evaluation mode.
    ///
    /// Repeated texts are embedded once; the order of the result is that of `texts`. First cut to
    /// `truncateDim`, then normalised, as in Python.
    ///
    /// - Returns: [texts, dimension].
    /// - Throws: `TrainingError.argument` for an unknown prompt name or a wrong number,
    ///   `TrainingError.cancelled` when the caller's flag was set.
    public func encode(_ texts: [String], options: EncodeOptions = EncodeOptions()) throws -> Matrix
    {
        let prompt = try promptText(options)
        guard options.batchSize > 0 else {
            throw TrainingError.argument(
                owner: "encode", name: "batch_size",
                problem: "expected a positive integer, found \(options.batchSize)")
        }
        if let dimension = options.truncateDim, dimension < 1 {
            throw TrainingError.argument(
                owner: "encode", name: "truncate_dim",
                problem: "expected a positive integer, found \(dimension)")
        }
        let (distinct, places) = Self.distinct(texts)
        let tokens = try tokenize(distinct, prompt: prompt)
        let promptLength = try promptLength(prompt)
        let dimension = min(options.truncateDim ?? embeddingDimension, outputDimension)
        let unique = Matrix(rows: distinct.count, columns: dimension)
        // Longest first: memory shows its peak at once.
        let order = (0..<tokens.count).sorted {
            let (left, right) = (tokens.length($0), tokens.length($1))
            return left == right ? $0 < $1 : left > right
        }
        var done = 0
        while done < order.count {
            try options.cancellation?.check()
            var batch = PackedBatch()
            let start = done
            while done < order.count,
                batch.sentenceCount < options.batchSize || batch.tokenCount < Self.tokensPerPass
            {
                batch.append(tokens[order[done]], promptLength: promptLength)
                done += 1
            }
            let embeddings = try embed(batch)
            for row in 0..<batch.sentenceCount {
                unique.rowPointer(order[start + row]).update(
                    from: embeddings.rowPointer(row), count: dimension)
            }
            options.progress?(done, order.count)
        }
        if options.normalizeEmbeddings {
            normalizeForward(
                rows: unique.rows, columns: dimension, input: unique.storage,
                output: unique.storage, norms: nil)
        }
        if distinct.count == texts.count { return unique }
        let result = Matrix(rows: texts.count, columns: dimension)
        for (row, place) in places.enumerated() {
            result.rowPointer(row).update(from: unique.rowPointer(place), count: dimension)
        }
        return result
    }

    /// Embeds one text: `embeddingDimension` numbers, or what the options say.
    public func encode(_ text: String, options: EncodeOptions = EncodeOptions()) throws -> [Float] {
        try encode([text], options: options).values
    }

    /// Token ids with special tokens, at most ``maxSeqLength`` per text; `prompt` goes before each.
    public func tokenize(_ texts: [String], prompt: String = "") throws -> TokenizedTexts {
        guard let tokenizer else { throw missingTokenizer }
        return try tokenizer.tokenize(
            prompt.isEmpty ? texts : texts.map { prompt + $0 }, maxLength: maxSeqLength)
    }

    /// Tokens that a prompt puts before a sentence, [CLS] counted; 0 for an empty prompt.
    package func promptLength(_ prompt: String) throws -> Int {
        if prompt.isEmpty { return 0 }
        guard let tokenizer else { throw missingTokenizer }
        return try tokenizer.promptLength(prompt, maxLength: maxSeqLength)
    }

    /// [n, m] similarities by ``similarityFnName``.
    public func similarity(_ a: Matrix, _ b: Matrix) throws -> Matrix {
        try similarityFnName.matrix(a, b)
    }

    /// Row by row, by ``similarityFnName``.
    public func similarityPairwise(_ a: Matrix, _ b: Matrix) throws -> [Float] {
        try similarityFnName.pairwise(a, b)
    }

    /// Tokens that a pass in evaluation mode is filled up to.
    static var tokensPerPass: Int { 4096 }

    private var missingTokenizer: TrainingError {
        .file(
            path: checkpoint.transformerFolder,
            problem: "holds neither tokenizer.json nor vocab.txt, so texts can't be embedded")
    }

    private func promptText(_ options: EncodeOptions) throws -> String {
        if let prompt = options.prompt { return prompt }
        if let name = options.promptName {
            guard let prompt = prompts[name] else {
                throw TrainingError.argument(
                    owner: "encode", name: "prompt_name",
                    problem: "'\(name)' is not among the model's prompts \(prompts.keys.sorted())")
            }
            return prompt
        }
        return defaultPromptName.flatMap { prompts[$0] } ?? ""
    }

    private static func distinct(_ texts: [String]) -> (texts: [String], places: [Int]) {
        // Compared by bytes: Swift's == holds for texts that tokenize differently.
        var known: [[UInt8]: Int] = [:]
        var distinct: [String] = []
        var places: [Int] = []
        places.reserveCapacity(texts.count)
        for text in texts {
            let key = Array(text.utf8)
            if let place = known[key] {
                places.append(place)
            } else {
                known[key] = distinct.count
                places.append(distinct.count)
                distinct.append(text)
            }
        }
        return (distinct, places)
    }
}
