"""Makes the vocabulary that ``agents.scripted.science_birds`` plays.

    python -m agents.generators.vocabulary --out agents/scripted/science_birds_letters.json

For each letter the genetic search and MAP-Elites look for levels, and ten that are good and differ
are kept. Everything follows from the seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson

from agents.generators.genetic import evolve
from agents.generators.map_elites import illuminate
from agents.generators.programs import choose_diverse, letter_score, worth
from agents.scripted.science_birds import write_line
from envs import seeding
from envs.science_birds.grid import Program
from envs.science_birds.similarity import LETTERS


def search(letter: str, evaluations: int, seed: int) -> list[Program]:
    """Ten levels of a letter, best first."""
    rng = np.random.default_rng(seeding.derive(seed, "vocabulary", letter))
    found = []
    for _ in range(2):
        found += evolve(letter, evaluations, 60, rng)
    start = [program for program, _ in sorted(found, key=lambda one: -worth(one[1], letter))[:40]]
    found += illuminate(letter, 2 * evaluations, 100, rng, start)
    best = max(worth(a, letter) for _, a in found)
    distinct = {p.tobytes(): (p, a) for p, a in found if worth(a, letter) >= 0.5 * best}
    kept = choose_diverse(list(distinct.values()), letter, 10)
    return sorted(kept, key=lambda p: -worth(distinct[p.tobytes()][1], letter))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--letters", default=LETTERS)
    parser.add_argument("--evaluations", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    kept = orjson.loads(options.out.read_bytes()) if options.out.exists() else {}
    for letter in options.letters:
        programs = search(letter, options.evaluations, options.seed)
        kept[letter] = [write_line(program) for program in programs]
        stability, similarity, diversity = letter_score(programs, letter)
        print(f"{letter} stability {stability:.3f} similarity {similarity:.3f}"
              f" diversity {diversity:.3f}", flush=True)  # fmt: skip
        options.out.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
