"""Writes the golden files of Tests/TuningTests with the real Optuna.

    python scripts/golden/tuning.py [OUTPUT_FOLDER]

Needs optuna 5.0.0 and numpy 2.4 on an x86-64 machine with AVX-512 (numpy's order of tied sort keys
depends on the processor; the scalar variants run in a second process with those features off).

- traces.json: studies as lists of events, so that any objective can be replayed: ask, suggest (with
  the value that came out), report, should_prune, set_constraint, tell, enqueue.
- functions.json: numpy's random numbers and sorts, Optuna's truncated normal distribution,
  distributions, percentiles, Python's repr.
- log.txt: what `optimize` prints, without times; the scenario is repeated in OptunaLogTests.
"""

import io
import json
import logging
import math
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers._tpe import _truncnorm
from optuna.samplers._tpe.sampler import hyperopt_default_gamma

warnings.simplefilter("ignore")
SCALAR = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}


class Recorder:
    """A study whose every call is written down."""

    def __init__(self, sampler, directions, pruner=None):
        self.study = optuna.create_study(
            study_name="trace", sampler=sampler, directions=directions, pruner=pruner or optuna.pruners.NopPruner())
        self.calls, self.events = [], []

    def call(self, **call):
        if call not in self.calls:
            self.calls.append(call)
        return self.calls.index(call)

    def ask(self):
        trial = self.study.ask()
        self.events.append(["ask", trial.number])
        return RecordedTrial(self, trial)

    def tell(self, trial, values=None, state=None):
        if state is not None:
            self.study.tell(trial.number, values, state=state)
        else:
            self.study.tell(trial.number, values)
        frozen = self.study.trials[trial.number]
        self.events.append(["tell", trial.number, values, frozen.state.name, frozen.values])

    def enqueue(self, params):
        self.study.enqueue_trial(params)
        self.events.append(["enqueue", params])

    def run(self, objective, count):
        for _ in range(count):
            trial = self.ask()
            try:
                values = objective(trial)
            except optuna.TrialPruned:
                self.tell(trial, state=optuna.trial.TrialState.PRUNED)
            except RuntimeError:
                self.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                self.tell(trial, values)


class RecordedTrial:
    def __init__(self, recorder, trial):
        self.recorder, self.trial, self.number = recorder, trial, trial.number

    def _record(self, call, value):
        self.recorder.events.append(["suggest", self.number, call, value])
        return value

    def float(self, name, low, high, step=None, log=False):
        call = self.recorder.call(kind="float", name=name, low=low, high=high, step=step, log=log)
        return self._record(call, self.trial.suggest_float(name, low, high, step=step, log=log))

    def int(self, name, low, high, step=1, log=False):
        call = self.recorder.call(kind="int", name=name, low=low, high=high, step=step, log=log)
        return self._record(call, self.trial.suggest_int(name, low, high, step=step, log=log))

    def cat(self, name, choices):
        call = self.recorder.call(kind="categorical", name=name, choices=choices)
        return self._record(call, self.trial.suggest_categorical(name, choices))

    def report(self, value, step):
        self.trial.report(value, step)
        self.recorder.events.append(["report", self.number, value, step])

    def prune(self):
        answer = bool(self.trial.should_prune())
        self.recorder.events.append(["should_prune", self.number, answer])
        return answer

    def constraint(self, key, value):
        self.trial.set_constraint(key, value)
        self.recorder.events.append(["constraint", self.number, key, value])


# Objectives. None of them is meant to be interesting; together they use every kind of range.


def mixed(t):
    a = t.cat("optimizer", ["adamw", "sgd", "adafactor"])
    b = t.int("layers", 2, 12, step=2)
    c = t.float("dropout", 0.0, 0.5, step=0.05)
    d = t.float("lr", 1e-6, 1e-2, log=True)
    e = t.int("hidden", 16, 512, log=True)
    f = t.cat("scheduler", ["linear", None, True, 3, 0.5])
    g = t.float("smoothing", -0.3, 0.2)
    h = t.int("accumulation", 1, 8)
    t.int("fixed", 4, 4)
    return (
        0.2 * (math.log10(d) + 4) ** 2 + 4 * (c - 0.15) ** 2 + ((b - 6) / 6) ** 2
        + ((math.log2(e) - 7) / 4) ** 2 + {"adamw": 0, "sgd": 0.4, "adafactor": 0.15}[a]
        + {"linear": 0.05}.get(f, 0.2) + 3 * (g - 0.05) ** 2 + ((h - 2) / 8) ** 2)


def continuous(t):
    x = [t.float(f"x{i}", -5, 5) for i in range(11)] + [t.float("y", 0.01, 100, log=True)]
    return sum((v - i / 3) ** 2 for i, v in enumerate(x[:-1])) + math.log(x[-1]) ** 2


def integers(t):
    x, y, z = t.int("x", 0, 5), t.int("y", -3, 3), t.int("z", 1, 64, log=True)
    return (x - 2) ** 2 + abs(y) + math.log2(z)


def floats(t):
    x, y = t.float("x", -10, 10), t.float("y", 1e-5, 1e-1, log=True)
    return (x - 2) ** 2 + (math.log10(y) + 3) ** 2


def conditional(t):
    model = t.cat("model", ["svm", "forest", "net"])
    scale = t.float("scale", 0.1, 10, log=True)
    if model == "svm":
        return (math.log10(t.float("c", 1e-3, 1e3, log=True)) - 1) ** 2 + scale
    if model == "forest":
        return abs(t.int("depth", 2, 32) - 9) / 4 + abs(t.int("trees", 10, 500, step=10) - 200) / 100
    units = [t.int(f"units{i}", 8, 128, step=8) for i in range(t.int("layers", 1, 3))]
    return sum(abs(u - 64) for u in units) / 64 + t.float("dropout", 0, 0.5) + scale / 2


def changing(t):
    return (t.float("x", 0, 1 + t.number % 3) - 0.4) ** 2 + t.int("n", 1, 4 + t.number // 12)


def eventful(t):
    """Reports, prunes, fails, returns NaN and infinity, violates constraints."""
    x, n, c = t.float("x", -3, 3), t.int("n", 1, 9), t.cat("c", ["a", "b"])
    loss = x * x + n / 10 + (c == "b")
    if t.number % 11 == 4:
        raise RuntimeError
    if t.number % 13 == 6:
        return math.nan
    if t.number % 17 == 9:
        return math.inf
    if t.number % 19 == 12:
        return "not a number"
    for step in range(4):
        t.report(math.nan if t.number % 7 == 3 and step == 1 else loss + 3 / (step + 1), step)
        if t.prune():
            raise optuna.TrialPruned
    t.constraint("size", n - 6.0)
    if t.number % 2:
        t.constraint("time", x - 1.5)
    return loss


def curves(t):
    """Nine reports of a learning curve, with dips."""
    x, n = t.float("x", -3, 3), t.int("n", 1, 9)
    for step in range(1, 10):
        loss = x * x + n / 10 + 6 / (step + n % 3) + (0.5 if (step + n) % 4 == 0 else 0)
        t.report(math.nan if (t.number + step) % 29 == 0 else loss, step)
        if t.prune():
            raise optuna.TrialPruned
    return x * x + n / 10


def two_goals(t):
    x, y, k = t.float("x", 0, 5), t.float("y", 0, 3), t.int("k", 1, 4)
    return [4 * x * x + 4 * y * y + k, (x - 5) ** 2 + (y - 5) ** 2]


def three_goals(t):
    x, y, z = t.int("x", 0, 20), t.float("y", 0, 1), t.cat("z", ["a", "b", "c"])
    return [x / 10, (1 - y) * (1 + x / 20), abs(x / 20 - y) + {"a": 0, "b": 0.1, "c": 0.3}[z]]


def leftovers(recorder, count):
    """Every fifth trial is abandoned: after both suggestions, one, or none."""
    for index in range(count):
        trial = recorder.ask()
        if index % 5 == 3:
            if index % 10 == 3:
                trial.float("x", -10, 10)
            elif index % 3:
                floats(trial)
            continue
        recorder.tell(trial, floats(trial))


def batches(recorder, count):
    """Four at a time, told in another order."""
    for _ in range(count // 4):
        trials = [recorder.ask() for _ in range(4)]
        values = [integers(trial) for trial in trials]
        for index in (2, 0, 3, 1):
            recorder.tell(trials[index], values[index])


def queued(recorder, count):
    recorder.enqueue({"x": 2.5, "y": 1e-3})
    recorder.enqueue({"x": -4.0})
    recorder.run(floats, 14)
    recorder.enqueue({"y": 0.05})
    recorder.enqueue({"x": 3})
    recorder.run(floats, count - 14)


WEIGHTS = {"linear": lambda n: np.arange(1, n + 1) / n}
GAMMA = {"hyperopt": hyperopt_default_gamma, "half": lambda n: n // 2}


def tpe(**options):
    options = dict(options)
    for name, table in (("weights", WEIGHTS), ("gamma", GAMMA)):
        if name in options:
            options[name] = table[options[name]]
    return optuna.samplers.TPESampler(**options)


def repeat(objective):
    return lambda recorder, count: recorder.run(objective, count)


SAMPLERS = {
    "tpe": tpe,
    "random": lambda **o: optuna.samplers.RandomSampler(**o),
    "grid": lambda **o: optuna.samplers.GridSampler(**o),
}
PRUNERS = {
    "median": optuna.pruners.MedianPruner,
    "percentile": optuna.pruners.PercentilePruner,
    "threshold": optuna.pruners.ThresholdPruner,
    "halving": optuna.pruners.SuccessiveHalvingPruner,
    "hyperband": optuna.pruners.HyperbandPruner,
    "patient": lambda wrapped, **o: optuna.pruners.PatientPruner(optuna.pruners.MedianPruner() if wrapped else None, **o),
}
MEDIAN = ["median", dict(n_startup_trials=4, n_warmup_steps=1)]
GRID = {"b": [1, 2, 3], "a": ["x", None, True, 2.5]}
# name, driver, sampler, options, directions, trials, with a scalar variant, pruner
CASES = [
    ("mixed", repeat(mixed), "tpe", dict(seed=0), ["minimize"], 60, True, None),
    ("mixed, maximized", repeat(mixed), "tpe", dict(seed=1), ["maximize"], 45, False, None),
    ("mixed, one by one", repeat(mixed), "tpe", dict(seed=2, multivariate=False), ["minimize"], 45, True, None),
    ("mixed, together, large seed", repeat(mixed), "tpe", dict(seed=4294967295, multivariate=True), ["minimize"], 30, False, None),
    ("twelve floats", repeat(continuous), "tpe", dict(seed=3), ["minimize"], 40, False, None),
    ("integers", repeat(integers), "tpe", dict(seed=4), ["minimize"], 240, False, None),
    ("integers, one by one", repeat(integers), "tpe", dict(seed=5, multivariate=False), ["maximize"], 150, True, None),
    ("integers, scalar beyond 256", repeat(integers), "tpe", dict(seed=14), ["minimize"], 330, "only", None),
    ("conditional", repeat(conditional), "tpe", dict(seed=6), ["minimize"], 60, False, None),
    ("conditional, one by one", repeat(conditional), "tpe", dict(seed=7, multivariate=False), ["minimize"], 60, False, None),
    ("changing ranges", repeat(changing), "tpe", dict(seed=8), ["minimize"], 40, False, None),
    ("changing ranges, one by one", repeat(changing), "tpe", dict(seed=8, multivariate=False), ["minimize"], 40, False, None),
    ("eventful", repeat(eventful), "tpe", dict(seed=9), ["minimize"], 90, False, MEDIAN),
    ("eventful, maximized, one by one", repeat(eventful), "tpe", dict(seed=10, multivariate=False), ["maximize"], 70, False, MEDIAN),
    ("leftovers", leftovers, "tpe", dict(seed=11), ["minimize"], 50, False, None),
    ("leftovers, one by one", leftovers, "tpe", dict(seed=12, multivariate=False), ["minimize"], 50, False, None),
    ("leftovers ignored", leftovers, "tpe", dict(seed=13, constant_liar=False), ["minimize"], 40, False, None),
    ("batches", batches, "tpe", dict(seed=15), ["minimize"], 60, False, None),
    ("queued", queued, "tpe", dict(seed=16), ["minimize"], 30, False, None),
    ("options", repeat(floats), "tpe", dict(seed=17, n_startup_trials=3, n_ei_candidates=10, prior_weight=0.5, consider_magic_clip=False, consider_endpoints=True, gamma="hyperopt", weights="linear"), ["minimize"], 40, False, None),
    ("options, one by one", repeat(mixed), "tpe", dict(seed=18, multivariate=False, n_startup_trials=0, prior_weight=2.0, gamma="half", constant_liar=False), ["minimize"], 30, False, None),
    ("random", repeat(mixed), "random", dict(seed=19), ["minimize"], 20, False, None),
    ("random, conditional", repeat(conditional), "random", dict(seed=20), ["minimize"], 20, False, None),
    ("percentile", repeat(curves), "tpe", dict(seed=30), ["minimize"], 50, False, ["percentile", dict(percentile=25.0, n_startup_trials=3, n_warmup_steps=2, interval_steps=3, n_min_trials=2)]),
    ("percentile, maximized", repeat(curves), "random", dict(seed=31), ["maximize"], 50, False, ["percentile", dict(percentile=70.0, n_startup_trials=0)]),
    ("threshold", repeat(curves), "random", dict(seed=32), ["minimize"], 20, False, ["threshold", dict(lower=0.5, upper=9.0, n_warmup_steps=2, interval_steps=2)]),
    ("patient", repeat(curves), "random", dict(seed=33), ["minimize"], 40, False, ["patient", dict(wrapped=True, patience=1)]),
    ("patient alone, maximized", repeat(curves), "random", dict(seed=34), ["maximize"], 20, False, ["patient", dict(wrapped=False, patience=2, min_delta=0.4)]),
    ("halving", repeat(curves), "tpe", dict(seed=35), ["minimize"], 60, False, ["halving", dict(min_resource=1, reduction_factor=2, bootstrap_count=2)]),
    ("halving, automatic, maximized", repeat(curves), "random", dict(seed=36), ["maximize"], 40, False, ["halving", dict(reduction_factor=3, min_early_stopping_rate=1)]),
    ("hyperband", repeat(curves), "tpe", dict(seed=37), ["minimize"], 60, False, ["hyperband", dict(min_resource=1, max_resource=9, reduction_factor=3)]),
    ("hyperband, automatic", repeat(curves), "random", dict(seed=38), ["maximize"], 40, False, ["hyperband", dict(min_resource=2, reduction_factor=2)]),
    ("grid", repeat(lambda t: t.int("b", 1, 3) + len(str(t.cat("a", GRID["a"])))), "grid", dict(search_space=GRID), ["minimize"], 10, False, None),
    ("grid, seeded", repeat(lambda t: t.int("b", 1, 3) + len(str(t.cat("a", GRID["a"])))), "grid", dict(search_space=GRID, seed=42), ["minimize"], 10, False, None),
    ("group", repeat(conditional), "tpe", dict(seed=39, multivariate=True, group=True), ["minimize"], 70, False, None),
    ("two goals", repeat(two_goals), "tpe", dict(seed=21), ["minimize", "minimize"], 60, False, None),
    ("two goals, together", repeat(two_goals), "tpe", dict(seed=22, multivariate=True), ["minimize", "maximize"], 60, False, None),
    ("three goals", repeat(three_goals), "tpe", dict(seed=23), ["minimize", "minimize", "maximize"], 80, False, None),
]


def traces(tie_order):
    result = []
    for name, driver, sampler, options, directions, count, scalar, pruner in CASES:
        if tie_order == "scalar" and not scalar or tie_order == "simd" and scalar == "only":
            continue
        recorder = Recorder(
            SAMPLERS[sampler](**options), directions, pruner and PRUNERS[pruner[0]](**pruner[1]))
        driver(recorder, count)
        result.append(dict(
            name=name, tie_order=tie_order, sampler=sampler, options=options, directions=directions,
            pruner=pruner, calls=recorder.calls, events=recorder.events))
    return result


def sorts():
    """Keys with many ties; numpy's order of them on this processor."""
    rng = np.random.RandomState(0)
    cases = []
    for length in [1, 2, 3, 5, 8, 13, 16, 17, 18, 19, 31, 33, 64, 77, 128, 200, 255, 256]:
        keys = rng.randint(0, max(2, length // 3), size=length).astype(float)
        cases.append(dict(keys=[int(k) for k in keys], order=np.argsort(keys).tolist()))
    return cases


def functions():
    grid = [-40, -30.5, -20.0001, -20, -19.99, -12, -6.5, -3, -1, -0.5, -1e-3, 0, 1e-3, 0.3, 1, 2.5, 5.9, 6, 6.1, 9, 30, 40]
    pairs = [(a, b) for a in grid for b in grid if a < b]
    q = [0.0, 1e-9, 0.1, 0.5, 0.87, 0.999999, 1.0]
    batch = [(x, a, b) for a, b in [(-2, 3), (-30, -29), (0.5, 0.6), (25, 26), (-0.1, 8), (0, 5), (-40, 40)] for x in q]
    with np.errstate(all="ignore"):
        mass = [float(_truncnorm._log_gauss_mass(np.array([float(a)]), np.array([float(b)]))[0]) for a, b in pairs]
        quantiles = _truncnorm.ppf(*(np.array(column, dtype=float) for column in zip(*batch))).tolist()
    adjust = []
    for low, high, step in [(0, 1, 0.3), (0, 0.3, 0.1), (0.1, 1, 0.25), (-1, 1, 0.7), (1e-7, 1e-6, 3e-7), (0, 1e16, 3), (0, 1, 2), (2.5, 2.5, 0.1), (0, 1e-300, 1e-301), (-0.3, 0.3, 0.1)]:
        d = optuna.distributions.FloatDistribution(low, high, step=step)
        probes = [low, low + step, d.high, d.high + step, low + step / 2, low + step * 1.000000001]
        adjust.append(dict(low=low, high=high, step=step, adjusted=d.high, single=d.single(), probes=[[p, d._contains(p)] for p in probes]))
    strings = ["", "a", "it's", 'say "x"', "it's \"x\"", "back\\slash", "tab\tnew\nline\r", "\x00\x1f\x7f\x85\xa0", "é漢😀", "\u200b\ufeff\u2028", "e\u0301", "\U000e0001"]
    numbers = [0.0, -0.0, 1.0, 5.0, 0.1, 1e-4, 9.999e-5, 1e-5, 1e-7, 123456789.0, 1e15, 9007199254740993.0, 1e16, 1.5e16, 1e17, 1.2345678901234567e19, 1.7976931348623157e308, 5e-324, 2.5e-9, 100.0, 0.30000000000000004]
    percentiles = []
    rng = np.random.RandomState(1)
    for count in (1, 2, 3, 5, 8, 20):
        values = rng.normal(size=count).round(3)
        percentiles += [[values.tolist(), p, float(np.nanpercentile(values, p))] for p in (0, 10, 25, 50, 66.6, 75, 100)]
    draws = {}
    for seed in (0, 42, 4294967295):
        def fresh():
            return np.random.RandomState(seed)
        r = fresh()
        draws[str(seed)] = dict(
            words=[int(v) for v in fresh().randint(0, 2**32, size=8, dtype=np.uint64)],
            doubles=fresh().rand(5).tolist(), uniform=[r.uniform(-1, 2) for _ in range(5)],
            below10=fresh().randint(0, 10, size=8).tolist(), below65536=fresh().randint(1, 65536, size=5).tolist(),
            below2to40=[int(v) for v in fresh().randint(0, 2**40, size=5, dtype=np.int64)],
            choice=fresh().choice(5, p=[0.1, 0.2, 0.3, 0.25, 0.15], size=8).tolist(),
            permutation=fresh().permutation(8).tolist(), normal=fresh().standard_normal(5).tolist())
    return dict(
        log_cdf=[[a, float(_truncnorm._log_ndtr(np.array([float(a)]))[0])] for a in grid],
        log_mass=[[a, b, m] for (a, b), m in zip(pairs, mass)],
        quantiles=[[x, a, b, v] for (x, a, b), v in zip(batch, quantiles)],
        adjusted=adjust, strings=[[s, repr(s)] for s in strings], numbers=[[v, repr(v)] for v in numbers],
        percentiles=percentiles, draws=draws)


def log_lines():
    """The scenario of OptunaLogTests."""
    stream = io.StringIO()
    logger = logging.getLogger("optuna")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("[%(levelname)1.1s TIME] %(message)s"))
    logger.addHandler(handler)
    storage = optuna.storages.InMemoryStorage()
    study = optuna.create_study(study_name="lines", storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        n = trial.number
        trial.suggest_float("x", 0, 1) if n != 1 else trial.suggest_categorical("it's", ["a'b", None, True, 1, 2.5])
        if n == 2:
            raise optuna.TrialPruned("not good enough")
        if n == 3:
            raise optuna.TrialPruned
        return [0.25, 1e-7, 0, 0, math.nan, None, "a", [1.0, 2.0], math.inf, True, 3][n]

    study.enqueue_trial({"x": 1})
    study.optimize(objective, n_trials=11)
    study.enqueue_trial({"x": 0.5})
    study.enqueue_trial({"x": 0.5}, skip_if_exists=True)
    optuna.create_study(study_name="lines", storage=storage, load_if_exists=True)
    optuna.load_study(study_name=None, storage=storage)
    study.tell(0, 1.0, skip_if_finished=True)
    study.set_metric_names(["loss"])
    study.optimize(lambda trial: 2.0, n_trials=1)
    two = optuna.create_study(study_name="two", storage=storage, directions=["minimize", "maximize"], sampler=optuna.samplers.RandomSampler(seed=1))
    two.optimize(lambda trial: (0.5, 2), n_trials=1)
    two.set_metric_names(["a", "b"])
    two.optimize(lambda trial: (0.5, 2), n_trials=1)
    constrained = optuna.create_study(study_name="constrained", storage=storage, sampler=optuna.samplers.RandomSampler(seed=1))

    def infeasible(trial):
        trial.set_constraint("c", 1.0)
        return 1.0

    constrained.optimize(infeasible, n_trials=1)
    logger.removeHandler(handler)
    return stream.getvalue()


def main():
    if sys.argv[1:] == ["--scalar"]:
        json.dump(dict(traces=traces("scalar"), sorts=sorts()), sys.stdout)
        return
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "Tests/TuningTests/Golden")
    optuna.logging.disable_default_handler()
    scalar = json.loads(subprocess.run(
        [sys.executable, __file__, "--scalar"], env={**os.environ, **SCALAR}, stdout=subprocess.PIPE, check=True).stdout)
    made_with = f"scripts/golden/tuning.py, optuna {optuna.__version__}, numpy {np.__version__}"
    lines = ",\n".join(json.dumps(trace, separators=(",", ":")) for trace in traces("simd") + scalar["traces"])
    (output / "traces.json").write_text(f'{{"made_with": "{made_with}", "traces": [\n{lines}\n]}}\n')
    data = dict(made_with=made_with, **functions(), sorts=dict(simd=sorts(), scalar=scalar["sorts"]))
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in data.items())
    (output / "functions.json").write_text("{" + lines + "}\n")
    (output / "log.txt").write_text(log_lines())


if __name__ == "__main__":
    main()
