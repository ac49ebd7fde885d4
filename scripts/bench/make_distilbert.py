"""Makes a model folder of DistilBERT's size (6 layers, 768 wide, 66 million parameters) with random
weights and the vocabulary of another BERT model: what speed is measured on where no real one is.

    python3 scripts/bench/make_distilbert.py FROM_MODEL FOLDER

Normal weights of deviation 0.02, as BERT is initialised; the same in every run. They repeat after a
million numbers, so that the standard library makes them in a second.
"""

import array
import json
import pathlib
import random
import shutil
import struct
import sys

HIDDEN, INNER, LAYERS, VOCABULARY, POSITIONS = 768, 3072, 6, 30522, 512


def shapes():
    yield "embeddings.word_embeddings.weight", [VOCABULARY, HIDDEN]
    yield "embeddings.position_embeddings.weight", [POSITIONS, HIDDEN]
    yield from norm("embeddings.LayerNorm")
    for layer in range(LAYERS):
        start = f"transformer.layer.{layer}."
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            yield from linear(f"{start}attention.{name}", HIDDEN, HIDDEN)
        yield from norm(start + "sa_layer_norm")
        yield from linear(start + "ffn.lin1", INNER, HIDDEN)
        yield from linear(start + "ffn.lin2", HIDDEN, INNER)
        yield from norm(start + "output_layer_norm")


def linear(name, outputs, inputs):
    yield name + ".weight", [outputs, inputs]
    yield name + ".bias", [outputs]


def norm(name):
    yield name + ".weight", [HIDDEN]
    yield name + ".bias", [HIDDEN]


def weights(generator, pool, name, count):
    if name.endswith("norm.weight") or name.endswith("LayerNorm.weight"):
        return struct.pack("<f", 1.0) * count
    if name.endswith(".bias"):
        return bytes(4 * count)
    start = 4 * generator.randrange(len(pool) // 4)
    turned = pool[start:] + pool[:start]
    return (turned * (4 * count // len(turned) + 1))[: 4 * count]


def main(source, folder):
    source, folder = pathlib.Path(source), pathlib.Path(folder)
    folder.mkdir(parents=True)
    generator = random.Random(42)
    numbers = array.array("f", (generator.gauss(0, 0.02) for _ in range(1_000_003)))
    if sys.byteorder == "big":
        numbers.byteswap()
    pool = numbers.tobytes()
    header, data, place = {"__metadata__": {"format": "pt"}}, [], 0
    for name, shape in shapes():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {
            "dtype": "F32", "shape": shape, "data_offsets": [place, place + 4 * count]}
        data.append(weights(generator, pool, name, count))
        place += 4 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(data)

    def write(name, value):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")

    write("config.json", {
        "architectures": ["DistilBertModel"], "model_type": "distilbert",
        "vocab_size": VOCABULARY, "max_position_embeddings": POSITIONS, "dim": HIDDEN,
        "hidden_dim": INNER, "n_layers": LAYERS, "n_heads": 12, "activation": "gelu",
        "dropout": 0.1, "attention_dropout": 0.1, "sinusoidal_pos_embds": False,
        "initializer_range": 0.02, "pad_token_id": 0})
    write("modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling",
         "type": "sentence_transformers.models.Pooling"}])
    write("1_Pooling/config.json", {
        "word_embedding_dimension": HIDDEN, "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False})
    write("sentence_bert_config.json", {"max_seq_length": 128, "do_lower_case": False})
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        if (source / name).exists():
            shutil.copy(source / name, folder / name)


if __name__ == "__main__":
    main(*sys.argv[1:])
