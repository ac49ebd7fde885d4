/// Runs another loss on the first dimensions of the embeddings, for several dimensions at once, so
/// that truncated embeddings stay useful.
///
///     loss = Σ_k weight_k · inner(normalize(x[:, ..<dim_k]))
///
/// - `loss`: the inner loss.   - `matryoshka_dims`: dimensions, at most the model's.
/// - `matryoshka_weights` (all 1): one weight per dimension.
/// - `n_dims_per_step` (-1): all dimensions at every step; random subsets are refused.
///
/// Input columns and labels: those of the inner loss. Labels as wide as the model are taken for
/// embeddings (a teacher's) and cut as well; they are not normalized.
/// Source: Kusupati et al. 2022, arXiv:2205.13147. Checked by `LossGoldenTests`.
/// Lua: `st.losses.MatryoshkaLoss(model, inner, { 384, 256, 128 })`.
public final class MatryoshkaLoss: Loss {
    public let inner: any Loss
    /// Descending, with their weights.
    public let dimensions: [(dimension: Int, weight: Double)]

    public var name: String { "MatryoshkaLoss" }
    public var textColumns: LossColumns { inner.textColumns }
    public var labels: LossLabelUse { inner.labels }
    public var miniBatches: MiniBatches? { inner.miniBatches }
    public var configuration: [(name: String, value: String)] {
        [
            ("loss", inner.name),
            ("matryoshka_dims", dimensions.map { "\($0.dimension)" }.joined(separator: ", ")),
            ("matryoshka_weights", dimensions.map { "\($0.weight)" }.joined(separator: ", ")),
            ("n_dims_per_step", "-1"),
        ]
    }

    public init(
        _ inner: any Loss, matryoshkaDims: [Int], matryoshkaWeights: [Double]? = nil,
        nDimsPerStep: Int = -1
    ) throws {
        func refuse(_ argument: String, _ problem: String, _ hint: String? = nil) -> TrainingError {
            .argument(owner: "MatryoshkaLoss", name: argument, problem: problem, hint: hint)
        }
        guard !matryoshkaDims.isEmpty, matryoshkaDims.allSatisfy({ $0 > 0 }) else {
            throw refuse("matryoshka_dims", "needs one or more positive dimensions")
        }
        let weights = matryoshkaWeights ?? matryoshkaDims.map { _ in 1 }
        guard weights.count == matryoshkaDims.count, weights.allSatisfy(\.isFinite) else {
            throw refuse(
                "matryoshka_weights",
                "expected \(matryoshkaDims.count) numbers, one per dimension, got \(weights.count)")
        }
        guard nDimsPerStep < 0 || nDimsPerStep >= matryoshkaDims.count else {
            throw refuse(
                "n_dims_per_step", "a random subset of dimensions is not available",
                "leave it at -1 to use all of them")
        }
        self.inner = inner
        dimensions = zip(matryoshkaDims, weights).sorted { $0.0 > $1.0 }
            .map { (dimension: $0.0, weight: $0.1) }
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let full = batch.embeddings.columns
        if let first = dimensions.first, first.dimension > full {
            throw TrainingError.argument(
                owner: "MatryoshkaLoss", name: "matryoshka_dims",
                problem: "\(first.dimension) is more than the model's \(full) dimensions",
                hint: "use dimensions up to \(full)")
        }
        let gradient =
            batch.wantsGradient ? Matrix(rows: batch.embeddings.rows, columns: full) : nil
        var total = 0.0
        for (dimension, weight) in dimensions {
            let rows = NormalizedRows(
                batch.embeddings.storage, rows: batch.embeddings.rows, columns: dimension,
                stride: full)
            var truncated = batch
            truncated.embeddings = rows.unit
            if let labels = batch.labels, labels.width == full {
                truncated.labels = LossLabels(
                    (0..<batch.rows).flatMap { labels.values[$0 * full..<$0 * full + dimension] },
                    width: dimension)
            }
            let result = try inner.evaluate(truncated)
            total += weight * result.value
            guard let gradient, let dUnit = result.gradient else { continue }
            for index in 0..<dUnit.rows * dUnit.columns { dUnit.storage[index] *= Float(weight) }
            rows.backward(dUnit.storage, into: gradient.storage, stride: full)
        }
        return LossResult(value: total, gradient: gradient)
    }
}
