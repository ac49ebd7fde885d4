"""Writes Tests/TrainingTests/Golden/tables/: small tables in the words of the tiny test models.

    python scripts/golden/tiny_tables.py --model FOLDER --out Tests/TrainingTests/Golden/tables

The three files have the names and columns of the real ones, so that training.py --small runs on them.
"""

import argparse
import json
import os
import pathlib
import random


def main():
    parser = argparse.ArgumentParser()
    golden = pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden"
    parser.add_argument("--model", default=golden / "model/bert")
    parser.add_argument("--out", default=golden / "tables")
    options = parser.parse_args()
    with open(os.path.join(options.model, "tokenizer.json"), encoding="utf-8") as file:
        words = [w for w in json.load(file)["model"]["vocab"] if w.isalpha()]
    draw = random.Random(11)

    def sentence():
        return " ".join(draw.choices(words, k=draw.randrange(2, 14)))

    def related(text):
        kept = [w if draw.random() < 0.7 else draw.choice(words) for w in text.split()]
        return " ".join(kept)

    def triplet():
        anchor = sentence()
        return {"anchor": anchor, "positive": related(anchor), "negative": sentence()}

    def pair(index):
        first = sentence()
        second = related(first) if index % 2 else sentence()
        return {"sentence1": first, "sentence2": second, "score": round(draw.random(), 2)}

    os.makedirs(options.out, exist_ok=True)
    tables = {
        "nli-triplets": [triplet() for _ in range(60)],
        "stsb-train": [pair(i) for i in range(32)],
        "stsb-dev": [pair(i) for i in range(40)],
    }
    # Repeated texts, for NO_DUPLICATES to avoid.
    for i in range(4):
        tables["nli-triplets"].append(dict(tables["nli-triplets"][i * 3], negative=sentence()))
    for name, rows in tables.items():
        with open(os.path.join(options.out, f"{name}.jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


main()
