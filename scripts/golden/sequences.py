"""Writes Tests/TuningTests/Golden/sequences.json: points of scipy's low-discrepancy sequences, digests.

    python scripts/golden/sequences.py [OUTPUT_FILE]
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

from scipy.stats import qmc

warnings.simplefilter("ignore")


def main():
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "Tests/TuningTests/Golden/sequences.json")
    cases = []
    for name, engine in (("sobol", qmc.Sobol), ("halton", qmc.Halton)):
        for dimension in (1, 2, 7, 40, 481):
            for seed in (None, 0, 12345, 2**32 - 1):
                if dimension == 481 and seed is not None:
                    continue
                points = []
                for index in (0, 1, 2, 3, 6, 31, 1000, 123456):
                    sequence = engine(dimension, scramble=seed is not None, seed=seed)
                    if index:
                        sequence.fast_forward(index)
                    point = sequence.random(1)[0].tolist()
                    points.append([index, point if dimension <= 7 else point[:2] + point[-3:]])
                cases.append(dict(kind=name, dimension=dimension, seed=seed, points=points))
    digests = [[text, hashlib.sha256(text.encode()).hexdigest()] for text in ("", "abc", "é" * 40, "x" * 55, "x" * 56, "x" * 64, "x" * 1000)]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    output.write_text(f'{{"sequences": [\n{lines}\n],\n"sha256": {json.dumps(digests, ensure_ascii=False)}}}\n')


if __name__ == "__main__":
    main()
