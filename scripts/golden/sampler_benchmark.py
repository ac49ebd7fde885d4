"""Writes Tests/TuningTests/Golden/benchmark.json: the best values that Optuna's samplers find on published
test functions, over 20 seeds. SamplerBenchmarkTests runs the same and compares the distributions.

    python scripts/golden/sampler_benchmark.py [OUTPUT_FILE]
"""

import json
import math
import sys
import warnings
from pathlib import Path

import optuna

warnings.simplefilter("ignore")
optuna.logging.disable_default_handler()
TRIALS, SEEDS = 120, 20

A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [[0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886], [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
     [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650], [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381]]
ALPHA = [1.0, 1.2, 3.0, 3.2]


def sphere(t):
    return sum((t.suggest_float(f"x{i}", -5, 5) - 1) ** 2 for i in range(5))


def rosenbrock(t):
    x = [t.suggest_float(f"x{i}", -2, 2) for i in range(3)]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:]))


def branin(t):
    x, y = t.suggest_float("x0", -5, 10), t.suggest_float("x1", 0, 15)
    return (y - 5.1 / (4 * math.pi ** 2) * x * x + 5 / math.pi * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann6(t):
    x = [t.suggest_float(f"x{i}", 0, 1) for i in range(6)]
    return -sum(w * math.exp(-sum(a * (v - p) ** 2 for a, v, p in zip(r, x, q))) for w, r, q in zip(ALPHA, A, P))


def steps(t):
    """Integers and steps, for CMA-ES with margin."""
    x = [t.suggest_int(f"x{i}", -10, 10) for i in range(3)] + [t.suggest_float("x3", -1, 1, step=0.25), t.suggest_float("x4", -5, 5)]
    return sum((v - 3) ** 2 for v in x[:3]) + 4 * (x[3] - 0.5) ** 2 + (x[4] + 1) ** 2


def mixed(t):
    """Choices and logarithms: a learning problem in small."""
    rate, width, kind = t.suggest_float("rate", 1e-5, 1e-1, log=True), t.suggest_int("width", 1, 64), t.suggest_categorical("kind", ["a", "b", "c"])
    return (math.log10(rate) + 2.5) ** 2 + ((width - 20) / 16) ** 2 + dict(a=1.0, b=0.0, c=2.0)[kind] * (1 + 0.1 * math.log10(rate))


def constrained(t):
    value = branin(t)
    t.set_constraint("disc", (t.params["x0"] - 2.5) ** 2 + (t.params["x1"] - 7.5) ** 2 - 50)
    return value


def zdt1(t):
    x = [t.suggest_float(f"x{i}", 0, 1) for i in range(4)]
    g = 1 + 3 * sum(x[1:])
    return x[0], g * (1 - math.sqrt(x[0] / g))


def best_of(study):
    """The best feasible value; with two objectives the area that is not dominated, up to (1.1, 10)."""
    trials = [t for t in study.trials if all(c <= 0 for c in t.constraints.values())]
    if len(study.directions) == 1:
        return min(t.value for t in trials)
    area, ceiling = 11.0, 10.0
    for x, y in sorted(t.values for t in trials):
        if x < 1.1 and y < ceiling:
            area, ceiling = area - (1.1 - x) * (ceiling - y), y
    return area


SAMPLERS = dict(
    cmaes=lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
    separable=lambda seed: optuna.samplers.CmaEsSampler(seed=seed, use_separable_cma=True),
    margin=lambda seed: optuna.samplers.CmaEsSampler(seed=seed, with_margin=True),
    lr_adapt=lambda seed: optuna.samplers.CmaEsSampler(seed=seed, lr_adapt=True),
    sobol=lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True),
    halton=lambda seed: optuna.samplers.QMCSampler(seed=seed, scramble=True, qmc_type="halton"),
)


def line(sampler, make, objective, trials):
    best = []
    for seed in range(SEEDS):
        study = optuna.create_study(sampler=make(seed), directions=["minimize"] * (2 if objective is zdt1 else 1))
        study.optimize(objective, n_trials=trials)
        best.append(best_of(study))
    return json.dumps(dict(sampler=sampler, objective=objective.__name__, trials=trials, best=best), separators=(",", ":"))


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "Tests/TuningTests/Golden/benchmark.json")
    functions = (sphere, rosenbrock, branin, hartmann6, steps)
    lines = [line(sampler, make, objective, TRIALS) for sampler, make in SAMPLERS.items() for objective in functions]
    gp = lambda seed: optuna.samplers.GPSampler(seed=seed)
    # Gaussian processes are for few trials, and each takes Python its time.
    lines += [line("gp", gp, objective, 30) for objective in (branin, mixed)]
    lines += [line("gp", gp, objective, 20) for objective in (sphere, rosenbrock, hartmann6, steps, constrained, zdt1)]
    output.write_text('{"results": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
