"""Writes Tests/TrainingTests/Golden/from_config.json: the weights that transformers gives new models.

    python scripts/golden/from_config.py

For every tensor its shape, sum, sum of squares, first 8 and last 3 numbers. transformers 5.23, torch
2.13.0+cpu, torch.manual_seed before the model is made.
"""

import json
import pathlib

import torch
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

SIZES = {"vocab_size": 37, "hidden_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
         "intermediate_size": 30, "max_position_embeddings": 9, "pad_token_id": 0}
MODELS = {"bert": (BertConfig, BertModel), "distilbert": (DistilBertConfig, DistilBertModel)}
DISTILBERT = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
              "intermediate_size": "hidden_dim"}


def main():
    written = []
    for name, (config, model) in MODELS.items():
        for seed, changes in ((1, {}), (42, {"hidden_size": 32, "intermediate_size": 64, "initializer_range": 0.5})):
            sizes = {**SIZES, **changes}
            if name == "distilbert":
                sizes = {DISTILBERT.get(key, key): value for key, value in sizes.items()}
            torch.manual_seed(seed)
            made = model(config(**sizes))
            tensors = {}
            for key, value in made.named_parameters():
                flat = value.detach().flatten()
                tensors[key] = {
                    "shape": list(value.shape), "sum": flat.double().sum().item(),
                    "squares": (flat.double() ** 2).sum().item(),
                    "first": [float(f"{x:.8g}") for x in flat[:8].tolist()],
                    "last": [float(f"{x:.8g}") for x in flat[-3:].tolist()],
                }
            written.append({"architecture": name, "seed": seed, "config": {**SIZES, **changes}, "tensors": tensors})
    root = pathlib.Path(__file__).resolve().parents[2]
    out = root / "Tests/TrainingTests/Golden/from_config.json"
    lines = [json.dumps(case, separators=(",", ":")) for case in written]
    out.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


main()
