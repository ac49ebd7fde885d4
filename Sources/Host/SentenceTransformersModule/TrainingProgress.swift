// What a user sees while a model trains: a bar with the steps, a line for every logged entry.

import OrderedJSON
import Training

/// Shows one training on a session's progress display.
final class TrainingProgress {
    private let progress: Progress
    private let isShown: Bool
    private let label: String
    private var steps: Progress.Bar?
    private var evaluation: Progress.Bar?

    init(
        _ progress: Progress, args: SentenceTransformerTrainingArguments, label: String = "Training"
    ) {
        self.progress = progress
        self.label = label
        isShown = args.disableTqdm != true
    }

    func show(_ event: TrainerHooks.Progress) {
        switch event {
        case .trainBegin(let step, let maxSteps):
            guard isShown else { return }
            steps = progress.bar(label, total: maxSteps)
            steps?.set(done: step)
        case .step(let step, let maxSteps, let epoch):
            steps?.set(done: step, total: maxSteps, note: "epoch \(twoDigits(epoch))")
        case .evaluationBatch(let batch, let count):
            guard isShown else { return }
            let bar = evaluation ?? progress.bar("Evaluation", total: count)
            evaluation = batch < count ? bar : nil
            bar.set(done: batch, total: count)
            if batch >= count { bar.finish() }
        case .log(let entry):
            progress.log(TrainerHooks.consoleLine(entry))
        case .trainEnd:
            steps?.finish()
            steps = nil
        }
    }

    private func twoDigits(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(String(100 + hundredths % 100).dropFirst())"
    }
}
