"""Writes Tests/TrainingTests/Golden/cached-losses.json: runs of the losses that work in mini-batches.

Each run trains the tiny model on the 64 triplets of Golden/tables, dropout on: the log of every update, whose
losses and gradient norms show that both passes over a mini-batch had the same dropout masks.
Written with sentence-transformers 6.2.0, transformers 5.23.0, torch 2.13.0+cpu.
"""

import json
import pathlib
import tempfile

from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, losses
from sentence_transformers import SentenceTransformerTrainingArguments as Arguments

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden"

RUNS = [
    ("CachedMultipleNegativesRankingLoss", {"mini_batch_size": 5}, ["anchor", "positive", "negative"]),
    ("CachedMultipleNegativesRankingLoss", {"mini_batch_num_tokens": 60}, ["anchor", "positive"]),
    (
        "CachedMultipleNegativesRankingLoss",
        {
            "mini_batch_size": 3,
            "directions": ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"],
            "hardness_mode": "hard_negatives",
            "hardness_strength": 5.0,
        },
        ["anchor", "positive", "negative"],
    ),
    ("CachedMultipleNegativesSymmetricRankingLoss", {"mini_batch_size": 32}, ["anchor", "positive"]),
]


def main():
    with open(GOLDEN / "tables/nli-triplets.jsonl", encoding="utf-8") as lines:
        table = [json.loads(line) for line in lines]
    runs = []
    for name, keywords, columns in RUNS:
        model = SentenceTransformer(str(GOLDEN / "model/bert"), device="cpu")
        given = {key: tuple(value) if isinstance(value, list) else value for key, value in keywords.items()}
        with tempfile.TemporaryDirectory() as folder:
            trainer = SentenceTransformerTrainer(
                model=model,
                args=Arguments(
                    output_dir=folder, save_strategy="no", logging_steps=1, report_to="none", disable_tqdm=True,
                    seed=42, per_device_train_batch_size=16, num_train_epochs=2, learning_rate=1e-3,
                ),
                train_dataset=Dataset.from_dict({key: [row[key] for row in table] for key in columns}),
                loss=getattr(losses, name)(model, **given),
            )
            trainer.train()
        log = [
            {key: entry[key] for key in ("loss", "grad_norm", "learning_rate", "epoch", "step")}
            for entry in trainer.state.log_history
            if "loss" in entry
        ]
        runs.append({"loss": name, "keywords": keywords, "columns": columns, "log_history": log})
    with open(GOLDEN / "cached-losses.json", "w", encoding="utf-8") as out:
        json.dump({"runs": runs}, out, separators=(",", ":"))
        out.write("\n")


main()
