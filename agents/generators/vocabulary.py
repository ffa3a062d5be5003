"""Makes the vocabulary that ``arena.agents.scripted.science_birds`` plays.

    python -m arena.agents.generators.vocabulary --out agents/scripted/science_birds_letters.json

Each letter's sketches are stretched and packed into blocks; those that stand are candidates, and
the ten that are read best and differ most are kept. Where no sketch of a letter is read well, the
genetic search goes on from them; where they differ little, MAP-Elites does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson

from arena.agents.generators.genetic import evolve
from arena.agents.generators.map_elites import illuminate
from arena.agents.generators.programs import choose_diverse, letter_score, worth
from arena.agents.generators.sketches import SKETCHES, packings, stretched
from arena.agents.scripted.science_birds import write_line
from arena.envs import seeding
from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import Assessment, assess, look
from arena.envs.science_birds.grid import Program
from arena.envs.science_birds.similarity import LETTERS, diversity

Candidate = tuple[Program, Assessment]

PACKINGS = 3
"""Ways to pack a drawing that are tried until one stands."""
LONGEST = 40
LIKE = 0.2
"""Drawings that are read as the letter with less than this probability are not let fall."""
GOOD = 0.7
"""Letters whose best sketch is worth less than this are evolved further."""
DIVERSE = 0.33
"""Letters whose ten levels differ less than this get others from an archive of elites."""
EVALUATIONS = 1000
KEPT = 0.3
"""A level is left out if it is worth less than this share of the letter's best."""


def candidates(letter: str, seed: int) -> list[Candidate]:
    """Levels of a letter: its sketches that stand whole, and if need be what they evolve into."""
    index = LETTERS.index(letter)
    drawings = dict.fromkeys(d for sketch in SKETCHES[letter] for d in stretched(sketch))
    found, packed = [], []
    for drawing in drawings:
        for program in packings(drawing, PACKINGS):
            structure = grid.build(program)
            if len(program) > LONGEST or isinstance(structure, str):
                break
            likeness = float(look(structure)[index])
            packed.append((likeness, program))
            if likeness < LIKE:
                break
            assessed = assess(program, tries=1)
            if assessed.stability == 1.0:
                found.append((program, assessed))
                break
    packed.sort(key=lambda one: -one[0])
    start = [program for _, program in packed[:60]]
    rng = np.random.default_rng(seeding.derive(seed, "vocabulary", letter))
    if max((worth(a, letter) for _, a in found), default=0.0) < GOOD:
        found += evolve(letter, EVALUATIONS, 60, rng, start)
    if diversity([a.embedding for _, a in _chosen(found, letter)]) < DIVERSE:
        found += illuminate(letter, EVALUATIONS, 100, rng, start)
    return found


def choose(found: list[Candidate], letter: str) -> list[Program]:
    """Ten of them, best first: none much worse than the best, and as different as can be."""
    return [program for program, _ in _chosen(found, letter)]


def _chosen(found: list[Candidate], letter: str) -> list[Candidate]:
    best = max(worth(a, letter) for _, a in found)
    good = {p.tobytes(): (p, a) for p, a in found if worth(a, letter) >= KEPT * best}
    kept = [good[p.tobytes()] for p in choose_diverse(list(good.values()), letter, 10)]
    return sorted(kept, key=lambda one: -worth(one[1], letter))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--letters", default=LETTERS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    kept = orjson.loads(options.out.read_bytes()) if options.out.exists() else {}
    for letter in options.letters:
        found = candidates(letter, options.seed)
        programs = choose(found, letter)
        kept[letter] = [write_line(program) for program in programs]
        stability, similarity, diversity = letter_score(programs, letter)
        print(f"{letter} of {len(found)}: stability {stability:.3f} similarity {similarity:.3f}"
              f" diversity {diversity:.3f}", flush=True)  # fmt: skip
        options.out.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
