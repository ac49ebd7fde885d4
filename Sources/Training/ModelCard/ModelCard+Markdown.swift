// The text of a model card, part by part in the order of Python's.

import OrderedJSON

extension ModelCard {
    func markdown(for model: SentenceTransformer) -> String {
        if let verbatim { return verbatim }
        return [
            frontMatter(), introduction(model), description(model), usage(model),
            evaluationSection(), trainingSection(), citationSection(),
        ].filter { !$0.isEmpty }.joined(separator: "\n")
    }

    private func introduction(_ model: SentenceTransformer) -> String {
        let origin = baseModel.map { " finetuned from \(Self.link($0))" } ?? ""
        let names = trainingData.map(\.name).filter { !$0.isEmpty }
        let data = names.isEmpty ? "" : " on \(names.map { "`\($0)`" }.joined(separator: ", "))"
        let trained = origin.isEmpty && !data.isEmpty ? " trained" : ""
        return """
            # Sentence Transformer model

            This is a [sentence-transformers](https://www.sbert.net) model\(origin)\(trained)\(data). \
            It maps texts to vectors of \(model.embeddingDimension) dimensions, for semantic search, \
            clustering, classification and other comparisons of meaning.

            """
    }

    private func description(_ model: SentenceTransformer) -> String {
        var lines = ["## Model Details", "", "### Model Description"]
        lines.append("- **Model Type:** Sentence Transformer")
        if let baseModel { lines.append("- **Base model:** \(Self.link(baseModel))") }
        lines.append("- **Maximum Sequence Length:** \(model.maxSeqLength) tokens")
        lines.append("- **Output Dimensionality:** \(model.embeddingDimension) dimensions")
        lines.append("- **Similarity Function:** \(model.similarityFnName.title)")
        let names = trainingData.map(\.name).filter { !$0.isEmpty }
        if !names.isEmpty {
            lines.append("- **Training Dataset\(names.count == 1 ? "" : "s"):**")
            lines += names.map { "    - \($0)" }
        }
        if let language { lines.append("- **Language:** \(language)") }
        if let license { lines.append("- **License:** \(license)") }
        lines += ["", "### Full Model Architecture", "", "```", model.architectureText, "```", ""]
        return lines.joined(separator: "\n")
    }

    private func usage(_ model: SentenceTransformer) -> String {
        var sentences = ["The weather is lovely today.", "It is sunny outside."]
        if let first = widget.first { sentences = [first.source] + first.sentences.prefix(2) }
        let listed = sentences.map { "    \(JSONValue($0).json()),\n" }.joined()
        return """
            ## Usage

            In Python, after `pip install -U sentence-transformers`:

            ```python
            from sentence_transformers import SentenceTransformer

            model = SentenceTransformer("path/to/this/folder")
            sentences = [
            \(listed)]
            embeddings = model.encode(sentences)
            print(embeddings.shape)
            # (\(sentences.count), \(model.embeddingDimension))
            print(model.similarity(embeddings, embeddings))
            ```

            """
    }

    private func evaluationSection() -> String {
        guard !evaluations.isEmpty else { return "" }
        var text = "## Evaluation\n\n### Metrics\n"
        for evaluation in evaluations {
            text += "\n#### \(Self.task(of: evaluation.evaluator).name)\n\n"
            if !evaluation.name.isEmpty { text += "* Dataset: `\(evaluation.name)`\n" }
            text += "* Evaluated with `\(evaluation.evaluator)`\n\n"
            text += Self.table(
                ["Metric", "Value"],
                evaluation.metrics.map { metric in
                    let mark = metric.name == evaluation.primaryMetric ? "**" : ""
                    return [mark + metric.name + mark, mark + Self.rounded(metric.value) + mark]
                })
        }
        return text
    }

    private func trainingSection() -> String {
        let parts = [
            dataSection("Training", "training", trainingData),
            dataSection("Evaluation", "evaluation", evaluationData),
            hyperparameterSection(), logSection(), timeSection(),
        ].filter { !$0.isEmpty }
        return parts.isEmpty ? "" : (["## Training Details\n"] + parts).joined(separator: "\n")
    }

    private func dataSection(_ title: String, _ use: String, _ sets: [TrainingData]) -> String {
        guard !sets.isEmpty else { return "" }
        var text = "### \(title) Dataset\(sets.count == 1 ? "" : "s")\n"
        for data in sets {
            text += "\n#### \(data.name.isEmpty ? "Unnamed Dataset" : data.name)\n\n"
            text += "* Size: \(Self.grouped(data.size)) \(use) samples\n"
            let names = data.columns.map { "<code>\(Self.escaped($0.name))</code>" }
            text += "* Columns: \(names.joined(separator: ", "))\n"
            if data.columns.contains(where: { !$0.statistics.isEmpty }) {
                text += "* Statistics of the first \(min(data.size, 100)) samples:\n\n"
                let details = data.columns.map { column in
                    let items = column.statistics.map { "<li>\($0)</li>" }.joined()
                    return items.isEmpty ? "" : "<ul>\(items)</ul>"
                }
                text += Self.table(
                    [""] + data.columns.map { Self.escaped($0.name) },
                    [["type"] + data.columns.map(\.type), ["details"] + details])
                text += "\n"
            }
            let samples = data.columns.map(\.samples.count).max() ?? 0
            if samples > 0 {
                text += "* Samples:\n\n"
                let rows = (0..<samples).map { row in
                    data.columns.map { column in
                        row < column.samples.count
                            ? "<code>\(Self.escaped(column.samples[row]))</code>" : ""
                    }
                }
                text += Self.table(data.columns.map { Self.escaped($0.name) }, rows) + "\n"
            }
            text += "* Loss: `\(data.loss)`"
            if data.lossArguments.isEmpty {
                text += "\n"
            } else {
                text += " with these arguments:\n\n"
                text += data.lossArguments.map { "    - `\($0.name)`: \($0.value)\n" }.joined()
            }
        }
        return text
    }

    private func hyperparameterSection() -> String {
        guard !hyperparameters.isEmpty else { return "" }
        let lines = hyperparameters.map { "- `\($0.name)`: \($0.value)\n" }
        return "### Training Hyperparameters\n\n#### Non-Default Hyperparameters\n\n"
            + lines.joined()
    }

    private func logSection() -> String {
        guard !logs.isEmpty else { return "" }
        let rows = logs.map { row in
            [Self.rounded(row.epoch), "\(row.step)", row.trainingLoss.map(Self.rounded) ?? "-"]
                + logColumns.map { row.evaluations[$0].map(Self.rounded) ?? "-" }
        }
        let header = ["Epoch", "Step", "Training Loss"] + logColumns.map(Self.escaped)
        return "### Training Logs\n\n" + Self.table(header, rows)
    }

    private func timeSection() -> String {
        guard let trainingSeconds else { return "" }
        var text = "### Training Time\n\n- **Training**: \(Self.duration(trainingSeconds))\n"
        if let evaluationSeconds, evaluationSeconds > 0 {
            text += "- **Evaluation**: \(Self.duration(evaluationSeconds))\n"
            text += "- **Total**: \(Self.duration(trainingSeconds + evaluationSeconds))\n"
        }
        return text
    }

    // MARK: - Notation

    /// A table of Markdown, every cell on one line.
    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
        return line(header) + "|\(String(repeating: ":--|", count: header.count))\n"
            + rows.map(line).joined()
    }

    /// Names of the hub become links.
    private static func link(_ name: String) -> String {
        name.split(separator: "/").count == 2
            ? "[\(name)](https://huggingface.co/\(name))" : "`\(name)`"
    }

    /// A text that is safe within a cell of a table.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "|": result += "\\|"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case _ where character.isNewline: result += "<br>"
            default: result.append(character)
            }
        }
        return result
    }

    /// Four decimals.
    private static func rounded(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        return "\((value * 10_000).rounded() / 10_000)"
    }

    /// 1,234,567
    private static func grouped(_ number: Int) -> String {
        var digits = String(number)
        var end = digits.count - 3
        while end > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: end))
            end -= 3
        }
        return digits
    }

    /// "36.1 seconds", "1.0 minutes", "2.5 hours"
    private static func duration(_ seconds: Double) -> String {
        func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
        if seconds < 60 { return "\(tenths(seconds)) seconds" }
        return seconds < 3600
            ? "\(tenths(seconds / 60)) minutes" : "\(tenths(seconds / 3600)) hours"
    }
}

extension SimilarityFunction {
    /// "Cosine Similarity", as in Python's cards.
    var title: String {
        switch self {
        case .cosine: "Cosine Similarity"
        case .dot: "Dot Product"
        case .euclidean: "Euclidean Distance"
        case .manhattan: "Manhattan Distance"
        }
    }
}
