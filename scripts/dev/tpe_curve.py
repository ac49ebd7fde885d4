"""The study of `st-bench study` in Python's Optuna: processor milliseconds a trial.

    python scripts/dev/tpe_curve.py [--sqlite] TRIALS [TRIALS ...]

Prints a line for each number of trials, ascending: the number and the mean since the start.
"""

import math
import sys
import tempfile
import time

import optuna


def objective(trial):
    epochs = trial.suggest_int("num_train_epochs", 1, 5)
    batch = trial.suggest_int("per_device_train_batch_size", 32, 128)
    warmup = trial.suggest_float("warmup_ratio", 0, 0.3)
    rate = trial.suggest_float("learning_rate", 1e-6, 1e-4, log=True)
    return (1 - 0.3 * ((math.log10(rate) + 4.7) / 2) ** 2 - 2 * (warmup - 0.1) ** 2
            - ((epochs - 3) / 10) ** 2 - ((batch - 64) / 200) ** 2)


optuna.logging.set_verbosity(optuna.logging.WARNING)
marks = sys.argv[1:]
folder = tempfile.TemporaryDirectory()
storage = None
if marks[:1] == ["--sqlite"]:
    storage = f"sqlite:///{folder.name}/study.db"
    marks = marks[1:]
study = optuna.create_study(
    direction="maximize", sampler=optuna.samplers.TPESampler(seed=42), storage=storage)
start, done = time.process_time(), 0
for mark in map(int, marks):
    study.optimize(objective, n_trials=mark - done)
    done = mark
    print(mark, (time.process_time() - start) / mark * 1e3, flush=True)
