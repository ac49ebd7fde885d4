#!/usr/bin/env python3
"""Writes the data of scripts/sweep.lua from situations.txt, beside itself.

    make_sweep_data.py            writes train.jsonl, dev.jsonl, test.jsonl
    make_sweep_data.py --check    fails when they are not what it would write

train.jsonl holds triplets: anchor and positive say the same, negative looks like the anchor and says
something else. dev.jsonl and test.jsonl hold scored pairs: 1.0 the same, 0.6 part of it, 0.2 alike but
something else, 0.0 another matter. No situation is in two parts, and training shares no person and no
place with the others, so a model can't score by remembering. Standard library only; the same output
everywhere.
"""

import itertools
import json
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).parent
TRIPLETS_PER_SITUATION = 19
# Scored pairs for each situation: (kinds of the two sentences, how many, score).
SCORED = [("==", 5, 1.0), ("=~", 3, 0.6), ("=!", 6, 0.2), ("= other", 3, 0.0)]

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
        "train.jsonl": triplets([s for s in situations if s["part"] == "train"]),
        "dev.jsonl": scored_pairs([s for s in situations if s["part"] == "dev"], seed=2),
        "test.jsonl": scored_pairs([s for s in situations if s["part"] == "test"], seed=3),
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
        if header := re.fullmatch(r"\[(train|dev|test) ([a-z-]+)\]", line):
            situations.append({"part": header[1], "name": header[2], "lists": {}, "=": [], "~": [], "!": []})
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
        pairs = chance.shuffled(itertools.permutations(situation["="], 2))
        negatives = chance.shuffled(situation["!"]) + chance.shuffled(situation["!"]) + situation["~"]
        seen = set()
        while len(seen) < TRIPLETS_PER_SITUATION:
            anchor, positive = pairs[len(seen) % len(pairs)]
            negative = negatives[len(seen) % len(negatives)]
            values = fill_values(situation, chance)
            row = tuple(fill(text, values) for text in (anchor, positive, negative))
            if row not in seen:
                seen.add(row)
                rows.append(dict(zip(("anchor", "positive", "negative"), row)))
    return chance.shuffled(rows)


def scored_pairs(situations: list[dict], seed: int) -> list[dict]:
    chance = Chance(seed)
    rows = []
    for index, situation in enumerate(situations):
        for kinds, count, score in SCORED:
            seen = set()
            while len(seen) < count:
                values = fill_values(situation, chance)
                first = chance.pick(situation["="])
                if kinds == "= other":
                    # Another situation with the same people, places and numbers where it has any.
                    other = situations[(index + 1 + chance.below(len(situations) - 1)) % len(situations)]
                    second = chance.pick(other["="])
                    values_of_second = fill_values(other, chance) | {
                        slot: value for slot, value in values.items() if slot not in "xyk"}
                else:
                    second = chance.pick(situation[kinds[1]])
                    values_of_second = values
                pair = (fill(first, values), fill(second, values_of_second))
                if first != second and pair not in seen and pair[::-1] not in seen:
                    seen.add(pair)
                    rows.append({"sentence1": pair[0], "sentence2": pair[1], "score": score})
    return chance.shuffled(rows)


def fill_values(situation: dict, chance: "Chance") -> dict[str, str]:
    names = NAMES["train" if situation["part"] == "train" else "held out"]
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
