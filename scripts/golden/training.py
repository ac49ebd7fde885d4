"""Writes Tests/TrainingTests/Golden/training-<name>.json: what sentence-transformers does on one model.

    python scripts/golden/training.py [gradients|steps|bf16|epoch --model FOLDER --data FOLDER --out FILE]

Without arguments all files that the tests read: of the tiny model, and of all-MiniLM-L6-v2 where
ST_HOST_MODEL and ST_HOST_DATA name it and the data.

`gradients`: per loss, with dropout off, the loss value and for every parameter the gradient's L2
norm and a few elements. `steps`: the log of 30 updates with dropout off, warmup, weight decay and
clipping on. `bf16`: 12 of them with bf16=True. `epoch`: the logs of an epoch over 640 triplets with dropout on, one per batch sampler,
each ending with the evaluator's metrics. `--data` holds nli-triplets.jsonl, stsb-train.jsonl and
stsb-dev.jsonl (for `--small`, tables of 64 triplets and 64 scored pairs are enough).
Written with sentence-transformers 6.2.0, transformers 5.23.0, torch 2.13.0+cpu.
"""

import argparse
import json
import os
import pathlib
import tempfile

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, losses
from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator


def read(folder, name, count=None):
    with open(os.path.join(folder, name), encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    rows = rows[:count]
    return {key: [row[key] for row in rows] for key in rows[0]}


def load(folder, dropout=True):
    kwargs = {} if dropout else {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return SentenceTransformer(folder, device="cpu", config_kwargs=kwargs)


def gradient_cases(model):
    metric = losses.TripletDistanceMetric
    return [
        ("mnrl-triplets", losses.MultipleNegativesRankingLoss(model), "triplets", 3),
        ("mnrl-pairs", losses.MultipleNegativesRankingLoss(model), "triplets", 2),
        (
            "mnrl-four-directions",
            losses.MultipleNegativesRankingLoss(
                model,
                directions=("query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"),
                hardness_mode="hard_negatives",
                hardness_strength=5.0,
            ),
            "triplets",
            3,
        ),
        ("cosine", losses.CosineSimilarityLoss(model), "pairs", 2),
        ("cosent", losses.CoSENTLoss(model), "pairs", 2),
        ("triplet-euclidean", losses.TripletLoss(model), "triplets", 3),
        (
            "triplet-cosine",
            losses.TripletLoss(model, distance_metric=metric.COSINE, triplet_margin=0.5),
            "triplets",
            3,
        ),
    ]


def gradients(options):
    # With few rows the real model's ranking loss is almost 0 and its gradient mostly rounding.
    rows = 8 if options.small else 32
    triplets = read(options.data, "nli-triplets.jsonl", rows)
    scored = read(options.data, "stsb-train.jsonl", rows)
    model = load(options.model, dropout=False)
    model.train()
    cases = []
    for name, loss, table, columns in gradient_cases(model):
        model.zero_grad()
        if table == "triplets":
            texts, labels = list(triplets.values())[:columns], None
        else:
            texts, labels = [scored["sentence1"], scored["sentence2"]], torch.tensor(scored["score"])
        features = [model.tokenize(column) for column in texts]
        value = loss(features, labels)
        value.backward()
        tensors = []
        for key, parameter in model.named_parameters():
            key = key.split("model.", 1)[-1] if key.startswith("0.") else key
            if parameter.grad is None:
                tensors.append({"name": key, "norm": None})
                continue
            flat = parameter.grad.double().flatten()
            # The four largest elements and one from the middle: a permuted gradient shows.
            top = flat.abs().topk(min(4, len(flat))).indices.tolist()
            probes = [[i, float(f"{flat[i].item():.9g}")] for i in top + [len(flat) // 2]]
            tensors.append({"name": key, "norm": flat.norm().item(), "probes": probes})
        cases.append({"name": name, "columns": columns, "loss": value.item(), "tensors": tensors})
    return {"rows": rows, "cases": cases}


def run(options, model, rows, evaluator=None, loss=None, **arguments):
    table = Dataset.from_dict(read(options.data, "nli-triplets.jsonl", rows))
    with tempfile.TemporaryDirectory() as folder:
        trainer = SentenceTransformerTrainer(
            model=model,
            args=Arguments(
                output_dir=folder, save_strategy="no", logging_steps=1, report_to="none",
                disable_tqdm=True, seed=42, **arguments,
            ),
            train_dataset=table,
            evaluator=evaluator,
            loss=losses.MultipleNegativesRankingLoss(model) if loss is None else loss(model),
        )
        output = trainer.train()
    return {
        "global_step": output.global_step,
        "training_loss": output.training_loss,
        "log_history": [
            {k: v for k, v in entry.items() if "runtime" not in k and "per_second" not in k}
            for entry in trainer.state.log_history
        ],
    }


def bf16(options):
    return steps(options, bf16=True)


def steps(options, **more):
    rows, batch, updates = (64, 8, 30) if options.small else (960, 32, 30)
    if more:
        rows, batch, updates = 96, 8, 12
    arguments = dict(
        per_device_train_batch_size=batch, max_steps=updates, warmup_steps=5, weight_decay=0.01,
        max_grad_norm=1.0, learning_rate=5e-5, **more,
    )
    # Python takes bf16 on a CPU only when it is told to stay there.
    device = {"use_cpu": True} if more else {}
    return {
        "rows": rows,
        "arguments": arguments,
        **run(options, load(options.model, dropout=False), rows, **arguments, **device),
    }


def epoch(options):
    rows, batch = (64, 8) if options.small else (640, 32)
    dev = read(options.data, "stsb-dev.jsonl")
    result = {"rows": rows, "batch": batch, "runs": []}
    for sampler in ("batch_sampler", "no_duplicates"):
        evaluator = EmbeddingSimilarityEvaluator(
            dev["sentence1"], dev["sentence2"], dev["score"], name="sts-dev", write_csv=False
        )
        arguments = dict(
            per_device_train_batch_size=batch, num_train_epochs=1, batch_sampler=sampler,
            eval_strategy="epoch",
        )
        log = run(options, load(options.model), rows, evaluator=evaluator, **arguments)
        result["runs"].append({"batch_sampler": sampler, **log})
    return result


PARTS = {"gradients": gradients, "steps": steps, "bf16": bf16, "epoch": epoch}


def write(options):
    result = PARTS[options.part](options)
    with open(options.out, "w", encoding="utf-8") as out:
        json.dump(result, out, indent=None, separators=(",", ":"))
        out.write("\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", choices=list(PARTS))
    parser.add_argument("--model", default=os.environ.get("ST_HOST_MODEL"))
    parser.add_argument("--data", default=os.environ.get("ST_HOST_DATA"))
    parser.add_argument("--out")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    if options.part:
        if not (options.model and options.data and options.out):
            parser.error(f"{options.part} needs --model, --data and --out")
        write(options)
        return
    golden = pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden"
    models = [("bert", golden / "model/bert", golden / "tables", True)]
    if options.model and options.data:
        models.append(("minilm", options.model, options.data, False))
    for name, model, data, small in models:
        for part in PARTS:
            if part == "bf16" and small:
                continue
            write(argparse.Namespace(
                part=part, model=str(model), data=str(data), small=small,
                out=golden / f"training-{name}-{part}.json"))


main()
