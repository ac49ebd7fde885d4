"""Writes Tests/TrainingTests/Golden/arguments.json: names and defaults of Python's training arguments.

    python scripts/golden/arguments.py --out Tests/TrainingTests/Golden/arguments.json

Defaults are those of the class's fields; a default that is no plain value is written as its string.
Written with sentence-transformers 6.2.0, transformers 5.23.0.
"""

import argparse
import dataclasses
import enum
import json
import pathlib

from sentence_transformers import SentenceTransformerTrainingArguments


def plain(field):
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if isinstance(value, enum.Enum):
        value = value.value
    return value if isinstance(value, (bool, int, float, str, list, dict, type(None))) else str(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--out", default=pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden/arguments.json")
    options = parser.parse_args()
    fields = [f for f in dataclasses.fields(SentenceTransformerTrainingArguments) if f.init]
    lines = [json.dumps({"name": f.name, "default": plain(f)}) for f in fields]
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(lines) + "\n]\n")


main()
