"""Writes Tests/TrainingTests/Golden/datasets.json: what datasets reads from small files, the rows
of split slices, shuffles and train_test_split, and the files that it writes.

    python scripts/golden/datasets_files.py [--out FILE]

Written with datasets 5.2.0, pandas 3.1.1, numpy 2.4.6.
"""

import argparse
import io
import json
import logging
import pathlib
import tempfile

import datasets

datasets.disable_progress_bars()
logging.disable(logging.CRITICAL)

CSV = [
    ("a,b\n1,2\n3,4\n", {}), ("a,b\n1,x\n,y\n", {}), ("a,b\n1.0,x\n2,y\n", {}),
    ("a,b\nTrue,x\nFalse,y\n", {}), ("a,b\nTrue,x\n,y\n", {}), ("a,b\ntrue,TRUE\nfalse,FALSE\n", {}),
    ("a,b\nNA,null\nnan,\n", {}), ('a,b\n"x ""q"" y",  z \n"l1\nl2",w\n', {}), ("a,b\n1\n2,3\n", {}),
    ("a,b\n\n1,2\n\n", {}), ("a,a\n1,2\n", {}), ("a,\n1,2\n", {}), ("a,b\r\n1,2\r\n", {}),
    ("a\n001\n+5\n", {}), ("a\n1e5\n2\n", {}), ("a\n1_000\n", {}), ("a\n 5\n6 \n", {}), ("a\nx\n5\n", {}),
    ("a\n0x10\n", {}), ("a\ninf\n-inf\n1\n", {}), ('a\n"5"\n"6"\n', {}), ("a\n1.5\nTrue\n", {}),
    ("a\nTrue\n1\n", {}), ("a\tb\n1\t2\n", {"delimiter": "\t"}), ("1,2\n3,4\n", {"column_names": ["x", "y"]}),
    ('a,b\nx"y,z\n', {}), ('a,b\n"x"y,z\n', {}), ("\ufeffa,b\n1,2\n", {}), ("a,b,c\n1,2\n", {}),
    ("a\nN/A\nNone\n#N/A\n<NA>\n-nan\nn/a\n", {}), ("a\n1\r2\n", {}), ("a;b\n1;2\n", {}), ('a\n""\nx\n', {}),
    ("a\n-0\n-1\n", {}), ("a\n.5\n5.\n", {}), ("a|b\n'x|y'|z\n", {"sep": "|", "quotechar": "'"}),
    ("a\nNA\nx\n", {"keep_default_na": False}), ("text,label\n\u00e9\U0001f600,1\n", {}),
    ('a,b\n"one\r\ntwo",3\n', {}), ("a,b\n9223372036854775807,-9223372036854775808\n", {}),
    ('a,b\n"x,1\n"y",2\n', {"quoting": 3}), ('"a","b"\n"x","1"\n', {"quoting": 1}),
    ('"a","b"\n"x",1\n"y",2.5\n', {"quoting": 2}), ('a,b\nx\\,y,1\n"q\\"z",2\n', {"escapechar": "\\"}),
    ('a,b\n"x\\"y,z",1\n"one""two",2\n', {"escapechar": "\\", "doublequote": False}),
    ('a,b\n"x""y",1\n', {"doublequote": False}), ('a,b\nx\\\ny,1\n', {"escapechar": "\\", "quoting": 3}),
    ('a, b\n1, "x, y"\n2,  z\n', {"skipinitialspace": True}), ('a, b\n1, "x"\n', {}),
    ('# head\na,b\n1,x # no\n#\n2,"y#z"\n', {"comment": "#"}), ("a,b\n1,#x\n2,y\n", {"comment": "#"}),
    ("one\ntwo\na,b\n1,2\n", {"skiprows": 2}), ('"one\ntwo"\na,b\n1,2\n', {"skiprows": 1}),
    ("x,y\na,b\n1,2\n", {"header": 1}), ("a,b\n1,2\n", {"header": 0, "names": ["x", "y"]}),
    ("1,2\n3,4\n", {"header": None}), ("1,2\n3,4\n", {"header": None, "column_names": ["x", "y"]}),
    ("a,b\n-,1\nNA,?\n", {"na_values": ["-", "?"]}),
    ("a,b\n-,1\nNA,2\n", {"na_values": "-", "keep_default_na": False}),
    ("a,b\n\n1,2\n", {"skip_blank_lines": False}), ("a,b\n  \n1,2\n", {}), ("a\n \nx\n\t\n", {}),
    ("a,b\n1,2\n  ", {}), ("a\tb\n \tx\n1\t2\n", {"sep": "\t"}), ("a,b\r1,2\r\r3,4\r", {}),
    ("a b\n\n1 2\n x\n", {"sep": " "}), ("a,b\n1,'x,y'\n", {"quotechar": "'"}),
    ('a,b\n"x"\n', {}), ('a,b\n"x" ,1\n', {}), ("a,b\n,\n1,2\n", {}), ('a;b\n"1;2";3\n', {"delimiter": ";"}),
]
JSON = [
    ('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', {}), ('{"a": 1}\n{"a": 2.5}\n', {}),
    ('{"b": 1, "a": 2}\n{"a": 3, "b": 4}\n', {}), ('{"a": 1}\n{"b": "x"}\n', {}), ('{"a": null}\n{"a": 3}\n', {}),
    ('{"a": [1, 2]}\n{"a": [3.5]}\n', {}), ('{"a": {"x": 1, "y": "z"}}\n', {}), ('[{"a": 1}, {"a": 2}]', {}),
    ('["x", "y"]', {}), ('{"data": [{"a": 1}], "version": 2}', {"field": "data"}),
    ('{"a": "x"}\n{"a": 7}\n', {}), ('{"a": true}\n{"a": null}\n', {}), ('{"a": "\\u00e9\\ud83d\\ude00"}\n', {}),
    ('{"a": []}\n{"a": ["x"]}\n', {}), ('{\n "a": [1, 2],\n "b": ["x", "y"]\n}\n', {}),
]
TEXT = [
    ("one\ntwo\n\nthree", {}), ("one\r\ntwo\rthree\n", {}), ("a\nb\n\nc\n\n\nd", {"sample_by": "paragraph"}),
    ("a\nb\n", {"sample_by": "document"}), ("a\nb", {"keep_linebreaks": True}), ("x\u2028y\x0bz\n", {}),
]
SPLITS = [
    "train", "train[:10]", "train[-3:]", "train[5:8]", "train[:0]", "train[7:7]", "train[:10%]", "train[10%:20%]",
    "train[-10%:]", "train[:5]+train[2:4]", "train[:1]+test[-1:]", "test[50%:]", "all", "dev", "train[5]",
    "train[1_0:1_2]", "train[:200%]", "train[:33%](pct1_dropremainder)", "test[:33%](pct1_dropremainder)",
    "train[:5](closest)", "train[:10%]+train[:5%](pct1_dropremainder)", "train[99999:]", "train[:99999]",
    "train[-99999:2]", "train[:1.5%]", "train [:2]", "train[:2", "train[]", "train[:]", "[:2]", "",
    "train[:10%]+test[1:2]", "train[1:100%]", "train[:-95%]", "train[:5%](round)", "train[0:1%](closest)",
]


def load(format, text, options, folder, split="train"):
    path = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "file"
    path.write_bytes(text.encode())
    return datasets.load_dataset(format, data_files=str(path), split=split, cache_dir=str(path.parent), **options)


def kind(feature):
    name = str(getattr(feature, "dtype", feature))
    return {"large_string": "string"}.get(name, name) if isinstance(feature, datasets.Value) else None


def file_case(format, text, options, folder):
    dataset = load(format, text, options, folder)
    return {
        "text": text, "options": options, "columns": dataset.column_names,
        "types": [kind(dataset.features[name]) for name in dataset.column_names],
        "rows": [[row[name] for name in dataset.column_names] for row in dataset],
    }


def written():
    """Rows, and what to_json and to_csv write for them."""
    tables = [
        {"s": ['a "b"', "x,y", "l1\nl2", "é/日😀", None, "\t\\\u0001", "", " x "]},
        {"s": ["a", None, ""], "n": [1, None, -3], "f": [0.5, None, 5.0], "b": [True, None, False]},
        {"i": [1, 2], "t": ["only", "text"], "f": [1e20, -0.25]},
        {"a\"b": [1], "c,d": ["'"], "é": ["; "]},
    ]
    cases = []
    for table in tables:
        dataset = datasets.Dataset.from_dict(table)
        texts = {}
        for name, options in [("json", {}), ("json_raw", {"force_ascii": False}), ("csv", {})]:
            file = io.BytesIO()
            (dataset.to_csv if name == "csv" else dataset.to_json)(file, **options)
            texts[name] = file.getvalue().decode()
        cases.append({"columns": table, **texts})
    return cases


def split_case(spec, folder, cache={}):
    if not cache:
        for name, count in [("train", 205), ("test", 15)]:
            (pathlib.Path(folder) / f"{name}.jsonl").write_text(
                "".join(json.dumps({"n": f"{name}{i}"}) + "\n" for i in range(count)))
            cache[name] = str(pathlib.Path(folder) / f"{name}.jsonl")
    try:
        rows = list(datasets.load_dataset("json", data_files=cache, split=spec, cache_dir=folder)["n"])
    except (ValueError, AssertionError):
        rows = None
    return {"split": spec, "rows": rows}


def row_cases():
    numbers = datasets.Dataset.from_dict({"n": list(range(103))})
    cases = []
    for options in [
        {"seed": 1}, {"seed": 42, "test_size": 0.1}, {"seed": 7, "test_size": 10, "train_size": 20},
        {"seed": 3, "train_size": 0.5}, {"seed": 5, "test_size": 0.2, "train_size": 0.3},
        {"shuffle": False, "test_size": 0.1}, {"seed": 0, "train_size": 50},
    ]:
        parts = numbers.train_test_split(**options)
        cases.append({"options": options, "train": list(parts["train"]["n"]), "test": list(parts["test"]["n"])})
    shuffles = {str(seed): list(numbers.shuffle(seed=seed)["n"]) for seed in (0, 42, 2**33)}
    twice = list(numbers.shuffle(seed=1).select(range(50)).shuffle(seed=2)["n"])
    return {"train_test_split": cases, "shuffle": shuffles, "shuffle_twice": twice}


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=root / "Tests/TrainingTests/Golden/datasets.json")
    out = pathlib.Path(parser.parse_args().out)
    with tempfile.TemporaryDirectory() as folder:
        golden = {
            format: [file_case(format, text, options, folder) for text, options in cases]
            for format, cases in [("csv", CSV), ("json", JSON), ("text", TEXT)]
        }
        golden["splits"] = [split_case(spec, folder) for spec in SPLITS]
    golden["rows"] = row_cases()
    golden["written"] = written()
    lines = [f'"{key}": {json.dumps(value)}' for key, value in golden.items()]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
