// What a trainer tells about itself in the README.md of the model that it saves.

import OrderedJSON

extension SentenceTransformerTrainer {
    /// Puts what is known now into the model's card; a card with a text of its own stays.
    func describeModel() throws {
        var card = model.modelCard ?? ModelCard()
        guard card.verbatim == nil else { return }
        card.baseModel = card.baseModel ?? hubName(of: model.path)
        if cardData == nil {
            cardData = (try describe(trainDataset), try describe(evalDataset))
        }
        card.trainingData = cardData?.training ?? []
        card.evaluationData = cardData?.evaluation ?? []
        card.widget = widget(evalDataset ?? trainDataset)
        card.hyperparameters = hyperparameters()
        card.evaluations = evaluations()
        (card.logs, card.logColumns) = logs()
        card.evaluationSeconds = state.logHistory.reduce(0) {
            $0 + ($1["eval_runtime"]?.doubleValue ?? 0)
        }
        let run = state.logHistory.last { $0["train_runtime"] != nil }
        card.trainingSeconds = run?["train_runtime"]?.doubleValue.map {
            max($0 - (card.evaluationSeconds ?? 0), 0)
        }
        model.modelCard = card
    }

    // MARK: - Data

    private func describe(_ datasets: TrainerDataset?) throws -> [ModelCard.TrainingData] {
        guard let datasets else { return [] }
        return try datasets.entries.map { name, dataset in
            let loss = try loss(for: name)
            return ModelCard.TrainingData(
                name: name ?? "", size: dataset.numRows,
                columns: try dataset.features.map { try describe($0, dataset) },
                loss: loss.name,
                lossArguments: loss.configuration.map { .init($0.name, $0.value) })
        }
    }

    private func describe(
        _ field: FeatureType.Field, _ dataset: Dataset
    ) throws -> ModelCard.TrainingData.Column {
        let column = try dataset.requireColumn(field.name)
        let rows = 0..<min(dataset.numRows, 100)
        var described = ModelCard.TrainingData.Column(name: field.name, type: "")
        described.samples = rows.prefix(3).map { row in
            let text = column.string(at: row) ?? column.value(at: row).json()
            return text.count > 1000 ? text.prefix(1000) + "..." : text
        }
        switch field.type {
        case .string:
            described.type = "string"
            let texts = rows.compactMap { column.string(at: $0) }
            let tokens = try model.tokens(texts, prompt: "").tokens
            described.statistics = statistics(
                (0..<tokens.count).map { Double(tokens.length($0)) }, unit: " tokens")
        case .integer, .classLabel, .float:
            if case .float = field.type { described.type = "float" } else { described.type = "int" }
            described.statistics = statistics(
                rows.compactMap { column.double(at: $0) }.filter(\.isFinite), unit: "")
        case .bool: described.type = "bool"
        default: described.type = "list"
        }
        return described
    }

    /// Smallest, mean and largest, with two decimals where there are any.
    private func statistics(_ values: [Double], unit: String) -> [String] {
        guard let least = values.min(), let most = values.max() else { return [] }
        func text(_ value: Double) -> String {
            let rounded = (value * 100).rounded() / 100
            return Int(exactly: rounded).map { "\($0)" } ?? "\(rounded)"
        }
        let mean = values.reduce(0, +) / Double(values.count)
        return [("min", least), ("mean", mean), ("max", most)].map { "\($0): \(text($1))\(unit)" }
    }

    /// Up to five rows with at least two texts, spread over the data.
    private func widget(_ datasets: TrainerDataset?) -> [ModelCard.WidgetExample] {
        guard let dataset = datasets?.entries.first?.dataset, dataset.numRows > 0 else { return [] }
        let texts = dataset.features.filter { $0.type == .string }.map(\.name)
        guard texts.count >= 2 else { return [] }
        let count = min(5, dataset.numRows)
        return (0..<count).compactMap { index in
            let row = index * (dataset.numRows / count)
            let values = texts.compactMap {
                (try? dataset.value(row: row, column: $0))?.stringValue
            }
            guard values.count == texts.count, values.allSatisfy({ $0.count <= 500 }) else {
                return nil
            }
            return .init(source: values[0], sentences: Array(values[1...]))
        }
    }

    /// `org/name` of a model in the cache of the hub: .../models--org--name/snapshots/<revision>.
    private func hubName(of path: String) -> String? {
        let parts = path.split(separator: "/")
        guard let index = parts.lastIndex(where: { $0.hasPrefix("models--") }),
            index + 1 < parts.count, parts[index + 1] == "snapshots"
        else { return nil }
        let name = parts[index].dropFirst("models--".count)
        guard let cut = name.firstRange(of: "--") else { return nil }
        return "\(name[..<cut.lowerBound])/\(name[cut.upperBound...])"
    }

    // MARK: - Arguments and results

    /// Names of arguments that say nothing about the model: where to write, what to print.
    private static let untold: Set<String> = [
        "output_dir", "logging_dir", "logging_strategy", "logging_first_step", "logging_steps",
        "eval_strategy", "eval_steps", "eval_delay", "save_strategy", "save_steps",
        "save_total_limit", "metric_for_best_model", "greater_is_better", "report_to", "run_name",
        "do_train", "do_eval", "do_predict", "hub_token",
    ]

    private func hyperparameters() -> [ModelCard.Entry] {
        SentenceTransformerTrainingArguments.table.compactMap { argument in
            guard !Self.untold.contains(argument.name), let value = args.given[argument.name],
                value != argument.defaultValue
            else { return nil }
            return .init(argument.name, value.stringValue ?? value.json())
        }
    }

    /// The last metrics of each evaluator.
    private func evaluations() -> [ModelCard.Evaluation] {
        guard let evaluator else { return [] }
        let members = (evaluator as? SequentialEvaluator)?.evaluators ?? [evaluator]
        return members.compactMap { member in
            let prefix = member.name.isEmpty ? "eval_" : "eval_\(member.name)_"
            guard let entry = state.logHistory.last(where: { evaluatorKeys($0, prefix) != [] })
            else {
                return nil
            }
            let primary = member.primaryMetric.map { "eval_" + $0 }
            let keys = evaluatorKeys(entry, prefix)
            return ModelCard.Evaluation(
                name: member.name, evaluator: "\(type(of: member))",
                metrics: keys.compactMap { key in
                    entry[key]?.doubleValue.map { .init(String(key.dropFirst(prefix.count)), $0) }
                },
                primaryMetric: primary.flatMap {
                    $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil
                })
        }
    }

    /// The keys of a logged entry that an evaluator made.
    private func evaluatorKeys(_ entry: JSONObject, _ prefix: String) -> [String] {
        let measured = ["loss", "runtime", "samples_per_second", "steps_per_second"]
        return entry.keys.filter { key in
            key.hasPrefix(prefix) && !measured.contains { key.hasSuffix("_" + $0) }
                && key != "eval_sequential_score"
        }
    }

    /// A row for each step that logged a loss or was evaluated, with evaluation losses and each
    /// evaluator's main metric.
    private func logs() -> (rows: [ModelCard.LogRow], columns: [String]) {
        var rows: [ModelCard.LogRow] = []
        var columns: [String] = []
        let primary = evaluations().compactMap { evaluation in
            evaluation.primaryMetric.map {
                evaluation.name.isEmpty ? $0 : "\(evaluation.name)_\($0)"
            }
        }
        for entry in state.logHistory {
            guard let step = entry["step"]?.intValue, let epoch = entry["epoch"]?.doubleValue else {
                continue
            }
            var row = ModelCard.LogRow(epoch: epoch, step: step)
            row.trainingLoss = entry["loss"]?.doubleValue
            for (key, value) in entry {
                guard key.hasPrefix("eval_"), let value = value.doubleValue else { continue }
                let name = String(key.dropFirst("eval_".count))
                var column = primary.contains(name) ? name : nil
                if key == "eval_loss" {
                    column = "Validation Loss"
                } else if key.hasSuffix("_loss") {
                    column = name.dropLast("_loss".count) + " loss"
                }
                guard let column else { continue }
                if !columns.contains(column) { columns.append(column) }
                row.evaluations[column] = value
            }
            guard row.trainingLoss != nil || !row.evaluations.isEmpty else { continue }
            if let last = rows.last, last.step == step {
                rows[rows.count - 1].trainingLoss = last.trainingLoss ?? row.trainingLoss
                rows[rows.count - 1].evaluations.merge(row.evaluations) { $1 }
            } else {
                rows.append(row)
            }
        }
        return (rows, columns)
    }
}
