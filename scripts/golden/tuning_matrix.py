"""Writes Tests/TuningTests/Golden/matrix.json and matrix-tpe.json: whole studies of the real Optuna,
samplers x spaces x directions x seeds, in a compact form.

    python scripts/golden/tuning_matrix.py [--seed OFFSET] [--random COUNT] [OUTPUT_FILE]

Needs what tuning.py needs, whose spaces it uses. --seed shifts every seed, --random makes that many
studies with spaces, options and events drawn from the offset: with the environment variable
TUNING_MATRIX the tests replay such a file instead of the committed one.

A trace: the calls that trials make, and for each trial a list of
  0 suggestions, flat: call, value, call, value, ...   (categories by place)
  1 reports, flat: value, step, should_prune, ...
  2 constraints by key
  3 what was told (a number, a list, or null)
  4 the state that came of it, by its first letter
  5 whether the study was stopped by the sampler
"""

import argparse
import json
import math
import random
import warnings
from pathlib import Path

import optuna
from optuna.samplers import nsgaii

import tuning
from tuning import changing, conditional, continuous, curves, eventful, floats, integers, mixed, three_goals, two_goals

warnings.simplefilter("ignore")


class Recorder:
    def __init__(self, sampler, directions, pruner):
        self.study = optuna.create_study(study_name="trace", sampler=sampler, directions=directions, pruner=pruner)
        self.calls, self.trials = [], []

    def call(self, **call):
        if call not in self.calls:
            self.calls.append(call)
        return self.calls.index(call)

    def run(self, objective, count):
        for _ in range(count):
            trial = Trial(self, self.study.ask())
            values, state = None, None
            try:
                values = objective(trial)
            except optuna.TrialPruned:
                state = optuna.trial.TrialState.PRUNED
            except RuntimeError:
                state = optuna.trial.TrialState.FAIL
            stopped = False
            try:
                self.study.tell(trial.number, values, state=state)
            except RuntimeError:
                stopped = True
            frozen = self.study.trials[trial.number]
            record = [trial.suggestions, trial.reports, trial.constraints, values, frozen.state.name[0]]
            self.trials.append(record + [True] * stopped)
            if stopped:
                return


class Trial:
    def __init__(self, recorder, trial):
        self.recorder, self.trial, self.number = recorder, trial, trial.number
        self.suggestions, self.reports, self.constraints = [], [], {}

    def float(self, name, low, high, step=None, log=False):
        call = self.recorder.call(kind="float", name=name, low=low, high=high, step=step, log=log)
        value = self.trial.suggest_float(name, low, high, step=step, log=log)
        self.suggestions += [call, value]
        return value

    def int(self, name, low, high, step=1, log=False):
        call = self.recorder.call(kind="int", name=name, low=low, high=high, step=step, log=log)
        value = self.trial.suggest_int(name, low, high, step=step, log=log)
        self.suggestions += [call, value]
        return value

    def cat(self, name, choices):
        call = self.recorder.call(kind="categorical", name=name, choices=choices)
        value = self.trial.suggest_categorical(name, choices)
        self.suggestions += [call, choices.index(value)]
        return value

    def report(self, value, step):
        self.trial.report(value, step)
        self.reports += [value, step]

    def prune(self):
        answer = bool(self.trial.should_prune())
        self.reports.append(answer)
        return answer

    def constraint(self, key, value):
        self.trial.set_constraint(key, value)
        self.constraints[key] = value


def constrained_goals(t):
    values = two_goals(t)
    t.constraint("a", t.trial.params["x"] - 3.0)
    if t.number % 3:
        t.constraint("b", 0.5 - t.trial.params["y"])
    return values


def lattice(t):
    return t.int("a", 1, 4) + t.float("b", 0.1, 0.5, step=0.1) + len(str(t.cat("c", ["x", None, True])))


def branches(t):
    kind = t.cat("kind", ["float", "int", "none"])
    if kind == "float":
        return t.float("x", 1, 3, step=0.5)
    if kind == "int":
        a = t.int("a", 1, 3)
        return a + t.int(f"b{a}", a, 3)
    if t.number == 5:
        raise RuntimeError
    return 0.0


def folds(t):
    """A value for each of eight problem instances; ties and equal values happen."""
    x, n = t.float("x", -2, 2), t.int("n", 0, 4)
    values = []
    for fold in range(16):
        noise = math.sin(12.9898 * (fold + 1) + 78.233 * (t.number % 7)) / 2
        value = round(x * x + n / 4 + noise, 1 if t.number % 2 else 6)
        values.append(value)
        t.report(value, fold)
        if t.prune():
            raise optuna.TrialPruned
    return sum(values) / len(values)


MIN, MAX = ["minimize"], ["maximize"]
WILCOXON = ["wilcoxon", dict(p_threshold=0.2)]
MEDIAN = ["median", dict(n_startup_trials=3)]


def cases():
    for seed in (101, 102):
        for together in (None, False):
            for name, space, directions in (
                ("mixed", mixed, MIN), ("integers", integers, MAX), ("floats", floats, MIN),
                ("conditional", conditional, MIN), ("changing", changing, MAX),
            ):
                yield name, space, "tpe", dict(seed=seed, multivariate=together), directions, 110, None
            yield "eventful", eventful, "tpe", dict(seed=seed, multivariate=together), MIN, 110, MEDIAN
            yield "curves", curves, "tpe", dict(seed=seed, multivariate=together), MAX, 110, MEDIAN
        yield "twelve floats", continuous, "tpe", dict(seed=seed), MIN, 100, None
        yield "group", conditional, "tpe", dict(seed=seed, multivariate=True, group=True), MAX, 110, None
        for together in (None, True):
            options = dict(seed=seed, multivariate=together)
            yield "two goals", two_goals, "tpe", options, MIN + MAX, 110, None
            yield "two goals, constrained", constrained_goals, "tpe", options, MIN + MIN, 110, None
            yield "three goals", three_goals, "tpe", options, MIN + MIN + MAX, 110, None
        for name, space, directions in (
            ("mixed", mixed, MIN), ("two goals", two_goals, MIN + MAX),
            ("two goals, constrained", constrained_goals, MIN + MIN), ("three goals", three_goals, MIN + MAX + MIN),
            ("conditional", conditional, MAX), ("eventful", eventful, MIN),
        ):
            yield name, space, "nsgaii", dict(seed=seed, population_size=12), directions, 100, None
        for crossover in ("Uniform", "BLXAlpha", "SPX", "SBX", "VSBX", "UNDX"):
            options = dict(seed=seed, population_size=8, crossover=crossover, mutation=crossover[0] in "SU")
            yield "three goals", three_goals, "nsgaii", options, MIN + MIN + MIN, 60, None
            yield "floats", floats, "nsgaii", dict(options, mutation_prob=0.3, crossover_prob=0.8), MAX, 50, None
            yield "integers", integers, "nsgaii", options, MIN, 50, None
        yield "lattice", lattice, "bruteforce", dict(seed=seed), MIN, 100, None
        yield "branches", branches, "bruteforce", dict(seed=seed), MIN, 40, None
        yield "branches, strictly", branches, "bruteforce", dict(seed=seed, avoid_premature_stop=True), MIN, 40, None
        for kind in ("sobol", "halton"):
            for scramble in (False, True):
                for name, space in (("mixed", mixed), ("conditional", conditional), ("twelve floats", continuous)):
                    yield name, space, "qmc", dict(seed=seed, qmc_type=kind, scramble=scramble), MIN, 40, None
        yield "mixed", mixed, "random", dict(seed=seed), MIN, 60, None
        yield "folds", folds, "random", dict(seed=seed), MIN, 40, WILCOXON
        yield "folds, maximized", folds, "random", dict(seed=seed), MAX, 40, ["wilcoxon", dict(p_threshold=0.05, n_startup_steps=5)]
        yield "folds", folds, "tpe", dict(seed=seed), MIN, 40, ["wilcoxon", dict()]
        for kind in (
            ["percentile", dict(percentile=30.0, n_startup_trials=2, interval_steps=2)],
            ["threshold", dict(lower=0.4, upper=6.0, n_warmup_steps=1)], ["patient", dict(wrapped=True, patience=2)],
            ["halving", dict(min_resource=1, reduction_factor=3)], ["halving", dict()],
            ["hyperband", dict(min_resource=1, max_resource=9, reduction_factor=3)],
            ["hyperband", dict(min_resource=1, reduction_factor=2)], ["median", dict()],
        ):
            for directions in (MIN, MAX):
                yield f"curves, {kind[0]}", curves, "random", dict(seed=seed), directions, 40, kind


class Drawn:
    """A space of parameters, conditions, reports, constraints and failures, drawn by a seed."""

    def __init__(self, rng, finite, goals):
        self.rng, self.goals = rng, goals
        self.parameters = [self.parameter(f"p{i}", finite) for i in range(rng.randint(1, 3 if finite else 8))]
        self.gate = rng.random() < 0.35 and len(self.parameters) > 1
        self.constrained = rng.random() < 0.3
        self.steps = rng.choice([0, 0, 3, 7]) if goals == 1 else 0
        self.failing = rng.choice([0, 0, 11])

    def parameter(self, name, finite):
        rng = self.rng
        kind = rng.choice(["int", "step", "cat", "quantized"] if finite else ["int", "step", "intlog", "float", "log", "quantized", "cat"])
        low, width = rng.randint(-5, 5), rng.randint(1, 3 if finite else 40)
        if kind == "int":
            return lambda t: t.int(name, low, low + width)
        if kind == "step":
            step = rng.randint(2, 5)
            return lambda t: t.int(name, low, low + width * step, step=step) / step
        if kind == "intlog":
            high = rng.choice([2, 8, 100, 4096])
            return lambda t: math.log2(t.int(name, 1, high, log=True))
        if kind == "float":
            return lambda t: t.float(name, low, low + width / 4)
        if kind == "log":
            exponent = rng.randint(-7, -2)
            return lambda t: math.log10(t.float(name, 10.0**exponent, 10.0 ** (exponent + 3), log=True))
        if kind == "quantized":
            step = rng.choice([0.1, 0.25, 0.3])
            high = round(low + step * width, 10)
            return lambda t: t.float(name, low, high, step=step)
        choices = [["a", "b", "c"], [True, False], [1, 2.5, "x", None], list(range(12))][rng.randint(0, 3)]
        return lambda t: (choices.index(t.cat(name, choices)) * 7) % 5

    def __call__(self, t):
        values = []
        for index, parameter in enumerate(self.parameters):
            if self.gate and index and (index + int(abs(values[0]) * 3)) % 3 == 0:
                continue
            values.append(parameter(t))
        if self.failing and t.number % self.failing == self.failing - 1:
            raise RuntimeError
        if self.constrained:
            t.constraint("c", values[0] - 1.0)
        goals = [sum((v - g) ** 2 for v in values) + math.sin(sum(values) * (g + 1)) for g in range(self.goals)]
        for step in range(self.steps):
            value = round(goals[0] + math.cos(step + t.number) / (step + 1), 2)
            t.report(value, step)
            if t.prune():
                raise optuna.TrialPruned
        return goals[0] if self.goals == 1 else goals


def drawn_cases(count, seed):
    for index in range(count):
        rng = random.Random(f"{seed} {index}")
        name = rng.choice(["tpe"] * 6 + ["nsgaii"] * 3 + ["random", "bruteforce", "qmc"])
        goals = rng.choice([1, 2, 3]) if name == "nsgaii" else rng.choice([1, 1, 1, 2]) if name == "tpe" else 1
        options = dict(seed=rng.randrange(2**32))
        if name == "tpe":
            options.update(multivariate=rng.choice([None, True, False]), n_startup_trials=rng.choice([5, 10, 20]))
            options.update(n_ei_candidates=rng.choice([24, 24, 7, 60]), constant_liar=rng.random() < 0.7)
            options.update(consider_magic_clip=rng.random() < 0.8, consider_endpoints=rng.random() < 0.3, prior_weight=rng.choice([1.0, 1.0, 0.3]))
            options["group"] = options["multivariate"] is True and rng.random() < 0.4
        if name == "nsgaii":
            options.update(population_size=rng.choice([6, 20]), mutation=rng.random() < 0.3)
            options.update(crossover=rng.choice(["Uniform", "Uniform", "BLXAlpha", "SPX", "SBX", "VSBX", "UNDX"]))
        if name == "qmc":
            options.update(qmc_type=rng.choice(["sobol", "halton"]), scramble=rng.random() < 0.5)
        space = Drawn(rng, name == "bruteforce", goals)
        pruner = rng.choice([
            MEDIAN, WILCOXON, ["percentile", dict(percentile=40.0)], ["halving", dict()], ["patient", dict(wrapped=True, patience=1)],
            ["hyperband", dict(min_resource=1, max_resource=7, reduction_factor=2)]]) if space.steps else None
        directions = [rng.choice(["minimize", "maximize"]) for _ in range(goals)]
        yield f"drawn {seed} {index}", space, name, options, directions, 120, pruner


def nsgaii_sampler(crossover=None, mutation=False, **options):
    if crossover:
        options["crossover"] = getattr(nsgaii, crossover + "Crossover")()
    if mutation:
        options["mutation"] = nsgaii.PolynomialMutation()
    return optuna.samplers.NSGAIISampler(**options)


SAMPLERS = dict(
    tuning.SAMPLERS, nsgaii=nsgaii_sampler, bruteforce=optuna.samplers.BruteForceSampler,
    qmc=optuna.samplers.QMCSampler)
PRUNERS = dict(tuning.PRUNERS, wilcoxon=optuna.pruners.WilcoxonPruner)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("output", nargs="?")
    arguments = parser.parse_args()
    golden = Path(__file__).parents[2] / "Tests/TuningTests/Golden"
    optuna.logging.disable_default_handler()
    lines = {"tpe": [], "others": []}
    for name, space, sampler, options, directions, count, pruner in drawn_cases(arguments.random, arguments.seed) if arguments.random else cases():
        if not arguments.random:
            options = dict(options, seed=options["seed"] + arguments.seed)
        recorder = Recorder(
            SAMPLERS[sampler](**options), directions,
            PRUNERS[pruner[0]](**pruner[1]) if pruner else optuna.pruners.NopPruner())
        recorder.run(space, count)
        trace = dict(
            name=name, tie_order="simd", sampler=sampler, options=options, directions=directions, pruner=pruner,
            calls=recorder.calls, trials=recorder.trials)
        lines["tpe" if sampler == "tpe" else "others"].append(json.dumps(trace, separators=(",", ":")))
    if arguments.output:
        write(Path(arguments.output), lines["tpe"] + lines["others"])
    else:
        write(golden / "matrix-tpe.json", lines["tpe"])
        write(golden / "matrix.json", lines["others"])


def write(output, lines):
    made_with = f"scripts/golden/tuning_matrix.py, optuna {optuna.__version__}"
    output.write_text(f'{{"made_with": "{made_with}", "traces": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
