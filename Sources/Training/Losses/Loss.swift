// The contract of all losses: what a batch hands them, what they hand back, and how they say which
// columns they can work with. Called by SentenceTransformerTrainer for training and evaluation
// batches; a loss sees embeddings only, never the model, so one loss serves any number of models.

/// The label column of one batch as floats.
public struct LossLabels: Sendable, Equatable {
    /// `rows * width` values, row after row.
    public var values: [Float]
    /// Values per row: 1 for a plain column, more for a column of lists.
    public var width: Int

    public init(_ values: [Float], width: Int = 1) {
        self.values = values
        self.width = max(width, 1)
    }
}

/// What a loss computes from: the embeddings of all columns of one batch, and its labels.
public struct LossBatch {
    /// [columns · rows, dimension], column after column: row `i` of column `c` is `c * rows + i`.
    public var embeddings: Matrix
    /// Text columns of the dataset.
    public var columns: Int
    public var labels: LossLabels?
    /// False during evaluation.
    public var wantsGradient: Bool

    /// Rows of the dataset in this batch.
    public var rows: Int { columns > 0 ? embeddings.rows / columns : 0 }

    public init(
        embeddings: Matrix, columns: Int, labels: LossLabels? = nil, wantsGradient: Bool = true
    ) {
        self.embeddings = embeddings
        self.columns = columns
        self.labels = labels
        self.wantsGradient = wantsGradient
    }

    /// Start of a column's embeddings.
    package func column(_ index: Int) -> UnsafeMutablePointer<Float> {
        embeddings.rowPointer(index * rows)
    }
}

public struct LossResult {
    public var value: Double
    /// Named parts of `value`, logged beside it; empty for most losses. `value` is their sum.
    public var components: [(name: String, value: Double)] = []
    /// d value / d embeddings, same shape as the batch's embeddings; `nil` unless asked for.
    public var gradient: Matrix?
}

public protocol Loss: AnyObject, Sendable {
    /// The Python class name.
    var name: String { get }
    /// How many text columns the loss takes, and what they are called in error messages.
    var textColumns: LossColumns { get }
    var labels: LossLabelUse { get }
    /// The size of the pieces in which texts go through the model, for losses that trade time for
    /// memory; nil for all others.
    var miniBatches: MiniBatches? { get }
    /// Rows a batch needs for the loss to be defined; smaller ones are refused.
    func evaluate(_ batch: LossBatch) throws -> LossResult
    /// The constructor's arguments with their values, for the model card and `print`.
    var configuration: [(name: String, value: String)] { get }
}

/// The text columns a loss accepts.
public struct LossColumns: Sendable {
    public var minimum: Int
    /// `nil`: any number from `minimum` on.
    public var maximum: Int?
    /// "(anchor, positive, negative)"
    public var description: String

    public init(_ minimum: Int, _ maximum: Int?, _ description: String) {
        self.minimum = minimum
        self.maximum = maximum
        self.description = description
    }
}

public enum LossLabelUse: Sendable {
    /// Labels are not looked at; a label column in the dataset does no harm.
    case ignored
    /// One label per row; the text says what it means ("a similarity score").
    case required(String)
    case optional
}

/// Pieces of a column of texts.
public struct MiniBatches: Sendable, Equatable {
    /// Texts of a piece.
    public var size: Int
    /// Tokens of a piece, instead of `size`; one text at least.
    public var tokens: Int?

    /// - Throws: `TrainingError.argument` for numbers below 1.
    public init(owner: String, size: Int, tokens: Int? = nil) throws {
        for (name, value) in [("mini_batch_size", size), ("mini_batch_num_tokens", tokens ?? 1)]
        where value < 1 {
            throw TrainingError.argument(
                owner: owner, name: name, problem: "must be 1 or more, got \(value)")
        }
        self.size = size
        self.tokens = tokens
    }

    /// Cuts neighbouring texts of those lengths into pieces.
    package func ranges(_ lengths: [Int]) -> [Range<Int>] {
        guard let tokens else {
            return stride(from: 0, to: lengths.count, by: size).map {
                $0..<min($0 + size, lengths.count)
            }
        }
        var ranges: [Range<Int>] = []
        var first = 0
        var sum = 0
        for (index, length) in lengths.enumerated() {
            if index > first, length > tokens - sum {
                ranges.append(first..<index)
                first = index
                sum = 0
            }
            sum += length
        }
        if first < lengths.count { ranges.append(first..<lengths.count) }
        return ranges
    }
}

extension Loss {
    public var miniBatches: MiniBatches? { nil }

    /// Checks a dataset's columns before the first batch.
    ///
    /// - columns: the text columns in order.   - label: the label column, if there is one.
    /// Throws ``TrainingError/data(problem:hint:)`` naming the columns found.
    public func check(columns: [String], label: String?) throws {
        let range = textColumns
        let found = columns.map { "'\($0)'" }.joined(separator: ", ")
        let fits = columns.count >= range.minimum && columns.count <= range.maximum ?? .max
        guard fits else {
            let count: String
            if let maximum = range.maximum {
                count =
                    range.minimum == maximum
                    ? "\(maximum)" : "\(range.minimum) to \(maximum)"
            } else {
                count = "at least \(range.minimum)"
            }
            let listed = columns.isEmpty ? "none" : "\(columns.count): \(found)"
            throw TrainingError.data(
                problem:
                    "\(name) needs \(count) text column\(count == "1" ? "" : "s") "
                    + "\(range.description), and the dataset has \(listed)",
                hint: columns.count > range.minimum
                    ? "keep the needed ones with select_columns"
                    : "the label column (label, labels, score or scores) does not count as text")
        }
        if case .required(let meaning) = labels, label == nil {
            throw TrainingError.data(
                problem:
                    "\(name) needs a label column with \(meaning), and the dataset has only the "
                    + "text columns \(found)",
                hint: "name the column label, labels, score or scores")
        }
    }

    /// One label per row of the batch, or a clear error.
    func rowLabels(_ batch: LossBatch) throws -> [Float] {
        guard let labels = batch.labels else {
            throw TrainingError.data(
                problem: "\(name) needs labels",
                hint: "add a column named label, labels, score or scores")
        }
        guard labels.width == 1, labels.values.count == batch.rows else {
            throw TrainingError.data(
                problem:
                    "\(name) expects \(batch.rows) labels (one per row), and the batch has "
                    + "\(labels.values.count)",
                hint: "use a label column of plain numbers")
        }
        return labels.values
    }
}
