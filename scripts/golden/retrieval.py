"""Writes Tests/TrainingTests/Golden/retrieval.json: InformationRetrievalEvaluator's metrics.

    python scripts/golden/retrieval.py

Embeddings of small whole numbers, so that there are ties. sentence-transformers 6.2.0, seed 5.
"""

import json
import pathlib

import torch
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator
from sentence_transformers.util import cos_sim, dot_score


class Model:
    similarity_fn_name = "cosine"
    prompts = {}

    def __init__(self, queries, corpus):
        self.queries, self.corpus = queries, corpus

    def encode_query(self, texts, **_):
        return self.queries[[int(text) for text in texts]]

    def encode_document(self, texts, **_):
        return self.corpus[[int(text) for text in texts]]


def main():
    torch.manual_seed(5)
    queries = torch.randint(-2, 3, (6, 4)).float()
    corpus = torch.randint(-2, 3, (40, 4)).float()
    relevant = [[3, 17], [0], list(range(12)), [39, 5, 21], [8, 9], [30]]
    evaluator = InformationRetrievalEvaluator(
        {f"q{i}": str(i) for i in range(6)}, {f"d{i:02}": str(i) for i in range(40)},
        {f"q{i}": {f"d{j:02}" for j in ids} for i, ids in enumerate(relevant)},
        score_functions={"cosine": cos_sim, "dot": dot_score}, mrr_at_k=[3, 10], map_at_k=[5, 100])
    scores = evaluator.compute_all_metrics(Model(queries, corpus))
    metrics = {
        f"{function}_{metric.replace('@k', '@' + str(k))}": float(value)
        for function, metrics in scores.items() for metric, values in metrics.items() for k, value in values.items()
    }
    root = pathlib.Path(__file__).resolve().parents[2]
    out = root / "Tests/TrainingTests/Golden/retrieval.json"
    out.write_text(json.dumps({
        "queries": queries.tolist(), "corpus": corpus.tolist(), "relevant": relevant, "metrics": metrics,
    }, separators=(",", ":")) + "\n", encoding="utf-8")


main()
