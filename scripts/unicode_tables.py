"""Writes Sources/Training/Tokenizer/UnicodeTables.swift.

The Rust code behind Hugging Face tokenizers takes its character properties from crates of
different Unicode versions (categories of about version 8, decompositions of version 9, lower case
of a recent one), and Swift's standard library changes its own with every release. Token ids must
depend on neither, so the tables are read out of the installed `tokenizers` package: every code
point goes through its normalisers once.

usage: python scripts/unicode_tables.py > Sources/Training/Tokenizer/UnicodeTables.swift
"""

import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers


def bert(**flags):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **flags})


clean, ideograph = bert(clean_text=True), bert(handle_chinese_chars=True)
strip, lower, nfd = bert(strip_accents=True), bert(lowercase=True), normalizers.NFD()
split = pre_tokenizers.BertPreTokenizer()

removed, spaces, marks, ideographs, punctuation, white = [], [], [], [], [], []
lowercase, decompositions, classes = {}, {}, {}

for point in range(0x110000):
    if 0xD800 <= point < 0xE000:
        continue
    character = chr(point)
    text = "a" + character + "b"

    cleaned = clean.normalize_str(text)[1:-1]
    if cleaned == "":
        removed.append(point)
    elif cleaned == " " and character != " ":
        spaces.append(point)
    else:
        assert cleaned == character

    if ideograph.normalize_str(text) == f"a {character} b":
        ideographs.append(point)

    words = [word for word, _ in split.pre_tokenize_str(text)]
    if words == ["a", character, "b"]:
        punctuation.append(point)
    elif words == ["a", "b"]:
        white.append(point)
    else:
        assert words == [text]

    small = lower.normalize_str(text)[1:-1]
    if small != character:
        lowercase[point] = small

    decomposed = nfd.normalize_str(text)[1:-1]
    if decomposed != character:
        if not 0xAC00 <= point < 0xAC00 + 11172:  # Hangul syllables decompose by arithmetic
            decompositions[point] = decomposed
    else:
        if strip.normalize_str(text) == "ab":
            marks.append(point)
        # A non-starter moves past a mark of class 1 that follows, or before one of class 240.
        if (
            nfd.normalize_str("a" + character + "\u0334") != "a" + character + "\u0334"
            or nfd.normalize_str("a\u0345" + character) != "a\u0345" + character
        ):
            # The class itself never changes once a character is assigned.
            classes[point] = unicodedata.combining(character)
            assert classes[point]
classes[0x0334] = classes.get(0x0334, 1)
classes[0x0345] = classes.get(0x0345, 240)
for character in "".join(decompositions.values()):
    expected = unicodedata.combining(character)
    assert classes.get(ord(character), 0) == expected, hex(ord(character))
# Class 1 marks do not swap with U+0334 and class 240 ones not with U+0345.
for point in marks:
    known = unicodedata.combining(chr(point))
    if known in (1, 240):
        classes.setdefault(point, known)
# Marks must be the stripped ones also inside of decompositions.
for point, text in decompositions.items():
    kept = "".join(c for c in text if ord(c) not in set(marks))
    assert strip.normalize_str("a" + chr(point) + "b")[1:-1] == kept, hex(point)


def ranges(points):
    result = []
    for point in sorted(points):
        if result and result[-1][1] == point - 1:
            result[-1][1] = point
        else:
            result.append([point, point])
    return [value for pair in result for value in pair]


def class_runs():
    result = []
    for point in sorted(classes):
        if result and result[-1][1] == point - 1 and result[-1][2] == classes[point]:
            result[-1][1] = point
        else:
            result.append([point, point, classes[point]])
    return [value for run in result for value in run]


def lowercase_runs():
    """[first, last, step, difference] for runs of code points one or two apart."""
    single = {p: ord(t) - p for p, t in lowercase.items() if len(t) == 1}
    assert {p: t for p, t in lowercase.items() if len(t) > 1} == {0x130: "i\u0307"}
    result = []
    for point in sorted(single):
        last = result[-1] if result else None
        if last and last[3] == single[point]:
            step = point - last[1]
            if step in (1, 2) and (last[0] == last[1] or last[2] == step):
                last[1], last[2] = point, step
                continue
        result.append([point, point, 1, single[point]])
    return [value for run in result for value in run]


def decomposition_list():
    result = []
    for point, text in sorted(decompositions.items()):
        result += [point, len(text), *map(ord, text)]
    return result


def table(name, comment, values, element="UInt32", form="0x{:x}"):
    print(f"\n    /// {comment}")
    print(f"    static let {name}: [{element}] = [")
    line = "       "
    for value in values:
        word = " " + (form.format(value) if value >= 0 else str(value)) + ","
        if len(line) + len(word) > 98:
            print(line)
            line = "       "
        line += word
    print(line)
    print("    ]")


print(
    f"""// Written by scripts/unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit.
// swift-format-ignore-file

/// Properties of characters as the BERT pipeline of Hugging Face tokenizers sees them.
enum UnicodeTables {{
    // Pairs are the first and last code point of a range."""
)
table("removed", "Dropped by clean_text. Pairs.", ranges(removed))
table("spaces", "Turned into a space by clean_text. Pairs.", ranges(spaces))
table("ideographs", "Set between spaces by tokenize_chinese_chars. Pairs.", ranges(ideographs))
table("nonspacingMarks", "Category Mn: dropped after decomposition by strip_accents. Pairs.", ranges(marks))
table("punctuation", "Words of their own. Pairs.", ranges(punctuation))
table("whiteSpace", "Between words. Pairs.", ranges(white))
table("combiningClasses", "First, last, canonical combining class.", class_runs())
table("lowercase", "First, last, step, difference; U+0130 becomes two and is left out.", lowercase_runs(), "Int32", "{}")
table("decompositions", "Code point, count, full canonical decomposition; without Hangul.", decomposition_list())
print("}")
