"""Writes Tests/TrainingTests/Golden/schedules.json: learning rates of every schedule of transformers.

    python scripts/golden/schedules.py --out Tests/TrainingTests/Golden/schedules.json

`steps`: the learning rate of updates 0..N+2 for a base rate. `metrics`: the rates after each metric of
a sequence, for the two schedules that follow one. Written with transformers 5.23.0, torch 2.13.0+cpu.
"""

import argparse
import json
import math
import pathlib

import torch
from transformers import get_scheduler


def optimizer(rate):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def step_case(name, total, warmup, rate, **kwargs):
    sgd = optimizer(rate)
    schedule = get_scheduler(name, sgd, warmup, total, kwargs)
    rates = []
    for _ in range(total + 3):
        rates.append(sgd.param_groups[0]["lr"])
        sgd.step()
        schedule.step()
    return {"type": name, "total": total, "warmup": warmup, "base": rate, "kwargs": kwargs, "rates": rates}


def step_cases():
    for total, warmup in ((10, 3), (7, 0), (5, 5), (20, 1)):
        for rate in (1.0, 5e-5):
            def case(name, **kwargs):
                return step_case(name, total, warmup, rate, **kwargs)

            for name in ("linear", "cosine", "cosine_with_restarts", "constant", "constant_with_warmup",
                         "inverse_sqrt"):
                yield case(name)
            if total != warmup:
                yield case("polynomial")
                yield case("polynomial", power=2.0, lr_end=rate / 100)
            yield case("cosine", num_cycles=1.5)
            yield case("cosine_with_restarts", num_cycles=2)
            yield case("inverse_sqrt", timescale=4)
            for name in ("cosine_with_min_lr", "cosine_warmup_with_min_lr"):
                yield case(name, min_lr_rate=0.1)
                yield case(name, min_lr=rate / 4, num_cycles=1.0)
            yield case("cosine_warmup_with_min_lr", min_lr_rate=0.1, warmup_lr_rate=0.2)
            yield case("warmup_stable_decay", num_decay_steps=4)
            yield case("warmup_stable_decay", num_decay_steps=2, num_stable_steps=3, min_lr_ratio=0.2)
            for kind in ("linear", "cosine", "1-sqrt"):
                yield case("warmup_stable_decay", num_decay_steps=4, warmup_type=kind, decay_type=kind)


def metric_case(name, rate, metrics, **kwargs):
    sgd = optimizer(rate)
    schedule = get_scheduler(name, sgd, None, None, kwargs)
    rates = []
    for metric in metrics:
        sgd.step()
        schedule.step(metric)
        rates.append(sgd.param_groups[0]["lr"])
    return {"type": name, "base": rate, "kwargs": kwargs, "metrics": metrics, "rates": rates}


def metric_cases():
    falling = [2.0 - 0.1 * i for i in range(15)]
    flat = [0.5] * 15
    wave = [1 + 0.5 * math.sin(i / 2) - 0.01 * i for i in range(40)]
    for metrics in (falling, flat, wave):
        yield metric_case("reduce_lr_on_plateau", 0.1, metrics)
        yield metric_case("reduce_lr_on_plateau", 0.1, metrics, patience=1, factor=0.5, cooldown=2)
        yield metric_case("reduce_lr_on_plateau", 0.1, metrics, mode="max", patience=0, min_lr=0.02,
                          threshold=0.05, threshold_mode="abs")
        yield metric_case("greedy", 0.1, metrics)
        yield metric_case("greedy", 0.1, metrics, patience=1, factor=0.5, min_lr=0.01, max_lr=0.5)
        yield metric_case("greedy", 0.1, metrics, patience=0, mode="max", cooldown=1, warmup=2,
                          threshold_mode="rel", threshold=0.01)
        yield metric_case("greedy", 0.1, metrics, patience=0, factor=0.3, min_lr=0.05, reset_start=2)
        yield metric_case("greedy", 0.1, metrics, patience=0, smooth=True, window_size=3, min_lr=0.001)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--out", default=pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden/schedules.json")
    options = parser.parse_args()
    lines = {"steps": step_cases(), "metrics": metric_cases()}
    parts = [
        f'"{key}":[\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"
        for key, cases in lines.items()
    ]
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("{" + ",\n".join(parts) + "}\n")


main()
