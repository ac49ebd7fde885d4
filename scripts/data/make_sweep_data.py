#!/usr/bin/env python3
"""Writes the data of scripts/sweep.lua from house-words.txt, beside itself.

    make_sweep_data.py            writes train.jsonl, dev.jsonl, test.jsonl
    make_sweep_data.py --check    fails when they are not what it would write

train.jsonl holds triplets: the positive is closer to the anchor in meaning than the negative, which often
has more of its words. dev.jsonl and test.jsonl hold scored pairs: 1.0 the same said of the same thing, 0.6
something else said of the same thing, 0.3 the same said of another thing, 0.0 neither. In a scored pair the
first sentence has a wording, the second a plain name that training never shows; what it has shown is the
words of the house. Standard library only; the same output everywhere.
"""

import json
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).parent
TRIPLETS_PER_WORD = 17
# Scored pairs of each kind for each word of the house, in each of dev and test.
SCORES = [1.0, 1.0, 0.6, 0.3, 0.3, 0.0]

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
PEOPLE = {
    "train": "Anna Ben Carla David Emma Felix Grace Henry Ivy Jack Kate Leo Mary Nick Olga Paul".split(),
    "scored": "Alice Clara Daniel Edith Frank Helen Isaac Julia Karl Laura Martin Nora".split(),
}


def main() -> int:
    kinds = read_kinds(HERE / "house-words.txt")
    chance, seen = Chance(2), set()
    files = {
        "train.jsonl": triplets(kinds),
        "dev.jsonl": scored_pairs(kinds, chance, seen),
        "test.jsonl": scored_pairs(kinds, chance, seen),
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


def read_kinds(path: pathlib.Path) -> list[dict]:
    """Kinds of things: {"things": [[word, name, ...], ...], "sayings": [[saying, ...], ...]}."""
    kinds: list[dict] = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if re.fullmatch(r"\[\w+\]", line):
            kinds.append({"things": [], "sayings": []})
        elif line.startswith("- "):
            kinds[-1]["sayings"].append(line[2:].split(" | "))
        elif " = " in line:
            word, names = line.split(" = ")
            kinds[-1]["things"].append([word, *names.split(" | ")])
        else:
            raise SystemExit(f"{path.name}:{number}: neither a thing nor a saying: {line}")
    return kinds


def triplets(kinds: list[dict]) -> list[dict]:
    chance = Chance(1)
    rows = []
    for kind in kinds:
        for thing in kind["things"]:
            for index in range(TRIPLETS_PER_WORD):
                other = chance.pick([each for each in kind["things"] if each is not thing])
                saying, another = chance.shuffled(kind["sayings"])[:2]
                word, plain = thing[0], chance.pick(thing[1:-1])
                if chance.below(2) == 1:
                    word, plain = plain, word
                first, second = chance.shuffled(saying[:-1])[:2]
                if index % 3 == 0:  # the same said of another thing
                    negative = (chance.pick(saying[:-1]), chance.pick(other[:-1]))
                elif index % 3 == 1:  # something else said of the thing
                    negative = (chance.pick(another[:-1]), plain)
                else:  # the thing counts for more than what is said of it
                    negative = (second, chance.pick(other[:-1]))
                    second = chance.pick(another[:-1])
                slots = fill_slots("train", chance)
                rows.append({
                    "anchor": fill(first, word, slots),
                    "positive": fill(second, plain, slots),
                    "negative": fill(*negative, slots),
                })
    return chance.shuffled(rows)


def scored_pairs(kinds: list[dict], chance: "Chance", seen: set) -> list[dict]:
    """Pairs that are not among `seen`, where they are added."""
    rows = []
    for kind in kinds:
        for thing in kind["things"]:
            for score in SCORES:
                pair = scored_pair(kinds, kind, thing, score, chance)
                while pair in seen:
                    pair = scored_pair(kinds, kind, thing, score, chance)
                seen.add(pair)
                rows.append(dict(zip(("sentence1", "sentence2", "score"), (*pair, score))))
    return chance.shuffled(rows)


def scored_pair(kinds, kind, thing, score, chance: "Chance") -> tuple[str, str]:
    saying, another = chance.shuffled(kind["sayings"])[:2]
    other = chance.pick([each for each in kind["things"] if each is not thing])
    if score == 0.0 and chance.below(2) == 0:
        stranger = chance.pick([each for each in kinds if each is not kind])
        other, another = chance.pick(stranger["things"]), chance.pick(stranger["sayings"])
    about = thing if score >= 0.6 else other
    wording = chance.pick(saying[:-1] if score in (1.0, 0.3) else another)
    slots = fill_slots("scored", chance)
    return fill(saying[-1], thing[0], slots), fill(wording, about[-1], slots)


def fill_slots(part: str, chance: "Chance") -> dict[str, str]:
    return {"p": chance.pick(PEOPLE[part]), "d": chance.pick(DAYS)}


def fill(saying: str, thing: str, slots: dict[str, str]) -> str:
    text = re.sub(r"\{(\w+)\}", lambda slot: (slots | {"it": thing})[slot[1]], saying)
    text = re.sub(r"(^|[.!?] )([a-z])", lambda start: start[1] + start[2].upper(), text)
    return text


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
