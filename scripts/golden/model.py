"""Writes the golden files of Tests/TrainingTests/Golden/model: tiny models saved by
sentence-transformers, and their embeddings and gradients for fixed batches.

    python scripts/golden/model.py                 # tiny models
    python scripts/golden/model.py --model FOLDER  # also embeddings of the real all-MiniLM-L6-v2

Needs sentence-transformers 6.2 and torch (CPU). Seeds are fixed; run it again after a change of
versions and look at the difference.
"""

import argparse
import json
import os
import pathlib
import shutil
import tempfile

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Dropout, LayerNorm, Pooling
from transformers import BertConfig, BertModel, BertTokenizer, DistilBertConfig, DistilBertModel

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "TrainingTests" / "Golden" / "model"
WORDS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] a the cat dog sat ran on under mat tree big small red blue "
    "##s ##ing ##ed and or not is was house river bird sing fly swim fast slow . , ? !"
).split()


def tiny_checkpoint(folder, kind):
    torch.manual_seed(7)
    common = dict(vocab_size=len(WORDS), max_position_embeddings=40, pad_token_id=0, initializer_range=0.25)
    if kind == "bert":
        model = BertModel(BertConfig(
            hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
            hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.2, **common))
    else:
        # Head size 8 and widths that are no multiple of a vector register.
        model = DistilBertModel(DistilBertConfig(
            dim=24, n_layers=2, n_heads=3, hidden_dim=40, dropout=0.1, attention_dropout=0.2, **common))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name.lower() or name.endswith("bias"):
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=True, model_max_length=32).save_pretrained(folder)


def build(kind, modules):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiny_checkpoint(folder, kind)
        transformer = Transformer(str(folder))
        torch.manual_seed(11)
        return SentenceTransformer(modules=[transformer] + modules(transformer.get_embedding_dimension()), device="cpu")


def batch(lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    return [
        [2] + torch.randint(5, len(WORDS), (length - 2,), generator=generator).tolist() + [3]
        for length in lengths
    ]


def padded(sentences):
    longest = max(map(len, sentences))
    return {
        "input_ids": torch.tensor([s + [0] * (longest - len(s)) for s in sentences]),
        "attention_mask": torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sentences]),
    }


def run(model, passes, train, seed, prompt_length=None):
    """Embeddings, upstream gradient and all parameter gradients of one loss over several passes."""
    model.zero_grad()
    model.train(train)
    torch.manual_seed(seed)
    outputs = []
    for sentences in passes:
        features = padded(sentences)
        if prompt_length is not None:
            features["prompt_length"] = prompt_length
        outputs.append(model(features)["sentence_embedding"])
    embeddings = torch.cat(outputs)
    upstream = torch.randn(embeddings.shape, generator=torch.Generator().manual_seed(seed + 1))
    embeddings.backward(upstream)
    tensors = {"embeddings": embeddings.detach(), "upstream": upstream}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            tensors["gradient." + name] = parameter.grad
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
MODELS = {
    "bert": ("bert", lambda width: [Pooling(width, "mean"), Normalize()]),
    "distilbert": ("distilbert", lambda width: [Pooling(width, "mean")]),
    "modules": ("bert", lambda width: [
        Pooling(width, MODES, include_prompt=False), Dense(6 * width, 40), LayerNorm(40), Dropout(0.3),
        Dense(40, 40, activation_function=torch.nn.GELU(), bias=False, use_residual=True),
        Dense(40, 20, activation_function=torch.nn.Identity(), use_residual=True), Normalize()]),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--model", default=os.environ.get("ST_HOST_MODEL"), help="folder of all-MiniLM-L6-v2")
    arguments = parser.parse_args()
    GOLDEN.mkdir(parents=True, exist_ok=True)

    cases = []
    for name, (kind, modules) in MODELS.items():
        model = build(kind, modules)
        folder = GOLDEN / name
        shutil.rmtree(folder, ignore_errors=True)
        model.save_pretrained(str(folder), create_model_card=False)
        tensors = {}
        first = batch([3, 9, 4, 17, 5, 5, 30], seed=1)
        second = batch([12, 4, 7], seed=2)
        for case in [
            dict(name="plain", passes=[first], train=False, seed=3),
            dict(name="prompt", passes=[first], train=False, seed=4, prompt_length=2),
            dict(name="dropout", passes=[first, second], train=True, seed=5),
        ]:
            if (case["name"] == "prompt") != (name == "modules") and case["name"] != "dropout":
                continue
            for key, tensor in run(model, **{k: v for k, v in case.items() if k != "name"}).items():
                tensors[f"{case['name']}.{key}"] = tensor
            cases.append(dict(case, model=name))
        save_file(tensors, str(GOLDEN / f"{name}.safetensors"))

    # The six pooling modes one by one, embeddings only.
    poolings = []
    for mode in MODES:
        model = build("bert", lambda width: [Pooling(width, mode, include_prompt=False)])
        model.eval()
        with torch.no_grad():
            for prompt_length in (0, 2):
                features = padded(batch([3, 9, 2, 17, 5], seed=6))
                features["prompt_length"] = prompt_length
                values = model(features)["sentence_embedding"]
                poolings.append(dict(mode=mode, prompt_length=prompt_length, embeddings=[
                    [round(v, 7) for v in row] for row in values.tolist()]))
    (GOLDEN / "cases.json").write_text(json.dumps(dict(cases=cases, poolings=poolings, pooling_batch=batch([3, 9, 2, 17, 5], seed=6))))

    if arguments.model:
        model = SentenceTransformer(arguments.model, device="cpu")
        sentences = json.loads((GOLDEN / "sentences.json").read_text())
        vectors = torch.tensor(model.encode(sentences))
        save_file({"embeddings": vectors.contiguous()}, str(GOLDEN / "minilm.safetensors"))


if __name__ == "__main__":
    main()
