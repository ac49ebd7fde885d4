/// A loss that is a function of the columns' embeddings and the labels, written with the operations
/// of ``DifferentiableMatrix``; gradients come from its tape.
///
///     CustomLoss { columns, labels in
///         try columns[0].cosineSimilarity(columns[1]).mul(20).crossEntropy(Array(0..<rows))
///     }
///
/// - name ("Custom"): what messages, the model card and `print` call it.
///
/// Input columns: any number; one matrix [rows, dimension] each. Labels: optional, [rows, width].
/// Checked by `CustomLossTests` (equal to MultipleNegativesRankingLoss, torch's goldens).
/// Lua: `st.losses.Custom(model, function(embeddings, labels) ... end)`.
public final class CustomLoss: Loss {
    public typealias Body =
        @Sendable (
            _ columns: [DifferentiableMatrix], _ labels: DifferentiableMatrix?
        ) throws -> DifferentiableMatrix

    public let name: String
    public let configuration: [(name: String, value: String)]
    private let body: Body
    private let place: (@Sendable () -> String?)?

    public var textColumns: LossColumns { LossColumns(1, nil, "(any)") }
    public var labels: LossLabelUse { .optional }

    /// - place: where the script is, for messages about values that are not finite.
    public init(
        name: String = "Custom", configuration: [(name: String, value: String)] = [],
        place: (@Sendable () -> String?)? = nil, _ body: @escaping Body
    ) {
        self.name = name
        self.configuration = configuration
        self.place = place
        self.body = body
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let tape = Tape(isRecording: batch.wantsGradient, place: place)
        defer { tape.finish() }
        let columns = (0..<batch.columns).map { column in
            let part = Matrix(rows: batch.rows, columns: batch.embeddings.columns)
            part.storage.update(
                from: batch.column(column), count: batch.rows * batch.embeddings.columns)
            return tape.variable(part)
        }
        let result = try body(columns, labels(batch))
        guard result.rows == 1, result.columns == 1 else {
            throw TrainingError.data(
                problem: "\(name): expected the function to return one number, got a matrix of"
                    + " \(result.shapeText)", hint: "end with mean() or sum()")
        }
        let value = Double(result.value.storage[0])
        guard value.isFinite else { throw broken(value, batch, tape) }
        guard batch.wantsGradient else { return LossResult(value: value) }
        guard result.tape === tape, result.isTracked else {
            throw TrainingError.data(
                problem: result.tape != nil && result.tape !== tape
                    ? "\(name): the function returned a matrix of another step"
                    : "\(name): the value returned does not depend on the embeddings, so nothing"
                        + " can be learnt from it",
                hint: "compute it from the matrices that the function gets, without detach()")
        }
        try tape.backward(from: result)
        let gradient = Matrix(rows: batch.embeddings.rows, columns: batch.embeddings.columns)
        for (column, matrix) in columns.enumerated() {
            guard let part = matrix.gradient else { continue }
            gradient.rowPointer(column * batch.rows).update(
                from: part.storage, count: part.rows * part.columns)
        }
        if gradient.contains(where: { !$0.isFinite }) {
            let origin = tape.firstBrokenGradient(from: result).map { " of \($0)" } ?? ""
            throw TrainingError.data(
                problem: "\(name): the loss is \(value), but the gradient\(origin) is not finite",
                hint: "sqrt, log and division near 0 need a small number added")
        }
        return LossResult(value: value, gradient: gradient)
    }

    private func labels(_ batch: LossBatch) throws -> DifferentiableMatrix? {
        guard let labels = batch.labels else { return nil }
        guard
            let matrix = Matrix(rows: batch.rows, columns: labels.width, values: labels.values)
        else {
            throw TrainingError.data(
                problem: "\(name) expects labels for \(batch.rows) rows, and the batch has"
                    + " \(labels.values.count) values")
        }
        return DifferentiableMatrix(matrix)
    }

    private func broken(_ value: Double, _ batch: LossBatch, _ tape: Tape) -> TrainingError {
        if batch.embeddings.contains(where: { !$0.isFinite }) {
            return .data(
                problem: "\(name): the loss is \(value), because the embeddings are not finite",
                hint: "lower learning_rate")
        }
        let origin =
            tape.firstBrokenValue().map { "; the first value that is not finite comes from \($0)" }
            ?? ""
        return .data(
            problem: "\(name): the loss is \(value)\(origin)",
            hint: "log of 0, division by 0 and rows masked entirely give such values")
    }
}
