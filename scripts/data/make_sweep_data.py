#!/usr/bin/env python3
"""Writes the data of scripts/sweep.lua from situations.txt, beside itself.

    make_sweep_data.py            writes train.jsonl, dev.jsonl, test.jsonl
    make_sweep_data.py --check    fails when they are not what it would write

train.jsonl holds triplets: the positive is closer to the anchor in meaning than the negative, not always
in words. dev.jsonl and test.jsonl hold scored pairs: 1.0 the same, 0.6 part of it, 0.2 alike but something
else, 0.0 another matter. Every scored pair has a wording, and people and places, that training never
shows; dev and test have different situations. Standard library only; the same output everywhere.
"""

import itertools
import json
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).parent
SAME_BEFORE_OTHER = 7  # triplets of this kind for each situation, beside four of other kinds

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
NUMBERS = "three four five six seven eight nine ten eleven twelve".split()
TIMES = ["half past seven", "eight in the morning", "nine", "ten", "half past eleven", "noon", "one",
         "two in the afternoon", "half past three", "six in the evening"]
NAMES = {
    "train": {
        "person": "Anna Ben Carla David Emma Felix Grace Henry Ivy Jack Kate Leo Mary Nick Olga Paul Rosa "
                  "Sam Tina Victor".split(),
        "place": "Ashford Bristol Cardiff Dover Exeter Falmouth Glasgow Hereford Ipswich Kendal Leeds "
                 "Margate Norwich Oxford Perth".split(),
    },
    "held out": {
        "person": "Alice Bruno Clara Daniel Edith Frank Helen Isaac Julia Karl Laura Martin Nora Oscar "
                  "Peter Ruth".split(),
        "place": "Aberdeen Bath Carlisle Durham Fishguard Galway Harwich Inverness Lincoln Newport Plymouth "
                 "Ripon".split(),
    },
}


def main() -> int:
    situations = read_situations(HERE / "situations.txt")
    files = {
        "train.jsonl": triplets(situations),
        "dev.jsonl": scored_pairs(situations[0::2], seed=2),
        "test.jsonl": scored_pairs(situations[1::2], seed=3),
    }
    stale = []
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        if sys.argv[1:] != ["--check"]:
            (HERE / name).write_text(text)
            print(f"{name}: {len(rows)} rows")
        elif (HERE / name).read_text() != text:
            stale.append(name)
    if stale:
        print(f"scripts/data: {', '.join(stale)}: run scripts/data/make_sweep_data.py", file=sys.stderr)
    return 1 if stale else 0


def read_situations(path: pathlib.Path) -> list[dict]:
    situations: list[dict] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[([a-z-]+)\]", line):
            situations.append({"name": header[1], "lists": {}, "=": [], "~": [], "!": []})
        elif words := re.fullmatch(r"([xk]): (.+)", line):
            situations[-1]["lists"][words[1]] = words[2].split(", ")
        elif sentence := re.fullmatch(r"([=~!]) (.+)", line):
            situations[-1][sentence[1]].append(sentence[2])
        else:
            raise SystemExit(f"{path.name}:{number}: not a line of a situation: {line}")
    return situations


def triplets(situations: list[dict]) -> list[dict]:
    chance = Chance(1)
    rows = []
    for situation in situations:
        same, part, other = situation["="][:-1], situation["~"], situation["!"][:-1]
        # The same stands before something else, and before a part; a part before something else.
        wordings = chance.shuffled((a, p, n) for a, p in itertools.permutations(same, 2) for n in other)
        wordings = wordings[:SAME_BEFORE_OTHER]
        for _ in range(2):
            wordings.append((*chance.shuffled(same)[:2], chance.pick(part)))
            wordings.append((chance.pick(same), chance.pick(part), chance.pick(other)))
        for anchor, positive, negative in wordings:
            values = fill_values(situation, "train", chance)
            rows.append({
                "anchor": fill(anchor, values),
                "positive": fill(positive, values),
                "negative": fill(negative, values),
            })
    return chance.shuffled(rows)


def scored_pairs(situations: list[dict], seed: int) -> list[dict]:
    chance = Chance(seed)
    rows = []
    for index, situation in enumerate(situations):
        # The first sentence of each pair is a wording that training has not seen.
        unseen = situation["="][-1]
        seen = chance.shuffled(situation["="][:-1])
        for second, score in [
            (seen[0], 1.0),
            (seen[1], 1.0),
            (chance.pick(situation["~"]), 0.6),
            (situation["!"][-1], 0.2),
            (chance.pick(situation["!"][:-1]), 0.2),
        ]:
            values = fill_values(situation, "held out", chance)
            rows.append((fill(unseen, values), fill(second, values), score))
        for _ in range(2):
            # Another situation, with the same people, places and numbers where it has any.
            values = fill_values(situation, "held out", chance)
            other = situations[(index + 1 + chance.below(len(situations) - 1)) % len(situations)]
            shared = {slot: value for slot, value in values.items() if slot not in "xyk"}
            other_values = fill_values(other, "held out", chance) | shared
            rows.append((fill(unseen, values), fill(other["="][-1], other_values), 0.0))
    columns = ("sentence1", "sentence2", "score")
    return [dict(zip(columns, row)) for row in chance.shuffled(rows)]


def fill_values(situation: dict, part: str, chance: "Chance") -> dict[str, str]:
    names = NAMES[part]
    values = {}
    values["p"], values["q"] = chance.shuffled(names["person"])[:2]
    values["a"], values["b"] = chance.shuffled(names["place"])[:2]
    values["d"], values["e"] = chance.shuffled(DAYS)[:2]
    values["n"], values["m"] = chance.shuffled(NUMBERS)[:2]
    values["t"], values["u"] = (TIMES[i] for i in sorted(chance.shuffled(range(len(TIMES)))[:2]))
    lists = situation["lists"]
    if "x" in lists:
        values["x"], values["y"] = chance.shuffled(lists["x"])[:2]
    if "k" in lists:
        values["k"] = chance.pick(lists["k"])
    return values


def fill(sentence: str, values: dict[str, str]) -> str:
    text = re.sub(r"\{(\w)\}", lambda slot: values[slot[1]], sentence)
    return text[0].upper() + text[1:]


class Chance:
    """Draws that depend on the seed alone and not on Python's version: random() is specified."""

    def __init__(self, seed: int):
        self.generator = random.Random(seed)

    def below(self, bound: int) -> int:
        return int(self.generator.random() * bound)

    def pick(self, items):
        return items[self.below(len(items))]

    def shuffled(self, items) -> list:
        items = list(items)
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


if __name__ == "__main__":
    sys.exit(main())
