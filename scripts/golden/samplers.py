"""Writes Tests/TrainingTests/Golden/samplers.json: the batches of sentence-transformers' loaders.

    python scripts/golden/samplers.py --model FOLDER --out Tests/TrainingTests/Golden/samplers.json

Batches are row numbers, for the training loader (epochs 0, 1, 2) and the evaluation loader of a real
trainer. Tables have repeated texts, so that NO_DUPLICATES has something to avoid. Written with
sentence-transformers 6.2.0, accelerate 1.15.0, torch 2.13.0+cpu.
"""

import argparse
import json
import os
import pathlib
import random
import tempfile

from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, losses
from sentence_transformers import SentenceTransformerTrainingArguments as Arguments


def table(rows, values, labels=None, seed=0):
    draw = random.Random(seed)
    columns = {name: [f"t{draw.randrange(values)}" for _ in range(rows)] for name in ("a", "b")}
    if labels:
        columns["label"] = [draw.randrange(labels) for _ in range(rows)]
    return columns


def case(model, tables, **arguments):
    datasets = {name: Dataset.from_dict(columns) for name, columns in tables.items()}
    only = next(iter(datasets.values())) if len(datasets) == 1 else datasets
    with tempfile.TemporaryDirectory() as folder:
        trainer = SentenceTransformerTrainer(
            model=model,
            args=Arguments(output_dir=folder, report_to="none", **arguments),
            train_dataset=only,
            eval_dataset=next(iter(datasets.values())),
            loss=losses.CoSENTLoss(model),
        )
        loader = trainer.get_train_dataloader()
        epochs = []
        for epoch in range(3):
            loader.set_epoch(epoch)
            inner = getattr(loader.batch_sampler, "batch_sampler", None)
            if hasattr(inner, "set_epoch"):
                inner.set_epoch(epoch)
            epochs.append([list(map(int, batch)) for batch in loader.batch_sampler])
        evaluation = trainer.get_eval_dataloader()
        batches = [list(map(int, batch)) for batch in evaluation.batch_sampler]
    return {
        "tables": tables, "arguments": arguments, "count": len(loader), "epochs": epochs,
        "evaluation": batches,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=os.environ.get("ST_HOST_MODEL"))
    parser.add_argument(
        "--out", default=pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden/samplers.json")
    options = parser.parse_args()
    model = SentenceTransformer(options.model, device="cpu")
    one = {"one": table(37, 60, labels=4)}
    crowded = {"one": table(30, 8, seed=2)}
    several = {"x": table(23, 40, seed=3), "y": table(9, 40, seed=4), "z": table(40, 60, seed=5)}
    labelled = {"x": table(23, 40, labels=3, seed=6), "y": table(18, 40, labels=2, seed=7)}
    size = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4}
    cases = []
    for seed in (42, 7):
        for drop in (False, True):
            common = {"seed": seed, "dataloader_drop_last": drop, **size}
            for sampler in ("batch_sampler", "no_duplicates", "group_by_label"):
                cases.append(case(model, one, batch_sampler=sampler, **common))
            cases.append(case(model, crowded, batch_sampler="no_duplicates", **common))
            cases.append(case(model, crowded, batch_sampler="no_duplicates_hashed", **common))
            for multi in ("proportional", "round_robin"):
                for sampler in ("batch_sampler", "no_duplicates"):
                    cases.append(case(
                        model, several, batch_sampler=sampler, multi_dataset_batch_sampler=multi, **common))
                cases.append(case(
                    model, labelled, batch_sampler="group_by_label", multi_dataset_batch_sampler=multi,
                    **common))
    cases.append(case(model, one, data_seed=5, seed=42, **size))
    cases.append(case(model, one, data_seed=5, seed=42, batch_sampler="no_duplicates", **size))
    cases.append(case(model, several, data_seed=5, seed=42, **size))
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


main()
