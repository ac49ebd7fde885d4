"""Writes Tests/TrainingTests/Golden/adamw.json: the optimizers and clip_grad_norm_ on small tensors.

    python scripts/golden/adamw.py [--out FILE]

The first tensor is an embedding table of which some rows never get a gradient. Adafactor is
transformers', as its trainer sets it up; the others are torch's. Written with torch 2.13.0+cpu and
transformers 5.23.0, seed 3.
"""

import argparse
import json
import pathlib

import torch
from transformers.optimization import Adafactor

OUT = pathlib.Path(__file__).parents[2] / "Tests/TrainingTests/Golden/adamw.json"

SHAPES = [(6, 5), (33,), (7,)]
STEPS = 12


def rounded(tensor):
    return [float(f"{value:.9g}") for value in tensor.flatten().tolist()]


def case(kind, rates, decay, maximum, **kwargs):
    torch.manual_seed(3)
    parameters = [torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES]
    start = [rounded(parameter.data) for parameter in parameters]
    groups = [
        {"params": parameters[:2], "weight_decay": decay},
        {"params": parameters[2:], "weight_decay": 0.0},
    ]
    optimizer = kind(groups, lr=rates[0], **kwargs)
    steps = []
    for step in range(STEPS):
        gradients = [torch.randn(shape) * 0.3 for shape in SHAPES]
        rows = [step % 3, 4] if step < 6 else [1]
        for row in range(SHAPES[0][0]):
            if row not in rows:
                gradients[0][row] = 0
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient.clone()
        norm = torch.nn.utils.clip_grad_norm_(parameters, maximum)
        for group in optimizer.param_groups:
            group["lr"] = rates[step % len(rates)]
        optimizer.step()
        steps.append({
            "rate": rates[step % len(rates)], "rows": rows, "gradients": [rounded(g) for g in gradients],
            "norm": norm.item(),
        })
    return {
        "kind": kind.__name__, "weight_decay": decay, "max_grad_norm": maximum, "arguments": kwargs,
        "start": start, "steps": steps, "end": [rounded(parameter.data) for parameter in parameters],
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=OUT)
    options = parser.parse_args()
    fused = {"fused": True}
    cases = [
        case(torch.optim.AdamW, [0.0, 0.01, 0.02], 0.0, 1e9, **fused),
        case(torch.optim.AdamW, [0.0, 0.01, 0.02], 0.1, 1.0, **fused),
        case(torch.optim.AdamW, [0.05], 0.3, 0.5, betas=(0.8, 0.95), eps=1e-6, **fused),
        case(torch.optim.SGD, [0.1, 0.05], 0.1, 1.0),
        case(torch.optim.SGD, [0.1], 0.1, 1e9, momentum=0.9, dampening=0.1),
        case(torch.optim.SGD, [0.1], 0.0, 1e9, momentum=0.9, nesterov=True),
        case(torch.optim.Adagrad, [0.1, 0.05], 0.0, 1.0),
        case(torch.optim.Adagrad, [0.1], 0.1, 1e9, lr_decay=0.1, eps=1e-6),
        case(torch.optim.RMSprop, [0.01, 0.02], 0.0, 1.0),
        case(torch.optim.RMSprop, [0.01], 0.1, 1e9, alpha=0.9, eps=1e-6, momentum=0.5),
        case(torch.optim.RMSprop, [0.01], 0.0, 1e9, alpha=0.9, eps=1e-3, centered=True),
        case(Adafactor, [0.0, 0.01, 0.02], 0.0, 1.0, scale_parameter=False, relative_step=False),
        case(Adafactor, [0.05], 0.1, 1e9, scale_parameter=False, relative_step=False),
    ]
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


main()
