"""Measures st-host, and on request sentence-transformers on the same work, in turn; one table.

    python3 scripts/bench/run.py [--peer PYTHON] [--full] [--rows NAME,...] [--data FOLDER]
                                 [--model FOLDER] [--repeat N] [--threads N] [--json FILE] [--list]

Called by `make bench`, which builds what is measured; `make bench PEER=1` makes the Python
environment, too. Each row is run --repeat times on either side in turn (A B A B) and shows medians.
"share of sgemm": operations of the matrix products that the real tokens need, by our time, as part
of the rate that BLAS reaches on as many threads, measured before and after each of our runs of the
row, because it drifts; padding and attention count as nothing. Peaks are in MB of a million bytes.
--full takes the sizes of docs/performance.md; without it a run takes minutes.

--data holds nli-triplets.jsonl (anchor, positive, negative), stsb-train.jsonl and stsb-dev.jsonl
(sentence1, sentence2, score): ../shared/data where it is, else scripts/data stands in, which is
smaller and has shorter sentences. A row that a side can't do says so.
"""

import argparse
import csv
import datetime
import json
import os
import pathlib
import platform
import random
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOST = ROOT / ".build/release/st-host"
BENCH = ROOT / ".build/release/st-bench"


class Refused(Exception):
    """A side that can't do a row, and why."""


# MARK: Running


def run(command, threads, cpus=None):
    """Runs a command; seconds of the whole process, its peak of memory in MB, what it printed."""
    environment = dict(
        os.environ, OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")
    # Set, it may force OpenBLAS to the code of an older processor.
    environment.pop("OPENBLAS_CORETYPE", None)
    command = [str(word) for word in command]
    if cpus is not None:
        command = ["taskset", "--cpu-list", cpus] + command
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        start = datetime.datetime.now()
        process = subprocess.Popen(command, stdout=out, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        seconds = (datetime.datetime.now() - start).total_seconds()
        out.seek(0)
        errors.seek(0)
        if status != 0:
            lines = [line for line in errors.read().splitlines() if line.strip()]
            reason = [line for line in lines if ".lua:" in line and "\t" not in line] or lines[-1:]
            raise Refused(reason[0][:160] if reason else f"status {status}")
        lines = out.read().splitlines()
        # transformers prints dictionaries of its own, with single quotes.
        printed = [json.loads(line) for line in lines if line.startswith('{"')]
    return {"wall": seconds, "peak_mb": usage.ru_maxrss * 1024 / 1e6, "printed": printed,
            "lines": lines}


def value(result, key):
    return next((line[key] for line in result["printed"] if key in line), None)


class Bench:
    def __init__(self, options):
        self.options = options
        self.threads = options.threads
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="st-bench-"))
        self.results = []
        self.models = {}
        data = pathlib.Path(options.data) if options.data else ROOT.parent / "shared/data"
        if (data / "nli-triplets.jsonl").exists():
            self.triplets, self.pairs = data / "nli-triplets.jsonl", data / "stsb-dev.jsonl"
            self.texts = data / "stsb-train.jsonl"
        elif options.data:
            sys.exit(f"bench: '{data}' does not hold nli-triplets.jsonl")
        else:
            data = ROOT / "scripts/data"
            self.triplets, self.pairs = data / "train.jsonl", data / "dev.jsonl"
            self.texts = self.pairs
            print("bench: no ../shared/data; measuring on scripts/data", file=sys.stderr)
        self.model = pathlib.Path(options.model)
        if not (self.model / "config.json").exists():
            sys.exit(f"bench: no model in '{self.model}'; give --model, or run make bench")

    def ours(self, script, *words, cpus=None):
        return run([HOST, HERE / script, *words], self.threads, cpus)

    def theirs(self, *words, cpus=None):
        return run([self.options.peer, HERE / "peer.py", *words], self.threads, cpus)

    def distilbert(self):
        """A model of that size, made at its first use."""
        folder = self.work / "distilbert"
        if not folder.exists():
            subprocess.run(
                [sys.executable, HERE / "make_distilbert.py", self.model, folder], check=True)
        return folder

    def long_texts(self, tokens, count):
        """Pairs of texts with more tokens than that: sentences one after the other."""
        with open(self.triplets, encoding="utf-8") as lines:
            sentences = [text for line in lines for text in json.loads(line).values()]
        path = self.work / f"pairs-{tokens}.jsonl"
        place = 0
        with open(path, "w", encoding="utf-8") as file:
            for _ in range(count):
                row = {}
                for name in ("anchor", "positive"):
                    words = []
                    while len(words) < tokens:
                        words += sentences[place % len(sentences)].split()
                        place += 1
                    row[name] = " ".join(words)
                file.write(json.dumps(row) + "\n")
        return path

    def tokens(self, model, data, columns, rows, length):
        """Real tokens of some rows."""
        result = run(
            [BENCH, "tokenizer", "--model", model, "--data", data, "--columns", columns, "--rows",
             rows, "--max-length", length, "--repetitions", 1, "--json"], self.threads)
        return value(result, "tokens")

    def sgemm_rate(self, model):
        """Operations a second that BLAS reaches now on products of the model's size."""
        result = run(
            [BENCH, "sgemm", "--model", model, "--threads", self.threads, "--json"], self.threads)
        return value(result, "gflops") * 1e9

    def work_per_token(self, model, passes):
        """Operations of the linear layers: a forward pass is one, forward and backward are three."""
        config = json.loads((pathlib.Path(model) / "config.json").read_text())
        hidden = config.get("hidden_size") or config["dim"]
        inner = config.get("intermediate_size") or config["hidden_dim"]
        layers = config.get("num_hidden_layers") or config["n_layers"]
        return passes * 2 * layers * (4 * hidden * hidden + 2 * hidden * inner)

    # MARK: One row

    def measure(self, name, unit, ours, theirs, target, pick, operations=None, model=None):
        """Runs both sides in turn and adds a row; smaller values are better."""
        row = {"name": name, "unit": unit, "target": target, "ours": [], "theirs": []}
        rates = []
        sides = [("ours", ours)] + ([("theirs", theirs)] if self.options.peer and theirs else [])
        for _ in range(self.options.repeat):
            for side, work in sides:
                if f"{side}_refused" in row:
                    continue
                try:
                    measured = operations and side == "ours"
                    if measured:
                        rates.append(self.sgemm_rate(model))
                    result = work()
                    if measured:
                        rates.append(self.sgemm_rate(model))
                    row[side].append(pick(result, side))
                    row.setdefault(f"{side}_peak_mb", []).append(result["peak_mb"])
                    row.setdefault(f"{side}_printed", []).append(result["printed"])
                except Refused as reason:
                    row[f"{side}_refused"] = str(reason)
        if operations and row["ours"]:
            rate = operations() / statistics.median(row["ours"])
            row["sgemm_gflops"] = statistics.median(rates) / 1e9
            row["share_of_sgemm"] = rate / statistics.median(rates)
        self.results.append(row)
        self.show(row)
        return row

    def show(self, row):
        def middle(side):
            if row[side]:
                return f"{statistics.median(row[side]):.4g}"
            return "-" if f"{side}_refused" not in row else "refused"

        ratio = "-"
        if row["ours"] and row["theirs"]:
            ratio = f"{statistics.median(row['theirs']) / statistics.median(row['ours']):.2f} x"
        share = f"{row['share_of_sgemm']:.0%}" if "share_of_sgemm" in row else "-"
        cells = [row["name"], row["unit"], middle("ours"), middle("theirs"), ratio, row["target"],
                 share]
        print("| " + " | ".join(cells) + " |", flush=True)
        for side in ("ours", "theirs"):
            if f"{side}_refused" in row:
                print(f"bench: {row['name']}, {side}: {row[f'{side}_refused']}", file=sys.stderr)

    # MARK: The rows

    def training(self, name, model, precision, target, data, columns, rows, batch, length=256):
        loss = "MultipleNegativesRankingLoss"
        words = [model, data, columns, rows, batch, precision, length, loss]
        self.measure(
            f"{name}, {precision}", "s", lambda: self.ours("train.lua", *words),
            lambda: self.theirs("train", *words), target,
            lambda result, _: value(result, "seconds"),
            lambda: self.work_per_token(model, 3)
            * self.tokens(model, data, columns, rows, length), model)

    def precisions(self, single, half):
        """float32 and, where the processor can multiply it, bfloat16, with their targets."""
        flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
        if {"avx512_bf16", "amx_bf16"} & set(flags):
            return (("f32", single), ("bf16", half))
        print("bench: no bf16 row: this processor has no instructions for it", file=sys.stderr)
        return (("f32", single),)

    def row_train(self):
        rows = 2000 if self.options.full else 512
        for precision, target in self.precisions("6 x", "4.5 x"):
            self.training(
                f"training, {rows} triplets, batch 64", self.model, precision, target,
                self.triplets, "anchor,positive,negative", rows, 64)

    def row_distilbert(self):
        rows = 256 if self.options.full else 128
        for precision, target in self.precisions("5 x", "4 x"):
            self.training(
                f"the same at DistilBERT size, {rows} triplets", self.distilbert(), precision,
                target, self.triplets, "anchor,positive,negative", rows, 64)

    def row_long(self):
        for tokens, rows in ((128, 128), (256, 64), (512, 32)):
            rows *= 4 if self.options.full else 1
            self.training(
                f"training, {rows} pairs of {tokens} tokens, batch 16", self.model, "f32", "2 x",
                self.long_texts(tokens, rows), "anchor,positive", rows, 16, tokens)

    def row_evaluate(self):
        rows = 1500 if self.options.full else 750
        models = [("", self.model)]
        if self.options.full:
            models.append((", DistilBERT size", self.distilbert()))
        for label, model in models:
            for precision, target in self.precisions("5 x", "4 x"):
                words = [model, self.pairs, rows, precision]
                self.measure(
                    f"EmbeddingSimilarityEvaluator, {rows} pairs{label}, {precision}", "s",
                    lambda: self.ours("evaluate.lua", *words),
                    lambda: self.theirs("evaluate", *words), target,
                    lambda result, _: value(result, "seconds"),
                    lambda: self.work_per_token(model, 1)
                    * self.tokens(model, self.pairs, "sentence1,sentence2", rows, 256), model)

    def search(self, jobs):
        rows = 640 if self.options.full else 256
        return [self.model, self.triplets, self.pairs, rows, 4, jobs, 32, 128]

    def row_search(self):
        words, jobs = self.search(1), min(self.threads, 2)
        row = self.measure(
            f"search, 4 trials, {words[3]} triplets, whole process", "s",
            lambda: self.ours("search.lua", *words), lambda: self.theirs("search", *words), "6 x",
            lambda result, _: result["wall"])
        self.extra("peak memory of that search", "MB", row, "_peak_mb", "< 700 MB")
        parallel = self.search(jobs)
        row = self.measure(
            f"the same search, n_jobs = {jobs}", "s",
            lambda: self.ours("search.lua", *parallel), None, "no slower",
            lambda result, _: result["wall"])
        self.extra("its peak memory", "MB", row, "_peak_mb", "")

    def extra(self, name, unit, row, key, target):
        """A row of something that another row has measured."""
        made = {"name": name, "unit": unit, "target": target,
                "ours": row.get("ours" + key, []), "theirs": row.get("theirs" + key, [])}
        self.results.append(made)
        self.show(made)

    def row_growth(self):
        """Trial 20 beside trial 3: the peak of memory after each."""
        rows = 256 if self.options.full else 96
        words = [self.model, self.triplets, self.pairs, rows, 20, 1, 48, 48]
        peaks = []

        def work():
            result = self.ours("search.lua", *words)
            peaks.append([line["peak_mb"] for line in result["printed"] if "peak_mb" in line])
            return result

        self.measure(
            "peak memory, trial 20 by trial 3", "ratio", work, None, "< 1.03",
            lambda result, _: peaks[-1][19] / peaks[-1][2])

    def row_cached(self):
        """A batch of 4,096 pairs; where the data has fewer rows, they are repeated with a number."""
        path = self.work / "pairs.jsonl"
        with open(self.triplets, encoding="utf-8") as lines:
            table = [json.loads(line) for line in lines]
        with open(path, "w", encoding="utf-8") as file:
            for index in range(4096):
                row = table[index % len(table)]
                again = f" {index // len(table)}" if index >= len(table) else ""
                pair = {name: row[name] + again for name in ("anchor", "positive")}
                file.write(json.dumps(pair) + "\n")
        words = [self.model, path, "anchor,positive", 4096, 4096, "f32", 256,
                 "CachedMultipleNegativesRankingLoss"]
        row = self.measure(
            "training, one batch of 4,096 pairs, cached loss", "s",
            lambda: self.ours("train.lua", *words),
            (lambda: self.theirs("train", *words)) if self.options.full else None, "",
            lambda result, _: value(result, "seconds"),
            lambda: self.work_per_token(self.model, 3)
            * self.tokens(self.model, path, "anchor,positive", 4096, 256), self.model)
        self.extra("its peak memory", "MB", row, "_peak_mb", "< 1,500 MB")

    def row_start(self):
        def best(command):
            results = [run(command, self.threads) for _ in range(10)]
            return min(results, key=lambda result: result["wall"])

        self.measure(
            "start-up: print(1) / import", "ms",
            lambda: best([HOST, "-e", "print(1)"]), lambda: self.theirs("import"), "< 30 ms",
            lambda result, _: 1000 * result["wall"])

    def row_tokenizer(self):
        rows = 10**6 if self.options.full else 2000
        words = ["--model", self.model, "--data", self.texts, "--columns", "sentence1,sentence2",
                 "--rows", rows, "--max-length", 256, "--json"]
        results = {}

        def once(side, work):
            # One run on either side measures both ways.
            results[side] = work()
            return results[side]

        for key, label in (("single_seconds", "one by one"), ("batch_seconds", "as a batch")):
            self.measure(
                f"tokenising, one thread, sentences {label}", "s",
                lambda: once("ours", lambda: run([BENCH, "tokenizer", *words], 1, "0")),
                lambda: once(
                    "theirs",
                    lambda: self.theirs("tokenizer", self.model, self.texts, rows, cpus="0")),
                "1 x", lambda result, _: value(result, key))

    def data_files(self, rows):
        """Sentence pairs as JSON Lines, CSV and snappy Parquet, the last by pyarrow where it is."""
        with open(self.triplets, encoding="utf-8") as lines:
            pairs = [tuple(json.loads(line)[name] for name in ("anchor", "positive"))
                     for line in lines]
        draw = random.Random(1)
        files = {kind: self.work / f"pairs.{kind}" for kind in ("jsonl", "csv", "parquet")}
        with open(files["jsonl"], "w", encoding="utf-8") as out, \
                open(files["csv"], "w", encoding="utf-8", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(("anchor", "positive"))
            for number in range(rows):
                # Numbered: not everything fits into a dictionary.
                row = (f"{draw.choice(pairs)[0]} {number}", draw.choice(pairs)[1])
                out.write(json.dumps(dict(zip(("anchor", "positive"), row))) + "\n")
                writer.writerow(row)
        if self.options.peer:
            self.theirs("write-parquet", files["jsonl"], files["parquet"])
        else:
            run([HOST, "-e", "require 'datasets'.load_dataset('json', { data_files = arg[1],"
                 " split = 'train' }):to_parquet(arg[2])", files["jsonl"], files["parquet"]], 1)
        return files

    def row_data(self):
        rows = 10**6 if self.options.full else 200_000
        files = self.data_files(rows)

        def ours(kind, split, repetitions):
            return run([BENCH, "data", "--data", files[kind], "--split", split, "--repetitions",
                        repetitions, "--json"], self.threads)

        self.measure(
            f"reading the texts of {rows:,} pairs, snappy Parquet", "s",
            lambda: ours("parquet", "train", 5),
            lambda: self.theirs("read-parquet", files["parquet"], 7), "1 x",
            lambda result, _: value(result, "seconds"))
        for kind, format in (("csv", "csv"), ("jsonl", "json")):
            self.measure(
                f"load_dataset, {rows:,} pairs, {kind}", "s", lambda: ours(kind, "train", 1),
                lambda: self.theirs("load", format, files[kind], "train"), "1 x",
                lambda result, _: value(result, "seconds"))
        self.measure(
            "train[:10000] of the Parquet file, in the cache", "ms",
            lambda: ours("parquet", "train[:10000]", 9),
            lambda: self.theirs("load", "parquet", files["parquet"], "train[:10000]"), "< 50 ms",
            lambda result, _: 1000 * value(result, "seconds"))
        short = self.work / "short.jsonl"
        with open(short, "w", encoding="utf-8") as out:
            for number in range(10 * rows):
                out.write(f'{{"t":"short text {number}"}}\n')
        self.measure(
            f"memory of {10 * rows:,} short texts by their bytes", "ratio",
            lambda: run([BENCH, "data", "--data", short, "--repetitions", 1, "--json"], 1), None,
            "< 1.5", lambda result, _: value(result, "memory_by_bytes"))

    def row_tpe(self):
        """Processor time: what matters where trials wait for nothing but the search."""
        curve = ROOT / "scripts/dev/tpe_curve.py"
        lines = {}

        def once(side, trials, sqlite):
            # One run on either side measures the whole curve.
            key = side, sqlite
            marks = [mark for mark in (1000, 5000, 10000) if mark <= trials]
            if key not in lines:
                flag = ["--sqlite"] if sqlite else []
                if side == "ours":
                    lines[key] = run([BENCH, "study", *flag, "--trials", trials, "--json"], 1)
                else:
                    lines[key] = run([self.options.peer, curve, *flag, *marks], 1)
            return lines[key]

        def pick(mark, result, side):
            if side == "ours":
                return next(line["ms_per_trial"] for line in result["printed"]
                            if line.get("trials") == mark)
            return next(float(line.split()[1]) for line in result["lines"]
                        if line.startswith(f"{mark} "))

        full = self.options.full
        for mark, target in ((1000, "< 0.3 ms, 10 x"), (5000, "10 x"), (10000, "10 x")):
            # Python takes minutes for the longer ones.
            peer = full or mark == 1000
            self.measure(
                f"TPE, {mark:,} trials of 4 parameters, a trial", "ms",
                lambda: once("ours", 10000, False),
                (lambda: once("theirs", 10000 if full else 1000, False)) if peer else None, target,
                lambda result, side, mark=mark: pick(mark, result, side))
        self.measure(
            "the same in SQLite, 1,000 trials, durable", "ms", lambda: once("ours", 1000, True),
            lambda: once("theirs", 1000, True), "< 2 ms, 10 x",
            lambda result, side: pick(1000, result, side))

    def row_size(self):
        stripped = self.work / "st-host"
        subprocess.run(["strip", "-o", stripped, HOST], check=True)
        size = stripped.stat().st_size / 1e6
        row = {"name": "size of the stripped binary", "unit": "MB", "target": "< 15 MB",
               "ours": [size], "theirs": []}
        self.results.append(row)
        self.show(row)


ROWS = [name[4:] for name in vars(Bench) if name.startswith("row_")]


def machine(bench):
    model = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
         if line.startswith("model name")), platform.machine())
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="minutes"),
        "processor": model, "processors": os.cpu_count(), "threads": bench.threads,
        "load": os.getloadavg()[0],
        "sgemm_gflops": round(bench.sgemm_rate(bench.model) / 1e9, 1),
        "command": " ".join(["make bench", "PEER=1" if bench.options.peer else ""]
                            + (["ARGS=--full"] if bench.options.full else [])).strip(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--peer", help="a Python with sentence-transformers")
    parser.add_argument("--full", action="store_true", help="the sizes of docs/performance.md")
    parser.add_argument("--rows", help="only these, with commas between: " + ", ".join(ROWS))
    parser.add_argument("--data", help="folder of the data (default: ../shared/data)")
    parser.add_argument(
        "--model", default=os.environ.get("ST_HOST_MODEL", ROOT / ".models/all-MiniLM-L6-v2"))
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", help="file for everything measured; - for standard output")
    options = parser.parse_args()
    chosen = options.rows.split(",") if options.rows else ROWS
    for name in chosen:
        if name not in ROWS:
            parser.error(f"no row '{name}'; there are {', '.join(ROWS)}")
    bench = Bench(options)
    about = machine(bench)
    print(f"{about['date']}, {about['processor']}, {about['threads']} threads, sgemm"
          f" {about['sgemm_gflops']} GFLOP/s, load {about['load']:.1f}\n")
    print("| work | unit | ours | theirs | ratio | target | share of sgemm |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name in chosen:
        getattr(bench, f"row_{name}")()
    if options.json:
        text = json.dumps({"machine": about, "rows": bench.results}, indent=1)
        if options.json == "-":
            print(text)
        else:
            pathlib.Path(options.json).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
