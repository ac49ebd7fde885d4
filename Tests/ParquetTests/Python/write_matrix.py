"""Writes Parquet files in every way that pyarrow, DuckDB and Polars know, and what is in them.

usage: write_matrix.py FOLDER

FOLDER gets the files and expected.jsonl, a line a file: {"file": ..., "columns": {name: values}}.
Values are as pyarrow gives them to Python; dates, times and instants as str() writes them.
"""

import datetime
import decimal
import itertools
import json
import pathlib
import random
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
expected = open(folder / "expected.jsonl", "w", encoding="utf-8")


def plain(value):
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        if isinstance(value, datetime.datetime):
            value = value.replace(tzinfo=None)
        return str(value)
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (np.floating, np.integer)):
        return value.item()
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, tuple):  # a pair of a map
        return {"key": plain(value[0]), "value": plain(value[1])}
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


def record(path, table=None):
    """Writes down what pyarrow reads, or what `table` had where pyarrow can't read DuckDB's file."""
    table = pq.ParquetFile(path).read() if table is None else table
    columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        columns[name] = plain(column.to_pylist())
    expected.write(json.dumps({"file": path.name, "columns": columns}) + "\n")


def words(generator, count, kind):
    if kind == "few":
        return [generator.choice(["red", "green", "bläulich", "", "日本"]) for _ in range(count)]
    if kind == "long":
        return ["x" * generator.randrange(0, 2000) + "é" for _ in range(count)]
    return ["".join(generator.choices("abc ñ😀", k=generator.randrange(0, 40))) for _ in range(count)]


def with_nulls(generator, values, share):
    return [None if generator.random() < share else value for value in values]


def flat_table(seed, count, nulls):
    g = random.Random(seed)
    def n(values):
        return with_nulls(g, values, nulls)
    day = datetime.datetime(1969, 1, 1)
    def instants():
        return [day + datetime.timedelta(microseconds=g.randrange(9 * 10**15)) for _ in range(count)]
    return pa.table({
        "words": pa.array(n(words(g, count, "any")), pa.string()),
        "few": pa.array(n(words(g, count, "few")), pa.large_string()),
        "i8": pa.array(n([g.randrange(-128, 128) for _ in range(count)]), pa.int8()),
        "u16": pa.array(n([g.randrange(0, 65536) for _ in range(count)]), pa.uint16()),
        "i32": pa.array(n([g.randrange(-2**31, 2**31) for _ in range(count)]), pa.int32()),
        "u32": pa.array(n([g.randrange(0, 2**32) for _ in range(count)]), pa.uint32()),
        "i64": pa.array(n([g.randrange(-2**63, 2**63) for _ in range(count)]), pa.int64()),
        "rising": pa.array(n(list(range(count))), pa.int64()),
        "f32": pa.array(n([np.float32(g.gauss(0, 1)).item() for _ in range(count)]), pa.float32()),
        "f64": pa.array(n([g.gauss(0, 1e10) for _ in range(count)]), pa.float64()),
        "flag": pa.array(n([g.random() < 0.3 for _ in range(count)]), pa.bool_()),
        "day": pa.array(n([v.date() for v in instants()]), pa.date32()),
        "at": pa.array(n(instants()), pa.timestamp("us")),
    })


def nested_table(seed, count, nulls):
    g = random.Random(seed)
    def n(values):
        return with_nulls(g, values, nulls)
    def size():
        return g.choice([0, 1, 2, 3, 7])
    lists = n([n(words(g, size(), "few")) for _ in range(count)])
    numbers = n([[g.randrange(1000) for _ in range(size())] for _ in range(count)])
    deep = n([n([n([g.gauss(0, 1) for _ in range(size())]) for _ in range(size())])
              for _ in range(count)])
    record = pa.struct([("a", pa.int32()), ("b", pa.string()), ("c", pa.list_(pa.int64()))])
    def one():
        return {"a": n([g.randrange(9)])[0], "b": n(words(g, 1, "any"))[0], "c": n([[1, 2][: size()]])[0]}
    structures = n([one() for _ in range(count)])
    return pa.table({
        "lists": pa.array(lists, pa.list_(pa.string())),
        "numbers": pa.array(numbers, pa.list_(pa.int32())),
        "deep": pa.array(deep, pa.list_(pa.list_(pa.float64()))),
        "structure": pa.array(structures, record),
        "records": pa.array(n([n([one() for _ in range(size())]) for _ in range(count)]), pa.list_(record)),
        "map": pa.array(n([[(w, g.randrange(9)) for w in {"k", "l"}] for _ in range(count)]), pa.map_(pa.string(), pa.int64())),
        "row": pa.array(range(count), pa.int64()),
    })


def odd_table(count):
    g = random.Random(5)
    return pa.table({
        "f16": pa.array(np.array([g.gauss(0, 3) for _ in range(count)], np.float16)),
        "d9": pa.array([decimal.Decimal(g.randrange(-10**8, 10**8)).scaleb(-2) for _ in range(count)], pa.decimal128(9, 2)),
        "d18": pa.array([decimal.Decimal(g.randrange(-10**15, 10**15)).scaleb(-3) for _ in range(count)], pa.decimal128(18, 3)),
        "d38": pa.array([decimal.Decimal(g.randrange(-10**15, 10**15)).scaleb(-3) for _ in range(count)], pa.decimal128(38, 3)),
        "none": pa.array([None] * count, pa.null()),
        "ms": pa.array([datetime.datetime(2024, 2, 29, 1, 2, 3, 4000)] * count, pa.timestamp("ms", "UTC")),
        "time": pa.array([datetime.time(g.randrange(24), 5, 6, g.randrange(10**6)) for _ in range(count)], pa.time64("us")),
        "all_null": pa.array([None] * count, pa.string()),
        "nan": pa.array([float("inf"), float("-inf"), -0.0] * (count // 3) + [1e-310] * (count % 3)),
        "fixed": pa.array([b"abcd"] * count, pa.binary(4)).cast(pa.binary(4)),
        "u64": pa.array([g.randrange(0, 2**63) for _ in range(count)], pa.uint64()),
        "category": pa.array(words(g, count, "few")).dictionary_encode(),
    }).drop_columns(["fixed"])


def pyarrow_files():
    tables = {
        (name, nulls, rows): make(17, rows, nulls)
        for name, make in [("flat", flat_table), ("nested", nested_table)]
        for nulls in [0, 0.2, 0.9]
        for rows in [0, 1, 700]
    }
    codecs = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]
    layouts = [
        ("default", {}),
        ("plain", {"use_dictionary": False}),
        ("smallpages", {"data_page_size": 200, "write_batch_size": 16}),
        ("groups", {"row_group_size": 97, "use_dictionary": False, "data_page_size": 512}),
        ("overflow", {"dictionary_pagesize_limit": 300, "data_page_size": 300, "write_batch_size": 8}),
    ]
    combinations = itertools.product(tables, ["1.0", "2.0"], codecs, layouts)
    for number, (key, page, codec, (layout, options)) in enumerate(combinations):
        name, nulls, rows = key
        # Every pair of properties occurs; all of them together would be 1,080 files.
        if rows < 700 and (page, codec) not in [("1.0", "snappy"), ("2.0", "zstd")]:
            continue
        if rows == 700 and layout not in ("default", "smallpages") and codec not in ("snappy", "lz4"):
            continue
        path = folder / f"pyarrow-{name}-{nulls}-{rows}-v{page}-{codec}-{layout}.parquet"
        pq.write_table(
            tables[key], path, compression=codec, data_page_version=page, version="2.6", **options)
        record(path)
    encodings = {
        "DELTA_BINARY_PACKED": ["i8", "u16", "i32", "u32", "i64", "rising", "day", "at"],
        "DELTA_LENGTH_BYTE_ARRAY": ["words", "few"],
        "DELTA_BYTE_ARRAY": ["words", "few"],
        "BYTE_STREAM_SPLIT": ["f32", "f64", "i32", "i64"],
        "RLE": ["flag"],
        "PLAIN": ["words", "i32", "flag"],
    }
    for (encoding, names), page, nulls, size in itertools.product(
        encodings.items(), ["1.0", "2.0"], [0, 0.3], [100, 1 << 20]
    ):
        path = folder / f"pyarrow-{encoding}-v{page}-{nulls}-{size}.parquet"
        pq.write_table(
            flat_table(3, 700, nulls).select(names), path, use_dictionary=False,
            column_encoding={name: encoding for name in names}, data_page_version=page,
            data_page_size=size, write_batch_size=32, compression="zstd")
        record(path)
    for encoding in ["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT", "PLAIN"]:
        path = folder / f"pyarrow-nested-{encoding}.parquet"
        table = nested_table(9, 300, 0.2).select(["numbers"])
        pq.write_table(
            table, path, use_dictionary=False, column_encoding={"numbers.list.element": encoding})
        record(path)
    for page, codec in itertools.product(["1.0", "2.0"], ["none", "snappy"]):
        path = folder / f"pyarrow-odd-v{page}-{codec}.parquet"
        pq.write_table(odd_table(200), path, data_page_version=page, compression=codec)
        record(path)
    path = folder / "pyarrow-int96.parquet"
    pq.write_table(
        flat_table(1, 100, 0.1).select(["at"]), path, use_deprecated_int96_timestamps=True)
    record(path)
    for version in ["1.0", "2.4"]:
        path = folder / f"pyarrow-format-{version}.parquet"
        pq.write_table(flat_table(2, 300, 0.1), path, version=version)
        record(path)
    path = folder / "pyarrow-required.parquet"
    table = flat_table(2, 300, 0)
    schema = pa.schema([field.with_nullable(False) for field in table.schema])
    pq.write_table(table.cast(schema), path)
    record(path)
    path = folder / "pyarrow-old-lists.parquet"
    pq.write_table(nested_table(4, 200, 0.2), path, use_compliant_nested_type=False)
    record(path)


def duckdb_files():
    import duckdb

    connection = duckdb.connect()
    for nulls, kind in itertools.product([0, 0.4], ["flat", "nested"]):
        table = (flat_table if kind == "flat" else nested_table)(23, 3000, nulls)
        if kind == "nested":
            table = table.drop_columns(["map"])
        connection.register("source", table)
        for codec, group, version in itertools.product(
            ["uncompressed", "snappy", "gzip", "zstd", "lz4_raw", "brotli"], [2048, 122880], ["V1", "V2"]
        ):
            path = folder / f"duckdb-{kind}-{nulls}-{codec}-{group}-{version}.parquet"
            connection.execute(
                f"COPY source TO '{path}' (FORMAT parquet, COMPRESSION {codec}, "
                f"ROW_GROUP_SIZE {group}, PARQUET_VERSION {version})")
            record(path, table)


def polars_files():
    import polars as pl

    for nulls, kind in itertools.product([0, 0.4], ["flat", "nested"]):
        table = (flat_table if kind == "flat" else nested_table)(31, 2000, nulls)
        if kind == "nested":
            table = table.drop_columns(["map"])
        frame = pl.from_arrow(table)
        for codec, page, group in itertools.product(
            ["uncompressed", "snappy", "gzip", "zstd", "lz4", "brotli"], [1000, None], [500, None]
        ):
            path = folder / f"polars-{kind}-{nulls}-{codec}-{page}-{group}.parquet"
            frame.write_parquet(path, compression=codec, data_page_size=page, row_group_size=group)
            record(path)


pyarrow_files()
duckdb_files()
polars_files()
expected.close()
