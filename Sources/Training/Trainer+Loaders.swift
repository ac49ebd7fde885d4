// The loaders of a trainer: datasets with their losses and samplers, as the loop takes batches from them.

struct EvalLoaderKey: Hashable {
    let dataset: ObjectIdentifier
    let name: String?
}

extension SentenceTransformerTrainer {
    func makeTrainLoader() throws -> TrainerLoader {
        guard let trainDataset else {
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainer", name: "train_dataset", problem: "is missing",
                hint: "give the trainer a dataset to train on")
        }
        var isMulti = false
        if case .named = trainDataset { isMulti = true }
        return try makeLoader(trainDataset, isMulti: isMulti, batchSize: args.trainBatchSize)
    }

    /// The loader of the evaluation data of that name, made at its first use.
    func evalLoader(_ name: String?, _ dataset: Dataset) throws -> TrainerLoader {
        let key = EvalLoaderKey(dataset: ObjectIdentifier(dataset), name: name)
        if let known = evalLoaders[key] { return known }
        let entry: TrainerDataset = name.map { .named([($0, dataset)]) } ?? .one(dataset)
        let made = try makeLoader(entry, isMulti: false, batchSize: args.evalBatchSize)
        evalLoaders[key] = made
        return made
    }

    private func makeLoader(
        _ datasets: TrainerDataset, isMulti: Bool, batchSize: Int
    ) throws -> TrainerLoader {
        let entries = datasets.entries
        guard !entries.isEmpty else {
            throw TrainingError.data(problem: "the table of datasets is empty")
        }
        let tables = try entries.map {
            try TrainerTable(
                name: $0.name, dataset: $0.dataset, loss: loss(for: $0.name), model: model,
                args: args, store: tokenStore)
        }
        var starts = [0]
        for table in tables { starts.append((starts.last ?? 0) + table.rows) }
        return TrainerLoader(
            tables: tables, starts: starts,
            sampler: try makeBatchSampler(
                entries.map(\.dataset), args, batchSize: batchSize, isMulti: isMulti))
    }

    func loss(for name: String?) throws -> any Loss {
        switch loss {
        case .one(let loss): return loss
        case .named(let losses):
            if let found = losses.first(where: { $0.name == name }) { return found.loss }
            let known = losses.map { "'\($0.name)'" }.joined(separator: ", ")
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainer", name: "loss",
                problem: name.map { "there is no loss for dataset '\($0)'" }
                    ?? "there are losses for \(known), and the datasets have no names",
                hint: "use the same names for losses and datasets")
        }
    }

    /// Every dataset that is given by name has a loss, whenever it will be needed.
    func checkLosses() throws {
        guard case .named = loss else { return }
        for entry in [trainDataset, evalDataset].compactMap({ $0 }).flatMap(\.entries) {
            _ = try loss(for: entry.name)
        }
    }
}
