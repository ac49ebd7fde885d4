"""Writes Tests/TrainingTests/Golden/dataset_rows.json: the rows that datasets' shuffle,
train_test_split, interleave_datasets and split slices give, and what class_encode_column makes.

    python scripts/golden/dataset_rows.py [--out FILE]

Rows are kept as their number, the first eight of them and a checksum of all.
Written with datasets 5.2.0, numpy 2.4.6.
"""

import argparse
import json
import logging
import pathlib
import random
import tempfile

import datasets

datasets.disable_progress_bars()
logging.disable(logging.CRITICAL)

SPLITS = {"train": 1037, "validation": 205, "test": 15}


def digest(rows):
    checksum = 0
    for row in rows:
        checksum = (checksum * 31 + row) % 2**32
    return {"count": len(rows), "first": list(rows[:8]), "checksum": checksum}


def numbers(count, start=0):
    return datasets.Dataset.from_dict({"n": list(range(start, start + count))})


def values(dataset):
    return [] if len(dataset) == 0 else list(dataset["n"])


def shuffles(draw):
    cases = []
    for index in range(50):
        seed = index if index < 20 else draw.randrange(2**63)
        rows = draw.choice([1, 2, 3, 10, 100, 999, 1000, 4096, 20000])
        cases.append({"seed": seed, "rows": rows, **digest(values(numbers(rows).shuffle(seed=seed)))})
    return cases


def parts(draw):
    cases = []
    while len(cases) < 50:
        rows = draw.choice([2, 5, 10, 101, 1000, 3001])
        options = {"seed": draw.randrange(2**40)}
        kinds = draw.choice(["test", "train", "both", "none"])
        for name in ("test", "train"):
            if kinds in (name, "both"):
                share = round(draw.uniform(0.01, 0.6), 3)
                options[f"{name}_size"] = draw.choice([share, max(1, int(rows * share))])
        if draw.random() < 0.15:
            options["shuffle"] = False
        try:
            split = numbers(rows).train_test_split(**options)
        except ValueError:
            cases.append({"rows": rows, "options": options, "train": None})
            continue
        cases.append({"rows": rows, "options": options, "train": digest(values(split["train"])),
                      "test": digest(values(split["test"]))})
    return cases


def expressions(draw):
    def bound(percent):
        if draw.random() < 0.2:
            return ""
        number = draw.randrange(-100, 101) if percent else draw.randrange(-300, 1200)
        return f"{number}{'%' if percent else ''}"

    def part():
        name = draw.choice(list(SPLITS))
        if draw.random() < 0.15:
            return name
        kind = draw.random()
        if kind < 0.5:
            text = f"{name}[{bound(True)}:{bound(True)}]"
            return text + "(pct1_dropremainder)" if kind < 0.15 and name != "test" else text
        return f"{name}[{bound(False)}:{bound(kind < 0.6)}]"

    return ["+".join(part() for _ in range(draw.choice([1, 1, 1, 2, 3]))) for _ in range(80)]


def slices(draw, folder):
    files, start = {}, 0
    for name, count in SPLITS.items():
        files[name] = str(pathlib.Path(folder) / f"{name}.jsonl")
        numbers(count, start).to_json(files[name])
        start += count
    cases = []
    for text in expressions(draw):
        try:
            loaded = datasets.load_dataset("json", data_files=files, split=text, cache_dir=folder)
            cases.append({"split": text, **digest(values(loaded))})
        except (ValueError, AssertionError):
            cases.append({"split": text, "count": None})
    return cases


def mixtures(draw):
    strategies = ["first_exhausted", "all_exhausted", "all_exhausted_without_replacement"]
    cases = []
    for index in range(54):
        lengths = [draw.choice([1, 3, 10, 50, 400]) for _ in range(draw.choice([1, 2, 3, 5]))]
        options = {"stopping_strategy": strategies[index % 3]}
        if index % 2:
            weights = [draw.uniform(0.05, 1) for _ in lengths]
            options |= {"probabilities": [w / sum(weights) for w in weights],
                        "seed": draw.randrange(2**40)}
        start, sources = 0, []
        for length in lengths:
            sources.append(numbers(length, start))
            start += length
        mixed = datasets.interleave_datasets(sources, **options)
        cases.append({"lengths": lengths, "options": options, **digest(values(mixed))})
    return cases


def classes():
    columns = [
        ["b", "a", None, "b", "ä", "B"], [3, 1, 2, 10, None, -1], [0.5, 1e20, -0.0, 2.0, None, 1e-7],
        [True, False, None, True], ["x", "x", "None", None], [" y", "y", "1", "0"],
    ]
    cases = []
    for column in columns:
        for include in (False, True):
            made = datasets.Dataset.from_dict({"n": column}).class_encode_column("n", include_nulls=include)
            cases.append({"values": column, "include_nulls": include,
                          "names": made.features["n"].names, "rows": list(made["n"])})
    return cases


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=root / "Tests/TrainingTests/Golden/dataset_rows.json")
    out = pathlib.Path(parser.parse_args().out)
    draw = random.Random(2026)
    with tempfile.TemporaryDirectory() as folder:
        golden = {"splits": SPLITS, "slices": slices(draw, folder), "shuffle": shuffles(draw),
                  "train_test_split": parts(draw), "interleave": mixtures(draw), "classes": classes()}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in golden.items()]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
