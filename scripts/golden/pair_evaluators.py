"""Writes Tests/TrainingTests/Golden/pair_evaluators.json: metrics of evaluators of pairs and candidates.

    python scripts/golden/pair_evaluators.py

Embeddings of small whole numbers, so that there are ties. sentence-transformers 6.2.0, seed 11.
"""

import json
import pathlib
import warnings

import torch
from sentence_transformers import evaluation

warnings.filterwarnings("ignore")


class Model:
    """Texts are the places of their embeddings."""

    similarity_fn_name = "cosine"
    prompts = {}
    model_card_data = None

    def __init__(self, embeddings):
        self.embeddings = embeddings

    def encode(self, texts, convert_to_numpy=True, convert_to_tensor=False, **_):
        found = self.embeddings[[int(str(text).split(":")[0]) for text in texts]]
        if convert_to_tensor:
            return found
        return found.numpy() if convert_to_numpy else list(found)

    encode_query = encode_document = encode


def floats(metrics):
    return {key: float(value) for key, value in metrics.items()}


def call(evaluator, model):
    evaluator.store_metrics_in_model_card_data = lambda *_: None
    return floats(evaluator(model))


def main():
    torch.manual_seed(11)
    cases = {"binary": [], "translation": [], "mse": [], "reranking": []}
    functions = ["cosine", "dot", "euclidean", "manhattan"]
    for n, spread in ((40, 3), (25, 2), (6, 6)):
        embeddings = torch.randint(-spread, spread + 1, (2 * n, 5)).float()
        embeddings[embeddings.abs().sum(1) == 0, 0] = 1.0
        labels = torch.randint(0, 2, (n,)).tolist()
        for given in (labels, [1] * n, [0] * n):
            evaluator = evaluation.BinaryClassificationEvaluator(
                [str(i) for i in range(n)], [str(n + i) for i in range(n)], given, similarity_fn_names=functions)
            cases["binary"].append({
                "embeddings": embeddings.tolist(), "labels": given, "metrics": call(evaluator, Model(embeddings))})
        evaluator = evaluation.TranslationEvaluator(
            [str(i) for i in range(n)], [str(n + i) for i in range(n)])
        noisy = embeddings.clone()
        noisy[n:] = embeddings[:n] + torch.randint(-1, 2, (n, 5))
        noisy[noisy.abs().sum(1) == 0, 0] = 1.0
        cases["translation"].append({"embeddings": noisy.tolist(), "metrics": call(evaluator, Model(noisy))})
        evaluator = evaluation.MSEEvaluator(
            [str(i) for i in range(n)], [str(n + i) for i in range(n)], teacher_model=Model(noisy / 10))
        cases["mse"].append({
            "teacher": (noisy[:n] / 10).tolist(), "student": (noisy[n:] / 10).tolist(),
            "metrics": call(evaluator, Model(noisy / 10))})
    for at_k, spread in ((10, 2), (2, 1), (3, 4)):
        # Different lengths keep equal cosines apart only where the numbers are; dot products tie.
        embeddings = torch.randint(-spread, spread + 1, (60, 4)).float()
        embeddings[embeddings.abs().sum(1) == 0, 0] = 1.0
        samples, place = [], 0
        for right, wrong in ((1, 4), (3, 3), (5, 2), (2, 12), (4, 1)):
            texts = [str(place + i) for i in range(1 + right + wrong)]
            samples.append({"query": texts[0], "positive": texts[1:1 + right], "negative": texts[1 + right:]})
            place += len(texts)
        from sentence_transformers.util import dot_score

        def tieless(a, b):
            # The order of ties is torch's own; a little goes to the earlier ones.
            return dot_score(a, b) - 1e-3 * torch.arange(b.shape[0])

        for breaks_ties, function in ((True, tieless), (False, dot_score)):
            evaluator = evaluation.RerankingEvaluator(samples, at_k=at_k, similarity_fct=function)
            metrics = call(evaluator, Model(embeddings))
            if breaks_ties:
                mrr = metrics[f"mrr@{at_k}"]
            else:
                metrics[f"mrr@{at_k}"] = mrr
        cases["reranking"].append({
            "embeddings": embeddings.tolist(), "at_k": at_k, "metrics": metrics,
            "counts": [[len(s["positive"]), len(s["negative"])] for s in samples]})
    root = pathlib.Path(__file__).resolve().parents[2]
    out = root / "Tests/TrainingTests/Golden/pair_evaluators.json"
    out.write_text(json.dumps(cases, separators=(",", ":")) + "\n", encoding="utf-8")


main()
