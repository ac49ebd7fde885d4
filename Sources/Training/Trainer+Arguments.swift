// Arguments against what else a trainer has, at its start and when they change.

import Logging

extension SentenceTransformerTrainer {
    /// Goes on with other arguments. The history, the place in the run and the random numbers stay, as
    /// in Python, where arguments are assigned one by one; a running training refuses.
    public func setArguments(_ new: SentenceTransformerTrainingArguments) throws {
        if isInTrain {
            throw TrainingError.argument(
                owner: "SentenceTransformerTrainer", name: "args",
                problem: "can't change during a training",
                hint: "change them before it, or in a trainer of its own")
        }
        try check(new)
        args = new
        evalLoaders = [:]
        cardData = nil
    }

    func check(_ args: SentenceTransformerTrainingArguments) throws {
        if args.evalStrategy != .no, evalDataset == nil, evaluator == nil {
            throw SentenceTransformerTrainingArguments.refusal(
                "eval_strategy",
                "is '\(args.evalStrategy.rawValue)', and there is nothing to evaluate",
                "give the trainer an eval_dataset or an evaluator")
        }
        if args.saveStrategy == .best, args.metricForBestModel == nil {
            throw SentenceTransformerTrainingArguments.refusal(
                "metric_for_best_model", "is needed with save_strategy 'best'",
                "name the metric that decides, for example \"loss\"")
        }
        try args.checkPrompts([trainDataset, evalDataset].compactMap { $0 })
        for warning in args.warnings { logger.warning("\(warning)") }
        if args.bf16 || args.bf16FullEval, let problem = model.mixedPrecisionProblem {
            let (name, what) =
                args.bf16 ? ("bf16", "training runs") : ("bf16_full_eval", "evaluations run")
            logger.warning("\(name) has no effect: \(problem); \(what) in float32")
        }
    }
}
