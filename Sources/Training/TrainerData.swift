// From datasets to batches of tokens: which columns are texts, which is the label, tokenized once per
// dataset and shared by all trials of a search. Called by SentenceTransformerTrainer.

import OrderedJSON
import Synchronization

/// One dataset, or several by name with a fixed order.
public enum TrainerDataset: Sendable {
    case one(Dataset)
    case named([(name: String, dataset: Dataset)])

    var entries: [(name: String?, dataset: Dataset)] {
        switch self {
        case .one(let dataset): [(nil, dataset)]
        case .named(let datasets): datasets.map { ($0.name, $0.dataset) }
        }
    }

    var rows: Int { entries.reduce(0) { $0 + $1.dataset.numRows } }
}

/// One loss for all datasets, or one for each by name.
public enum TrainerLoss: Sendable {
    case one(any Loss)
    case named([(name: String, loss: any Loss)])
}

/// Tokens of datasets' columns, kept from trainer to trainer: hand the same store to all trials of a
/// search and every text is tokenized once.
public final class TokenStore: Sendable {
    private struct Key: Hashable {
        let dataset: ObjectIdentifier
        let column: String
        let path: String
        let maxSeqLength: Int
        let prompt: String
        let includesPrompt: Bool
    }
    /// The dataset is kept so that its identity is not given to another one.
    private struct Entry: Sendable {
        let dataset: Dataset
        /// A folder whose files have changed has another one.
        let tokenizer: String
        let tokens: TokenizedTexts
        let promptLength: Int
    }
    private let entries = Mutex<[Key: Entry]>([:])

    public init() {}

    func tokens(
        _ dataset: Dataset, column: String, model: SentenceTransformer, prompt: String
    ) throws -> (tokens: TokenizedTexts, promptLength: Int) {
        let key = Key(
            dataset: ObjectIdentifier(dataset), column: column, path: model.path,
            maxSeqLength: model.maxSeqLength, prompt: prompt,
            includesPrompt: model.pooling.includePrompt)
        let tokenizer = model.tokenizer?.identity ?? ""
        // Held while tokenizing: a second trial waits for the tokens instead of making them again.
        return try entries.withLock { entries in
            if let known = entries[key], known.tokenizer == tokenizer {
                return (known.tokens, known.promptLength)
            }
            let made = try model.tokens(texts(dataset, column), prompt: prompt)
            entries[key] = Entry(
                dataset: dataset, tokenizer: tokenizer, tokens: made.tokens,
                promptLength: made.promptLength)
            return made
        }
    }

    private func texts(_ dataset: Dataset, _ name: String) throws -> [String] {
        let column = try dataset.requireColumn(name)
        return try (0..<column.count).map { row in
            guard let text = column.string(at: row) else {
                let found =
                    column.isNull(at: row) ? "nothing" : "\(column.value(at: row).kind)"
                throw TrainingError.data(
                    problem:
                        "column '\(name)' holds \(found) in row \(row + 1), and a loss needs text",
                    hint: "drop the column with remove_columns, or the row with filter")
            }
            return text
        }
    }
}

/// One dataset as the training loop sees it.
struct TrainerTable {
    let name: String?
    let rows: Int
    let loss: any Loss
    let columns: [TokenizedTexts]
    let promptLengths: [Int]
    let labels: LossLabels?

    init(
        name: String?, dataset: Dataset, loss: any Loss, model: SentenceTransformer,
        args: SentenceTransformerTrainingArguments, store: TokenStore
    ) throws {
        let reserved = ["return_loss", "dataset_name"]
        if let bad = dataset.columnNames.first(where: reserved.contains) {
            throw TrainingError.data(
                problem: "a column may not be called '\(bad)'", hint: "rename it")
        }
        let label = labelColumnNames.first(where: dataset.columnNames.contains)
        let texts = dataset.columnNames.filter { $0 != label }
        try loss.check(columns: texts, label: label)
        guard dataset.numRows > 0 else {
            let which = name.map { "dataset '\($0)'" } ?? "the dataset"
            throw TrainingError.data(problem: "\(which) has no rows")
        }
        self.name = name
        self.loss = loss
        rows = dataset.numRows
        var columns: [TokenizedTexts] = []
        var lengths: [Int] = []
        for column in texts {
            let prompt = args.prompt(column: column, dataset: name) ?? ""
            let (tokens, length) = try store.tokens(
                dataset, column: column, model: model, prompt: prompt)
            columns.append(tokens)
            lengths.append(length)
        }
        self.columns = columns
        promptLengths = lengths
        labels = try label.map { try Self.labels(dataset, $0, loss: loss) } ?? nil
    }

    /// The label column as floats; `nil` when the loss ignores labels.
    private static func labels(
        _ dataset: Dataset, _ name: String, loss: any Loss
    ) throws -> LossLabels? {
        if case .ignored = loss.labels { return nil }
        let column = try dataset.requireColumn(name)
        var values: [Float] = []
        var width: Int?
        for row in 0..<column.count {
            let value = column.value(at: row)
            let numbers =
                column.double(at: row).map { [$0] } ?? value.arrayValue?.map(\.doubleValue)
            guard let numbers, numbers.allSatisfy({ $0?.isFinite == true }), !numbers.isEmpty else {
                let isNested = value.arrayValue?.contains { $0.arrayValue != nil } == true
                let found = value.isNull ? "nothing" : isNested ? "lists of lists" : "\(value.kind)"
                throw TrainingError.data(
                    problem:
                        "label column '\(name)' holds \(found) in row \(row + 1), and \(loss.name) "
                        + (isNested ? "takes a number or one list of them" : "needs finite numbers")
                )
            }
            guard numbers.count == width ?? numbers.count else {
                throw TrainingError.data(
                    problem:
                        "label column '\(name)' has \(numbers.count) values in row \(row + 1) and "
                        + "\(width ?? 0) in the rows before")
            }
            width = numbers.count
            values += numbers.map { Float($0 ?? 0) }
        }
        return LossLabels(values, width: width ?? 1)
    }

    /// The texts of some rows, column after column.
    ///
    /// Python runs the first column through the model by itself and the others together, unless their
    /// prompts differ in length, and cached losses mini-batch by mini-batch; that decides in which
    /// order dropout draws its random numbers.
    func batch(_ rows: [Int]) -> PackedBatch {
        var batch = PackedBatch()
        for (column, length) in zip(columns, promptLengths) {
            for row in rows { batch.append(column[row], promptLength: length) }
        }
        let count = rows.count
        let others = promptLengths.dropFirst()
        if let pieces = loss.miniBatches {
            batch.passes = columns.indices.flatMap { column in
                let first = column * count
                return pieces.ranges((first..<first + count).map(batch.length)).map {
                    first + $0.lowerBound..<first + $0.upperBound
                }
            }
        } else if others.allSatisfy({ $0 == others.first }) {
            batch.passes = [0..<count] + (others.isEmpty ? [] : [count..<batch.sentenceCount])
        } else {
            batch.passes = columns.indices.map { $0 * count..<($0 + 1) * count }
        }
        return batch
    }

    /// Tokens of a batch whose activations are kept for the backward pass: fewer when the loss works
    /// in mini-batches or the arguments ask for it, enough to keep some threads busy.
    func keptTokens(_ batch: PackedBatch, _ args: SentenceTransformerTrainingArguments) -> Int {
        let few = 1024
        if args.activationCheckpointing { return few }
        guard loss.miniBatches != nil else { return SentenceTransformer.keptTokens }
        let longest = batch.passes.map {
            batch.offsets[$0.upperBound] - batch.offsets[$0.lowerBound]
        }.max()
        return max(few, min(longest ?? few, SentenceTransformer.keptTokens))
    }

    func labels(_ rows: [Int]) -> LossLabels? {
        labels.map { labels in
            LossLabels(
                rows.flatMap { labels.values[$0 * labels.width..<($0 + 1) * labels.width] },
                width: labels.width)
        }
    }
}

/// The tables of a loader and the sampler over all of them.
struct TrainerLoader {
    let tables: [TrainerTable]
    /// First row of each table in the sampler's numbering, and the end of the last one.
    let starts: [Int]
    let sampler: any BatchSampler

    var rows: Int { starts.last ?? 0 }

    /// The table that a batch comes from, and its rows there.
    func locate(_ batch: [Int]) -> (table: TrainerTable, rows: [Int])? {
        guard let first = batch.first,
            let index = tables.indices.last(where: { starts[$0] <= first })
        else { return nil }
        return (tables[index], batch.map { $0 - starts[index] })
    }
}
