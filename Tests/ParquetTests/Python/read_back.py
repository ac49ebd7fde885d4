"""Reads a Parquet file with pyarrow, DuckDB, Polars and datasets and compares it with JSON Lines.

usage: read_back.py FILE.parquet ROWS.jsonl
"""

import json
import math
import sys
import tempfile

import duckdb
import polars
import pyarrow.parquet
from datasets import Dataset, disable_progress_bars

disable_progress_bars()
path, rows = sys.argv[1:]
expected = [json.loads(line) for line in open(rows, encoding="utf-8")]


def same(left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float):
        return left == right or math.isnan(left) and math.isnan(right)
    return type(left) is type(right) and left == right


def check(reader, found):
    if len(found) != len(expected):
        sys.exit(f"{reader}: {len(found)} rows instead of {len(expected)}")
    for number, (left, right) in enumerate(zip(found, expected)):
        if not same(left, right):
            sys.exit(f"{reader}: row {number}: {left} instead of {right}")


check("pyarrow", pyarrow.parquet.read_table(path).to_pylist())
table = duckdb.connect().execute("SELECT * FROM read_parquet(?)", [path])
names = [column[0] for column in table.description]
check("DuckDB", [dict(zip(names, row)) for row in table.fetchall()])
check("Polars", polars.read_parquet(path).to_dicts())
with tempfile.TemporaryDirectory() as cache:
    check("datasets", Dataset.from_parquet(path, cache_dir=cache).to_list() if expected else [])
