// What a study says about each trial, in Optuna's words.

import Logging
import OrderedJSON

extension Study {
    func logCompleted(_ trial: Trial, _ values: [Double]) {
        guard logger.logLevel <= .info else { return }
        let names = (try? metricNames()) ?? nil
        let params = pythonRepr(trial.params)
        if values.count > 1 {
            let shown = names.map { named($0, values) } ?? pythonRepr(values)
            logger.info(
                "Trial \(trial.number) finished with values: \(shown) and parameters: \(params).")
            return
        }
        guard let value = values.first else { return }
        let shown = names.map { named($0, values) } ?? pythonRepr(value)
        var message =
            "Trial \(trial.number) finished with value: \(shown) and parameters: \(params)."
        if let best = try? bestTrial(), let bestValue = best.values?.first {
            message += " Best is trial \(best.number) with value: \(pythonRepr(bestValue))."
        }
        logger.info("\(message)")
    }

    private func named(_ names: [String], _ values: [Double]) -> String {
        pythonRepr(NamedValues(zip(names, values).map { ($0, ParameterValue.double($1)) }))
    }

    func logFailed(_ trial: Trial, _ failure: TrialFailure, _ result: ObjectiveResult) {
        var message =
            "Trial \(trial.number) failed with parameters: \(pythonRepr(trial.params)) because of "
            + "the following error: \(failure.reason)."
        if let traceback = failure.traceback { message += "\n\(traceback)" }
        logger.warning("\(message)")
        logger.warning("Trial \(trial.number) failed with value \(result.pythonRepr).")
    }
}
