"""Which files of a folder datasets takes for which split: Tests/HubTests/Golden/dataset_files.json.

Each case is a list of file names, a card, and what load_dataset is told; the answer is the format
and the files by split, or that it is refused.
"""

import json
import pathlib
import tempfile

from datasets import load_dataset_builder
from datasets.utils.logging import set_verbosity_error

set_verbosity_error()


def card(text):
    return "---\nlicense: mit\n" + text + "---\n# A dataset\n"


SHARDS = [f"data/{split}-0000{i}-of-00002.parquet" for split in ("train", "test", "dev_a") for i in (0, 1)]
PAIRS = ["pair/train-00000-of-00001.parquet", "triplet/train-00000-of-00001.parquet",
         "triplet/dev-00000-of-00001.parquet"]
CONFIGS = card("""configs:
- config_name: pair
  data_files:
  - split: train
    path: pair/train-*
- config_name: triplet
  data_files:
  - split: train
    path: triplet/train-*
  - split: dev
    path:
    - triplet/dev-*
""")

CASES = [
    dict(files=SHARDS),
    dict(files=SHARDS + ["data/extra.parquet", "README.md", ".gitattributes"]),
    dict(files=["train.csv", "test.csv", "README.md"]),
    dict(files=["train.csv", "validation.csv", "dev.csv", "eval.csv", "training_2.csv"]),
    dict(files=["data/train/a.jsonl", "data/train/b.jsonl", "data/test/a.jsonl", "other.jsonl"]),
    dict(files=["train_0.tsv", "train_1.tsv", "test 1.tsv"]),
    dict(files=["my_train_file.json", "atrain.json", "test-1.json.gz"]),
    dict(files=["a.txt", "b.txt", "sub/c.txt"]),
    dict(files=["a.txt", ".hidden.txt", ".git/x.txt", "__pycache__/y.txt", "sub/__x__/z.txt"]),
    dict(files=["a.csv", "b.json", "c.json", "config.json"]),
    dict(files=["a.csv", "b.parquet"]),
    dict(files=["x.json", "y.jsonl"]),
    dict(files=["train.csv", "test.json"]),
    dict(files=["train.csv", "train.json", "test.csv"]),
    dict(files=["image.jpg", "b.jpg", "x.csv"]),
    dict(files=["README.md"]),
    dict(files=["notes.docx"]),
    dict(files=["Train.CSV", "test.CSV"]),
    dict(files=["train-00000-of-00001.parquet", "test-00000-of-00001.parquet"]),
    dict(files=["en/train.csv", "de/train.csv", "de/test.csv"]),
    dict(files=["en/train.csv", "de/train.csv", "de/test.csv"], data_dir="de"),
    dict(files=["en/train.csv", "de/train.csv"], data_dir="fr"),
    dict(files=["en/train.csv", "de/train.csv", "de/test.csv"], data_files="de/*.csv"),
    dict(files=["en/train.csv", "de/train.csv", "de/test.csv"],
         data_files={"train": "**/train.csv", "test": ["de/test.csv"]}),
    dict(files=["en/train.csv"], data_files="missing.csv"),
    dict(files=["en/train.csv", "en/x.csv"], data_files=["en/t*.csv", "en/[a-x].csv", "none*.csv"]),
    dict(files=PAIRS, card=CONFIGS),
    dict(files=PAIRS, card=CONFIGS, name="triplet"),
    dict(files=PAIRS, card=CONFIGS, name="pair"),
    dict(files=PAIRS, card=CONFIGS, name="quad"),
    dict(files=PAIRS, card=CONFIGS, name="pair", data_files="triplet/dev-*"),
    dict(files=["a.csv", "b.csv"], card=card("configs:\n- config_name: default\n  data_files: b.csv\n")),
    dict(files=["a.csv", "b.csv"], card=card("configs:\n- config_name: x\n  data_files: b.csv\n"
                                             "- config_name: y\n  data_files: ['a.csv']\n  default: true\n")),
    dict(files=["a.csv", "b.csv"], card=card("configs:\n- config_name: x\n  default: true\n  data_files: b.csv\n"
                                             "- config_name: y\n  data_files: a.csv\n  default: true\n")),
    dict(files=["en/train.csv", "de/train.csv", "de/test.csv"],
         card=card("configs:\n- config_name: en\n  data_dir: en\n- config_name: de\n  data_dir: de\n"), name="de"),
    dict(files=["a.csv"], card=card("configs:\n- config_name: x\n  data_files: '*.csv'\n  sep: ';'\n")),
    dict(files=["a.csv"], card=card("configs:\n- data_files: a.csv\n")),
    dict(files=["a.csv"], card=card("configs:\n- config_name: x\n  data_files:\n  - split: tr-ain\n    path: a.csv\n")),
    dict(files=["a.csv"], card=card("configs: [\n")),
    dict(files=["a.csv"], card="no front matter\n---\nconfigs: 1\n---\n"),
    dict(files=["train.csv"], name="default"),
    dict(files=["train.csv"], name="other"),
    dict(files=["data/train-00000-of-00001-abc.parquet", "data/train.parquet"]),
    dict(files=["a/b/c/val/x.txt", "a/b/testing.txt"]),
    dict(files=["train.jsonl.zst", "test.jsonl.xz"]),
]


def answer(case):
    with tempfile.TemporaryDirectory() as root:
        for name in case["files"]:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        if "card" in case:
            pathlib.Path(root, "README.md").write_text(case["card"])
        options = {key: case[key] for key in ("name", "data_dir", "data_files") if key in case}
        try:
            builder = load_dataset_builder(root, cache_dir=root + "/.cache", **options)
            config = builder.config
            base = pathlib.Path(root).resolve().as_posix() + "/"
            result = {
                "format": type(builder).__module__.split(".")[-1],
                "splits": {str(split): [str(f).removeprefix(base) for f in files]
                           for split, files in config.data_files.items()},
            }
            if result["format"] == "csv":
                result["sep"] = config.sep
            return result
        except Exception as error:
            return {"refused": type(error).__name__}


def main():
    cases = [{**case, "answer": answer(case)} for case in CASES]
    root = pathlib.Path(__file__).resolve().parents[2]
    target = root / "Tests/HubTests/Golden/dataset_files.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


main()
