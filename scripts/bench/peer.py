"""The other side of run.py: the same work in sentence-transformers. Prints one JSON object.

    python scripts/bench/peer.py WORK [ARGUMENT ...]

WORK and its arguments are those of train.lua, evaluate.lua and search.lua; `tokenizer MODEL DATA
ROWS` and `import` measure what st-bench and `st-host -e` do on our side. Threads: OMP_NUM_THREADS.
"""

import json
import os
import sys
import tempfile
import time

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def read(path, rows=None):
    with open(path, encoding="utf-8") as lines:
        table = [json.loads(line) for _, line in zip(range(int(rows or 10**9)), lines)]
    return {key: [row[key] for row in table] for key in table[0]}


def arguments(**more):
    from sentence_transformers import SentenceTransformerTrainingArguments

    return SentenceTransformerTrainingArguments(
        output_dir=tempfile.mkdtemp(), save_strategy="no", eval_strategy="no",
        logging_strategy="no", report_to=[], disable_tqdm=True, use_cpu=True, **more)


def train(path, data, columns, rows, batch, precision, length, loss):
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, losses

    table = read(data, rows)
    model = SentenceTransformer(path, device="cpu")
    model.max_seq_length = int(length)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=arguments(
            num_train_epochs=1, seed=42, per_device_train_batch_size=int(batch),
            learning_rate=2e-5, batch_sampler="no_duplicates", bf16=precision == "bf16"),
        train_dataset=Dataset.from_dict({name: table[name] for name in columns.split(",")}),
        loss=getattr(losses, loss)(model))
    output = trainer.train()
    return {"seconds": output.metrics["train_runtime"], "loss": output.training_loss}


def write_parquet(data, path):
    import pyarrow.json
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.json.read_json(data), path)
    return {}


def read_parquet(path, repeat):
    """Median of reading all columns into Arrow."""
    import pyarrow.parquet

    def once():
        start = time.perf_counter()
        pyarrow.parquet.read_table(path)
        return time.perf_counter() - start

    return {"seconds": sorted(once() for _ in range(int(repeat)))[int(repeat) // 2]}


def load(format, path, split):
    """What load_dataset takes; with a split but the first time, from datasets' own cache."""
    import datasets

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as cache:
        if split != "train":
            datasets.load_dataset(format, data_files=path, split=split, cache_dir=cache)
        start = time.perf_counter()
        dataset = datasets.load_dataset(format, data_files=path, split=split, cache_dir=cache)
        columns = [dataset.with_format("arrow")[:][name] for name in dataset.column_names]
        return {"seconds": time.perf_counter() - start, "rows": len(columns[0])}


def evaluator(data, rows=None):
    from sentence_transformers.evaluation import EmbeddingSimilarityEvaluator

    table = read(data, rows)
    return EmbeddingSimilarityEvaluator(
        sentences1=table["sentence1"], sentences2=table["sentence2"], scores=table["score"],
        main_similarity="cosine", name="dev", write_csv=False)


def evaluate(path, data, rows, precision):
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(path, device="cpu")
    scorer = evaluator(data, rows)
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        metrics = scorer(model)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "spearman": float(metrics["dev_spearman_cosine"])}


def search(path, triplets, pairs, rows, trials, jobs, low, high):
    import optuna
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, losses

    table = read(triplets, rows)
    names = ["anchor", "positive", "negative"]
    trainer = SentenceTransformerTrainer(
        model=None, args=arguments(batch_sampler="no_duplicates"),
        train_dataset=Dataset.from_dict({name: table[name] for name in names}),
        evaluator=evaluator(pairs),
        model_init=lambda trial: SentenceTransformer(path, device="cpu"),
        loss=lambda model: losses.MultipleNegativesRankingLoss(model))
    best = trainer.hyperparameter_search(
        hp_space=lambda trial: {
            "num_train_epochs": trial.suggest_int("num_train_epochs", 1, 2),
            "per_device_train_batch_size": trial.suggest_int(
                "per_device_train_batch_size", int(low), int(high)),
            "warmup_ratio": trial.suggest_float("warmup_ratio", 0, 0.3),
            "learning_rate": trial.suggest_float("learning_rate", 1e-6, 1e-4, log=True)},
        compute_objective=lambda metrics: metrics["eval_dev_spearman_cosine"],
        n_trials=int(trials), n_jobs=int(jobs), direction="maximize", backend="optuna",
        sampler=optuna.samplers.TPESampler(seed=42))
    return {"objective": best.objective}


def tokenizer(path, data, rows):
    from tokenizers import Tokenizer

    table = read(data, rows)
    texts = [text for name in ("sentence1", "sentence2") for text in table[name]]
    own = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
    own.no_padding()
    own.enable_truncation(256)

    def best(work):
        times = []
        for _ in range(5):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return sorted(times)[2]

    return {
        "single_seconds": best(lambda: [own.encode(text).ids for text in texts]),
        "batch_seconds": best(lambda: [encoding.ids for encoding in own.encode_batch(texts)])}


def imported():
    import sentence_transformers  # noqa: F401

    return {}


if __name__ == "__main__":
    works = {"train": train, "evaluate": evaluate, "search": search, "tokenizer": tokenizer,
             "write-parquet": write_parquet, "read-parquet": read_parquet, "load": load,
             "import": imported}
    print(json.dumps(works[sys.argv[1]](*sys.argv[2:])), flush=True)
