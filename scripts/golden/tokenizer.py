"""Writes Tests/TrainingTests/Golden/tokenizer/: small tokenizer folders, what Python saves of them,
and token ids.

    python scripts/golden/tokenizer.py [--model FOLDER] [--data FOLDER] [--out FOLDER]

`--model` is the folder of all-MiniLM-L6-v2 (default: ST_HOST_MODEL), `--data` a folder of JSON
Lines files (default: ST_HOST_DATA); of those only digests are kept. Written with transformers
5.23.0 and tokenizers 0.23.3.
"""

import argparse
import json
import os
import pathlib
import shutil

import transformers
from tokenizers import AddedToken, normalizers, pre_tokenizers

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
transformers.logging.set_verbosity_error()

HARD = [
    "", " ", "\t\n\r", "Hello World! h\u00e9", "na\u00efve Caf\u00e9 \u00c5ngstr\u00f6m \u0141\u00f3d\u017a",
    "e\u0301 u\u0308 a\u0323\u0302 q\u0307\u0323", "\u4f60\u597d\u4e16\u754chello\u4e16",
    "\u3053\u3093\u306b\u3061\u306f \u30ab\u30bf\u30ab\u30ca\u6f22\u5b57", "\ud55c\uad6d\uc5b4 \uac00\uac01\ud7a3",
    "\u1112\u1161\u11ab\u1100\u116e\u11a8", "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f44d\U0001f3fd",
    "a\u0000b\u0001c\u001fd\u007fe\u0085f\u009fg", "a\u200bb\u200cc\u200dd\ufeffe\u00adf\u2060g",
    "a\u00a0b\u2003c\u3000d\u2028e\u2029f\u1680g", "x\u0301\u0327\u0323y", "\u0130stanbul I\u0131i \u0130\u0307",
    "\u039f\u0394\u039f\u03a3 \u03a3\u03a3 \u03c3\u03c2 \u0391\u03a3", "Stra\u00dfe \u1e9e \ufb01n \ufb03",
    "\u0378\u0379 \U000e0fff \U0003fffd", "\ue000\uf8ff\U000f0000", "\ufffd a\ufffdb",
    "[CLS] a [SEP] b [MASK][PAD][UNK]", "[cls] [Sep] [MASK ] [ MASK]", "[SEP][SEP]", "##ing ing##",
    "don't stop-me_now @user #tag $5.00 1,000 50% a/b\\c `x` ~y^z|", "\u20ac5 \u00a310 \u00b0C \u00d7 \u00f7 \u2260 \u037e \u1fef",
    "\u00ab\u00bb\u2014\u2026\u2018\u2019\u201c\u201d\u3001\u3002\uff01\uff1f\u2e40\u2e43", "a" * 100, "a" * 101, "\u4e00" * 101,
    "x" * 10000, "ab " * 300, "unaffable Internationalization electroencephalographically",
    "\u302e\u302f\u0334 a\u302f\u302e b\U0001d165\U0001d16d\U0001d166", "\U0001d15e\U0001d160 \u0344 \u0958",
    "\u0915\u094d\u0937\u0924\u094d\u0930\u093f\u092f \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0645\u0631\u062d\u0628\u0627\u064b",
    "\uf900\uf9ff\U0002f800 \U00020000\U0002a6df\U0002a6e0\U0002b740\U0002b820\U00030000", "1\u20442 \u00bd \u2160\u2173 \u24b6\u24d0",
    "https://example.com/?q=a&b=c#d", "line one\nline two\r\nline three", "tab\tseparated\tvalues",
    "\u01c5\u01c6 \u1f88\u1f80 \u03f4 \u212a\u212b", "\U00010400\U00010428 \U0001e900 \ua7cb\u1c89",
]


def fnv(data: bytes, state: int = 0xCBF29CE484222325) -> int:
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return state


def digest(rows) -> str:
    """FNV-1a over the ids as 32-bit little-endian words, -1 after each text."""
    data = bytearray()
    for ids in rows:
        for value in ids:
            data += int(value).to_bytes(4, "little")
        data += b"\xff\xff\xff\xff"
    return f"{fnv(bytes(data)):016x}"


def encode(tokenizer, texts, length):
    return tokenizer(texts, truncation=True, max_length=length)["input_ids"]


def code_points():
    return [chr(p) for p in range(0x110000) if not 0xD800 <= p < 0xE000]


def real_model(folder, data):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    result = {
        "hard": [encode(tokenizer, text, 64) for text in HARD],
        "truncated": [encode(tokenizer, text, 8) for text in HARD],
        "sweep": digest(encode(tokenizer, [f"a{c}b" for c in code_points()], 64)),
        "files": {},
    }
    for path in sorted(pathlib.Path(data).glob("*.jsonl")) if data else []:
        rows = map(json.loads, path.read_text().splitlines())
        texts = [v for row in rows for v in row.values() if isinstance(v, str)]
        result["files"][path.name] = digest(encode(tokenizer, texts, 256))
    return result


def pipeline_digests():
    """Every code point between two letters through normaliser and pre-tokeniser alone."""
    result = {"normalizers": []}
    for flags in [
        dict(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True),
        dict(clean_text=True, handle_chinese_chars=False, strip_accents=None, lowercase=False),
        dict(clean_text=False, handle_chinese_chars=True, strip_accents=True, lowercase=False),
        dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True),
    ]:
        normalizer = normalizers.BertNormalizer(**flags)
        text = "\n".join(normalizer.normalize_str(f"A{c}b") for c in code_points())
        result["normalizers"].append({**flags, "digest": f"{fnv(text.encode()):016x}"})
    splitter = pre_tokenizers.BertPreTokenizer()
    words = "\n".join(
        "\t".join(w for w, _ in splitter.pre_tokenize_str(f"A{c}b")) for c in code_points())
    result["words"] = f"{fnv(words.encode()):016x}"
    return result


# --- Small tokenizers -----------------------------------------------------------------------------

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = [
    "the", "cat", "sat", "on", "un", "##aff", "##able", "##ing", "##s", "new", "word", "Cat", "H",
    "##ello", "hello", "é", "##é", "É", "\u4f60", "\u597d", ".", ",", "!", "'", "[", "]", "<", ">", "-", "#",
]


def vocabulary(specials):
    tokens = specials + list(LETTERS) + ["##" + c for c in LETTERS] + WORDS
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}


BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = [
    "", "The cat sat on the mat.", "Hello CAT Cat \u00c9\u00e9", "unaffable [MASK] [SEP]x", "\u4f60\u597dcat \u4f60",
    "<ent> a<ent>b  <ent>  c", "new word newword new word! a new wordy", "NEW WORD New Word", "[X]  y [X]z",
    "caf\u00e9 cafe\u0301 Caf\u00c9", "a" * 120, "cat " * 40, "<mask> a <mask>", "hello's <s> </s>", "\ud55c\uad6d \u0130",
    "[CLS][CLS]", " lead and trail ",
]


def edit(path, **changes):
    content = json.loads(path.read_text())
    for key, value in changes.items():
        if value is DELETE:
            content.pop(key, None)
        else:
            content[key] = value
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


DELETE = object()


def small_tokenizers(folder):
    """Name -> folder written; each is then loaded through AutoTokenizer."""
    def save(name, tokenizer):
        path = folder / name
        tokenizer.save_pretrained(path)
        return path

    bert = transformers.BertTokenizer
    save("uncased", bert(vocab=vocabulary(BERT), model_max_length=64))
    save("cased", bert(
        vocab=vocabulary(BERT), do_lower_case=False, tokenize_chinese_chars=False))
    # The class's flags win over the pipeline in tokenizer.json.
    path = save("flags-win", bert(vocab=vocabulary(BERT), do_lower_case=False))
    edit(path / "tokenizer_config.json", do_lower_case=DELETE)
    tokenizer = bert(vocab=vocabulary(BERT), strip_accents=False, model_max_length=32)
    tokenizer.add_tokens([
        AddedToken("<ent>", lstrip=True, normalized=False),
        AddedToken("new word", single_word=True, normalized=True),
        AddedToken("[X]", rstrip=True, normalized=False, special=True),
        AddedToken("[X]z", normalized=False),
    ])
    save("added", tokenizer)
    # tokenizer.json as it is: flags that the class would not use, two tokens in front.
    path = save("fast", bert(vocab=vocabulary(BERT), model_max_length=16))
    edit(path / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast", do_lower_case=DELETE)
    content = json.loads((path / "tokenizer.json").read_text())
    content["normalizer"].update(lowercase=False, strip_accents=True)
    content["model"]["max_input_chars_per_word"] = 10
    single = content["post_processor"]["single"]
    content["post_processor"]["single"] = [single[0], single[0], *single[1:]]
    (path / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False))
    # Files of older libraries.
    path = folder / "vocabulary-only"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(vocabulary(BERT)) + "\n")
    (path / "tokenizer_config.json").write_text(json.dumps(
        {"do_lower_case": False, "tokenizer_class": "BertTokenizer", "model_max_length": 48}))
    (path / "special_tokens_map.json").write_text(json.dumps(
        {"cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]", "pad_token": "[PAD]",
         "mask_token": {"content": "[MASK]", "lstrip": True, "rstrip": False, "normalized": False,
                        "single_word": False}}))
    (path / "added_tokens.json").write_text(json.dumps({"<ent>": len(vocabulary(BERT))}))
    save("mpnet", transformers.MPNetTokenizer(
        vocab=vocabulary(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]), model_max_length=40))


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default=os.environ.get("ST_HOST_MODEL"))
    parser.add_argument("--data", default=os.environ.get("ST_HOST_DATA"))
    parser.add_argument("--out", default=root / "Tests/TrainingTests/Golden/tokenizer")
    arguments = parser.parse_args()
    out = pathlib.Path(arguments.out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    small_tokenizers(out)
    small = {}
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        tokenizer.model_max_length = 24
        tokenizer.save_pretrained(out / "saved" / folder.name)
        small[folder.name] = {
            "ids": [encode(tokenizer, text, 200) for text in TEXTS],
            "truncated": [encode(tokenizer, text, 6) for text in TEXTS],
        }
    golden = {
        "hard": HARD, "texts": TEXTS, "small": small, "pipeline": pipeline_digests(),
        "model": real_model(arguments.model, arguments.data) if arguments.model else None,
    }
    lines = [f'"{key}": {json.dumps(value)}' for key, value in golden.items()]
    (out / "golden.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
