"""Writes Tests/TrainingTests/Golden/autograd.json: torch's values and gradients of every operation of
DifferentiableMatrix, and of losses composed of them.

    python scripts/golden/autograd.py

Each case holds its inputs, the value, random weights for the value, and the gradients of
sum(value * weights). The test has the same operation under the same name. torch 2.13.0+cpu, seed 11.
"""

import argparse
import json
import pathlib

import torch
import torch.nn.functional as F


def inputs():
    torch.manual_seed(11)
    return {
        "x": torch.randn(5, 19), "y": torch.randn(5, 19), "z": torch.randn(4, 19), "w": torch.randn(19, 3),
        "row": torch.randn(1, 19), "column": torch.randn(5, 1), "one": torch.randn(1, 1),
        "positive": torch.rand(5, 19) + 0.05, "s": 3 * torch.randn(5, 5),
        # Ties, zeros and the ends of the range of exp.
        "ties": torch.tensor([[1.0, 2.0, 2.0, -1.0], [0.0, 0.0, -3.0, 0.0], [4.0, 4.0, 4.0, 4.0]]),
        "ends": torch.tensor([[-120.0, -100.0, -87.5, -20.0, 0.0, 1e-4, 20.0, 87.5, 88.0]]),
    }


def cat(a, b, dim):
    return torch.cat([a, b], dim)


TARGETS = torch.tensor([3, 0, 4, 1, 1])
OPERATIONS = {
    "exp": (["x"], torch.exp), "exp ends": (["ends"], torch.exp), "log": (["positive"], torch.log),
    "sqrt": (["positive"], torch.sqrt), "abs": (["x"], torch.abs), "abs ties": (["ties"], torch.abs),
    "relu": (["x"], torch.relu), "relu ties": (["ties"], torch.relu), "tanh": (["x"], torch.tanh),
    "tanh ends": (["ends"], torch.tanh), "sigmoid": (["x"], torch.sigmoid),
    "sigmoid ends": (["ends"], torch.sigmoid), "softplus": (["x"], F.softplus),
    "softplus ends": (["ends"], F.softplus), "neg": (["x"], torch.neg),
    "clamp": (["x"], lambda x: x.clamp(-0.5, 0.7)), "clamp ties": (["ties"], lambda x: x.clamp(0, 2)),
    "clamp min": (["x"], lambda x: x.clamp(min=0.1)),
    "pow 2": (["x"], lambda x: x**2), "pow 3": (["x"], lambda x: x**3),
    "pow 0.5": (["positive"], lambda x: x**0.5), "pow -1": (["positive"], lambda x: x**-1),
    "pow 1.7": (["positive"], lambda x: x**1.7), "pow 0": (["x"], lambda x: x**0 + 0 * x),
    "add": (["x", "y"], torch.add), "add row": (["x", "row"], torch.add),
    "add column": (["column", "x"], torch.add), "add outer": (["column", "row"], torch.add),
    "add one": (["one", "x"], torch.add), "add number": (["x"], lambda x: x + 2.5),
    "sub": (["x", "y"], torch.sub), "sub column": (["x", "column"], torch.sub),
    "sub outer": (["row", "column"], torch.sub), "sub number": (["x"], lambda x: x - 2.5),
    "number sub": (["x"], lambda x: 2.5 - x),
    "mul": (["x", "y"], torch.mul), "mul row": (["row", "x"], torch.mul),
    "mul column": (["x", "column"], torch.mul), "mul self": (["x"], lambda x: x * x),
    "mul number": (["x"], lambda x: x * -3),
    "div": (["x", "positive"], torch.div), "div row": (["positive", "row"], torch.div),
    "div column": (["x", "column"], torch.div), "div number": (["x"], lambda x: x / 3),
    "maximum": (["x", "y"], torch.maximum), "maximum number": (["ties"], lambda x: torch.maximum(x, torch.tensor(2.0))),
    "minimum": (["x", "column"], torch.minimum), "minimum self": (["x"], lambda x: torch.minimum(x, x)),
    "where": (["x", "row"], lambda x, r: torch.where(x > 0.2, x, r)),
    "where column": (["column", "x"], lambda c, x: torch.where(c > 0, c, x)),
    "masked_fill": (["x"], lambda x: x.masked_fill(x < 0, 7.0)),
    "matmul": (["x", "w"], torch.matmul), "matmul t": (["x", "z"], lambda x, z: x @ z.T),
    "matmul self": (["s"], lambda s: s @ s), "dot_score": (["x", "z"], lambda x, z: x @ z.T),
    "dot_score self": (["x"], lambda x: x @ x.T), "transpose": (["x"], lambda x: x.T),
    "normalize": (["x"], lambda x: F.normalize(x, dim=-1)),
    "cos_sim": (["x", "z"], lambda x, z: F.normalize(x, dim=1) @ F.normalize(z, dim=1).T),
    "pairwise_dot_score": (["x", "y"], lambda x, y: (x * y).sum(-1, keepdim=True)),
    "pairwise_cos_sim": (
        ["x", "y"], lambda x, y: (F.normalize(x, dim=1) * F.normalize(y, dim=1)).sum(-1, keepdim=True)),
    "sum": (["x"], lambda x: x.sum().reshape(1, 1)), "sum rows": (["x"], lambda x: x.sum(0, keepdim=True)),
    "sum columns": (["x"], lambda x: x.sum(1, keepdim=True)), "mean": (["x"], lambda x: x.mean().reshape(1, 1)),
    "mean rows": (["x"], lambda x: x.mean(0, keepdim=True)),
    "mean columns": (["x"], lambda x: x.mean(1, keepdim=True)),
    "max": (["ties"], lambda x: x.max().reshape(1, 1)), "min": (["ties"], lambda x: x.min().reshape(1, 1)),
    "max rows": (["ties"], lambda x: x.max(0, keepdim=True).values),
    "max columns": (["ties"], lambda x: x.max(1, keepdim=True).values),
    "min rows": (["x"], lambda x: x.min(0, keepdim=True).values),
    "min columns": (["x"], lambda x: x.min(1, keepdim=True).values),
    "norm": (["x"], lambda x: x.norm().reshape(1, 1)), "norm rows": (["x"], lambda x: x.norm(dim=0, keepdim=True)),
    "norm columns": (["x"], lambda x: x.norm(dim=1, keepdim=True)),
    "norm zero": (["x"], lambda x: (x * 0).norm(dim=1, keepdim=True)),
    "softmax rows": (["x"], lambda x: x.softmax(0)), "softmax columns": (["x"], lambda x: x.softmax(1)),
    "log_softmax rows": (["x"], lambda x: x.log_softmax(0)),
    "log_softmax columns": (["x"], lambda x: x.log_softmax(1)),
    "log_softmax ends": (["ends"], lambda x: x.log_softmax(1)),
    "logsumexp": (["x"], lambda x: x.flatten().logsumexp(0).reshape(1, 1)),
    "logsumexp rows": (["x"], lambda x: x.logsumexp(0, keepdim=True)),
    "logsumexp columns": (["x"], lambda x: x.logsumexp(1, keepdim=True)),
    "logsumexp masked": (
        ["s"], lambda s: s.masked_fill(torch.eye(5) > 0, float("-inf")).logsumexp(1, keepdim=True)),
    "cross_entropy": (["s"], lambda s: F.cross_entropy(s, TARGETS).reshape(1, 1)),
    "cross_entropy sum": (["x"], lambda x: F.cross_entropy(x, TARGETS, reduction="sum").reshape(1, 1)),
    "cross_entropy none": (["x"], lambda x: F.cross_entropy(x, TARGETS, reduction="none").reshape(5, 1)),
    "cross_entropy smooth": (["x"], lambda x: F.cross_entropy(x, TARGETS, label_smoothing=0.1).reshape(1, 1)),
    "slice": (["x"], lambda x: x[1:4, 2:17]), "index_select rows": (["x"], lambda x: x[[4, 0, 0, 2]]),
    "index_select columns": (["x"], lambda x: x[:, [18, 3, 3]]),
    "gather": (["x"], lambda x: x.gather(1, torch.tensor([[3, 3], [0, 18], [4, 2], [1, 1], [9, 8]]))),
    "diagonal": (["s"], lambda s: s.diag().reshape(-1, 1)), "diagonal wide": (["x"], lambda x: x.diag().reshape(-1, 1)),
    "reshape": (["x"], lambda x: x.reshape(19, 5)), "cat rows": (["x", "z"], lambda x, z: cat(x, z, 0)),
    "cat columns": (["x", "column"], lambda x, c: cat(x, c, 1)), "cat self": (["x"], lambda x: cat(x, x, 0)),
    "detach": (["x", "y"], lambda x, y: x.detach() * y + x),
    "euclidean_sim": (["x", "z"], lambda x, z: -torch.cdist(x, z, p=2)),
    "euclidean_sim self": (["x"], lambda x: -torch.cdist(x, x, p=2)),
    "manhattan_sim": (["x", "z"], lambda x, z: -torch.cdist(x, z, p=1)),
    "manhattan_sim self": (["ties"], lambda x: -torch.cdist(x, x, p=1)),
    "topk": (["x"], lambda x: x.topk(4).values), "topk smallest": (["x"], lambda x: x.topk(3, largest=False).values),
}

SCORES = torch.tensor([[0.9], [0.1], [0.5], [0.5], [0.3]])
BINARY = torch.tensor([[1.0], [0.0], [1.0], [1.0], [0.0]])


def cos(a, b):
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).T


def pair(a, b):
    return (F.normalize(a, dim=1) * F.normalize(b, dim=1)).sum(1, keepdim=True)


def cosent(a, b):
    s = pair(a, b) * 20
    differences = (s - s.T) + (1 - (SCORES < SCORES.T).float()) * -1e12
    return torch.logsumexp(torch.cat([torch.zeros(1), differences.flatten()]), 0)


def supervised_contrastive(a, b):
    e = F.normalize(torch.cat([a, b]), dim=1)
    s = e @ e.T / 0.1
    labels = torch.cat([BINARY, BINARY])
    same = (labels == labels.T).float() * (1 - torch.eye(10))
    logits = s.masked_fill(torch.eye(10) > 0, float("-inf"))
    logp = logits - logits.logsumexp(1, keepdim=True)
    return -(torch.where(same > 0, logp, torch.zeros(1)).sum(1) / same.sum(1)).mean()


def uniformity(a, b):
    e = F.normalize(a, dim=1)
    align = ((F.normalize(b, dim=1) - e) ** 2).sum(1).mean()
    squared = 2 - 2 * (e @ e.T)
    return align + torch.log(torch.exp(-2 * squared).mean())


def batch_hard(a, b):
    e = torch.cat([a, b])
    labels = torch.cat([BINARY, BINARY])
    squared = (e * e).sum(1, keepdim=True)
    distance = (squared - 2 * e @ e.T + squared.T).clamp(min=0)
    distance = (distance + torch.eye(10)).sqrt() * (1 - torch.eye(10))
    same = (labels == labels.T).float()
    furthest = (distance * same).max(1, keepdim=True).values
    closest = (distance + distance.max() * same).min(1, keepdim=True).values
    return F.softplus(furthest - closest).mean()


LOSSES = {
    "MultipleNegativesRankingLoss": (["x", "y"], lambda a, b: F.cross_entropy(cos(a, b) * 20, torch.arange(5))),
    "symmetric InfoNCE": (
        ["x", "y"], lambda a, b: (
            F.cross_entropy(cos(a, b) * 20, torch.arange(5)) + F.cross_entropy(cos(b, a) * 20, torch.arange(5))) / 2),
    "CosineSimilarityLoss": (["x", "y"], lambda a, b: ((pair(a, b) - SCORES) ** 2).mean()),
    "CoSENTLoss": (["x", "y"], cosent),
    "ContrastiveLoss": (
        ["x", "y"], lambda a, b: (0.5 * (BINARY * (1 - pair(a, b)) ** 2
                                         + (1 - BINARY) * F.relu(0.5 - (1 - pair(a, b))) ** 2)).mean()),
    "TripletLoss": (
        ["x", "y", "positive"], lambda a, p, n: F.relu((a - p).norm(dim=1) - (a - n).norm(dim=1) + 5).mean()),
    "MarginMSELoss": (
        ["x", "y", "positive"], lambda a, p, n: (((a * p).sum(1, True) - (a * n).sum(1, True) - SCORES) ** 2).mean()),
    "supervised contrastive": (["x", "y"], supervised_contrastive),
    "alignment and uniformity": (["x", "y"], uniformity),
    "BatchHardSoftMarginTripletLoss": (["x", "y"], batch_hard),
    "distillation": (
        ["x", "y"], lambda a, b: -(cos(b, b).detach().div(0.2).softmax(1) * cos(a, a).div(0.2).log_softmax(1)).sum(1).mean()),
    "SoftmaxLoss": (
        ["x", "y", "w"], lambda a, b, w: F.cross_entropy((a - b).abs() @ w, torch.tensor([0, 2, 1, 1, 0]))),
}


def rounded(value, digits=7):
    """Nine significant digits tell any two float32 apart; JSON has no infinity."""
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if abs(value) < float("inf") else str(value)


def main():
    parser = argparse.ArgumentParser()
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--out", default=root / "Tests/TrainingTests/Golden/autograd.json")
    options = parser.parse_args()
    data = inputs()
    written = {"inputs": {name: rounded(value.tolist(), 9) for name, value in data.items()}, "cases": []}
    for kind, table in (("operation", OPERATIONS), ("loss", LOSSES)):
        for name, (names, function) in table.items():
            variables = [data[n].clone().requires_grad_() for n in names]
            value = function(*variables)
            if kind == "loss":
                value = value.reshape(1, 1)
            weights = torch.ones(1, 1) if kind == "loss" else torch.randn_like(value)
            (value * weights).sum().backward()
            gradients = [v.grad if v.grad is not None else torch.zeros_like(v) for v in variables]
            written["cases"].append({
                "kind": kind, "name": name, "inputs": names, "value": rounded(value.tolist()),
                "weights": rounded(weights.tolist(), 9), "gradients": [rounded(g.tolist()) for g in gradients],
            })
    lines = [json.dumps(case, separators=(",", ":")) for case in written["cases"]]
    with open(options.out, "w", encoding="utf-8") as out:
        out.write('{"inputs":' + json.dumps(written["inputs"], separators=(",", ":")))
        out.write(',\n"cases":[\n' + ",\n".join(lines) + "\n]}\n")


main()
