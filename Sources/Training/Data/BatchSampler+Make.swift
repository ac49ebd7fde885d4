/// The names that make a column the label column, in the order in which they are looked for.
package let labelColumnNames = ["label", "labels", "score", "scores"]

/// The batch sampler of a loader over one dataset, or over several.
///
/// - batchSize: the training or the evaluation batch size; both kinds of loader shuffle.
/// - isMulti: the datasets have names, and `multi_dataset_batch_sampler` decides between them; with one
///   of them, too, which gives another order than a dataset alone.
/// Throws when a sampler cannot work with the data.
package func makeBatchSampler(
    _ datasets: [Dataset], _ args: SentenceTransformerTrainingArguments, batchSize: Int,
    isMulti: Bool
) throws -> any BatchSampler {
    let shared = SamplerOptions(
        batchSize: batchSize, dropLast: args.dataloaderDropLast, seed: args.seed)
    let samplers = try datasets.map { dataset -> any BatchSampler in
        let label = labelColumnNames.first(where: dataset.columnNames.contains)
        switch args.batchSampler {
        case .batchSampler:
            if isMulti {
                return ShuffledBatchSampler(
                    rows: dataset.numRows, options: shared, isOnlySampler: false)
            }
            return ShuffledBatchSampler(
                rows: dataset.numRows,
                options: SamplerOptions(
                    batchSize: batchSize, dropLast: args.dataloaderDropLast,
                    seed: args.dataSeed ?? args.seed))
        case .noDuplicates, .noDuplicatesHashed:
            let columns = dataset.columnNames.filter { !labelColumnNames.contains($0) }
            return NoDuplicatesBatchSampler(
                keys: try ValueKeys(dataset, columns: columns), options: shared)
        case .groupByLabel:
            guard let label else {
                throw TrainingError.data(
                    problem:
                        "batch_sampler 'group_by_label' needs a label column, and the dataset has "
                        + "only \(dataset.columnNames.map { "'\($0)'" }.joined(separator: ", "))",
                    hint: "name it label, labels, score or scores")
            }
            return try GroupByLabelBatchSampler(
                labels: ValueKeys(dataset, columns: [label]), options: shared)
        }
    }
    if !isMulti, let sampler = samplers.first { return sampler }
    return MultiDatasetBatchSampler(
        args.multiDatasetBatchSampler, samplers: samplers, rows: datasets.map(\.numRows),
        options: shared)
}
