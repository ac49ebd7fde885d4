"""Writes Tests/Fuzzing/Seeds: small good files that fuzzing starts from, a folder a reader.

    python scripts/golden/fuzz_seeds.py [--out FOLDER]

CSV and JSON are cases of datasets_files.py, tokenizers those of the tests. Written with pyarrow
26.0.1, polars 2.1.0.
"""

import argparse
import datetime
import json
import pathlib
import shutil
import struct

import polars
import pyarrow as pa
import pyarrow.parquet as pq

from datasets_files import CSV, JSON

TABLE = pa.table({
    "text": ["a", None, "ü😀", "a", ""] * 4, "number": [1, 2, None, -4, 2**40] * 4,
    "small": pa.array([1, 2, 3, None, 5] * 4, pa.int8()), "flag": [True, None, False, True, True] * 4,
    "float": pa.array([0.5, None, 1.5, -2.0, 0.0] * 4, pa.float32()),
    "list": [["x", None], [], None, ["y"], ["z"]] * 4, "deep": [[[1, 2], []], None, [None], [[3]], []] * 4,
    "record": [{"a": 1, "b": ["p"]}, None, {"a": None, "b": []}, {"a": 4, "b": None}, {"a": 5, "b": ["q"]}] * 4,
    "day": [datetime.date(2024, 2, 29), None] * 10, "at": [datetime.datetime(2024, 1, 2, 3, 4, 5)] * 20,
    "money": pa.array([None] * 20, pa.decimal128(20, 3)), "none": pa.array([None] * 20, pa.null()),
})


def parquet(folder):
    codecs = ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]
    for number, codec in enumerate(codecs):
        pq.write_table(
            TABLE, folder / f"{codec}.parquet", compression=codec, store_schema=False,
            data_page_version=["1.0", "2.0"][number % 2], row_group_size=[20, 7][number // 2 % 2],
            write_statistics=False)
    flat = TABLE.select(["text", "number", "flag", "float"])
    encodings = {"text": "DELTA_BYTE_ARRAY", "number": "DELTA_BINARY_PACKED", "flag": "RLE",
                 "float": "BYTE_STREAM_SPLIT"}
    pq.write_table(flat, folder / "delta.parquet", compression="none", use_dictionary=False,
                   column_encoding=encodings, store_schema=False, write_statistics=False)
    encodings["text"] = "DELTA_LENGTH_BYTE_ARRAY"
    pq.write_table(flat, folder / "lengths.parquet", compression="none", use_dictionary=False,
                   column_encoding=encodings, store_schema=False, write_statistics=False,
                   data_page_version="2.0")
    polars.from_arrow(flat).write_parquet(folder / "polars.parquet", compression="uncompressed")


def texts(folder, cases, suffix):
    for number, (text, options) in enumerate(cases):
        if not options and text.strip() and number % 2 == 0:
            (folder / f"{number:02}{suffix}").write_bytes(text.encode())


def safetensors(folder):
    def write(name, tensors, metadata=None):
        header, data = {}, b""
        if metadata:
            header["__metadata__"] = metadata
        for key, (kind, shape, content) in tensors.items():
            header[key] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
            data += content
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + data)

    four = struct.pack("<4f", 1, -2, 0.5, float("inf"))
    write("two.safetensors", {"a.weight": ("F32", [2, 2], four), "b": ("I64", [1], b"\1" * 8)}, {"format": "pt"})
    write("kinds.safetensors", {
        "h": ("F16", [2, 1], b"\0<\0="), "b": ("BF16", [2], b"\x80?\0@"), "d": ("F64", [1], b"\1" * 8),
        "u": ("U8", [3], b"abc"), "empty": ("F32", [0], b""), "scalar": ("F32", [], four[:4])})


def tokenizer(folder, root):
    models = root / "Tests/TrainingTests/Golden"
    for name in ("model/bert", "tokenizer/fast", "tokenizer/added", "tokenizer/mpnet"):
        source = models / name / "tokenizer.json"
        if source.exists():
            shutil.copy(source, folder / f"{pathlib.Path(name).name}.json")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=root / "Tests/Fuzzing/Seeds")
    out = pathlib.Path(parser.parse_args().out)
    for name in ("parquet", "csv", "json", "safetensors", "tokenizer"):
        shutil.rmtree(out / name, ignore_errors=True)
        (out / name).mkdir(parents=True)
    parquet(out / "parquet")
    texts(out / "csv", CSV, ".csv")
    texts(out / "json", JSON, ".json")
    safetensors(out / "safetensors")
    tokenizer(out / "tokenizer", root)


if __name__ == "__main__":
    main()
