"""Writes Tests/TrainingTests/Golden/losses.json: torch's values and gradients of every loss.

    python scripts/golden/losses.py --out Tests/TrainingTests/Golden/losses.json

Each case holds the columns' embeddings, the labels, the loss's arguments, its value and the gradient
of the embeddings. Written with sentence-transformers 6.2.0, torch 2.13.0+cpu, seed 7.
"""

import argparse
import json
import pathlib

import torch
from sentence_transformers import losses, util
from torch import nn


class Embedder(nn.Module):
    """Hands out the columns of a case, as a model would its embeddings."""

    def __init__(self):
        super().__init__()
        self.columns = []

    def forward(self, features):
        return {"sentence_embedding": features["sentence_embedding"]}

    def get_embedding_dimension(self):
        return self.columns[0].shape[1]

    get_sentence_embedding_dimension = get_embedding_dimension


SMALL = [
    [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    [[1.0, 1.0], [0.0, 2.0], [-1.0, 1.0]],
    [[0.0, 1.0], [1.0, 0.0], [1.0, 2.0]],
]


BATCH_TRIPLETS = (
    "BatchAllTripletLoss", "BatchHardTripletLoss", "BatchSemiHardTripletLoss", "BatchHardSoftMarginTripletLoss",
)


def cases():
    torch.manual_seed(7)
    wide = [torch.randn(6, 9).tolist() for _ in range(5)]
    scores = [0.9, 0.1, 0.5, 0.5, 0.3, 0.75]
    binary = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    every = ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"]

    def both(name, columns, labels=None, small_labels=None, **arguments):
        yield name, arguments, SMALL[:columns], small_labels
        yield name, arguments, wide[:columns], labels

    name = "MultipleNegativesRankingLoss"
    yield from both(name, 2)
    yield from both(name, 3)
    yield name, {}, wide, None
    yield from both(name, 2, directions=["query_to_doc", "doc_to_query"], partition_mode="per_direction")
    yield from both(name, 3, directions=every)
    yield name, {"directions": every, "scale": 3.0}, wide, None
    yield from both(name, 3, scale=0.5, similarity_fct="dot_score")
    yield name, {"directions": every[:2], "similarity_fct": "dot_score", "scale": 1.0}, wide[:3], None
    yield name, {"directions": [every[0], every[3]]}, wide[:4], None
    for mode in ("in_batch_negatives", "hard_negatives", "all_negatives"):
        yield from both(name, 3, hardness_mode=mode, hardness_strength=5.0)
        yield name, {"hardness_mode": mode, "hardness_strength": 2.0, "directions": every}, wide[:4], None
    yield from both("MultipleNegativesSymmetricRankingLoss", 2)
    yield "MultipleNegativesSymmetricRankingLoss", {}, wide[:3], None
    small = [0.9, 0.1, 0.5]
    yield from both("CosineSimilarityLoss", 2, scores, small)
    yield from both("CoSENTLoss", 2, scores, small)
    yield from both("CoSENTLoss", 2, scores, small, scale=2.0)
    for similarity in ("pairwise_dot_score", "pairwise_euclidean_sim", "pairwise_manhattan_sim"):
        yield "CoSENTLoss", {"similarity_fct": similarity, "scale": 1.0}, wide[:2], scores
    yield from both("AnglELoss", 2, scores, small)
    yield "AnglELoss", {"scale": 3.0}, wide[:4], None
    yield "AnglELoss", {"scale": 3.0}, wide[:3], scores
    for metric in ("EUCLIDEAN", "COSINE", "MANHATTAN"):
        yield from both("TripletLoss", 3, distance_metric=metric)
        yield "TripletLoss", {"distance_metric": metric, "triplet_margin": 0.1}, wide[:3], None
    for loss in ("ContrastiveLoss", "OnlineContrastiveLoss"):
        for metric in ("COSINE_DISTANCE", "EUCLIDEAN", "MANHATTAN"):
            yield from both(loss, 2, binary, [1.0, 0.0, 1.0], distance_metric=metric, margin=0.8)
        yield from both(loss, 2, binary, [1.0, 0.0, 1.0])
        yield loss, {}, wide[:2], [0.0] * 6
        yield loss, {}, wide[:2], [1.0] * 6
    yield "ContrastiveLoss", {"size_average": False}, wide[:2], binary
    yield "MarginMSELoss", {}, SMALL, [1.0, 0.0, -1.0]
    yield "MarginMSELoss", {}, wide[:3], scores
    yield "MarginMSELoss", {"similarity_fct": "pairwise_cos_sim"}, wide[:4], [[s, 1 - s] for s in scores]
    yield "MarginMSELoss", {}, wide[:4], [[s, 1 - s, s * s] for s in scores]
    classes = [2.0, 0.0, 2.0, 1.0, 0.0, 2.0]
    for name in BATCH_TRIPLETS:
        for labels in (classes, [1.0] * 5 + [0.0], [0.0, 1.0, 2.0, 3.0, 0.0, 4.0]):
            yield name, {}, wide[:1], labels
            yield name, {"distance_metric": "cosine_distance"}, wide[:1], labels
        if name != "BatchHardSoftMarginTripletLoss":
            yield name, {"margin": 0.3}, wide[1:2], classes
            yield name, {"margin": 0.05, "distance_metric": "cosine_distance"}, wide[1:2], classes
    yield "BatchAllTripletLoss", {}, wide[:1], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    yield "BatchHardTripletLoss", {}, wide[:1], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    yield "BatchHardTripletLoss", {}, wide[:1], [1.0] * 6
    teacher = wide[4]
    yield "MSELoss", {}, wide[:1], teacher
    yield "MSELoss", {}, wide[:3], teacher
    for metric in ("mse", "l2", "cosine"):
        yield "EmbedDistillLoss", {"distance_metric": metric}, wide[:2], teacher
    yield "DistillKLDivLoss", {}, wide[:3], [[s, 1 - s] for s in scores]
    yield "DistillKLDivLoss", {"temperature": 2.0}, wide[:4], [[s, 1 - s, 3 * s] for s in scores]
    yield "DistillKLDivLoss", {
        "student_temperature": 0.7, "teacher_temperature": 1.5, "similarity_fct": "pairwise_cos_sim",
    }, wide[:3], [[s, 1 - s] for s in scores]
    inner = {"loss": "MultipleNegativesRankingLoss", "matryoshka_dims": [4, 9, 2]}
    yield "MatryoshkaLoss", inner, wide[:3], None
    yield "MatryoshkaLoss", {**inner, "matryoshka_weights": [1.0, 0.5, 2.0]}, wide[:2], None
    yield "MatryoshkaLoss", {**inner, "loss": "CoSENTLoss"}, wide[:2], scores
    yield "MatryoshkaLoss", {**inner, "loss": "MSELoss"}, wide[:2], teacher


def build(name, arguments, model):
    values = dict(arguments)
    if "similarity_fct" in values:
        values["similarity_fct"] = getattr(util, values["similarity_fct"])
    if "distance_metric" in values and name in BATCH_TRIPLETS:
        values["distance_metric"] = getattr(losses.BatchHardTripletLossDistanceFunction, values["distance_metric"])
    elif "distance_metric" in values and name != "EmbedDistillLoss":
        kind = losses.TripletDistanceMetric if name == "TripletLoss" else losses.SiameseDistanceMetric
        values["distance_metric"] = getattr(kind, values["distance_metric"])
    if "directions" in values:
        values["directions"] = tuple(values["directions"])
    if "loss" in values:
        values["loss"] = build(values["loss"], {}, model)
    return getattr(losses, name)(model, **values)


def rounded(value):
    """Nine significant digits tell any two float32 apart."""
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--out", default=pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Golden/losses.json")
    options = parser.parse_args()
    written = []
    for name, arguments, columns, labels in cases():
        model = Embedder()
        model.columns = [torch.tensor(column, requires_grad=True) for column in columns]
        loss = build(name, arguments, model)
        features = [{"sentence_embedding": column} for column in model.columns]
        target = None if labels is None else torch.tensor(labels)
        if name in ("MatryoshkaLoss", "MSELoss", "EmbedDistillLoss", *BATCH_TRIPLETS):
            value = loss(features, target)
        else:
            value = loss.compute_loss_from_embeddings(model.columns, target)
        value.backward()
        written.append({
            "loss": name, "arguments": arguments, "columns": rounded(columns), "labels": labels,
            "value": value.item(), "gradient": [rounded(column.grad.tolist()) for column in model.columns],
        })
    with open(options.out, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in written) + "\n]\n")


main()
