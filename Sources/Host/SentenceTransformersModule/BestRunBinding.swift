// BestRun: what a search returns, with the fields and the printed form of transformers' BestRun, and
// the model.

import LuaBridge
import OrderedJSON
import Training
import Tuning

/// The best trial of a search.
final class BestRun: LuaObject {
    let runID: String
    /// One for each direction.
    let objectives: [Double]
    let isMultiObjective: Bool
    let hyperparameters: NamedValues<ParameterValue>
    /// nil when the model is not kept.
    let kept: KeptModel?
    private let isKept: Bool
    private var model: SentenceTransformer?

    init(trial: FrozenTrial, isMultiObjective: Bool, kept: KeptModel?, isKept: Bool) {
        runID = "\(trial.number)"
        objectives = trial.values ?? []
        self.isMultiObjective = isMultiObjective
        hyperparameters = trial.params
        self.kept = kept
        self.isKept = isKept
    }

    /// Loaded at the first use.
    func loadModel() throws -> SentenceTransformer {
        if let model { return model }
        guard let kept else {
            throw LuaError.message(
                isKept
                    ? "BestRun: the model of trial \(runID) was made by an earlier run of the study"
                        + " and is not here; look in that run's output_dir/best"
                    : "BestRun: the model was not kept; search with keep_best_model = true")
        }
        let loaded = try kept.load()
        model = loaded
        return loaded
    }

    var summary: String {
        let objective =
            isMultiObjective
            ? "[\(objectives.map { pythonRepr($0) }.joined(separator: ", "))]"
            : objectives.first.map { pythonRepr($0) } ?? "None"
        return "BestRun(run_id=\(pythonRepr(runID)), objective=\(objective), hyperparameters="
            + "\(pythonRepr(hyperparameters)), run_summary=None)"
    }
}

func bestRunClass() -> LuaClass<BestRun> {
    LuaClass<BestRun>("BestRun", doc: "The best trial of a search.")
        .property("run_id", .string, doc: "The trial's number, as text.", get: { $0.runID })
        .property("objective", doc: "The trial's value, or a sequence of several.") { run in
            run.isMultiObjective
                ? JSONValue.array(run.objectives.map(JSONValue.double))
                : run.objectives.first.map(JSONValue.double) ?? .null
        }
        .property("hyperparameters", .table, doc: "What the trial suggested, by name.") { run in
            JSONObject(run.hyperparameters.map { ($0.name, $0.value.jsonValue) })
        }
        .property("run_summary", doc: "nil, as with Python's Optuna backend.") { _ in
            LuaValue.nil
        }
        .property(
            "model", .object("SentenceTransformer"),
            doc: "The trained model; loaded from disk at the first use."
        ) { try $0.loadModel() }
        .property("model_path", .string, doc: "Folder of the model, nil when it was not kept.") {
            $0.kept?.folder
        }
        .tostring { $0.summary }
}
