"""Writes Tests/TuningTests/Golden/importances.json: what Optuna's evaluators say about recorded studies.

    python scripts/golden/importances.py [OUTPUT_FILE]

Needs scikit-learn 1.9 besides what tuning.py needs. Each study is a list of trials, so that the tests add
the same ones; the numbers are unnormalised.
"""

import json
import sys
import warnings
from pathlib import Path

import optuna
from optuna.importance import FanovaImportanceEvaluator, MeanDecreaseImpurityImportanceEvaluator, PedAnovaImportanceEvaluator

import tuning

warnings.simplefilter("ignore")
optuna.logging.disable_default_handler()

STUDIES = [
    ("mixed", tuning.mixed, ["minimize"], 60, 1), ("mixed", tuning.mixed, ["maximize"], 120, 2),
    ("floats", tuning.floats, ["minimize"], 50, 3), ("conditional", tuning.conditional, ["minimize"], 80, 4),
    ("changing", tuning.changing, ["minimize"], 60, 5), ("two goals", tuning.two_goals, ["minimize", "maximize"], 70, 6),
    ("integers", tuning.integers, ["minimize"], 40, 7),
]
EVALUATORS = [
    ("ped_anova", {}), ("ped_anova", dict(target_quantile=0.3, region_quantile=0.8)),
    ("ped_anova", dict(evaluate_on_local=False)), ("fanova", dict(seed=0)), ("fanova", dict(seed=5, n_trees=16, max_depth=5)),
    ("mdi", dict(seed=0)), ("mdi", dict(seed=9, n_trees=20, max_depth=4)),
]
CLASSES = dict(ped_anova=PedAnovaImportanceEvaluator, fanova=FanovaImportanceEvaluator, mdi=MeanDecreaseImpurityImportanceEvaluator)


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "Tests/TuningTests/Golden/importances.json")
    lines = []
    for name, objective, directions, count, seed in STUDIES:
        recorder = tuning.Recorder(optuna.samplers.RandomSampler(seed=seed), directions)
        recorder.run(objective, count)
        study, results = recorder.study, []
        for kind, options in EVALUATORS:
            for target in (None, "x"):
                function = None if target is None else lambda t: float(t.number % 7) + sum(t.values)
                try:
                    values = optuna.importance.get_param_importances(
                        study, evaluator=CLASSES[kind](**options), target=function, normalize=False)
                except ValueError:
                    values = None
                results.append(dict(evaluator=kind, options=options, target=target, values=values))
        lines.append(json.dumps(dict(
            name=name, directions=directions, seed=seed, calls=recorder.calls, events=recorder.events, results=results),
            separators=(",", ":")))
    output.write_text('{"studies": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
