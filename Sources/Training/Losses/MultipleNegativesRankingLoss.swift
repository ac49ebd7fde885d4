import Glibc

/// InfoNCE with in-batch negatives: each anchor should be closer to its own positive than to the
/// documents of all other rows.
///
/// With q = column 1 and docs = the other columns stacked column after column,
///
///     loss = mean_i( logZ_i − scale · sim(q_i, d_i) )
///     logZ_i = logsumexp over the candidates of row i of scale · sim (+ hardness penalty)
///
/// - `scale` (20, > 0): inverse temperature; multiplies similarities.
/// - `similarity_fct` ("cos_sim"): "cos_sim" or "dot_score" (use scale 1 with the latter).
/// - `directions` ("query_to_doc"): which similarities are candidates. query_to_doc (always needed):
///   q_i against all docs; query_to_query: q_i against the other queries; doc_to_query: d_i against
///   all queries; doc_to_doc: d_i against the docs of other rows.
/// - `partition_mode` ("joint"): one softmax over all directions, or "per_direction": their mean,
///   for query_to_doc and doc_to_query only.
/// - `hardness_mode` (none), `hardness_strength` (0, ≥ 0): adds strength · stopgrad(sim) to the logits
///   of "in_batch_negatives", "hard_negatives" or "all_negatives" in query_to_doc.
///
/// Input columns: (anchor, positive) or (anchor, positive, negative…). Labels are ignored. Batches
/// should hold no duplicate texts: use batch_sampler "no_duplicates".
/// Papers: Henderson et al. 2017, arXiv:1705.00652; van den Oord et al. 2018, arXiv:1807.03748;
/// all four directions: Li et al. 2023, arXiv:2308.03281; hardness: Lan et al. 2025.
/// - `miniBatches` (none): with them it is Python's CachedMultipleNegativesRankingLoss, which sends
///   texts through the model piece by piece and computes activations again in the backward pass
///   (GradCache: Gao et al. 2021, arXiv:2101.06983). Memory then depends on the pieces and not on the
///   batch; value and gradients are the same.
///
/// Similarities are computed some rows at a time, so that a batch of thousands fits in memory.
/// Lua: `st.losses.MultipleNegativesRankingLoss(model, { scale = 20 })`.
/// Checked by `LossGoldenTests` (torch values and gradients) and `LossGradientTests` (differences).
public final class MultipleNegativesRankingLoss: Loss {
    public enum Similarity: String, Sendable, CaseIterable {
        case cosine = "cos_sim"
        case dot = "dot_score"
    }
    public enum Direction: String, Sendable, CaseIterable {
        case queryToDoc = "query_to_doc"
        case queryToQuery = "query_to_query"
        case docToQuery = "doc_to_query"
        case docToDoc = "doc_to_doc"
    }
    public enum PartitionMode: String, Sendable, CaseIterable {
        case joint
        case perDirection = "per_direction"
    }
    public enum HardnessMode: String, Sendable, CaseIterable {
        case inBatchNegatives = "in_batch_negatives"
        case hardNegatives = "hard_negatives"
        case allNegatives = "all_negatives"
    }

    public let name: String
    public let scale: Float
    public let similarity: Similarity
    public let directions: [Direction]
    public let partitionMode: PartitionMode
    public let hardnessMode: HardnessMode?
    public let hardnessStrength: Float
    public let miniBatches: MiniBatches?

    public var textColumns: LossColumns { LossColumns(2, nil, "(anchor, positive, negative...)") }
    public var labels: LossLabelUse { .ignored }

    public init(
        scale: Double = 20, similarityFct: Similarity = .cosine, gatherAcrossDevices: Bool = false,
        directions: [Direction] = [.queryToDoc], partitionMode: PartitionMode = .joint,
        hardnessMode: HardnessMode? = nil, hardnessStrength: Double = 0,
        miniBatches: MiniBatches? = nil, name: String = "MultipleNegativesRankingLoss"
    ) throws {
        func refuse(_ argument: String, _ problem: String, _ hint: String? = nil) -> TrainingError {
            .argument(owner: name, name: argument, problem: problem, hint: hint)
        }
        guard scale > 0, scale.isFinite else {
            throw refuse("scale", "must be a positive number, got \(scale)")
        }
        if gatherAcrossDevices {
            throw refuse(
                "gather_across_devices", "there is one device on a CPU, nothing can be gathered",
                "leave it out")
        }
        guard !directions.isEmpty, directions.contains(.queryToDoc) else {
            throw refuse(
                "directions", "'query_to_doc' is missing, the direction with the positive pair",
                "add it")
        }
        let ill = directions.filter { $0 == .queryToQuery || $0 == .docToDoc }
        if partitionMode == .perDirection, let first = ill.first {
            throw refuse(
                "partition_mode",
                "'per_direction' needs the positive pair in every direction, and "
                    + "'\(first.rawValue)' never contains it", "use 'joint'")
        }
        guard hardnessStrength >= 0, hardnessStrength.isFinite else {
            throw refuse("hardness_strength", "must not be negative, got \(hardnessStrength)")
        }
        self.name = name
        self.scale = Float(scale)
        self.similarity = similarityFct
        // The sum over directions does not depend on their order; naming one twice means once.
        self.directions = Direction.allCases.filter(directions.contains)
        self.partitionMode = partitionMode
        self.hardnessMode = hardnessMode
        self.hardnessStrength = Float(hardnessStrength)
        self.miniBatches = miniBatches
    }

    /// Python's deprecated MultipleNegativesSymmetricRankingLoss: both directions of the pair, each
    /// with its own softmax. With mini-batches its cached form.
    public static func symmetric(
        scale: Double = 20, similarityFct: Similarity = .cosine, miniBatches: MiniBatches? = nil,
        gatherAcrossDevices: Bool = false
    ) throws -> MultipleNegativesRankingLoss {
        try MultipleNegativesRankingLoss(
            scale: scale, similarityFct: similarityFct, gatherAcrossDevices: gatherAcrossDevices,
            directions: [.queryToDoc, .docToQuery], partitionMode: .perDirection,
            miniBatches: miniBatches,
            name: (miniBatches == nil ? "" : "Cached") + "MultipleNegativesSymmetricRankingLoss")
    }

    /// Python's CachedMultipleNegativesRankingLoss; arguments as in `init`.
    ///
    /// - miniBatchSize (32): texts whose activations are in memory together.
    /// - miniBatchTokens (none): tokens of them, instead.
    /// Lua: `st.losses.CachedMultipleNegativesRankingLoss(model, { mini_batch_size = 64 })`.
    public static func cached(
        scale: Double = 20, similarityFct: Similarity = .cosine, miniBatchSize: Int = 32,
        miniBatchTokens: Int? = nil, gatherAcrossDevices: Bool = false,
        directions: [Direction] = [.queryToDoc], partitionMode: PartitionMode = .joint,
        hardnessMode: HardnessMode? = nil, hardnessStrength: Double = 0
    ) throws -> MultipleNegativesRankingLoss {
        let name = "CachedMultipleNegativesRankingLoss"
        return try MultipleNegativesRankingLoss(
            scale: scale, similarityFct: similarityFct, gatherAcrossDevices: gatherAcrossDevices,
            directions: directions, partitionMode: partitionMode, hardnessMode: hardnessMode,
            hardnessStrength: hardnessStrength,
            miniBatches: try MiniBatches(owner: name, size: miniBatchSize, tokens: miniBatchTokens),
            name: name)
    }

    public var configuration: [(name: String, value: String)] {
        let pieces: [(String, String)] =
            miniBatches.map {
                [
                    ("mini_batch_size", "\($0.size)"),
                    ("mini_batch_num_tokens", $0.tokens.map { "\($0)" } ?? "nil"),
                ]
            } ?? []
        return [("scale", "\(scale)"), ("similarity_fct", similarity.rawValue)] + pieces + [
            ("gather_across_devices", "false"),
            ("directions", directions.map(\.rawValue).joined(separator: ", ")),
            ("partition_mode", partitionMode.rawValue),
            ("hardness_mode", hardnessMode?.rawValue ?? "nil"),
            ("hardness_strength", "\(hardnessStrength)"),
        ]
    }

    public func evaluate(_ batch: LossBatch) throws -> LossResult {
        let rows = batch.rows
        let dimension = batch.embeddings.columns
        let all = batch.columns * rows
        guard rows > 0, batch.columns >= 2 else {
            throw TrainingError.data(problem: "\(name): a batch without pairs")
        }

        // One matrix holds queries and documents, as the batch does: unit rows, or the rows as is.
        let units =
            similarity == .cosine
            ? NormalizedRows(batch.embeddings.storage, rows: all, columns: dimension) : nil
        let x = units?.unit ?? batch.embeddings
        let gradient = batch.wantsGradient ? Matrix(rows: all, columns: dimension) : nil
        let dX =
            units == nil ? gradient : gradient.map { Matrix(rows: $0.rows, columns: dimension) }
        var total = 0.0
        let step = rowsAtOnce(rows, columns: batch.columns)
        for start in stride(from: 0, to: rows, by: step) {
            let part = Part(
                rows: start..<min(start + step, rows), batchRows: rows,
                documentColumns: batch.columns - 1, dimension: dimension)
            let blocks = logits(x, part)
            // Softmax in place: blocks turn from logits into d loss / d similarity.
            total += softmax(blocks, part, wantsGradient: batch.wantsGradient)
            if let dX { accumulate(blocks, x, part, into: dX) }
        }
        var result = LossResult(value: total / Double(rows))
        if let gradient, let dX { units?.backward(dX.storage, into: gradient.storage) }
        result.gradient = gradient
        return result
    }

    /// Rows whose similarities are in memory together: all of them up to 16 MB.
    private func rowsAtOnce(_ rows: Int, columns: Int) -> Int {
        let documents = directions.filter { $0 == .queryToDoc || $0 == .docToDoc }.count
        let width = rows * (documents * (columns - 1) + directions.count - documents)
        return max(1, min(rows, (1 << 22) / max(width, 1)))
    }

    /// Some rows of a batch against all others.
    private struct Part {
        let rows: Range<Int>
        let batchRows: Int
        let documentColumns: Int
        let dimension: Int
    }

    /// Candidates of the rows in one direction: [rows, columns] of logits, −∞ where masked.
    private struct Block {
        let direction: Direction
        let logits: Matrix
    }

    /// `x`: queries, then documents column after column.
    private func logits(_ x: Matrix, _ part: Part) -> [Block] {
        let all = part.batchRows
        return directions.map { direction in
            let fromQueries = direction == .queryToDoc || direction == .queryToQuery
            let toQueries = direction == .queryToQuery || direction == .docToQuery
            let width = toQueries ? all : all * part.documentColumns
            let block = Matrix(rows: part.rows.count, columns: width)
            multiplyTransposed(
                x.rowPointer(part.rows.lowerBound + (fromQueries ? 0 : all)),
                x.rowPointer(toQueries ? 0 : all), m: part.rows.count, n: width,
                k: part.dimension, into: block.storage)
            for (place, row) in part.rows.enumerated() {
                let line = block.rowPointer(place)
                if direction == .queryToDoc {
                    for column in 0..<width {
                        let raw = line[column]
                        line[column] = raw * scale + penalty(raw, row: row, column, all)
                    }
                } else {
                    for column in 0..<width { line[column] *= scale }
                }
                switch direction {
                case .queryToQuery:
                    line[row] = -.infinity
                case .docToDoc:
                    for column in stride(from: row, to: width, by: all) {
                        line[column] = -.infinity
                    }
                case .queryToDoc, .docToQuery:
                    break
                }
            }
            return Block(direction: direction, logits: block)
        }
    }

    /// strength · sim for the documents the hardness mode names, else 0.
    @inline(__always)
    private func penalty(_ raw: Float, row: Int, _ column: Int, _ rows: Int) -> Float {
        guard let hardnessMode, hardnessStrength > 0 else { return 0 }
        let own = column % rows == row
        let positive = column < rows
        let applies: Bool
        switch hardnessMode {
        case .inBatchNegatives: applies = !own
        case .hardNegatives: applies = own && !positive
        case .allNegatives: applies = !(own && positive)
        }
        return applies ? hardnessStrength * raw : 0
    }

    /// Σ_i (logZ_i − positive_i) over the part's rows; replaces logits by scale · P / (rows · partitions), minus
    /// scale / rows at the positive.
    private func softmax(_ blocks: [Block], _ part: Part, wantsGradient: Bool) -> Double {
        let joint = partitionMode == .joint
        let partitions = joint ? [blocks] : blocks.map { [$0] }
        let weight = 1 / Float(partitions.count)
        var total = 0.0
        for (row, own) in part.rows.enumerated() {
            total -= Double(blocks[0].logits[row, own])
            for partition in partitions {
                var largest = -Float.infinity
                for block in partition {
                    let line = block.logits.rowPointer(row)
                    for column in 0..<block.logits.columns { largest = max(largest, line[column]) }
                }
                var sum = 0.0
                for block in partition {
                    let line = block.logits.rowPointer(row)
                    for column in 0..<block.logits.columns {
                        let exponential = expf(line[column] - largest)
                        line[column] = exponential
                        sum += Double(exponential)
                    }
                }
                total += Double(weight) * (Double(largest) + log(sum))
                guard wantsGradient else { continue }
                let factor = scale * weight / (Float(part.batchRows) * Float(sum))
                for block in partition {
                    let line = block.logits.rowPointer(row)
                    for column in 0..<block.logits.columns { line[column] *= factor }
                }
            }
            if wantsGradient { blocks[0].logits[row, own] -= scale / Float(part.batchRows) }
        }
        return total
    }

    /// dX += for every block: d left rows = block · right, d right rows = blockᵀ · left.
    private func accumulate(_ blocks: [Block], _ x: Matrix, _ part: Part, into dX: Matrix) {
        let all = part.batchRows
        for block in blocks {
            let fromQueries = block.direction == .queryToDoc || block.direction == .queryToQuery
            let toQueries = block.direction == .queryToQuery || block.direction == .docToQuery
            let width = block.logits.columns
            let left = part.rows.lowerBound + (fromQueries ? 0 : all)
            let right = toQueries ? 0 : all
            multiply(
                block.logits.storage, x.rowPointer(right), m: part.rows.count, n: part.dimension,
                k: width, accumulate: true, into: dX.rowPointer(left))
            transposedMultiply(
                block.logits.storage, x.rowPointer(left), m: width, n: part.dimension,
                k: part.rows.count, accumulate: true, into: dX.rowPointer(right))
        }
    }
}
