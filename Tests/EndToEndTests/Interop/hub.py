"""The Python side of HubInteropTests; the environment says which hub and which cache.

hub.py write FOLDER SUFFIX   makes the datasets of scripts/hpo_nli.lua, small, in a hub's folder
hub.py fill                  loads models and datasets with a hub, into the cache
hub.py use                   uses offline what st-host fetched; prints what the test compares
"""

import json
import os
import pathlib
import sys

MODEL = "distilbert-base-uncased"
WORDS = "a big red cat dog house tree bird ran flew sat was fast small blue old river fish".split()


def sentence(seed):
    return " ".join(WORDS[(seed * 7 + step * (seed % 5 + 1)) % len(WORDS)] for step in range(6))


def write(folder, suffix):
    import pyarrow
    import pyarrow.parquet

    def table(name, rows):
        path = pathlib.Path(folder, "datasets/sentence-transformers", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if suffix == "parquet":
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        else:
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def triplets(first, count):
        return [{"anchor": sentence(i), "positive": sentence(i + 1), "negative": sentence(i + 9)}
                for i in range(first, first + count)]

    for i in (0, 1):
        table(f"all-nli/main/triplet/train-0000{i}-of-00002.{suffix}", triplets(i * 40, 40))
    table(f"all-nli/main/triplet/dev-00000-of-00001.{suffix}", triplets(100, 12))
    table(f"all-nli/main/pair/train-00000-of-00001.{suffix}", triplets(0, 3))
    pathlib.Path(folder, "datasets/sentence-transformers/all-nli/main/README.md").write_text("""---
language:
- en
configs:
- config_name: pair
  data_files:
  - split: train
    path: pair/train-*
- config_name: triplet
  data_files:
  - split: train
    path: triplet/train-*
  - split: dev
    path: triplet/dev-*
---
# NLI
""")
    for split in ("train", "validation", "test"):
        table(f"stsb/main/data/{split}-00000-of-00001.{suffix}", [
            {"sentence1": sentence(i), "sentence2": sentence(i * 3), "score": i % 6 / 5}
            for i in range(20)])


def fill():
    from datasets import load_dataset
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(MODEL)
    SentenceTransformer("tiny")
    load_dataset("sentence-transformers/all-nli", "triplet")
    load_dataset("sentence-transformers/stsb")


def use():
    from datasets import load_dataset
    from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download
    from sentence_transformers import SentenceTransformer

    vector = SentenceTransformer(MODEL).encode("a big cat")
    print("vector", *(repr(float(x)) for x in vector))
    print("file", os.path.basename(hf_hub_download(MODEL, "config.json")))
    folder = snapshot_download("sentence-transformers/all-nli", repo_type="dataset")
    files = sorted(str(path) for path in pathlib.Path(folder).glob("triplet/train-*"))
    format = "parquet" if files[0].endswith(".parquet") else "json"
    data = load_dataset(format, data_files=files, split="train[:3]")
    print("rows", json.dumps([row["anchor"] for row in data]))
    cache = scan_cache_dir()
    print("cache", *sorted(repo.repo_id for repo in cache.repos), "warnings", len(cache.warnings))


{"write": write, "fill": fill, "use": use}[sys.argv[1]](*sys.argv[2:])
