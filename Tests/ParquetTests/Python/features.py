"""Features on their way from Python to st-host and back.

usage: features.py write FILE      writes a file with many kinds of features
       features.py compare FILE FILE   fails unless both have the same features and rows
"""

import sys
import tempfile

from datasets import ClassLabel, Dataset, Features, Json, List, Value, disable_progress_bars

disable_progress_bars()
FEATURES = Features({
    "text": Value("string"), "label": ClassLabel(names=["negative", "positive"]),
    "small": Value("int8"), "int16": Value("int16"), "int32": Value("int32"), "int64": Value("int64"),
    "uint8": Value("uint8"), "uint16": Value("uint16"), "uint32": Value("uint32"),
    "uint64": Value("uint64"), "half": Value("float16"), "single": Value("float32"),
    "double": Value("float64"), "flag": Value("bool"), "nothing": Value("null"),
    "vector": List(Value("float32")), "words": List(List(Value("string"))),
    "record": {"a": Value("int16"), "b": List(ClassLabel(names=["x", "y"]))},
    "records": List({"p": Value("uint8"), "q": Value("string")}), "json": Json(),
})
ROWS = [
    {"text": "ü", "label": 1, "small": -128, "int16": 300, "int32": -70000, "int64": 2**40,
     "uint8": 255, "uint16": 65535, "uint32": 2**32 - 1, "uint64": 2**62, "half": 0.5, "single": 0.1,
     "double": 0.1, "flag": True, "nothing": None, "vector": [0.25, None], "words": [["a"], []],
     "record": {"a": 5, "b": [0, 1]}, "records": [{"p": 1, "q": None}, None], "json": {"k": [1, "x"]}},
    {name: None for name in FEATURES},
    {"text": "", "label": -1, "small": 0, "int16": 0, "int32": 0, "int64": 0, "uint8": 0, "uint16": 0,
     "uint32": 0, "uint64": 0, "half": -65504.0, "single": -1.0, "double": 1e300, "flag": False,
     "nothing": None, "vector": [], "words": [], "record": {"a": None, "b": None}, "records": [],
     "json": [1, {"z": None}]},
]


def read(path, cache):
    return Dataset.from_parquet(path, cache_dir=cache)


if sys.argv[1] == "write":
    Dataset.from_list(ROWS, features=FEATURES).to_parquet(sys.argv[2])
else:
    with tempfile.TemporaryDirectory() as cache:
        first, second = (read(path, cache) for path in sys.argv[2:])
        if first.features != second.features:
            sys.exit(f"features: {first.features}\n{second.features}")
        if first.to_list() != second.to_list():
            sys.exit(f"rows: {first.to_list()}\n{second.to_list()}")
